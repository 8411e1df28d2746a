"""Leads, their labels and their fields (v1): UUIDs, offsets, custom fields of deals at the root.

https://developers.pipedrive.com/docs/api/v1/Leads
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.pipedrive.company import bad_request, done, not_found, v1, whole_seconds
from tests.sandbox.vendors.pipedrive.fields import CUSTOM, FieldError, described, read
from tests.sandbox.vendors.pipedrive.pages import MOST
from tests.sandbox.vendors.pipedrive.records import Records

SORTABLE = (
    "id",
    "title",
    "owner_id",
    "creator_id",
    "was_seen",
    "expected_close_date",
    "next_activity_id",
    "add_time",
    "update_time",
)
FILTERS = ("owner_id", "person_id", "organization_id")
ASKED = {False: {"start", "limit", "sort", "filter_id", "updated_since", *FILTERS}}
ASKED[True] = ASKED[False] - {"updated_since"}
"""What a list may be asked for; that of archived leads knows no change. How others are refused was not recorded."""

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LABELS = (("Hot", "red"), ("Cold", "blue"), ("Warm", "yellow"))


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Leads(Records):
    def clear(self) -> None:
        super().clear()
        now = stamp(self.clock())
        self.labels: dict[str, dict[str, Json]] = {}
        for name, color in LABELS:
            label_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
            self.labels[label_id] = {"id": label_id, "name": name, "color": color, "add_time": now, "update_time": now}

    @route("POST", *v1("/leads"), label="leads", scope="leads:full")
    def create_lead(self, request: Request) -> Answer:
        values = self.lead_values(self.body(request), "is_archived")
        if not values.get("title"):
            raise bad_request('"title" is required')
        if values.get("person_id") is None and values.get("organization_id") is None:
            raise bad_request("A lead must be linked to a person or an organization")
        return done(self.insert_lead(values), 201)

    @route("GET", *v1("/leads"), label="leads", scope="leads:read")
    def list_leads(self, request: Request) -> Answer:
        return self.leads_page(request, archived=False)

    @route("GET", *v1("/leads/archived"), label="leads/archived", scope="leads:read")
    def list_archived_leads(self, request: Request) -> Answer:
        return self.leads_page(request, archived=True)

    @route("GET", *v1("/leads/<id>"), label="leads/{{id}}", scope="leads:read")
    def get_lead(self, request: Request) -> Answer:
        return done(self.lead(request))

    @route("PATCH", *v1("/leads/<id>"), label="leads/{{id}}", scope="leads:full")
    def update_lead(self, request: Request) -> Answer:
        """Null unsets; the last link to a person or organization has to stay."""
        lead = self.lead(request)
        values = self.lead_values(self.body(request), "origin_id")
        if "title" in values and not values["title"]:
            raise bad_request('"title" is required')
        merged = lead | values
        if merged["person_id"] is None and merged["organization_id"] is None:
            raise bad_request("A lead must be linked to a person or an organization")
        lead |= values | {"update_time": stamp(self.clock())}
        if "is_archived" in values:
            lead["archive_time"] = lead["update_time"] if values["is_archived"] else None
        self.hide_unset(lead)
        return done(lead)

    @route("DELETE", *v1("/leads/<id>"), label="leads/{{id}}", scope="leads:full")
    def delete_lead(self, request: Request) -> Answer:
        """The specification of this path declares 404 for one that is gone; 410 is recorded for persons only."""
        lead = self.lead(request)
        del self.rows["leads"][lead["id"]]
        return done({"id": lead["id"]})

    @route("GET", *v1("/leadLabels"), label="leadLabels", scope="leads:read")
    def list_labels(self, request: Request) -> Answer:
        return done(list(self.labels.values()))

    @route("GET", *v1("/leadSources"), label="leadSources", scope="leads:read")
    def list_sources(self, request: Request) -> Answer:
        return done([{"name": name} for name in ("Manually created", "API", "Deal", "Import", "Web forms")])

    @route("GET", *v1("/leadFields"), label="leadFields", scope="leads:read")
    def list_lead_fields(self, request: Request) -> Answer:
        rows = [
            {
                "id": place,
                "key": row["field_code"],
                "name": row["field_name"],
                "order_nr": place,
                "field_type": row["field_type"],
                "active_flag": True,
                "edit_flag": row["is_custom_field"],
                "mandatory_flag": row["field_code"] == "title",
                "options": row["options"],
            }
            for place, row in enumerate(described("leads"), start=1)
        ]
        pagination = {"start": 0, "limit": MOST, "more_items_in_collection": False}
        return done(rows, additional_data={"pagination": pagination})

    def leads_page(self, request: Request, *, archived: bool) -> Answer:
        query = request.query
        if unknown := sorted(query.keys() - ASKED[archived] - {"api_token"}):
            raise bad_request(f'"{unknown[0]}" is not allowed')
        start, limit = query.get("start", "0"), query.get("limit", "100")
        if not start.isdigit() or not limit.isdigit() or not 1 <= int(limit) <= MOST:
            raise bad_request("start or limit is invalid")
        rows = [row for row in self.rows["leads"].values() if row["is_archived"] is archived]
        for name in FILTERS:
            if name in query:
                rows = [row for row in rows if str(row[name]) == query[name]]
        if since := self.seconds(request, "updated_since"):
            rows = [row for row in rows if row["update_time"] >= since.replace("Z", ".000Z")]
        for part in reversed(query.get("sort", "").split(",") if query.get("sort") else []):
            field, _, direction = part.strip().partition(" ")
            if field not in SORTABLE or direction.upper() not in ("", "ASC", "DESC"):
                raise bad_request(f"sort: {part} is not allowed")
            rows.sort(
                key=lambda row, name=field: (row[name] is not None, row[name]), reverse=direction.upper() == "DESC"
            )
        first, size = int(start), int(limit)
        more = first + size < len(rows)
        pagination = {"start": first, "limit": size, "more_items_in_collection": more}
        if more:
            pagination["next_start"] = first + size
        return done(rows[first : first + size], additional_data={"pagination": pagination})

    def lead(self, request: Request) -> dict[str, Json]:
        wanted = request.args["id"]
        if not re.fullmatch(UUID, wanted) and self.settings["bad_id_status"] == 400:
            raise bad_request('"id" must be a valid GUID')
        lead = self.rows["leads"].get(wanted)
        if lead is None:
            raise not_found("requested lead not found")
        return lead

    def lead_values(self, body: dict[str, Json], foreign: str) -> dict[str, Json]:
        """The values, none of which may be `foreign`: a lead is not made archived, and its origin does not change."""
        if foreign in body:
            raise bad_request(f'"{foreign}" is not allowed')
        try:
            values = read("leads", body)
        except FieldError as bad:
            raise bad_request(str(bad)) from bad
        unknown = [label for label in values.get("label_ids") or [] if label not in self.labels]
        if unknown:
            raise bad_request(f"label_ids: {unknown[0]} was not found")
        if dangling := self.dangling(values):
            raise bad_request(dangling)
        return values

    def insert_lead(self, values: dict[str, Json]) -> dict[str, Json]:
        now = stamp(self.clock())
        lead_id = str(uuid.uuid4())
        lead: dict[str, Json] = {
            "id": lead_id,
            "title": None,
            "owner_id": self.me,
            "creator_id": self.me,
            "label_ids": [],
            "value": None,
            "expected_close_date": None,
            "person_id": None,
            "organization_id": None,
            "is_archived": False,
            "archive_time": None,
            "source_name": "API",
            "source_deal_id": None,
            "origin": "API",
            "origin_id": None,
            "channel": None,
            "channel_id": None,
            "was_seen": False,
            "next_activity_id": None,
            "add_time": now,
            "update_time": now,
            "visible_to": "3",
            "cc_email": f"sandbox+{lead_id}@pipedrivemail.com",
        } | values
        self.hide_unset(lead)
        self.rows["leads"][lead_id] = lead
        return lead

    @staticmethod
    def hide_unset(lead: dict[str, Json]) -> None:
        """A custom field without a value does not appear on a lead."""
        for field in CUSTOM["leads"]:
            if lead.get(field.key) is None:
                lead.pop(field.key, None)
                lead.pop(f"{field.key}_currency", None)

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """What a body may not hold can be planted: a person's job_title, an organization's website.

        `add_time` and `update_time` (ISO 8601) are kept, in the precision of the vendor; without an update_time a
        record was not touched since its add_time.
        """
        if noun == "users":
            number = max(self.users) + 1
            self.users[number] = self.users[self.me] | {"is_you": False} | fields | {"id": number}
            return number
        if noun not in self.rows:
            raise LookupError(f"Pipedrive has no {noun} here: {', '.join([*self.rows, 'users'])}")
        values = planted(noun, fields)
        return (self.insert_lead(values) if noun == "leads" else self.insert(noun, values))["id"]

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """Custom fields that are not named stay; of users `modified` moves, of all others `update_time`."""
        row = self.there(noun, id)
        if noun in ("persons", "organizations", "deals"):
            self.rewrite(noun, row, fields)
        elif noun == "leads":
            row |= fields | {"update_time": stamp(self.clock())}
            self.hide_unset(row)
        elif noun == "users":
            row |= fields | {"modified": self.now().replace("T", " ").removesuffix("Z")}
        else:
            row |= fields | {"update_time": self.now()}

    def erase(self, noun: str, id: str) -> None:
        """Soft, as by the API; a lead is gone at once, a user is deactivated."""
        row = self.there(noun, id)
        if noun == "leads":
            del self.rows["leads"][id]
        elif noun == "users":
            self.alter(noun, id, {"active_flag": False})
        else:
            row |= {"is_deleted": True, "update_time": self.now()}

    def there(self, noun: str, id: str) -> dict[str, Json]:
        """What can still be changed."""
        every: dict[str, dict[Any, dict[str, Json]]] = {"users": self.users} | self.flows | self.rows
        if noun not in every:
            raise LookupError(f"Pipedrive has no {noun} here: {', '.join(every)}")
        row = every[noun].get(int(id) if id.isdigit() else id)
        if row is None or row.get("is_deleted"):
            raise LookupError(f"Pipedrive has no {noun} {id}")
        return row

    def stored(self, noun: str) -> list[Json]:
        if noun == "users":
            return list(self.users.values())
        if noun in self.flows:
            return list(self.flows[noun].values())
        if noun not in self.rows:
            raise LookupError(f"Pipedrive has no {noun} here")
        return list(self.rows[noun].values())


def planted(noun: str, fields: dict[str, Json]) -> dict[str, Json]:
    """With moments as the vendor writes them."""
    given = {name: datetime.fromisoformat(fields[name]) for name in ("add_time", "update_time") if fields.get(name)}
    if "add_time" in given:
        given.setdefault("update_time", given["add_time"])
    write = (lambda moment: stamp(moment.timestamp())) if noun == "leads" else whole_seconds
    return fields | {name: write(moment) for name, moment in given.items()}
