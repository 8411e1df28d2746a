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


def under(rest: str) -> tuple[str, str]:
    return f"/crm/v4/objects/<kind>/<id>/associations/{rest}", f"/crm/objects/{DATED}/<kind>/<id>/associations/{rest}"


class Associations(Objects):
    @route("GET", *under("<to>"), label="{kind}/{{id}}/associations", scope=READ)
    def list_associations(self, request: Request) -> Answer:
        record, to = self.pair(request)
        labels = {primary: "Primary" for _, primary in TYPES.values() if primary is not None}
        rows: list[Json] = [
            {
                "toObjectId": int(to_id),
                "associationTypes": [
                    {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": labels.get(type_id)}
                    for type_id in sorted(types)
                ],
            }
            for to_id, types in self.store.linked(record.kind, record.id, to).items()
        ]
        return Answer(200, self.page(request, rows, ceiling=500, default=500))

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
