"""Leads with their contacts.

https://developer.close.com/resources/leads
https://developer.close.com/resources/contacts
"""

from dataclasses import dataclass, field

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.custom import CustomFields
from tests.sandbox.vendors.close.fields import (
    CONTACT,
    LEAD,
    Reader,
    cleaned,
    filled,
    many,
    nested,
    new_id,
    reference,
    refused,
    sorted_out,
    stamp,
)
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, chosen, missing

PLURAL = {"lead": "leads", "contact": "contacts"}


@dataclass
class Record:
    """A lead or a contact, and everything that it was before: lists are behind."""

    row: dict[str, Json]
    written: list[tuple[float, dict[str, Json] | None]] = field(
        default_factory=list[tuple[float, dict[str, Json] | None]]
    )

    @property
    def alive(self) -> bool:
        return self.written[-1][1] is not None

    def at(self, moment: float) -> dict[str, Json] | None:
        return next((row for written, row in reversed(self.written) if written <= moment), None)


class Leads(CustomFields):
    def clear(self) -> None:
        super().clear()
        self.records: dict[str, dict[str, Record]] = {"leads": {}, "contacts": {}}
        self.contacts_of: dict[str, list[str]] = {}

    # Leads.

    @route("POST", f"{V1}/lead/", label="leads", scope=FULL_ACCESS)
    def create_lead(self, request: Request) -> Answer:
        """200; everything is optional, contacts may come along."""
        body = self.body(request)
        contact = nested(CONTACT | self.custom_readers("contact", {}))
        values = self.values("lead", body, LEAD | {"contacts": many(contact)})
        values["status_id"] = self.status(body) or next(iter(self.lead_statuses))
        return Answer(200, self.lead(self.insert_lead(values)))

    @route("GET", f"{V1}/lead/<id>/", label="leads/{{id}}", scope=FULL_ACCESS)
    def get_lead(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.lead(self.readable("leads", request))))

    @route("PUT", f"{V1}/lead/<id>/", label="leads/{{id}}", scope=FULL_ACCESS)
    def update_lead(self, request: Request) -> Answer:
        """Only what is named changes. Contacts have their own path; what a list of them does here nobody says."""
        row, body = self.live("leads", request), self.body(request)
        if "contacts" in body:
            raise refused({"contacts": "Value cannot be changed."})
        values = self.values("lead", body, LEAD)
        if status := self.status(body):
            values["status_id"] = status
        self.write("leads", row, values)
        return Answer(200, self.lead(self.records["leads"][row["id"]].row))

    @route("DELETE", f"{V1}/lead/<id>/", label="leads/{{id}}", scope=FULL_ACCESS)
    def delete_lead(self, request: Request) -> Answer:
        """Takes its contacts and opportunities along."""
        self.drop_lead(self.live("leads", request)["id"])
        return Answer(200, {})

    def drop_lead(self, lead_id: str) -> None:
        self.opportunities = {key: row for key, row in self.opportunities.items() if row["lead_id"] != lead_id}
        for contact in self.contacts_of.pop(lead_id, []):
            self.bury("contacts", contact)
        self.bury("leads", lead_id)

    @route("GET", f"{V1}/lead/", label="leads", scope=FULL_ACCESS)
    def list_leads(self, request: Request) -> Answer:
        """Neither a filter by date nor an order to choose; the newest change comes first, so pages move."""
        at, query = self.clock() - self.settings["list_lag"], request.query
        rows = self.rows("leads", at)
        if "id__in" in query:
            rows = [row for row in rows if row["id"] in query["id__in"].split(",")]
        for word in query.get("query", "").lower().split():
            rows = [row for row in rows if word in haystack(self.lead(row, at))]
        return self.page(request, rows, show=lambda row: self.lead(row, at), total_results=len(rows))

    @route("POST", f"{V1}/lead/merge/", label="leads/merge", scope=FULL_ACCESS)
    def merge_leads(self, request: Request) -> Answer:
        known = filled(reference(self.alive("leads")))
        pair = cleaned(self.body(request), {"source": known, "destination": known}, "source", "destination")
        source, destination = pair["source"], pair["destination"]
        if source == destination:
            raise refused({"destination": "Source and destination must differ."})
        self.absorb(source, destination)
        return Answer(200, {})

    def absorb(self, source: str, destination: str) -> None:
        for contact in self.contacts_of.pop(source, []):
            self.write("contacts", self.records["contacts"][contact].row, {"lead_id": destination})
            self.contacts_of[destination].append(contact)
        for row in self.opportunities.values():
            row["lead_id"] = destination if row["lead_id"] == source else row["lead_id"]
        self.bury("leads", source)
        self.touch(destination)

    def status(self, body: dict[str, Json]) -> str | None:
        """`status_id`, or the label as `status`, but not both."""
        if body.get("status_id") is not None and body.get("status") is not None:
            raise refused({"status": "Either status or status_id, not both."})
        if body.get("status") is None:
            readers: dict[str, Reader] = {"status_id": reference(self.lead_statuses)}
            return cleaned(body, readers).get("status_id")
        ids = [row["id"] for row in self.lead_statuses.values() if row["label"] == body["status"]]
        if not ids:
            raise refused({"status": "Not a valid choice."})
        return ids[0]

    def status_is_used(self, status_id: str) -> bool:
        return any(record.row["status_id"] == status_id for record in self.alive("leads").values())

    def insert_lead(self, values: dict[str, Json]) -> dict[str, Json]:
        most = self.settings["leads_on_plan"]
        if len(self.records["leads"]) >= most and len(self.alive("leads")) >= most:
            raise RefusalError(Answer(402, {"error": "Your plan's limit of leads is reached."}))
        contacts = values.pop("contacts", None) or []
        blank: dict[str, Json] = {"name": "", "description": "", "url": None, "addresses": []}
        first = next(iter(self.lead_statuses))
        lead = self.insert("leads", "lead_", blank | {"status_id": first} | values)
        self.contacts_of[lead["id"]] = []
        for contact in contacts:
            self.insert_contact(contact | {"lead_id": lead["id"]})
        return self.records["leads"][lead["id"]].row  # as its contacts have touched it

    def lead(self, row: dict[str, Json], at: float | None = None) -> dict[str, Json]:
        """A lead as it is shown, with its contacts inside."""
        found = [self.records["contacts"][contact] for contact in self.contacts_of.get(row["id"], [])]
        contacts = [seen for record in found if (seen := record.row if at is None else record.at(at))]
        deals = [self.opportunity(one) for one in self.opportunities.values() if one["lead_id"] == row["id"]]
        inside = {"contacts": [self.contact(contact) for contact in contacts], "opportunities": deals, "tasks": []}
        return self.lead_alone(row) | inside

    def lead_alone(self, row: dict[str, Json]) -> dict[str, Json]:
        shown = {name: value for name, value in row.items() if not name.startswith("custom.")}
        values = self.shown_values("lead", row)
        names = {self.custom["lead"][key.removeprefix("custom.")].row["name"]: value for key, value in values.items()}
        return (
            shown
            | {
                "display_name": self.display_name(row),
                "html_url": f"https://app.close.com/lead/{row['id']}/",
                "status_label": self.lead_statuses.get(row["status_id"], {}).get("label"),
                "created_by_name": self.called(row["created_by"]),
                "updated_by_name": self.called(row["updated_by"]),
                "custom": names,
            }
            | values
        )

    def display_name(self, row: dict[str, Json]) -> str:
        """Its name, else that of its first contact."""
        found = (self.records["contacts"][contact].row["name"] for contact in self.contacts_of.get(row["id"], []))
        return row["name"] or next(found, "") or "Untitled"

    def opportunity(self, row: dict[str, Json]) -> dict[str, Json]:
        raise NotImplementedError

    # Contacts.

    @route("POST", f"{V1}/contact/", label="contacts", scope=FULL_ACCESS)
    def create_contact(self, request: Request) -> Answer:
        """Without a lead_id nothing is refused: an untitled lead is made for it."""
        known: dict[str, Reader] = {"lead_id": reference(self.alive("leads"))}
        values = self.values("contact", self.body(request), CONTACT | known)
        if not values.get("lead_id"):
            values["lead_id"] = self.insert_lead({})["id"]
        return Answer(200, chosen(request, self.contact(self.insert_contact(values))))

    @route("GET", f"{V1}/contact/<id>/", label="contacts/{{id}}", scope=FULL_ACCESS)
    def get_contact(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.contact(self.readable("contacts", request))))

    @route("PUT", f"{V1}/contact/<id>/", label="contacts/{{id}}", scope=FULL_ACCESS)
    def update_contact(self, request: Request) -> Answer:
        """E-mails and phones are replaced as a whole; the lead changes with its contact."""
        row, body = self.live("contacts", request), self.body(request)
        if body.get("lead_id", row["lead_id"]) != row["lead_id"]:
            raise refused({"lead_id": "Value cannot be changed."})
        self.write("contacts", row, self.values("contact", body, CONTACT))
        self.touch(row["lead_id"])
        return Answer(200, chosen(request, self.contact(self.records["contacts"][row["id"]].row)))

    @route("DELETE", f"{V1}/contact/<id>/", label="contacts/{{id}}", scope=FULL_ACCESS)
    def delete_contact(self, request: Request) -> Answer:
        """No list and no search tells of it, only the event log: who is deleted is just not there any more."""
        self.drop_contact(self.live("contacts", request))
        return Answer(200, {})

    def drop_contact(self, row: dict[str, Json]) -> None:
        self.contacts_of[row["lead_id"]].remove(row["id"])
        self.bury("contacts", row["id"])
        self.touch(row["lead_id"])

    @route("GET", f"{V1}/contact/", label="contacts", scope=FULL_ACCESS)
    def list_contacts(self, request: Request) -> Answer:
        """The lead is the only filter, and there is no order to choose: the newest change first, so pages move.

        The cap on `_limit` is not published: here it is the default.
        """
        rows, lead = self.rows("contacts", self.clock() - self.settings["list_lag"]), request.query.get("lead_id")
        rows = [row for row in rows if lead in (None, row["lead_id"])]
        return self.page(request, rows, 100, show=self.contact, total_results=len(rows))

    def insert_contact(self, values: dict[str, Json], *, touches: bool = True) -> dict[str, Json]:
        blank: dict[str, Json] = {"name": "", "title": "", "emails": [], "phones": [], "urls": []}
        contact = self.insert("contacts", "cont_", blank | {"timezone": None, "timezone_source": None} | values)
        self.contacts_of[contact["lead_id"]].append(contact["id"])
        if touches:
            self.touch(contact["lead_id"])
        return contact

    def contact(self, row: dict[str, Json]) -> dict[str, Json]:
        shown = {name: value for name, value in row.items() if not name.startswith("custom.")}
        first = next((email["email"] for email in row["emails"]), "")
        return shown | {"display_name": row["name"] or first} | self.shown_values("contact", row)

    # The store.

    def custom_readers(self, of: str, body: dict[str, Json]) -> dict[str, Reader]:
        """Of every field that is there, and a refusal for each that is named without being there."""
        people = {contact: record.row for contact, record in self.alive("contacts").items()}
        known = {one.key: one.reader(self.users, people) for one in self.custom[of].values()}
        strange = [name for name in body if name.startswith("custom.") and name not in known]
        return known | dict.fromkeys(strange, reference({}))

    def values(self, of: str, body: dict[str, Json], readers: dict[str, Reader]) -> dict[str, Json]:
        good, bad = sorted_out(body, readers | self.custom_readers(of, body))
        if bad:
            raise refused(bad)
        return good

    def alive(self, kind: str) -> dict[str, Record]:
        return {record_id: record for record_id, record in self.records[kind].items() if record.alive}

    def live(self, kind: str, request: Request) -> dict[str, Json]:
        record = self.records[kind].get(request.args["id"])
        if record is None or not record.alive:
            raise missing()
        return record.row

    def readable(self, kind: str, request: Request) -> dict[str, Json]:
        """For a while a read can find what is deleted already."""
        record = self.records[kind].get(request.args["id"])
        if record and not record.alive and self.clock() < record.written[-1][0] + self.settings["deleted_lag"]:
            return record.row
        return self.live(kind, request)

    def rows(self, kind: str, at: float) -> list[dict[str, Json]]:
        """As they were then, the newest change first."""
        seen = [row for record in self.records[kind].values() if (row := record.at(at))]
        return sorted(seen, key=lambda row: row["date_updated"], reverse=True)

    def insert(self, kind: str, prefix: str, values: dict[str, Json]) -> dict[str, Json]:
        now = stamp(self.clock())
        row: dict[str, Json] = {"id": new_id(prefix), "organization_id": ORGANIZATION, "integration_links": []}
        row |= {"created_by": self.me, "updated_by": self.me, "date_created": now, "date_updated": now} | values
        self.records[kind][row["id"]] = Record(row, [(self.clock(), row)])
        return row

    def write(self, kind: str, row: dict[str, Json], values: dict[str, Json]) -> None:
        record, now = self.records[kind][row["id"]], self.clock()
        record.row = record.row | values | {"date_updated": stamp(now), "updated_by": self.me}
        record.written.append((now, record.row))

    def touch(self, lead_id: str) -> None:
        self.write("leads", self.records["leads"][lead_id].row, {})

    def bury(self, kind: str, record_id: str) -> None:
        self.records[kind][record_id].written.append((self.clock(), None))


def haystack(lead: dict[str, Json]) -> str:
    emails = [email["email"] for contact in lead["contacts"] for email in contact["emails"]]
    return " ".join([lead["name"], lead["description"], *(one["name"] for one in lead["contacts"]), *emails]).lower()
