"""What somebody does in the environment itself, past the API's checks: records planted, changed and deleted."""

from tests.sandbox.exchange import Json, RefusalError
from tests.sandbox.vendors.msdynamics.environment import Row
from tests.sandbox.vendors.msdynamics.metadata import Metadata
from tests.sandbox.vendors.msdynamics.tables import TABLES, Table
from tests.sandbox.vendors.msdynamics.values import RejectedError, guid, read


class Planting(Metadata):
    def plant(self, noun: str, fields: Row) -> str | int:
        """Columns by their names, also those that are read only; lookups by `_x_value`.

        `createdon` and `modifiedon` are taken as given; who gives only the first has a row that nobody touched since.
        """
        table = self.table(noun)
        values = self.planted(table, fields)
        if "createdon" in values:
            values = {"modifiedon": values["createdon"]} | values
        if values.get(table.key) in self.rows[noun]:
            raise ValueError(f"there is one of that id: {values[table.key]}")
        try:
            return str(self.insert(table, values)[table.key])
        except RefusalError as odd:
            raise ValueError(odd.answer.body["error"]["message"]) from odd

    def alter(self, noun: str, id: str, fields: Row) -> None:
        """`modifiedon` and the row version move, whatever the change is."""
        table, row = self.there(noun, id)
        values = self.planted(table, fields)
        if table.key in values:
            raise ValueError(f"{table.key} never changes")
        try:
            if "statecode" in table.columns:
                self.agree(table, row, values)
        except RefusalError as odd:
            raise ValueError(odd.answer.body["error"]["message"]) from odd
        self.store(table, row, values)

    def erase(self, noun: str, id: str) -> None:
        """Told by change tracking where that is on, and by nothing else. Users are disabled, never deleted."""
        table, row = self.there(noun, id)
        if noun == "systemusers":
            raise ValueError("a user cannot be deleted: set isdisabled")
        self.remove(table, row)

    def stored(self, noun: str) -> list[Json]:
        rows = self.rows[self.table(noun).entity_set]
        return [*rows.values(), *(row | {"@deleted": True} for row in self.gone[noun])]

    def table(self, noun: str) -> Table:
        if noun not in TABLES:
            raise LookupError(f"this environment has no {noun}: {', '.join(TABLES)}")
        return TABLES[noun]

    def there(self, noun: str, record_id: str) -> tuple[Table, Row]:
        table = self.table(noun)
        row = self.rows[noun].get(guid(record_id) or "")
        if row is None:
            raise LookupError(f"there is no {table.logical_name} {record_id}")
        return table, row

    def planted(self, table: Table, fields: Row) -> Row:
        values: Row = {}
        for name, value in fields.items():
            if name in table.columns:
                try:
                    values[name] = read(table, table.columns[name], value)
                except RejectedError as odd:
                    raise ValueError(str(odd)) from odd
            elif name in table.values:
                targets = (one for sets in table.values[name].navigations.values() for one in sets)
                if value is not None and not any(value in self.rows.get(entity_set, {}) for entity_set in targets):
                    raise LookupError(f"{name} leads nowhere: {value}")
                values[name] = value
            else:
                raise LookupError(f"{table.logical_name} has no column {name}")
        return values
