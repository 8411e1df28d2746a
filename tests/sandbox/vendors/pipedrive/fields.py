"""Fields of leads, persons, organizations and deals: strict types, nothing is coerced; custom fields by 40-hex keys.

https://pipedrive.readme.io/docs/core-api-concepts-custom-fields
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from tests.sandbox.exchange import Json


class FieldError(ValueError):
    """A value of the wrong type, in the words of the refusal."""


type Reader = Callable[[Json], object]


def text(value: Json) -> object:
    return value if isinstance(value, str) else wrong("must be a string")


def integer(value: Json) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else wrong("must be an integer")


def number(value: Json) -> object:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else wrong("must be a number")


def flag(value: Json) -> object:
    return value if isinstance(value, bool) else wrong("must be a boolean")


def day(value: Json) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return wrong("must be a date as YYYY-MM-DD")
    try:
        date.fromisoformat(value)
    except ValueError:
        return wrong("must be a date as YYYY-MM-DD")
    return value


def money(value: Json) -> object:
    """A lead's value: both members or none."""
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        return wrong("must have an amount and a currency")
    number(value["amount"])
    if not re.fullmatch(r"[A-Z]{3}", str(value["currency"])):
        return wrong("currency must be a currency code")
    return value


def one_of(*allowed: Json) -> Reader:
    def read(value: Json) -> object:
        fits = any(value == one and type(value) is type(one) for one in allowed)
        return value if fits else wrong(f"must be one of {list(allowed)}")

    return read


def list_of(item: Reader) -> Reader:
    def read(value: Json) -> object:
        return [item(one) for one in value] if isinstance(value, list) else wrong("must be an array")

    return read


def reachable(value: Json) -> object:
    """An e-mail or phone entry."""
    if not isinstance(value, dict) or not value.keys() <= {"value", "primary", "label"}:
        return wrong("entries have value, primary and label")
    text(value.get("value"))
    return {"value": value["value"], "primary": value.get("primary", False), "label": value.get("label", "work")}


PLACE = (
    "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route", "street_number",
    "subpremise", "postal_code",
)  # fmt: skip


def address(value: Json) -> object:
    """Only the line of text has to be there; the parts that it was read into are null where unknown."""
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        return wrong("must have a value")
    return {"value": value["value"]} | dict.fromkeys(PLACE) | value


def mapping(value: Json) -> object:
    return value if isinstance(value, dict) else wrong("must be an object")


def wrong(why: str) -> object:
    raise FieldError(why)


@dataclass(frozen=True)
class Custom:
    """A custom field; its key is a hash that differs between accounts."""

    name: str
    type: str
    options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return hashlib.sha1(self.name.encode(), usedforsecurity=False).hexdigest()

    def reader(self) -> Reader:
        match self.type:
            case "double":
                return number
            case "date":
                return day
            case "enum":
                return one_of(*range(1, len(self.options) + 1))
            case "monetary":
                return custom_money
            case _:
                return text


def custom_money(value: Json) -> object:
    """v2's shape; on a lead it is a number with a companion key."""
    if isinstance(value, dict) and set(value) == {"value", "currency"}:
        number(value["value"])
        return value
    return number(value)


DEAL_CUSTOM = (
    Custom("favourite_colour", "varchar"),
    Custom("tier", "enum", ("Gold", "Silver", "Bronze")),
    Custom("contract_end", "date"),
    Custom("score", "double"),
    Custom("budget", "monetary"),
)
CUSTOM = {"leads": DEAL_CUSTOM, "deals": DEAL_CUSTOM, "persons": DEAL_CUSTOM[:1], "organizations": DEAL_CUSTOM[:1]}
"""Leads inherit the custom fields of deals."""

_SHARED: dict[str, Reader] = {"owner_id": integer, "visible_to": integer, "label_ids": list_of(integer)} | {
    "custom_fields": mapping
}
VISIBLE = one_of(1, 3, 5, 7)

