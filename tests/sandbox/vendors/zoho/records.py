"""Records: written up to 100 at a time, each with a result of its own; deleted ones lie in the recycle bin.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
https://www.zoho.com/crm/developer/docs/api/v8/update-records.html
https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
https://www.zoho.com/crm/developer/docs/api/v8/delete-records.html
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.zoho.fields import FIELDS, MOMENT, Field, RejectedError, read
from tests.sandbox.vendors.zoho.org import BASE, stamp
from tests.sandbox.vendors.zoho.pipelines import Pipelines
from tests.sandbox.vendors.zoho.refusals import (
    Fault,
    at,
    bad_id,
    bad_parameter,
    combined,
    fault,
    mandatory,
    outcome,
    refused,
    success,
)

KINDS = f'{BASE}/<any("Leads", "Contacts", "Accounts", "Deals"):kind>'
MOST = 100
CHECKED = {"leads": ["Email"], "contacts": ["Email"], "accounts": ["Account_Name"], "deals": ["Deal_Name"]}
"""What an upsert compares when it does not say."""

OWNERS = ("users", "ownerlookup")

type Row = dict[str, Json]


class Records(Pipelines):
    def clear(self) -> None:
        super().clear()
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in CHECKED}
        self.bin: dict[str, dict[str, float]] = {kind: {} for kind in CHECKED}
        self.made_at: dict[str, float] = {}

    @route("POST", KINDS, label="{kind}", scope="ZohoCRM.modules.{kind}.CREATE")
    def create_records(self, request: Request) -> Answer:
        kind = request.args["kind"]
        items = self.entries(request, "data", MOST)
        return outcome([self.create_one(kind, item, f"$.data[{place}]") for place, item in enumerate(items)], 201)

    @route("POST", f"{KINDS}/upsert", label="{kind}/upsert", scope="ZohoCRM.modules.{kind}.CREATE")
    def upsert_records(self, request: Request) -> Answer:
        """200 also for what was inserted; `action` tells."""
        kind = request.args["kind"]
        names = self.body(request).get("duplicate_check_fields") or CHECKED[kind]
        for place, name in enumerate(names):
            if name not in FIELDS[kind]:
                path = f"$.duplicate_check_fields[{place}]"
                what = fault("INVALID_DATA", "invalid data", api_name="duplicate_check_fields", json_path=path)
                raise refused(what)
        results: list[dict[str, Json]] = []
        for place, item in enumerate(self.entries(request, "data", MOST)):
            row, name = self.same(kind, item, names)
            path = f"$.data[{place}]"
            one = self.update_one(request, row, item, path) if row else self.create_one(kind, item, path)
            if one["status"] == "success":
                one |= {"action": "update" if row else "insert", "duplicate_field": name}
            results.append(one)
        return outcome(results, 200)

    @route("PUT", f"{KINDS}/<id>", label="{kind}/{{id}}", scope="ZohoCRM.modules.{kind}.UPDATE")
    def update_record(self, request: Request) -> Answer:
        row = self.live(request.args["kind"], request.args["id"])
        if row is None:
            raise bad_id(1)
        [item] = self.entries(request, "data", 1)
        return outcome([self.update_one(request, row, item, "$.data[0]")], 200)

    @route("PUT", KINDS, label="{kind}", scope="ZohoCRM.modules.{kind}.UPDATE")
    def update_records(self, request: Request) -> Answer:
        results: list[dict[str, Json]] = []
        for place, item in enumerate(self.entries(request, "data", MOST)):
            path, row = f"$.data[{place}]", self.live(request.args["kind"], item.get("id", ""))
            if "id" not in item:
                results.append(mandatory(path, "id"))
            elif row is None:
                results.append(fault("INVALID_DATA", "the id given seems to be invalid", **at(path, "id")))
            else:
                results.append(self.update_one(request, row, item, path))
        return outcome(results, 200)

    @route("DELETE", f"{KINDS}/<id>", label="{kind}/{{id}}", scope="ZohoCRM.modules.{kind}.DELETE")
    def delete_record(self, request: Request) -> Answer:
        kind, number = request.args["kind"], request.args["id"]
        if self.live(kind, number) is None:
            raise bad_id(1, "record not deleted")
        return outcome([self.delete_one(kind, number)], 200)

    @route("DELETE", KINDS, label="{kind}", scope="ZohoCRM.modules.{kind}.DELETE")
    def delete_records(self, request: Request) -> Answer:
        ids = request.many("ids")
        if not ids:
            what = "One of the expected parameter is missing"
            raise refused(fault("REQUIRED_PARAM_MISSING", what, param_name="ids"))
        if len(ids) > MOST:
            raise refused(fault("LIMIT_EXCEEDED", "limit exceeded", limit=MOST, param_name="ids"))
        return outcome([self.delete_one(request.args["kind"], number) for number in ids], 200)

    # One record.

    def create_one(self, kind: str, item: Row, path: str) -> dict[str, Json]:
        values, faults = self.values(kind, item, path)
        rules = self.settings["layout_rules"].get(kind, [])
        named = {one["details"].get("api_name") for one in faults}
        for field in FIELDS[kind].values():
            if values.get(field.name) is not None or field.name in named:
                continue
            if self.wanted(field):
                faults.append(mandatory(path, field.name))
            elif field.name in rules:
                rule = {"name": "Layout Rule", "id": self.layouts[kind]}
                faults.append(mandatory(path, field.name, layout_rule=rule))
        faults = faults or self.conflicts(kind, values, path, None)
        if faults:
            return combined(faults)
        return success("record added", summary(self.insert(kind, values)))

    def update_one(self, request: Request, row: Row, item: Row, path: str) -> dict[str, Json]:
        kind = request.args["kind"]
        if row["Locked__s"]:
            what = "Sorry, you cannot perform this operation as the record is locked."
            return fault("RECORD_LOCKED", what, **at(path, "id", action="record_locking"))
        unless = self.moment(request, "if-unmodified-since")
        if unless is not None and row["Modified_Time"] > unless:
            what = "record updated time has already passed if-unmodified-since time"
            return fault("ALREADY_MODIFIED", what, **{name: row[name] for name in SUMMARY})
        values, faults = self.values(kind, item, path)
        for name, value in values.items():
            if value is None and self.wanted(FIELDS[kind][name]):
                faults.append(mandatory(path, name))
        faults = faults or self.conflicts(kind, values, path, row["id"])
        if faults:
            return combined(faults)
        self.rewrite(kind, row, values)
        return success("record updated", summary(row))

    def delete_one(self, kind: str, number: str) -> dict[str, Json]:
        row = self.live(kind, number)
        if row is None:
            return fault("INVALID_DATA", "record not deleted", id=number)
        if row["Locked__s"]:
            what = "You cannot perform this operation as the record is locked."
            return fault("RECORD_LOCKED", what, id=number, action="record_locking")
        self.bin[kind][number] = self.clock()
        return success("record deleted", {"id": number})

    def wanted(self, field: Field) -> bool:
        return bool(field.mandatory) and (field.name != "Pipeline" or self.settings["pipelines_enabled"])

    def values(self, kind: str, item: Row, path: str) -> tuple[Row, list[Fault]]:
        """The sent values as they are stored. What only Zoho writes is passed over; so is `$` and the id."""
        values: Row = {}
        faults: list[Fault] = []
        for name, value in item.items():
            field = FIELDS[kind].get(name)
            if name.startswith("$") or (field and field.read_only):
                continue
            if name == "Layout":
                if not isinstance(value, dict) or value.get("id") != self.layouts[kind]:
                    faults.append(fault("INVALID_DATA", "invalid data", **at(f"{path}.Layout", "id")))
            elif field is None:
                if self.settings["unknown_fields_refused"]:
                    faults.append(
                        fault("INVALID_DATA", "the field api name given seems to be invalid", **at(path, name))
                    )
            else:
                try:
                    values[name] = self.read(kind, field, value)
                except RejectedError as bad:
                    faults.append(bad.fault(path, name))
        return values, faults

    def read(self, kind: str, field: Field, value: Json) -> Json:
        rows = self.pipelines.values() if field.name == "Pipeline" else self.options[kind, field.name]
        options = [option["display_value"] for option in rows]
        if not self.settings["picklists_closed"]:
            options += value if isinstance(value, list) else [value]
        value = read(field, value, options)
        if value is not None and field.type == "ownerlookup":
            return self.owner(value)
        if value is not None and field.lookup:
            return self.reference(field.lookup, value)
        return value

    def reference(self, kind: str, value: dict[str, Json]) -> Json:
        """How a record is told where another one names it."""
        row = self.live(kind, value.get("id", "")) if kind in self.rows else None
        if row is None:
            raise RejectedError("the related id given seems to be invalid", below="id")
        return {"name": title(row), "id": row["id"]}

    def owner(self, value: dict[str, Json]) -> Json:
        if "id" not in value and "email" in value and self.settings["owner_by_email"]:
            value = {"id": next((key for key, user in self.users.items() if user["email"] == value["email"]), "")}
        if value.get("id") not in self.users:
            raise RejectedError("the related id given seems to be invalid", below="id")
        return self.person(value["id"])

    def conflicts(self, kind: str, values: Row, path: str, own_id: str | None) -> list[Fault]:
        """Only fields that the admin made unique; e-mail is none of them by itself."""
        faults: list[Fault] = []
        for name in self.settings["unique_fields"].get(kind, []):
            row = self.holder(kind, name, values.get(name))
            if row and row["id"] != own_id:
                faults.append(self.duplicate_of(kind, row, path, name))
        return faults

    def duplicate_of(self, kind: str, row: Row, path: str, name: str) -> Fault:
        owner = {"name": row["Owner"]["name"], "id": row["Owner"]["id"], "zuid": row["Owner"]["id"][-9:]}
        module = {"api_name": kind.capitalize(), "id": self.layouts[kind]}
        older = {"Owner": owner, "module": module, "id": row["id"]}
        details = at(path, name, duplicate_record=older, id=row["id"], more_records=False)
        return fault("DUPLICATE_DATA", "duplicate data", **details)

    def holder(self, kind: str, name: str, value: Json) -> Row | None:
        """Who has this value already; letters' case does not matter."""
        if value is None:
            return None
        wanted = str(value).lower()
        return next((row for row in self.all_live(kind) if str(row.get(name)).lower() == wanted), None)

    def same(self, kind: str, item: Row, names: list[str]) -> tuple[Row | None, str | None]:
        if row := self.live(kind, item.get("id") or ""):
            return row, "id"
        for name in names:
            if row := self.holder(kind, name, item.get(name)):
                return row, name
        return None, None

    # The store.

    def live(self, kind: str, number: str) -> Row | None:
        return None if number in self.bin[kind] else self.rows[kind].get(number)

    def all_live(self, kind: str) -> list[Row]:
        return [row for number, row in self.rows[kind].items() if number not in self.bin[kind]]

    def someone(self) -> dict[str, Json]:
        return self.person(self.me)

    def insert(self, kind: str, values: Row) -> Row:
        now = self.now()
        row: Row = dict.fromkeys(FIELDS[kind]) | {"id": self.new_id(), "Owner": self.someone(), "Tag": []}
        row |= {name: "" for name in row if name.endswith(("Address", "Coordinates")) and "Building" not in name}
        row |= {field.name: False for field in FIELDS[kind].values() if field.type == "boolean"}
        row |= {"Created_By": self.someone(), "Modified_By": self.someone(), "Created_Time": now, "Modified_Time": now}
        row |= {"Account_Number": "0"} if kind == "accounts" else {}
        row |= dict.fromkeys(("Overall_Sales_Duration", "Sales_Cycle_Duration"), 0) if kind == "deals" else {}
        row |= values
        self.settle(row)
        self.rows[kind][row["id"]] = row
        self.made_at[row["id"]] = min(self.clock(), seconds(row["Created_Time"]) or 0)
        return row

    def rewrite(self, kind: str, row: Row, values: Row) -> None:
        """Whoever changes it: its time of change moves, and those that name it tell its new name."""
        before = title(row)
        row |= {"Modified_Time": self.now(), "Modified_By": self.someone()} | values
        self.settle(row)
        if title(row) != before:
            self.rename(kind, {"name": title(row), "id": row["id"]})

    def rename(self, kind: str, told: dict[str, Json]) -> None:
        """A name in a lookup is that of the record or user now; whoever shows it has not changed by that."""
        for other, rows in self.rows.items():
            fields = FIELDS[other].values()
            names = [field.name for field in fields if field.lookup == kind or (kind, field.type) == OWNERS]
            for row in rows.values():
                for name in names:
                    if row[name] and row[name]["id"] == told["id"]:
                        row[name] = told

    def settle(self, row: Row) -> None:
        """What follows from other fields."""
        if "Full_Name" in row:
            parts = (row["Salutation"], row["First_Name"], row["Last_Name"])
            row["Full_Name"] = " ".join(part for part in parts if part)
        if "Deal_Name" in row:
            stage = next((option for option in self.stages if option["display_value"] == row["Stage"]), None)
            if stage and row["Probability"] is None:
                row["Probability"] = stage["probability"]
            amount: Any = row["Amount"]
            row["Expected_Revenue"] = None if amount is None else amount * (row["Probability"] or 0) / 100

    def moment(self, request: Request, header: str) -> str | None:
        """A header's time in whole seconds, written as the records' own; HTTP dates are refused."""
        text = request.headers.get(header)
        if text is None:
            return None
        at = seconds(text)
        if at is None:
            raise bad_parameter(header.title())
        return stamp(at)

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Names the newest record where the fault names none; without any, the one that was sent counts as it."""
        kind = label.split("/", maxsplit=1)[0]
        if kind not in self.rows or request.method not in ("POST", "PUT"):
            return super().duplicate(found, request, label, existing)
        if existing is None and not self.rows[kind]:
            made = self.handle(found, request, label)
            if made.status != 201:
                return made
        newest = next(reversed(self.rows[kind].values()), None)
        row: dict[str, Any] = newest or {"Owner": self.someone()}
        what = self.duplicate_of(kind, row | ({"id": existing} if existing else {}), "$.data[0]", CHECKED[kind][0])
        return Answer(400, {"data": [what]})


@lru_cache(maxsize=10_000)
def seconds(text: str) -> float | None:
    """Of a time with an offset, in whole seconds."""
    if not re.fullmatch(MOMENT, text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def title(row: Row) -> Json:
    """What a record is called by."""
    return row.get("Full_Name") or row.get("Deal_Name") or row.get("Account_Name")


SUMMARY = ("Modified_Time", "Modified_By", "Created_Time", "id", "Created_By")


def summary(row: Row) -> dict[str, Json]:
    """All that a write tells of a record; the people are without their e-mail."""
    short = {name: {key: row[name][key] for key in ("name", "id")} for name in ("Modified_By", "Created_By")}
    return {name: short.get(name, row[name]) for name in SUMMARY} | {"$approval_state": "approved"}
