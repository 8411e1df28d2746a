"""Create, get, list, update and delete of every entity: bodies are bare objects, what is wrong is told all at once.

https://developers.pipelinersales.com/api-docs/tutorials-and-articles/create-contact
"""

import uuid
from dataclasses import dataclass, field

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.pipeliner import lists
from tests.sandbox.vendors.pipeliner.columns import Column, ColumnError
from tests.sandbox.vendors.pipeliner.entities import ENTITIES, HELD_BY, STEP_PARENTS, Many
from tests.sandbox.vendors.pipeliner.lists import Row, Tree
from tests.sandbox.vendors.pipeliner.space import ANY, Problem, missing, parameter_invalid, refusal
from tests.sandbox.vendors.pipeliner.store import Store

CHANGED_ONLY, SYSTEM_ONLY, READ_ONLY_TOO, DELETED_TOO = 2, 4, 8, 16
FIXED = frozenset({"id", "is_deleted"})
"""Not even `validation-level=8` writes these here."""
ONE_PRIMARY = {
    "leadOpptyContactRelations": "lead_oppty_id",
    "leadOpptyAccountRelations": "lead_oppty_id",
    "contactAccountRelations": "contact_id",
}


@dataclass
class Draft:
    """A checked write, with the writes of its nested lists; nothing is stored before all of it is checked."""

    noun: str
    id: str
    row: Row | None
    values: Row
    parts: dict[str, list["Draft"]] = field(default_factory=dict[str, list["Draft"]])


def done(data: Json, status: int = 200) -> Answer:
    return Answer(status, {"success": True, "data": data})


