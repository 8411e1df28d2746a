"""Objects: create, get, list, update, archive, search and batches, in both path families.

https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide and the siblings of it
"""

import time
from typing import Any, cast

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.hubspot import refusals
from tests.sandbox.vendors.hubspot.account import DATED
from tests.sandbox.vendors.hubspot.pipelines import READ, WRITE, Pipelines
from tests.sandbox.vendors.hubspot.properties import (
    OBJECT_TYPES,
    PROPERTIES,
    REQUIRED,
    InvalidValuesError,
    accepted,
    described,
    iso,
)
from tests.sandbox.vendors.hubspot.search import search
from tests.sandbox.vendors.hubspot.store import SINGULAR, TYPES, Record

BATCH_CAP = 100
PAGE_USUAL, PAGE_CAP = 10, 100


def under(rest: str = "") -> tuple[str, str]:
    """A path in both families."""
    return f"/crm/v3/objects/<kind>{rest}", f"/crm/objects/{DATED}/<kind>{rest}"


class Objects(Pipelines):
    @route("POST", *under(), label="{kind}", scope=WRITE)
    def create(self, request: Request) -> Answer:
        """201 with the object; its associations are not in it, and are gone from the answer even if asked for."""
        kind, body = self.kind(request), self.body(request)
        record = self.created(kind, body, self.demanded(request, kind))
        return Answer(201, self.shown(record, list(record.properties)), {"Location": f"{request.path}/{record.id}"})

    def demanded(self, request: Request, kind: str) -> list[str]:
        """What has to be set: the vendor's own, and since 2026-09 what the account's admins configured."""
        rules = self.settings["required_properties"].get(kind, ()) if "2026-09" in request.path else ()
        return [*REQUIRED.get(kind, ()), *rules]

    def created(self, kind: str, body: dict[str, Json], demanded: list[str]) -> Record:
        values = self.values(kind, body)
        missing = [name for name in demanded if not values.get(name)]
        if missing:
            raise refusals.required_unset(kind, missing)
        links = [self.association(kind, one) for one in self.objects(body, "associations")]
        if kind == "leads" and not any(to == "contacts" for to, _, _ in links):
            # The body for this case was never recorded; the category is the documented one.
            raise refusals.validation("A lead must be associated with a contact when it is created")
        if values.get("email") and (known := self.contact_with(values["email"])):
            raise RefusalError(refusals.conflict(known.id))
        values = self.followed(kind, self.with_defaults(kind, values))
        record = self.store.add(kind, values, self.clock(), self.searchable_at())
        for to, to_id, type_ids in links:
            self.store.link(kind, record.id, to, to_id, type_ids)
        return record

    @route("GET", *under("/<id>"), label="{kind}/{{id}}", scope=READ)
    def get(self, request: Request) -> Answer:
        record = self.record(request, archived=request.query.get("archived") == "true")
        body = self.shown(record, request.many("properties"))
        return Answer(200, body | self.associated(record, self.readable(request)))

    @route("GET", *under(), label="{kind}", scope=READ)
    def list_page(self, request: Request) -> Answer:
        kind = self.kind(request)
        archived = request.query.get("archived") == "true"
        rows = [row for row in self.store.records[kind].values() if (row.archived_at is not None) is archived]
        if self.settings["list_cursor"] == "id":
            page = self.behind(request, rows)
        else:
            page = self.page(request, rows, ceiling=PAGE_CAP, default=PAGE_USUAL)
        names, tos = request.many("properties"), self.readable(request)
        page["results"] = [self.shown(row, names) | self.associated(row, tos) for row in page["results"]]
        return Answer(200, page)

    def behind(self, request: Request, rows: list[Record]) -> dict[str, Json]:
        """`after` is the id that the page begins behind."""
        limit, last = self.limit(request, PAGE_CAP, PAGE_USUAL), self.number(request, "after", 0)
        ahead = [row for row in rows if int(row.id) > last]
        body: dict[str, Json] = {"results": ahead[:limit]}
        return body | ({"paging": self.onward(request, limit, ahead[limit - 1].id)} if len(ahead) > limit else {})

    @route("PATCH", *under("/<id>"), label="{kind}/{{id}}", scope=WRITE)
    def update(self, request: Request) -> Answer:
        record, body = self.record(request), self.body(request)
        values = self.values(record.kind, body)
        self.rewrite(record, values)
        return Answer(200, self.shown(record, [*values, "hs_object_source", "hs_object_source_label"]))

    def rewrite(self, record: Record, values: dict[str, str]) -> None:
        known = self.contact_with(values["email"]) if values.get("email") and record.kind == "contacts" else None
        if known and known is not record:
            raise RefusalError(refusals.conflict(known.id))
        if emptied := [name for name in REQUIRED.get(record.kind, ()) if values.get(name) == ""]:
            raise refusals.required_unset(record.kind, emptied)
        self.store.write(record, self.followed(record.kind, values), self.clock(), self.searchable_at())

    @route("DELETE", *under("/<id>"), label="{kind}/{{id}}", scope=WRITE)
    def archive(self, request: Request) -> Answer:
        """204 whatever the id: archiving is idempotent and never says not found.

        Search forgets it at once. Only the list of the archived tells of it, without an order or a filter by time.
        """
        record = self.store.live(self.kind(request), request.args["id"])
        if record:
            record.archived_at = self.clock()
        return Answer(204)

    @route("POST", *under("/search"), label="{kind}/search", scope=READ)
    def search(self, request: Request) -> Answer:
        """Consistent only after the index has caught up: `search_lag` seconds after the write."""
        kind, body = self.kind(request), self.body(request)
        rows, total, after = search(self.store, kind, body, self.clock())
        names = self.names(body)
        results = [self.shown(record, names, own=own, updated=updated) for record, own, updated in rows]
        answer: dict[str, Json] = {"total": total, "results": results}
        if after < total:
            answer["paging"] = {"next": {"after": str(after)}}
        return Answer(200, answer)

    @route("POST", *under("/batch/read"), label="{kind}/batch/read", scope=READ)
    def batch_read(self, request: Request) -> Answer:
        kind, started, body = self.kind(request), self.clock(), self.body(request)
        names = self.names(body)
        ids = [str(one.get("id")) for one in self.inputs(body)]
        find = self.store.binned if request.query.get("archived") == "true" else self.store.live
        return self.batch_known(
            {one: find(kind, one) for one in ids}, kind, started, lambda row: self.shown(row, names)
        )

    @staticmethod
    def names(body: dict[str, Json]) -> list[str]:
        names = body.get("properties") or []
        if not isinstance(names, list):
            raise refusals.validation("properties must be an array of names")
        return [str(name) for name in cast("list[Json]", names)]

    def inputs(self, body: dict[str, Json]) -> list[dict[str, Any]]:
        inputs = self.objects(body, "inputs")
        if len(inputs) > BATCH_CAP:
            raise refusals.validation(f"The maximum number of inputs is {BATCH_CAP}")
        return inputs

    @route("POST", *under("/batch/<action>"), label="{kind}/batch/{action}", scope=WRITE)
    def batch(self, request: Request) -> Answer:
        """Up to 100 inputs; 207 when some of them failed."""
        kind, action, started = self.kind(request), request.args["action"], self.clock()
        inputs = self.inputs(self.body(request))
        ids = [str(one.get("id")) for one in inputs if "id" in one]
        if action in ("update", "archive") and (twice := sorted({one for one in ids if ids.count(one) > 1})):
            listed = ", ".join(twice)
            message = f"Duplicate IDs found in batch input: [{listed}]. IDs must be unique"
            raise refusals.validation(message, context={"ids": twice})
        match action:
            case "create":
                rows = [self.created(kind, one, self.demanded(request, kind)) for one in inputs]
                return self.batch_answer(201, [self.shown(row, list(row.properties)) for row in rows], [], started)
            case "update":
                values = {str(one.get("id")): self.values(kind, one) for one in inputs}
                known = {one: self.store.live(kind, one) for one in ids}
                return self.batch_known(known, kind, started, lambda row: self.updated(row, values[row.id]))
            case "archive":
                for row in filter(None, (self.store.live(kind, one) for one in ids)):
                    row.archived_at = self.clock()
                return Answer(204)
            case _:
                raise RefusalError(self.route_unknown(request))

    def updated(self, record: Record, values: dict[str, str]) -> dict[str, Json]:
        self.rewrite(record, values)
        return self.shown(record, list(values))

    def batch_known(self, known: dict[str, Record | None], kind: str, started: float, act: Any) -> Answer:
        unknown = [one for one, row in known.items() if row is None]
        results = [act(row) for row in known.values() if row]
        errors: list[Json] = []
        if unknown:
            message = (
                f"Could not get some {SINGULAR[kind].upper()} objects, "
                "they may be deleted or not exist. Check that ids are valid."
            )
            category = refusals.OBJECT_NOT_FOUND
            errors = [{"status": "error", "category": category, "message": message, "context": {"ids": unknown}}]
        return self.batch_answer(207 if errors else 200, results, errors, started)

    def batch_answer(self, status: int, results: list[Json], errors: list[Json], started: float) -> Answer:
        body = {"completedAt": iso(time.time()), "status": "COMPLETE", "startedAt": iso(started), "results": results}
        return Answer(status, body | ({"errors": errors, "numErrors": len(errors)} if errors else {}))

    # The properties API.

    @route(
        "GET", "/crm/v3/properties/<kind>", f"/crm/properties/{DATED}/<kind>", label="properties/{kind}",
        scope="crm.schemas.{kind}.read",
    )  # fmt: skip
    def list_properties(self, request: Request) -> Answer:
        kind = self.kind(request)
        options = self.options(kind)
        return Answer(200, {"results": [described(prop, options[name]) for name, prop in PROPERTIES[kind].items()]})

    @route(
        "GET", "/crm/v3/properties/<kind>/<id>", f"/crm/properties/{DATED}/<kind>/<id>",
        label="properties/{kind}/{{id}}", scope="crm.schemas.{kind}.read",
    )  # fmt: skip
    def get_property(self, request: Request) -> Answer:
        prop = PROPERTIES[self.kind(request)].get(request.args["id"])
        if prop is None:
            raise refusals.not_found(numeric=False)
        return Answer(200, described(prop, self.options(request.args["kind"])[prop.name]))

    # Reading and writing.

    def kind(self, request: Request) -> str:
        kind = request.args["kind"]
        if kind not in OBJECT_TYPES:
            raise refusals.validation(f"Unable to infer object type from: {kind}")
        return kind

    def record(self, request: Request, *, archived: bool = False) -> Record:
        kind, wanted = self.kind(request), request.args["id"]
        key = request.query.get("idProperty") or "hs_object_id"
        if key == "email" and kind == "contacts":
            found = self.contact_with(wanted.lower())
        elif key != "hs_object_id":
            raise refusals.validation(f"{key} is not a unique property of {kind}")
        elif archived:
            found = self.store.binned(kind, wanted)
        else:
            found = self.store.live(kind, wanted)
        if found is None:
            raise refusals.not_found(wanted.isdigit())
        return found

    def contact_with(self, email: str) -> Record | None:
        """The e-mail is a contact's unique key, and stored in lower case."""
        rows = self.store.records["contacts"].values()
        return next((row for row in rows if row.properties.get("email") == email and row.archived_at is None), None)

    def values(self, kind: str, body: dict[str, Json]) -> dict[str, str]:
        properties = body.get("properties")
        if not isinstance(properties, dict):
            raise refusals.validation("properties must be an object")
        try:
            return accepted(kind, properties, self.options(kind))
        except InvalidValuesError as faulty:
            raise refusals.invalid_values(faulty.faults) from faulty

    def with_defaults(self, kind: str, values: dict[str, str]) -> dict[str, str]:
        defaults = {
            "contacts": {"lifecyclestage": "lead"},
            "companies": {"lifecyclestage": "lead"},
            "leads": self.first_stage("leads", "hs_pipeline", "hs_pipeline_stage"),
        }
        return defaults.get(kind, {}) | values

    def first_stage(self, kind: str, pipeline: str, stage: str) -> dict[str, str]:
        """A lead begins in the first stage of the first pipeline."""
        first = next(iter(self.pipelines[kind]), None)
        return {pipeline: first["id"], stage: first["stages"][0]["id"]} if first and first["stages"] else {}

    def association(self, kind: str, one: dict[str, Any]) -> tuple[str, str, set[Any]]:
        """An inline association as (object, id, type ids); its target has to exist."""
        target = one.get("to")
        to_id = str(target.get("id")) if isinstance(target, dict) else ""
        specs = self.objects(one, "types")
        self.only_defined(specs)
        type_ids = {spec.get("associationTypeId") for spec in specs}
        for to in OBJECT_TYPES:
            if type_ids and type_ids - {None} and type_ids <= set(TYPES.get((kind, to), ())):
                if self.store.live(to, to_id) is None:
                    raise self.not_associable(to_id)
                return to, to_id, type_ids
        raise refusals.validation(f"No association of {kind} has the types {sorted(map(str, type_ids))}")

    @staticmethod
    def only_defined(specs: list[dict[str, Any]]) -> None:
        """A type id is one of its category's; this account has defined none of its own."""
        for spec in specs:
            if spec.get("associationCategory") != "HUBSPOT_DEFINED":
                raise refusals.validation(f"There is no association type {spec}")

    def not_associable(self, to_id: str) -> RefusalError:
        return refusals.validation(
            f"{to_id} is not a valid ID", subCategory="crm.associations.INVALID_IDENTIFIER", context={"id": [to_id]}
        )

    def searchable_at(self) -> float:
        return self.clock() + float(self.settings["search_lag"])

    def shown(
        self, record: Record, names: list[str], *, own: dict[str, str] | None = None, updated: float | None = None
    ) -> dict[str, Json]:
        known = [name for name in names if name in PROPERTIES[record.kind]]
        body: dict[str, Json] = {
            "id": record.id,
            "properties": self.store.properties(record, known, own),
            "createdAt": iso(record.created),
            "updatedAt": iso(record.updated if updated is None else updated),
            "archived": record.archived_at is not None,
            "url": self.store.url(record, OBJECT_TYPES[record.kind]),
        }
        return body | ({"archivedAt": iso(record.archived_at)} if record.archived_at is not None else {})

    def associated(self, record: Record, tos: list[str]) -> dict[str, Json]:
        """The same pair comes back under its label and as unlabeled; the key is absent when there is nothing.

        A long list is cut, and says where it goes on at the associations' own path.
        """
        most = int(self.settings["associations_per_page"])
        found: dict[str, Json] = {}
        for to in (self.noun(word) for word in tos):
            if to not in OBJECT_TYPES:
                raise refusals.validation(f"Unable to infer object type from: {to}")
            pair = f"{SINGULAR[record.kind]}_to_{SINGULAR[to]}"
            linked = list(self.store.linked(record.kind, record.id, to).items())
            rows = [
                {"id": to_id, "type": name}
                for to_id, types in linked[:most]
                for name in ([pair, f"{pair}_unlabeled"] if len(types) > 1 else [pair])
            ]
            if rows:
                found[to] = {"results": rows}
            if len(linked) > most:
                link = f"https://api.hubapi.com/crm/v4/objects/{record.kind}/{record.id}/associations/{to}?after={most}"
                found[to]["paging"] = {"next": {"after": str(most), "link": link}}
        return {"associations": found} if found else {}

    def readable(self, request: Request) -> list[str]:
        """The objects whose associations are asked for, each of which wants a scope of its own."""
        kept: list[str] = []
        for to in (self.noun(word) for word in request.many("associations")):
            try:
                self.authenticate(request, READ.format(kind=to))
            except RefusalError:
                if self.settings["forbidden_associations"] == "refused":
                    raise
                continue
            kept.append(to)
        return kept

    def followed(self, kind: str, values: dict[str, str]) -> dict[str, str]:
        """What nobody writes and a write entails: whether a deal is closed, and its chance, follow its stage."""
        for pipeline in self.pipelines["deals"] if kind == "deals" else ():
            for stage in pipeline["stages"]:
                if stage["id"] == values.get("dealstage"):
                    chance, closed = stage["metadata"]["probability"], stage["metadata"]["isClosed"]
                    won = str(closed == "true" and float(chance) == 1).lower()
                    lost = str(closed == "true" and float(chance) < 1).lower()
                    told = {"hs_is_closed": closed, "hs_is_closed_won": won, "hs_is_closed_lost": lost}
                    return values | told | {"hs_deal_stage_probability": chance}
        return values
