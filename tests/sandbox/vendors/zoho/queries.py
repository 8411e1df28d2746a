"""Finding records: search, whose index lags, and COQL, which reads the store. Nothing found is 204 without a body.

https://www.zoho.com/crm/developer/docs/api/v8/search-records.html
https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
"""

import re

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zoho import coql
from tests.sandbox.vendors.zoho.fields import FIELDS, MODULES, Field
from tests.sandbox.vendors.zoho.lists import Lists
from tests.sandbox.vendors.zoho.org import BASE
from tests.sandbox.vendors.zoho.reading import MOST_COLUMNS, cut
from tests.sandbox.vendors.zoho.records import KINDS, Row, seconds
from tests.sandbox.vendors.zoho.refusals import fault, refused

ORDERED = ("bigint", "datetime", "date", "integer", "double", "currency")
COQL_OFFSET = 10_000
FOUND_MOST = 2000
CRITERIA_MOST = 10


class Queries(Lists):
    @route("GET", f"{KINDS}/search", label="{kind}/search", scope="ZohoCRM.modules.{kind}.READ")
    def search(self, request: Request) -> Answer:
        """The index knows of a new record only after a while."""
        self.authenticate(request, "ZohoSearch.securesearch.READ")
        kind, (page, size) = request.args["kind"], self.page(request)
        asked = [name for name in ("criteria", "email", "phone", "word") if request.query.get(name)]
        if not asked:
            names: Json = ["criteria", "email", "phone", "word"]
            what = "One of the expected parameter is missing"
            raise refused(fault("EXPECTED_PARAM_MISSING", what, param_names=names))
        if page * size > FOUND_MOST:
            raise refused(fault("LIMIT_REACHED", f"You can only get the first {FOUND_MOST} records", limit=FOUND_MOST))
        known = self.clock() - self.settings["search_lag"]
        rows = [] if request.query.get("converted") == "true" else self.all_live(kind)
        rows = [row for row in reversed(rows) if self.made_at[row["id"]] <= known]
        sought = request.query[asked[0]]
        if asked[0] == "criteria":
            clauses = Criteria(kind, sought)
            rows = [row for row in rows if clauses.fit(row)]
        else:
            rows = [row for row in rows if any(hit(kind, asked[0], sought, name, row[name]) for name in FIELDS[kind])]
        if "fields" in request.query:
            names = self.columns(kind, request.many("fields"))
            return self.plain_page([cut(row, names) for row in rows], page, size)
        return self.plain_page([self.whole(kind, row) for row in rows], page, size)

    # COQL.

    @route("POST", f"{BASE}/coql", label="coql", scope="ZohoCRM.coql.READ")
    def query(self, request: Request) -> Answer:
        text = self.body(request).get("select_query")
        if not isinstance(text, str):
            raise refused(fault("MANDATORY_NOT_FOUND", "mandatory key not found", api_name="select_query"))
        query = coql.parse(text)
        kind = MODULES.get(query.module, "")
        if kind not in self.rows:
            raise refused(fault("INVALID_MODULE", "the given module is not supported in api"))
        self.authenticate(request, f"ZohoCRM.modules.{kind}.READ")
        self.permit(kind)
        limit = self.coql_limit(query)
        self.coql_names(kind, query)
        rows = [row for row in self.all_live(kind) if holds(kind, query.where, row)]
        for name, descending in reversed([*query.order, ("id", False)]):
            rows.sort(key=lambda row, name=name: sortable(FIELDS[kind][name], row[name]), reverse=descending)
        shown = [
            {name: coql_value(row[name]) for name in query.fields} for row in rows[query.offset : query.offset + limit]
        ]
        info = {"count": len(shown), "more_records": len(rows) > query.offset + limit}
        return Answer(200, {"data": shown, "info": info}) if shown else Answer(204)

    def coql_limit(self, query: coql.Query) -> int:
        most = self.settings["coql_rows"]
        limit = most if query.limit is None else query.limit
        if limit < 1:
            raise refused(fault("INVALID_DATA", "limit should be greater than 0"))
        within = [len(one.values) for one in coql.comparisons(query.where)]
        for name, used, bound_ in (
            ("limit", limit, most),
            ("offset", query.offset + limit, COQL_OFFSET),
            ("select", len(query.fields), MOST_COLUMNS),
            ("in", max(within), 50),
            ("order by", len(query.order), 10),
        ):
            if used > bound_:
                raise refused(fault("LIMIT_EXCEEDED", "limit exceeded", limit=bound_, clause=name))
        return limit

    def coql_names(self, kind: str, query: coql.Query) -> None:
        """Names are known, and an operator fits its field: only what has an order is compared by it."""
        compared = coql.comparisons(query.where)
        for name in (*query.fields, *(name for name, _ in query.order), *(one.field for one in compared)):
            if name not in FIELDS[kind]:
                raise refused(fault("INVALID_QUERY", "column given seems to be invalid", column_name=name))
        if repeated := [name for name in query.fields if query.fields.count(name) > 1]:
            raise refused(fault("DUPLICATE_DATA", "duplicate select column", column_name=repeated[0]))
        for one in compared:
            type_ = FIELDS[kind][one.field].type
            if one.operator in ("<", "<=", ">", ">=") and type_ not in ORDERED:
                details = {"column_name": one.field, "operator": one.operator}
                what = fault("INVALID_QUERY", "Invalid query formed", reason="invalid operator found", **details)
                raise refused(what)
            for value in one.values:
                if not suits(type_, value):
                    details = {"column_name": one.field, "value": value}
                    raise refused(fault("INVALID_QUERY", "Invalid query formed", reason="invalid value", **details))


