"""Persons, organizations and deals (v2): strict bodies, cursors, soft deletion, search.

https://developers.pipedrive.com/docs/api/v1/Persons and the siblings of it
"""

import re
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.pipedrive.company import done, not_found, schema_failed, v2
from tests.sandbox.vendors.pipedrive.fields import REFERENCES, REQUIRED, FieldError, address, described, read, shown
from tests.sandbox.vendors.pipedrive.pipelines import Pipelines

KINDS = '<any("persons", "organizations", "deals"):kind>'
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

FILTERS = ("owner_id", "org_id", "person_id", "pipeline_id", "stage_id", "status")


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
        """Persons and organizations share the scopes of contacts."""
        found = super().find(request)
        kind = request.args.get("kind", "")
        request.args["area"] = {"persons": "contacts", "organizations": "contacts"}.get(kind, kind)
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
        row = self.row(request)
        if row["is_deleted"] and self.settings["deleted_records"] == "gone":
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
        custom = row["custom_fields"] | (values.pop("custom_fields", None) or {})
        row |= values | {"custom_fields": custom, "update_time": self.now()}
        self.derive(kind, row)
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
        kind, query = request.args["kind"], request.query
        deleted = kind == "deals" and query.get("status") == "deleted"
        rows = [row for row in self.rows[kind].values() if row["is_deleted"] is deleted and not row.get("is_archived")]
        wanted = {name: query[name] for name in FILTERS if name in query and query[name] != "deleted"}
        rows = [row for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]
        if ids := request.many("ids"):
            rows = [row for row in rows if str(row["id"]) in ids]
        since, until = (self.seconds(request, name) for name in ("updated_since", "updated_until"))
        rows = [row for row in rows if (not since or row["update_time"] >= since)]
        rows = [row for row in rows if (not until or row["update_time"] < until)]
        rows = [self.shown(request, row) for row in rows]
        return self.sorted_page(request, rows, "id", "update_time", "add_time")

    @route(
        "GET", *v2(f"/{KINDS}/search", '/<any("leads"):kind>/search'), label="{kind}/search", scope="search:read"
    )  # fmt: skip
    def search(self, request: Request) -> Answer:
        """Items are wrapped and shaped otherwise than records."""
        kind, query = request.args["kind"], request.query
        term, exact = query.get("term", "").lower(), query.get("exact_match") == "true"
        if len(term) < (1 if exact else 2):
            raise schema_failed("term: must have at least 2 characters, or 1 with exact_match")
        asked = request.many("fields") or ["name", "title", "email", "phone", "custom_fields"]
        start = int(query.get("cursor") or 0)
        limit = self.limit(request)
        found = [
            row
            for row in self.rows[kind].values()
            if not row.get("is_deleted") and any(term == text if exact else term in text for text in texts(row, asked))
        ]
        if "organization_id" in query:
            organization = query["organization_id"]
            found = [row for row in found if str(row.get("org_id") or row.get("organization_id")) == organization]
        items = [{"result_score": 0.5, "item": self.item(kind, row)} for row in found[start : start + limit]]
        cursor = str(start + limit) if len(found) > start + limit else None
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

    @route(
        "GET", *v2('/<any("dealFields", "personFields", "organizationFields"):fields>'), label="{fields}", scope="base"
    )
    def list_fields(self, request: Request) -> Answer:
        kind = request.args["fields"].removesuffix("Fields") + "s"
        return done(described(kind), additional_data={"next_cursor": None})

    # Reading and writing.

    def seconds(self, request: Request, name: str) -> str | None:
        """RFC 3339 in whole seconds; fractions are refused."""
        text = request.query.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text.replace(" ", "+")):
            raise schema_failed(f"{name}: must be RFC 3339 in whole seconds")
        moment = datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def row(self, request: Request) -> dict[str, Json]:
        wanted = request.args["id"]
        if not wanted.isdigit() and self.settings["bad_id_status"] == 400:
            raise schema_failed("id: must be an integer")
        row = self.rows[request.args["kind"]].get(int(wanted)) if wanted.isdigit() else None
        if row is None:
            raise not_found("Entity was not found")
        return row

    def shown(self, request: Request, row: dict[str, Json]) -> dict[str, Json]:
        """Relations are ids alone; what the request asks for more is labels, and fields that cost a count."""
        kind, query = request.args["kind"], request.query
        asked, extra = request.many("custom_fields"), request.many("include_fields")
        if len(asked) > MOST_CUSTOM:
            raise schema_failed(f"custom_fields: must have at most {MOST_CUSTOM} keys")
        if strange := [name for name in extra if name not in INCLUDED[kind]]:
            raise schema_failed(f"include_fields: {strange[0]} is not allowed")
        for name in ("include_labels", "include_option_labels"):
            if query.get(name, "false") not in ("true", "false"):
                raise schema_failed(f"{name}: must be a boolean")
        named = query.get("include_option_labels") == "true"
        custom = shown(kind, row["custom_fields"], asked, labels=named) if self.settings["has_custom_fields"] else None
        more = {name: row.get(name, 0 if name.endswith("_count") else None) for name in extra}
        if query.get("include_labels") == "true":
            more["labels"] = [{"id": one, "label": f"Label {one}", "color": "blue"} for one in row["label_ids"]]
        return row | more | {"custom_fields": custom}

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
        row |= {name: address(row[name]) for name in ("address", "postal_address") if row.get(name)}
        self.derive(kind, row)
        self.rows[kind][row["id"]] = row
        return row

    @staticmethod
    def derive(kind: str, row: dict[str, Json]) -> None:
        """first_name and last_name follow the name and cannot be written."""
        if kind == "persons":
            row["first_name"], _, last = row["name"].partition(" ")
            row["last_name"] = last or None


def texts(row: dict[str, Json], asked: list[str]) -> list[str]:
    """What a search term is looked for in."""
    named = [str(row[name]) for name in ("name", "title") if name in asked and row.get(name)]
    for member, plural in (("email", "emails"), ("phone", "phones")):
        if member in asked:
            named += [one["value"] for one in row.get(plural) or []]
    if "custom_fields" in asked:
        named += [str(value) for value in (row.get("custom_fields") or {}).values()]
    return [text.lower() for text in named]
