"""The event log: what was created, changed and deleted in the last 30 days, the newest first.

https://developer.close.com/api/resources/events - the format of an event
https://developer.close.com/api/resources/events/list - filters, cursors
https://developer.close.com/api/resources/events/list-of-event-types - what is logged
"""

import base64
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.vendors.close.fields import new_id, refused
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, chosen, missing
from tests.sandbox.vendors.close.search import Search

MOST = 50
HISTORY = timedelta(days=30)
PRIVATE_AFTER = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILTERS = ("object_type", "object_id", "action", "lead_id", "user_id", "request_id")
COMBINATIONS = {
    frozenset(names.split())
    for names in (
        "",  # what the page does not list, and connectors ask for nevertheless
        "object_type object_id",
        "object_type action",
        "object_id action",
        "lead_id object_type",
        "lead_id object_type action",
        "lead_id user_id object_type",
        "lead_id user_id object_type action",
        "lead_id user_id",
        "user_id object_id",
        "user_id object_id action",
        "user_id object_type",
        "user_id object_type action",
        "lead_id",
        "user_id",
        "request_id",
    )
}
BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "date_updated__gt": int.__gt__,
    "date_updated__gte": int.__ge__,
    "date_updated__lt": int.__lt__,
    "date_updated__lte": int.__le__,
}
KINDS = {"leads": "lead", "contacts": "contact", "opportunities": "opportunity"}
UNTOLD = ("date_updated", "updated_by")
"""A change of nothing but these is no event: a lead is touched by what happens to its contacts."""

type Row = dict[str, Json]


@dataclass(frozen=True)
class Action:
    """What the events of one request have in common."""

    request_id: str = field(default_factory=lambda: new_id("req_")[:26])
    api_key_id: str | None = None
    meta: Row = field(default_factory=dict[str, Json])


@dataclass
class Event:
    """`created`, `updated` and `visible` are microseconds since 1970; Close has whole milliseconds."""

    number: int
    kind: str
    action: str
    before: Row | None
    after: Row | None
    created: int
    updated: int
    visible: float
    cause: Action
    id: str = field(default_factory=lambda: new_id("ev_")[:25])

    @property
    def place(self) -> tuple[int, int]:
        """Events of one millisecond are in the order in which they happened."""
        return self.updated, self.number

    @property
    def row(self) -> Row:
        return cast("Row", self.after or self.before)

    @property
    def lead_id(self) -> str:
        return self.row["id"] if self.kind == "lead" else self.row["lead_id"]


