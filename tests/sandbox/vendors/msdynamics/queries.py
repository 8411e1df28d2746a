"""Lists: $filter, $orderby, $top and $count, pages that follow a cookie, and what has changed or gone since.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results
https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems
https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, total_ordering
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.msdynamics.environment import NOT_UNDERSTOOD, Place, Row, no_property, refused
from tests.sandbox.vendors.msdynamics.odata import (
    FUNCTIONS,
    Comparison,
    Condition,
    Junction,
    Not,
    Preferences,
    QueryError,
    condition,
    ordering,
    preferences,
)
from tests.sandbox.vendors.msdynamics.records import KINDS, ONE, Records
from tests.sandbox.vendors.msdynamics.tables import COLLECTIONS, TABLES, Table

LARGEST_PAGE = 5000
DAY = 86_400
TOKEN_TIME = "%m/%d/%Y %H:%M:%S"
TRACKED = ("leads", "contacts", "accounts", "opportunities")
LITERALS = {
    "Edm.String": ("string",),
    "Edm.Boolean": ("boolean",),
    "Edm.Guid": ("guid",),
    "Edm.Date": ("date",),
    "Edm.DateTimeOffset": ("datetime", "date"),
}

type Step = tuple[str, bool]


@total_ordering
class Downwards:
    """A key that sorts the other way round."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Downwards) and self.key == other.key

    def __lt__(self, other: "Downwards") -> bool:
        return self.key > other.key

    def __hash__(self) -> int:
        return hash(self.key)


