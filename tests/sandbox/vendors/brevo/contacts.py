"""Contacts and their attributes: what has no attribute, or does not fit it, vanishes with a 2xx.

https://developers.brevo.com/reference/createcontact and the siblings of it
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import Any, cast

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.brevo.account import OFFSET, V3, Account, invalid, not_found, refusal

MOST = 1000
SHARED = ("attributes", "emailBlacklisted", "ext_id", "listIds", "smsBlacklisted", "smtpBlacklistSender", "forceMerge")
WRITABLE = {"create": (*SHARED, "email", "updateEnabled", "getId"), "update": (*SHARED, "unlinkListIds")}
FLAGS = ("emailBlacklisted", "smsBlacklisted", "updateEnabled", "forceMerge", "getId")
LISTS = ("listIds", "unlinkListIds")
QUERY = ("limit", "offset", "modifiedSince", "createdSince", "sort", "ids", "listIds", "segmentId", "filter")

NUMBERS = ("SMS", "WHATSAPP", "LANDLINE_NUMBER")
IDENTIFIERS = {
    "email_id": "email",
    "contact_id": "id",
    "ext_id": "ext_id",
    "phone_id": "SMS",
    "whatsapp_id": "WHATSAPP",
    "landline_number_id": "LANDLINE_NUMBER",
}
TIERS = ("Gold", "Silver", "Bronze")
ATTRIBUTES: tuple[dict[str, Json], ...] = (
    *({"name": name, "category": "normal", "type": "text"} for name in (*NUMBERS, "JOB_TITLE", "FAVOURITE_COLOUR")),
    {"name": "CONTRACT_END", "category": "normal", "type": "date"},
    {"name": "SCORE", "category": "normal", "type": "float"},
    {"name": "IS_PARTNER", "category": "normal", "type": "boolean"},
    {
        "name": "CHANNELS",
        "category": "normal",
        "type": "multiple-choice",
        "multiCategoryOptions": ["Fair", "Web", "Phone"],
    },
    {
        "name": "TIER",
        "category": "category",
        "enumeration": [
            {"value": place, "label": label, "valueStr": str(place)} for place, label in enumerate(TIERS, start=1)
        ],
    },
    {"name": "ORDER_DATE", "category": "transactional", "type": "date"},
    {"name": "BLACKLIST", "category": "calculated", "calculatedValue": "COUNT[BLACKLISTED,BLACKLISTED,<,NOW()]"},
)
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\.[a-z]{2,63}", re.IGNORECASE)


@dataclass
class Contact:
    id: int
    created: float
    email: str | None = None
    ext_id: str | None = None
    attributes: dict[str, Json] = field(default_factory=dict[str, Json])
    lists: list[int] = field(default_factory=list[int])
    email_blacklisted: bool = False
    sms_blacklisted: bool = False
    modified: float = 0.0

    def called(self, identifier: str) -> str | None:
        """What the contact is known by, so that it can be compared."""
        match identifier:
            case "id":
                return str(self.id)
            case "email":
                return self.email and self.email.lower()
            case "ext_id":
                return self.ext_id
            case _:
                return self.attributes.get(identifier)

    def shown(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "email": self.email,
            "emailBlacklisted": self.email_blacklisted,
            "smsBlacklisted": self.sms_blacklisted,
            "whatsappBlacklisted": False,
            "createdAt": stamp(self.created),
            "modifiedAt": stamp(self.modified),
            "listIds": self.lists,
            "attributes": self.attributes,
            "subscriptions": {},
        }


def stamp(at: float) -> str:
    """With the offset of the account, in milliseconds."""
    return datetime.fromtimestamp(at, OFFSET).isoformat(timespec="milliseconds")


def tick(at: float) -> float:
    """The moment as it is told and compared: whole milliseconds."""
    return math.floor(at * 1000) / 1000


class Contacts(Account):
    def clear(self) -> None:
        super().clear()
        self.contacts: dict[int, Contact] = {}
        self.numbers = count(1)
        self.lists: dict[int, str] = {2: "Your first list"}
        self.planted_attributes: list[dict[str, Json]] = []

    @route("GET", f"{V3}/contacts/attributes", label="contacts/attributes", scope="contacts:read")
    def list_attributes(self, request: Request) -> Answer:
        return Answer(200, {"attributes": self.attributes()})

    @route("POST", f"{V3}/contacts", label="contacts", scope="contacts:write")
    def create_contact(self, request: Request) -> Answer:
        body = self.written(request, "create")
        values = self.values(body, body.get("email"))
        named = {name: value for name in ("email", "ext_id", "SMS") if (value := self.identifier(values, name))}
        if not named:
            raise invalid("Either email, SMS or ext_id is required", "missing_parameter")
        matching, clashing = self.clashes(values, None)
        if not matching:
            made = self.insert(values)
            return Answer(201, {"id": made.id})
        if not body.get("updateEnabled") or (len(matching) > 1 and not body.get("forceMerge")):
            raise RefusalError(self.taken("create", clashing))
        self.overwrite(matching[0], values, matching[1:])
        return Answer(200, {"id": matching[0].id}) if body.get("getId") else Answer(204)

    @route("GET", f"{V3}/contacts", label="contacts", scope="contacts:read")
    def list_contacts(self, request: Request) -> Answer:
        self.known_query(request, *QUERY)
        self.permit("contacts")
        limit, offset = self.counted(request, "limit", 50, MOST), self.counted(request, "offset", 0)
        changed, made = self.later(request, "modifiedSince"), self.later(request, "createdSince")
        found = [one for one in self.contacts.values() if changed(one.modified) and made(one.created)]
        if "ids" in request.query:
            ids = self.integers(request, "ids", 20)
            found = [one for one in found if one.id in ids]
        if "listIds" in request.query:
            lists = set(self.integers(request, "listIds"))
            found = [one for one in found if lists & set(one.lists)]
        if "segmentId" in request.query:
            raise invalid("segmentId does not exist")
        if "filter" in request.query:
            fits = self.filter(request.query["filter"])
            found = [one for one in found if fits(one)]
        found.sort(key=lambda one: (one.created, one.id), reverse=self.backwards(request))
        rows = [one.shown() | {"listUnsubscribed": None} for one in found[offset : offset + limit]]
        return Answer(200, {"contacts": rows, "count": len(found)})

    @route("GET", f"{V3}/contacts/<id>", label="contacts/{{id}}", scope="contacts:read")
    def get_contact(self, request: Request) -> Answer:
        """startDate and endDate are days, and bound the statistics: without them, these are of the last 90 days."""
        days = [request.query[name] for name in ("startDate", "endDate") if name in request.query]
        if len(days) == 1 or not all(is_day(day) for day in days) or days != sorted(days):
            raise invalid("startDate and endDate should be given together, and as YYYY-MM-DD")
        return Answer(200, self.contact(request).shown() | {"statistics": {}})

    @route("PUT", f"{V3}/contacts/<id>", label="contacts/{{id}}", scope="contacts:write")
    def update_contact(self, request: Request) -> Answer:
        """204; an e-mail is changed by the attribute EMAIL, which is none."""
        body, contact = self.written(request, "update"), self.contact(request)
        email = (body.get("attributes") or {}).get("EMAIL")
        values = self.values(body, email)
        others, clashing = self.clashes(values, contact)
        if others and not body.get("forceMerge"):
            raise RefusalError(self.taken("update", clashing, self.settings["update_conflict_code"]))
        self.overwrite(contact, values, others)
        contact.lists = [one for one in contact.lists if one not in (body.get("unlinkListIds") or [])]
        return Answer(204)

    @route("DELETE", f"{V3}/contacts/<id>", label="contacts/{{id}}", scope="contacts:write")
    def delete_contact(self, request: Request) -> Answer:
        if self.settings["contacts_in_process"]:
            raise RefusalError(self.in_process())
        del self.contacts[self.contact(request).id]
        return Answer(204)

    # Finding.

    def contact(self, request: Request) -> Contact:
        """Without identifierType an e-mail or an id is meant."""
        self.permit("contacts")
        text, kind = request.args["id"], request.query.get("identifierType")
        if kind is None:
            kind = "email_id" if "@" in text else "contact_id"
        if kind not in IDENTIFIERS or (kind == "contact_id" and not text.isdigit()):
            raise invalid("Invalid identifier or identifierType")
        name = IDENTIFIERS[kind]
        wanted = text.lower() if name == "email" else digits(text) if name in NUMBERS else text
        known = self.contacts.get(int(text)) if name == "id" else None
        found = known or next((one for one in self.contacts.values() if one.called(name) == wanted), None)
        if found is None:
            raise not_found("Contact")
        return found

    def integers(self, request: Request, name: str, most: int = 50) -> list[int]:
        texts = request.many(name)
        if not texts or not all(text.isdigit() for text in texts):
            raise invalid(f"{name} should be an array of integers")
        if len(texts) > most:
            raise invalid(f"{name} may hold {most}", "out_of_range")
        return [int(text) for text in texts]

    def filter(self, text: str) -> Callable[[Contact], bool]:
        parts = re.fullmatch(r'equals\((\w+), ?"(.*)"\)', text)
        if parts is None or parts[1] not in self.by_name():
            raise invalid("filter is not valid")
        name, wanted = parts[1], parts[2]
        return lambda one: name in one.attributes and str(one.attributes[name]) == wanted

    def clashes(self, values: dict[str, Json], own: Contact | None) -> tuple[list[Contact], list[str]]:
        """Who else has an identifier of these values, and which identifiers these are; the e-mail's owner first."""
        matching: list[Contact] = []
        clashing: list[str] = []
        for name in ("email", "ext_id", *NUMBERS):
            wanted = self.identifier(values, name)
            if wanted is None:
                continue
            found = [one for one in self.contacts.values() if one is not own and one.called(name) == wanted]
            matching += [one for one in found if one not in matching]
            clashing += [name] if found else []
        return matching, clashing

    @staticmethod
    def identifier(values: dict[str, Json], name: str) -> str | None:
        value = values["attributes"].get(name) if name in NUMBERS else values.get(name)
        return value.lower() if name == "email" and value else value or None

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """An e-mail is only taken where a contact has it: if none does, one is put there."""
        if request.method == "POST" and label == "contacts":
            try:
                body = self.written(request, "create")
                email = self.values(body, body.get("email"))["email"]
            except RefusalError as refused:
                return refused.answer
            if not email:
                return self.handle(found, request, label)
            if not any(one.called("email") == email.lower() for one in self.contacts.values()):
                self.insert({"email": email, "attributes": {}})
        return super().duplicate(found, request, label, existing)

    # Reading a body.

    def written(self, request: Request, doing: str) -> dict[str, Json]:
        """The body, its members of the right types. What a stranger among them does is not told: it is refused."""
        if self.settings["contacts_in_process"]:
            raise RefusalError(self.in_process())
        body = self.body(request)
        for name, value in body.items():
            if name not in WRITABLE[doing]:
                raise invalid(f"{name} is not a known parameter")
            if name in FLAGS and not isinstance(value, bool):
                raise invalid(f"{name} should be a boolean")
            if name in LISTS:
                self.known_lists(name, value)
            if name == "attributes" and not isinstance(value, dict):
                raise invalid("attributes should be an object")
            if name in ("email", "ext_id") and not isinstance(value, str):
                raise invalid(f"{name} should be a string")
        return body

    @staticmethod
    def in_process() -> Answer:
        return refusal(425, "account_in_process", "Contact is being processed, try again later")

    def known_lists(self, name: str, value: Json) -> None:
        rows = cast("list[Any]", value) if isinstance(value, list) else [None]
        if not all(isinstance(one, int) and one in self.lists for one in rows):
            raise invalid(f"{name}: a list does not exist")

    def values(self, body: dict[str, Json], email: Json) -> dict[str, Json]:
        """What is to be stored of a body; attributes that do not fit are gone by now."""
        if email is not None and not (isinstance(email, str) and EMAIL.fullmatch(email)):
            raise invalid("Invalid email address")
        known, kept = self.by_name(), dict[str, Json]()
        for name, value in (body.get("attributes") or {}).items():
            if name in NUMBERS and isinstance(value, str) and value:
                kept[name] = digits(value)
                if not re.fullmatch(r"[1-9]\d{6,14}", kept[name], re.ASCII):
                    raise invalid("Invalid phone number")
            elif name in known and fits(known[name], value):
                kept[name] = int(value) if known[name]["category"] == "category" else value
        return {name: body[name] for name in body.keys() & {"ext_id", *FLAGS[:2], "listIds"}} | {
            "email": email,
            "attributes": kept,
        }

    def attributes(self) -> list[dict[str, Json]]:
        named = [{"name": name, "category": "normal", "type": "text"} for name in self.settings["name_attributes"]]
        return [*named, *ATTRIBUTES, *self.planted_attributes]

    def by_name(self) -> dict[str, dict[str, Json]]:
        return {one["name"]: one for one in self.attributes()}

    # Writing.

    def plant_contact(self, fields: dict[str, Json]) -> int:
        """createdAt and modifiedAt (which is createdAt without one) may be given, ISO 8601 with an offset."""
        made = self.insert({"attributes": {}} | fields)
        created, modified = fields.get("createdAt"), fields.get("modifiedAt") or fields.get("createdAt")
        made.created = datetime.fromisoformat(created).timestamp() if created else made.created
        made.modified = datetime.fromisoformat(modified).timestamp() if modified else made.modified
        return made.id

    def insert(self, values: dict[str, Json]) -> Contact:
        made = Contact(next(self.numbers), tick(self.clock()))
        self.contacts[made.id] = made
        self.overwrite(made, values, [])
        return made

    def overwrite(self, contact: Contact, values: dict[str, Json], merged: list[Contact]) -> None:
        """The contacts merged into it are gone; an empty text empties its attribute."""
        for other in merged:
            contact.attributes = other.attributes | contact.attributes
            contact.lists = sorted({*contact.lists, *other.lists})
            contact.ext_id = contact.ext_id or other.ext_id
            contact.email = contact.email or other.email
            self.contacts.pop(other.id, None)
        contact.attributes = {
            name: value for name, value in (contact.attributes | values["attributes"]).items() if value != ""
        }
        contact.email = values.get("email") or contact.email
        contact.ext_id = values.get("ext_id", contact.ext_id)
        contact.lists = sorted({*contact.lists, *values.get("listIds", [])})
        contact.email_blacklisted = values.get("emailBlacklisted", contact.email_blacklisted)
        contact.sms_blacklisted = values.get("smsBlacklisted", contact.sms_blacklisted)
        contact.modified = tick(self.clock())


def digits(text: str) -> str:
    """A number is kept without its plus or double zero; nothing else is taken out of it."""
    return re.sub(r"^(\+|00)", "", text)


def fits(attribute: dict[str, Json], value: Json) -> bool:
    """Whether the value is of the attribute's type; null is of none."""
    match attribute["category"], attribute.get("type"):
        case "category", _:
            places = [str(option["value"]) for option in attribute["enumeration"]]
            return isinstance(value, int | str) and not isinstance(value, bool) and str(value) in places
        case "normal", "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "normal", "boolean":
            return isinstance(value, bool)
        case "normal", "date":
            return isinstance(value, str) and (value == "" or is_day(value))
        case "normal", "multiple-choice":
            return isinstance(value, list) and all(one in attribute["multiCategoryOptions"] for one in value)
        case "normal", _:
            return isinstance(value, str)
        case _:
            return False


def is_day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text) and date.fromisoformat(text))
    except ValueError:
        return False
