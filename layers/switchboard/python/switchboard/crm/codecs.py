"""How one value changes on its way: `out` from ours to the vendor's, `into` from the vendor's to ours.

`out` raises ValueError with a sentence that says what the value must be; the row adds the name of the field.
`into` is total: what it cannot read is None, because a vendor may add a format before we learn it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class Codec:
    """A pair of functions between our value and the vendor's."""

    out: Callable[[Any], Any]
    into: Callable[[Any], Any]


def _text(value: Any) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            return None


def plain(name: Any) -> str:
    """A name as far as it tells one from another: without case, and without white space at the ends."""
    return str(name).strip().casefold()


def _decimal_id(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        return int(value)
    raise ValueError("must be a whole number written as a string")


def utc(value: Any) -> datetime | None:
    """The moment that a vendor's ISO 8601 text names, in UTC; a text without a zone is UTC. None if it is no moment."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def rfc3339(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC with `Z`; milliseconds only where there are some."""
    timespec = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def _moment_into(value: Any) -> str | None:
    moment = utc(value)
    return None if moment is None else rfc3339(moment)


def _same(value: Any) -> Any:
    return value


same = Codec(_same, _same)
"""The vendor's value is ours."""

text = Codec(_text, _text)
"""A string on both sides; a vendor's number or boolean is written out."""

number_id = Codec(_decimal_id, _text)
"""An id that the vendor keeps as an integer. Ours are always strings."""


def _number(value: Any) -> float | int | None:
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (OverflowError, ValueError):
        return None
    if found is None or not isfinite(found):
        return None
    return int(found) if found.is_integer() else found


number = Codec(_same, _number)
"""A number; a vendor may write it as a text."""

percent = Codec(round, _number)
"""A probability in per cent, of which the vendor takes whole ones."""

moment = Codec(rfc3339, _moment_into)
"""A point in time: ours is an aware datetime going out and RFC 3339 UTC coming in; the vendor's is ISO 8601."""


def _day(value: Any) -> str | None:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except (KeyError, TypeError, ValueError):
        return None


day = Codec(date.isoformat, _day)
"""A day of the calendar: ours is a date going out and YYYY-MM-DD coming in; a vendor may write a time behind it."""


def _hundredth(value: Any) -> float | int | None:
    found = _number(value)
    return None if found is None else _number(found / 100)


cents = Codec(lambda value: round(value * 100), _hundredth)
"""A sum of money that the vendor counts in hundredths."""


def _boolean(value: Any) -> bool | None:
    told = str(value).lower()
    return True if told in ("true", "1") else False if told in ("false", "0") else None


boolean = Codec(_same, _boolean)
"""Yes or no; a vendor may write it as a text or a digit."""


def texts(key: str | None = None) -> Codec:
    """A list of texts; the vendor may wrap each in an object, `{key: text}`."""

    def into(value: Any) -> list[str] | None:
        told = value if isinstance(value, list) else []
        found = [_text(each.get(key) if key and isinstance(each, dict) else each) for each in told]
        return [each for each in found if each] or None

    return Codec(lambda value: [{key: each} for each in value] if key else value, into)


def joined(mark: str) -> Codec:
    """A list of texts that the vendor keeps as one, with a mark between them."""

    def into(value: Any) -> list[str] | None:
        told = value.split(mark) if isinstance(value, str) else []
        return [each.strip() for each in told if each.strip()] or None

    return Codec(mark.join, into)


def ref(key: str = "id", ids: Codec = text) -> Codec:
    """The vendor wraps an id in an object, `{key: id}`."""
    return Codec(
        lambda value: {key: ids.out(value)}, lambda value: ids.into(value.get(key)) if isinstance(value, dict) else None
    )


def choice(theirs: Mapping[str, Any]) -> Codec:
    """One of a few: ours by name, the vendor's beside it. What has no name of ours is left out."""

    def out(value: Any) -> Any:
        if value not in theirs:
            raise ValueError("has to be one of " + ", ".join(theirs))
        return theirs[value]

    return Codec(out, lambda value: next((ours for ours, told in theirs.items() if told == value), None))
