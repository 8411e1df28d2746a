"""Rows: a field declared once, that works both ways.

From the rows of a table come the body we send, the record we answer, the columns we ask for, the check for required
fields and every list of what is supported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from switchboard.crm import codecs
from switchboard.crm.codecs import Codec, plain
from switchboard.crm.problem import invalid, pointer
from switchboard.crm.wire import dig, many, plant
from switchboard.models.schema import Schema

type Record = dict[str, Any]
"""A record in a vendor's form, or in ours; the name of the variable says which."""


class Place(Protocol):
    """Where a value of ours lives in a vendor's record."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The vendor's names to ask for when reading."""
        ...

    def get(self, record: Record) -> Any:
        """The vendor's value, or None."""
        ...

    def put(self, record: Record, value: Any) -> Sequence[str]:
        """Write the vendor's value; answer the parts of it that found no place, as paths below the field."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """A dotted path in the vendor's record. A bare string in a row means this."""

    path: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.path,)

    def get(self, record: Record) -> Any:
        return dig(record, self.path)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        plant(record, self.path, value)
        return ()


@dataclass(frozen=True, slots=True)
class Always:
    """What holds of every record of a vendor, and stands in none."""

    value: Any
    columns: tuple[str, ...] = ()

    def get(self, record: Record) -> Any:
        return self.value if any(value is not None for value in record.values()) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


@dataclass(frozen=True, slots=True)
class First:
    """One value that may stand at any of several paths; it is written at the first of them."""

    columns: tuple[str, ...]

    def get(self, record: Record) -> Any:
        told = (dig(record, path) for path in self.columns)
        return next((value for value in told if value not in (None, "")), None)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        plant(record, self.columns[0], value)
        return ()


@dataclass(frozen=True, slots=True)
class Each:
    """A list of objects on both sides. `parts` goes from our paths to the vendor's; `^` begins a path in the record
    around it, which is only read."""

    path: str
    parts: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.path,)

    def get(self, record: Record) -> Any:
        found: list[Record] = []
        for body in many(record, self.path):
            item: Record = {}
            for ours, theirs in self.parts.items():
                value = dig(record, theirs[1:]) if theirs.startswith("^") else dig(body, theirs)
                if told := codecs.text.into(value):
                    plant(item, ours, told)
            found.append(item)
        return found or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless: list[str] = []
        bodies: list[Record] = []
        for index, item in enumerate(value):
            body: Record = {}
            for ours, given in item.items():
                if given is None:
                    continue
                if ours in self.parts:
                    plant(body, self.parts[ours], given)
                else:
                    homeless.append(f"[{index}].{ours}")
            bodies.append(body)
        plant(record, self.path, bodies)
        return homeless


@dataclass(frozen=True, slots=True)
class Slots:
    """A list of typed values in a vendor's separate columns, one for each type it knows.

    `by_type` goes from our type to the vendor's column. An item without a type, or of one that the vendor lacks, takes
    the first column (the type itself then finds no place); an item whose column is taken finds none.
    """

    value: str
    by_type: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.by_type.values()))

    def _odd(self, item: Record) -> bool:
        return bool(item.get("type")) and item["type"] not in self.by_type

    def get(self, record: Record) -> Any:
        types = {column: kind for kind, column in reversed(list(self.by_type.items()))}
        found = [
            {self.value: codecs.text.into(record[column]), "type": types[column]}
            for column in self.columns
            if record.get(column)
        ]
        return found or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless: list[str] = []
        # Whose type the vendor lacks comes last: it must not take the place of one that belongs there.
        for index, item in sorted(enumerate(value), key=lambda each: self._odd(each[1])):
            kind = item.get("type")
            column = self.by_type.get(kind, self.columns[0])
            if column in record:
                homeless.append(f"[{index}]")
                continue
            if self._odd(item):
                homeless.append(f"[{index}].type")
            record[column] = item[self.value]
            homeless += [
                f"[{index}].{part}" for part, given in item.items() if part not in (self.value, "type") and given
            ]
        return homeless


@dataclass(frozen=True, slots=True)
class Postal:
    """The first postal address of ours over several columns of the vendor's, named by dotted paths; without a column
    for the second line of the street, the street is one text of lines there."""

    street: str
    city: str
    state: str
    postal_code: str
    country: str
    street_2: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        second = (self.street_2,) if self.street_2 else ()
        return (self.street, *second, self.city, self.state, self.postal_code, self.country)

    def get(self, record: Record) -> Any:
        street_1, street_2 = codecs.text.into(dig(record, self.street)) or "", None
        if self.street_2:
            street_2 = codecs.text.into(dig(record, self.street_2))
        else:
            street_1, _, street_2 = street_1.partition("\n")
        parts = {"street_1": street_1, "street_2": street_2}
        parts |= {
            ours: codecs.text.into(dig(record, getattr(self, ours)))
            for ours in ("city", "state", "postal_code", "country")
        }
        found = {ours: value for ours, value in parts.items() if value}
        return [found] if found else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        if not value:
            return ()
        first = value[0]
        lines = [first.get("street_1"), first.get("street_2")]
        if self.street_2:
            parts = {self.street: lines[0], self.street_2: lines[1]}
        else:
            parts = {self.street: "\n".join(line for line in lines if line)}
        parts |= {getattr(self, ours): first.get(ours) for ours in ("city", "state", "postal_code", "country")}
        for column, part in parts.items():
            if part:
                plant(record, column, part)
        homeless = [f"[{index}]" for index in range(1, len(value))]
        return [*homeless, "[0].type"] if first.get("type") else homeless


@dataclass(frozen=True, slots=True)
class Named:
    """Custom fields: an object of ours whose keys are the vendor's own names, side by side with its standard columns.

    `is_custom` tells such a name from a standard column; `hint` says to a caller what it looks like.
    """

    is_custom: Callable[[str], bool]
    hint: str
    columns: tuple[str, ...] = ()

    def get(self, record: Record) -> Any:
        return {key: value for key, value in record.items() if value is not None and self.is_custom(key)} or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        _admit(value, self.is_custom, self.hint)
        record.update(value)
        return ()


@dataclass(frozen=True, slots=True)
class Listed:
    """Custom fields as a list of objects, each with its name (or its id) and its value; `is_custom` and `hint` as in
    `Named`. An empty text is no value."""

    path: str
    name: str
    value: str
    is_custom: Callable[[str], bool]
    hint: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.path,)

    def get(self, record: Record) -> Any:
        told = [(codecs.text.into(each.get(self.name)), each.get(self.value)) for each in many(record, self.path)]
        return {name: value for name, value in told if name and value not in (None, "")} or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        _admit(value, self.is_custom, self.hint)
        if value:
            plant(record, self.path, [{self.name: name, self.value: each} for name, each in value.items()])
        return ()


def _admit(names: Iterable[str], is_custom: Callable[[str], bool], hint: str) -> None:
    for name in names:
        if not is_custom(name):
            detail = f"is not the name of a custom field; {hint}"
            raise invalid(f"custom_fields.{name}", "not_custom", detail, pointer("custom_fields", name))


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
