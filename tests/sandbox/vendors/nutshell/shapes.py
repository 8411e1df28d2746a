"""Leads, contacts and accounts as they are kept, and as they are told.

https://developers.nutshell.com, the guide quickstart and the schemas of its OpenAPI document
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.nutshell.instance import SITE

PAGES = {"leads": "lead", "contacts": "person", "accounts": "company"}
VALUES: dict[str, dict[str, Json]] = {
    "leads": {
        "description": None,
        "manualValue": None,
        "currency": "USD",
        "dueTime": None,
        "anticipatedClosedTime": None,
        "closedTime": None,
        "lastContactedTime": None,
        "status": "open",
        "confidence": 0,
        "priority": 0,
    },
    "contacts": {"name": None, "description": None, "jobTitle": None},
    "accounts": {"name": None, "description": None, "revenue": None, "employeeCount": None},
}
LISTS = ("emails", "addresses", "phones", "urls")
LINKS: dict[str, dict[str, Json]] = {
    "leads": dict.fromkeys(("owner", "creator", "stage", "stageset", "outcome", "territory"))
    | {
        name: []
        for name in (
            "accounts", "contacts", "sources", "tags", "products", "productMaps", "competitors", "competitorMaps",
            "watchers",
        )
    },
    "contacts": dict.fromkeys(("creator", "owner", "territory", "followup", "recurringTask"))
    | {name: [] for name in ("accounts", "emAudiences", "tags", "files", "relatedFiles")},
    "accounts": dict.fromkeys(("creator", "owner", "territory", "followup", "recurringTask", "industry"))
    | {name: [] for name in ("tags", "files", "relatedFiles", "contacts")}
    | {"accountType": "1-accountTypes"},
}  # fmt: skip


@dataclass
class Record:
    kind: str
    number: int
    label: str
    """The number that people see on a lead, which is not its id."""
    created: int
    modified: int
    values: dict[str, Json]
    links: dict[str, Json]
    custom: dict[str, str]
    deleted: int | None = None

    @property
    def id(self) -> str:
        return f"{self.number}-{self.kind}"

    @property
    def name(self) -> str:
        """A lead is called by its description, or by its number while it has none."""
        given = self.values["description" if self.kind == "leads" else "name"]
        return given or (f"Lead–{self.label}" if self.kind == "leads" else "")


@dataclass
class Definition:
    """A custom field: values are kept and written under its display name."""

    number: int
    name: str
    type: str = "String"
    choices: list[str] = field(default_factory=list[str])

    def shown(self) -> dict[str, Json]:
        return {"id": f"{self.number}-customFields", "type": self.type.lower(), "title": self.name}


def time_object(at: int | None) -> Json:
    """Times of leads; everything else tells Unix seconds."""
    if at is None:
        return None
    day = datetime.fromtimestamp(at, UTC).strftime("%B %d, %Y")
    return {"absoluteLocalizedString": day, "timestamp": at, "value": day}


SIGNS = {"USD": "$", "GBP": "£", "EUR": "€"}


def money(amount: str, currency: str = "USD") -> Json:
    exact, sign = f"{float(amount):.2f}", SIGNS.get(currency, f"{currency} ")
    return {"amount": exact, "currency": currency, "formatted": f"{sign}{float(amount):,.2f}"}


def shown(record: Record, links: dict[str, Json], now: float, me: str) -> dict[str, Json]:
    """The record on the wire: attributes lie on it, relations in `links`, custom fields nowhere."""
    slug = re.sub(r"[^a-z0-9]+", "-", record.name.lower()).strip("-")
    plain = record.label if record.kind == "leads" else f"{record.number}-{slug}"
    path = f"/{PAGES[record.kind]}/{plain}"
    row: dict[str, Json] = {"id": record.id, "type": record.kind, "name": record.name}
    row |= lead_part(record, now, me) if record.kind == "leads" else person_part(record)
    return row | {
        "href": f"{SITE}/rest/{record.kind}/{record.id}",
        "avatarUrl": f"{SITE}/avatar/{record.kind}/{record.number}/{record.modified}",
        "initials": "".join(word[0] for word in record.name.split()[:2]).upper(),
        "htmlUrl": SITE + path,
        "htmlUrlPath": path,
        "links": links,
    }


def lead_part(record: Record, now: float, me: str) -> dict[str, Json]:
    values = record.values
    overdue = values["dueTime"] is not None and values["status"] == "open" and values["dueTime"] < now
    times = {name: time_object(values[name]) for name in ("dueTime", "anticipatedClosedTime", "closedTime")}
    return times | {
        "number": record.label,
        "description": values["description"],
        "status": values["status"],
        "value": money(values["manualValue"] or "0", values["currency"]),
        "confidence": values["confidence"],
        "priority": values["priority"],
        "createdTime": time_object(record.created),
        "lastContactedTime": values["lastContactedTime"],
        "deletedTime": record.deleted,
        "ownerType": "users",
        "pieState": values["status"],
        "isOverdue": overdue,
        "overdueTime": times["dueTime"] if overdue else None,
        "isCurrentUserWatching": me in record.links["watchers"],
    }


def person_part(record: Record) -> dict[str, Json]:
    """Contacts and accounts; the vendor makes first and last name out of the one that is written."""
    row = {name: record.values[name] for name in record.values if name != "name"}
    if record.kind == "contacts":
        first, _, last = record.name.partition(" ")
        row |= {"firstName": first, "lastName": last or None, "mcfxContactId": None}
    return row | ({"deletedTime": record.deleted} if record.deleted is not None else {})
