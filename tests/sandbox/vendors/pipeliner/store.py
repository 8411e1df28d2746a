"""The records of a space: rows, what points at them, how they are shown; planting and seeds."""

import copy
import uuid
from collections import defaultdict
from datetime import UTC, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.pipeliner import seeds
from tests.sandbox.vendors.pipeliner.columns import Column, custom, moment, named, stamp
from tests.sandbox.vendors.pipeliner.entities import ENTITIES, INDEXED, SHARED, Many, twin
from tests.sandbox.vendors.pipeliner.lists import Row, Tree
from tests.sandbox.vendors.pipeliner.space import Space, parameter_invalid, uri

_OFFERED = {
    "primary_contact": ("contact_relations", "contact_id"),
    "primary_account": ("account_relations", "account_id"),
}
PRIMARIES = {
    "leads": _OFFERED,
    "opportunities": _OFFERED,
    "contacts": {"primary_account": ("account_relations", "account_id")},
}
DESCRIBED = ("leads", "contacts", "accounts", "opportunities")
NOUNS = {entity.singular: noun for noun, entity in ENTITIES.items()}


class Store(Space):
    def clear(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {noun: {} for noun in ENTITIES}
        self.index: dict[tuple[str, str, Json], dict[str, Row]] = defaultdict(dict)
        self.known: dict[str, dict[str, Column]] = {
            noun: dict(SHARED) | dict(entity.columns) for noun, entity in ENTITIES.items()
        }
        self.revision = 0
        for noun, fields in seeds.RECORDS:
            self.plant(noun, fields)
        for noun in DESCRIBED:
            for name, column in ENTITIES[noun].columns.items():
                self.plant("fields", described(noun, name, column))
        for fields in seeds.CUSTOM:
            self.plant("fields", fields | {"id": named(f"field {fields['entity_name']} {fields['api_name']}")})

    def now(self) -> str:
        return stamp(datetime.fromtimestamp(self.clock(), UTC))

    def tick(self) -> int:
        """One number per write, over the whole space: recorded rows that changed together share theirs."""
        self.revision += 1
        return self.revision

    # Rows.

    def insert(self, noun: str, values: Row, revision: int) -> Row:
        now = self.now()
        row: Row = {"is_delete_protected": False, "id": str(uuid.uuid4()), "is_deleted": False}
        row |= {"modified": now, "created": now}
        row |= {name: column.blank for name, column in self.known[noun].items() if name not in row}
        row |= values | {"revision": revision}
        self.rows[noun][row["id"]] = row
        self.settle(noun, row)
        return row

    def change(self, noun: str, row: Row, values: Row, revision: int) -> None:
        self.unlink(noun, row)
        row |= {"modified": self.now()} | values | {"revision": revision}
        self.settle(noun, row)

    def settle(self, noun: str, row: Row) -> None:
        """What follows from the rest of a record."""
        if noun == "leads":
            row["status"] = 2 if row["lost_date"] else 1
        if noun == "opportunities":
            row["status"] = 3 if row["won_date"] else 2 if row["lost_date"] else 1
            row["value"] = row["value"] and self.valued(row["value"])
        if noun in ("contacts", "clients"):
            row["formatted_name"] = f"{row['first_name']} {row['last_name']}".strip()
        elif "formatted_name" in row:
            row["formatted_name"] = row["name"]
        if noun == "clients":
            row["name"] = row["formatted_name"]
        if not row["is_deleted"]:
            for _, column in (pair for pair in INDEXED if pair[0] == noun):
                self.index[noun, column, row[column]][row["id"]] = row

    @property
    def base(self) -> Row:
        """The currency of the space."""
        return next(row for row in self.rows["currencies"].values() if row["is_base"])

    def valued(self, value: Row) -> Row:
        """All three members of a value, worked out from those that are there."""
        currency = self.rows["currencies"].get(value.get("currency_id") or "", self.base)
        rate = seeds.RATES[currency["code"]]
        base = value["base_value"] if "base_value" in value else value["value_foreign"] * rate
        foreign = value["value_foreign"] if "value_foreign" in value else base / rate
        return {"base_value": base, "currency_id": currency["id"], "value_foreign": foreign}

    def unlink(self, noun: str, row: Row) -> None:
        for _, column in (pair for pair in INDEXED if pair[0] == noun):
            self.index[noun, column, row[column]].pop(row["id"], None)

    def bury(self, noun: str, row: Row, revision: int) -> None:
        """Deleted rows stay and lose nothing; parts of them, and relations with them, go the same way."""
        self.unlink(noun, row)
        row |= {"is_deleted": True, "revision": revision}
        if self.settings["delete_moves_modified"]:
            row["modified"] = self.now()
        for part, entity in ENTITIES.items():
            columns = [
                name for name, column in entity.columns.items() if entity.part and noun in (column.refers, column.also)
            ]
            for one in self.live(part) if columns else ():
                if any(one[name] == row["id"] for name in columns):
                    self.bury(part, one, revision)

    def live(self, noun: str) -> list[Row]:
        return [row for row in self.rows[noun].values() if not row["is_deleted"]]

    def children(self, row: Row, many: Many) -> list[Row]:
        found = list(self.index[many.noun, many.column, row[many.key]].values())
        return sorted(found, key=lambda one: one["sort_order"]) if many.noun == "steps" else found

    def completed(self, noun: str, values: Row) -> Row:
        """What a new record takes when it says nothing: types, the first step of the process, the owner's unit."""
        known, given = self.known[noun], dict(values)
        for name, kind in (
            ("lead_type_id", "leadTypes"),
            ("contact_type_id", "contactTypes"),
            ("account_type_id", "accountTypes"),
        ):
            if name in known and (rows := self.live(kind)):
                given.setdefault(name, rows[0]["id"])
        lead_type = self.rows["leadTypes"].get(given.get("lead_type_id", ""))
        if noun == "leads" and lead_type:
            process = self.rows["leadProcesses"].get(lead_type["lead_process_id"], {"id": None})
            steps = self.children(process, ENTITIES["leadProcesses"].lists["steps"])
            given |= {"step_id": given.get("step_id", steps[0]["id"])} if steps else {}
        if noun == "opportunities":
            step = self.rows["steps"].get(given.get("step_id", ""), {})
            types = [row for row in self.live("opportunityTypes") if row["pipeline_id"] == step.get("pipeline_id")]
            given.setdefault("oppty_type_id", types[0]["id"] if types else None)
            given.setdefault("product_currency_id", self.base["id"])
        if "unit_id" in known:
            owner = self.rows["clients"].get(given.get("owner_id") or "", {})
            given.setdefault("unit_id", owner.get("default_unit_id") or seeds.COMPANY)
        return given

    def field_id(self, noun: str, name: str) -> str | None:
        singular = ENTITIES[noun].singular
        rows = self.rows["fields"].values()
        return next((row["id"] for row in rows if (row["entity_name"], row["api_name"]) == (singular, name)), None)

    # Showing.

    def show(self, noun: str, row: Row, expand: Tree, only: Tree) -> Row:
        """A record with its URI twins; `expand` puts the record in the URI's place, `a.b` in `only` does too."""
        body = row | copy.deepcopy(dict(ENTITIES[noun].constants))
        wider = {name: expand.get(name, {}) for name in expand.keys() | {one for one, inner in only.items() if inner}}
        related: dict[str, tuple[str, Json]] = {
            twin(name): (column.refers, row[name])
            for name, column in self.known[noun].items()
            if column.refers and name.endswith("_id") and name in ENTITIES[noun].columns
        }
        if "lead_oppty_id" in self.known[noun]:
            held = row["lead_oppty_id"]
            related["lead"] = ("leads", held if held in self.rows["leads"] else None)
            related["oppty"] = ("opportunities", held if held in self.rows["opportunities"] else None)
        for name, many in ENTITIES[noun].lists.items():
            related[name] = (many.noun, [one["id"] for one in self.children(row, many)])
        for name, (member, column) in PRIMARIES.get(noun, {}).items():
            rows = self.children(row, ENTITIES[noun].lists[member])
            target = self.known[ENTITIES[noun].lists[member].noun][column].refers or ""
            related[name] = (target, next((one[column] for one in rows if one["is_primary"]), None))
        if unknown := (wider.keys() - related.keys()) | (only.keys() - body.keys() - related.keys()):
            raise parameter_invalid(f"unknown field {min(unknown)}")
        for name, (kind, held) in related.items():
            if not only or name in only:
                body[name] = self.pointed(kind, held, wider.get(name), only.get(name, {}))
        return {name: body[name] for name in only or body}

    def pointed(self, noun: str, held: Json, expand: Tree | None, only: Tree) -> Json:
        if isinstance(held, list):
            return [self.pointed(noun, str(one), expand, only) for one in held]
        if held is None or expand is None:
            return held and uri(noun, held)
        return self.show(noun, self.rows[noun][held], expand, only)

    # The control plane.

    def plant(self, noun: str, fields: Row) -> str | int:
        """Lists of other records are planted with it; a field becomes a column of its entity.

        An option of a drop-down may be planted by its name, and the currency of a value by its code. `created` and
        `modified` (which is `created` without one) may be given, ISO 8601 with either separator.
        """
        if noun not in ENTITIES:
            raise LookupError(f"Pipeliner has no {noun} here: {', '.join(ENTITIES)}")
        lists = ENTITIES[noun].lists
        values = {name: value for name, value in fields.items() if name not in lists}
        values = {name: self.planted(self.known[noun].get(name), value) for name, value in values.items()}
        if values.get("created"):
            values = {"modified": values["created"]} | values
        if "owner_id" in self.known[noun] and noun != "leads":
            values = {"owner_id": seeds.PEOPLE[0]} | values
        if noun == "opportunities":
            first = next(row for row in self.live("steps") if row["pipeline_id"])
            values = {"step_id": first["id"]} | values
        if noun == "fields":
            values = {"name": fields["api_name"], "column_name": fields["api_name"]} | values
        row = self.insert(noun, self.completed(noun, values), self.tick())
        for name in lists.keys() & fields.keys():
            self.fill(row, lists[name], fields[name])
        if noun == "fields":
            self.widen(row)
        return row["id"]

    def fill(self, row: Row, many: Many, items: list[Row]) -> None:
        for place, one in enumerate(items, start=1):
            order = {"sort_order": place} if many.noun == "steps" else {}
            self.plant(many.noun, one | order | {many.column: row[many.key]})

    def alter(self, noun: str, id: str, fields: Row) -> None:
        """In the form of `plant`, but for its moments: they are the clock's. A list of relations takes another's place.

        That a record itself moves when only its relations do is unconfirmed: it does not.
        """
        row, lists = self.present(noun, id), ENTITIES[noun].lists
        for name in lists.keys() & fields.keys():
            if lists[name].noun == "steps" or not ENTITIES[lists[name].noun].part:
                raise LookupError(f"{name} are changed one by one, as {lists[name].noun}")
            revision = self.tick()
            for one in self.children(row, lists[name]):
                self.bury(lists[name].noun, one, revision)
            self.fill(row, lists[name], fields[name])
        own = {name: value for name, value in fields.items() if name not in (*lists, "created", "modified")}
        if own:
            values = {name: self.planted(self.known[noun].get(name), value) for name, value in own.items()}
            self.change(noun, row, values, self.tick())

    def erase(self, noun: str, id: str) -> None:
        self.bury(noun, self.present(noun, id), self.tick())

    def present(self, noun: str, id: str) -> Row:
        row = self.rows[noun].get(id) if noun in self.rows else None
        if row is None or row["is_deleted"]:
            raise LookupError(f"no {id} among {noun}")
        return row

    def planted(self, column: Column | None, value: Json) -> Json:
        if column is not None and column.data_set and value is not None and value not in self.rows["data"]:
            options = [row for row in self.live("data") if row["data_set_id"] == column.data_set]
            found = next((row["id"] for row in options if row["option_name"] == value), None)
            return found or self.plant("data", {"data_set_id": column.data_set, "option_name": value})
        if column is not None and column.type is moment and isinstance(value, str):
            return moment(value)
        if isinstance(value, dict) and "currency" in value:
            code = value["currency"]
            currency = next(row["id"] for row in self.live("currencies") if row["code"] == code)
            return {name: one for name, one in value.items() if name != "currency"} | {"currency_id": currency}
        return value

    def widen(self, field: Row) -> None:
        noun, name = NOUNS[field["entity_name"]], field["api_name"]
        if name not in self.known[noun]:
            self.known[noun][name] = custom(field["type_id"], field["data_set_id"])
            for row in self.rows[noun].values():
                row.setdefault(name, self.known[noun][name].blank)

    def stored(self, noun: str) -> list[Json]:
        if noun not in ENTITIES:
            raise LookupError(f"Pipeliner has no {noun} here")
        return list(self.rows[noun].values())


def described(noun: str, name: str, column: Column) -> Row:
    """The row in Fields of a column that every space has; that a relation goes by its id is unconfirmed."""
    singular = ENTITIES[noun].singular
    type_id = "dropdown" if column.data_set else TYPE_IDS.get(column.type.__name__, "input")
    facts: Row = {"id": named(f"field {singular} {name}"), "entity_name": singular, "api_name": name}
    facts |= {"type_id": type_id, "data_set_id": column.data_set}
    return facts | {"system_required": column.required, "system_readonly": not column.writable}


TYPE_IDS = {
    "integer": "integer", "number": "float", "flag": "checkbox", "moment": "datetime", "identifier": "lookup",
    "day": "date", "money": "currency_foreign",
}  # fmt: skip
