"""Leads, deals, and contacts that are people or organizations: one way of writing for all.

https://developer.zendesk.com/api-reference/sales-crm/resources/leads
"""

from collections.abc import Iterator
from datetime import datetime

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zendesk_sell.account import Flaw, stamp
from tests.sandbox.vendors.zendesk_sell.fields import ADDRESS, UnfitError, blank, read, read_custom
from tests.sandbox.vendors.zendesk_sell.lists import RESOURCES, Row
from tests.sandbox.vendors.zendesk_sell.lookups import BLANKS, Lookups

KINDS = '<any("leads", "contacts", "deals"):kind>'
WORDS = {
    "unknown": "The attribute '/{field}' is not a known attribute for the '{resource}' resource.",
    "missing": "The required attribute '/{field}' must be present in the request.",
}


class Records(Lookups):
    def clear(self) -> None:
        super().clear()
        self.history: dict[str, dict[int, list[tuple[float, Row | None]]]] = {"leads": {}, "contacts": {}, "deals": {}}
        """(in the search index from, the record then, or None for its deletion) of each write."""

    @route("POST", f"/v2/{KINDS}", label="{kind}", scope="write")
    def create(self, request: Request) -> Answer:
        kind = request.args["kind"]
        row = self.insert(kind, self.written(kind, None, self.data(request)))
        return self.one(kind, row, self.settings["created_status"])

    @route("GET", f"/v2/{KINDS}", label="{kind}", scope="read")
    def list_page(self, request: Request) -> Answer:
        kind = request.args["kind"]
        return self.listed(request, kind, [self.told(kind, row) for row in self.visible(kind)])

    @route("GET", f"/v2/{KINDS}/<id>", label="{kind}/{{id}}", scope="read")
    def get(self, request: Request) -> Answer:
        return self.one(request.args["kind"], self.row(request.args["kind"], request.args["id"]))

    @route("PUT", f"/v2/{KINDS}/<id>", label="{kind}/{{id}}", scope="write")
    def update(self, request: Request) -> Answer:
        """What is not sent stays."""
        kind = request.args["kind"]
        row = self.row(kind, request.args["id"])
        return self.one(kind, self.rewrite(kind, row, self.data(request)))

    @route("DELETE", f"/v2/{KINDS}/<id>", label="{kind}/{{id}}", scope="write")
    def delete(self, request: Request) -> Answer:
        """Gone for good, and no list of the Core API tells of it."""
        kind = request.args["kind"]
        self.drop(kind, self.row(kind, request.args["id"])["id"])
        return Answer(204)

    def drop(self, kind: str, row_id: int) -> None:
        del self.rows[kind][row_id]
        self.remember(kind, row_id, None)

    # Writing.

    def rewrite(self, kind: str, row: Row, data: Row) -> Row:
        return self.changed(kind, row, data, self.written(kind, row, data))

    def changed(self, kind: str, row: Row, data: Row, values: Row) -> Row:
        stage = row.get("stage_id")
        row |= values | {"updated_at": self.now()}
        if kind == "deals" and row["stage_id"] != stage:
            row |= {"last_stage_change_by_id": self.me}
            row |= {} if "last_stage_change_at" in data else {"last_stage_change_at": self.now()}
        self.remember(kind, row["id"], row)
        return row

    def written(self, kind: str, before: Row | None, data: Row) -> Row:
        """The record as it will be, or every flaw of what was sent."""
        row = dict(before or blank(kind))
        flaws: list[Flaw] = []

        def refuse(field: str, code: str, why: str) -> None:
            resource = RESOURCES[kind].type
            words = WORDS.get(code, "The attribute '/{field}' " + why)
            flaws.append(Flaw(code, words.format(field=field, resource=resource), field, resource))

        for name, value in data.items():
            try:
                row[name] = read(kind, name, value)
                if name == "is_organization" and before is not None:
                    raise UnfitError("unknown", "is set at creation only")
            except UnfitError as unfit:
                refuse("/".join(filter(None, (name, unfit.below))), unfit.code, str(unfit))
        if not any(flaw.field == "custom_fields" for flaw in flaws):
            kept = {} if before is None or self.settings["custom_fields_replaced"] else before["custom_fields"]
            own = dict(kept if "custom_fields" in data else row["custom_fields"])
            for name, value in (data.get("custom_fields") or {}).items():
                try:
                    own[name] = read_custom(kind, name, value, row)
                except UnfitError as unfit:
                    refuse("/".join(filter(None, ("custom_fields", name, unfit.below))), unfit.code, str(unfit))
            row["custom_fields"] = {name: value for name, value in own.items() if value is not None}
        faulty = {str(flaw.field).partition("/")[0] for flaw in flaws}
        for name in self.dangling(kind, {name: row[name] for name in data.keys() - faulty}):
            refuse(name, "incorrect_value", "refers to what is not there.")
        for named in self.naming(kind, row):
            if not any(str(row[name] or "").strip() for name in named) and not faulty & {*named}:
                given = next((name for name in named if name in data), None)
                refuse(given or named[0], "blank" if given else "missing", "is blank.")
        if flaws:
            raise self.refused(422, *flaws)
        return derived(kind, row)

    @staticmethod
    def naming(kind: str, row: Row) -> list[tuple[str, ...]]:
        """One of each has to be there; a first name alone is not enough."""
        if kind == "deals":
            return [("name",), ("contact_id",)]
        if kind == "leads":
            return [("last_name", "organization_name")]
        return [("name",)] if row["is_organization"] is True else [("last_name",)]

    def dangling(self, kind: str, values: Row) -> Iterator[str]:
        """Attributes that name a user, source, status, stage or contact that is not there."""
        organizations = {key for key, row in self.rows["contacts"].items() if row["is_organization"]}
        known = {"owner_id": self.rows["users"], "parent_organization_id": organizations}
        known |= {"contact_id": self.rows["contacts"] if kind == "deals" else organizations}
        known |= {"source_id": self.rows["deal_sources" if kind == "deals" else "lead_sources"]}
        known |= {"stage_id": self.rows["stages"], "loss_reason_id": self.rows["loss_reasons"]}
        known |= {"unqualified_reason_id": self.rows["deal_unqualified_reasons"]}
        known |= {"status": {row["name"] for row in self.rows["lead_statuses"].values()}}
        for name, there in known.items():
            if values.get(name) is not None and values[name] not in there:
                yield name

    def insert(self, kind: str, values: Row) -> Row:
        now = self.now()
        row: Row = {"id": next(self.numbers[kind]), "creator_id": self.me, "created_at": now, "updated_at": now}
        row |= values
        row["owner_id"] = row["owner_id"] or self.me
        if kind == "leads":
            row["status"] = row["status"] or next(iter(self.rows["lead_statuses"].values()))["name"]
        if kind == "deals":
            row = self.settled(row)
        self.rows[kind][row["id"]] = row
        self.remember(kind, row["id"], row)
        return row

    def settled(self, row: Row) -> Row:
        """A new deal stands in the first stage of the first pipeline, and in the account's currency."""
        address = f"dropbox@{row['id']:x}.deals.futuresimple.com"
        row |= {"stage_id": row["stage_id"] or next(iter(self.rows["stages"])), "currency": row["currency"] or "EUR"}
        told = {"last_stage_change_at": row["created_at"], "added_on": row["created_at"]}
        row |= {name: row[name] or at for name, at in told.items()}
        facts = {"dropbox_email": address, "last_activity_at": row["created_at"], "last_stage_change_by_id": self.me}
        return facts | row

    def one(self, noun: str, row: Row, status: int = 200) -> Answer:
        return super().one(noun, self.told(noun, row), status)

    def told(self, noun: str, row: Row) -> Row:
        """A deal's organization is the one of its contact, whatever was written."""
        if noun != "deals":
            return row
        contact = self.rows["contacts"].get(row["contact_id"] or 0)
        organization = contact and contact["contact_id"]
        if contact and contact["is_organization"]:
            organization = contact["id"] if self.settings["organizations_own_deals"] else None
        value = f"{row['value']:.2f}" if self.settings["value_as_text"] and row["value"] is not None else row["value"]
        return row | {"organization_id": organization, "value": value}

    def remember(self, kind: str, row_id: int, row: Row | None, *, at_once: bool = False) -> None:
        """For the search index, which lags behind."""
        writes = self.history[kind].setdefault(row_id, [])
        visible_at = 0.0 if at_once else self.clock() + float(self.settings["search_lag"])
        writes.append((visible_at, None if row is None else row | {"version": len(writes) + 1}))

    def versioned(self, noun: str, row: Row) -> dict[str, Json]:
        item = self.wrapped(noun, row)
        if noun in self.history:
            item["meta"]["version"] = len(self.history[noun][row["id"]])
        return item

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """`companies` are contacts that are organizations; an address may be told in part.

        `created_at` and `updated_at` (ISO 8601) are kept in whole seconds; without an updated_at a record was not
        touched since its created_at. The search index knows of it at once.
        """
        fields = dated(fields)
        if noun in BLANKS:
            return self.add(noun, fields)["id"]
        kind = "contacts" if noun == "companies" else noun
        if kind not in self.history:
            raise LookupError(f"Zendesk Sell has no {noun} here: {', '.join([*self.rows, 'companies'])}")
        organization = {"is_organization": True} if noun == "companies" else {}
        row = self.insert(kind, derived(kind, blank(kind) | organization | whole_address(fields)))
        self.history[kind][row["id"]].clear()
        self.remember(kind, row["id"], row, at_once=True)
        return row["id"]

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """Custom fields that are not named stay; the index hears of it as late as of any write."""
        kind, row = self.there(noun, id)
        if kind in BLANKS:
            row |= fields | {"updated_at": self.now()}
            return
        own = {"custom_fields": row["custom_fields"] | (fields.get("custom_fields") or {})}
        self.changed(kind, row, fields, derived(kind, row | whole_address(fields) | own))

    def erase(self, noun: str, id: str) -> None:
        """Without a trace; but a user who leaves goes on being listed, as inactive."""
        kind, row = self.there(noun, id)
        if kind == "users":
            row |= {"status": "inactive", "updated_at": self.now()}
        elif kind in BLANKS:
            del self.rows[kind][row["id"]]
        else:
            self.drop(kind, row["id"])

    def there(self, noun: str, id: str) -> tuple[str, Row]:
        kind = "contacts" if noun == "companies" else noun
        row = self.rows.get(kind, {}).get(int(id)) if id.isdigit() else None
        if row is None or (noun == "companies" and not row["is_organization"]):
            raise LookupError(f"Zendesk Sell has no {noun} {id}")
        return kind, row

    def stored(self, noun: str) -> list[Json]:
        if noun == "companies":
            return [row for row in self.rows["contacts"].values() if row["is_organization"]]
        if noun not in self.rows:
            raise LookupError(f"Zendesk Sell has no {noun} here: {', '.join([*self.rows, 'companies'])}")
        return list(self.rows[noun].values())


def derived(kind: str, row: Row) -> Row:
    """The name of a person follows its parts."""
    if kind == "contacts" and not row["is_organization"]:
        row["name"] = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return row


def whole_address(fields: Row) -> Row:
    return fields | ({"address": dict.fromkeys(ADDRESS) | fields["address"]} if fields.get("address") else {})


def dated(fields: Row) -> Row:
    """With moments as Sell writes them."""
    given = {name: datetime.fromisoformat(fields[name]) for name in ("created_at", "updated_at") if fields.get(name)}
    if "created_at" in given:
        given.setdefault("updated_at", given["created_at"])
    return fields | {name: stamp(moment.timestamp()) for name, moment in given.items()}
