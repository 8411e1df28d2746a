"""Contacts, which a lead becomes, and the values of their custom fields.

https://developers.activecampaign.com/reference/create-a-new-contact
https://developers.activecampaign.com/reference/list-all-contacts
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.sandbox.exchange import Answer, RefusalError, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.activecampaign.refusals import (
    absent,
    bad_request,
    dangling,
    email_taken,
    invalid,
    missing,
)
from tests.sandbox.vendors.activecampaign.sideloading import Sideloading
from tests.sandbox.vendors.activecampaign.tenant import LOCAL, PREFIX, WRITES, Row, plain

CREATED = (
    "email", "firstName", "lastName", "cdate", "udate", "phone", "orgid", "orgname", "links", "id", "organization",
)  # fmt: skip
UPSERTED = (*CREATED, "hash")
UNTOLD = ("last_click_date", "last_open_date", "last_mpp_open_date", "whatsapp_id", "whatsapp_username")
"""On reads only."""
ONCE_UPDATED: Row = {
    "ua": "",
    "created_by": "0",
    "updated_by": "0",
    "best_send_hour": "0",
    "sms_consent": "0",
    "sms_consent_updated_at": "0000-00-00 00:00:00",
}
"""What was null turns into these at the first PUT (recorded): an empty date is not always null."""
ZEROS = ("orgid", "bounced_hard", "bounced_soft", "ip", "sentcnt", "gravatar", "deleted", "anonymized", "mpp_tracking")
EMPTY = ("email", "phone", "firstName", "lastName", "orgname", "segmentio_id", "email_local", "email_domain")
NULLS = (
    "bounced_date", "ua", "socialdata_lastcheck", "rating_tstamp", "adate", "edate", "deleted_at", "created_by",
    "updated_by", "best_send_hour", "sms_consent", "sms_consent_updated_at", "organization", *UNTOLD,
)  # fmt: skip
GROUPINGS = ("listid", "tagid", "segmentid", "formid", "seriesid", "waitid")
ORDERS: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: int(row["id"]),
    "cdate": lambda row: row["cdate"],
    "email": lambda row: row["email"].lower(),
    "first_name": lambda row: row["firstName"].lower(),
    "last_name": lambda row: row["lastName"].lower(),
    "name": lambda row: (row["firstName"].lower(), row["lastName"].lower()),
    "score": lambda _: 0,
}
"""None by the time of the update."""


class Contacts(Sideloading):
    def makers(self) -> dict[str, Callable[[Row], Row]]:
        return super().makers() | {"contacts": self.plant_contact}

    @route("POST", PREFIX + "/contacts", label="contacts", scope="contacts")
    def create_contact(self, request: Request) -> Answer:
        """The answer is a part of the record: eleven members, and `fieldValues` beside it when some were sent."""
        values = self.contact_values(request, None, "deleted")
        if not values.get("email") and not (values.get("allowNullEmail") and values.get("phone")):
            raise missing("contact", "email")
        row = self.insert_contact(values)
        return Answer(201, self.saved(row, CREATED, values))

    @route("POST", PREFIX + "/contact/sync", label="contact/sync", scope="contacts")
    def upsert_contact(self, request: Request) -> Answer:
        """By e-mail address; 201 for a new one as documented, 200 for a known one as recorded."""
        values = self.contact_values(request, None, "allowNullEmail", upsert=True)
        if not values.get("email"):
            raise missing("contact", "email")
        known = self.holder(values["email"])
        if known:
            self.change_contact(known, values)
            return Answer(200, self.saved(known, self.told(known), values))
        row = self.insert_contact(values)
        answer = self.saved(row, UPSERTED, values)
        ids = [value["id"] for value in answer.get("fieldValues", [])]
        answer["contact"] |= {"email_empty": False, "fieldValues": ids}
        return Answer(201, answer)

    @route("GET", PREFIX + "/contacts", label="contacts", scope="contacts")
    def list_contacts(self, request: Request) -> Answer:
        self.permit("contacts")
        rows = [row for row in self.rows["contacts"].values() if row["deleted"] == "0"]
        rows = self.narrowed(request, self.ordered(request, rows, ORDERS))
        shown = self.page(request, rows)
        asked = self.included(request)
        lists, ids = self.beside(shown, {"scoreValues": set(), "accountContacts": set()} | asked)
        if not lists["accountContacts"] and "accountContacts" not in asked:
            del lists["accountContacts"]
        body: Row = {**lists, "contacts": [row | ids[row["id"]] for row in shown]}
        search, status = request.query.get("search"), int(request.query.get("status") or -1)
        limit, offset = (int(request.query.get(name, usual)) for name, usual in (("limit", 20), ("offset", 0)))
        told = {"segmentid": None, "formid": 0, "listid": 0, "tagid": 0, "limit": limit, "offset": offset}
        told |= {"search": search, "sort": None, "seriesid": 0, "waitid": 0, "status": status, "forceQuery": 0}
        told["cacheid"] = hashlib.md5(request.query_string.encode(), usedforsecurity=False).hexdigest()
        body["meta"] = {"page_input": told, "total": str(len(rows)), "sortable": True}
        return Answer(200, body)

    @route("GET", PREFIX + "/contacts/<id>", label="contacts/{{id}}", scope="contacts")
    def get_contact(self, request: Request) -> Answer:
        """Some relations come along unasked; whether `include` is for more, or for those alone, is not documented."""
        row = self.contact(request)
        asked, of_row = self.beside([row], self.included(request))
        beside: dict[str, list[Row]] = {"contactAutomations": [], "contactLists": []}
        beside["deals"] = [self.seen(deal) for deal in self.deals_of(row["id"])]
        beside |= {"fieldValues": self.values_of(row), "geoIps": []}
        beside["accountContacts"] = self.associations("contact", row["id"])
        ids = {name: [one["id"] for one in rows] for name, rows in beside.items()}
        return Answer(200, {**asked, **beside, "contact": row | of_row[row["id"]] | ids})

    @route("PUT", PREFIX + "/contacts/<id>", label="contacts/{{id}}", scope="contacts")
    @route("PATCH", PREFIX + "/contacts/<id>", label="contacts/{{id}}", scope="contacts")
    def update_contact(self, request: Request) -> Answer:
        """Partial."""
        row = self.contact(request)
        values = self.contact_values(request, row, "allowNullEmail")
        if values.get("email") == "":
            raise missing("contact", "email")
        self.change_contact(row, ONCE_UPDATED | values)
        return Answer(200, self.saved(row, self.told(row), values))

    @route("DELETE", PREFIX + "/contacts/<id>", label="contacts/{{id}}", scope="contacts")
    def delete_contact(self, request: Request) -> Answer:
        """The sentence for one that is not there differs from the one of the other verbs."""
        wanted = request.args["id"]
        if not self.alive(wanted):
            raise RefusalError(Answer(404, {"message": f"No result found for contact with id {wanted}"}))
        self.remove_contact(wanted)
        return Answer(200, {})

    @route("GET", PREFIX + "/contacts/<id>/accountContacts", label="contacts/{{id}}/accountContacts", scope="contacts")
    def list_accounts_of_contact(self, request: Request) -> Answer:
        return Answer(200, {"accountContacts": self.associations("contact", self.contact(request)["id"])})

    @route("GET", PREFIX + "/contacts/<id>/deals", label="contacts/{{id}}/deals", scope="contacts")
    def list_deals_of_contact(self, request: Request) -> Answer:
        return Answer(200, {"deals": [self.seen(deal) for deal in self.deals_of(self.contact(request)["id"])]})

    @route("GET", PREFIX + "/contacts/<id>/fieldValues", label="contacts/{{id}}/fieldValues", scope="contacts")
    def list_values_of_contact(self, request: Request) -> Answer:
        return Answer(200, {"fieldValues": self.values_of(self.contact(request))})

    @route("GET", PREFIX + "/fieldValues", label="fieldValues", scope="contacts")
    def list_values(self, request: Request) -> Answer:
        asked = self.filters(request, "fieldid", "val")
        rows = list(self.rows["fieldValues"].values())
        for name, member in (("fieldid", "field"), ("val", "value")):
            if name in asked:
                rows = [row for row in rows if row[member] == asked[name]]
        return Answer(200, {"fieldValues": self.page(request, rows), "meta": {"total": str(len(rows))}})

    @route("GET", PREFIX + "/fieldValues/<id>", label="fieldValues/{{id}}", scope="contacts")
    def get_value(self, request: Request) -> Answer:
        return Answer(200, {"fieldValue": self.value(request)})

    @route("POST", PREFIX + "/fieldValues", label="fieldValues", scope="contacts")
    def create_value(self, request: Request) -> Answer:
        """200, and an upsert: a contact has one value of a field. Ids come back as they were sent."""
        return self.write_value(request, self.value_attributes(request))

    @route("PUT", PREFIX + "/fieldValues/<id>", label="fieldValues/{{id}}", scope="contacts")
    def update_value(self, request: Request) -> Answer:
        row, values = self.value(request), self.value_attributes(request)
        for name in ("contact", "field"):
            if str(values[name]) != row[name]:
                raise invalid("fieldValue", name)
        return self.write_value(request, values)

    @route("DELETE", PREFIX + "/fieldValues/<id>", label="fieldValues/{{id}}", scope="contacts")
    def delete_value(self, request: Request) -> Answer:
        self.remove_value(self.value(request))
        return Answer(200, {})

    # Reading.

    def contact(self, request: Request) -> Row:
        self.permit("contacts")
        wanted = request.args["id"]
        row = self.row("contacts", wanted, "Subscriber")
        if row["deleted"] != "0" and not self.settings["deleted_contacts_readable"]:
            raise absent("Subscriber", wanted)
        return row

    def value(self, request: Request) -> Row:
        """403 where there is none."""
        return self.row("fieldValues", request.args["id"], "FieldValue", 403)

    def holder(self, email: str) -> Row | None:
        """Who has that address; a deleted contact holds none."""
        alive = (row for row in self.rows["contacts"].values() if row["deleted"] == "0")
        return next((row for row in alive if row["email"].lower() == email.lower()), None)

    def narrowed(self, request: Request, rows: list[Row]) -> list[Row]:
        query = request.query
        numbers = {name: query.get(name, "") for name in ("id_greater", "id_less", "status", "exclude")}
        if odd := [name for name, value in numbers.items() if not re.fullmatch(r"(-?\d+)?", value)]:
            raise bad_request(f"{odd[0]} is no number")
        if numbers["status"] not in ("", "-1") or any(query.get(name, "0") not in ("0", "") for name in GROUPINGS):
            return []  # no lists here, so nobody is subscribed, tagged or in a segment
        ids = request.many("ids") + request.many("ids[]")
        search, email = query.get("search", "").lower(), query.get("email", "").lower()
        conditions: dict[str, Callable[[Row], bool]] = {
            "email": lambda row: row["email"].lower() == email,
            "email_like": lambda row: query["email_like"].lower() in row["email"].lower(),
            "phone": lambda row: row["phone"].startswith(query["phone"]),
            "search": lambda row: search in searchable(row),
            "id_greater": lambda row: int(row["id"]) > int(query["id_greater"]),
            "id_less": lambda row: int(row["id"]) < int(query["id_less"]),
            "exclude": lambda row: row["id"] != query["exclude"],
            "ids": lambda row: row["id"] in ids,
            "ids[]": lambda row: row["id"] in ids,
        }
        for name, condition in conditions.items():
            if query.get(name):
                rows = [row for row in rows if condition(row)]
        return self.dated(request, rows)

    def dated(self, request: Request, rows: list[Row]) -> list[Row]:
        """A day, or a moment with or without its zone; the account's zone is meant where none is named."""
        names = ("created_before", "created_after", "updated_before", "updated_after")
        for name, text in self.filters(request, *names).items():
            try:
                limit = datetime.fromisoformat(text)
            except ValueError as odd:
                raise bad_request(f"filters[{name}] is no date") from odd
            limit = limit if limit.tzinfo else limit.replace(tzinfo=LOCAL)
            member = "cdate" if name.startswith("created") else "udate"
            sign = 1 if name.endswith("after") else -1
            least = 0 if self.settings["dates_inclusive"] else 1e-9
            rows = [
                row for row in rows if sign * (datetime.fromisoformat(row[member]) - limit).total_seconds() >= least
            ]
        return rows

    # Writing.

    def contact_values(self, request: Request, mine: Row | None, *foreign: str, upsert: bool = False) -> Row:
        values = self.attributes(request, "contact", *foreign)
        email = values.get("email")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            raise invalid("contact", "email", "Contact Email Address is not valid.")
        holder = self.holder(email) if email else None
        if holder and holder is not mine and not upsert:
            raise RefusalError(email_taken())
        if values.get("orgid"):
            raise dangling("organization")  # deprecated: accounts took their place
        for one in values.get("fieldValues", []):
            if not isinstance(one, dict) or one.keys() != {"field", "value"}:
                raise invalid("contact", "fieldValues")
            self.check_value(str(one["field"]), one["value"])
        return values

    def value_attributes(self, request: Request) -> Row:
        values = self.attributes(request, "fieldValue")
        for name in ("contact", "field", "value"):
            if name not in values:
                raise missing("fieldValue", name)
        if not self.alive(str(values["contact"])):
            raise dangling("contact")
        self.check_value(str(values["field"]), values["value"])
        return values

    def write_value(self, request: Request, values: Row) -> Answer:
        contact = self.rows["contacts"][str(values["contact"])]
        row = self.save_value(contact["id"], str(values["field"]), values["value"])
        self.change_contact(contact, {})
        told = {name: contact[name] for name in self.told(contact)}
        return Answer(200, {"contacts": [told], "fieldValue": row | values | {"owner": values["contact"]}})

    def saved(self, row: Row, members: tuple[str, ...], values: Row) -> Row:
        """The contact as an answer to a write tells it, with the custom values that this write brought."""
        body: Row = {"contact": {name: row[name] for name in members}}
        if "fieldValues" in values:
            named = {str(one["field"]) for one in values["fieldValues"]}
            body["fieldValues"] = [one for one in self.values_of(row) if one["field"] in named]
        return body

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """An address is only taken where somebody has it: if nobody does, a contact that does is put there."""
        if request.method not in WRITES or label.partition("/")[0] != "contacts":
            return super().duplicate(found, request, label, existing)
        try:
            email = self.contact_values(request, None).get("email")
        except RefusalError as refused:  # it is taken, or not fit to be
            return refused.answer
        if not email:
            return self.handle(found, request, label)
        self.insert_contact({"email": email})
        return email_taken()

    @staticmethod
    def told(row: Row) -> tuple[str, ...]:
        return tuple(name for name in row if name not in UNTOLD)

    def insert_contact(self, values: Row) -> Row:
        now = self.now()
        usual: Row = {**dict.fromkeys(ZEROS, "0"), **dict.fromkeys(EMPTY, ""), **dict.fromkeys(NULLS)}
        row = self.add("contacts", usual | {"cdate": now, "udate": now})
        # Local time, also where the name says UTC.
        row |= dict.fromkeys(("created_utc_timestamp", "created_timestamp"), plain(now))
        self.change_contact(row, values)
        return row

    def plant_contact(self, values: Row) -> Row:
        """cdate and udate (which is cdate without one) may be given, ISO 8601; a zone that is not named is LOCAL."""
        row = self.insert_contact({name: value for name, value in values.items() if name not in ("cdate", "udate")})
        created, updated = values.get("cdate"), values.get("udate") or values.get("cdate")
        for member, word, text in (("cdate", "created", created), ("udate", "updated", updated)):
            if text:
                row[member] = self.local(text)
                row |= dict.fromkeys((f"{word}_utc_timestamp", f"{word}_timestamp"), plain(row[member]))
        return row

    def remove_contact(self, record_id: str) -> None:
        """It stays as a row that is marked deleted, and leaves its account."""
        self.change_contact(self.rows["contacts"][record_id], {"deleted": True})
        self.dissociate("contact", record_id)

    def change_contact(self, row: Row, values: Row) -> None:
        now = self.now()
        row |= {"udate": now, **dict.fromkeys(("updated_utc_timestamp", "updated_timestamp"), plain(now))}
        row |= {name: value for name, value in values.items() if name in row and name not in ("orgid", "deleted")}
        row["email_domain"] = row["email"].partition("@")[2]
        row["hash"] = hashlib.md5(f"{row['id']} {row['email']}".encode(), usedforsecurity=False).hexdigest()
        if "deleted" in values:
            row |= {"deleted": str(int(values["deleted"])), "deleted_at": now if values["deleted"] else None}
        for one in values.get("fieldValues", []):
            self.save_value(row["id"], str(one["field"]), one["value"])


def searchable(contact: Row) -> str:
    name = f"{contact['firstName']} {contact['lastName']}"
    return "\n".join((name, contact["orgname"], contact["phone"], contact["email"])).lower()
