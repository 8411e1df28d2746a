"""The attributes of leads, contacts and deals and which values they take; custom fields by their display names.

https://developer.zendesk.com/api-reference/sales-crm/resources/leads
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.sandbox.exchange import Json


class UnfitError(ValueError):
    """A value that an attribute does not take; `below` is the way from the attribute to the wrong part."""

    def __init__(self, code: str, why: str, below: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.below = below


type Reader = Callable[[Json], Json]


def text(value: Json) -> Json:
    return value if isinstance(value, str) else wrong_type("a string")


def integer(value: Json) -> Json:
    return value if isinstance(value, int) and not isinstance(value, bool) else wrong_type("an integer")


def flag(value: Json) -> Json:
    return value if isinstance(value, bool) else wrong_type("a boolean")


def mapping(value: Json) -> Json:
    return value if isinstance(value, dict) else wrong_type("an object")


def tags(value: Json) -> Json:
    """Replaced as a whole."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return wrong_type("an array of strings")
    return value


def email(value: Json) -> Json:
    """What an address has to look like is not documented; without an @ it is none."""
    found = text(value)
    return found if re.fullmatch(r"[^@\s]+@[^@\s]+", found) else wrong("is no e-mail address")


def one_of(*allowed: str) -> Reader:
    return lambda value: value if text(value) in allowed else wrong("is not included in the list")


ADDRESS = ("line1", "city", "postal_code", "state", "country")


def address(value: Json) -> Json:
    for name, part in mapping(value).items():
        if name not in ADDRESS:
            raise UnfitError("unknown", "is not a known attribute", name)
        if part is not None and not isinstance(part, str):
            raise UnfitError("invalid_type", "has to be a string", name)
    return dict.fromkeys(ADDRESS) | value


def wrong(why: str) -> Json:
    raise UnfitError("incorrect_value", why)


def wrong_type(expected: str) -> Json:
    raise UnfitError("invalid_type", f"has to be {expected}")


# Custom fields.


@dataclass(frozen=True)
class Custom:
    """A custom field. Lists may be filtered by it only where its settings say so."""

    id: int
    name: str
    type: str = "string"
    choices: tuple[str, ...] = ()
    filterable: bool = False
    for_contact: bool = True
    for_organisation: bool = True

    def read(self, value: Json) -> Json:
        match self.type:
            case "list":
                return one_of(*self.choices)(value)
            case "multi_select_list":
                return [one_of(*self.choices)(one) for one in tags(value)]
            case "number":
                return number(value)
            case kind:
                return READERS.get(kind, text)(value)

    def described(self, choices_named: str) -> dict[str, Json]:
        body: dict[str, Json] = {"id": self.id, "name": self.name, "type": self.type}
        body |= {"for_contact": self.for_contact, "for_organisation": self.for_organisation}
        listed = [{"id": self.id * 100 + place, "name": name} for place, name in enumerate(self.choices, start=1)]
        return body | ({choices_named: listed} if listed else {})


