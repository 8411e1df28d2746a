"""Lists: zero-based pages, free text, filters in brackets, ranges of time as "A TO B".

https://developers.nutshell.com, the guide filters, and the parameters of its OpenAPI document
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import cast

from tests.sandbox.exchange import Json, Request
from tests.sandbox.vendors.nutshell.instance import bad_request
from tests.sandbox.vendors.nutshell.shapes import Record

DEFAULT_LIMIT = 50
MOST = 10_000
"""What is known to work; the true maximum is not, so that more is refused."""

FILTERS: dict[str, tuple[str, ...]] = {
    "leads": ("number", "status", "createdTime", "accounts", "contacts", "owner", "sources", "tags", "stageset"),
    "contacts": ("createdTime", "leads"),
    "accounts": ("createdTime", "contacts"),
}
TIMES = ("createdTime", "modifiedTime")
SORTS: dict[str, tuple[str, ...]] = {
    "leads": ("age", "value", "milestone", "confidence", "name", "closedTime", "owner", "sources"),
    "contacts": (
        "accountType", "accounts", "createdTime", "email", "industry", "lastContactedTime", "name", "owner", "phone",
        "postalCode", "territory",
    ),
    "accounts": (
        "accountType", "createdTime", "industry", "lastContactedTime", "name", "numberOfContacts", "owner", "phone",
        "postalCode", "territory",
    ),
}  # fmt: skip

type Links = Callable[[Record], dict[str, Json]]


def filter_names(kind: str, *, modified: bool) -> tuple[str, ...]:
    return FILTERS[kind] + (("modifiedTime",) if modified and kind == "leads" else ())


def select(
    request: Request, rows: Iterable[Record], links: Links, leads: dict[str, Record], *, modified: bool
) -> list[Record]:
    """The records that the query asks for, in its order; by name where it says none."""
    kind, query = request.args["kind"], request.query
    found = [row for row in rows if not query.get("q") or matches(row, query["q"])]
    if "email" in query and kind != "leads":
        found = [row for row in found if query["email"].lower() in emails(row)]
    for name in query:
        asked = re.fullmatch(r"filter\[(\w+)\](\[\])?", name)
        if asked is None:
            continue
        if asked[1] not in filter_names(kind, modified=modified):
            raise bad_request(kind, "Invalid filter", f"Invalid filter: {asked[1]}")
        if asked[1] in TIMES:
            first, last = span(kind, query[name])
            found = [
                row for row in found if first <= (row.created if asked[1] == "createdTime" else row.modified) <= last
            ]
        else:
            wanted = request.many(name)
            found = [row for row in found if any(one in related(row, asked[1], links, leads) for one in wanted)]
    return arranged(kind, found, query.get("sort", "name"), links)


def matches(record: Record, text: str) -> bool:
    """Every word of the free text lies in a name or an address; how the vendor's search ranks is not documented."""
    number = [record.label] if record.kind == "leads" else []
    heap = " ".join([record.name.lower(), *number, *emails(record)])
    return all(word in heap for word in text.lower().split())


def emails(record: Record) -> list[str]:
    entries = cast("list[dict[str, Json]]", record.values.get("emails") or [])
    return [str(one["value"]).lower() for one in entries]


def related(record: Record, name: str, links: Links, leads: dict[str, Record]) -> list[Json]:
    """What a filter compares with."""
    if name == "number":
        return [record.label]
    if name == "status":
        return [record.values["status"]]
    if name == "leads":
        return [lead.id for lead in leads.values() if record.id in lead.links["contacts"]]
    value = links(record)[name]
    return value if isinstance(value, list) else [value]


def span(kind: str, text: str) -> tuple[float, float]:
    """Both ends belong to it; a time without a zone is UTC here. The TO may be missing: that was seen to work."""
    ends = re.fullmatch(r"(\S+) (?:TO )?(\S+)", text)
    try:
        if ends is None:
            raise ValueError(text)
        first, last = (datetime.fromisoformat(end) for end in ends.groups())
    except ValueError as odd:
        raise bad_request(kind, "Invalid filter", f"Invalid range: {text}") from odd
    first, last = (end if end.tzinfo else end.replace(tzinfo=UTC) for end in (first, last))
    return first.timestamp(), last.timestamp()


def arranged(kind: str, rows: list[Record], sort: str, links: Links) -> list[Record]:
    name = sort.removeprefix("-")
    if name not in SORTS[kind]:
        raise bad_request(kind, "Invalid sort", f"Invalid sort: {sort}")
    rows = sorted(rows, key=lambda row: row.number)
    return sorted(rows, key=lambda row: key_of(row, name, links), reverse=sort.startswith("-"))


def key_of(record: Record, name: str, links: Links) -> tuple[bool, float, str]:
    """Empty ones first; what is always empty here sorts nothing."""
    value: Json
    match name:
        case "name":
            value = record.name.lower()
        case "age":
            value = -record.created
        case "createdTime":
            value = record.created
        case "value":
            value = float(record.values["manualValue"] or 0)
        case "milestone":
            value = int(str(record.links["stage"] or "0").partition("-")[0])
        case "email":
            value = next(iter(emails(record)), None)
        case "numberOfContacts":
            value = len(links(record)["contacts"])
        case "confidence" | "closedTime":
            value = record.values[name]
        case _:
            value = str(record.links.get(name) or "")
    number = value if isinstance(value, int | float) else 0
    return value is not None, number, value if isinstance(value, str) else ""


def page_of(request: Request, rows: list[Record]) -> list[Record]:
    kind = request.args["kind"]
    page, limit = request.query.get("page[page]", "0"), request.query.get("page[limit]", str(DEFAULT_LIMIT))
    if not page.isdigit():
        raise bad_request(kind, "Invalid filter", f"Invalid page number: {page}")
    if not limit.isdigit() or not 1 <= int(limit) <= MOST:
        raise bad_request(kind, "Invalid filter", f"Invalid page limit: {limit}")
    first = int(page) * int(limit)
    return rows[first : first + int(limit)]
