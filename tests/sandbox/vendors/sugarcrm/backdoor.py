"""The control plane's way into an instance: what its users do in Sugar itself, past all checks of the API."""

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.sugarcrm.fields import FIELDS, Field, emails, moment
from tests.sandbox.vendors.sugarcrm.links import Links
from tests.sandbox.vendors.sugarcrm.query import Row

MOMENTS = ("date_entered", "date_modified")
PARTICIPANTS = {"opportunities": "contacts", "contacts": "opportunities"}


class Backdoor(Links):
    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Fields by their names; also `lists` ({list, key, label}) and `customFields` ({module, name, type, options}).

        As in a body, `contacts` of an opportunity and `opportunities` of a contact: {"add": [id, ...]}.
        `date_entered` and `date_modified` may be given as ISO 8601 with an offset, to the second; the latter is the
        former where it is not given.
        """
        if noun == "lists":
            self.lists.setdefault(fields["list"], {})[fields["key"]] = fields.get("label", fields["key"])
            return fields["key"]
        if noun == "customFields":
            field = Field(fields.get("type", "varchar"), options=fields.get("options", ""))
            if field.type == "enum" and field.options not in self.lists:
                raise LookupError(f"no list {field.options!r}: plant it first")
            self.custom[self.noun(fields["module"])][fields["name"]] = field
            for row in self.rows[self.noun(fields["module"])].values():
                row.setdefault(fields["name"], field.empty)
            return fields["name"]
        values = self.as_kept(noun, fields)
        if values.get("date_entered"):
            values = {"date_modified": values["date_entered"]} | values
        if noun == "users":
            values = {"status": "Active", "employee_status": "Active"} | values
        record_id: str = self.insert(noun, values)["id"]
        self.take_part(noun, record_id, fields)
        return record_id

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """In the form of `plant`, without moments: date_modified moves to now. What is null is emptied."""
        row, values = self.known(noun, id), self.as_kept(noun, fields)
        known = self.fields(noun)
        if unknown := values.keys() - known.keys():
            raise LookupError(f"{noun} have no field {sorted(unknown)[0]}")
        empty = {name: known[name].empty for name, value in values.items() if value is None}
        self.touch(row, values | empty)
        self.take_part(noun, id, fields)

    def erase(self, noun: str, id: str) -> None:
        """Softly, as by DELETE: a list that asks for `deleted` shows its id, and date_modified tells since when."""
        self.touch(self.known(noun, id), {"deleted": True})

    def known(self, noun: str, id: str) -> Row:
        row = self.rows.get(noun, {}).get(id)
        if row is None or row["deleted"]:
            raise LookupError(f"no {noun} of id {id}")
        return row

    def as_kept(self, noun: str, fields: dict[str, Json]) -> dict[str, Json]:
        if noun not in self.rows:
            raise LookupError(f"Sugar has no {noun} here: {', '.join([*self.rows, 'lists', 'customFields'])}")
        self.added(noun, fields)
        values = {name: value for name, value in fields.items() if name != PARTICIPANTS.get(noun)}
        values |= {name: moment(values[name]) for name in MOMENTS if isinstance(values.get(name), str)}
        if values.get("email") is not None:
            values["email"] = emails(values["email"])
        return values | {
            name: str(values[name])
            for name, field in FIELDS[noun].items()
            if field.type == "decimal" and values.get(name) is not None
        }

    def added(self, noun: str, fields: dict[str, Json]) -> list[str]:
        other = PARTICIPANTS.get(noun, "")
        ids = [str(one) for one in (fields.get(other) or {}).get("add", [])]
        if missing := [one for one in ids if one not in self.rows[other]]:
            raise LookupError(f"no {other} of id {missing[0]}")
        return ids

    def take_part(self, noun: str, record_id: str, fields: dict[str, Json]) -> None:
        pairs = [(record_id, one) for one in self.added(noun, fields)]
        self.participants += pairs if noun == "opportunities" else [(far, near) for near, far in pairs]

    def stored(self, noun: str) -> list[Json]:
        if noun not in self.rows:
            raise LookupError(f"Sugar has no {noun} here")
        whole_rows = [self.shown(noun, row | {"deleted": False}) for row in self.rows[noun].values()]
        deleted = [row["deleted"] for row in self.rows[noun].values()]
        return [row | {"deleted": gone} for row, gone in zip(whole_rows, deleted, strict=True)]
