"""Leads, contacts and accounts alike: one record per POST, JSON Patch, soft deletion, custom fields by an extra call.

https://developers.nutshell.com, its OpenAPI documents 2.0.0 and 1.0.1
"""

import copy
from itertools import count
from typing import Any, cast

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.nutshell import lists
from tests.sandbox.vendors.nutshell.changelog import ChangeLog
from tests.sandbox.vendors.nutshell.fields import FIELDS, RELATIONS, FieldError, Written, WrongError, moment, read
from tests.sandbox.vendors.nutshell.instance import (
    CRM,
    DELETING,
    PATCH_TYPE,
    SETUP,
    bad_request,
    enveloped,
    not_found,
)
from tests.sandbox.vendors.nutshell.patches import Draft
from tests.sandbox.vendors.nutshell.shapes import LINKS, LISTS, VALUES, Definition, Record, shown

KINDS = '<any("leads", "contacts", "accounts"):kind>'
CREATED = {"leads": 201, "accounts": 201, "contacts": 200}
FIELD_TYPES = ("String", "Text", "Date", "Currency", "Enum", "Email", "Location", "Phone", "Url")


class Records(ChangeLog):
    def clear(self) -> None:
        super().clear()
        self.rows: dict[str, dict[str, Record]] = {kind: {} for kind in CREATED}
        self.numbers = {"leads": count(1003, 4), "contacts": count(3, 4), "accounts": count(3, 4)}
        self.labels = count(1000)
        self.definition_numbers = count(1)
        self.definitions: dict[str, list[Definition]] = {kind: [] for kind in CREATED}
        for kind in CREATED:
            self.define(kind, "Favorite Number")
            self.define(kind, "Tier", "Enum", ["Gold", "Silver"])

    @route("POST", f"/rest/{KINDS}", label="{kind}", scope=CRM)
    def create(self, request: Request) -> Answer:
        """The document once asked for the type of patches; of leads it does so no more."""
        kind = request.args["kind"]
        self.wants_json(request, *((PATCH_TYPE,) if kind == "contacts" else ()))
        body = self.one(request, kind)
        try:
            written = read(kind, body, drops_unknown=self.settings["drops_unknown_fields"])
            self.check_custom(kind, written.custom)
            self.check_links(kind, {name: ids(value) for name, value in written.links.items()})
        except FieldError as bad:
            raise bad_request(kind, "Invalid value", str(bad), bad.field) from bad
        linked = written.links.get("accounts") or written.links.get("contacts")
        if kind == "leads" and not linked and self.settings["lead_needs_contact_or_account"]:
            raise bad_request(kind, "Invalid value", "a contact or an account is required", "links")
        record = self.insert(kind, written)
        return enveloped(kind, [self.tell(record)], CREATED[kind])

    @route("GET", f"/rest/{KINDS}", label="{kind}", scope=CRM)
    def list_page(self, request: Request) -> Answer:
        """`count` and `total` count what the query found, beyond the last page, too."""
        kind = request.args["kind"]
        living = [row for row in self.rows[kind].values() if row.deleted is None]
        modified = bool(self.settings["filters_by_modified_time"])
        found = lists.select(request, living, self.links, self.rows["leads"], modified=modified)
        meta: dict[str, Json] = {}
        for name in ("count", "total"):
            formatted = {"formatted": str(len(found)), "prefix": "", "suffix": "", "value": len(found)}
            meta |= {name: len(found), f"{name}Formatted": formatted}
        if kind == "accounts":
            types = [row.links["accountType"] for row in found]
            meta["facets"] = {"accountType": {one: types.count(one) for one in self.lookups["accountTypes"]}}
        return enveloped(kind, [self.tell(row) for row in lists.page_of(request, found)], **meta)

    @route("GET", f"/rest/{KINDS}/<id>", label="{kind}/{{id}}", scope=CRM)
    def get(self, request: Request) -> Answer:
        """Several ids may be joined by commas; one that is not there spoils the others (unconfirmed)."""
        kind = request.args["kind"]
        found = [self.record(kind, one) for one in request.args["id"].split(",")]
        if self.settings["bare_records"] and len(found) == 1:
            return Answer(200, self.tell(found[0]))
        answer = enveloped(kind, [self.tell(record) for record in found])
        if self.settings["sideloads"] and kind == "accounts":
            answer.body |= self.beside(found)
        return answer

    def beside(self, accounts: list[Record]) -> dict[str, Json]:
        """The records that accounts lead to, under the names that the document has for them."""
        told: dict[str, Json] = {}
        for name, link, table in (
            ("creators", "creator", "users"),
            ("owners", "owner", "users"),
            ("accountTypes", "accountType", "accountTypes"),
            ("industries", "industry", "industries"),
        ):
            wanted = dict.fromkeys(str(account.links[link]) for account in accounts)
            told[name] = [self.lookups[table][one] for one in wanted if one in self.lookups[table]]
        contacts = [str(one) for account in accounts for one in cast("list[Json]", self.links(account)["contacts"])]
        return told | {"contacts": [self.tell(self.rows["contacts"][one]) for one in dict.fromkeys(contacts)]}

    @route("PATCH", f"/rest/{KINDS}/<id>", label="{kind}/{{id}}", scope=CRM)
    def update(self, request: Request) -> Answer:
        kind = request.args["kind"]
        self.wants_patch(request)
        record = self.record(kind, request.args["id"])
        try:
            patches = request.json()
        except ValueError as broken:
            raise bad_request(kind, "Invalid value", str(broken)) from broken
        if not isinstance(patches, list) or not patches:
            raise bad_request(kind, "No patches sent")
        content = Written(record.values, record.links, record.custom)
        draft = Draft(kind, copy.deepcopy(content), [one.name for one in self.definitions[kind]])
        try:
            draft.apply(cast("list[Json]", patches))
            self.check_custom(kind, draft.content.custom)
            self.check_links(kind, draft.added)
        except FieldError as bad:
            raise bad_request(kind, "Invalid value", str(bad), bad.field) from bad
        self.rewrite(record, draft.content)
        return enveloped(kind, [self.tell(record)]) if self.settings["updates_answer_record"] else Answer(204)

    @route("DELETE", f"/rest/{KINDS}/<id>", label="{kind}/{{id}}", scope=DELETING)
    def delete(self, request: Request) -> Answer:
        kind = request.args["kind"]
        record = self.record(kind, request.args["id"])
        if record.deleted is not None:
            raise not_found()
        self.bury(record)
        return Answer(200) if self.settings["deletes_answer_nothing"] else enveloped(kind, [self.tell(record)])

    def bury(self, record: Record) -> None:
        record.deleted = record.modified = int(self.clock())
        self.note(record.id, "delete")

    @route("POST", f"/rest/{KINDS}/<id>/undelete", label="{kind}/{{id}}/undelete", scope=DELETING)
    def undelete(self, request: Request) -> Answer:
        kind = request.args["kind"]
        record = self.record(kind, request.args["id"], deleted=True)
        record.deleted, record.modified = None, int(self.clock())
        self.note(record.id, "undelete")
        return enveloped(kind, [self.tell(record)])

    # Custom fields.

    @route("GET", f"/rest/{KINDS}/customfields/attributes", label="{kind}/customfields/attributes", scope=CRM)
    def list_definitions(self, request: Request) -> Answer:
        return self.listed("customFields", [one.shown() for one in self.definitions[request.args["kind"]]])

    @route("GET", f"/rest/{KINDS}/<id>/customfields", label="{kind}/{{id}}/customfields", scope=CRM)
    def list_custom_values(self, request: Request) -> Answer:
        """The only place where the values are told; fields without one are there, too."""
        record = self.record(request.args["kind"], request.args["id"])
        rows = [one.shown() | {"value": record.custom.get(one.name)} for one in self.definitions[record.kind]]
        return self.listed("customFields", rows)

    @route("POST", f"/rest/{KINDS}/customfield", label="{kind}/customfield", scope=SETUP)
    def create_custom_field(self, request: Request) -> Answer:
        """A flat body; the document describes no answer but its status."""
        self.wants_json(request)
        kind, body = request.args["kind"], self.body(request)
        name, form, choices = body.get("name"), body.get("type"), body.get("choices", [])
        texts = isinstance(choices, list) and all(isinstance(one, str) for one in cast("list[Json]", choices))
        problem = (
            ("name", "is required") if not isinstance(name, str) or not name
            else ("name", "is taken") if any(one.name == name for one in self.definitions[kind])
            else ("type", f"must be one of {', '.join(FIELD_TYPES)}") if form not in FIELD_TYPES
            else ("choices", "are required") if not texts or (form == "Enum" and not choices)
            else None
        )  # fmt: skip
        if problem:
            raise bad_request(kind, "Invalid value", problem[1], problem[0])
        self.define(kind, str(name), str(form), choices)
        return Answer(200)

    def define(self, kind: str, name: str, form: str = "String", choices: list[str] | None = None) -> Definition:
        made = Definition(next(self.definition_numbers), name, form, choices or [])
        self.definitions[kind].append(made)
        return made

    # Reading and writing.

    def record(self, kind: str, wanted: str, *, deleted: bool = False) -> Record:
        """A living one, or one to be restored; whether a deleted one is still told is unconfirmed."""
        if self.settings["plain_ids"] and wanted.isdigit():
            wanted = f"{wanted}-{kind}"
        record = self.rows[kind].get(wanted)
        if record is None or (record.deleted is not None and not deleted and not self.settings["shows_deleted"]):
            raise not_found()
        return record

    def check_custom(self, kind: str, custom: dict[str, str]) -> None:
        known = {one.name: one for one in self.definitions[kind]}
        for name, value in custom.items():
            if name not in known:
                raise FieldError(f"customFields.{name}", "there is no such custom field")
            if known[name].choices and value not in known[name].choices:
                raise FieldError(f"customFields.{name}", f"must be one of {', '.join(known[name].choices)}")

    def check_links(self, kind: str, links: dict[str, list[str]]) -> None:
        for name, wanted in links.items():
            target = RELATIONS[kind][name].target
            if dangling := [one for one in wanted if not self.is_there(target, one)]:
                raise FieldError(f"links.{name}", f"{dangling[0]} was not found")

    def is_there(self, kind: str, wanted: str) -> bool:
        if kind in self.rows:
            return wanted in self.rows[kind] and self.rows[kind][wanted].deleted is None
        row = self.lookups.get(kind, {}).get(wanted)
        return row is not None and row.get("deletedTime") is None

    def insert(self, kind: str, written: Written, created: int | None = None) -> Record:
        at = int(self.clock()) if created is None else created
        owner = self.acting if self.acting.endswith("-users") else None
        number = next(self.numbers[kind])
        label = str(next(self.labels) if kind == "leads" else number)
        values = copy.deepcopy(VALUES[kind]) | ({} if kind == "leads" else {name: [] for name in LISTS})
        links = copy.deepcopy(LINKS[kind]) | {"creator": self.acting, "owner": owner}
        links |= self.placed() if kind == "leads" else {}
        record = Record(kind, number, label, at, at, values | written.values, links | written.links, written.custom)
        self.rows[kind][record.id] = record
        self.note(record.id, "create", at=at)
        return record

    def placed(self) -> dict[str, Json]:
        """Where a new lead stands: at the first stage of the default pipeline."""
        default = next((row["id"] for row in self.lookups["stagesets"].values() if row["default"]), None)
        stages = self.stages_of(default) if default else []
        return {"stageset": default, "stage": stages[0]["id"] if stages else None}

    def rewrite(self, record: Record, content: Written, action: str = "edit") -> None:
        """Takes over the content; an event tells what is different, and there is none where nothing is."""
        told: list[Json] = []
        for old, new in zip((record.values, record.links, record.custom), content, strict=True):
            for name in sorted(old.keys() | new.keys()):
                if old.get(name) != new.get(name):
                    before, after = (self.told_as(one.get(name), linked=old is record.links) for one in (old, new))
                    told.append({"attribute": name, "oldValue": before, "newValue": after})
        if told:
            record.values, record.links, record.custom = content
            record.modified = int(self.clock())
            self.note(record.id, action, told)

    def told_as(self, value: Json, *, linked: bool) -> Json:
        """In a change what a relation leads to is told as an object."""
        if not linked or value is None:
            return value
        if isinstance(value, list):
            return [self.told_as(one, linked=True) for one in cast("list[Json]", value)]
        kind = str(value).partition("-")[2]
        row = self.lookups.get(kind, {}).get(str(value), {})
        record = self.rows.get(kind, {}).get(str(value))
        name = record.name if record else row.get("name")
        return {"id": value, "type": kind, "name": name} | ({"position": row["position"]} if kind == "stages" else {})

    def links(self, record: Record) -> dict[str, Json]:
        """An account's contacts are those that name it."""
        if record.kind != "accounts":
            return record.links
        contacts = [one for one in self.rows["contacts"].values() if one.deleted is None]
        return record.links | {"contacts": [one.id for one in contacts if record.id in one.links["accounts"]]}

    def tell(self, record: Record) -> dict[str, Json]:
        told = shown(record, self.links(record), self.clock(), self.acting)
        dated = record.kind != "leads" and self.settings["people_tell_created_time"]
        return told | ({"createdTime": record.created} if dated else {})

    def payload(self, entity: str) -> Json:
        return self.tell(self.rows[entity.partition("-")[2]][entity])

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """As the body of a create, past its checks.

        `createdTime` in Unix seconds sets the time of its event, too, and `modifiedTime` writes a second event: the
        log goes by the order of planting, so that what is planted with moments is planted in their order.
        What only answers have can be planted as well: jobTitle, anticipatedClosedTime (Unix seconds), currency.
        A custom field is planted with the kind that it belongs to: {"on": "leads", "name", "type", "choices"}.
        """
        if noun == "customFields":
            made = self.define(
                fields.get("on", "leads"), fields["name"], fields.get("type", "String"), fields.get("choices")
            )
            return f"{made.number}-customFields"
        if noun not in self.rows:
            return super().plant(noun, fields)
        self.acting = "1-users"
        created, modified = fields.get("createdTime"), fields.get("modifiedTime")
        record = self.insert(noun, self.planted(noun, fields), created)
        if modified is not None:
            record.modified = modified
            self.note(record.id, "edit", at=modified)
        return record.id

    @staticmethod
    def planted(noun: str, fields: dict[str, Json]) -> Written:
        rest: dict[str, Any] = {name: value for name, value in fields.items() if name not in lists.TIMES}
        links, custom = rest.pop("links", {}), rest.pop("customFields", {})
        values: dict[str, Json] = {}
        for name, value in rest.items():
            reader = FIELDS[noun].get(name)
            try:
                values[name] = reader(value) if reader and not (reader is moment and isinstance(value, int)) else value
            except WrongError as odd:
                raise LookupError(f"{name} {odd}") from odd
        return Written(values, links, custom)

    def stored(self, noun: str) -> list[Json]:
        if noun == "customFields":
            return [one.shown() | {"on": kind} for kind, rows in self.definitions.items() for one in rows]
        if noun not in self.rows:
            return super().stored(noun)
        self.acting = "1-users"
        extra = [{"customFields": row.custom, "deletedTime": row.deleted} for row in self.rows[noun].values()]
        return [self.tell(row) | more for row, more in zip(self.rows[noun].values(), extra, strict=True)]


def ids(value: Json) -> list[str]:
    return value if isinstance(value, list) else [value]
