"""What somebody does in Zoho itself, past the API's checks: records planted, changed and deleted."""

from datetime import datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.zoho.fields import FIELDS
from tests.sandbox.vendors.zoho.org import stamp
from tests.sandbox.vendors.zoho.queries import Queries
from tests.sandbox.vendors.zoho.records import Row


class Planting(Queries):
    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Fields by their API names, also those that only Zoho writes; lookups as `{"id"}`.

        `Created_Time` and `Modified_Time` are taken as given, with any offset; who gives only the first has a record
        that nobody touched since.
        """
        if noun == "users":
            return self.insert_user(dict(fields))
        if noun == "stages":
            label = fields["display_value"]
            return self.add_option("deals", "Stage", {"actual_value": label} | fields)["id"]
        if noun == "pipelines":
            stages = fields.get("stages") or [stage["id"] for stage in self.stages]
            return self.insert_pipeline(fields["display_value"], stages, default=bool(fields.get("default")))
        if noun not in self.rows:
            raise LookupError(f"Zoho has no {noun} here: {', '.join([*self.rows, 'users', 'pipelines', 'stages'])}")
        values = dict(fields)
        if noun == "deals":
            pipeline = next(row for row in self.pipelines.values() if row["default"])
            first = next(option for option in self.stages if option["id"] == pipeline["stages"][0])
            values = {"Pipeline": pipeline["display_value"], "Stage": first["display_value"]} | values
        if "Created_Time" in values:
            values = {"Modified_Time": values["Created_Time"]} | values
        return self.insert(noun, self.planted(noun, values))["id"]

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """Also of a locked record: who locked it may change it."""
        if noun == "users" and id in self.users:
            self.alter_user(id, dict(fields))
            return
        row = self.live(noun, id) if noun in self.rows else None
        if row is None:
            raise LookupError(f"Zoho has no {noun} {id} here")
        if unknown := fields.keys() - FIELDS[noun].keys():
            raise LookupError(f"{noun} have no field {', '.join(sorted(unknown))}")
        self.rewrite(noun, row, self.planted(noun, fields))

    def erase(self, noun: str, id: str) -> None:
        """Into the recycle bin; a user stays as a deleted one."""
        if noun == "users" and id in self.users:
            self.alter_user(id, {"status": "deleted"})
        elif noun in self.rows and self.live(noun, id) is not None:
            self.bin[noun][id] = self.clock()
        else:
            raise LookupError(f"Zoho has no {noun} {id} here")

    def stored(self, noun: str) -> list[Json]:
        if noun == "users":
            return list(self.users.values())
        if noun == "stages":
            return list(self.stages)
        if noun == "pipelines":
            return [self.shown_pipeline(row) for row in self.pipelines.values()]
        if noun not in self.rows:
            raise LookupError(f"Zoho has no {noun} here")
        bin_ = self.bin[noun]
        return [
            row | ({"deleted_time": stamp(bin_[number])} if number in bin_ else {})
            for number, row in self.rows[noun].items()
        ]

    def planted(self, kind: str, fields: dict[str, Json]) -> Row:
        values = dict(fields)
        for name, value in fields.items():
            field = FIELDS[kind].get(name)
            if field is None or value is None:
                continue
            if field.type == "ownerlookup":
                values[name] = self.person(value["id"])
            elif field.lookup and isinstance(value, dict):
                values[name] = self.reference(field.lookup, value)
            elif name in ("Created_Time", "Modified_Time"):
                values[name] = stamp(datetime.fromisoformat(value).timestamp())
        return values

    def alter_user(self, user_id: str, fields: dict[str, Json]) -> None:
        user = self.users[user_id]
        user |= fields | {"Modified_Time": self.now()}
        user["full_name"] = " ".join(part for part in (user["first_name"], user["last_name"]) if part)
        self.rename("users", self.person(user_id))
