"""The change log: newest first, walked by ids, with the current records beside its events. Leads have no modifiedTime.

https://developers.nutshell.com, "Events (Timeline)" of its OpenAPI document
"""

import math
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.nutshell.instance import CRM, META, SITE, bad_request
from tests.sandbox.vendors.nutshell.lookups import Lookups

DEFAULT_LIMIT = 50
TYPES = frozenset(
    {
        "accounts", "activities", "assignments", "chats", "companyEnrichment", "constantContact", "contacts", "emails",
        "emailInteraction", "formSubmissions", "inbox_threads", "leadUpdates", "leads", "marketingEmails",
        "mcfxSessions", "notes", "queued", "ticketMessages", "undelivered", "unshared",
    }
)  # fmt: skip


@dataclass
class Event:
    number: int
    at: int
    actor: str
    entity: str
    action: str
    changes: list[Json] = field(default_factory=list[Json])

    @property
    def id(self) -> str:
        return f"{self.number}-events"

    @property
    def kind(self) -> str:
        return self.entity.partition("-")[2]

    def shown(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "type": "events",
            "createdTime": self.at,
            "actorType": self.actor.partition("-")[2],
            "payloadType": self.kind,
            "action": self.action,
            "changes": self.changes,
            "links": {"actor": self.actor, "payloads": [self.entity], "comments": []},
        }


@dataclass(frozen=True)
class Wanted:
    """What a caller asks of the log; bounds are inclusive."""

    kinds: list[str]
    creators: list[str]
    entity: str | None
    since_id: float
    until_id: float
    since: float
    until: float

    def fits(self, event: Event) -> bool:
        named = (not self.kinds or event.kind in self.kinds) and (not self.creators or event.actor in self.creators)
        about = self.entity in (None, event.entity)
        return (
            named and about and self.since_id <= event.number <= self.until_id and self.since <= event.at <= self.until
        )


class ChangeLog(Lookups):
    def clear(self) -> None:
        super().clear()
        self.events: list[Event] = []
        self.deletions: list[Event] = []
        self.event_numbers = count(3, 4)

    def note(self, entity: str, action: str, changes: list[Json] | None = None, at: float | None = None) -> None:
        """Writes an event; whether deletions lie among the other events is unconfirmed, so they do not."""
        when = int(self.clock() if at is None else at)
        event = Event(next(self.event_numbers), when, self.acting, entity, action, changes or [])
        (self.deletions if action == "delete" else self.events).append(event)

    def payload(self, entity: str) -> Json:
        """The record that an event is about, as it is now."""
        raise NotImplementedError

    @route("GET", "/rest/events", label="events", scope=CRM)
    def list_events(self, request: Request) -> Answer:
        """At most `limit` of the newest: what lies between them and since_id is found by walking `previous`."""
        wanted = self.wanted(request, request.many("filters[payload][]"))
        rows = [event for event in self.events if wanted.fits(event)]
        page = sorted(rows, key=lambda event: event.number, reverse=True)[: self.limit(request)]
        return self.told(page, self.walked(request, "events", page))

    @route("GET", "/rest/events/deleted", label="events/deleted", scope=CRM)
    def list_deleted(self, request: Request) -> Answer:
        """Also what was restored since then: its record beside the event tells. The oldest first by default."""
        wanted, sort = self.wanted(request, request.many("filter[types]")), request.query.get("sort")
        if sort not in (None, "-change_time"):
            raise bad_request("events", "Invalid sort", f"Invalid sort: {sort}")
        rows = [event for event in self.deletions if wanted.fits(event)]
        rows.sort(key=lambda event: event.number, reverse=sort is not None)
        if not self.settings["deletions_are_paged"]:
            return self.told(rows, {})
        page = rows[: self.limit(request)]
        return self.told(page, self.walked(request, "events/deleted", page))

    def walked(self, request: Request, path: str, page: list[Event]) -> dict[str, Json]:
        """Where to go on from a page, in both directions; nowhere from an empty one."""
        if not page:
            return {}
        # The times are not carried on (unconfirmed): who walks has to look at them.
        kept = [("limit", str(self.limit(request)))]
        many = ("filters[payload][]", "filters[creator][]", "filter[types]")
        kept += [(name, one) for name in many for one in request.many(name)]
        kept += [(name, request.query[name]) for name in ("entity_id", "sort") if name in request.query]
        oldest, newest = (pick(page, key=lambda event: event.number).id for pick in (min, max))
        return {
            "next": f"{SITE}/rest/{path}?{urlencode([*kept, ('since_id', newest)])}",
            "previous": f"{SITE}/rest/{path}?{urlencode([*kept, ('max_id', oldest)])}",
            "last": oldest,
        }

    def told(self, page: list[Event], meta: dict[str, Json]) -> Answer:
        """A record stands there once per event: nobody said that it is told only once."""
        payloads = [self.payload(event.entity) for event in page]
        rows = [event.shown() for event in page]
        return Answer(200, {"meta": META | meta, "links": {}, "events": rows, "payloads": payloads})

    def wanted(self, request: Request, kinds: list[str]) -> Wanted:
        self.known(kinds)
        since = self.number(request, "since_time", -1)
        until_id = self.number(request, "max_id", math.inf)
        return Wanted(
            kinds,
            request.many("filters[creator][]"),
            request.query.get("entity_id"),
            self.number(request, "since_id", -1) + 1,
            until_id if self.settings["max_id_is_inclusive"] else until_id - 1,
            since if self.settings["since_time_is_inclusive"] else since + 1,
            self.number(request, "max_time", math.inf),
        )

    @staticmethod
    def known(kinds: list[str]) -> None:
        if odd := [kind for kind in kinds if kind not in TYPES]:
            raise bad_request("events", "Invalid filter", f"Invalid payload type: {odd[0]}")

    @staticmethod
    def number(request: Request, name: str, absent: float) -> float:
        """A Unix time, or an id with or without its type."""
        value = request.query.get(name)
        if value is None:
            return absent
        bare = value.removesuffix("-events") if name.endswith("_id") else value
        if not bare.isdigit():
            raise bad_request("events", "Invalid filter", f"Invalid {name}: {value}")
        return int(bare)

    @staticmethod
    def limit(request: Request) -> int:
        value = request.query.get("limit", str(DEFAULT_LIMIT))
        if not value.isdigit() or int(value) < 1:
            raise bad_request("events", "Invalid filter", f"Invalid limit: {value}")
        return int(value)
