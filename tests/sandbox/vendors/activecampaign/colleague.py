"""What somebody does in ActiveCampaign itself: changes and deletions past the API's checks."""

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.activecampaign.custom_data import CustomData
from tests.sandbox.vendors.activecampaign.deals import COMPANY
from tests.sandbox.vendors.activecampaign.tenant import Row

CHANGED = {
    "users": None,
    "accounts": "updatedTimestamp",
    "accountContacts": "updatedTimestamp",
    "deals": "mdate",
    "fields": "udate",
}
"""Where a row tells its last change. Contacts and their custom values have a walk of their own."""


class Colleague(CustomData):
    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """`cdate` and `udate` of a contact are the vendor's to tell: they are passed over."""
        row = self.present(noun, id)
        if noun == "contacts":
            self.change_contact(row, {name: value for name, value in fields.items() if name not in ("cdate", "udate")})
        elif noun == "fieldValues":
            self.save_value(row["contact"], row["field"], fields["value"])
            self.change_contact(self.rows["contacts"][row["contact"]], {})
        else:
            told = {name: str(value) if type(value) is int else value for name, value in fields.items()}
            if noun == "deals" and "account" in told:
                told |= dict.fromkeys(COMPANY, told["account"])
            member = CHANGED[noun]
            row |= told | ({member: self.now()} if member else {})

    def erase(self, noun: str, id: str) -> None:
        """A contact stays as a row that is marked, and no list tells of it; all else is gone with what hangs on it."""
        row = self.present(noun, id)
        if noun == "contacts":
            self.remove_contact(id)
        elif noun == "fieldValues":
            self.remove_value(row)
        else:
            del self.rows[noun][id]
        if noun == "accounts":
            self.dissociate("account", id)
        if noun == "fields":
            for value in [one for one in self.rows["fieldValues"].values() if one["field"] == id]:
                self.remove_value(value)

    def present(self, noun: str, id: str) -> Row:
        if noun not in (*CHANGED, "contacts", "fieldValues"):
            raise LookupError(f"no {noun} to change here: contacts, fieldValues, {', '.join(CHANGED)}")
        row = self.rows[noun].get(id)
        if row is None or (noun == "contacts" and row["deleted"] != "0"):
            raise LookupError(f"no {id} among {noun}")
        return row
