"""The search endpoint: filter groups, sorts, offsets, and its caps.

https://developers.hubspot.com/docs/api-reference/search/guide
"""

import re
from collections.abc import Callable
from typing import Any, cast

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.hubspot.properties import PROPERTIES, SEARCHED, milliseconds
from tests.sandbox.vendors.hubspot.refusals import validation
from tests.sandbox.vendors.hubspot.store import SINGULAR, Record, Store

RESULT_CAP = 10_000
PAGE_CAP = 200
OPERATORS = (
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
)

type Row = tuple[Record, dict[str, str], float]
type Value = float | str


def search(store: Store, kind: str, body: dict[str, Json], now: float) -> tuple[list[Row], int, int]:
    """The rows of the asked page, the total, and the offset of the next page."""
    limit, after = _number(body, "limit", 10), _number(body, "after", 0)
    if not 0 < limit <= PAGE_CAP:
        raise validation(f"limit must be between 1 and {PAGE_CAP}: {limit}")
    if after + limit > RESULT_CAP:
        raise validation(f"There are only {RESULT_CAP} results that can be paged through for one query")
    groups = [{"filters": _objects(group, "filters")} for group in _objects(body, "filterGroups")]
    _check_size(groups, str(body.get("query") or ""))
    keep = [[_matcher(store, kind, one) for one in group["filters"]] for group in groups]
    query = str(body.get("query") or "").lower()
    rows = [
        row
        for row in store.indexed(kind, now)
        if (not keep or any(all(match(row) for match in group) for group in keep))
        and (not query or any(query in row[1].get(name, "").lower() for name in SEARCHED[kind]))
    ]
    sorts: Any = body.get("sorts") or []
    if not isinstance(sorts, list) or not all(isinstance(sort, str | dict) for sort in cast("list[Any]", sorts)):
        raise validation("sorts must be an array")
    for sort in reversed(cast("list[Any]", sorts)):
        rows = _sorted(kind, rows, sort)
    return rows[after : after + limit], len(rows), after + limit


def _objects(body: dict[str, Json], name: str) -> list[dict[str, Any]]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in cast("list[Any]", value)):
        raise validation(f"{name} must be an array of objects")
    return value


def _number(body: dict[str, Json], name: str, default: int) -> int:
    text = str(body.get(name) if body.get(name) is not None else default)
    if not text.isdigit():
        raise validation(f"{name} is not a number: {text}")
    return int(text)


def _check_size(groups: list[dict[str, Any]], query: str) -> None:
    """5 groups, 10 filters in each, 25 in all, 3,000 characters of query (changelog of August 2024)."""
    sizes = [len(group["filters"]) for group in groups]
    if len(groups) > 5 or max(sizes, default=0) > 10 or sum(sizes) > 25:
        raise validation("Too many filters: at most 5 groups, 10 filters in each, 25 in all")
    if len(query) > 3000:
        raise validation("The query is longer than 3000 characters")


def _sorted(kind: str, rows: list[Row], sort: Any) -> list[Row]:
    name = sort if isinstance(sort, str) else str(sort.get("propertyName"))
    descending = name.startswith("-") or (isinstance(sort, dict) and sort.get("direction") == "DESCENDING")
    read = _reader(kind, name.removeprefix("-"))
    name = name.removeprefix("-")
    filled = [row for row in rows if name in row[1]]
    empty = [row for row in rows if name not in row[1]]
    return sorted(filled, key=lambda row: read(row[1][name]), reverse=descending) + empty


def _reader(kind: str, name: str) -> Callable[[str], Value]:
    prop = PROPERTIES[kind].get(name)
    if prop is None:
        raise validation(
            "There was a problem with the request.",
            errors=[{"message": f"{name} is not a property of {kind}", "context": {"propertyName": [name]}}],
        )
    match prop.type:
        case "number":
            return float
        case "datetime" | "date":
            return lambda text: float(milliseconds(text))
        case _:
            return str.lower


def _matcher(store: Store, kind: str, one: dict[str, Any]) -> Callable[[Row], bool]:
    name, operator = str(one.get("propertyName")), str(one.get("operator"))
    if operator not in OPERATORS:
        raise validation(f"{operator} is no operator: {', '.join(OPERATORS)}")
    if name.startswith("associations."):
        return _association_matcher(store, kind, name, operator, one)
    by_property = _property_matcher(kind, name, operator, one)
    return lambda row: by_property(row[1])


def _association_matcher(
    store: Store, kind: str, name: str, operator: str, one: dict[str, Any]
) -> Callable[[Row], bool]:
    """The pseudo-property associations.{object} finds records by what they are associated with."""
    word = name.removeprefix("associations.")
    to = next((plural for plural, singular in SINGULAR.items() if word in (plural, singular)), None)
    if to is None or operator not in ("EQ", "IN"):
        raise validation(f"{name} cannot be filtered with {operator}")
    wanted = {str(one.get("value"))} if operator == "EQ" else set(map(str, one.get("values") or []))
    return lambda row: not wanted.isdisjoint(store.linked(kind, row[0].id, to))


def _property_matcher(kind: str, name: str, operator: str, one: dict[str, Any]) -> Callable[[dict[str, str]], bool]:
    read = _reader(kind, name)

    def asked(member: str) -> Value:
        try:
            return read(str(one[member]))
        except (KeyError, ValueError) as odd:
            raise validation(f"{member} of the filter on {name} is missing or of the wrong type") from odd

    match operator:
        case "HAS_PROPERTY":
            return lambda own: name in own
        case "NOT_HAS_PROPERTY":
            return lambda own: name not in own
        case "IN" | "NOT_IN":
            # As they are: values for strings must be sent in lower case.
            listed: Any = one.get("values") or []
            if not isinstance(listed, list):
                raise validation(f"values of the filter on {name} must be an array")
            values = {str(value) for value in cast("list[Any]", listed)}
            inside = operator == "IN"
            return lambda own: (own.get(name, "").lower() in values) is inside
        case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
            token = re.compile(_token(str(asked("value"))))
            contains = operator == "CONTAINS_TOKEN"
            return lambda own: bool(token.search(own.get(name, "").lower())) is contains
        case "BETWEEN":
            low, high = asked("value"), asked("highValue")
            return lambda own: name in own and low <= read(own[name]) <= high  # type: ignore[operator]
        case _:
            value = asked("value")
            return lambda own: _compares(operator, read(own[name]) if name in own else None, value)


def _token(text: str) -> str:
    """A whole word; `*` stands for the rest of one."""
    return r"(?<!\w)" + ".*".join(re.escape(part) for part in text.split("*")) + r"(?!\w)"


def _compares(operator: str, own: Any, value: Any) -> bool:
    if own is None:
        return operator == "NEQ"
    match operator:
        case "EQ":
            return own == value
        case "NEQ":
            return own != value
        case "LT":
            return own < value
        case "LTE":
            return own <= value
        case "GT":
            return own > value
        case _:
            return own >= value