class Events(Search):
    """Stands above the store and watches it: everybody who writes goes through `insert`, `write` and `bury`."""

    def clear(self) -> None:
        self.events: dict[str, Event] = {}
        self.latest: dict[str, Event] = {}
        self.numbered = 0
        self.doing: Action | None = None
        super().clear()

    @route("GET", f"{V1}/event/", label="events", scope=FULL_ACCESS)
    def list_events(self, request: Request) -> Answer:
        """Which answers a wrong combination, a `_skip` and an unknown cursor get was never recorded: 400 here."""
        query = request.query
        asked = {name: query[name] for name in FILTERS if query.get(name)}
        if frozenset(asked) not in COMBINATIONS:
            raise refused({}, f"This combination of filters is not supported: {', '.join(sorted(asked))}.")
        if query.get("_skip", "0") != "0":
            raise refused({"_skip": "Not supported; use _cursor."})
        if "object_type" in asked:
            self.permit(asked["object_type"])
        limit = self.limit(request)
        way, place, bounds = "next", None, {name: instant(name, query[name]) for name in BOUNDS if query.get(name)}
        if query.get("_cursor"):
            way, place, carried = read_cursor(query["_cursor"], asked)
            bounds = carried | bounds  # a cursor knows the dates of the query that it comes from
        events = [event for event in self.told() if self.matches(event, asked) and between(event, bounds)]
        events.sort(key=lambda event: event.place, reverse=True)
        if way == "next":
            first = sum(event.place >= place for event in events) if place else 0
            page = events[first : first + limit]
        else:
            newer_ones = sum(event.place > place for event in events) if place else 0
            first = max(0, newer_ones - limit)
            page = events[first:newer_ones]
        newer, older = first > 0, first + len(page) < len(events)
        return Answer(
            200,
            {
                "data": [chosen(request, self.event(event)) for event in page],
                "cursor_next": write_cursor("next", page[-1].place, asked, bounds) if page and older else None,
                "cursor_previous": write_cursor("previous", page[0].place, asked, bounds) if page and newer else None,
            },
        )

    @route("GET", f"{V1}/event/<id>/", label="events/{{id}}", scope=FULL_ACCESS)
    def get_event(self, request: Request) -> Answer:
        found = next((event for event in self.told() if event.id == request.args["id"]), None)
        if found is None:
            raise missing()
        return Answer(200, chosen(request, self.event(found)))

    def limit(self, request: Request) -> int:
        """50 is the default and the cap. Whether more is cut or refused, as it is for leads, nobody says."""
        if not self.settings["over_cap_events_refused"] and request.query.get("_limit", "").isdigit():
            request.query["_limit"] = str(min(int(request.query["_limit"]), MOST))
        return self.counted(request, "_limit", MOST) if "_limit" in request.query else MOST

    def told(self) -> Iterator[Event]:
        now = self.clock() * 1e6
        oldest = now - HISTORY / timedelta(microseconds=1)
        return (event for event in self.events.values() if event.visible <= now and event.updated >= oldest)

    def matches(self, event: Event, asked: dict[str, str]) -> bool:
        has = {"object_type": event.kind, "object_id": event.row["id"], "action": event.action}
        has |= {"lead_id": event.lead_id, "user_id": self.me, "request_id": event.cause.request_id}
        return asked.items() <= has.items()

    def event(self, event: Event) -> Row:
        """Moments are UTC and do not say so (the page's example has no offset either)."""
        before, after = (self.payload(event.kind, row) if row else None for row in (event.before, event.after))
        changed: list[str] = []
        if event.action == "updated" and before and after:
            changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        shown: Row = {"id": event.id, "object_type": event.kind, "object_id": event.row["id"], "action": event.action}
        shown |= {"lead_id": event.lead_id, "user_id": self.me, "organization_id": ORGANIZATION}
        shown |= {"date_created": naive(event.created), "date_updated": naive(event.updated), "meta": event.cause.meta}
        shown |= {"request_id": event.cause.request_id, "api_key_id": event.cause.api_key_id, "changed_fields": changed}
        if self.settings["admin"] or self.clock() * 1e6 < event.updated + PRIVATE_AFTER / timedelta(microseconds=1):
            previous = before if event.action == "deleted" else {name: (before or {}).get(name) for name in changed}
            shown |= {"data": after, "previous_data": previous}
        return shown

    def payload(self, kind: str, row: Row) -> Row:
        """As by its id, but a lead names its contacts only."""
        show = {"lead": self.lead_alone, "contact": self.contact, "opportunity": self.opportunity}
        return show[kind](row)

    # What is logged.

    def perform(self, found: Route, request: Request) -> Answer:
        """Events name the request that they come from, and the key if there is one."""
        key = self.api_key(request)
        told = {"request_method": request.method, "request_path": request.path}
        with self.at_once(Action(api_key_id=new_id("api_", key) if key else None, meta=told)):
            return super().perform(found, request)

    @contextmanager
    def at_once(self, action: Action) -> Generator[None]:
        self.doing = action
        try:
            yield
        finally:
            self.doing = None

    def log(self, kind: str, action: str, before: Row | None, after: Row | None, at: int | None = None) -> None:
        at = int(self.clock() * 1000) * 1000 if at is None else at
        row = cast("Row", after or before)
        cause = self.doing or Action()
        self.numbered += 1
        if action == "updated" and (open_one := self.open_event(row["id"], at, cause)):
            open_one.after, open_one.updated, open_one.number = after, at, self.numbered
            return
        visible = at + self.settings["event_lag"] * 1e6
        event = Event(self.numbered, kind, action, before, after, at, at, visible, cause)
        self.events[event.id] = self.latest[row["id"]] = event

    def open_event(self, record_id: str, at: int, cause: Action) -> Event | None:
        """The latest of the record, where a change is told with it: it was created or changed in this very request,
        or changed shortly before (events of one object are consolidated; within which time is not documented)."""
        latest = self.latest.get(record_id)
        if latest is None or latest.action not in ("created", "updated"):
            return None
        soon = latest.action == "updated" and at < latest.updated + self.settings["event_consolidation"] * 1e6
        return latest if latest.cause is cause or soon else None

    def with_contacts(self, row: Row) -> Row:
        return row | {"contact_ids": list(self.contacts_of.get(row["id"], ()))}

    def insert(self, kind: str, prefix: str, values: Row) -> Row:
        """What is planted with a moment was created at it, for the log, too."""
        row = super().insert(kind, prefix, values)
        after = row | {"contact_ids": []} if kind == "leads" else row
        self.log(KINDS[kind], "created", None, after, micro(row["date_created"]))
        return row

    def write(self, kind: str, row: Row, values: Row) -> None:
        super().write(kind, row, values)
        if any(row.get(name) != value for name, value in values.items() if name not in UNTOLD):
            after = self.records[kind][row["id"]].row
            both = (self.with_contacts(row), self.with_contacts(after)) if kind == "leads" else (row, after)
            self.log(KINDS[kind], "updated", *both)

    def insert_contact(self, values: Row, *, touches: bool = True) -> Row:
        """Its lead is changed by it, except where it was planted: what is planted has been there."""
        if self.doing is None:
            return super().insert_contact(values, touches=touches)
        with self.noticing_members(values["lead_id"]):
            return super().insert_contact(values, touches=touches)

    def drop_contact(self, row: Row) -> None:
        with self.noticing_members(row["lead_id"]):
            super().drop_contact(row)

    def bury(self, kind: str, record_id: str) -> None:
        row = self.records[kind][record_id].row
        super().bury(kind, record_id)
        if kind == "contacts":
            self.log("contact", "deleted", row, None)

    def drop_lead(self, lead_id: str) -> None:
        """One event for the lead, and one for everything in it."""
        lead = self.with_contacts(self.records["leads"][lead_id].row)
        deals = [dict(row) for row in self.opportunities.values() if row["lead_id"] == lead_id]
        super().drop_lead(lead_id)
        for deal in deals:
            self.log("opportunity", "deleted", deal, None)
        self.log("lead", "deleted", lead, None)

    def absorb(self, source: str, destination: str) -> None:
        lead = self.with_contacts(self.records["leads"][source].row)
        if self.doing:
            self.doing.meta.update(merge_source_lead_id=source, merge_destination_lead_id=destination)
        deals = {key: dict(row) for key, row in self.opportunities.items() if row["lead_id"] == source}
        with self.noticing_members(destination):
            super().absorb(source, destination)
        for key, before in deals.items():
            self.log("opportunity", "updated", before, dict(self.opportunities[key]))
        self.log("lead", "deleted", lead, None)
        self.log("lead", "merged", None, self.with_contacts(self.records["leads"][destination].row))

    @contextmanager
    def noticing_members(self, *leads: str) -> Generator[None]:
        """A lead is changed by contacts that come and go."""
        before = {one: self.with_contacts(self.records["leads"][one].row) for one in leads}
        yield
        for lead_id, was in before.items():
            now = self.with_contacts(self.records["leads"][lead_id].row)
            if now["contact_ids"] != was["contact_ids"]:
                self.log("lead", "updated", was, now)

    def insert_opportunity(self, values: Row) -> Row:
        row = super().insert_opportunity(values)
        self.log("opportunity", "created", None, dict(row), micro(row["date_created"]))
        return row

    def drop_opportunity(self, row: Row) -> None:
        super().drop_opportunity(row)
        self.log("opportunity", "deleted", dict(row), None)

    # The control plane.

    def alter(self, noun: str, id: str, fields: Row) -> None:
        row = dict(self.there(noun, id))
        with self.at_once(Action()):
            if noun == "contacts":
                with self.noticing_members(*{row["lead_id"], fields.get("lead_id") or row["lead_id"]}):
                    super().alter(noun, id, fields)
            else:
                super().alter(noun, id, fields)
            if noun == "opportunities":
                self.log("opportunity", "updated", row, dict(self.opportunities[id]))

    def erase(self, noun: str, id: str) -> None:
        with self.at_once(Action()):
            super().erase(noun, id)


