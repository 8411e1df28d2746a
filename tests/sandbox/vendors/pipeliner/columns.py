"""Columns of entities: their types, as bodies write them and as filters spell them.

https://developers.pipelinersales.com/api-docs/core-api-concepts/fields
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from tests.sandbox.exchange import Json


class ColumnError(ValueError):
    """A value that its column does not take, in the words of the refusal."""


def text(value: Json) -> Json:
    return value if isinstance(value, str) else wrong("must be a string")


def integer(value: Json) -> Json:
    return value if isinstance(value, int) and not isinstance(value, bool) else wrong("must be an integer")


def number(value: Json) -> Json:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else wrong("must be a number")


def flag(value: Json) -> Json:
    return value if isinstance(value, bool) else wrong("must be a boolean")


def identifier(value: Json) -> Json:
    """A UUID with its hyphens, never a URI."""
    fits = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value.lower())
    return str(value).lower() if fits else wrong("must be a UUID")


def identifiers(value: Json) -> Json:
    return (
        [identifier(one) for one in cast("list[Json]", value)] if isinstance(value, list) else wrong("must be a list")
    )


def moment(value: Json) -> Json:
    """Read in ISO 8601 with either separator, UTC where no offset is named; a date alone is no moment."""
    if not isinstance(value, str) or len(value) <= len("2026-01-01"):
        return wrong("must be a date-time")
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return wrong("must be a date-time")
    return stamp(read.replace(tzinfo=read.tzinfo or UTC))


def day(value: Json) -> Json:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return wrong("must be a date as YYYY-MM-DD")
    try:
        date.fromisoformat(value)
    except ValueError:
        return wrong("must be a date as YYYY-MM-DD")
    return value


def money(value: Json) -> Json:
    """A value in the space's own currency, in another one, or in both; the one that is not sent is worked out."""
    members: dict[str, Callable[[Json], Json]] = {"base_value": number, "value_foreign": number}
    members["currency_id"] = identifier
    if not isinstance(value, dict) or not value.keys() & {"base_value", "value_foreign"}:
        return wrong("must be an object with base_value or value_foreign")
    if unknown := value.keys() - members.keys():
        return wrong(f"has no {min(unknown)}")
    return {name: members[name](one) for name, one in value.items()}


def wrong(why: str) -> Json:
    raise ColumnError(why)


def stamp(at: datetime) -> str:
    """The vendor's times: a blank, microseconds, an offset; not strict ISO 8601."""
    return at.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")


_SPELLED: Mapping[Callable[[Json], Json], Callable[[str], Json]] = {
    integer: int,
    number: float,
    flag: lambda word: {"true": True, "false": False}[word.lower()],
}


@dataclass(frozen=True)
class Column:
    """`refers`: the noun that the id points at, `also` another; `data_set`: of the drop-down option that it points at.

    `blank`: what an unset one is answered as: text is "", the rest null; null unsets where it is null.
    """

    type: Callable[[Json], Json]
    refers: str | None = None
    data_set: str | None = None
    required: bool = False
    writable: bool = True
    blank: Json = None
    allowed: tuple[Json, ...] = ()
    also: str | None = None

    def read(self, value: Json) -> Json:
        """A value of a body. Null is refused where an unset one is not null itself."""
        if value is None:
            return None if self.blank is None and not self.required else wrong("must not be null")
        fine = self.type(value)
        return fine if not self.allowed or fine in self.allowed else wrong(f"must be one of {list(self.allowed)}")

    def spelled(self, word: str) -> Json:
        """A value of a filter."""
        try:
            return self.type(_SPELLED.get(self.type, str)(word))
        except (KeyError, ValueError) as odd:
            raise ColumnError(f"{word!r} does not fit the field") from odd


def named(name: str) -> str:
    """A UUID that is the same in every space of the sandbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.pipeliner.example"))


def ref(noun: str, *, required: bool = False, writable: bool = True) -> Column:
    return Column(identifier, refers=noun, required=required, writable=writable)


def option(data_set: str) -> Column:
    return Column(identifier, refers="data", data_set=named(data_set))


def one_of(*allowed: int) -> Column:
    return Column(integer, allowed=allowed, blank=allowed[0])


def texts(names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), TEXT)


def shut(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The same columns, read-only."""
    return {
        name: Column(one.type, one.refers, one.data_set, writable=False, blank=one.blank)
        for name, one in columns.items()
    }


TEXT = Column(text, blank="")
NAME = Column(text, blank="", required=True)
INTEGER = Column(integer)
FLAG = Column(flag, blank=False)
MOMENT = Column(moment)
DAY = Column(day)

CUSTOM_TYPES: Mapping[str, Column] = {
    "checkbox": FLAG,
    "currency": Column(number),
    "date": Column(day),
    "datetime": MOMENT,
    "float": Column(number),
    "integer": INTEGER,
    "multiselect_checkbox": Column(identifiers),
}
"""Types of custom fields that are not text; a drop-down or radio holds the UUID of one of its options."""


def custom(type_id: str, data_set: str | None) -> Column:
    if type_id in ("dropdown", "radio"):
        return Column(identifier, refers="data", data_set=data_set)
    return CUSTOM_TYPES.get(type_id, TEXT)
