"""Rows: a field declared once, that works both ways.

From the rows of a table come the body we send, the record we answer, the columns we ask for, the check for required
fields and every list of what is supported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from switchboard.crm import codecs
from switchboard.crm.codecs import Codec, plain
from switchboard.crm.places import At, Place, Record
from switchboard.crm.problem import invalid
from switchboard.crm.wire import dig, plant
from switchboard.models.schema import Schema


@dataclass(frozen=True, slots=True)
class Bag:
    """The envelope of records whose columns stand in one object, with a few beside it."""

    inside: str
    beside: tuple[str, ...]

    def seal(self, record: Record) -> Record:
        """A record as it is sent; the object is left out where it would be empty."""
        held = {name: value for name, value in record.items() if name not in self.beside}
        rest = {name: value for name, value in record.items() if name in self.beside}
        return rest | ({self.inside: held} if held else {})

    def open(self, body: Any) -> Record:
        """A record as it was answered, or sealed, with all columns side by side."""
        held = dig(body, self.inside)
        record: Record = dict(held) if isinstance(held, dict) else {}
        return record | {name: body[name] for name in self.beside if dig(body, name) is not None}


def nested(outers: Sequence[Record], name: str, inners: Sequence[Record], by: str, id: str = "id") -> list[Record]:
    """Records with a list of those others that name them: `by` is where they do, `id` what they name."""
    return [outer | {name: [each for each in inners if dig(each, by) == outer.get(id)]} for outer in outers]


def next_place(siblings: Sequence[Record], key: str, first: int) -> int:
    """The place behind all of these, in the order that they have under a key."""
    return max((place for each in siblings if isinstance(place := each.get(key), int)), default=first - 1) + 1


type Options[T] = Sequence[tuple[T, Sequence[str]]]
"""What a vendor offers to choose from, each with the names it goes by, of which the first is shown."""


def called[T](name: Any, options: Options[T]) -> T | None:
    """The one of this name, whatever its case."""
    return next((option for option, names in options if plain(name) in map(plain, names)), None)


def chosen[T](ours: str, name: Any, options: Options[T]) -> T:
    """The one of this name; a name that is not there is refused, and told which are."""
    if (found := called(name, options)) is not None:
        return found
    valid = ", ".join(names[0].strip() for _, names in options if names)
    detail = f"has to be one of {valid}" if valid else "cannot be given: there is nothing to choose from"
    raise invalid(ours, "unknown_value", detail)


@dataclass(frozen=True, slots=True)
class Row:
    """One field of ours and what this CRM says about it.

    required: the CRM (or the contract) refuses a create without it.
    read_only: never sent. write_only: never answered.
    filter: a search may use it. key: part of what tells one record from another when we ask whether a create arrived.
    """

    ours: str
    place: Place
    codec: Codec
    required: bool
    read_only: bool
    write_only: bool
    filter: bool
    key: bool


def row(
    ours: str,
    theirs: str | Place,
    codec: Codec = codecs.same,
    *,
    required: bool = False,
    read_only: bool = False,
    write_only: bool = False,
    filter: bool = False,
    key: bool = False,
) -> Row:
    """A row; see `Row`."""
    place = At(theirs) if isinstance(theirs, str) else theirs
    return Row(ours, place, codec, required, read_only, write_only, filter, key)


class Table:
    """The rows of one resource at one CRM. Made at import, and refuses there what could only fail later."""

    def __init__(self, schema: Schema, *rows: Row) -> None:
        self.schema = schema
        self.rows = rows
        names = [each.ours for each in rows]
        if twice := {name for name in names if names.count(name) > 1}:
            raise TypeError(f"declared twice: {sorted(twice)}")
        for each in rows:
            root = each.ours.split(".")[0]
            if not each.read_only and root not in schema.writable:
                raise TypeError(f"{each.ours}: no request has this field; is the row read_only?")
            if not each.write_only and root not in schema.readable:
                raise TypeError(f"{each.ours}: no response has this field; is the row write_only?")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The vendor's names to ask for when reading, each once, in the order of the rows."""
        return tuple(dict.fromkeys(name for each in self.rows if not each.write_only for name in each.place.columns))

    def row(self, ours: str) -> Row | None:
        """The row of a field of ours."""
        return next((each for each in self.rows if each.ours == ours), None)

    def names(self, *, required: bool = False, writable: bool = False, readable: bool = False) -> list[str]:
        """Our fields of the rows that have all of these properties."""
        return [
            each.ours
            for each in self.rows
            if (each.required or not required)
            and (not each.read_only or not writable)
            and (not each.write_only or not readable)
        ]

    def out(self, item: Record) -> tuple[Record, list[str]]:
        """A record of ours in the vendor's form, and the fields of it that this CRM has no place for."""
        record: Record = {}
        covered: set[str] = set()
        ignored: list[str] = []
        for each in self.rows:
            value = dig(item, each.ours)
            if each.read_only or value is None:
                continue
            covered.add(each.ours)
            try:
                homeless = each.place.put(record, each.codec.out(value))
            except ValueError as fault:
                raise invalid(each.ours, "invalid_value", str(fault)) from None
            ignored += [each.ours + part for part in homeless]
        return record, [*_uncovered(item, covered), *ignored]

    def into(self, record: Record) -> Record:
        """A vendor's record in our form. What the vendor left out, or what cannot be read, is left out."""
        item: Record = {}
        for each in self.rows:
            if each.write_only:
                continue
            value = each.codec.into(each.place.get(record))
            if value is not None:
                plant(item, each.ours, value)
        return item


def _uncovered(item: Record, covered: set[str], above: str = "") -> Iterator[str]:
    """The given fields that no row took: a whole field by its name, a part of one by its path."""
    for name, value in item.items():
        path = above + name
        if value is None or path in covered:
            continue
        if any(each.startswith(path + ".") for each in covered):
            yield from _uncovered(value, covered, path + ".")
        else:
            yield path
