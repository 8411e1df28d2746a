"""What somebody does in Nutshell itself: changes and deletions past the API's checks, which the change log tells."""

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.nutshell.fields import Written
from tests.sandbox.vendors.nutshell.leads import Leads

COLLEAGUE = "2-users"


class Colleague(Leads):
    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """Nothing happens, and no event is there, where nothing is different; a custom value of null is taken away."""
        if noun in self.lookups:
            row = self.lookups[noun][id]
            row |= fields | ({"modifiedTime": int(self.clock())} if "modifiedTime" in row else {})
            if noun == "users":
                row["firstName"] = str(row["name"]).split()[0]
            return
        record = self.rows[noun].get(id) if noun in self.rows else None
        if record is None or record.deleted is not None:
            raise LookupError(f"no {id} among {noun}")
        self.acting, new = COLLEAGUE, self.planted(noun, fields)
        custom: dict[str, Json] = {**record.custom, **new.custom}
        kept = {name: value for name, value in custom.items() if value is not None}
        self.rewrite(record, Written(record.values | new.values, record.links | new.links, kept))

    def erase(self, noun: str, id: str) -> None:
        """Sources and tags are marked, other look-up rows are gone; a record is in the log of deletions."""
        if noun in self.lookups:
            row = self.lookups[noun][id]
            if "deletedTime" in row:
                row["deletedTime"] = int(self.clock())
            else:
                del self.lookups[noun][id]
            return
        record = self.rows[noun].get(id) if noun in self.rows else None
        if record is None or record.deleted is not None:
            raise LookupError(f"no {id} among {noun}")
        self.acting = COLLEAGUE
        self.bury(record)
