"""Close: a lead is a company, with the people in it. Lists know no dates; a search does.

Leads     https://developer.close.com/api/resources/leads
Contacts  https://developer.close.com/api/resources/contacts
Deals     https://developer.close.com/api/resources/opportunities
Search    https://developer.close.com/api/resources/advanced-filtering
Events    https://developer.close.com/api/resources/events
Pipelines https://developer.close.com/api/resources/pipelines
Statuses  https://developer.close.com/api/resources/opportunity-statuses
Limits    https://developer.close.com/api/overview/rate-limits
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Basic, OAuth2
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import plain, utc
from switchboard.crm.complaint import Complaint, misshapen, sentence
from switchboard.crm.dialect import OUTER, Dialect, Draft, Gone, Rate, whole
from switchboard.crm.paging import Cursor, Stretch, every, window
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.close.rows import BASE, companies, contacts, deals, leads, pipelines, stages, users
from switchboard.crm.wire import Request, Response, Talk, dig, many, texts, word

SEARCH_PAGE = 200
SEARCH_END = 10_000
"""A query gives no more objects than this, however it is walked."""

SEEN = 100
"""So many ids are kept in a position: they are long, and it has to stay short."""

EVENTS_PAGE = 50
"""So many events come at once, at the most."""

LATE = timedelta(minutes=5)
"""So late an event may come into the log, among those that are there: the vendor advises to read as much again. With
the overlap of our own that is more than enough."""

COMMON = (
    "id", "name", "display_name", "custom", "organization_id", "created_by", "updated_by", "date_created",
    "date_updated",
)  # fmt: skip
FIELDS = {
    "lead": (*COMMON, "description", "url", "html_url", "status_id", "status_label", "contacts", "addresses"),
    "contact": (*COMMON, "title", "emails", "phones", "urls", "lead_id"),
}
"""What a search tells of a record, which by itself gives ids alone; `custom` stands for every custom field."""

IDS = {
    plural: re.compile(rf"{kind}_[A-Za-z0-9]+")
    for plural, kind in (("contacts", "cont"), ("companies", "lead"), ("deals", "oppo"), ("users", "user"))
}
"""What ids look like: they tell what they are of."""


def parted(contact: Record) -> Record:
    """The one name of a contact as two: its first word is the first name."""
    first, _, last = " ".join((word(contact, "name") or "").split()).partition(" ")
    return {"first": first or None, "last": last or None}


def called(contact: Record) -> Record:
    """A contact as it is sent: called as the request names it, else by both its names."""
    whose = contact.get("name") or " ".join(part for part in (contact.get("first"), contact.get("last")) if part)
    kept = {key: value for key, value in contact.items() if key not in ("name", "first", "last")}
    return ({"name": whose} if whose else {}) | kept


def company(record: Record) -> Record:
    """A lead as it is sent: the company, and the person that the request is about as the one contact in it.

    It is called as the request names it, else by its title, else after the person. A title is the person's; where it
    has to name the company and there is no person, none is made up to carry it.
    """
    contact = called(record.get("contact") or {})
    whose = contact.get("name")
    name = record.get("name") or contact.get("title") or whose or dig(contact, "emails.0.email")
    if set(contact) == {"title"} and not record.get("name"):
        contact = {}
    status = record.get("status") or ""
    kept = {key: value for key, value in record.items() if key not in ("contact", "status")}
    told = {"status_id" if status.startswith("stat_") else "status": status} if status else {}
    named = {"name": name} if name else {}
    return {**kept, **named, **told} | ({"contacts": [contact]} if contact else {})


def person(record: Record) -> Record:
    """A lead as it is read: its first contact stands for all. What has no title is called by its name."""
    contact = next(iter(many(record, "contacts")), {})
    title = word(contact, "title") or word(record, "name")
    told = contact | parted(contact) | {"title": title or None}
    status = word(record, "status_label") or word(record, "status") or word(record, "status_id")
    return record | {"contact": told, "status": status}


def within(record: Record) -> Record:
    """A stage as it is read; where its pipeline is known, that tells its place as well."""
    outer = record.get(OUTER)
    if not isinstance(outer, dict):
        return record
    order = [each.get("id") for each in many(outer, "statuses")]
    place = order.index(record["id"]) if record.get("id") in order else None
    return {**record, "pipeline_id": dig(outer, "id"), "pipeline_name": dig(outer, "name"), "position": place}


def folded(record: Record) -> str:
    """The name of a lead, whatever became of its case and its blanks."""
    return plain(" ".join((word(record, "name") or "").split()))


def search(kind: str, field: str, since: str | None, limit: int, after: str | None) -> Request:
    """Records of a kind in the order of a date; those from this moment on, where one is given."""
    dated = {"type": "regular_field", "object_type": kind, "field_name": field}
    queries: list[Record] = [{"type": "object_type", "object_type": kind}]
    if since:
        range_ = {"type": "moment_range", "on_or_after": {"type": "fixed_utc", "value": since}}
        queries.append({"type": "field_condition", "field": dated, "condition": range_})
    body: Record = {
        "query": {"type": "and", "queries": queries},
        "sort": [{"direction": "asc", "field": dated}],
        "_fields": {kind: list(FIELDS[kind])},
        "_limit": min(limit, SEARCH_PAGE),
    }
    return wire.post(f"{BASE}/data/search/", body | ({"cursor": after} if after else {}), safe=True)


def written(when: datetime) -> str:
    """A moment as a search takes it."""
    return when.astimezone(UTC).isoformat()


def refused(errors: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """The fields that were refused, however deep, each with its sentence."""
    match errors:
        case dict():
            for name, each in errors.items():
                path = above if name in ("errors", "field-errors") else f"{above}.{name}".lstrip(".")
                yield from refused(each, path)
        case list():
            for each in errors:
                yield from refused(each, above)
        case str() if above:
            yield above, errors
        case _:
            return


def allowance(response: Response) -> Mapping[str, int]:
    """The parts of `RateLimit: limit=100, remaining=50, reset=5`, also with semicolons; a fraction is rounded up."""
    told = re.findall(r"(limit|remaining|reset)=([0-9]{1,9}(?:\.[0-9]+)?)", response.headers.get("ratelimit", ""))
    return {name: ceil(float(value)) for name, value in told}


class Close(Dialect):
    """Plain records. What it does not know it passes over in silence, so that nothing is sent on the chance."""

    statuses = {402: Kind.CRM_FORBIDDEN}  # noqa: RUF012 - a limit of the organization's plan
    lag = 120  # lists were seen to be 30 to 60 seconds behind; nobody says that a search is not

    def seal(self, resource: Resource, record: Record) -> Any:
        if resource is leads:
            return company(record)
        if resource is contacts:
            return called(record)
        if resource is stages:
            return {"type": "active", **record}
        first = [{"type": "active", **each} for each in many(record, "statuses")]
        return record | {"statuses": first} if first else record

    def open(self, resource: Resource, body: Any) -> Record:
        record = super().open(resource, body)
        if resource is leads:
            return person(record) if record else {}
        if resource is contacts:
            return record | parted(record) if record else {}
        return within(record) if resource is stages else record

    def member(self, resource: Resource, id: str) -> str:
        if resource.plural in IDS and not IDS[resource.plural].fullmatch(id):
            raise misshapen()
        return f"{resource.path}{wire.segment(id)}/"

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """Whether a new stage tells its pipeline is not documented, and its place it cannot tell."""
        return resource is not stages

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        fields = dict(refused(dig(response.body, "field-errors")))
        told = [*texts(response.body, "errors"), *(f"{name}: {each}" for name, each in fields.items())]
        message = sentence(response.body) or word(response.body, "error.message") or "; ".join(told)
        wait = allowance(response).get("reset") or whole(response.headers.get("retry-after"))
        return Complaint(
            message=message or None, fields=tuple(fields), retry_after=wait if response.status == 429 else None
        )

    def rate(self, response: Response) -> Rate | None:
        """The documented header; beside it there may be three others, of another policy."""
        told = allowance(response)
        return Rate(**told) if told else None

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """A stage is removed by its id alone; the list of pipelines need not know it yet."""
        yield from self.ask(self.removal(resource, id, None))

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The leads made since then and called the same. The list knows no dates and would have to be read whole; the
        search changes nothing and may be repeated."""
        if resource is not leads:
            return (yield from super().candidates(resource, draft, since))
        found = yield from every(lambda cursor: self._dated("lead", "date_created", since, cursor, SEARCH_PAGE))
        return [each for each in found if folded(each) == folded(draft.body)]

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """Leads and contacts are searched for: their lists have no dates and no order, and end at 35,000 leads."""
        if resource not in (leads, contacts):
            return (yield from super().stretch(resource, since, cursor, limit, extra))
        kind = "contact" if resource is contacts else "lead"
        return (yield from self._dated(kind, "date_updated" if since else "date_created", since, cursor, limit))

    def _dated(self, kind: str, field: str, since: datetime | None, cursor: Cursor, limit: int) -> Talk[Stretch]:
        """A stretch in the order of a date. The vendor's own position lives for 30 seconds: ours is the last moment,
        and theirs leads over what was already given of that moment, within one call. The ids of the last that were
        given are kept there, and of those before them only how many they are."""
        start = written(since) if since else ""
        seen, skip, found, after = cursor.get("seen", ()), int(cursor.get("skip", 0)), list[Any](), None
        while True:
            request = search(kind, field, cursor.get("from") or start, limit, after)
            body = (yield from self.ask(request)).body
            part, before, after = [each for each in many(body, "data") if word(each, "id")], after, word(body, "cursor")
            found += part
            if not after or not part or after == before or any(each["id"] not in seen for each in found[skip:]):
                break
            if len(found) >= SEARCH_END:
                raise Problem(Kind.CRM_REJECTED, f"More than {SEARCH_END} {kind}s have one and the same {field}.")
        fresh, position = window(found[skip:], after, cursor, since=start, write=written, at=(field,))
        if position is None or not fresh:
            return fresh, None
        moment_ = position["from"]
        here = [each["id"] for each in found[skip:] if (when := utc(each.get(field))) and written(when) == moment_]
        given = len(here) + (skip if moment_ == cursor.get("from") else 0)
        told = {"from": moment_, "seen": here[-SEEN:]}
        return fresh, told | ({"skip": given - SEEN} if given > SEEN else {})

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """The log of the last 30 days, newest first; a lead takes its contacts along, and each of them is told there.
        A position in it is an event; who goes on from one has to leave out the moment.
        https://developer.close.com/api/resources/events/list
        """
        if resource is not contacts:
            return None
        after, start = word(cursor, "after"), since - LATE
        place = {"_cursor": after} if after else {"date_updated__gte": written(start)}
        query = {"object_type": "contact", "action": "deleted", "_limit": str(EVENTS_PAGE), **place}
        body = (yield from self.ask(wire.get(f"{BASE}/event/", query))).body
        events = many(body, "data")
        recent = [each for each in events if (utc(each.get("date_updated")) or start) >= start]
        following = word(body, "cursor_next")
        ends = not events or recent != events or following in (None, "", after)
        ids = [id for each in recent if (id := word(each, "object_id"))]
        return Gone(ids, None if ends else {"after": following})


CRM = catalog.CRM(
    name="close",
    title="Close",
    docs="https://developer.close.com/",
    hosts=alone(Host("https://api.close.com")),
    auth={
        # A refresh token is good for one refresh.
        "oauth2": OAuth2("/oauth2/token/", lifetime=3600),
        "api_key": Basic(),
    },
    dialect=Close(),
    # Not published, and another for each group of paths: 60 in a second were seen for users. A search weighs more.
    # https://developer.close.com/api/overview/rate-limits
    pace=Pace(5, 1),
    resources={
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "users": users,
        "leads": leads,
        "pipelines": pipelines,
        "stages": stages,
    },
)