def number(value: Json) -> Json:
    """Sent as a number or as text, shown as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return wrong_type("a number")
    return str(value) if re.fullmatch(r"-?\d+(\.\d+)?", str(value)) else wrong("is no number")


def day(value: Json) -> Json:
    try:
        return date.fromisoformat(value if re.fullmatch(r"\d{4}-\d\d-\d\d", text(value)) else "").isoformat()
    except ValueError as odd:
        raise UnfitError("incorrect_value", "has to be a date as YYYY-MM-DD") from odd


def moment(value: Json) -> Json:
    try:
        return text(value) if datetime.fromisoformat(text(value)).tzinfo else wrong("has to have a zone")
    except UnfitError:
        raise
    except ValueError as odd:
        raise UnfitError("incorrect_value", "has to be a time in ISO 8601") from odd


def amount(value: Json) -> Json:
    """Money, sent as a number or as text, kept as a number."""
    kept = float(number(value))
    return int(kept) if kept.is_integer() else kept


def currency(value: Json) -> Json:
    return value if re.fullmatch("[A-Z]{3}", text(value)) else wrong("is no currency of ISO 4217")


def percent(value: Json) -> Json:
    return value if 0 <= integer(value) <= 100 else wrong("has to be between 0 and 100")


READERS: dict[str, Reader] = {
    "bool": flag,
    "date": day,
    "datetime": moment,
    "email": email,
    "address": address,
}

CUSTOM: dict[str, tuple[Custom, ...]] = {
    "leads": (
        Custom(71001, "Favourite colour", filterable=True),
        Custom(71002, "Tier", "list", ("Gold", "Silver", "Bronze")),
        Custom(71003, "Channels", "multi_select_list", ("Email", "Phone", "Chat")),
        Custom(71004, "Contract end", "date"),
        Custom(71005, "Score", "number"),
        Custom(71006, "Second address", "address"),
        Custom(71007, "Newsletter", "bool"),
        Custom(71008, "Called at", "datetime"),
    ),
    "contacts": (
        Custom(72001, "Favourite colour", filterable=True, for_organisation=False),
        Custom(72002, "Tier", "list", ("Gold", "Silver", "Bronze"), for_contact=False),
    ),
    "deals": (Custom(73001, "Favourite colour", filterable=True),),
}


# Attributes.

_TEXTS = (
    "first_name", "last_name", "title", "description", "industry", "website", "phone", "mobile", "fax", "twitter",
    "facebook", "linkedin", "skype",
)  # fmt: skip
_SHARED: dict[str, Reader] = dict.fromkeys(_TEXTS, text) | {
    "email": email,
    "owner_id": integer,
    "address": address,
    "tags": tags,
    "custom_fields": mapping,
}
STANDING = one_of("none", "current", "past")
WRITABLE: dict[str, Mapping[str, Reader]] = {
    "leads": _SHARED | {"organization_name": text, "status": text, "source_id": integer},
    "contacts": _SHARED
    | {"name": text, "is_organization": flag, "contact_id": integer, "parent_organization_id": integer}
    | dict.fromkeys(("customer_status", "prospect_status"), STANDING),
    "deals": {name: _SHARED[name] for name in ("owner_id", "tags", "custom_fields")}
    | dict.fromkeys(("contact_id", "stage_id", "source_id", "loss_reason_id", "unqualified_reason_id"), integer)
    | {"name": text, "value": amount, "currency": currency, "hot": flag, "estimated_close_date": day}
    | {"customized_win_likelihood": percent, "added_on": moment, "last_stage_change_at": moment},
}
"""What is not here is unknown, read-only attributes too: the vendor's clients never send those."""

NEVER_NULL = frozenset({"owner_id", "status", "tags", "custom_fields", "is_organization", "stage_id", "hot"})


def blank(kind: str) -> dict[str, Json]:
    """A record of which nothing was said."""
    row: dict[str, Json] = dict.fromkeys(WRITABLE[kind])
    row |= {"tags": [], "custom_fields": {}} | ({} if kind == "deals" else {"address": dict.fromkeys(ADDRESS)})
    if kind == "contacts":
        row |= {"is_organization": False, "customer_status": "none", "prospect_status": "none"}
    if kind == "deals":
        row |= {"value": 0, "hot": False}
    return row


def read(kind: str, name: str, value: Json) -> Json:
    """One value as it is stored."""
    reader = WRITABLE[kind].get(name)
    if reader is None:
        raise UnfitError("unknown", "is not a known attribute")
    if value is None:
        return wrong_type("given") if name in NEVER_NULL else dict.fromkeys(ADDRESS) if name == "address" else None
    return reader(value)


def read_custom(kind: str, name: str, value: Json, row: dict[str, Any]) -> Json:
    """The display name counts, with its case; a person's field is none of an organization's."""
    field = next((one for one in CUSTOM[kind] if one.name == name), None)
    if field is None or not (field.for_organisation if row.get("is_organization") else field.for_contact):
        raise UnfitError("unknown", "is not a known attribute")
    return None if value is None else field.read(value)