def suits(type_: str, value: coql.Literal) -> bool:
    """Times in quotes with an offset; numbers without quotes; an id either way."""
    if type_ == "datetime":
        return isinstance(value, str) and seconds(value) is not None
    if type_ in ("integer", "double", "currency"):
        return not isinstance(value, str | bool)
    if type_ == "boolean":
        return isinstance(value, bool)
    if type_ in ("bigint", "lookup", "ownerlookup"):
        return str(value).isdigit()
    return isinstance(value, str)


def sortable(field: Field, value: Json) -> tuple[bool, Json]:
    if value is None or field.type in ("multiselectpicklist", "tags"):
        return (False, 0)
    if field.type == "datetime":
        return (True, seconds(value))
    if field.type in ("lookup", "ownerlookup"):
        return (True, int(value["id"]))
    return (True, int(value) if field.type == "bigint" else value)


def holds(kind: str, where: coql.Condition, row: Row) -> bool:
    if isinstance(where, coql.Pair):
        sides = (holds(kind, where.left, row), holds(kind, where.right, row))
        return all(sides) if where.word == "and" else any(sides)
    field = FIELDS[kind][where.field]
    there, mine = sortable(field, row[where.field])
    if not there:
        return where.operator == "!="
    theirs = [compared(field, value) for value in where.values]
    match where.operator:
        case "in" | "=":
            return mine in theirs
        case "!=":
            return mine not in theirs
        case "<":
            return mine < theirs[0]
        case "<=":
            return mine <= theirs[0]
        case ">":
            return mine > theirs[0]
        case _:
            return mine >= theirs[0]


def compared(field: Field, value: coql.Literal) -> Json:
    if field.type == "datetime":
        return seconds(str(value))
    return int(value) if field.type in ("bigint", "lookup", "ownerlookup") else value


def coql_value(value: Json) -> Json:
    """A lookup is its id alone."""
    return {"id": value["id"]} if isinstance(value, dict) and "id" in value else value


def hit(kind: str, what: str, sought: str, name: str, value: Json) -> bool:
    """Whether one field of a record answers `email=`, `phone=` or `word=`."""
    if not isinstance(value, str):
        return False
    type_ = FIELDS[kind][name].type
    if what == "email":
        return type_ == "email" and value.lower() == sought.lower()
    if what == "phone":
        digits = re.sub(r"\D", "", sought)
        return type_ == "phone" and bool(digits) and re.sub(r"\D", "", value) == digits
    return type_ not in ("datetime", "bigint") and sought.lower() in value.lower()


class Criteria:
    """`((Email:equals:a@b.com)and(Last_Name:starts_with:A))`; a backslash before ( ) , and itself in values.

    What is no criteria is refused; of the operators only these two are told.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text, self.at, self.count = kind, text, 0, 0
        self.tree = self.group()
        if self.text[self.at :].strip():
            raise self.broken()

    def broken(self) -> RefusalError:
        return refused(fault("INVALID_QUERY", "Invalid query formed", reason="the criteria is invalid"))

    def group(self) -> Json:
        if self.text[self.at : self.at + 1] != "(":
            raise self.broken()
        self.at += 1
        if self.text[self.at : self.at + 1] != "(":
            return self.leaf()
        tree: Json = self.group()
        while word := re.compile(r"\s*(and|or)\s*").match(self.text, self.at):
            self.at = word.end()
            tree = (word[1], tree, self.group())
        if self.text[self.at : self.at + 1] != ")":
            raise self.broken()
        self.at += 1
        return tree

    def leaf(self) -> Json:
        found = re.compile(r"(\w+):(\w+):((?:\\.|[^()\\,])*)\)").match(self.text, self.at)
        self.count += 1
        if found is None or self.count > CRITERIA_MOST:
            raise self.broken()
        self.at = found.end()
        if found[1] not in FIELDS[self.kind] or found[2] not in ("equals", "starts_with"):
            raise self.broken()
        return (found[2], found[1], re.sub(r"\\(.)", r"\1", found[3]).lower())

    def fit(self, row: Row, tree: Json = None) -> bool:
        """`equals` on plain text finds what contains the value, too."""
        word, left, right = self.tree if tree is None else tree
        if word in ("and", "or"):
            sides = (self.fit(row, left), self.fit(row, right))
            return all(sides) if word == "and" else any(sides)
        value = row[left]
        value = value["id"] if isinstance(value, dict) else value
        text = "" if value is None else str(value).lower()
        if word == "starts_with":
            return text.startswith(right)
        return right in text if FIELDS[self.kind][left].type in ("text", "textarea") else text == right
