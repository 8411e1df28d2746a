"""Places: where a value of ours lives in a vendor's record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from switchboard.crm import codecs
from switchboard.crm.problem import invalid, pointer
from switchboard.crm.wire import dig, many, plant

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
class Joined:
    """The whole name of somebody whose names the vendor keeps apart; only read."""

    columns: tuple[str, ...]

    def get(self, record: Record) -> Any:
        told = (codecs.text.into(dig(record, path)) for path in self.columns)
        return " ".join(part.strip() for part in told if part and part.strip()) or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a deal, which the vendor tells by two columns: whether it is closed, and whether it is won. Only
    read: there it follows the stage."""

    columns: tuple[str, str]

    def get(self, record: Record) -> Any:
        closed, won = (codecs.boolean.into(record.get(name)) for name in self.columns)
        if closed is None and won is None:
            return None
        return "won" if won else "lost" if closed else "open"

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


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
            if item:
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
        told = {column: codecs.text.into(record.get(column)) for column in self.columns}
        return [{self.value: value, "type": types[column]} for column, value in told.items() if value] or None

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