FIELDS: dict[str, Mapping[str, Reader]] = {
    "leads": {
        "title": text,
        "owner_id": integer,
        "label_ids": list_of(text),
        "person_id": integer,
        "organization_id": integer,
        "value": money,
        "expected_close_date": day,
        "visible_to": one_of("1", "3", "5", "7"),
        "was_seen": flag,
        "origin_id": text,
        "channel": integer,
        "channel_id": text,
        "is_archived": flag,
    },
    "persons": _SHARED
    | {
        "name": text,
        "org_id": integer,
        "add_time": text,
        "update_time": text,
        "emails": list_of(reachable),
        "phones": list_of(reachable),
        "visible_to": VISIBLE,
        "marketing_status": one_of("no_consent", "unsubscribed", "subscribed", "archived"),
    },
    "organizations": _SHARED
    | {"name": text, "add_time": text, "update_time": text, "visible_to": VISIBLE, "address": address},
    "deals": _SHARED
    | {
        "title": text,
        "person_id": integer,
        "org_id": integer,
        "pipeline_id": integer,
        "stage_id": integer,
        "value": number,
        "currency": text,
        "is_deleted": flag,
        "is_archived": flag,
        "archive_time": text,
        "status": one_of("open", "won", "lost"),
        "probability": number,
        "lost_reason": text,
        "visible_to": VISIBLE,
        "close_time": text,
        "won_time": text,
        "lost_time": text,
        "expected_close_date": day,
    },
}
REQUIRED = {"leads": "title", "deals": "title", "persons": "name", "organizations": "name"}
REFERENCES = {"person_id": "persons", "org_id": "organizations", "organization_id": "organizations"}


def read(kind: str, body: dict[str, Json]) -> dict[str, Json]:
    """The body's values, checked; FieldError names the first that does not fit. Null unsets."""
    values: dict[str, Json] = {}
    custom = {field.key: field for field in CUSTOM[kind]}
    at_root = custom if kind == "leads" else {}
    for name, value in body.items():
        bare = re.sub(r"_(currency|until|timezone_id)$", "", name)
        reader = FIELDS[kind].get(name)
        if reader is None and bare in at_root:
            reader = text if bare != name else at_root[name].reader()
        if reader is None:
            raise FieldError(f'"{name}" is not allowed')
        values[name] = _fit(name, reader, value)
    for key, value in (values.get("custom_fields") or {}).items():
        if key not in custom:
            raise FieldError(f'custom field "{key}" does not exist')
        values["custom_fields"][key] = _fit(key, custom[key].reader(), value)
    return values


def _fit(name: str, reader: Reader, value: Json) -> Json:
    if value is None:
        return None
    try:
        return reader(value)
    except FieldError as bad:
        raise FieldError(f'"{name}" {bad}') from bad


def shown(kind: str, values: dict[str, Json], asked: list[str], *, labels: bool) -> dict[str, Json]:
    """Every custom field of the account, or the asked ones; null where unset. Options are ids, or say their names."""
    found: dict[str, Json] = {field.key: values.get(field.key) for field in CUSTOM[kind]}
    for field in CUSTOM[kind]:
        value = found[field.key]
        if labels and field.options and value is not None:
            found[field.key] = {"id": value, "label": field.options[value - 1]}
    return {key: value for key, value in found.items() if not asked or key in asked}


CODES = {"emails": "email", "phones": "phone"}
"""Where the metadata's name of a field is not that of the record's member (example of the specification)."""

TYPES = {
    "owner_id": "user", "org_id": "org", "organization_id": "org", "person_id": "people", "phones": "phone",
    "label_ids": "set", "visible_to": "visible_to", "stage_id": "stage", "status": "status", "address": "address",
    "add_time": "date", "update_time": "date", "expected_close_date": "date", "probability": "int",
}  # fmt: skip
ON_DEMAND: dict[str, Json] = {
    "ui_visibility": {"add_visible_flag": True, "details_visible_flag": True},
    "important_fields": {"enabled": False, "stage_ids": []},
    "required_fields": {"enabled": False},
}
"""What include_fields of the metadata may name."""


def described(kind: str) -> list[dict[str, Json]]:
    """Field metadata of v2: standard ones by name, custom ones by key."""
    plain: list[dict[str, Json]] = [
        {"field_code": CODES.get(name, name), "field_type": TYPES.get(name, "varchar"), "options": None}
        for name in FIELDS[kind]
        if name != "custom_fields"
    ]
    own: list[dict[str, Json]] = [
        {
            "field_code": field.key,
            "field_type": field.type,
            "options": [{"id": number, "label": label} for number, label in enumerate(field.options, start=1)] or None,
        }
        for field in CUSTOM[kind]
    ]
    names = [row["field_code"] for row in plain] + [field.name for field in CUSTOM[kind]]
    return [
        {"field_name": name.replace("_", " ").capitalize()}
        | row
        | {"subfields": None, "is_custom_field": place >= len(plain), "is_optional_response_field": False}
        for place, (name, row) in enumerate(zip(names, [*plain, *own], strict=True))
    ]
