"""The parts that unified records share. What callers send is checked strictly: an id is a string, not a number."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=65_536)]
"""Any text a CRM may hold."""

ID = r"^[^\s\x00-\x1f\x7f/?#\\%.][^\s\x00-\x1f\x7f/?#\\%]*$"
Id = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=ID)]
"""A vendor's id, always a string; never with a character that could leave its place in a path."""


MOST = 100
"""So many of what a person has a few of may be sent."""


class Strict(BaseModel):
    """A part of a request: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Told(BaseModel):
    """A part of a response: a description, against which nothing is checked, so that nothing is built at start."""

    model_config = ConfigDict(defer_build=True)


class Ref(Strict):
    """A record named by its vendor's id."""

    id: Id


class Email(Strict):
    """An e-mail address of a person."""

    email: Text
    type: Text | None = None


class Phone(Strict):
    """A phone number to be written. `email` and `is_primary` stand in the contract; no CRM has a place for them."""

    number: Text
    extension: Text | None = None
    type: Literal["primary", "secondary", "work", "mobile", "fax"] | None = None
    email: Text | None = None
    is_primary: Text | None = None


class Address(Strict):
    """A postal address."""

    street_1: Text | None = None
    street_2: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    type: Text | None = None


RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d", re.ASCII)


DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _dated(value: Any) -> Any:
    if isinstance(value, str) and DATE.fullmatch(value):
        return value
    raise ValueError("has to be a date as YYYY-MM-DD, as a string")


def _amount(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("has to be a number")


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    raise ValueError("has to be a whole number")


def _written(value: Any) -> Any:
    if isinstance(value, str) and RFC3339.match(value):
        return value
    raise ValueError("has to be a date and time in RFC 3339, as a string")


Count = Annotated[int, BeforeValidator(_count)]
"""A whole number, or one written as a string."""

Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]
"""A point in time in RFC 3339, with its zone."""


Day = Annotated[date, Field(strict=False), BeforeValidator(_dated)]
"""A day of the calendar, without a zone."""

Amount = Annotated[float, Field(strict=False), BeforeValidator(_amount)]
"""A sum of money in units of its currency, or another number."""


def _as_ref(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


LooseRef = Annotated[Ref, BeforeValidator(_as_ref)]
"""A reference that a request writes as `{id}` and a response as a bare id: both are taken."""


class EmailOut(Told):
    """An e-mail address as answered; the type is the vendor's word."""

    email: str | None = None
    type: str | None = None


class AddressOut(Told):
    """A postal address as answered."""

    street_1: str | None = None
    street_2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    type: str | None = None


class PhoneOut(Told):
    """A phone number as answered; the type is the vendor's word."""

    number: str | None = None
    extension: str | None = None
    type: str | None = None


class RefOut(Told):
    """A record named by its vendor's id, and by its name where the vendor tells it."""

    id: str
    name: str | None = None


class NamedOut(Told):
    """A record named by its vendor's id, or by its name alone where the record that names it holds no id."""

    id: str | None = None
    name: str | None = None


class OwnerOut(RefOut):
    """The user who owns a record; the e-mail address where the record tells it."""

    email: str | None = None


class Url(Told):
    """A web address of a record."""

    url: str
    type: str | None = None
