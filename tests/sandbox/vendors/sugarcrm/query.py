"""The filter language: clauses, operators, brackets of a query string, order, and the parameters of a list.

https://support.sugarcrm.com (Developer Guide: /<module>/filter POST). Whether text is compared with case is not
documented; here it is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.sugarcrm.fields import Field, FieldError, moment

USUAL = 20
PARAMETERS = frozenset({"filter", "max_num", "offset", "fields", "order_by", "view", "deleted", "q"})
DAY = 86_400
RANGES = {"last_7_days": 7, "last_30_days": 30}
EMAIL_KEYS = ("email1", "email_addresses.email_address")

type Row = dict[str, Json]


class QueryError(ValueError):
    """A list was asked for in a way that it does not know."""


def brackets(query_string: str) -> dict[str, Json]:
    """`filter[0][name][$starts]=A` as `{"filter": [{"name": {"$starts": "A"}}]}`."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(query_string, keep_blank_values=True):
        step, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key) or [key]
        place = tree
        for name in rest:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise QueryError(f"{key} contradicts another parameter")
            place, step = cast("dict[str, Any]", inner), name or str(len(cast("dict[str, Any]", inner)))
        place[step] = value
    return {name: listed(value) for name, value in tree.items()}


def listed(value: Json) -> Json:
    """Members that are all numbered are a list."""
    if not isinstance(value, dict):
        return value
    members = {name: listed(one) for name, one in cast("dict[str, Json]", value).items()}
    return list(members.values()) if all(name.isdigit() for name in members) else members


def whole(value: Json, name: str, least: int) -> int:
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise QueryError(f"{name} is not a number from {least}")
    return number


def switched_on(value: Json) -> bool:
    return value in (True, "true", "1")


def names(value: Json) -> list[str]:
    """`fields`: joined by commas, or a list. Link objects are not built here."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in cast("list[Json]", parts)):
        raise QueryError("fields is not a list of names")
    return [part.strip() for part in cast("list[str]", parts) if part.strip()]


class Filter:
    """The clauses of one list request, against rows of one module."""

    def __init__(self, fields: Mapping[str, Field], email_keys: list[str], now: float) -> None:
        self.fields = fields
        self.email_keys = email_keys
        self.now = now

    def every(self, clauses: Json, row: Row) -> bool:
        if not isinstance(clauses, list):
            raise QueryError("filter is not a list of clauses")
        # All are tried: a clause that is wrong is refused even where an earlier one has failed already.
        passed = [self.one(clause, row) for clause in cast("list[Json]", clauses)]
        return all(passed)

    def one(self, clause: Json, row: Row) -> bool:
        if not isinstance(clause, dict):
            raise QueryError("a clause is not an object")
        passed = [self.member(name, value, row) for name, value in cast("dict[str, Json]", clause).items()]
        return all(passed)

    def member(self, name: str, value: Json, row: Row) -> bool:
        if name == "$and":
            return self.every(value, row)
        if name == "$or":
            if not isinstance(value, list):
                raise QueryError("$or is not a list of clauses")
            passed = [self.one(clause, row) for clause in cast("list[Json]", value)]
            return any(passed)
        tests = cast("dict[str, Json]", value) if isinstance(value, dict) else {"$equals": value}
        passed = [self.passes(name, operator, wanted, row) for operator, wanted in tests.items()]
        return all(passed)

    def passes(self, name: str, operator: str, wanted: Json, row: Row) -> bool:
        if name in EMAIL_KEYS and name in self.email_keys:
            addresses = [one["email_address"] for one in row["email"] if name != "email1" or one["primary_address"]]
            passed = [self.compare(Field(), operator, wanted, address) for address in addresses or [""]]
            return any(passed)
        field = self.fields.get(name)
        if field is None or field.type == "email":
            raise QueryError(f"{name} cannot be filtered")
        have = float(row[name]) if field.type == "decimal" and row[name] is not None else row[name]
        return self.compare(field, operator, wanted, have)

    def compare(self, field: Field, operator: str, wanted: Json, have: Json) -> bool:
        cast_ = self.caster(field)
        match operator:
            case "$is_null" | "$not_null":
                if wanted != "":
                    raise QueryError(f"{operator} takes an empty string")
                return (have in ("", None)) is (operator == "$is_null")
            case "$equals" | "$not_equals":
                return (have == cast_(wanted)) is (operator == "$equals")
            case "$in" | "$not_in":
                return (have in [cast_(one) for one in several(wanted, operator)]) is (operator == "$in")
            case "$starts" | "$ends" | "$contains":
                return contains(operator, str(have or ""), wanted)
            case "$lt" | "$lte" | "$gt" | "$gte":
                return ordered(operator, have, cast_(wanted))
            case "$between" | "$dateBetween":
                first, last = [cast_(one) for one in several(wanted, operator, 2)]
                return ordered("$gte", have, first) and ordered("$lte", have, last)
            case "$dateRange":
                if field.type != "datetime" or wanted not in RANGES:
                    raise QueryError("$dateRange knows no such range")
                return have is not None and have >= self.now - RANGES[str(wanted)] * DAY
            case _:
                raise QueryError(f"{operator} is no operator")

    def caster(self, field: Field) -> Callable[[Json], Json]:
        """How a wanted value is read: times as seconds, flags from the words of a query string."""

        def read(value: Json) -> Json:
            if field.type == "datetime":
                try:
                    return moment(value)
                except FieldError as bad:
                    raise QueryError(f"{value!r} {bad}") from bad
            if field.type == "bool":
                return switched_on(value)
            if isinstance(value, dict | list):
                raise QueryError("a value is not plain")
            try:
                return float(value) if field.type == "decimal" else value
            except (TypeError, ValueError) as odd:
                raise QueryError(f"{value!r} is no number") from odd

        return read


def several(value: Json, operator: str, length: int | None = None) -> list[Json]:
    if not isinstance(value, list) or (length is not None and len(cast("list[Json]", value)) != length):
        raise QueryError(f"{operator} takes a list")
    return cast("list[Json]", value)


def contains(operator: str, have: str, wanted: Json) -> bool:
    if not isinstance(wanted, str) or not wanted:
        raise QueryError(f"{operator} takes text")
    return {"$starts": have.startswith, "$ends": have.endswith, "$contains": have.__contains__}[operator](wanted)


def ordered(operator: str, have: Json, wanted: Json) -> bool:
    if have in ("", None) or type(have) is not type(wanted):
        return False
    return {
        "$lt": have < wanted,
        "$lte": have <= wanted,
        "$gt": have > wanted,
        "$gte": have >= wanted,
    }[operator]


def sort(rows: list[Row], order_by: str, fields: Mapping[str, Field]) -> None:
    """`date_modified:ASC,id:ASC`. Without it what changed last comes first, so that offsets drift."""
    for part in reversed((order_by or "date_modified:DESC").split(",")):
        name, _, direction = part.strip().partition(":")
        if name not in fields or fields[name].type == "email" or direction.upper() not in ("", "ASC", "DESC"):
            raise QueryError(f"{part} is no order")
        rows.sort(
            key=lambda row, name=name: (row[name] is not None, row[name] if row[name] is not None else 0),
            reverse=direction.upper() == "DESC",
        )


def iso(seconds: float, zone_minutes: int) -> str:
    """A time with the offset of the API user, in whole seconds."""
    sign, size = "-" if zone_minutes < 0 else "+", abs(zone_minutes)
    shifted = datetime.fromtimestamp(seconds + zone_minutes * 60, UTC)
    return f"{shifted:%Y-%m-%dT%H:%M:%S}{sign}{size // 60:02}:{size % 60:02}"
