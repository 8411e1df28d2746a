"""The Search API v3, for leads and contacts: other names than the Core API's, an index that lags, a cursor in the body.

https://developer.zendesk.com/api-reference/sales-crm/search/query-language
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.sandbox import spec
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zendesk_sell.account import Flaw
from tests.sandbox.vendors.zendesk_sell.deals import Deals
from tests.sandbox.vendors.zendesk_sell.fields import CUSTOM
from tests.sandbox.vendors.zendesk_sell.lists import RESOURCES, Row

KINDS = '<any("leads", "contacts"):kind>'
MOST, USUAL = 200, 50
SAME = (
    "id", "version", "created_at", "updated_at", "first_name", "last_name", "title", "description", "industry",
    "website", "email", "fax", "twitter", "facebook", "linkedin", "skype", "tags",
)  # fmt: skip
_OTHER = (
    "address", "company_name", "creator", "custom_fields", "display_name", "name", "owner", "phone_numbers", "uid",
)  # fmt: skip
OTHER = {
    "leads": (*_OTHER, "source", "status"),
    "contacts": (
        *_OTHER, "is_organisation", "company", "company_id", "parent_company", "parent_company_id", "customer_status",
        "prospect_status",
    ),
}  # fmt: skip
PARTS = {"street": "line1", "city": "city", "zip_code": "postal_code", "region": "state", "country": "country"}
FILTERED_BY = {name: f"{name}.id" for name in ("owner", "creator", "source", "status", "company", "parent_company")} | {
    "phone_numbers": "phone_numbers.phone"
}
"""An attribute that is an object is filtered by one of its parts."""
INNER = dict.fromkeys(("owner", "creator", "source", "company", "parent_company"), ("name", "id", "name")) | {
    "status": ("position", "id", "position"),
    "phone_numbers": ("", "phone", "mobile"),
    "address": ("", *PARTS),
}
"""What those are sorted by, and their parts, for want of the stored schema."""

type Order = tuple[list[str], bool]


@dataclass
class Entry:
    """A record of the index. Most queries ask for what is named as in the Core API: only the rest costs a look-up."""

    row: Row
    expand: Callable[[Row], Row]
    expanded: Row | None = None

    def get(self, name: str) -> Any:
        if name in SAME:
            return self.row.get(name)
        if self.expanded is None:
            self.expanded = self.expand(self.row)
        return self.expanded.get(name)


class Search(Deals):
    @route("GET", f"/v3/{KINDS}/schema", label="{kind}/schema", scope="read")
    def get_schema(self, request: Request) -> Answer:
        return Answer(200, {"attributes": schema(request.args["kind"])})

    @route("POST", f"/v3/{KINDS}/search", label="{kind}/search", scope="read")
    def search(self, request: Request) -> Answer:
        """One list of results for each query of the body."""
        items = self.objects(self.body(request), "items")
        if not items or not all(isinstance(one.get("data"), dict) for one in items):
            raise self.refused(422, Flaw("incorrect_payload", "The payload has to hold 'items' with 'data'."))
        found = [self.results(request.args["kind"], one["data"]) for one in items]
        return Answer(200, {"items": found, "meta": {"type": "collection"}})

    def results(self, kind: str, data: dict[str, Any]) -> Json:
        if unknown := sorted(data.keys() - {"query", "cursor", "page", "per_page"}):
            raise unfit(self, unknown[0], "is not a known attribute", "unknown")
        cursor, per_page = data.get("cursor"), self.whole_number(data, "per_page", USUAL)
        if per_page > MOST:
            raise unfit(self, "per_page", f"must be between 0 and {MOST}")
        if cursor is not None and data.get("page") is not None:
            raise unfit(self, "page", "excludes cursor")
        query = data.get("query") or {}
        if not isinstance(query, dict):
            raise unfit(self, "query", "has to be an object", "invalid_type")
        paths = [["id"], ["version"], *(self.path(kind, one) for one in self.objects(query, "projection"))]
        keeps = self.test_of(kind, query["filter"]) if query.get("filter") else lambda row: True
        orders = self.orders(kind, self.objects(query, "sort"))
        expand = self.lead_seen if kind == "leads" else self.contact_seen
        rows = [entry for row in self.indexed(kind) if keeps(entry := Entry(row, expand))]
        for path, descending in reversed(orders):
            rows.sort(key=lambda row, path=path: ranked(value(row, path)), reverse=descending)
        total, start = len(rows), self.whole_number(data, "page", 0) * per_page
        if cursor is not None:
            last = self.opened(cursor, orders)
            rows = [row for row in rows if compared(orders, place(orders, row), last) > 0]
        shown, rest = rows[start : start + per_page], rows[start + per_page :]
        links: dict[str, Json] = {"next_page": closed(orders, shown[-1])} if shown and rest else {}
        items = [{"data": projected(row, paths), "meta": {"type": RESOURCES[kind].type}} for row in shown]
        meta = {"type": "collection", "count": len(shown), "total_count": total, "links": links}
        return {"items": items, "meta": meta}

    def indexed(self, kind: str) -> list[Row]:
        """What the index knows by now, and the user may see. Of a deletion it says nothing."""
        known: list[Row] = []
        now, foreign = self.clock(), self.settings["foreign_records"]
        for writes in self.history[kind].values():
            last = next((row for visible_at, row in reversed(writes) if visible_at <= now), None)
            if last is not None and last["id"] not in foreign and not self.is_forbidden(kind, last):
                known.append(last)
        return known

    def lead_seen(self, row: Row) -> Row:
        body = self.seen("leads", row)
        statuses = [{"id": one["id"], "name": one["name"]} for one in self.rows["lead_statuses"].values()]
        found = next((position for position, one in enumerate(statuses) if one["name"] == row["status"]), None)
        body["status"] = None if found is None else {"id": statuses[found]["id"], "position": found + 1}
        body |= {"source": self.named("lead_sources", row["source_id"]), "company_name": row["organization_name"]}
        return body | {"display_name": body["name"] or row["organization_name"]}

    def contact_seen(self, row: Row) -> Row:
        """A person's company is a contact, too; an organization is a company by its own name."""
        body = self.seen("contacts", row) | {"name": row["name"], "display_name": row["name"]}
        body |= {"is_organisation": row["is_organization"]}
        body |= {name: row[name] for name in ("customer_status", "prospect_status")}
        body["company_name"] = row["name"] if row["is_organization"] else None
        for name, link in (("company", "contact_id"), ("parent_company", "parent_organization_id")):
            body |= {name: self.named("contacts", row[link]), f"{name}_id": row[link]}
        return body

    def named(self, noun: str, row_id: int | None) -> Json:
        there = self.rows[noun].get(row_id or 0)
        return {"id": there["id"], "name": there["name"]} if there else None

    def seen(self, kind: str, row: Row) -> Row:
        """What leads and contacts share, under the index's names; custom fields go by their ids there."""
        ids = {one.name: str(one.id) for one in CUSTOM[kind]}
        own = {ids[name]: own for name, own in row["custom_fields"].items() if name in ids}
        body: Row = {"custom_fields": own, "uid": None}
        body["phone_numbers"] = {"phone": row["phone"], "mobile": row["mobile"]}
        body["address"] = {name: row["address"][core] for name, core in PARTS.items()}
        body |= {name: self.named("users", row[f"{name}_id"]) for name in ("owner", "creator")}
        return body | {"name": " ".join(part for part in (row["first_name"], row["last_name"]) if part)}

    # Queries. How one is refused was never recorded: here as any other body.

    def path(self, kind: str, attribute: Json) -> list[str]:
        """`{"name": "owner.id"}`; what the schema does not have is refused."""
        name = str(attribute.get("name")) if isinstance(attribute, dict) else ""
        outer, _, inner = name.partition(".")
        parts = {str(one.id): {} for one in CUSTOM[kind]} if outer == "custom_fields" else {}
        there = schema(kind)
        if outer not in there or (inner and inner not in there[outer].get("attributes", {}) | parts):
            raise unfit(self, "name", f"'{name}' is not an attribute of the index")
        return [outer, inner] if inner else [outer]

    def orders(self, kind: str, sort: list[dict[str, Json]]) -> list[Order]:
        """(path, descending) of each, and the id at the end."""
        orders: list[Order] = []
        for one in sort:
            if one.get("order", "ascending") not in ("ascending", "descending"):
                raise unfit(self, "order", "must be ascending or descending")
            orders.append((self.sorted_by(kind, one.get("attribute")), one.get("order") == "descending"))
        return [*orders, (["id"], False)]

    def sorted_by(self, kind: str, attribute: Json) -> list[str]:
        """An attribute that is an object is sorted by one of its parts, or not at all."""
        path = self.path(kind, attribute)
        described = schema(kind)[path[0]] if len(path) == 1 else {}
        if described.get("type") in ("object", "array") and "sort_field" not in described:
            raise unfit(self, "sort", f"cannot be by '{path[0]}'")
        return str(described["sort_field"]).split(".") if "sort_field" in described else path

    def test_of(self, kind: str, condition: Json) -> Callable[[Entry], bool]:
        match condition:
            case {"and": [*parts], **more} if not more:
                tests = [self.test_of(kind, part) for part in parts]
                return lambda row: all(test(row) for test in tests)
            case {"filter": {"attribute": {"name": str(name)}, "parameter": {**parameter}}, **more} if not more:
                return self.comparison(self.path(kind, {"name": FILTERED_BY.get(name, name)}), parameter)
            case _:
                raise unfit(self, "filter", "is neither 'and' nor 'filter'")

    def comparison(self, path: list[str], parameter: dict[str, Any]) -> Callable[[Entry], bool]:
        match parameter:
            case {"eq": wanted, **more} if not more:
                return lambda row: value(row, path) == wanted
            case {"range": {**bounds}, **more} if bounds and not more and bounds.keys() <= {"gte", "gt", "lte", "lt"}:
                limits = {name: moment(bound) for name, bound in bounds.items()}
                if not path[0].endswith("_at") or None in limits.values():
                    raise unfit(self, "range", "has to be of times in ISO 8601 with their zones")
                return lambda row: within(moment(value(row, path)), limits)
            case _:
                raise unfit(self, "parameter", "is neither 'eq' nor 'range'")

    def whole_number(self, data: dict[str, Any], name: str, default: int) -> int:
        number = default if data.get(name) is None else data[name]
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise unfit(self, name, "must not be negative")
        return number

    def opened(self, cursor: Json, orders: list[Order]) -> list[Any]:
        try:
            by, last = json.loads(base64.urlsafe_b64decode(cursor))
        except (ValueError, TypeError) as odd:
            raise unfit(self, "cursor", "is not one of ours") from odd
        if [tuple(one) for one in by] != orders:
            raise unfit(self, "cursor", "belongs to another query")
        return last


