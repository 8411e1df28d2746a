"""What a body may hold: strict types, members that nobody knows vanish silently, every wrong field is named.

The rules and their sentences are those of the vendor's own validator: https://github.com/closeio/cleancat
"""

import hashlib
import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from tests.sandbox.exchange import Answer, Json, RefusalError

ALPHABET = string.digits + string.ascii_letters


class FieldError(ValueError):
    """Why a value does not fit: a sentence, or the same for the members of an array or object."""

    def __init__(self, detail: Json) -> None:
        super().__init__(detail)
        self.detail = detail


type Reader = Callable[[Json], Json]


def refused(fields: dict[str, Json], *errors: str) -> RefusalError:
    """A 400 that names the fields."""
    return RefusalError(Answer(400, {"errors": list(errors), "field-errors": fields}))


def new_id(prefix: str, of: str | None = None) -> str:
    """Opaque, with the kind in front; the same for the same `of`, so that seeds survive a reset."""
    seed = hashlib.sha512((prefix + of).encode()).digest() if of is not None else secrets.token_bytes(43)
    return prefix + "".join(ALPHABET[byte % len(ALPHABET)] for byte in seed[:43])


def stamp(at: float) -> str:
    """Whole milliseconds, written as microseconds, with an offset."""
    return datetime.fromtimestamp(int(at * 1000) / 1000, UTC).isoformat(timespec="microseconds")


def text(value: Json) -> Json:
    return value or "" if isinstance(value, str | None) else wrong("Value must be of basestring type.")


def flag(value: Json) -> Json:
    return bool(value) if isinstance(value, bool | None) else wrong("Value must be of bool type.")


def number(value: Json) -> Json:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return value if fits or value is None else wrong("Value must be of int or float type.")


def url(value: Json) -> Json:
    fits = not text(value) or re.fullmatch(r"([a-z]+://)?[^\s/?#]+\.[^\s/?#.]{2,}([/?#]\S*)?", value, re.IGNORECASE)
    return value or None if fits else wrong("Invalid URL.")


def email(value: Json) -> Json:
    fits = re.fullmatch(r"[^@\s]+@[^@\s.]([^@\s]*\.)[a-z]{2,63}", filled(text)(value).strip(), re.IGNORECASE)
    return value.strip() if fits else wrong("Invalid email address.")


def phone(value: Json) -> Json:
    """A number without a country code is read as one of the organization's country."""
    digits = re.sub(r"[\s().-]", "", filled(text)(value))
    if re.fullmatch(r"[2-9]\d{9}", digits):
        digits = "+1" + digits
    return digits if re.fullmatch(r"\+[1-9]\d{6,14}", digits) else wrong("Invalid phone number.")


def day(value: Json) -> Json:
    if value is None:
        return None
    try:
        fits = re.fullmatch(r"\d{4}-\d\d-\d\d", filled(text)(value)) and date.fromisoformat(value)
    except ValueError:
        fits = None
    return value if fits else wrong("Invalid ISO 8601 datetime.")


def moment(value: Json) -> Json:
    if value is None:
        return None
    try:
        return stamp(datetime.fromisoformat(filled(text)(value)).timestamp())
    except ValueError:
        return wrong("Invalid ISO 8601 datetime.")


def filled(reader: Reader) -> Reader:
    """Neither absent nor empty."""

    def read(value: Json) -> Json:
        found = reader(value)
        return wrong("This field is required.") if found in (None, "", []) else found

    return read


def one_of(*allowed: str) -> Reader:
    return lambda value: value if value in allowed else wrong("Not a valid choice.")


def reference(known: Mapping[str, Any]) -> Reader:
    """An id of something that is there."""
    return lambda value: value if value is None or text(value) in known else wrong("Object does not exist.")


def many(item: Reader) -> Reader:
    def read(value: Json) -> Json:
        if not isinstance(value, list | None):
            return wrong("Value must be of list type.")
        good: list[Json] = []
        bad: dict[str, Json] = {}
        for place, one in enumerate(cast("list[Json]", value or [])):
            try:
                good.append(item(one))
            except FieldError as error:
                bad[str(place)] = error.detail
        return wrong({"errors": bad}) if bad else good

    return read


def nested(readers: Mapping[str, Reader]) -> Reader:
    """An object in which every member of `readers` is there afterwards."""

    def read(value: Json) -> Json:
        if not isinstance(value, dict):
            return wrong({"errors": ["Invalid request: JSON dictionary expected."], "field-errors": {}})
        good, bad = sorted_out(dict.fromkeys(readers) | value, readers)
        return wrong({"errors": [], "field-errors": bad}) if bad else good

    return read


def wrong(detail: Json) -> Json:
    raise FieldError(detail)


def sorted_out(body: dict[str, Json], readers: Mapping[str, Reader]) -> tuple[dict[str, Json], dict[str, Json]]:
    """The values that fit, and the errors of those that do not; a name without a reader is dropped."""
    good: dict[str, Json] = {}
    bad: dict[str, Json] = {}
    for name, value in body.items():
        try:
            if name in readers:
                good[name] = readers[name](value)
        except FieldError as error:
            bad[name] = error.detail
    return good, bad


def cleaned(body: dict[str, Json], readers: Mapping[str, Reader], *required: str) -> dict[str, Json]:
    good, bad = sorted_out(dict.fromkeys(required) | body, readers)
    if bad:
        raise refused(bad)
    return good


KINDS_OF_ADDRESS = one_of("office", "mobile", "home", "direct", "fax", "url", "other")


def kind_of_address(value: Json) -> Json:
    return "office" if value is None else KINDS_OF_ADDRESS(value)


def country(value: Json) -> Json:
    return value or "" if re.fullmatch(r"([A-Z]{2})?", text(value)) else wrong("Not a valid choice.")


def phone_entry(value: Json) -> Json:
    entry = nested({"phone": filled(phone), "type": kind_of_address})(value)
    return entry | {"phone_formatted": entry["phone"], "country": "US" if entry["phone"].startswith("+1") else None}


CONTACT: dict[str, Reader] = {
    "name": text,
    "title": text,
    "emails": many(nested({"email": filled(email), "type": kind_of_address, "is_unsubscribed": flag})),
    "phones": many(phone_entry),
    "urls": many(nested({"url": filled(url), "type": kind_of_address})),
}
PARTS_OF_ADDRESS = ("label", "address_1", "address_2", "city", "state", "zipcode")
LEAD: dict[str, Reader] = {
    "name": text,
    "description": text,
    "url": url,
    "addresses": many(nested(dict.fromkeys(PARTS_OF_ADDRESS, text) | {"country": country})),
}


@dataclass
class Custom:
    """A custom field of leads or contacts."""

    id: str
    row: dict[str, Json]

    @property
    def key(self) -> str:
        return f"custom.{self.id}"

    def reader(self, users: Mapping[str, Any], contacts: Mapping[str, Any]) -> Reader:
        one: Reader
        match self.row["type"]:
            case "number":
                one = number
            case "date":
                one = day
            case "datetime":
                one = moment
            case "choices":
                one = one_of(*self.row["choices"])
            case "user":
                one = reference(users)
            case "contact":
                one = reference(contacts)
            case _:
                one = text
        several = many(one) if self.row["accepts_multiple_values"] else one
        return lambda value: value if value is None else several(value)
