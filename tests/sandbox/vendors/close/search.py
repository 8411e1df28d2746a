"""Advanced Filtering: the only way to what has changed since, with cursors that live half a minute.

https://developer.close.com/resources/advanced-filtering/ - what the page does not name is refused here.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.colleagues import Colleagues
from tests.sandbox.vendors.close.fields import refused
from tests.sandbox.vendors.close.leads import PLURAL
from tests.sandbox.vendors.close.organization import FULL_ACCESS, V1, picked

MOST = 200
CURSOR_LIFE = 30.0
MEMBERS = {"query", "sort", "_fields", "_limit", "cursor", "results_limit", "include_counts"}
STAMPS = {"date_created": "moment", "date_updated": "moment", "created_by": "reference", "updated_by": "reference"}
FIELDS: dict[str, dict[str, str]] = {
    "lead": STAMPS | {"name": "text", "description": "text", "url": "text", "status_id": "reference"},
    "contact": STAMPS | {"name": "text", "title": "text", "lead_id": "reference"},
    "contact_email": {"email": "text", "type": "text"},
    "contact_phone": {"phone": "text", "type": "text"},
}
CONDITIONS = {
    "text": ("text", "exists"),
    "moment": ("moment_range", "exists"),
    "reference": ("reference", "current_user", "exists"),
    "choice": ("term", "exists"),
    "number": ("number_range", "exists"),
}
CUSTOM_TYPES = {
    "text": "text",
    "number": "number",
    "textarea": "text",
    "date": "moment",
    "datetime": "moment",
    "choices": "choice",
    "user": "reference",
    "contact": "reference",
}
RELATED = (("lead", "contact"), ("contact", "lead"), ("contact", "contact_email"), ("contact", "contact_phone"))

_BOTH = ("id", "name", "display_name", "organization_id", "integration_links")
_STAMPS = ("created_by", "updated_by", "date_created", "date_updated")
_LEAD = (
    "description",
    "url",
    "html_url",
    "addresses",
    "contacts",
    "opportunities",
    "tasks",
    "status_id",
    "status_label",
)
SHOWN = {
    "lead": (*_BOTH, *_STAMPS, *_LEAD, "created_by_name", "updated_by_name"),
    "contact": (*_BOTH, *_STAMPS, "title", "lead_id", "emails", "phones", "urls", "timezone", "timezone_source"),
}
"""What `_fields` may name."""


type Row = dict[str, Json]
type Match = Callable[[Row], bool]


@dataclass
class Cursor:
    """The ids that are still to come, for whoever asks the same again in time."""

    issued: float
    asked: str
    ids: list[str]


class Search(Colleagues):
    def clear(self) -> None:
        super().clear()
        self.cursors: dict[str, Cursor] = {}

    @route("POST", f"{V1}/data/search/", label="search", scope=FULL_ACCESS)
    def search(self, request: Request) -> Answer:
        body = self.body(request)
        for name in body.keys() - MEMBERS:
            raise refused({name: "Extra inputs are not permitted"})
        limit, most = self.size(body, "_limit", 100, MOST), self.size(body, "results_limit", *[self.results()] * 2)
        kind = self.sought(body.get("query"))
        self.permit(kind)
        match, order, names = self.matcher(kind, body["query"]), self.order(kind, body), self.names(kind, body)
        known = {row["id"]: row for row in self.rows(PLURAL[kind], self.clock() - self.settings["list_lag"])}
        if body.get("cursor") is not None:
            ids = self.resumed(body)
        else:
            found = [row for row in known.values() if match(row)]
            found.sort(key=lambda row: row["id"])  # without a sort there is no order to rely on
            for name, backwards in reversed(order):
                found.sort(key=lambda row, name=name: sortable(row.get(name)), reverse=backwards)
            ids = [row["id"] for row in found][:most]
        answer: dict[str, Json] = {"data": [self.hit(kind, known[one], names) for one in ids[:limit] if one in known]}
        answer["cursor"] = self.cursor(body, ids[limit:])
        if body.get("include_counts"):
            total = sum(map(match, known.values()))
            answer["count"] = {"limited": min(total, most), "total": total}
        return Answer(200, answer)

    def results(self) -> int:
        return self.settings["search_results"]

    def hit(self, kind: str, row: Row, names: list[str]) -> Row:
        """Nothing but the id, unless fields are named; then nothing but these."""
        shown = self.lead(row) if kind == "lead" else self.contact(row)
        return {"__object_type": kind} | picked(shown, names or ["id"])

    # Cursors.

    def cursor(self, body: dict[str, Json], rest: list[str]) -> str | None:
        if not rest:
            return None
        token = secrets.token_urlsafe(24)
        self.cursors[token] = Cursor(self.clock(), fingerprint(body), rest)
        return token

    def resumed(self, body: dict[str, Json]) -> list[str]:
        cursor = self.cursors.get(str(body["cursor"]))
        if cursor is None or cursor.asked != fingerprint(body):
            raise refused({"cursor": "Invalid cursor"})
        if self.clock() >= cursor.issued + CURSOR_LIFE:
            # The recorded answer has no `errors`.
            answer = refused({"cursor": "Expired cursor"})
            del answer.answer.body["errors"]
            raise answer
        return cursor.ids

    # The parts of the body.

    @staticmethod
    def size(body: dict[str, Json], name: str, default: int, most: int) -> int:
        value = default if body.get(name) is None else body[name]
        if not isinstance(value, int) or isinstance(value, bool):
            raise refused({name: "Input should be a valid integer"})
        if not 1 <= value <= most:
            bound = "greater than or equal to 1" if value < 1 else f"less than or equal to {most}"
            raise refused({name: f"Input should be {bound}"})
        return value

    @staticmethod
    def sought(query: Json) -> str:
        """The one object type that the top of the query names."""
        if not isinstance(query, dict):
            raise refused({"query": "Field required" if query is None else "Input should be a valid dictionary"})
        parts: Any = query.get("queries") if query.get("type") == "and" else [query]
        kinds = [
            str(part.get("object_type"))
            for part in (cast("list[Any]", parts) if isinstance(parts, list) else [])
            if isinstance(part, dict) and part.get("type") == "object_type"
        ]
        if len(kinds) != 1 or kinds[0] not in PLURAL:
            raise refused({"query": f"object_type: one of {', '.join(PLURAL)} is needed"})
        return kinds[0]

    def order(self, kind: str, body: dict[str, Json]) -> list[tuple[str, bool]]:
        order: list[tuple[str, bool]] = []
        for part in self.objects(body, "sort"):
            only("sort", part, "direction", "field")
            if part["direction"] not in ("asc", "desc"):
                raise refused({"sort": "direction: Input should be 'asc' or 'desc'"})
            order.append((self.field("sort", kind, part["field"])[0], part["direction"] == "desc"))
        return order

    def names(self, kind: str, body: dict[str, Json]) -> list[str]:
        asked: Any = (body.get("_fields") or {}).get(kind) if isinstance(body.get("_fields") or {}, dict) else 0
        names = cast("list[Any]", asked) if isinstance(asked, list) else []
        if asked is not None and not names:
            raise refused({"_fields": "Input should be a valid list"})
        known = {"custom", *(custom.key for custom in self.custom[kind].values()), *SHOWN[kind]}
        for name in names:
            if name not in known:
                raise refused({"_fields": f"unknown field: {name}"})
        return names

    def field(self, where: str, kind: str, spec: Json) -> tuple[str, str]:
        """The name and the type of a field of that kind of object."""
        match spec:
            case {"type": "regular_field", "object_type": str(of), "field_name": str(name)} if len(spec) == 3:
                if of == kind and name in FIELDS[kind]:
                    return name, FIELDS[kind][name]
            case {"type": "custom_field", "custom_field_id": str(field_id)} if len(spec) == 2:
                found = self.custom.get(kind, {}).get(field_id)
                if found:
                    return found.key, CUSTOM_TYPES[found.row["type"]]
            case _:
                pass
        raise refused({where: f"field: no such field of {kind}: {json.dumps(spec)}"})

    # The query.

    def matcher(self, kind: str, query: Json) -> Match:
        match query:
            case {"type": "and" | "or" as word, "queries": [*parts]}:
                only("query", query, "type", "queries")
                every = [self.matcher(kind, part) for part in parts]
                return lambda row: (all if word == "and" else any)(one(row) for one in every)
            case {"type": "object_type", "object_type": str(other)}:
                only("query", query, "type", "object_type")
                return lambda _: other == kind
            case {"type": "field_condition", "field": spec, "condition": {"type": str(sort)} as condition}:
                only("query", query, "type", "field", "condition")
                name, of = self.field("query", kind, spec)
                if sort not in CONDITIONS[of]:
                    raise refused({"query": f"condition: {sort} does not fit {name}"})
                fits = self.condition(condition, prefixes=name == "email")
                return lambda row: fits(row.get(name))
            case {"type": "has_related", "this_object_type": str(this), "related_object_type": str(other)}:
                only("query", query, "type", "this_object_type", "related_object_type", "related_query")
                if this != kind or (this, other) not in RELATED:
                    raise refused({"query": f"has_related: a {kind} has no such {other}"})
                inner = self.matcher(other, query["related_query"])
                return lambda row: any(inner(one) for one in self.related(kind, row, other))
            case _:
                raise refused({"query": f"type: no such query: {json.dumps(query)}"})

    def related(self, kind: str, row: Row, other: str) -> list[Row]:
        match kind, other:
            case "lead", _:
                found = [self.records["contacts"][contact] for contact in self.contacts_of.get(row["id"], [])]
            case _, "lead":
                found = [self.records["leads"][row["lead_id"]]]
            case _:
                return row["emails" if other == "contact_email" else "phones"]
        at = self.clock() - self.settings["list_lag"]
        return [seen for record in found if (seen := record.at(at))]

    def condition(self, spec: dict[str, Json], *, prefixes: bool) -> Callable[[Json], bool]:
        """Whether a value fits; an empty one fits nothing."""
        match spec:
            case {"type": "exists"} if len(spec) == 1:
                return lambda value: value not in (None, "", [])
            case {"type": "current_user"} if len(spec) == 1:
                return lambda value: value == self.me
            case {"type": "text", "mode": "full_words" | "phrase" as mode, "value": str(sought)} if len(spec) == 3:
                return lambda value: reads(str(value or ""), sought, mode, prefixes)
            case {"type": "term", "values": [*values]} if len(spec) == 2:
                return lambda value: any(one in values for one in (value if isinstance(value, list) else [value]))
            case {"type": "reference", "reference_type": str(), "object_ids": [*ids]} if len(spec) == 3:
                return lambda value: value in ids
            case {"type": "number_range"} if spec.keys() <= {"type", "gte", "gt", "lte", "lt"} and len(spec) > 1:
                return lambda value: value is not None and within(value, spec)
            case {"type": "moment_range"} if spec.keys() <= {"type", "on_or_after", "before"} and len(spec) > 1:
                low, high = (instant(spec[name]) if name in spec else None for name in ("on_or_after", "before"))
                return lambda value: bool(value) and (low or "") <= value and (high is None or value < high)
            case _:
                raise refused({"query": f"condition: not understood: {json.dumps(spec)}"})


def only(where: str, spec: dict[str, Json], *members: str) -> None:
    """Exactly these members."""
    if set(spec) != set(members):
        raise refused({where: f"members: {', '.join(members)}; not {', '.join(spec)}"})


def sortable(value: Json) -> tuple[Json, ...]:
    """Empty ones at the end."""
    return (1,) if value in (None, "", []) else (0, value)


def fingerprint(body: dict[str, Json]) -> str:
    return json.dumps({name: value for name, value in body.items() if name != "cursor"}, sort_keys=True)


def instant(spec: Json) -> str:
    """UTC, and saying so."""
    try:
        if spec["type"] == "fixed_utc" and len(spec) == 2:
            moment = datetime.fromisoformat(spec["value"])
            if moment.utcoffset() == timedelta(0):
                # Milliseconds are what is stored; a bound between two of them keeps its microseconds.
                return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (KeyError, TypeError, ValueError):
        pass
    raise refused({"query": f"moment_range: not an instant in UTC: {json.dumps(spec)}"})


def within(value: float, spec: dict[str, Json]) -> bool:
    low = value >= spec.get("gte", value) and ("gt" not in spec or value > spec["gt"])
    return low and value <= spec.get("lte", value) and ("lt" not in spec or value < spec["lt"])


def reads(text: str, sought: str, mode: str, prefixes: bool) -> bool:
    """full_words: each word of the sought is there as a word; of an e-mail address also as how it begins."""
    text, sought = text.lower(), sought.lower().strip()
    if mode == "phrase":
        return sought in text
    words = re.findall(r"\w+", text)
    return bool(sought) and ((prefixes and text.startswith(sought)) or set(re.findall(r"\w+", sought)) <= set(words))
