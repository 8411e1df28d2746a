"""Persons, organizations and deals (v2): strict bodies, cursors, soft deletion, search.

https://developers.pipedrive.com/docs/api/v1/Persons and the siblings of it
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.pipedrive.company import done, not_found, schema_failed, v2, whole_seconds
from tests.sandbox.vendors.pipedrive.fields import (
    ON_DEMAND,
    REFERENCES,
    REQUIRED,
    FieldError,
    address,
    described,
    read,
    shown,
)
from tests.sandbox.vendors.pipedrive.pipelines import Pipelines

KINDS = '<any("persons", "organizations", "deals"):kind>'
METADATA = '<any("dealFields", "personFields", "organizationFields"):fields>'
FIELDS_SCOPE = "{area}:read|admin|{single}-fields:full"
NULLS = {
    "persons": ("org_id", "picture_id"),
    "organizations": ("address",),
    "deals": (
        "person_id", "org_id", "archive_time", "stage_change_time", "probability", "lost_reason", "close_time",
        "won_time", "lost_time", "local_won_date", "local_lost_date", "local_close_date", "expected_close_date",
        "origin_id", "channel", "channel_id", "source_lead_id", "acv", "arr", "mrr",
    ),
}  # fmt: skip
MOST_CUSTOM = 15
COUNTS = tuple(
    f"{name}_count"
    for name in ("email_messages", "activities", "done_activities", "undone_activities", "files", "notes")
)
DEALS = tuple(f"{which}_deals_count" for which in ("open", "closed", "won", "lost"))
_SHARED = ("next_activity_id", "last_activity_id", "smart_bcc_email", "followers_count", *COUNTS)
_RELATED = (*_SHARED, *DEALS, *(f"related_{name}" for name in DEALS))
_MAIL = ("last_incoming_mail_time", "last_outgoing_mail_time")
INCLUDED = {
    "persons": (
        *_RELATED, *_MAIL, "participant_open_deals_count", "participant_closed_deals_count", "marketing_status",
        "doi_status",
    ),
    "organizations": (*_RELATED, "people_count"),
    "deals": (*_SHARED, *_MAIL, "first_won_time", "products_count", "participants_count", "source_lead_id"),
}  # fmt: skip
"""What include_fields may name, beyond what always comes."""

FILTERS = {
    "persons": ("owner_id", "org_id"),
    "organizations": ("owner_id",),
    "deals": ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id"),
}
_SHAPE = frozenset(("include_fields", "custom_fields", "include_option_labels", "include_labels"))
_LIST = _SHAPE | {
    *("filter_id", "ids", "updated_since", "updated_until", "sort_by", "sort_direction", "limit", "cursor")
}
ASKED = {kind: _LIST | {*names} for kind, names in FILTERS.items()}
ASKED["persons"] |= {"deal_id"}
ASKED["deals"] |= {"status"}
"""What a list may be asked for."""

STATUSES = ("open", "won", "lost", "deleted")
MOST_IDS = 100
KEPT = timedelta(days=30)
"""How long what is deleted can still be seen."""

SEARCHED = {
    "persons": ("custom_fields", "email", "notes", "phone", "name"),
    "organizations": ("address", "custom_fields", "notes", "name"),
    "deals": ("custom_fields", "notes", "title"),
    "leads": ("custom_fields", "notes", "title"),
}
_SEARCH = frozenset(("term", "fields", "exact_match", "limit", "cursor"))
_LINKS = ("person_id", "organization_id", "include_fields")
SEARCH_ASKED = {
    "persons": _SEARCH | {"organization_id", "include_fields"},
    "organizations": _SEARCH,
    "deals": _SEARCH | {*_LINKS, "status"},
    "leads": _SEARCH | {*_LINKS},
}


class Records(Pipelines):
    def clear(self) -> None:
        super().clear()
        self.rows: dict[str, dict[Any, dict[str, Json]]] = {
            "persons": {},
            "organizations": {},
            "deals": {},
            "leads": {},
        }
        self.numbers = {kind: count(1) for kind in self.rows}

    def find(self, request: Request) -> Route | Answer:
        """Persons and organizations share the scopes of contacts, and so do their fields."""
        found = super().find(request)
        kind = request.args.get("kind") or request.args.get("fields", "").removesuffix("Fields") + "s"
        request.args["area"] = {"persons": "contacts", "organizations": "contacts"}.get(kind, kind)
        request.args["single"] = request.args["area"].removesuffix("s")
        return found

    @route("POST", *v2(f"/{KINDS}"), label="{kind}", scope="{area}:full")
    def create(self, request: Request) -> Answer:
        """200, not 201."""
        kind = request.args["kind"]
        values = self.values(kind, self.body(request))
        if not values.get(REQUIRED[kind]):
            raise schema_failed(f"{REQUIRED[kind]}: is required")
        return done(self.shown(request, self.insert(kind, values)))

    @route("GET", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="{area}:read")
    def get(self, request: Request) -> Answer:
        """One that was deleted says so for 30 days, while lists are silent about it."""
        self.known(request, _SHAPE)
        row = self.row(request)
        if row["is_deleted"] and (self.settings["deleted_records"] == "gone" or row["update_time"] < self.horizon()):
            raise not_found("Entity was not found")
        return done(self.shown(request, row))

    @route("PATCH", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="{area}:full")
    def update(self, request: Request) -> Answer:
        kind, row = request.args["kind"], self.row(request)
        if row["is_deleted"]:
            raise not_found("Entity was not found")
        values = self.values(kind, self.body(request))
        if REQUIRED[kind] in values and not values[REQUIRED[kind]]:
            raise schema_failed(f"{REQUIRED[kind]}: cannot be empty")
        self.rewrite(kind, row, values)
        return done(self.shown(request, row))

    @route("DELETE", *v2(f"/{KINDS}/<id>"), label="{kind}/{{id}}", scope="{area}:full")
    def delete(self, request: Request) -> Answer:
        """Soft for 30 days; once more is 410 although the body says success."""
        row = self.row(request)
        again = row["is_deleted"]
        if not again:
            row |= {"is_deleted": True, "update_time": self.now()}
        return done({"id": row["id"]}, 410 if again else 200)

    @route("GET", *v2(f"/{KINDS}"), label="{kind}", scope="{area}:read")
    def list_page(self, request: Request) -> Answer:
        """updated_since takes its moment in, updated_until does not.

        What is deleted is not there, but for deals of `status=deleted`: of a person it is told by its id alone.
        """
        kind, query = request.args["kind"], request.query
        self.known(request, ASKED[kind])
        if query.get("status", "open") not in STATUSES:
            raise schema_failed(f"status: must be one of {', '.join(STATUSES)}")
        if "filter_id" in query:
            raise not_found("Filter was not found")  # none can be made here
        deleted, oldest = query.get("status") == "deleted", self.horizon()
        rows = [row for row in self.rows[kind].values() if row["is_deleted"] is deleted and not row.get("is_archived")]
        if deleted:
            rows = [row for row in rows if row["update_time"] >= oldest]
        elif "status" in query:
            rows = [row for row in rows if row["status"] == query["status"]]
        wanted = {name: self.integers(request, name) for name in FILTERS[kind]}
        wanted |= {"id": self.integers(request, "ids", MOST_IDS)}
        for name, values in wanted.items():
            rows = rows if values is None else [row for row in rows if row[name] in values]
        for number in self.integers(request, "deal_id") or ():
            deal = self.rows["deals"].get(number, {})
            rows = [row for row in rows if row["id"] == deal.get("person_id")]
        since, until = (self.seconds(request, name) for name in ("updated_since", "updated_until"))
        rows = [row for row in rows if (not since or row["update_time"] >= since)]
        rows = [row for row in rows if (not until or row["update_time"] < until)]
        show = self.shaper(request)
        return self.sorted_page(request, rows, "id", "update_time", "add_time", show=show)

    @route(
        "GET", *v2(f"/{KINDS}/search", '/<any("leads"):kind>/search'), label="{kind}/search",
        scope="{area}:read|search:read",
    )  # fmt: skip
    def search(self, request: Request) -> Answer:
        """Items are wrapped and shaped otherwise than records."""
        kind, query = request.args["kind"], request.query
        self.known(request, SEARCH_ASKED[kind])
        term, exact = query.get("term", "").lower(), self.flag(request, "exact_match")
        if len(term) < (1 if exact else 2):
            raise schema_failed("term: must have at least 2 characters, or 1 with exact_match")
        asked = request.many("fields") or list(SEARCHED[kind])
        if strange := [name for name in asked if name not in SEARCHED[kind]]:
            raise schema_failed(f"fields: {strange[0]} is not allowed")
        found = [
            row
            for row in self.rows[kind].values()
            if not row.get("is_deleted") and any(term == text if exact else term in text for text in texts(row, asked))
        ]
        for name, member in (("organization_id", "org_id"), ("person_id", "person_id")):
            if numbers := self.integers(request, name):
                found = [row for row in found if row.get(member, row.get(name)) in numbers]
        if "status" in query:
            found = [row for row in found if row["status"] == query["status"]]
        page, cursor = self.numbered_page(request, found)
        items = [{"result_score": 0.5, "item": self.item(kind, row)} for row in page]
        return done({"items": items}, additional_data={"next_cursor": cursor})

    def item(self, kind: str, row: dict[str, Json]) -> dict[str, Json]:
        organization = self.rows["organizations"].get(row.get("org_id") or row.get("organization_id"))
        person = self.rows["persons"].get(row.get("person_id"))
        shared = {"id": row["id"], "type": kind.removesuffix("s"), "owner": {"id": row["owner_id"]}}
        shared |= {"visible_to": int(row["visible_to"]), "custom_fields": [], "notes": []}
        if kind == "organizations":
            return shared | {"name": row["name"], "address": (row["address"] or {}).get("value")}
        place = {"id": organization["id"], "name": organization["name"], "address": None} if organization else None
        shared["organization"] = place
        if kind == "persons":
            emails = [one["value"] for one in row["emails"]]
            phones = [one["value"] for one in row["phones"]]
            extra = {"name": row["name"], "phones": phones, "emails": emails, "primary_email": next(iter(emails), None)}
            return shared | extra
        human = {"id": person["id"], "name": person["name"]} if person else None
        emails = [one["value"] for one in person["emails"]] if person else []
        shared |= {"title": row["title"], "person": human, "is_archived": row["is_archived"]}
        if kind == "leads":
            value = row["value"] or {}
            shared |= {"value": value.get("amount"), "currency": value.get("currency"), "phones": [], "emails": emails}
        return shared

    @route("GET", *v2(f"/{METADATA}"), label="{fields}", scope=FIELDS_SCOPE)
    def list_fields(self, request: Request) -> Answer:
        self.known(request, frozenset(("include_fields", "limit", "cursor")))
        page, cursor = self.numbered_page(request, self.described(request))
        return done(page, additional_data={"next_cursor": cursor})

    @route("GET", *v2(f"/{METADATA}/<id>"), label="{fields}/{{id}}", scope=FIELDS_SCOPE)
    def get_field(self, request: Request) -> Answer:
        self.known(request, frozenset(("include_fields",)))
        found = next((row for row in self.described(request) if row["field_code"] == request.args["id"]), None)
        if found is None:
            raise not_found("Field was not found")
        return done(found)

    def described(self, request: Request) -> list[dict[str, Json]]:
        extra = request.many("include_fields")
        if strange := [name for name in extra if name not in ON_DEMAND]:
            raise schema_failed(f"include_fields: {strange[0]} is not allowed")
        more = {name: ON_DEMAND[name] for name in extra}
        return [row | more for row in described(request.args["fields"].removesuffix("Fields") + "s")]

    # Reading and writing.

    def seconds(self, request: Request, name: str) -> str | None:
        """RFC 3339 in whole seconds; fractions are refused."""
        text = request.query.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text.replace(" ", "+")):
            raise schema_failed(f"{name}: must be RFC 3339 in whole seconds")
        try:
            return whole_seconds(datetime.fromisoformat(text.replace(" ", "+")))
        except ValueError as odd:
            raise schema_failed(f"{name}: must be RFC 3339 in whole seconds") from odd

    def horizon(self) -> str:
        """What was deleted before has gone for good."""
        return whole_seconds(datetime.fromtimestamp(self.clock(), UTC) - KEPT)

    def row(self, request: Request) -> dict[str, Json]:
        wanted = request.args["id"]
        if not wanted.isdigit() and self.settings["bad_id_status"] == 400:
            raise schema_failed("id: must be an integer")
        row = self.rows[request.args["kind"]].get(int(wanted)) if wanted.isdigit() else None
        if row is None:
            raise not_found("Entity was not found")
        return row

    def shown(self, request: Request, row: dict[str, Json]) -> dict[str, Json]:
        return self.shaper(request)(row)

    def shaper(self, request: Request) -> Callable[[dict[str, Json]], dict[str, Json]]:
        """Relations are ids alone; what the request asks for more is labels, and fields that cost a count."""
        kind = request.args["kind"]
        asked, extra = request.many("custom_fields"), request.many("include_fields")
        if len(asked) > MOST_CUSTOM:
            raise schema_failed(f"custom_fields: must have at most {MOST_CUSTOM} keys")
        if strange := [name for name in extra if name not in INCLUDED[kind]]:
            raise schema_failed(f"include_fields: {strange[0]} is not allowed")
        labelled, named = (self.flag(request, name) for name in ("include_labels", "include_option_labels"))
        has_custom = self.settings["has_custom_fields"]

        def shape(row: dict[str, Json]) -> dict[str, Json]:
            more = {name: row.get(name, 0 if name.endswith("_count") else None) for name in extra}
            if labelled:
                more["labels"] = [{"id": one, "label": f"Label {one}", "color": "blue"} for one in row["label_ids"]]
            custom = shown(kind, row["custom_fields"], asked, labels=named) if has_custom else None
            return row | more | {"custom_fields": custom}

        return shape

    def values(self, kind: str, body: dict[str, Json]) -> dict[str, Json]:
        try:
            values = read(kind, body)
        except FieldError as bad:
            raise schema_failed(str(bad)) from bad
        problem = self.dangling(values) or (self.misplaced(values) if kind == "deals" else None)
        if problem:
            raise schema_failed(problem)
        if kind == "deals" and values.keys() & {"stage_id", "pipeline_id"}:
            values |= self.placed(values)
        return values

    def dangling(self, values: dict[str, Json]) -> str | None:
        """What the values refer to without its being there."""
        if values.get("owner_id") is not None and values["owner_id"] not in self.users:
            return f"owner_id: user {values['owner_id']} was not found"
        for name, kind in REFERENCES.items():
            row = self.rows[kind].get(values.get(name)) if values.get(name) is not None else None
            if values.get(name) is not None and (row is None or row["is_deleted"]):
                return f"{name}: {kind.removesuffix('s')} {values[name]} was not found"
        return None

    def insert(self, kind: str, values: dict[str, Json]) -> dict[str, Json]:
        now = self.now()
        row: dict[str, Json] = {"id": next(self.numbers[kind]), "owner_id": self.me, "add_time": now}
        row |= dict.fromkeys(NULLS[kind]) | {"update_time": now, "is_deleted": False, "visible_to": 3, "label_ids": []}
        if kind == "persons":
            row |= {"emails": [], "phones": []}
        if kind == "deals":
            row |= {"creator_user_id": self.me, "value": 0, "currency": "EUR"} | self.placed({})
            row |= {"status": "open", "is_archived": False, "origin": "API"}
        row |= values | {"custom_fields": values.get("custom_fields") or {}}
        self.derive(kind, row)
        self.rows[kind][row["id"]] = row
        return row

    def rewrite(self, kind: str, row: dict[str, Json], values: dict[str, Json]) -> None:
        """What is not named stays, of custom fields too."""
        custom = row["custom_fields"] | (values.get("custom_fields") or {})
        row |= values | {"custom_fields": custom, "update_time": self.now()}
        self.derive(kind, row)

    @staticmethod
    def derive(kind: str, row: dict[str, Json]) -> None:
        """first_name and last_name follow the name and cannot be written; an address has all its parts."""
        row |= {name: address(row[name]) for name in ("address", "postal_address") if row.get(name)}
        if kind == "persons":
            row["first_name"], _, last = row["name"].partition(" ")
            row["last_name"] = last or None


def texts(row: dict[str, Json], asked: list[str]) -> list[str]:
    """What a search term is looked for in."""
    named = [str(row[name]) for name in ("name", "title") if name in asked and row.get(name)]
    for member, plural in (("email", "emails"), ("phone", "phones")):
        if member in asked:
            named += [one["value"] for one in row.get(plural) or []]
    if "address" in asked and row.get("address"):
        named.append(row["address"]["value"])
    if "custom_fields" in asked:
        named += [str(value) for value in (row.get("custom_fields") or {}).values()]
    return [text.lower() for text in named]