class Queries(Records):
    @route("GET", KINDS, label="{kind}", scope="prvRead{table}")
    def list_rows(self, request: Request) -> Answer:
        table = TABLES[request.args["kind"]]
        wishes = preferences(request.headers.get("prefer", ""))
        names, expanded = self.asked(request, table)
        if "$deltatoken" in request.query:
            return Answer(200, self.changes(request, table, names, wishes))
        if wishes.tracks_changes:
            self.may_track(request, table)
        key = sort_key(self.steps(request, table))
        fits = self.filtered(request, table)
        keyed = [(key(row), row) for row in self.rows[table.entity_set].values() if fits(row)]
        body = self.head(request, table, wishes)
        if request.query.get("$count") == "true":
            body["@odata.count"] = min(len(keyed), LARGEST_PAGE)
        place = self.place(request, wishes)
        if place.after:
            keyed = [one for one in keyed if one[0] > place.after]
        keyed.sort(key=itemgetter(0))
        top = self.top(request)
        size = min(wishes.page_size or LARGEST_PAGE, LARGEST_PAGE) if top is None else min(top, LARGEST_PAGE)
        page = [row for _, row in keyed[:size]]
        body["value"] = [self.shown(table, row, names, expanded, wishes) for row in page]
        if top is None and len(keyed) > size:
            after = Place(place.number + 1, key(page[-1]), place.version)
            body["@odata.nextLink"] = self.next_link(request, table, page, after, wishes)
        elif wishes.tracks_changes:
            body["@odata.deltaLink"] = self.delta_link(request, table, place.version)
        return Answer(200, body)

    @route("GET", f"{ONE}/<collection>", label="{kind}/{{id}}/{collection}", scope="prvRead{table}")
    def list_related(self, request: Request) -> Answer:
        """The rows that lead here, by a navigation property of many."""
        kind, collection = request.args["kind"], request.args["collection"]
        if (kind, collection) not in COLLECTIONS:
            raise refused(400, NOT_UNDERSTOOD, f"Resource not found for the segment '{collection}'.")
        entity_set, name = COLLECTIONS[kind, collection]
        record_id, table = self.row(TABLES[kind], self.key(request))[TABLES[kind].key], TABLES[entity_set]
        self.permit(table)
        names, expanded = self.asked(request, table)
        wishes, value = preferences(request.headers.get("prefer", "")), table.lookups[name].value
        linked = [row for row in self.rows[entity_set].values() if row[value] == record_id]
        rows = [
            self.shown(table, row, names, expanded, wishes) for row in sorted(linked, key=lambda row: row[table.key])
        ]
        return Answer(200, self.head(request, table, wishes) | {"value": rows})

    def head(self, request: Request, table: Table, wishes: Preferences) -> Row:
        chosen = f"({request.query['$select']})" if "$select" in request.query else ""
        more: Row = {
            "Microsoft.Dynamics.CRM.totalrecordcount": -1,
            "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded": False,
            "Microsoft.Dynamics.CRM.globalmetadataversion": "6012567",
        }
        delta = "/$delta" if wishes.tracks_changes or "$deltatoken" in request.query else ""
        context = {"@odata.context": f"{self.service(request)}/$metadata#{table.entity_set}{chosen}{delta}"}
        return context | {f"@{term}": value for term, value in more.items() if wishes.wants(term)}

    def top(self, request: Request) -> int | None:
        text = request.query.get("$top")
        if text is not None and not text.isdigit():
            raise refused(400, NOT_UNDERSTOOD, f"Invalid value '{text}' for $top: it requires a non-negative integer.")
        return None if text is None else int(text)

    def steps(self, request: Request, table: Table) -> list[Step]:
        """The key comes last: without $orderby it is the order."""
        try:
            steps = ordering(request.query["$orderby"]) if "$orderby" in request.query else []
        except QueryError as odd:
            raise refused(400, NOT_UNDERSTOOD, str(odd)) from odd
        self.known(table, [name for name, _ in steps])
        return [*steps, (table.key, False)]

    # Pages.

    def place(self, request: Request, wishes: Preferences) -> Place:
        """A next link has to come back unchanged, with the page size that it was made for."""
        if "$skiptoken" not in request.query:
            return Place(1, (), self.newest)
        place = self.places.get(page_identity(request.args["kind"], request.query, wishes))
        if place is None:
            raise refused(400, NOT_UNDERSTOOD, "The paging cookie does not belong to this query and page size.")
        return place

    def next_link(self, request: Request, table: Table, page: list[Row], after: Place, wishes: Preferences) -> str:
        """The link shows the ids at both ends of the page and is long."""
        first, last = (f"{{{page[end][table.key].upper()}}}" for end in (0, -1))
        inner = f'<cookie page="{after.number - 1}"><{table.key} last="{last}" first="{first}" /></cookie>'
        tracking = f'istracking="{wishes.tracks_changes}"'
        cookie = f'<cookie pagenumber="{after.number}" pagingcookie="{quote(quote(inner))}" {tracking} />'
        query = {name: value for name, value in request.query.items() if name != "$skiptoken"}
        self.places[page_identity(table.entity_set, query | {"$skiptoken": cookie}, wishes)] = after
        return self.link(request, table, query, f"$skiptoken={quote(cookie)}")

    def link(self, request: Request, table: Table, query: dict[str, str], token: str) -> str:
        options = [f"{quote(name, safe='$')}={quote(value, safe=',()$')}" for name, value in query.items()]
        return f"{self.service(request)}/{table.entity_set}?{'&'.join([*options, token])}"

    # Changes.

    def tracked(self, table: Table) -> bool:
        return self.settings["change_tracking"] and table.entity_set in TRACKED

    def may_track(self, request: Request, table: Table) -> None:
        if not self.tracked(table):
            raise refused(400, "0x0", f"Change tracking is not enabled for entity '{table.logical_name}'.")
        if forbidden := {"$filter", "$orderby", "$top", "$expand"} & request.query.keys():
            names = "/".join(sorted(forbidden))
            raise refused(400, "0x0", f"The {names} query parameter isn't supported when tracking changes is enabled.")

    def delta_link(self, request: Request, table: Table, version: int) -> str:
        query = {name: value for name, value in request.query.items() if name == "$select"}
        at = datetime.fromtimestamp(self.clock(), UTC).strftime(TOKEN_TIME)
        return self.link(request, table, query, f"$deltatoken={quote(f'{version}!{at}', safe='')}")

    def changes(self, request: Request, table: Table, names: list[str], wishes: Preferences) -> Row:
        """Rows that are new or changed in the order of their versions, then the ids of those that are gone.

        Paged as any list; the delta link is on the last page and leads to what came after the first one.
        """
        self.may_track(request, table)
        since = self.since(request)
        living = self.rows[table.entity_set]
        found = [(False, row) for row in living.values() if row["versionnumber"] > since]
        if since:
            gone = (row for row in self.gone[table.entity_set] if row["versionnumber"] > since)
            # A row that was deleted and put back under its id is there again.
            found += [(True, row) for row in gone if row[table.key] not in living]
        place = self.place(request, wishes)
        found = sorted(found, key=version_key)
        rest = [one for one in found if version_key(one) > place.after] if place.after else found
        page = rest[: min(wishes.page_size or LARGEST_PAGE, LARGEST_PAGE)]
        context = f"{self.service(request)}/$metadata#{table.entity_set}/$deletedEntity"
        body = self.head(request, table, wishes)
        body["value"] = [
            {"@odata.context": context, "id": row[table.key], "reason": "deleted"}
            if deleted
            else self.shown(table, row, names, {}, wishes)
            for deleted, row in page
        ]
        if len(rest) > len(page):
            after = Place(place.number + 1, version_key(page[-1]), place.version)
            body["@odata.nextLink"] = self.next_link(request, table, [row for _, row in page], after, wishes)
        else:
            body["@odata.deltaLink"] = self.delta_link(request, table, place.version)
        return body

    def since(self, request: Request) -> int:
        """The version that a delta link was made at; 0, which means every row, once it is too old."""
        token = request.query["$deltatoken"]
        match = re.fullmatch(r"(\d+)!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)", token)
        if match is None:
            raise refused(400, NOT_UNDERSTOOD, "The delta token cannot be read.")
        made = datetime.strptime(match[2], TOKEN_TIME).replace(tzinfo=UTC).timestamp()
        return 0 if self.clock() - made > self.settings["change_tracking_days"] * DAY else int(match[1])

    # Filters.

    def filtered(self, request: Request, table: Table) -> Callable[[Row], bool]:
        if "$filter" not in request.query:
            return lambda row: True
        try:
            return self.test(table, condition(request.query["$filter"]))
        except QueryError as odd:
            raise refused(400, NOT_UNDERSTOOD, str(odd)) from odd

    def test(self, table: Table, wanted: Condition) -> Callable[[Row], bool]:
        match wanted:
            case Not(inner):
                inside = self.test(table, inner)
                return lambda row: not inside(row)
            case Junction(word, parts):
                tests = [self.test(table, part) for part in parts]
                every = all if word == "and" else any
                return lambda row: every(test(row) for test in tests)
            case Comparison():
                return self.comparison(table, wanted)

    def comparison(self, table: Table, wanted: Comparison) -> Callable[[Row], bool]:
        *navigations, name = wanted.path.split("/")
        at, value = table, wanted.value
        links: list[tuple[str, str]] = []
        for navigation in navigations:
            lookup = at.navigations.get(navigation)
            if lookup is None or len(lookup.navigations[navigation]) != 1:
                raise no_property(at, navigation)
            [entity_set] = lookup.navigations[navigation]
            if entity_set not in TABLES:
                raise no_property(at, navigation)
            links.append((lookup.value, entity_set))
            at = TABLES[entity_set]
        self.known(at, [name])
        edm = at.columns[name].edm if name in at.columns else "Edm.Guid"
        self.compare_types(edm, wanted)
        if edm == "Edm.Guid" and wanted.operator in ("gt", "ge", "lt", "le"):
            # Documented for FetchXML, which $filter becomes; the code of the refusal is not.
            raise refused(400, "0x80040203", f"The operator '{wanted.operator}' is not valid for a unique identifier.")
        right = comparable(value.value, edm)

        def holds(row: Row) -> bool:
            here: Row | None = row
            for link, entity_set in links:
                here = self.rows[entity_set].get(here[link] or "") if here else None
            return compared(comparable(here[name], edm) if here else None, wanted.operator, right)

        return holds

    def compare_types(self, edm: str, wanted: Comparison) -> None:
        """A text is no number, and null is only equal or not."""
        kind = wanted.value.type
        if wanted.operator in FUNCTIONS:
            fits = edm == "Edm.String" and kind == "string"
        elif kind == "null":
            fits = wanted.operator in ("eq", "ne")
        else:
            fits = kind in LITERALS.get(edm, ("number",))
        if not fits:
            raise QueryError(
                "A binary operator with incompatible types was detected. "
                f"Found operand types '{edm}' and '{kind}' for operator kind '{wanted.operator}'."
            )


