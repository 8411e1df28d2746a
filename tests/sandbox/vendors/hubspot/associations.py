"""Associations v4 and dated: read, set, set the default.

https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
"""

import time
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.hubspot import refusals
from tests.sandbox.vendors.hubspot.account import DATED
from tests.sandbox.vendors.hubspot.objects import Objects
from tests.sandbox.vendors.hubspot.pipelines import READ, WRITE
from tests.sandbox.vendors.hubspot.properties import OBJECT_TYPES, iso
from tests.sandbox.vendors.hubspot.store import TYPES, Record

BATCH_READ_CAP = 1000


def under(rest: str) -> tuple[str, str]:
    return f"/crm/v4/objects/<kind>/<id>/associations/{rest}", f"/crm/objects/{DATED}/<kind>/<id>/associations/{rest}"


def labelled(types: set[int]) -> list[Json]:
    labels = {primary: "Primary" for _, primary in TYPES.values() if primary is not None}
    return [{"category": "HUBSPOT_DEFINED", "typeId": one, "label": labels.get(one)} for one in sorted(types)]


class Associations(Objects):
    @route("GET", *under("<to>"), label="{kind}/{{id}}/associations", scope=READ)
    def list_associations(self, request: Request) -> Answer:
        record, to = self.pair(request)
        self.authenticate(request, READ.format(kind=to))
        rows: list[Json] = [
            {"toObjectId": int(to_id), "associationTypes": labelled(types)}
            for to_id, types in self.store.linked(record.kind, record.id, to).items()
        ]
        return Answer(200, self.page(request, rows, ceiling=500, default=500))

    @route("POST", "/crm/v4/associations/<kind>/<to>/batch/read", label="associations/{kind}/batch/read", scope=READ)
    def read_associations(self, request: Request) -> Answer:
        """Of many records at once; those without any are told as errors beside the others."""
        started, kind, to = self.clock(), self.kind(request), self.noun(request.args["to"])
        if (kind, to) not in TYPES:
            raise refusals.validation(f"Unable to infer object type from: {request.args['to']}")
        self.authenticate(request, READ.format(kind=to))
        ids = dict.fromkeys(str(one.get("id")) for one in self.objects(self.body(request), "inputs"))
        if len(ids) > BATCH_READ_CAP:
            raise refusals.validation(f"The maximum number of inputs is {BATCH_READ_CAP}")
        results: list[Json] = []
        errors: list[Json] = []
        for one in ids:
            linked = self.store.linked(kind, one, to) if self.store.live(kind, one) else {}
            rows: list[Json] = [
                {"toObjectId": int(to_id), "associationTypes": labelled(linked[to_id])} for to_id in linked
            ]
            if rows:
                results.append({"from": {"id": one}, "to": rows})
                continue
            message = f"No {to} is associated with {one}."
            errors.append({"status": "error", "category": refusals.OBJECT_NOT_FOUND, "message": message})
        return self.batch_answer(207 if errors else 200, results, errors, started)

    @route("PUT", *under("<to>/<to_id>"), label="{kind}/{{id}}/associations", scope=WRITE)
    def associate(self, request: Request) -> Answer:
        if not request.body:
            raise refusals.validation("Invalid JSON input: a request body was expected, but none found")
        record, to = self.pair(request)
        specs = self.objects({"types": request.json()}, "types")
        self.only_defined(specs)
        type_ids = {spec.get("associationTypeId") for spec in specs}
        self.associate_with(record, to, request.args["to_id"], type_ids)
        body = {
            "fromObjectTypeId": OBJECT_TYPES[record.kind],
            "fromObjectId": int(record.id),
            "toObjectTypeId": OBJECT_TYPES[to],
            "toObjectId": int(request.args["to_id"]),
            "labels": [],
        }
        return Answer(201, body)

    @route("PUT", *under("default/<to>/<to_id>"), label="{kind}/{{id}}/associations", scope=WRITE)
    def associate_default(self, request: Request) -> Answer:
        record, to = self.pair(request)
        to_id = request.args["to_id"]
        type_id = TYPES[record.kind, to][0]
        self.associate_with(record, to, to_id, {type_id})
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
        results = [{"from": {"id": record.id}, "to": {"id": to_id}, "associationSpec": spec}]
        now = iso(time.time())
        return Answer(200, {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now})

    @route("DELETE", *under("<to>/<to_id>"), label="{kind}/{{id}}/associations", scope=WRITE)
    def dissociate(self, request: Request) -> Answer:
        record, to = self.pair(request)
        to_id = request.args["to_id"]
        self.store.links.get((record.kind, record.id, to), {}).pop(to_id, None)
        self.store.links.get((to, to_id, record.kind), {}).pop(record.id, None)
        return Answer(204)

    def pair(self, request: Request) -> tuple[Record, str]:
        record, to = self.record(request), self.noun(request.args["to"])
        if (record.kind, to) not in TYPES:
            raise refusals.validation(f"Unable to infer object type from: {request.args['to']}")
        return record, to

    def associate_with(self, record: Record, to: str, to_id: str, type_ids: set[Any]) -> None:
        if self.store.live(to, to_id) is None:
            raise self.not_associable(to_id)
        if not type_ids - {None} or not type_ids <= set(TYPES[record.kind, to]):
            raise refusals.validation(
                f"No association of {record.kind} with {to} has the types {sorted(map(str, type_ids))}"
            )
        self.store.link(record.kind, record.id, to, to_id, type_ids)