def micro(moment: str) -> int:
    """An ISO 8601 moment, a naive one being UTC."""
    at = datetime.fromisoformat(moment)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


def naive(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).replace(tzinfo=None).isoformat(timespec="microseconds")


def instant(name: str, text: str) -> int:
    try:
        return micro(text)
    except ValueError as odd:
        raise refused({name: "Invalid ISO 8601 datetime."}) from odd


def between(event: Event, bounds: dict[str, int]) -> bool:
    return all(BOUNDS[name](event.updated, limit) for name, limit in bounds.items())


def write_cursor(way: str, place: tuple[int, int], asked: dict[str, str], bounds: dict[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps([way, place, sorted(asked.items()), bounds]).encode()).decode()


def read_cursor(text: str, asked: dict[str, str]) -> tuple[str, tuple[int, int], dict[str, int]]:
    """Filters have to be sent again, and the same ones; only the dates need not be."""
    try:
        way, (at, number), filters, bounds = json.loads(base64.urlsafe_b64decode(text))
    except (TypeError, ValueError) as odd:
        raise refused({"_cursor": "Invalid cursor"}) from odd
    if filters != [list(pair) for pair in sorted(asked.items())]:
        raise refused({"_cursor": "Invalid cursor"})
    return way, (at, number), bounds
