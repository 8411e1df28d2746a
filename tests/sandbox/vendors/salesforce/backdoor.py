"""The control plane's way into an org: what its users do in Salesforce itself, past all checks of the API."""

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.salesforce.fields import METADATA, SCHEMA, RejectedError, read
from tests.sandbox.vendors.salesforce.org import NOUNS, SOBJECTS, derived
from tests.sandbox.vendors.salesforce.query import Queries

STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


class Backdoor(Queries):
    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Fields by their names, read-only ones too.

        `CreatedDate`, `LastModifiedDate` and `SystemModstamp` may be given as ISO 8601, to the second; each is as the
        one before it where it is not given. (The vendor has no way to choose the last of them.)
        """
        sobject = self.known_sobject(noun)
        values = self.read_fields(sobject, fields)
        given = [values[name] for name in STAMPS if values.get(name)]
        for name in STAMPS if given else ():
            values[name] = given[0] = values.get(name) or given[0]
        return self.insert(sobject, values)

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """In the form of `plant`; null clears. LastModifiedDate and SystemModstamp move to now."""
        sobject = self.known_sobject(noun)
        row = self.known_row(sobject, id)
        values = self.read_fields(sobject, fields)
        if "StageName" in values:  # the chance and the forecast begin anew with the stage
            row |= dict.fromkeys(("Probability", "ForecastCategoryName"))
        row |= values
        self.touch(derived(sobject, row))
        if sobject == "OpportunityContactRole":
            self.settle_roles(row)

    def erase(self, noun: str, id: str) -> None:
        """Into the recycle bin. A user cannot be deleted, and is switched off instead."""
        sobject = self.known_sobject(noun)
        if sobject in METADATA:
            raise LookupError(f"{noun} are metadata, which nobody deletes here")
        row = self.known_row(sobject, id)
        row["IsActive" if sobject == "User" else "IsDeleted"] = sobject != "User"
        self.touch(row)
        if sobject == "OpportunityContactRole":
            self.settle_roles(row)

    def stored(self, noun: str) -> list[Json]:
        return list(self.rows[self.known_sobject(noun)].values())

    def known_sobject(self, noun: str) -> str:
        if noun not in SOBJECTS:
            raise LookupError(f"this org has no {noun}: {', '.join(NOUNS)}")
        return SOBJECTS[noun]

    def known_row(self, sobject: str, id: str) -> dict[str, Json]:
        row = self.rows[sobject].get(id)
        if row is None or row.get("IsDeleted"):
            raise LookupError(f"no {sobject} has the id {id}")
        return row

    def read_fields(self, sobject: str, fields: dict[str, Json]) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for name, value in fields.items():
            if name.lower() not in SCHEMA[sobject]:
                raise LookupError(f"{sobject} has no field {name}")
            field = SCHEMA[sobject][name.lower()]
            try:
                values[field.name] = read(field, value)
            except RejectedError as odd:
                raise ValueError(str(odd)) from odd
        return values
