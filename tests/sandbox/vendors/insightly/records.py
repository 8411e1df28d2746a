"""Leads, contacts, organisations and opportunities: one set of verbs, tags, and the pipeline of leads and deals.

https://api.insightly.com/v3.1/Help#!/Leads and its siblings
"""

from datetime import UTC, datetime
from functools import partial
from typing import cast

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.insightly.fields import KINDS, FieldError, Reader, custom_value
from tests.sandbox.vendors.insightly.instance import BASE, plain
from tests.sandbox.vendors.insightly.links import Links
from tests.sandbox.vendors.insightly.lookups import IDS

RECORDS = '<any("Leads", "Contacts", "Organisations", "Opportunities"):kind>'
READABLE = '<any("Leads", "Contacts", "Organisations", "Opportunities", "Users"):kind>'
COUNTRY = "United States"
STAGED = '<any("Leads", "Opportunities"):kind>'


class Records(Links):
    @route("POST", f"{BASE}/{RECORDS}", label="{kind}", scope="{kind}:create")
    def create(self, request: Request) -> Answer:
        """An id in the body is ignored, as recorded in v2.1."""
        noun = request.args["kind"]
        self.must_reach(noun)
        values = self.values(noun, self.body(request))
        values.pop(IDS[noun], None)
        if not values.get(KINDS[noun].required):
            raise self.invalid(f"Data validation error. {KINDS[noun].required} is required.")
        if sum(len(self.tables[kind]) for kind in KINDS) >= self.settings["record_limit"]:
            raise self.refused(402, "Record limit reached.")
        unset = {name for name, value in values.items() if value is None}
        row = self.insert(noun, {name: value for name, value in values.items() if name not in unset})
        return Answer(self.settings["created_status"], self.shown(noun, row))

    @route("GET", f"{BASE}/{READABLE}", label="{kind}", scope="{kind}:read")
    def list_records(self, request: Request) -> Answer:
        """Knows no filter: `updated_after_utc` has a meaning for Search only, here it is ignored."""
        noun = request.args["kind"]
        self.must_reach(noun)
        return self.listed(request, self.open_rows(noun))

    @route("GET", f"{BASE}/{READABLE}/Search", label="{kind}/search", scope="{kind}:read")
    def search(self, request: Request) -> Answer:
        """One field that equals a value, and a time; either may be left out. Whether case matters is not documented."""
        noun, query = request.args["kind"], request.query
        self.must_reach(noun)
        name, value = query.get("field_name"), query.get("field_value")
        if (name is None) != (value is None):
            raise self.invalid("field_name and field_value belong together.")
        rows = self.changed_since(request, self.open_rows(noun))
        if name is not None:
            searchable = {IDS[noun], *(KINDS[noun].fields if noun in KINDS else next(iter(self.tables[noun].values())))}
            if name not in searchable:
                raise self.invalid(f"field_name {name} is not valid.")
            rows = [row for row in rows if row[name] is not None and written(row[name]) == value]
        return self.listed(request, rows)

    @route("GET", f"{BASE}/{RECORDS}/SearchByTag", label="{kind}/searchByTag", scope="{kind}:read")
    def search_by_tag(self, request: Request) -> Answer:
        noun = request.args["kind"]
        self.must_reach(noun)
        tag = request.query.get("tagName")
        if not tag:
            raise self.invalid("tagName is required.")
        return self.listed(request, [row for row in self.open_rows(noun) if {"TAG_NAME": tag} in row["TAGS"]])

    def listed(self, request: Request, rows: list[dict[str, Json]]) -> Answer:
        return self.page(request, rows, partial(self.shown, request.args["kind"]))

    def open_rows(self, noun: str) -> list[dict[str, Json]]:
        """A list leaves out what the user may not see."""
        closed = self.settings["closed_records"]
        return [row for number, row in self.tables[noun].items() if number not in closed]

    @route("GET", f"{BASE}/{READABLE}/<id>", label="{kind}/{{id}}", scope="{kind}:read")
    def get(self, request: Request) -> Answer:
        return Answer(200, self.shown(request.args["kind"], self.row(request)))

    @route("PUT", f"{BASE}/{RECORDS}/<id>", label="{kind}/{{id}}", scope="{kind}:edit")
    def update(self, request: Request) -> Answer:
        """The form that a live client uses: the id in the path and in the body. 200."""
        noun, row, body = request.args["kind"], self.row(request), self.body(request)
        if str(body.get(IDS[noun])) != request.args["id"]:
            raise self.invalid(f"Data validation error. {IDS[noun]} must be the id of the path.")
        return Answer(200, self.change(noun, row, body))

    @route("PUT", f"{BASE}/{RECORDS}", label="{kind}", scope="{kind}:edit")
    def update_by_body(self, request: Request) -> Answer:
        """The form of the vendor's document: the id in the body alone. 201."""
        noun, body = request.args["kind"], self.body(request)
        self.must_reach(noun)
        number = str(body.get(IDS[noun]))
        if not number.isdigit():
            raise self.invalid(f"Data validation error. {IDS[noun]} is required.")
        return Answer(201, self.change(noun, self.named(noun, int(number)), body))

    @route("DELETE", f"{BASE}/{RECORDS}/<id>", label="{kind}/{{id}}", scope="{kind}:delete")
    def delete(self, request: Request) -> Answer:
        noun, row = request.args["kind"], self.row(request)
        if self.settings["deletes_fail"]:
            raise self.refused(417, "Delete failed.")
        self.remove(noun, row[IDS[noun]])
        return Answer(202)

    # Tags, which a create cannot set.

    @route("GET", f"{BASE}/{RECORDS}/<id>/Tags", label="{kind}/{{id}}/tags", scope="{kind}:read")
    def list_tags(self, request: Request) -> Answer:
        """201, says the vendor's document, although nothing is created."""
        return Answer(201, self.row(request)["TAGS"])

    @route("POST", f"{BASE}/{RECORDS}/<id>/Tags", label="{kind}/{{id}}/tags", scope="{kind}:edit")
    def add_tag(self, request: Request) -> Answer:
        row, tag = self.row(request), self.tag(request)
        self.touch(row, TAGS=[one for one in row["TAGS"] if one != tag] + [tag])
        return Answer(201, tag)

    @route("PUT", f"{BASE}/{RECORDS}/<id>/Tags", label="{kind}/{{id}}/tags", scope="{kind}:edit")
    def replace_tags(self, request: Request) -> Answer:
        row = self.row(request)
        self.touch(row, TAGS=[self.tag(request)])
        return Answer(201, row["TAGS"])

    @route("DELETE", f"{BASE}/{RECORDS}/<id>/Tags", label="{kind}/{{id}}/tags", scope="{kind}:edit")
    def remove_tag(self, request: Request) -> Answer:
        row, tag = self.row(request), self.tag(request)
        if tag not in row["TAGS"]:
            raise self.refused(417, "Delete failed.")
        self.touch(row, TAGS=[one for one in row["TAGS"] if one != tag])
        return Answer(202)

    def tag(self, request: Request) -> dict[str, Json]:
        body = self.body(request)
        name = body.get("TAG_NAME")
        if set(body) != {"TAG_NAME"} or not isinstance(name, str) or not 1 <= len(name) <= 255:
            raise self.invalid("Data validation error. TAG_NAME is required.")
        return {"TAG_NAME": name}

    # The pipeline of a lead or an opportunity: a call of its own after the creation.

    @route("PUT", f"{BASE}/{STAGED}/<id>/Pipeline", label="{kind}/{{id}}/pipeline", scope="{kind}:edit")
    def set_pipeline(self, request: Request) -> Answer:
        row, body = self.row(request), self.body(request)
        pipeline, change = body.get("PIPELINE_ID"), body.get("PIPELINE_STAGE_CHANGE") or {}
        if not isinstance(pipeline, int) or not isinstance(change, dict):
            raise self.invalid("Data validation error. PIPELINE_ID is required.")
        self.named("pipelines", pipeline)
        stage = self.stage(pipeline, cast("dict[str, Json]", change).get("STAGE_ID"))
        self.touch(row, PIPELINE_ID=pipeline, STAGE_ID=stage)
        return Answer(200, [{"PIPELINE_ID": pipeline, "PIPELINE_STAGE_CHANGE": {"STAGE_ID": stage}}])

    @route("PUT", f"{BASE}/{STAGED}/<id>/PipelineStage", label="{kind}/{{id}}/pipelineStage", scope="{kind}:edit")
    def set_stage(self, request: Request) -> Answer:
        row, body = self.row(request), self.body(request)
        if row["PIPELINE_ID"] is None:
            raise self.invalid("Data validation error. The record has no pipeline.")
        stage = self.stage(row["PIPELINE_ID"], body.get("STAGE_ID"))
        self.touch(row, STAGE_ID=stage)
        return Answer(200, [{"STAGE_ID": stage}])

    @route("DELETE", f"{BASE}/{STAGED}/<id>/Pipeline", label="{kind}/{{id}}/pipeline", scope="{kind}:edit")
    def unset_pipeline(self, request: Request) -> Answer:
        self.touch(self.row(request), PIPELINE_ID=None, STAGE_ID=None)
        return Answer(202)

    def stage(self, pipeline: int, wanted: Json) -> int:
        """A stage of that pipeline; one of another is as good as none."""
        if not isinstance(wanted, int) or isinstance(wanted, bool):
            raise self.invalid("Data validation error. STAGE_ID is required.")
        if self.named("pipelineStages", wanted)["PIPELINE_ID"] != pipeline:
            raise RefusalError(plain(404, f"No Pipeline Stage with ID = {wanted}"))
        return wanted

    # Reading and writing.

    def values(self, noun: str, body: dict[str, Json]) -> dict[str, Json]:
        kind = KINDS[noun]
        readers: dict[str, Reader] = {**kind.fields, kind.id: lambda value: value}
        values = self.fitting({name: value for name, value in body.items() if name != "CUSTOMFIELDS"}, readers.get)
        for name, target in kind.references.items():
            if values.get(name) is not None and values[name] not in self.tables[target]:
                raise self.invalid(f"Data validation error. {name} {values[name]} does not exist.")
        if values.get("LEAD_STATUS_ID") == self.converted:
            raise self.invalid("Data validation error. LEAD_STATUS_ID is set by a conversion only.")
        if "CUSTOMFIELDS" in body:
            values["CUSTOMFIELDS"] = self.custom_values(noun, body)
        return values

    def custom_values(self, noun: str, body: dict[str, Json]) -> list[dict[str, Json]]:
        own = {row["FIELD_NAME"]: row for row in self.custom_fields_of(noun)}
        read: list[dict[str, Json]] = []
        for entry in self.objects(body, "CUSTOMFIELDS"):
            name = entry.get("FIELD_NAME")
            if set(entry) != {"FIELD_NAME", "FIELD_VALUE"} or name not in own:
                raise self.invalid(f"Data validation error. Custom field {name} is unknown.")
            try:
                value = custom_value(own[name], entry["FIELD_VALUE"])
            except FieldError as bad:
                raise self.invalid(f"Data validation error. {name} {bad}.") from bad
            read.append({"FIELD_NAME": name, "FIELD_VALUE": value, "CUSTOM_FIELD_ID": name})
        return read

    def change(self, noun: str, row: dict[str, Json], body: dict[str, Json]) -> dict[str, Json]:
        """Only what is sent changes, and null clears, unless the member has to have a value."""
        kind, values = KINDS[noun], self.values(noun, body)
        values.pop(kind.id)
        if kind.required in values and not values[kind.required]:
            raise self.invalid(f"Data validation error. {kind.required} is required.")
        for name, value in values.items():
            if value is None and name in kind.kept:
                raise self.invalid(f"Data validation error. {name} is required.")
        if "CUSTOMFIELDS" in values:
            kept = [] if self.settings["custom_fields_replaced"] else row["CUSTOMFIELDS"]
            values["CUSTOMFIELDS"] = merged(kept, values["CUSTOMFIELDS"])
        self.touch(row, **{name: kind.unset.get(name) if value is None else value for name, value in values.items()})
        self.value(row)
        return self.shown(noun, row)

    def touch(self, row: dict[str, Json], **values: Json) -> None:
        row |= {"DATE_UPDATED_UTC": self.now()} | values

    def remove(self, noun: str, number: int) -> None:
        """Nothing tells of it: the record is in no list any more, and 404."""
        del self.tables[noun][number]
        self.unlink(noun, number)

    def insert(self, noun: str, values: dict[str, Json]) -> dict[str, Json]:
        kind, number, now = KINDS[noun], next(self.numbers[noun]), self.now()
        row: dict[str, Json] = {kind.id: number} | dict.fromkeys(kind.fields) | dict(kind.unset) | dict(kind.more)
        row |= {"TAGS": [], "LINKS": [], "OWNER_USER_ID": self.me, "CREATED_USER_ID": self.me}
        row |= {"DATE_CREATED_UTC": now, "DATE_UPDATED_UTC": now}
        if noun == "leads":
            row |= {"RESPONSIBLE_USER_ID": self.me, "ADDRESS_COUNTRY": COUNTRY, "PIPELINE_ID": None, "STAGE_ID": None}
            row |= {"LEAD_SOURCE_ID": self.default("leadSources"), "LEAD_STATUS_ID": self.default("leadStatuses")}
        if noun == "opportunities":
            row["RESPONSIBLE_USER_ID"] = self.me
        if noun in ("leads", "opportunities"):
            row["LINKED_EMAIL_ADDRESS"] = f"sandbox-{noun[0].upper()}{number}-SANDBOX@mailbox.insight.ly"
        row |= values | {"CUSTOMFIELDS": filled(values.get("CUSTOMFIELDS", []))}
        self.value(row)
        self.tables[noun][number] = row
        return row

    def value(self, row: dict[str, Json]) -> None:
        """What an opportunity is worth: its bid, as many times as it lasts."""
        if "OPPORTUNITY_ID" in row:
            row["OPPORTUNITY_VALUE"] = (row["BID_AMOUNT"] or 0) * (row["BID_DURATION"] or 1)

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Members by their names, also those that are read only.

        `DATE_CREATED_UTC` and `DATE_UPDATED_UTC` are taken as given, with or without a zone; who gives only the first
        has a record that nobody touched since.
        """
        fields = planted(fields)
        match noun:
            case "leads" | "contacts" | "organisations" | "opportunities":
                return self.plant_record(noun, dict(fields))
            case "links":
                return self.insert_link(fields)
            case "users":
                return self.insert_user(fields)
            case "leadSources" | "leadStatuses":
                return self.insert_entry(noun, dict(fields))
            case "pipelines" | "pipelineStages":
                return self.insert_flow(noun, dict(fields))
            case "customFields":
                return self.insert_custom_field(fields)
            case _:
                raise LookupError(f"Insightly has no {noun} here: {', '.join([*self.tables, 'customFields', 'links'])}")

    def plant_record(self, noun: str, fields: dict[str, Json]) -> int:
        """LINKS are made as if by calls of their own; an opportunity stands in the first stage there is."""
        links = fields.pop("LINKS", [])
        if noun == "opportunities":
            stage = next(iter(self.tables["pipelineStages"].values()))
            fields = {"PIPELINE_ID": stage["PIPELINE_ID"], "STAGE_ID": stage["STAGE_ID"]} | fields
        number: int = self.insert(noun, fields)[IDS[noun]]
        for link in links:
            self.insert_link({"OBJECT_NAME": KINDS[noun].one, "OBJECT_ID": number} | link)
        return number

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """A custom field changes alone, and null unsets it."""
        row = self.there(noun, id)
        values = dict(fields)
        if unknown := values.keys() - (row.keys() - {IDS[noun], "LINKS"}):
            raise LookupError(f"{noun} have nothing to change as {', '.join(sorted(unknown))}")
        if "CUSTOMFIELDS" in values:
            values["CUSTOMFIELDS"] = merged(row["CUSTOMFIELDS"], values["CUSTOMFIELDS"])
        self.touch(row, **moments(values))
        self.value(row)

    def erase(self, noun: str, id: str) -> None:
        """A user is made inactive, never deleted."""
        row = self.there(noun, id)
        if noun == "users":
            raise ValueError("a user cannot be deleted: unset ACTIVE")
        self.remove(noun, row[IDS[noun]])

    def there(self, noun: str, record_id: str) -> dict[str, Json]:
        rows = self.tables[noun] if noun in KINDS or noun == "users" else {}
        row = rows.get(int(record_id)) if record_id.isdigit() else None
        if row is None:
            raise LookupError(f"Insightly has no {noun} {record_id} here")
        return row

    def stored(self, noun: str) -> list[Json]:
        if noun == "customFields":
            return list(self.custom)
        if noun not in self.tables:
            raise LookupError(f"Insightly has no {noun} here")
        return list(self.tables[noun].values())


def written(value: Json) -> str:
    """A value as a query parameter writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def planted(fields: dict[str, Json]) -> dict[str, Json]:
    """What was made and never touched was changed last when it was made."""
    made = fields.get("DATE_CREATED_UTC")
    return moments(fields if made is None else {"DATE_UPDATED_UTC": made} | fields)


def moments(fields: dict[str, Json]) -> dict[str, Json]:
    """A moment of any zone as Insightly writes it: UTC without a mark."""
    given = {name: fields[name] for name in ("DATE_CREATED_UTC", "DATE_UPDATED_UTC") if name in fields}
    return fields | {name: utc(value) for name, value in given.items()}


def utc(text: str) -> str:
    at = datetime.fromisoformat(text)
    return (at.astimezone(UTC) if at.tzinfo else at).strftime("%Y-%m-%d %H:%M:%S")


def merged(kept: list[dict[str, Json]], changed: list[dict[str, Json]]) -> list[dict[str, Json]]:
    return filled(list({one["FIELD_NAME"]: one for one in [*kept, *changed]}.values()))


def filled(entries: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Custom fields that have a value; the others do not appear."""
    whole = ({"CUSTOM_FIELD_ID": entry["FIELD_NAME"]} | entry for entry in entries)
    return [entry for entry in whole if entry["FIELD_VALUE"] is not None]
