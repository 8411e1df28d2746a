"""What contacts can be searched by: one table. A field is found, compared and indexed as its line says."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from switchboard.crm.codecs import utc
from switchboard.crm.wire import dig
from switchboard.ports import Owner, Stored
from switchboard.search.contact import fold

type Kind = Literal["text", "id", "digits", "moment", "custom"]
"""How values are compared: texts without case, ids to the letter, phone numbers by their digits, moments in time,
custom fields as what they are."""

type Values = Callable[[Stored, Mapping[str, Owner]], list[Any]]
"""The values that a contact has in a field; `owners` are those of its account."""

type Operator = Literal[
    "eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "between", "contains", "not_contains", "starts_with",
    "is_empty", "is_not_empty",
]  # fmt: skip

EITHER: tuple[Operator, ...] = ("eq", "neq", "in", "not_in", "is_empty", "is_not_empty")
PARTS: tuple[Operator, ...] = ("contains", "not_contains", "starts_with")
RANGES: tuple[Operator, ...] = ("gt", "gte", "lt", "lte", "between")
OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    "text": EITHER + PARTS,
    "id": EITHER,
    "digits": EITHER + PARTS,
    "moment": EITHER + RANGES,
    "custom": EITHER + PARTS + RANGES,
}
"""What may be asked of a field of each kind."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field to search by.

    term: the index by equality, where it has one. broad: so many contacts may share a value that each account has a
    list of its own, so that no one list takes all writes of a brand. words: its words stand in the index of words.
    order: contacts can be sorted by it.
    """

    name: str
    kind: Kind
    values: Values
    term: str | None = None
    broad: bool = False
    words: bool = False
    order: bool = False

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What may be asked of it."""
        return OPERATORS[self.kind]


def _at(path: str) -> Values:
    def values(stored: Stored, _: Mapping[str, Owner]) -> list[Any]:
        value = dig(stored.body, path)
        return [] if value in (None, "") else [value]

    return values


def _each(path: str, part: str = "") -> Values:
    def values(stored: Stored, _: Mapping[str, Owner]) -> list[Any]:
        told = stored.body.get(path) or []
        found = [each.get(part) if part else each for each in told if not part or isinstance(each, dict)]
        return [each for each in found if each not in (None, "")]

    return values


def _domains(stored: Stored, owners: Mapping[str, Owner]) -> list[Any]:
    return [part for each in _each("emails", "email")(stored, owners) if (part := str(each).rpartition("@")[2])]


def _owner(part: Literal["name", "email"]) -> Values:
    def values(stored: Stored, owners: Mapping[str, Owner]) -> list[Any]:
        told: Any = stored.body.get("owner") or {}
        known = owners.get(str(told.get("id")))
        value = getattr(known, part) if known else told.get(part)
        return [value] if value else []

    return values


FIELDS: dict[str, Field] = {
    each.name: each
    for each in (
        Field("id", "id", lambda stored, _: [stored.id]),
        Field("first_name", "text", _at("first_name"), words=True),
        Field("last_name", "text", _at("last_name"), words=True),
        Field("name", "text", _at("name"), words=True, order=True),
        Field("title", "text", _at("title")),
        Field("emails", "text", _each("emails", "email"), term="email", words=True),
        Field("domain", "text", _domains, term="domain"),
        Field("phones", "digits", _each("phones", "number"), term="phone"),
        Field("company.id", "id", _at("company.id"), term="company"),
        Field("company.name", "text", _at("company.name"), words=True),
        Field("owner.id", "id", _at("owner.id"), term="owner", broad=True),
        Field("owner.name", "text", _owner("name")),
        Field("owner.email", "text", _owner("email")),
        Field("tags", "text", _each("tags"), term="tag", broad=True),
        Field("lead_status", "text", _at("lead_status"), term="status", broad=True),
        Field("addresses.city", "text", _each("addresses", "city")),
        Field("addresses.country", "text", _each("addresses", "country")),
        Field("source.crm", "id", lambda stored, _: [stored.crm]),
        Field("source.integrated_account_id", "id", lambda stored, _: [stored.account]),
        Field("source.remote_id", "id", lambda stored, _: [stored.remote_id]),
        Field("created_at", "moment", _at("created_at"), order=True),
        Field("updated_at", "moment", _at("updated_at"), order=True),
        Field("last_activity_at", "moment", _at("last_activity_at"), order=True),
    )
}

ALIASES = {
    "email": "emails",
    "phone": "phones",
    "tag": "tags",
    "integrated_account_id": "source.integrated_account_id",
}
"""Other names under which callers know a field."""

CUSTOM = "custom_fields."
CUSTOM_NAME = 128
"""So long the name of a custom field may be."""

ORDERS = tuple(each.name for each in FIELDS.values() if each.order)
"""What contacts can be sorted by."""


def field(name: str) -> Field | None:
    """The field of that name, if there is one; every custom field is one."""
    found = FIELDS.get(ALIASES.get(name, name))
    if found or not name.startswith(CUSTOM) or not 0 < len(name) - len(CUSTOM) <= CUSTOM_NAME:
        return found
    own = name.removeprefix(CUSTOM)

    def values(stored: Stored, _: Mapping[str, Owner]) -> list[Any]:
        value: Any = (stored.body.get("custom_fields") or {}).get(own)
        told = value if isinstance(value, list) else [value]
        return [each for each in told if each not in (None, "") and not isinstance(each, dict | list)]

    return Field(name, "custom", values, term=name, broad=True)


NOT_DIGITS = re.compile(r"\D", re.ASCII)


def comparable(kind: Kind, value: Any) -> Any:
    """A value as it is compared with others of its kind; None for one that cannot be."""
    match kind:
        case "digits":
            return NOT_DIGITS.sub("", str(value)) or None
        case "moment":
            return utc(value)
        case "custom":
            if isinstance(value, float) and value.is_integer():
                return int(value)  # 1.0 is 1, and stands in the same list
            return value if isinstance(value, bool | int | float) else fold(str(value)) or None
        case "id":
            return str(value)
        case _:
            return fold(str(value)) or None
