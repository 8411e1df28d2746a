"""query and queryAll: SOQL over the stored rows, in pages.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
"""

import re
import secrets
from collections.abc import Callable
from datetime import date, datetime
from functools import cmp_to_key
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.salesforce import ids
from tests.sandbox.vendors.salesforce.fields import CHILDREN, SCHEMA, Field
from tests.sandbox.vendors.salesforce.org import DATA, refused
from tests.sandbox.vendors.salesforce.sobjects import SObjects
from tests.sandbox.vendors.salesforce.soql import (
    Comparison,
    Condition,
    Junction,
    Literal,
    MalformedQueryError,
    Not,
    Order,
    Query,
    parse,
)

MOST_OFFSET = 2000
NUMBERS = ("int", "double", "currency", "percent")
WRITTEN = {"date": "date", "datetime": "datetime", "boolean": "boolean"} | dict.fromkeys(NUMBERS, "number")
"""How a literal for a field of a type has to be written; every other type takes a quoted string."""


class Queries(SObjects):
    @route("GET", f"{DATA}/query", label="query", scope="api")
    def query(self, request: Request) -> Answer:
        return self.first_page(request, everything=False)

    @route("GET", f"{DATA}/queryAll", label="queryAll", scope="api")
    def query_all(self, request: Request) -> Answer:
        """With the recycle bin: where IsDeleted is true, SystemModstamp is when that was done."""
        return self.first_page(request, everything=True)

    @route("GET", f"{DATA}/query/<cursor>", f"{DATA}/queryAll/<cursor>", label="query/{{id}}", scope="api")
    def next_page(self, request: Request) -> Answer:
        """What the query found when it was made, for two days (since version 56)."""
        locator, _, start = request.args["cursor"].rpartition("-")
        opened, _ = self.cursors.get(locator, (0.0, []))
        if not start.isdigit() or self.clock() >= opened + self.settings["cursor_lifetime"]:
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self.page(request, locator, int(start))

    def first_page(self, request: Request, *, everything: bool) -> Answer:
        if len(request.target) + sum(len(name) + len(value) for name, value in request.headers.items()) > 16_384:
            return Answer(414, b"<h1>URI Too Long</h1>", {"Content-Type": "text/html"})
        try:
            query = parse(request.query.get("q", ""))
        except MalformedQueryError as bad:
            raise refused(400, "MALFORMED_QUERY", str(bad)) from bad
        sobject = self.known_object(query, request.query["q"])
        if query.offset > MOST_OFFSET:
            message = f"Maximum SOQL offset allowed is {MOST_OFFSET}"
            raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        columns = self.columns(sobject, query)
        nested = [self.child(sobject, one) for one in query.fields if isinstance(one, Query)]
        rows = self.found(sobject, query, self.kept(sobject) if everything else self.live(sobject))
        if query.counts:
            return Answer(200, {"totalSize": len(rows), "done": True, "records": []})
        locator = "0r8" + secrets.token_hex(8)
        records = [
            self.shown(sobject, row, columns, request)
            | {name: self.children(kind, field, row["Id"], one, request) for name, kind, field, one in nested}
            for row in rows
        ]
        self.cursors[locator] = self.clock(), records
        return self.page(request, locator, 0)

    def known_object(self, query: Query, text: str) -> str:
        """What a query is about. An object that the user may not see is none."""
        sobject = next((name for name in SCHEMA if name.lower() == query.sobject.lower()), None)
        if sobject is None or self.forbidden(sobject):
            message = (
                f"\n{text}\n^\nERROR at Row:1:Column:{text.find(query.sobject) + 1}\n"
                f"sObject type '{query.sobject}' is not supported. If you are attempting to use a custom object, be "
                "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for "
                "the appropriate names."
            )
            raise refused(400, "INVALID_TYPE", message)
        return sobject

    def child(self, sobject: str, query: Query) -> tuple[str, str, str, Query]:
        """The name that children go by, their object, their field that says whose they are, and what is asked."""
        known = CHILDREN.get((sobject, query.sobject.lower()))
        if known is None or self.forbidden(known[1]):
            message = f"Didn't understand relationship '{query.sobject}' in FROM part of query call."
            raise refused(400, "INVALID_TYPE", message)
        self.columns(known[1], query)
        return *known, query

    def children(self, sobject: str, field: str, parent: str, query: Query, request: Request) -> Json:
        """A result of its own inside the record; null where there is none."""
        columns = self.columns(sobject, query)
        rows = self.found(sobject, query, [row for row in self.live(sobject) if row[field] == parent])
        records = [self.shown(sobject, row, columns, request) for row in rows]
        return {"totalSize": len(records), "done": True, "records": records} if records else None

    def page(self, request: Request, locator: str, start: int) -> Answer:
        """The caller may ask for 200 to 2,000 a page; the server may give fewer."""
        asked = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""), re.IGNORECASE)
        size = min(max(int(asked[1]), 200), 2000) if asked else 2000
        size = min(size, int(self.settings["largest_batch"]))
        _, records = self.cursors[locator]
        end = start + size
        body: dict[str, Json] = {"totalSize": len(records), "done": end >= len(records)}
        if end < len(records):
            body["nextRecordsUrl"] = f"/services/data/v{request.args['version']}/query/{locator}-{end}"
        return Answer(200, body | {"records": records[start:end]})

    def columns(self, sobject: str, query: Query) -> list[tuple[str, ...]]:
        columns: list[tuple[str, ...]] = []
        for name in query.fields:
            if isinstance(name, Query):
                continue
            if not name.startswith("FIELDS("):
                columns.append(self.column(sobject, name))
                continue
            if name != "FIELDS(STANDARD)" and (query.limit is None or query.limit > 200):
                message = "The SOQL FIELDS function must have a LIMIT of at most 200"
                raise refused(400, "MALFORMED_QUERY", message)
            custom = {"FIELDS(ALL)": (True, False), "FIELDS(CUSTOM)": (True,), "FIELDS(STANDARD)": (False,)}[name]
            visible = [field for key, field in SCHEMA[sobject].items() if key not in self.hidden(sobject)]
            columns += [(field.name,) for field in visible if field.custom in custom]
        if len(set(columns)) < len(columns):
            twice = next(column for column in columns if columns.count(column) > 1)
            raise refused(400, "INVALID_FIELD", f"duplicate field selected: {'.'.join(twice)}")
        return columns

    def found(self, sobject: str, query: Query, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
        if query.where is not None:
            keeps = self.test(sobject, query.where)
            rows = [row for row in rows if keeps(row)]
        for order in reversed(query.order):
            rows = self.ordered(sobject, order, rows)
        return rows[query.offset :][: query.limit]

    def ordered(self, sobject: str, order: Order, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """Empty values come first, in both directions, unless NULLS LAST is asked for."""
        steps, field = self.filterable(sobject, order.field, "sorted")
        keyed = [(comparable(field, self.value(sobject, row, steps)), row) for row in rows]
        empty = [row for key, row in keyed if key is None]
        filled = [pair for pair in keyed if pair[0] is not None]
        filled.sort(
            key=cmp_to_key(lambda one, other: (one[0] > other[0]) - (one[0] < other[0])), reverse=order.descending
        )
        ordered = [row for _, row in filled]
        return ordered + empty if order.nulls_last else empty + ordered

    def filterable(self, sobject: str, path: str, use: str) -> tuple[tuple[str, ...], Field]:
        steps = self.column(sobject, path)
        owner = sobject
        for step in steps[:-1]:
            owner = SCHEMA[owner][f"{step.lower()}id"].references[0]
        field = SCHEMA[owner][steps[-1].lower()]
        if not field.filterable:
            raise refused(400, "INVALID_FIELD", f"field '{path}' can not be {use} in a query call")
        return steps, field

    def test(self, sobject: str, condition: Condition) -> Callable[[dict[str, Json]], bool]:
        if isinstance(condition, Not):
            inner = self.test(sobject, condition.inner)
            return lambda row: not inner(row)
        if isinstance(condition, Junction):
            parts = [self.test(sobject, part) for part in condition.parts]
            quantifier = all if condition.word == "and" else any
            return lambda row: quantifier(part(row) for part in parts)
        return self.comparison(sobject, condition)

    def comparison(self, sobject: str, one: Comparison) -> Callable[[dict[str, Json]], bool]:
        steps, field = self.filterable(sobject, one.field, "filtered")
        if isinstance(one.value, Query):
            wanted = self.joined(field, one.field, one.value)
        else:
            literals = one.value if isinstance(one.value, tuple) else (one.value,)
            wanted = [written(field, one.field, literal) for literal in literals]

        def own(row: dict[str, Json]) -> Any:
            return comparable(field, self.value(sobject, row, steps))

        match one.operator:
            case "in":
                return lambda row: own(row) in wanted
            case "not in":
                return lambda row: own(row) not in wanted
            case "like":
                pattern = like(str(wanted[0]))
                return lambda row: own(row) is not None and bool(pattern.fullmatch(own(row)))
            case "=":
                return lambda row: own(row) == wanted[0]
            case "!=":
                return lambda row: own(row) != wanted[0]
            case operator:
                return lambda row: (
                    own(row) is not None and wanted[0] is not None and greater(operator, own(row), wanted[0])
                )

    def joined(self, field: Field, name: str, query: Query) -> list[Any]:
        """The ids that a semi-join gives: both sides of it are one column of ids.

        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
        """
        sobject = self.known_object(query, name)
        columns = self.columns(sobject, query)
        kinds = [field.type] + [SCHEMA[sobject][steps[-1].lower()].type for steps in columns if len(steps) == 1]
        if len(columns) != 1 or len(kinds) != 2 or not set(kinds) <= {"id", "reference"}:
            raise refused(400, "MALFORMED_QUERY", f"semi join sub-selects of '{name}' can only query one column of ids")
        rows = self.found(sobject, query, self.live(sobject))
        return [found for row in rows if (found := self.value(sobject, row, columns[0])) is not None]


def greater(operator: str, own: Any, wanted: Any) -> bool:
    match operator:
        case "<":
            return own < wanted
        case "<=":
            return own <= wanted
        case ">":
            return own > wanted
        case _:
            return own >= wanted


def written(field: Field, name: str, literal: Literal) -> Any:
    """A literal in comparable form; one written for another type is refused."""
    needed = WRITTEN.get(field.type, "string")
    if literal.type == "null":
        return None
    if literal.type != needed:
        quoting = "should be enclosed in quotes" if needed == "string" else "should not be enclosed in quotes"
        kind = {"datetime": "dateTime", "number": "double"}.get(needed, needed)
        message = f"value of filter criterion for field '{name}' must be of type {kind} and {quoting}"
        raise refused(400, "INVALID_FIELD", message)
    if field.type in ("id", "reference"):
        normal = ids.normal(literal.value)
        if normal is None:
            raise refused(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        return normal
    try:
        return comparable(field, literal.value)
    except ValueError as odd:
        raise refused(400, "MALFORMED_QUERY", f"{literal.value} is no {needed}") from odd


def comparable(field: Field, value: Any) -> Any:
    """Text compares without case, moments as moments."""
    if value is None:
        return None
    match field.type:
        case "datetime":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "boolean":
            return bool(value)
        case "id" | "reference":
            return value
        case kind if kind in NUMBERS:
            return float(value)
        case _:
            return str(value).lower()


def like(pattern: str) -> re.Pattern[str]:
    """`%` any run, `_` one character, a backslash before either takes it literally."""
    parts = re.findall(r"\\(.)|(%)|(_)|(.)", pattern, re.DOTALL)
    regex = "".join(re.escape(e or c) if e or c else (".*" if p else ".") for e, p, _, c in parts)
    return re.compile(regex, re.DOTALL)
