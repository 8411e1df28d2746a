"""What is there before a test begins, and what people at the CRM do meanwhile: the control plane's side."""

from datetime import UTC, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.close.fields import PARTS_OF_ADDRESS, stamp
from tests.sandbox.vendors.close.opportunities import Opportunities

STAMPS = ("date_created", "date_updated")


class Colleagues(Opportunities):
    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """`date_created` and `date_updated` (ISO 8601) are kept to the millisecond; without a date_updated a record was
        not touched since its date_created.

        What is planted with such a moment was there at it: lists that are behind have it, and its lead does not change.
        A planted lead's contacts are as old as it is.
        """
        if noun not in (*self.records, "users", "opportunities"):
            raise LookupError(f"Close has no {noun} here: leads, contacts, users, opportunities")
        fields = dated(fields)
        age = {name: fields[name] for name in STAMPS if name in fields}
        match noun:
            case "users":
                return self.add_user(fields)
            case "opportunities":
                return self.insert_opportunity(fields)["id"]
            case "leads":
                contacts = [age | complete({"emails": [], "phones": []} | one) for one in fields.get("contacts") or []]
                lead = self.insert_lead(complete({"addresses": []} | fields) | {"contacts": contacts})["id"]
                for contact in self.contacts_of[lead]:
                    self.settle("contacts", contact, age)
                return self.settle("leads", lead, age)
            case _:
                lead = fields.get("lead_id") or self.settle("leads", self.insert_lead(dict(age))["id"], age)
                values = complete({"emails": [], "phones": []} | fields) | {"lead_id": lead}
                return self.settle("contacts", self.insert_contact(values, touches=not age)["id"], age)

    def settle(self, kind: str, record_id: str, age: dict[str, Json]) -> str:
        """As if it had been written then, and never since."""
        if age:
            record = self.records[kind][record_id]
            record.row |= age
            record.written = [(datetime.fromisoformat(age["date_updated"]).timestamp(), record.row)]
        return record_id

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """E-mails, phones and addresses are replaced as a whole; a lead's contacts stay. A contact may be moved."""
        row, now = self.there(noun, id), stamp(self.clock())
        match noun:
            case "leads":
                self.write("leads", row, complete({name: fields[name] for name in fields.keys() - {"contacts"}}))
            case "contacts":
                lead = fields.get("lead_id") or row["lead_id"]
                if lead != row["lead_id"]:
                    self.contacts_of[lead].append(id)
                    self.contacts_of[row["lead_id"]].remove(id)
                    self.touch(row["lead_id"])
                self.write("contacts", row, complete(fields))
                self.touch(lead)
            case "opportunities":
                row |= fields | {"date_updated": now}
                self.touch(row["lead_id"])
            case _:
                row |= fields | {"date_updated": now}

    def erase(self, noun: str, id: str) -> None:
        """A lead takes its contacts and opportunities along. Users are not deleted: records go on naming them."""
        row = self.there(noun, id)
        match noun:
            case "leads":
                self.drop_lead(id)
            case "contacts":
                self.drop_contact(row)
            case "opportunities":
                self.drop_opportunity(row)
            case _:
                raise LookupError(f"Close deletes no {noun} here")

    def there(self, noun: str, id: str) -> dict[str, Json]:
        """A record as it is now."""
        rows = {kind: {key: record.row for key, record in self.alive(kind).items()} for kind in self.records}
        rows |= {"users": self.users, "opportunities": self.opportunities}
        if id not in rows.get(noun, {}):
            raise LookupError(f"Close has no {noun} {id}: {', '.join(rows)}")
        return rows[noun][id]

    def stored(self, noun: str) -> list[Json]:
        """Deleted ones say so, in a member that Close does not know."""
        if noun in self.records:
            show = self.lead if noun == "leads" else self.contact
            found = self.records[noun].values()
            return [show(one.row) | ({} if one.alive else {"_deleted": True}) for one in found]
        others = {
            "users": self.users,
            "lead_statuses": self.lead_statuses,
            "opportunity_statuses": self.stages,
            "pipelines": self.pipelines,
            "opportunities": {key: self.opportunity(row) for key, row in self.opportunities.items()},
        }
        if noun not in others:
            raise LookupError(f"Close has no {noun} here: {', '.join([*self.records, *others])}")
        return list(others[noun].values())


def complete(fields: dict[str, Json]) -> dict[str, Json]:
    """With the members of e-mails, phones and addresses that every answer has."""
    blanks = {
        "emails": {"type": "office", "is_unsubscribed": False},
        "phones": {"type": "office", "country": None},
        "addresses": dict.fromkeys((*PARTS_OF_ADDRESS, "country"), ""),
    }
    whole = {name: [blank | one for one in fields[name] or []] for name, blank in blanks.items() if name in fields}
    for one in whole.get("phones", []):
        one.setdefault("phone_formatted", one["phone"])
    return fields | whole


def dated(fields: dict[str, Json]) -> dict[str, Json]:
    """With moments as Close writes them."""
    given = {name: datetime.fromisoformat(fields[name]).astimezone(UTC) for name in STAMPS if fields.get(name)}
    if "date_created" in given:
        given.setdefault("date_updated", given["date_created"])
    whole = {name: moment.replace(microsecond=moment.microsecond // 1000 * 1000) for name, moment in given.items()}
    return fields | {name: moment.isoformat(timespec="microseconds") for name, moment in whole.items()}