def page_identity(entity_set: str, query: dict[str, str], wishes: Preferences) -> tuple[Any, ...]:
    return (entity_set, wishes.page_size, wishes.tracks_changes, *sorted(query.items()))


def version_key(found: tuple[bool, Row]) -> tuple[bool, int]:
    deleted, row = found
    return deleted, row["versionnumber"]


def comparable(value: Json, edm: str = "") -> Any:
    """Texts and ids without their case, times as moments."""
    if value is not None and edm == "Edm.DateTimeOffset":
        return seconds(value)
    return value.casefold() if isinstance(value, str) else value


@lru_cache(maxsize=10_000)
def seconds(text: str) -> float:
    """Of a time with its zone, or of a day, which begins in UTC."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else datetime.fromisoformat(f"{text}T00:00:00Z")).timestamp()


def compared(left: Any, operator: str, right: Any) -> bool:
    if operator in ("eq", "ne"):
        return (left == right) is (operator == "eq")
    if left is None:
        return False
    match operator:
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "lt":
            return left < right
        case "le":
            return left <= right
        case "contains":
            return right in left
        case "startswith":
            return left.startswith(right)
        case _:
            return left.endswith(right)


def sort_key(steps: list[Step]) -> Callable[[Row], tuple[Any, ...]]:
    """Nothing comes before something."""

    def key(row: Row) -> tuple[Any, ...]:
        parts = [((row[name] is not None, comparable(row[name])), down) for name, down in steps]
        return tuple(Downwards(part) if down else part for part, down in parts)

    return key
