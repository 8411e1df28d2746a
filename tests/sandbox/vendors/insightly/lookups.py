"""What leads refer to: sources, statuses, custom fields, pipelines and stages; and how any list is read in pages.

https://api.insightly.com/v3.1/Help#!/LeadSources and its siblings
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.insightly.fields import (
    BRIEFLY_ABSENT,
    COUNT,
    CUSTOM,
    ID,
    KINDS,
    FieldError,
    Reader,
    custom_field,
    flag,
    text,
)
from tests.sandbox.vendors.insightly.instance import BASE, Instance, plain

MOST, USUAL = 500, 100
OPEN, CLOSED = 0, 1
SOURCES = ("Web", "Phone Enquiry", "Partner Referral", "Purchased List", "Other")
STATUSES = (("Open - Not Contacted", OPEN), ("Open - Attempted Contact", OPEN), ("Closed - Disqualified", CLOSED))
STAGES = ("Qualify", "Needs Analysis", "Proposal", "Negotiation")
IDS = {noun: kind.id for noun, kind in KINDS.items()} | {"users": "USER_ID", "leadSources": "LEAD_SOURCE_ID"} | {
    "leadStatuses": "LEAD_STATUS_ID", "pipelines": "PIPELINE_ID", "pipelineStages": "STAGE_ID",
}  # fmt: skip
ONE = {noun: kind.one for noun, kind in KINDS.items()} | {
    "users": "User", "leadSources": "Lead Source", "leadStatuses": "Lead Status",
    "pipelines": "Pipeline", "pipelineStages": "Pipeline Stage",
}  # fmt: skip
LISTS: dict[str, tuple[str, str, dict[str, Reader]]] = {
    "leadSources": (
        "LEAD_SOURCE",
        "DEFAULT_VALUE",
        {"LEAD_SOURCE_ID": ID, "LEAD_SOURCE": text(), "DEFAULT_VALUE": flag, "FIELD_ORDER": COUNT},
    ),
    "leadStatuses": (
        "LEAD_STATUS",
        "DEFAULT_STATUS",
        {"LEAD_STATUS_ID": ID, "LEAD_STATUS": text(), "DEFAULT_STATUS": flag, "FIELD_ORDER": COUNT}
        | {"STATUS_TYPE": COUNT},
    ),
}
"""Of the two lists that an administrator may change: the member of the name, of the default, and all members."""

type Show = Callable[[dict[str, Json]], dict[str, Json]]

LOOKUPS = '<any("LeadSources", "LeadStatuses"):kind>'
FLOWS = '<any("Pipelines", "PipelineStages"):kind>'


class Lookups(Instance):
    def clear(self) -> None:
        super().clear()
        self.custom = [dict(row) for row in CUSTOM]
        for name in SOURCES:
            self.insert_entry("leadSources", {"LEAD_SOURCE": name, "DEFAULT_VALUE": name == SOURCES[0]})
        for name, kind in STATUSES:
            default = name == STATUSES[0][0]
            self.insert_entry("leadStatuses", {"LEAD_STATUS": name, "DEFAULT_STATUS": default, "STATUS_TYPE": kind})
        # What a conversion sets; nobody can set it, and it is listed on demand.
        self.converted = self.insert_entry("leadStatuses", {"LEAD_STATUS": "Converted", "STATUS_TYPE": CLOSED})
        pipeline = self.insert_flow("pipelines", {"PIPELINE_NAME": "Sales Pipeline"})
        for name in STAGES:
            self.insert_flow("pipelineStages", {"STAGE_NAME": name, "PIPELINE_ID": pipeline})

    # Lists and records.

    def page(self, request: Request, rows: list[dict[str, Json]], show: Show = lambda row: row) -> Answer:
        """A bare array from `skip` on; the end is one that is not full. The total goes into a header.

        `skip` counts what is there at the moment of the call: what goes or moves in between shifts the rest.
        """
        query = request.query
        skip, top = query.get("skip", "0"), query.get("top", str(USUAL))
        if not skip.isdigit() or not top.isdigit() or not 1 <= int(top) <= MOST:
            raise self.invalid(f"skip or top is invalid; top can be at most {MOST}.")
        brief, total = self.truth(request, "brief"), self.truth(request, "count_total")
        if self.settings["latest_change_last"] and all("DATE_UPDATED_UTC" in row for row in rows):
            rows = sorted(rows, key=lambda row: row["DATE_UPDATED_UTC"])
        ordered = rows[::-1] if self.settings["newest_first"] else rows
        shown = [show(row) for row in ordered[int(skip) : int(skip) + int(top)]]
        if brief:
            shown = [{name: value for name, value in row.items() if name not in BRIEFLY_ABSENT} for row in shown]
        return Answer(200, shown, {"X-Total-Count": str(len(rows))} if total else {})

    def truth(self, request: Request, name: str) -> bool:
        value = request.query.get(name, "false").lower()
        if value not in ("true", "false"):
            raise self.invalid(f"{name} must be true or false.")
        return value == "true"

    def changed_since(self, request: Request, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """`updated_after_utc`, ISO 8601 with a Z; after means after, not at."""
        since = request.query.get("updated_after_utc")
        if since is None:
            return rows
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", since):
            raise self.invalid("updated_after_utc must be a UTC time as YYYY-MM-DDTHH:MM:SSZ.")
        try:
            after = str(datetime.fromisoformat(since).astimezone(UTC).replace(tzinfo=None))
        except ValueError as odd:
            raise self.invalid("updated_after_utc is no time.") from odd
        return [row for row in rows if row["DATE_UPDATED_UTC"] > after]

    def row(self, request: Request) -> dict[str, Json]:
        noun, wanted = request.args["kind"], request.args["id"]
        self.must_reach(noun)
        if not wanted.isdigit():
            raise self.invalid(f"The id {wanted!r} is not valid.")
        return self.named(noun, int(wanted))

    def named(self, noun: str, number: int) -> dict[str, Json]:
        row = self.tables[noun].get(number)
        if row is None:
            raise RefusalError(plain(404, f"No {ONE[noun]} with ID = {number}"))
        if number in self.settings["closed_records"]:
            raise self.refused(403, "API User does not have access to Record.")
        return row

    # Lead sources and statuses.

    @route("GET", f"{BASE}/{LOOKUPS}", label="{kind}")
    def list_entries(self, request: Request) -> Answer:
        self.must_manage_leads()
        rows = list(self.tables[request.args["kind"]].values())
        if not self.truth(request, "include_converted"):
            rows = [row for row in rows if row is not self.tables["leadStatuses"].get(self.converted)]
        return self.page(request, sorted(rows, key=lambda row: row["FIELD_ORDER"]))

    @route("POST", f"{BASE}/{LOOKUPS}", label="{kind}")
    def create_entry(self, request: Request) -> Answer:
        """For administrators only."""
        noun = request.args["kind"]
        values = self.entry_values(request)
        number = self.insert_entry(noun, {name: value for name, value in values.items() if name != IDS[noun]})
        return Answer(201, self.tables[noun][number])

    @route("PUT", f"{BASE}/{LOOKUPS}", label="{kind}")
    def update_entry(self, request: Request) -> Answer:
        noun = request.args["kind"]
        values = self.entry_values(request)
        row = self.named(noun, values.get(IDS[noun], 0))
        self.only_default(noun, values)
        row |= values
        return Answer(200, row)

    @route("DELETE", f"{BASE}/{LOOKUPS}", label="{kind}")
    def delete_entry(self, request: Request) -> Answer:
        """The id is a query parameter. One that leads use, or the last of its type, stays."""
        noun, wanted = request.args["kind"], request.query.get("id", "")
        self.must_manage_leads()
        self.must_administrate(f"{ONE[noun]}s")
        if not wanted.isdigit():
            raise self.invalid("id is missing or not valid.")
        row = self.named(noun, int(wanted))
        converted = self.tables["leadStatuses"][self.converted]
        peers = [one for one in self.tables[noun].values() if one is not converted]
        same = [one for one in peers if one.get("STATUS_TYPE") == row.get("STATUS_TYPE")]
        used = any(lead[IDS[noun]] == row[IDS[noun]] for lead in self.tables["leads"].values())
        if used or len(same) == 1 or row is converted:
            raise self.refused(409, f"{ONE[noun]} cannot be deleted because it's in use.")
        del self.tables[noun][int(wanted)]
        return Answer(202)

    def must_manage_leads(self) -> None:
        if not self.settings["lead_management"]:
            raise self.refused(403, "Lead Management disabled.")

    def entry_values(self, request: Request) -> dict[str, Json]:
        noun = request.args["kind"]
        name, _, readers = LISTS[noun]
        self.must_manage_leads()
        self.must_administrate(f"{ONE[noun]}s")
        values = self.fitting(self.body(request), readers.get)
        if not values.get(name):
            raise self.invalid(f"Data validation error. {name} is required.")
        if values.get("STATUS_TYPE", OPEN) not in (OPEN, CLOSED):
            raise self.invalid("Data validation error. STATUS_TYPE is unknown.")
        return {member: value for member, value in values.items() if value is not None}

    def fitting(self, body: dict[str, Json], reader_of: Callable[[str], Reader | None]) -> dict[str, Json]:
        """The members of a body, each as its reader returns it; null stays null."""
        values: dict[str, Json] = {}
        for name, value in body.items():
            reader = reader_of(name)
            if reader is None:
                raise self.invalid(f"Data validation error. {name} is unknown.")
            try:
                values[name] = None if value is None else reader(value)
            except FieldError as bad:
                raise self.invalid(f"Data validation error. {name} {bad}.") from bad
        return values

    def only_default(self, noun: str, values: dict[str, Json]) -> None:
        """There is one default at a time."""
        default = LISTS[noun][1]
        for row in self.tables[noun].values() if values.get(default) else ():
            row[default] = False

    def default(self, noun: str) -> int:
        rows = self.tables[noun].values()
        chosen = next((row for row in rows if row[LISTS[noun][1]]), None) or next(iter(rows))
        return chosen[IDS[noun]]

    def insert_entry(self, noun: str, values: dict[str, Json]) -> int:
        name, default, _ = LISTS[noun]
        self.only_default(noun, values)
        number = next(self.numbers[noun])
        row: dict[str, Json] = {IDS[noun]: number, name: None, default: False, "FIELD_ORDER": len(self.tables[noun])}
        if noun == "leadStatuses":
            row["STATUS_TYPE"] = OPEN
        self.tables[noun][number] = row | values
        return number

    # Pipelines and stages: to be read, and nothing else. Neither list can be filtered.

    @route("GET", f"{BASE}/{FLOWS}", label="{kind}")
    def list_flows(self, request: Request) -> Answer:
        self.must_reach(request.args["kind"])
        return self.page(request, list(self.tables[request.args["kind"]].values()))

    @route("GET", f"{BASE}/{FLOWS}/<id>", label="{kind}/{{id}}")
    def get_flow(self, request: Request) -> Answer:
        return Answer(200, self.row(request))

    def insert_flow(self, noun: str, values: dict[str, Json]) -> int:
        number = next(self.numbers[noun])
        row: dict[str, Json] = {IDS[noun]: number}
        if noun == "pipelines":
            row |= {"PIPELINE_NAME": None, "FOR_OPPORTUNITIES": True, "FOR_PROJECTS": False}
        else:
            siblings = [one for one in self.tables[noun].values() if one["PIPELINE_ID"] == values.get("PIPELINE_ID")]
            row |= {"PIPELINE_ID": None, "STAGE_NAME": None, "STAGE_ORDER": len(siblings) + 1, "ACTIVITYSET_ID": None}
        self.tables[noun][number] = row | {"OWNER_USER_ID": self.me} | values
        return number

    # Custom fields.

    @route("GET", f"{BASE}/CustomFields/<object>", label="customFields/{{object}}")
    def list_custom_fields(self, request: Request) -> Answer:
        """Of an object that has none, the fields of all objects come."""
        own = self.custom_fields_of(self.noun(request.args["object"]))
        return Answer(200, own or self.custom)

    @route("GET", f"{BASE}/CustomFields/<object>/Search", label="customFields/{{object}}/search")
    def find_custom_field(self, request: Request) -> Answer:
        wanted = request.query.get("fieldName")
        own = self.custom_fields_of(self.noun(request.args["object"]))
        found = next((row for row in own if row["FIELD_NAME"] == wanted), None)
        if found is None:
            raise RefusalError(plain(404, f"No Custom Field with name = {wanted}"))
        return Answer(200, found)

    def custom_fields_of(self, noun: str) -> list[dict[str, Json]]:
        owner = KINDS[noun].one.upper() if noun in KINDS else None
        return [row for row in self.custom if row["FIELD_FOR"] == owner]

    def insert_custom_field(self, fields: dict[str, Json]) -> str:
        row = custom_field("LEAD", fields["FIELD_NAME"]) | fields
        self.custom.append(row)
        return row["FIELD_NAME"]
