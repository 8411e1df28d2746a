"""Envelopes and lists: pages of at most 100, filters by equality alone, a default order that differs by resource.

https://developer.zendesk.com/api-reference/sales-crm/resources/lead-sources (the parameters of a list)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.vendors.zendesk_sell.account import Account
from tests.sandbox.vendors.zendesk_sell.fields import CUSTOM

MOST = 100
PAGING = ("page", "per_page", "sort_by")

type Row = dict[str, Any]
type Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Resource:
    """What meta.type says, which filters a list takes, and how it is sorted."""

    type: str
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    order: str = "id:asc"
    sortable: tuple[str, ...] = ("id", "name", "created_at", "updated_at")


def _text(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "text")


def _number(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "number")


_PERSON = ("first_name", "last_name", "email", "phone", "address[city]", "address[country]", "address[postal_code]")
_PEOPLE = ("id", "created_at", "updated_at", "first_name", "last_name", "email", "owner_id")

RESOURCES = {
    "leads": Resource(
        "lead",
        _text(*_PERSON, "organization_name", "status") | _number("owner_id", "creator_id", "source_id"),
        "updated_at:asc",
        (*_PEOPLE, "organization_name", "status", "source_id"),
    ),
    "contacts": Resource(
        "contact",
        _text(*_PERSON, "name") | _number("owner_id", "creator_id", "contact_id") | {"is_organization": "flag"},
        "last_name:asc",
        (*_PEOPLE, "name"),
    ),
    "deals": Resource(
        "deal",
        _number("contact_id", "creator_id", "organization_id", "owner_id", "source_id", "stage_id")
        | {"hot": "flag", "estimated_close_date": "text"},
        sortable=("id", "created_at", "updated_at", "name", "value", "currency", "hot", "stage_id", "source_id"),
    ),
    "associated_contacts": Resource("associated_contact", sortable=()),
    "deal_sources": Resource("source", _text("name")),
    "loss_reasons": Resource("loss_reason", _text("name")),
    "deal_unqualified_reasons": Resource("deal_unqualified_reason", _text("name")),
    "users": Resource("user", _text("name", "email", "status", "role") | {"confirmed": "flag"}),
    "lead_sources": Resource("source", _text("name")),
    "lead_statuses": Resource("lead_status", _text("name")),
    "lead_unqualified_reasons": Resource("lead_unqualified_reason"),
    "pipelines": Resource("pipeline", _text("name"), sortable=("id", "name")),
    # The vendor's own client marks an order as not supported here.
    "stages": Resource("stage", _text("name") | _number("pipeline_id") | {"active": "flag"}, sortable=()),
    "custom_fields": Resource("custom_field"),
}


class Lists(Account):
    def wrapped(self, noun: str, row: Row) -> dict[str, Json]:
        return {"data": row, "meta": {"type": RESOURCES[noun].type}}

    def one(self, noun: str, row: Row, status: int = 200) -> Answer:
        return Answer(status, self.wrapped(noun, row))

    def versioned(self, noun: str, row: Row) -> dict[str, Json]:
        """As an item of a list; leads, contacts and deals tell how often they were written."""
        return self.wrapped(noun, row)

    def listed(self, request: Request, noun: str, rows: Iterable[Row]) -> Answer:
        page, per_page = self.whole(request, "page", 1), self.whole(request, "per_page", 25)
        if per_page > MOST:
            raise self.bad_parameter("per_page", f"must be between 1 and {MOST}, given: {per_page}")
        tests = [self.test(noun, name, value) for name, value in request.query.items() if name not in PAGING]
        found = self.ordered(request, noun, [row for row in rows if all(test(row) for test in tests)])
        shown = found[(page - 1) * per_page : page * per_page]
        pages = {"self": page}
        pages |= {"first_page": 1, "prev_page": page - 1} if page > 1 else {}
        pages |= {"next_page": page + 1} if page * per_page < len(found) else {}
        links = {name: self.link(request, number, per_page) for name, number in pages.items()}
        meta = {"type": "collection", "count": len(shown), "links": links}
        return Answer(200, {"items": [self.versioned(noun, row) for row in shown], "meta": meta})

    def link(self, request: Request, page: int, per_page: int) -> str:
        """Absolute, at the host that was asked."""
        host = request.headers.get("host", "api.getbase.com")
        return f"http://{host}{request.path}?{urlencode(request.query | {'page': page, 'per_page': per_page})}"

    def whole(self, request: Request, name: str, default: int) -> int:
        written = request.query.get(name, str(default))
        if not written.isascii() or not written.isdigit() or int(written) < 1:
            raise self.bad_parameter(name, f"must be between 1 and {MOST}, given: {written}")
        return int(written)

    # Filters.

    def test(self, noun: str, name: str, value: str) -> Test:
        """How a row is told by one parameter: equality is all there is."""
        if name == "ids":
            ids = {self.integer(name, one) for one in value.split(",")}
            return lambda row: row["id"] in ids
        if name.startswith("custom_fields[") and noun in CUSTOM:
            own = name.removeprefix("custom_fields[").removesuffix("]")
            if not any(one.name == own and one.filterable for one in CUSTOM[noun]):
                raise self.bad_parameter(name, "the field is not filterable")
            return lambda row: row["custom_fields"].get(own) == value
        match RESOURCES[noun].filters.get(name):
            case "text":
                outer, _, inner = name.removesuffix("]").partition("[")
                return lambda row: (row[outer][inner] if inner else row[outer]) == value
            case "number":
                wanted = self.integer(name, value)
                return lambda row: row[name] == wanted
            case "flag":
                if value not in ("true", "false"):
                    raise self.bad_parameter(name, f"must be true or false, given: {value}")
                return lambda row: row[name] is (value == "true")
            case _ if self.settings["unknown_parameters"]:
                return lambda row: True
            case _:
                raise self.bad_parameter(name, "there is no such parameter")

    def integer(self, name: str, value: str) -> int:
        if not value.isascii() or not value.isdigit():
            raise self.bad_parameter(name, f"must be a number, given: {value}")
        return int(value)

    # Order.

    def ordered(self, request: Request, noun: str, rows: list[Row]) -> list[Row]:
        """`field`, `field:desc` or `custom_fields:name:desc`, joined by commas."""
        rows = sorted(rows, key=lambda row: row.get("id", 0))
        if "sort_by" not in request.query and not RESOURCES[noun].sortable:
            return rows
        for part in reversed(request.query.get("sort_by", RESOURCES[noun].order).split(",")):
            steps = part.split(":")
            direction = steps.pop() if steps[-1] in ("asc", "desc") else "asc"
            key = self.key(noun, part, steps)
            rows.sort(key=lambda row, key=key: (key(row) is not None, key(row)), reverse=direction == "desc")
        return rows

    def key(self, noun: str, part: str, steps: list[str]) -> Callable[[Row], Any]:
        match steps:
            case ["custom_fields", own] if any(one.name == own for one in CUSTOM.get(noun, ())):
                return lambda row: row["custom_fields"].get(own)
            case [name] if name in RESOURCES[noun].sortable:
                return lambda row: row.get(name)
            case _:
                raise self.bad_parameter("sort_by", f"cannot be sorted by: {part}")