def schema(kind: str) -> dict[str, Any]:
    """What may be asked for: all that the vendor's stored schema has, and null where the fake knows nothing of it."""
    stored = spec.document("zendesk_sell", f"search/{kind}.schema.json")
    if stored:
        return stored["attributes"]
    known: dict[str, Any] = {name: {"type": "keyword"} for name in SAME + OTHER[kind]}
    for name, (order, *parts) in INNER.items():
        if name in known:
            known[name] = {"type": "object", "attributes": {part: {"type": "keyword"} for part in parts}}
            known[name] |= {"sort_field": f"{name}.{order}"} if order else {}
    return known


def unfit(fake: Search, name: str, why: str, code: str = "incorrect_value") -> RefusalError:
    return fake.refused(422, Flaw(code, f"The attribute '/{name}' {why}.", name))


def value(row: Entry, path: list[str]) -> Any:
    found = row.get(path[0])
    return found if len(path) == 1 else (found or {}).get(path[1])


def projected(row: Entry, paths: list[list[str]]) -> Row:
    body: Row = {}
    for path in paths:
        if len(path) == 1:
            body[path[0]] = value(row, path)
        else:
            body.setdefault(path[0], {})[path[1]] = value(row, path)
    return body


def moment(written: Json) -> datetime | None:
    """A time, whatever its zone; None is none."""
    try:
        found = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def within(found: datetime | None, limits: dict[str, Any]) -> bool:
    if found is None:
        return False
    passed = {"gte": found.__ge__, "gt": found.__gt__, "lte": found.__le__, "lt": found.__lt__}
    return all(passed[name](limit) for name, limit in limits.items())


def ranked(found: Any) -> tuple[bool, Any]:
    """Nothing comes before something."""
    return found is not None, found


def place(orders: list[Order], row: Entry) -> list[Any]:
    """Where a record stands: what it is sorted by."""
    return [value(row, path) for path, _ in orders]


def compared(orders: list[Order], one: list[Any], other: list[Any]) -> int:
    for (_, descending), left, right in zip(orders, one, other, strict=True):
        low, high = ranked(left), ranked(right)
        if low != high:
            return (-1 if low < high else 1) * (-1 if descending else 1)
    return 0


def closed(orders: list[Order], last: Entry) -> str:
    """A cursor holds the place of the last record, so that insertions shift nothing."""
    return base64.urlsafe_b64encode(json.dumps([orders, place(orders, last)]).encode()).decode()
