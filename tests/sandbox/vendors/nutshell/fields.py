"""What may be written to leads, contacts and accounts: values, relations, and lists of {isPrimary, name, value}.

https://developers.nutshell.com, its OpenAPI document 2.0.0 (leads) and 1.0.1 (contacts, accounts)
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from tests.sandbox.exchange import Json


class FieldError(ValueError):
    """A field that does not fit, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class WrongError(ValueError):
    """A value of the wrong type or format."""


class Relation(NamedTuple):
    target: str
    many: bool


type Reader = Callable[[Json], Json]


def text(value: Json) -> Json:
    return value if isinstance(value, str) else wrong("must be a string")


def decimal(value: Json) -> Json:
    """Money as a string, without a currency."""
    fits = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value)
    return value if fits else wrong("must be a decimal string")


def moment(value: Json) -> Json:
    """The time object of leads; only its timestamp counts."""
    if not isinstance(value, dict) or not value.keys() <= {"absoluteLocalizedString", "timestamp", "value"}:
        return wrong("must be an object with a timestamp")
    stamp = value.get("timestamp")
    if not isinstance(stamp, int | float) or isinstance(stamp, bool):
        return wrong("timestamp must be a number")
    return int(stamp)


def phone(value: Json) -> Json:
    """Given as text or in parts, answered in parts."""
    given = value.get("number") if isinstance(value, dict) else value
    digits = re.sub(r"\D", "", text(given))
    parts = cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    made = {"countryCode": None, "number": digits, "extension": None, "numberFormatted": given, "E164": None}
    return made | {"countryCodeAndNumber": given} | parts


def address(value: Json) -> Json:
    fits = isinstance(value, dict) and value.keys() <= set(ADDRESS)
    return dict.fromkeys(ADDRESS) | value if fits else wrong(f"must be an object of {', '.join(ADDRESS)}")


def entries(default: str, read_value: Reader) -> Reader:
    """The first is the primary one unless another says so."""

    def read(value: Json) -> Json:
        if not isinstance(value, list):
            return wrong("must be an array")
        made: list[dict[str, Json]] = []
        for one in cast("list[Json]", value):
            if not isinstance(one, dict) or not one.keys() <= {"isPrimary", "name", "value"} or "value" not in one:
                return wrong("entries have isPrimary, name and value")
            made.append({"isPrimary": False, "name": default} | one | {"value": read_value(one["value"])})
        if made and not any(one["isPrimary"] for one in made):
            made[0]["isPrimary"] = True
        return made

    return read


def texts(value: Json) -> Json:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in cast("dict[str, Json]", value).values()):
        return wrong("must be an object of strings")
    return value


def wrong(why: str) -> Json:
    raise WrongError(why)


ADDRESS = (
    "address_1", "address_2", "address_3", "city", "state", "postalCode", "country", "timezone", "location",
    "locationAccuracy",
)  # fmt: skip
_REACHABLE: Mapping[str, Reader] = {
    "name": text,
    "description": text,
    "emails": entries("email", text),
    "phones": entries("phone", phone),
    "urls": entries("url", text),
    "addresses": entries("address", address),
}
FIELDS: Mapping[str, Mapping[str, Reader]] = {
    "leads": {"description": text, "manualValue": decimal, "dueTime": moment},
    "contacts": _REACHABLE,
    "accounts": _REACHABLE,
}
"""A lead's name is made of its description; the names of a contact are made of its name: neither is written itself."""

RELATIONS: Mapping[str, Mapping[str, Relation]] = {
    "leads": {
        "accounts": Relation("accounts", many=True),
        "contacts": Relation("contacts", many=True),
        "owner": Relation("users", many=False),
        "sources": Relation("sources", many=True),
        "tags": Relation("tags", many=True),
        "productMaps": Relation("productMaps", many=True),
        "competitorMaps": Relation("competitorMaps", many=True),
    },
    "contacts": {
        "accounts": Relation("accounts", many=True),
        "owner": Relation("users", many=False),
        "tags": Relation("tags", many=True),
        "territory": Relation("territories", many=False),
        "emAudiences": Relation("emAudiences", many=True),
    },
    "accounts": {
        "owner": Relation("users", many=False),
        "tags": Relation("tags", many=True),
        "territory": Relation("territories", many=False),
        "accountType": Relation("accountTypes", many=False),
        "industry": Relation("industries", many=False),
    },
}
"""Of products, competitors, territories and audiences this fake has none, so that every id of one dangles."""


def fitted(field: str, reader: Reader, value: Json) -> Json:
    try:
        return reader(value)
    except WrongError as bad:
        raise FieldError(field, str(bad)) from bad


def related(field: str, relation: Relation, value: Json) -> Json:
    """Ids as strings; an object in place of an id is unconfirmed and refused."""
    ids = value if relation.many else [value]
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in cast("list[Json]", ids)):
        raise FieldError(field, "must be a list of ids" if relation.many else "must be an id")
    return list(dict.fromkeys(cast("list[str]", ids))) if relation.many else value


class Written(NamedTuple):
    """What a body says."""

    values: dict[str, Json]
    links: dict[str, Json]
    custom: dict[str, str]


def read(kind: str, body: dict[str, Json], *, drops_unknown: bool) -> Written:
    """The body of a create; FieldError names the first field that does not fit."""
    written = Written({}, {}, {})
    for name, value in body.items():
        if name == "links":
            written.links.update(_links(kind, value, drops_unknown=drops_unknown))
        elif name == "customFields":
            written.custom.update(fitted(name, texts, value))
        elif name in FIELDS[kind]:
            written.values[name] = fitted(name, FIELDS[kind][name], value)
        elif not drops_unknown:
            raise FieldError(name, "is not an attribute that can be written")
    return written


def _links(kind: str, value: Json, *, drops_unknown: bool) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise FieldError("links", "must be an object")
    links: dict[str, Json] = {}
    for name, given in cast("dict[str, Json]", value).items():
        if name in RELATIONS[kind]:
            links[name] = related(f"links.{name}", RELATIONS[kind][name], given)
        elif not drops_unknown:
            raise FieldError(f"links.{name}", "is not a relation that can be written")
    return links