class Records(Store):
    @route("POST", ANY, label="{kind}", scope="{kind}:write")
    def create(self, request: Request) -> Answer:
        noun = request.args["kind"]
        draft = self.prepare(noun, self.body(request), self.level(request))
        self.compare(request)
        return done(self.show(noun, self.apply(draft, self.tick()), {}, {}), 201)

    @route("GET", ANY, label="{kind}", scope="{kind}:read")
    def list_page(self, request: Request) -> Answer:
        noun, query = request.args["kind"], request.query
        known = self.known[noun]
        tests = lists.tests(query, known, timed=ENTITIES[noun].timed)
        rows = list(self.rows[noun].values()) if query.get("include-deleted") == "true" else self.live(noun)
        rows = [row for row in rows if all(test(row[name]) for name, test in tests)]
        shown, info = lists.paged(rows, query, lists.ordered(query, known))
        trees = self.trees(request)
        data = [self.show(noun, row, *trees) for row in shown]
        return Answer(200, {"success": True, "total": len(rows), "page_info": info, "data": data})

    @route("GET", f"{ANY}/<id>", label="{kind}/{{id}}", scope="{kind}:read")
    def get(self, request: Request) -> Answer:
        trees = self.trees(request) if self.settings["single_get_expands"] else ({}, {})
        return done(self.show(request.args["kind"], self.row(request), *trees))

    @route("PATCH", f"{ANY}/<id>", label="{kind}/{{id}}", scope="{kind}:write")
    def update(self, request: Request) -> Answer:
        noun = request.args["kind"]
        row = self.row(request)
        draft = self.prepare(noun, self.body(request), self.level(request), row)
        self.compare(request)
        return done(self.show(noun, self.apply(draft, self.tick()), {}, {}))

    @route("DELETE", f"{ANY}/<id>", label="{kind}/{{id}}", scope="{kind}:write")
    def delete(self, request: Request) -> Answer:
        """Soft; the answer is the bare id."""
        noun, row = request.args["kind"], self.row(request)
        self.level(request)
        if reason := "it is protected" if row["is_delete_protected"] else self.held(noun, row):
            raise self.invalid(noun, [Problem(None, f"cannot be deleted: {reason}")], row["id"])
        self.bury(noun, row, self.tick())
        return done(row["id"])

    # Reading a request.

    def row(self, request: Request) -> Row:
        row = self.rows[request.args["kind"]].get(request.args["id"])
        if row is None or row["is_deleted"]:
            raise RefusalError(refusal(404, "invalid ID"))
        return row

    @staticmethod
    def trees(request: Request) -> tuple[Tree, Tree]:
        return lists.tree(request.query.get("expand", "")), lists.tree(request.query.get("load-only", ""))

    @staticmethod
    def level(request: Request) -> int:
        word = request.query.get("validation-level", "0")
        if not word.isdecimal() or int(word) & ~(CHANGED_ONLY | SYSTEM_ONLY | READ_ONLY_TOO | DELETED_TOO):
            raise parameter_invalid("validation-level is no mask of 2, 4, 8 and 16")
        return int(word)

    def held(self, noun: str, row: Row) -> str | None:
        """Why a record has to stay. That the vendor minds is unconfirmed."""
        if holder := self.holder(noun, row):
            return f"{holder} are in it"
        if noun == "steps" and not self.settings["steps_may_be_empty"]:
            siblings = [one for one in self.live(noun) if all(one[name] == row[name] for name in STEP_PARENTS.values())]
            return "it is the last step" if len(siblings) == 1 else None
        return None

    def holder(self, noun: str, row: Row) -> str | None:
        """What stands in a record, if anything does."""
        pairs = HELD_BY.get(noun, ())
        return next((one for one, column in pairs if any(held[column] == row["id"] for held in self.live(one))), None)

    # Writing.

    def prepare(
        self,
        noun: str,
        body: Row,
        level: int,
        row: Row | None = None,
        under: Row | None = None,
        index: int | None = None,
    ) -> Draft:
        """Checks a body; `under` is what a nested record owes to the one around it."""
        draft = Draft(noun, row["id"] if row else str(uuid.uuid4()), row, {})
        problems: list[Problem] = []
        for name, value in body.items():
            many = ENTITIES[noun].lists.get(name)
            if name == "revision":
                problems += self.stale(row, value)
            elif many and many.written:
                draft.parts[name], wrong = self.nested(draft, name, many, value, level)
                problems += wrong
            else:
                problems += self.accept(draft, name, value, level, under or {})
        if row is None:
            draft.values = self.completed(noun, (under or {}) | draft.values)
            problems += self.absent(draft, body, problems)
        problems += self.wanted_by_form(draft, body, level)
        problems = problems or self.contradictions(noun, (row or {}) | draft.values)
        if problems:
            raise self.invalid(noun, problems, row["id"] if row else None, index)
        return draft

    def accept(self, draft: Draft, name: str, value: Json, level: int, under: Row) -> list[Problem]:
        column = self.known[draft.noun].get(name)
        if name in under:
            return [] if value == under[name] else [Problem(name, "is another record than the one around it")]
        if column is None or not self.may_write(draft.noun, name, column, level):
            why = "is not known" if column is None else "is read-only"
            return [] if self.settings["unknown_fields_are_ignored"] else [Problem(name, why)]
        if column.required and value in (None, ""):
            return [missing(name)]
        try:
            draft.values[name] = column.read(value)
        except ColumnError as bad:
            return [Problem(name, str(bad))]
        return self.dangling(name, column, draft.values[name], level)

    def may_write(self, noun: str, name: str, column: Column, level: int) -> bool:
        if column.writable:
            return True
        placed = noun != "steps" or name != "pipeline_id" or self.settings["level_8_places_steps"]
        return bool(level & READ_ONLY_TOO) and name not in FIXED and placed

    def dangling(self, name: str, column: Column, value: Json, level: int) -> list[Problem]:
        if column.refers is None or value is None:
            return []
        target = self.rows[column.refers].get(value) or self.rows.get(column.also or "", {}).get(value)
        if target is None or (target["is_deleted"] and not level & DELETED_TOO):
            return [Problem(name, f"{value} does not exist")]
        if column.data_set and target["data_set_id"] != column.data_set:
            return [Problem(name, f"{value} is no option of this field")]
        return []

    def stale(self, row: Row | None, value: Json) -> list[Problem]:
        fits = row is None or not self.settings["revision_is_checked"] or value == row["revision"]
        return [] if fits else [Problem("revision", "the record has changed since")]

    def absent(self, draft: Draft, body: Row, problems: list[Problem]) -> list[Problem]:
        """Required members of a new record that nothing has been said about yet."""
        told = {problem.field for problem in problems}
        columns = [name for name, column in self.known[draft.noun].items() if column.required]
        empty = [name for name in columns if draft.values.get(name) in (None, "")]
        empty += [name for name, many in ENTITIES[draft.noun].lists.items() if many.required and name not in body]
        if self.settings["nested_relations_need_the_lead"] and "lead_oppty_id" in columns:
            empty += ["lead_oppty_id"] if "lead_oppty_id" not in body else []
        return [missing(name) for name in dict.fromkeys(empty) if name not in told]

    def wanted_by_form(self, draft: Draft, body: Row, level: int) -> list[Problem]:
        """Fields that this space's forms require. At level 0 they are checked on every update, sent or not."""
        merged = (draft.row or {}) | draft.values
        names = () if level & SYSTEM_ONLY else self.settings["required_by_form"].get(draft.noun, ())
        asked = [name for name in names if name in body or not level & CHANGED_ONLY]
        return [missing(name) for name in asked if merged.get(name) in (None, "")]

    def contradictions(self, noun: str, merged: Row) -> list[Problem]:
        """Between the members of a record; those without a field stand in entity_errors alone."""
        if noun == "contacts" and not (merged.get("first_name") or merged.get("last_name")):
            return [missing(None, "a first or a last name is required")]
        if noun == "steps" and sum(merged.get(name) is not None for name in STEP_PARENTS.values()) != 1:
            return [Problem(None, "a step belongs to one pipeline or process")]
        if noun == "opportunities":
            pipeline = self.rows["steps"][merged["step_id"]]["pipeline_id"]
            kind = self.rows["opportunityTypes"].get(merged["oppty_type_id"] or "")
            if pipeline is None or (kind and kind["pipeline_id"] != pipeline):
                return [Problem("step_id", "is no step of the opportunity type's pipeline")]
            if merged["value"].get("currency_id", self.base["id"]) not in self.rows["currencies"]:
                return [Problem("value", "the currency does not exist")]
        if noun == "leads":
            process = self.rows["leadTypes"][merged["lead_type_id"]]["lead_process_id"]
            if self.rows["steps"][merged["step_id"]]["lead_process_id"] != process:
                return [Problem("step_id", "is no step of the lead type's process")]
        return []

    def nested(
        self, draft: Draft, member: str, many: Many, value: Json, level: int
    ) -> tuple[list[Draft], list[Problem]]:
        """Items with an id are kept and changed, those without are new."""
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return [], [Problem(member, "must be an array of objects")]
        if many.required and not value and not self.settings["steps_may_be_empty"]:
            return [], [Problem(member, "must not be empty")]
        there = {one["id"]: one for one in self.children(draft.row, many)} if draft.row else {}
        drafts: list[Draft] = []
        for index, one in enumerate(value):
            item: Row = dict(one)
            row = there.pop(item.pop("id"), None) if "id" in item else None
            if "id" in one and row is None:
                return [], [Problem(member, f"{one['id']} is not in this record, or twice")]
            drafts.append(self.prepare(many.noun, item, level, row, {many.column: draft.id}, index))
        for row in there.values() if self.drops(many) else ():
            if holder := self.holder(many.noun, row):
                return [], [Problem(member, f"{row['id']} cannot be deleted: {holder} are in it")]
        return drafts, []

    def drops(self, many: Many) -> bool:
        name = "patch_drops_missing_steps" if many.noun == "steps" else "patch_drops_missing_relations"
        return self.settings[name]

    def apply(self, draft: Draft, revision: int) -> Row:
        row = draft.row
        if row is None:
            row = self.insert(draft.noun, draft.values | {"id": draft.id}, revision)
        elif draft.values or draft.parts:
            self.change(draft.noun, row, draft.values, revision)
        if draft.noun in ONE_PRIMARY and draft.values.get("is_primary"):
            self.dethrone(draft.noun, row, revision)
        for name, drafts in draft.parts.items():
            self.replace(row, ENTITIES[draft.noun].lists[name], drafts, revision)
        if draft.noun == "steps" and row["sort_order"] is None:
            row["sort_order"] = 1 + max(
                (
                    one["sort_order"] or 0
                    for one in self.live("steps")
                    if all(one[name] == row[name] for name in STEP_PARENTS.values())
                ),
                default=0,
            )
        return row

    def replace(self, row: Row, many: Many, drafts: list[Draft], revision: int) -> None:
        """A nested list becomes what was sent. If what is left out stays, it stays in front."""
        named = {draft.id for draft in drafts}
        left_out = [one for one in self.children(row, many) if one["id"] not in named]
        listed = [self.apply(draft, revision) for draft in drafts]
        if self.drops(many):
            for one in left_out:
                self.bury(many.noun, one, revision)
            left_out = []
        for place, one in enumerate([*left_out, *listed] if many.noun == "steps" else (), start=1):
            if one["sort_order"] != place:
                self.change(many.noun, one, {"sort_order": place}, revision)

    def dethrone(self, noun: str, row: Row, revision: int) -> None:
        """A new primary takes over from the one before."""
        column = ONE_PRIMARY[noun]
        for one in list(self.index[noun, column, row[column]].values()):
            if one is not row and one["is_primary"]:
                self.change(noun, one, {"is_primary": False}, revision)
