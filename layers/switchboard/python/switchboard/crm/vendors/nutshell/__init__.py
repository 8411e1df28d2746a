"""Nutshell: records whose relations are links, and a change log in place of a moment of change.

Records https://developers.nutshell.com/reference
Ids     https://developers.nutshell.com/docs/api-ids
Filters https://developers.nutshell.com/docs/filters
Events  https://developers.nutshell.com/reference/get_events
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Basic
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import text
from switchboard.crm.complaint import Complaint, misshapen, sentence
from switchboard.crm.dialect import LOOK_PAGE, OUTER, SOURCE, Answer, Dialect, Draft, Gone, whole
from switchboard.crm.mapping import nested
from switchboard.crm.paging import OLDEST, Cursor, Stretch, sliced
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.nutshell.overlapping import listed
from switchboard.crm.vendors.nutshell.rows import (
    BESIDE,
    BY_AGE,
    companies,
    contacts,
    deals,
    first,
    leads,
    pipelines,
    seconds,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, texts, word

EVENTS = "/rest/events"

EVENTS_PAGE = 300
"""Changes per request. Records come with them in full, and an answer may have 2 MB."""

DAY = timedelta(days=1)

WALK = 4
"""So many answers of the change log are read in a row; a time in which more was changed is halved."""

LOOKED_UP = 50
"""So many records, which the change log did not bring along, are read by their ids for one stretch: all of them in one
path, or one after the other where one that is gone spoils the others."""


NAMING = (contacts, companies, deals)
"""What tells the names of the records that it links."""

LOGGED = (leads, contacts)
"""Whose changes and deletions are read from the logs of these."""


def noun(resource: Resource) -> str:
    """What Nutshell calls the records of a resource."""
    return resource.path.rpartition("/")[2]


def told(body: Any) -> dict[str, Record]:
    """The records that an answer holds, by their ids."""
    lists = body if isinstance(body, dict) else {}
    return {id: each for key in lists for each in many(body, key) if (id := word(each, "id"))}


def beside(known: dict[str, Record], record: Record) -> dict[str, list[Record]]:
    """The records that the links of a record name, as far as they are among these."""
    links = record.get("links")
    names = links if isinstance(links, dict) else {}
    return {name: [known[id] for id in texts(links, name) if id in known] for name in names}


def event_number(event: Any) -> int:
    """Events are called `163-events`, and the later one has the greater number."""
    return whole((word(event, "id") or "").partition("-")[0]) or 0


class Nutshell(Dialect):
    """Answers are `{meta, links, <type>: [records]}`; a body that makes a record holds it as a list of one.

    What a caller says in `remote_data` is merged into the record itself, as a list of one could only be replaced.
    """

    ids = re.compile(r"[0-9]+(-[a-z]+)?")  # joined by commas they name several records, and words lead elsewhere
    lag = 10  # nothing is told of how soon the change log and the filters of lists know of a new lead
    request_id_headers = ("x-nutshell-request-id", "x-request-id")

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope, or bare. The `description` of a new lead becomes its `name`."""
        name = noun(resource)
        listed = isinstance(dig(body, name), list)
        record = next(iter(many(body, name)), {}) if listed else super().open(resource, body)
        if resource in NAMING and "id" in record:
            record = record | {BESIDE: record.get(OUTER) or beside(told(body), record)}
        if resource in (leads, deals) and "id" in record and word(record, "name"):
            return record | {"description": record["name"]}
        if resource is stages and isinstance(record.get("links"), list):  # as the specification has it
            return record | {"links": dig(record, "links.0")}
        return record

    def member(self, resource: Resource, id: str) -> str:
        """The type behind the number of an id may be left out, but not be another: by `3-contacts` goes no lead."""
        if id.partition("-")[2] not in ("", noun(resource)):
            raise misshapen()
        return super().member(resource, id)

    def making(self, resource: Resource, body: Any) -> Request:
        return wire.post(resource.path, {noun(resource): [body]})

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        return {"createdTime", "links"} <= self.open(resource, response.body).keys()

    def complaint(self, response: Response) -> Complaint | None:
        """Errors stand in an envelope, in a bare string or in an object of their own; or there is a page of HTML."""
        body, errors = response.body, many(response.body, "errors")
        if response.ok and not errors:
            return None
        said = [word(next(iter(errors), None), part) for part in ("title", "detail")]
        bare = body if isinstance(body, str) and response.readable else None
        return Complaint(
            code=text.into(dig(body, "errors.0.code")),
            message=": ".join(part for part in said if part) or sentence(body) or bare,
            fields=tuple(name for each in errors if (name := word(each, "field"))),
        )

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """The names of the sources of leads, and the stages of pipelines."""
        records = [self.open(resource, body) for body in bodies]
        if resource is leads and any(texts(record, "links.sources") for record in records):
            try:
                found = listed((yield from self.ask(wire.get("/rest/sources"))).body, "sources")
            except Problem:
                return bodies  # a lead is worth more than the name of its source
            names = {word(each, "id"): word(each, "name") for each in found}
            return [record | {SOURCE: names.get(first.into(dig(record, "links.sources")))} for record in records]
        if resource is pipelines and records:
            answer = yield from self.ask(wire.get(stages.path))
            found = [self.open(stages, each) for each in listed(answer.body, "stages")]
            return nested(records, "stages", found, by="links.stageset")
        return bodies

    def removed(self, resource: Resource, body: Any) -> bool:
        """What was removed may still be told of."""
        return dig(body, noun(resource)) == [] or bool(self.open(resource, body).get("deletedTime"))

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """A pipeline that is named by another record is told without its stages, which stand in a list of their own."""
        if other is not pipelines:
            return (yield from super().related(resource, answer, name, other))
        if (id := dig(answer.item, f"{name}.id")) is None:
            return None
        found, _ = yield from self.stretch(pipelines, None, {}, LOOK_PAGE)
        return next((Answer(self.item(pipelines, each), each) for each in found if each.get("id") == id), None)

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """What the list and the change log tell of, where it is linked as the draft is; Nutshell may have linked more
        to it."""
        start = since.astimezone(UTC) - DAY  # the filter says nothing of its zone
        span = f"{start:%Y-%m-%dT%H:%M:%S} TO {start + 3 * DAY:%Y-%m-%dT%H:%M:%S}"
        try:
            created = yield from self.gather(leads.path, BY_AGE, {"filter[createdTime]": span}, limit=BY_AGE.most)
        except Problem as problem:
            if problem.kind is not Kind.CRM_REJECTED:  # each instance has filters of its own
                raise
            created = []
        found = [each for each in created if not each.get("deletedTime")]
        found += yield from super().candidates(resource, draft, since)
        return [body for body in found if all(linked(draft.body, body, name) for name in ("contacts", "accounts"))]

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """What a list holds beside its records is looked into for each of them."""
        if resource is leads:
            found, following = super().page(resource, response, since, cursor, limit)
            return [each for each in found if not each.get("deletedTime")], following
        if resource is contacts:
            found, following = super().page(resource, response, since, cursor, limit)
            known = told(response.body)
            return [{**each, OUTER: beside(known, each)} for each in found], following
        return sliced(listed(response.body, noun(resource)), cursor, limit)

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """No record says when it was changed, and no filter asks for it; the change log does, newest change first.

        So a time is read as a whole, up to `until`, and its records given by their last change in it, oldest first. A
        position is a change: its second, its number, its record. One that changes meanwhile comes again at the end.
        How far back the log goes is not told: where all contacts are wanted, the list is read.
        """
        if resource not in LOGGED or since is None or (resource is contacts and since <= OLDEST):
            return (yield from super().stretch(resource, since, cursor, limit, extra))
        after = tuple(cursor.get("after", (int(since.timestamp()), 0, "")))
        begin, until = after[0], cursor.get("until")
        events, records, ended = yield from self._log(resource, begin, until)
        dated = [(when, event_number(each), each) for each in events if (when := seconds(each.get("createdTime")))]
        if not ended:
            end = until or max((when for when, _, _ in dated), default=begin) + 1
            return [], {"after": list(after), "until": begin + max(1, (end - begin) // 2)}
        last: dict[str, tuple[int, int, str]] = {}
        for when, place, each in sorted(dated, key=lambda one: one[:2]):
            if until and when >= until:
                break
            for id in texts(each, "links.payloads"):
                last.pop(id, None)
                if id.endswith(f"-{noun(resource)}") and not (word(each, "action") or "").startswith("delete"):
                    last[id] = (when, place, id)
        ahead = sorted(change for change in last.values() if change > after)
        unknown = [place for place, (_, _, id) in enumerate(ahead) if id not in records]
        size = min([limit, *unknown[LOOKED_UP : LOOKED_UP + 1]])
        part = yield from self._records(resource, [id for _, _, id in ahead[:size]], records)
        if len(ahead) > size:
            return part, {"after": list(ahead[size - 1])} | ({"until": until} if until else {})
        return part, {"after": [until, 0, ""]} if until else None

    def _log(
        self, resource: Resource, begin: int, until: int | None
    ) -> Talk[tuple[list[Record], dict[str, Record], bool]]:
        """The changes of records in a time, the records that come with them, and whether these are all.

        Where a page begins and ends, and how many it may hold, is told but roughly: the walk goes on until nothing new
        comes. What lies outside of the time may be among it.
        """
        times = {"since_time": str(max(0, begin - 1))} | ({"max_time": str(until)} if until else {})
        query = {"filters[payload][]": noun(resource), "limit": str(EVENTS_PAGE), **times}
        events: dict[int, Record] = {}
        records: dict[str, Record] = {}
        pages = 0
        while pages < WALK or (until and until - begin <= 1):  # a second cannot be halved
            body = (yield from self.ask(wire.get(EVENTS, query))).body
            fresh = {place: each for each in many(body, "events") if (place := event_number(each)) not in events}
            records |= {id: each for each in many(body, "payloads") if (id := word(each, "id"))}
            events |= fresh
            # What is told late may bear an earlier time than what it stands among.
            if not fresh or max(seconds(each.get("createdTime")) or 0 for each in fresh.values()) < begin:
                return list(events.values()), records, True
            query = query | {"max_id": f"{min(events)}-events"}
            pages += 1
        return list(events.values()), records, False

    def _records(self, resource: Resource, ids: list[str], known: dict[str, Record]) -> Talk[list[Any]]:
        """These records, as far as they are still there; what the change log did not bring is read by its ids."""
        if missing := [id for id in ids if id not in known]:
            known = known | {str(each.get("id")): each for each in (yield from self._several(resource, missing))}
        return [known[id] for id in ids if id in known and not known[id].get("deletedTime")]

    def _several(self, resource: Resource, ids: list[str]) -> Talk[list[Record]]:
        """Records by their ids, joined by commas; one by one, where one that is gone makes all of them not found."""
        body = yield from self.look(wire.get(f"{resource.path}/{','.join(wire.segment(id) for id in ids)}"))
        found = listed(body, noun(resource))
        for id in ids if body is None and len(ids) > 1 else ():
            found += yield from self._several(resource, [id])
        return found

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """Deletions have a log of their own, newest first; where it goes on, it says so by a link.

        What was restored since then stays in it: of whom the record beside the event does not say that it is deleted,
        it is asked for by its id. (https://developers.nutshell.com/reference/post_contacts-id-undelete)
        """
        if resource not in LOGGED:
            return None
        query = {"filter[types]": noun(resource), "sort": "-change_time"} | dict(cursor or {})
        body = (yield from self.ask(wire.get(f"{EVENTS}/deleted", query))).body
        events = many(body, "events")
        recent = [each for each in events if (seconds(each.get("createdTime")) or 0) >= int(since.timestamp())]
        ids = [id for each in recent for id in texts(each, "links.payloads") if id.endswith(f"-{noun(resource)}")]
        living = {word(each, "id") for each in many(body, "payloads") if not each.get("deletedTime")}
        if doubted := [id for id in dict.fromkeys(ids) if id in living]:
            there = [each for each in (yield from self._several(resource, doubted)) if not each.get("deletedTime")]
            restored = {word(each, "id") for each in there}
            ids = [id for id in ids if id not in restored]
        onward = re.search(r"[?&]max_id=(\d+-events)\b", word(body, "meta.previous") or "")
        if not onward or not events or recent != events or onward[1] == query.get("max_id"):
            return Gone(ids)
        return Gone(ids, {"max_id": onward[1]})


def linked(draft: Any, body: Any, name: str) -> bool:
    """Whether a lead has the links that a draft gives it. The type behind the number of an id may be left out."""
    given, told = ({id.partition("-")[0] for id in texts(each, f"links.{name}")} for each in (draft, body))
    return given <= told


CRM = catalog.CRM(
    name="nutshell",
    title="Nutshell",
    docs="https://developers.nutshell.com/reference",
    hosts=alone(Host("https://app.nutshell.com")),
    auth={"api_key": Basic("username", "api_key")},
    dialect=Nutshell(),
    pace=Pace(2, 1),  # no limit is published, and no answer was seen to tell one
    resources={each.plural: each for each in (leads, contacts, companies, deals, users, pipelines, stages)},
)
