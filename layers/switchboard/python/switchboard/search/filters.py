"""Conditions on contacts: read from a request, every fault at once, and held against a contact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from switchboard.crm.problem import Fault, pointed, pointer
from switchboard.models.values import RFC3339
from switchboard.ports import Owner, Stored
from switchboard.search import index
from switchboard.search.fields import OPERATORS, Field, Operator, comparable, field

MOST = 20
"""So many conditions a search may hold, in groups and beside them."""
MOST_VALUES = 100
LENGTH = 512
"""So long a value may be."""

MANY = ("in", "not_in", "between")
NONE = ("is_empty", "is_not_empty")
ORDERED = ("gt", "gte", "lt", "lte", "between")

type Owners = Mapping[str, Owner]


@dataclass(frozen=True, slots=True)
class Condition:
    """One field, what is asked of it, and the values that it is compared with, as they are compared."""

    field: Field
    operator: Operator
    values: tuple[Any, ...] = ()

    def holds(self, stored: Stored, owners: Owners) -> bool:
        """Whether a contact meets it. Of several values of a field one is enough; negations want none of them."""
        told = (comparable(self.field.kind, each) for each in self.field.values(stored, owners))
        return self._of([each for each in told if each is not None])

    def _of(self, told: list[Any]) -> bool:
        match self.operator:
            case "eq" | "in":
                return any(_equal(each, value) for each in told for value in self.values)
            case "neq" | "not_in":
                return not any(_equal(each, value) for each in told for value in self.values)
            case "contains":
                return any(self.values[0] in _written(each) for each in told)
            case "not_contains":
                return not any(self.values[0] in _written(each) for each in told)
            case "starts_with":
                return any(_written(each).startswith(self.values[0]) for each in told)
            case "is_empty":
                return not told
            case "is_not_empty":
                return bool(told)
            case _:
                return any(self._within(each) for each in told)

    def _within(self, value: Any) -> bool:
        low, high = self.values[0], self.values[-1]
        if _rank(value) != _rank(low) or _rank(value) != _rank(high):
            return False  # a custom field of another type than is asked for
        match self.operator:
            case "gt":
                return value > low
            case "gte":
                return value >= low
            case "lt":
                return value < low
            case "lte":
                return value <= low
            case _:
                return low <= value <= high


def _equal(one: Any, other: Any) -> bool:
    return one == other and _rank(one) == _rank(other)  # true is not 1


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rank(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions of which one has to hold."""

    conditions: tuple[Condition, ...]

    def holds(self, stored: Stored, owners: Owners) -> bool:
        """Whether a contact meets one of them."""
        return any(each.holds(stored, owners) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words that somebody typed: each has to begin a word of the contact."""

    words: tuple[str, ...]

    def holds(self, stored: Stored, owners: Owners) -> bool:
        """Whether every word begins one of the contact's."""
        held = index.word_set(stored)
        return all(any(each.startswith(word) for each in held) for word in self.words)


type Clause = Condition | Either | Spoken


def read(given: Any, faults: list[Fault]) -> tuple[Clause, ...]:
    """The conditions of a request; what is wrong with them is added to the faults."""
    if given is None:
        return ()
    if not isinstance(given, list):
        faults.append(_fault("filters", "wrong_type", "has to be an array"))
        return ()
    if sum(_size(each) for each in given) > MOST:
        faults.append(_fault("filters", "too_many", f"has more than {MOST} conditions"))
        return ()
    return tuple(clause for place, each in enumerate(given) for clause in _clause(each, f"filters[{place}]", faults))


def _size(given: Any) -> int:
    inner = given.get("filters") if isinstance(given, dict) else None
    return max(1, len(inner)) if isinstance(inner, list) else 1


def _clause(given: Any, at: str, faults: list[Fault]) -> Iterator[Clause]:
    if not isinstance(given, dict):
        faults.append(_fault(at, "wrong_type", "has to be an object"))
        return
    if "group" not in given:
        yield from _condition(given, at, faults)
        return
    _strangers(given, ("group", "filters"), at, faults)
    inner = given.get("filters")
    if given["group"] not in ("or", "and"):
        faults.append(_fault(f"{at}.group", "unknown_value", "has to be or, or and"))
    elif not isinstance(inner, list) or not inner:
        faults.append(_fault(f"{at}.filters", "wrong_type", "has to be an array with at least one condition"))
    elif any(isinstance(each, dict) and "group" in each for each in inner):
        faults.append(_fault(f"{at}.filters", "too_deep", "holds a group: groups do not nest"))
    else:
        found = [one for place, each in enumerate(inner) for one in _condition(each, f"{at}.filters[{place}]", faults)]
        if given["group"] == "and":
            yield from found
        elif found:
            yield Either(tuple(found))


def _condition(given: Any, at: str, faults: list[Fault]) -> Iterator[Condition]:
    if not isinstance(given, dict):
        faults.append(_fault(at, "wrong_type", "has to be an object"))
        return
    _strangers(given, ("field", "operator", "value", "values"), at, faults)
    name, operator = given.get("field"), given.get("operator")
    known = field(name) if isinstance(name, str) else None
    if known is None:
        told = "is required" if name is None else "is no field that contacts can be searched by"
        faults.append(_fault(f"{at}.field", "required" if name is None else "unknown_field", told))
        return
    if operator not in known.operators:
        told = f"has to be one of {', '.join(OPERATORS[known.kind])}"
        faults.append(_fault(f"{at}.operator", "unknown_operator", told))
        return
    found = _values(given, known, operator, at, faults)
    if found is not None:
        yield Condition(known, operator, found)


def _values(given: dict[str, Any], known: Field, operator: str, at: str, faults: list[Fault]) -> tuple[Any, ...] | None:
    wanted = None if operator in NONE else "values" if operator in MANY else "value"
    for name in ("value", "values"):
        if name in given and name != wanted and given[name] is not None:
            detail = f"{operator} takes {wanted or 'neither value nor values'}"
            faults.append(_fault(f"{at}.{name}", "unexpected", detail))
            return None
    if wanted is None:
        return ()
    told = given.get(wanted)
    if wanted == "value":
        return _compared([told], known, operator, [f"{at}.value"], faults)
    if not isinstance(told, list) or not told:
        faults.append(_fault(f"{at}.values", "wrong_type", "has to be an array with at least one value"))
        return None
    if operator == "between" and len(told) != 2:
        faults.append(_fault(f"{at}.values", "invalid_value", "has to hold two values, the lower one first"))
        return None
    if len(told) > MOST_VALUES:
        faults.append(_fault(f"{at}.values", "too_many", f"has more than {MOST_VALUES} values"))
        return None
    return _compared(told, known, operator, [f"{at}.values[{place}]" for place in range(len(told))], faults)


def _compared(
    told: Sequence[Any], known: Field, operator: str, places: Sequence[str], faults: list[Fault]
) -> tuple[Any, ...] | None:
    found: list[Any] = []
    for each, at in zip(told, places, strict=True):
        wrong = _wrong(each, known, operator)
        value = None if wrong else comparable(known.kind, each)
        if wrong or value is None:
            faults.append(
                _fault(at, "wrong_type", wrong or f"holds no {'digits' if known.kind == 'digits' else 'text'}")
            )
        else:
            found.append(value)
    return tuple(found) if len(found) == len(told) else None


def _wrong(value: Any, known: Field, operator: str) -> str | None:
    """What is wrong with a value, if anything is."""
    if known.kind == "custom":
        if not isinstance(value, str | int | float):
            return "has to be a string, a number or a boolean"
    elif known.kind == "moment":
        if not isinstance(value, str) or not RFC3339.match(value) or comparable("moment", value) is None:
            return "has to be a moment in RFC 3339, such as 2026-06-01T00:00:00Z"
        return None
    elif not isinstance(value, str):
        return "has to be a string"
    if isinstance(value, str) and len(value) > LENGTH:
        return f"has more than {LENGTH} characters"
    if isinstance(value, str) and not value.strip():
        return "is empty; is_empty asks for fields without a value"
    if operator in ("contains", "not_contains", "starts_with") and not isinstance(value, str):
        return "has to be a string"
    return None


def _strangers(given: Mapping[str, Any], known: Sequence[str], at: str, faults: list[Fault]) -> None:
    faults += [
        Fault(f"{at}.{name}", "unknown_field", f"is none of {', '.join(known)}", pointed(at) + pointer(name)[1:])
        for name in given
        if name not in known
    ]


def _fault(name: str, code: str, detail: str) -> Fault:
    return Fault(name, code, detail, pointed(name))
