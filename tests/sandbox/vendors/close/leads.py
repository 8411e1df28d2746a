"""Leads with their contacts, and custom fields.

https://developer.close.com/resources/leads
https://developer.close.com/resources/custom-fields
"""

from dataclasses import dataclass, field

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.fields import (
    CONTACT,
    LEAD,
    PARTS_OF_ADDRESS,
    Custom,
    Reader,
    cleaned,
    filled,
    flag,
    many,
    nested,
    new_id,
    one_of,
    reference,
    refused,
    sorted_out,
    stamp,
    text,
)
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, chosen, missing
from tests.sandbox.vendors.close.pipelines import Pipelines

OF = '<any("lead", "contact", "opportunity"):of>'
PLURAL = {"lead": "leads", "contact": "contacts"}
SEEDED = (
    ("lead", "Favourite colour", {"type": "text"}),
    ("lead", "Tier", {"type": "choices", "choices": ["Gold", "Silver", "Bronze"]}),
    ("lead", "Channels", {"type": "choices", "choices": ["Fair", "Web", "Phone"], "accepts_multiple_values": True}),
    ("lead", "Contract end", {"type": "date"}),
    ("lead", "Score", {"type": "number"}),
    ("contact", "Favourite colour", {"type": "text"}),
    ("opportunity", "Favourite colour", {"type": "text"}),
)
CUSTOM_FIELD: dict[str, Reader] = {
    "name": filled(text),
    "type": one_of("text", "textarea", "number", "date", "datetime", "choices", "user", "contact"),
    "description": text,
    "choices": many(filled(text)),
    "accepts_multiple_values": flag,
}


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


