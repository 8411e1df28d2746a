"""Lists: filters, order, cursors, and which members are shown.

https://developers.pipelinersales.com/api-docs/core-api-concepts/api-parameters and .../pagination
"""

import base64
import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.pipeliner.columns import Column, ColumnError, text
from tests.sandbox.vendors.pipeliner.space import parameter_invalid

type Row = dict[str, Json]
type Test = Callable[[Json], bool]
type Tree = dict[str, Tree]
type Order = list[tuple[str, bool]]

USUAL, MOST = 30, 100
UNARY: Mapping[str, Test] = {
    "null": lambda held: held is None,
    "not-null": lambda held: held is not None,
    "empty": lambda held: held in (None, ""),
    "not-empty": lambda held: held not in (None, ""),
}
ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
TEXTUAL: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "not-eq": operator.ne,
    "contains": operator.contains,
    "starts": str.startswith,
    "ends": str.endswith,
}
FOLDED = {"ieq": "eq", "not-ieq": "not-eq", "icontains": "contains", "istarts": "starts", "iends": "ends"}


def tests(query: Mapping[str, str], columns: Mapping[str, Column], *, timed: bool) -> list[tuple[str, Test]]:
    """One operator per field, all of them AND-ed."""
    asked: dict[str, dict[str, str]] = {}
    for key, value in query.items():
        if not key.startswith("filter"):
            continue
        found = re.fullmatch(r"(filter|filter-op)\[(\w+)\]", key)
        if found is None or found[2] not in columns:
            raise parameter_invalid(f"cannot filter by {key}")
        asked.setdefault(found[2], {})[found[1]] = value
    if "modified" in asked and not timed:
        raise parameter_invalid("cannot filter by modified here")
    return [(name, _test(columns[name], one.get("filter-op", "eq"), one.get("filter"))) for name, one in asked.items()]


def _test(column: Column, op: str, word: str | None) -> Test:
    if op in UNARY:
        return UNARY[op]
    if word is None:
        raise parameter_invalid(f"the operator {op} needs a value")
    try:
        if op == "between":
            # How the two are joined is not documented.
            low, high = (column.spelled(part) for part in word.split(","))
            return lambda held: held is not None and low <= held <= high
        if op in ORDERED:
            bound, compare = column.spelled(word), ORDERED[op]
            return lambda held: held is not None and compare(held, bound)
        if op in ("eq", "not-eq"):
            value, wanted = column.spelled(word), op == "eq"
            return lambda held: (held == value) is wanted
    except ValueError as odd:
        raise parameter_invalid(str(odd)) from odd
    if column.type is not text or FOLDED.get(op, op) not in TEXTUAL:
        raise parameter_invalid(f"the operator {op} does not fit the field")
    if op in FOLDED:
        compare, folded = TEXTUAL[FOLDED[op]], word.casefold()
        return lambda held: compare(str(held or "").casefold(), folded)
    return lambda held: TEXTUAL[op](str(held or ""), word)


def ordered(query: Mapping[str, str], columns: Mapping[str, Column]) -> Order:
    """`created,-modified`; the id comes last and is the order where none is asked, as the recorded cursors show."""
    order: Order = []
    for part in filter(None, query.get("order-by", "").split(",")):
        name = part.strip().removeprefix("-")
        if name not in columns:
            raise parameter_invalid(f"cannot order by {part}")
        order.append((name, part.strip().startswith("-")))
    return [*order, ("id", False)]


def _rank(value: Json) -> tuple[bool, Json]:
    return value is not None, value


def _later(key: list[Json], other: list[Json], order: Order) -> bool:
    for one, two, (_, falling) in zip(key, other, order, strict=True):
        if one != two:
            return (_rank(one) < _rank(two)) if falling else (_rank(one) > _rank(two))
    return False


def paged(rows: list[Row], query: Mapping[str, str], order: Order) -> tuple[list[Row], dict[str, Json]]:
    """The rows of a page, and its page_info. Past the end both cursors are null and nothing is before it, either."""
    if "first" in query and "last" in query:
        raise parameter_invalid("first and last exclude each other")
    size = _size(query.get("last", query.get("first", str(USUAL))))
    for name, falling in reversed(order):
        rows.sort(key=lambda row, name=name: _rank(row[name]), reverse=falling)

    def key(row: Row) -> list[Json]:
        return [row[name] for name, _ in order]

    left = rows
    try:
        if (after := _opened(query.get("after"), order)) is not None:
            left = [row for row in left if _later(key(row), after, order)]
        if (before := _opened(query.get("before"), order)) is not None:
            left = [row for row in left if _later(before, key(row), order)]
    except (ValueError, TypeError) as odd:
        # Of another order, too: all other parameters have to be repeated on every page.
        raise parameter_invalid("invalid cursor") from odd
    shown = left[-size:] if "last" in query else left[:size]
    info: dict[str, Json] = {
        "start_cursor": _closed(key(shown[0])) if shown else None,
        "end_cursor": _closed(key(shown[-1])) if shown else None,
        "has_previous_page": bool(shown) and shown[0] is not rows[0],
        "has_next_page": bool(shown) and shown[-1] is not rows[-1],
    }
    return shown, info


def _size(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= MOST:
        raise parameter_invalid(f"a page has between 1 and {MOST} records")
    return int(word)


def _closed(key: list[Json]) -> str:
    return base64.b64encode(json.dumps(key).encode()).decode()


def _opened(cursor: str | None, order: Order) -> list[Json] | None:
    if cursor is None:
        return None
    key = json.loads(base64.b64decode(cursor, validate=True))
    if not isinstance(key, list) or len(key) != len(order):
        raise ColumnError("a cursor has a value per column of the order")
    return key


def tree(words: str) -> Tree:
    """`id,owner.id` as nested names."""
    root: Tree = {}
    for path in words.split(","):
        node = root
        for step in filter(None, path.strip().split(".")):
            node = node.setdefault(step, {})
    return root
