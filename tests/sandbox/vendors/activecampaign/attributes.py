"""Attributes that may be written, by envelope, and what a contact's custom fields take.

https://developers.activecampaign.com/reference/create-a-new-contact and its siblings
"""

import re
from datetime import date, datetime

from tests.sandbox.exchange import Json

ID = (str, int)
ATTRIBUTES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "contact": {
        "email": str,
        "firstName": str,
        "lastName": str,
        "phone": str,
        "fieldValues": list,
        "orgid": int,
        "allowNullEmail": bool,
        "deleted": bool,
    },
    "account": {"name": str, "accountUrl": str, "owner": int, "fields": list},
    "accountContact": {"account": int, "contact": int, "jobTitle": str},
    "fieldValue": {"contact": ID, "field": ID, "value": str},
    "dealGroup": {
        "title": str,
        "currency": str,
        "allgroups": int,
        "allusers": int,
        "autoassign": int,
        "users": list,
        "groups": list,
    },
    "dealStage": {
        "title": str,
        "group": str,
        "order": int,
        "dealOrder": str,
        "cardRegion1": str,
        "cardRegion2": str,
        "cardRegion3": str,
        "cardRegion4": str,
        "cardRegion5": str,
        "color": str,
        "width": int,
    },
}

CUSTOM_FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Favourite Colour", "text", ()),
    ("Tier", "dropdown", ("Gold", "Silver", "Bronze")),
    ("Contract End", "date", ()),
    ("Score", "number", ()),
    ("Interests", "listbox", ("Boats", "Cars")),
    ("Call At", "datetime", ()),
)
"""Title, type and options of what a new sandbox has; their ids begin at 1."""


def fits(value: Json, kind: type | tuple[type, ...]) -> bool:
    """Nothing is coerced, and true is no integer."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def fits_field(value: str, kind: str, options: list[str]) -> bool:
    """Values are strings, the empty one unsets; several options are written ||a||b||."""
    if not value:
        return True
    match kind:
        case "dropdown" | "radio":
            return value in options
        case "listbox" | "checkbox" | "multiselect":
            return bool(re.fullmatch(r"\|\|.+\|\|", value)) and set(value[2:-2].split("||")) <= set(options)
        case "date" | "datetime" | "number":
            return _reads(value, kind)
        case _:
            return True


def _reads(value: str, kind: str) -> bool:
    try:
        if kind == "number":
            float(value)
            return True
        if kind == "date":
            return date.fromisoformat(value).isoformat() == value
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