class Leads(Pipelines):
    def clear(self) -> None:
        super().clear()
        self.records: dict[str, dict[str, Record]] = {"leads": {}, "contacts": {}}
        self.contacts_of: dict[str, list[str]] = {}
        self.custom: dict[str, dict[str, Custom]] = {"lead": {}, "contact": {}, "opportunity": {}}
        for of, name, values in SEEDED:
            self.add_custom(of, {"name": name} | values, new_id("cf_", f"{of} {name}"))

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
        lead_id = self.live("leads", request)["id"]
        self.opportunities = {key: row for key, row in self.opportunities.items() if row["lead_id"] != lead_id}
        for contact in self.contacts_of.pop(lead_id, []):
            self.bury("contacts", contact)
        self.bury("leads", lead_id)
        return Answer(200, {})

    @route("GET", f"{V1}/lead/", label="leads", scope=FULL_ACCESS)
    def list_leads(self, request: Request) -> Answer:
        """Neither a filter by date nor an order to choose; the newest change comes first, so pages move."""
        at, query = self.clock() - self.settings["list_lag"], request.query
        rows = self.rows("leads", at)
        if "id__in" in query:
            rows = [row for row in rows if row["id"] in query["id__in"].split(",")]
        views = [self.lead(row, at) for row in rows]
        for word in query.get("query", "").lower().split():
            views = [view for view in views if word in haystack(view)]
        return self.page(request, views, total_results=len(views))

    @route("POST", f"{V1}/lead/merge/", label="leads/merge", scope=FULL_ACCESS)
    def merge_leads(self, request: Request) -> Answer:
        known = filled(reference(self.alive("leads")))
        pair = cleaned(self.body(request), {"source": known, "destination": known}, "source", "destination")
        source, destination = pair["source"], pair["destination"]
        if source == destination:
            raise refused({"destination": "Source and destination must differ."})
        for contact in self.contacts_of.pop(source, []):
            self.write("contacts", self.records["contacts"][contact].row, {"lead_id": destination})
            self.contacts_of[destination].append(contact)
        for row in self.opportunities.values():
            row["lead_id"] = destination if row["lead_id"] == source else row["lead_id"]
        self.bury("leads", source)
        self.write("leads", self.records["leads"][destination].row, {})
        return Answer(200, {})

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
        if len(self.alive("leads")) >= self.settings["leads_on_plan"]:
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
                "contacts": [self.contact(contact) for contact in contacts],
                "opportunities": [
                    self.opportunity(one) for one in self.opportunities.values() if one["lead_id"] == row["id"]
                ],
                "tasks": [],
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
        row = self.live("contacts", request)
        self.contacts_of[row["lead_id"]].remove(row["id"])
        self.bury("contacts", row["id"])
        self.touch(row["lead_id"])
        return Answer(200, {})

    @route("GET", f"{V1}/contact/", label="contacts", scope=FULL_ACCESS)
    def list_contacts(self, request: Request) -> Answer:
        """The lead is the only filter. The cap on `_limit` is not published: here it is the default."""
        rows, lead = self.rows("contacts", self.clock() - self.settings["list_lag"]), request.query.get("lead_id")
        views = [self.contact(row) for row in rows if lead in (None, row["lead_id"])]
        return self.page(request, views, 100, total_results=len(views))

    def insert_contact(self, values: dict[str, Json]) -> dict[str, Json]:
        blank: dict[str, Json] = {"name": "", "title": "", "emails": [], "phones": [], "urls": []}
        contact = self.insert("contacts", "cont_", blank | {"timezone": None, "timezone_source": None} | values)
        self.contacts_of[contact["lead_id"]].append(contact["id"])
        self.touch(contact["lead_id"])
        return contact

    def contact(self, row: dict[str, Json]) -> dict[str, Json]:
        shown = {name: value for name, value in row.items() if not name.startswith("custom.")}
        first = next((email["email"] for email in row["emails"]), "")
        return shown | {"display_name": row["name"] or first} | self.shown_values("contact", row)

    # Custom fields.

    @route("GET", f"{V1}/custom_field/{OF}/", label="custom_fields/{of}", scope=FULL_ACCESS)
    def list_custom(self, request: Request) -> Answer:
        return self.page(request, [custom.row for custom in self.custom[request.args["of"]].values()], 100)

    @route("POST", f"{V1}/custom_field/{OF}/", label="custom_fields/{of}", scope=FULL_ACCESS)
    def create_custom(self, request: Request) -> Answer:
        values = cleaned(self.body(request), CUSTOM_FIELD, "name", "type")
        if values["type"] == "choices" and not values.get("choices"):
            raise refused({"choices": "This field is required."})
        return Answer(200, self.add_custom(request.args["of"], values).row)

    @route("GET", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def get_custom(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.custom_field(request).row))

    @route("PUT", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def update_custom(self, request: Request) -> Answer:
        custom = self.custom_field(request)
        custom.row |= cleaned(self.body(request), CUSTOM_FIELD) | {"date_updated": stamp(self.clock())}
        return Answer(200, custom.row)

    @route("DELETE", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def delete_custom(self, request: Request) -> Answer:
        """Its values vanish with it."""
        del self.custom[request.args["of"]][self.custom_field(request).id]
        return Answer(200, {})

    def custom_field(self, request: Request) -> Custom:
        found = self.custom[request.args["of"]].get(request.args["id"])
        if found is None:
            raise missing()
        return found

    def add_custom(self, of: str, values: dict[str, Json], field_id: str | None = None) -> Custom:
        field_id, now = field_id or new_id("cf_"), stamp(self.clock())
        row: dict[str, Json] = {"id": field_id, "description": "", "accepts_multiple_values": False}
        row |= {"organization_id": ORGANIZATION, "created_by": self.me, "updated_by": self.me, "is_shared": False}
        row |= {"date_created": now, "date_updated": now, "editable_with_roles": []} | values
        self.custom[of][field_id] = Custom(field_id, row)
        return self.custom[of][field_id]

    def custom_readers(self, of: str, body: dict[str, Json]) -> dict[str, Reader]:
        """Of every field that is there, and a refusal for each that is named without being there."""
        people = {contact: record.row for contact, record in self.alive("contacts").items()}
        known = {one.key: one.reader(self.users, people) for one in self.custom[of].values()}
        strange = [name for name in body if name.startswith("custom.") and name not in known]
        return known | dict.fromkeys(strange, reference({}))

    def shown_values(self, of: str, row: dict[str, Json]) -> dict[str, Json]:
        """An empty custom field does not appear."""
        keys = [custom.key for custom in self.custom[of].values()]
        return {key: row[key] for key in keys if row.get(key) not in (None, "", [])}

    # The store.

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

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        match noun:
            case "leads":
                blank = dict.fromkeys((*PARTS_OF_ADDRESS, "country"), "")
                addresses = [blank | one for one in fields.get("addresses") or []]
                contacts = [planted(one) for one in fields.get("contacts") or []]
                return self.insert_lead(fields | {"addresses": addresses, "contacts": contacts})["id"]
            case "contacts":
                lead = fields.get("lead_id") or self.insert_lead({})["id"]
                return self.insert_contact(planted(fields) | {"lead_id": lead})["id"]
            case "users":
                return self.add_user(fields)
            case _:
                raise LookupError(f"Close has no {noun} here: leads, contacts, users, opportunities")

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


def planted(contact: dict[str, Json]) -> dict[str, Json]:
    """With the members of e-mails and phones that every answer has."""
    emails = [{"type": "office", "is_unsubscribed": False} | one for one in contact.get("emails") or []]
    blank = {"type": "office", "country": None}
    phones = [blank | {"phone_formatted": one["phone"]} | one for one in contact.get("phones") or []]
    return contact | {"emails": emails, "phones": phones}


def haystack(lead: dict[str, Json]) -> str:
    emails = [email["email"] for contact in lead["contacts"] for email in contact["emails"]]
    return " ".join([lead["name"], lead["description"], *(one["name"] for one in lead["contacts"]), *emails]).lower()
