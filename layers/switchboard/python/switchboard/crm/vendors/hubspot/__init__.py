"""HubSpot: property bags and typed associations.

Objects      https://developers.hubspot.com/docs/api-reference/crm-objects-v3
Leads        https://developers.hubspot.com/docs/api-reference/crm-leads-v3/guide
Associations https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
Search       https://developers.hubspot.com/docs/api-reference/search/guide
Properties   https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
Limits       https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
Errors       https://developers.hubspot.com/docs/api-reference/error-handling
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import plain, utc
from switchboard.crm.complaint import Complaint, absent, misshapen, sentence
from switchboard.crm.dialect import OUTER, Answer, Dialect, Draft, Gone, Page, Rate, bare, rate, whole
from switchboard.crm.mapping import next_place
from switchboard.crm.paging import Cursor, Stretch, window
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.hubspot.rows import (
    ABOUT,
    AFTER,
    BAG,
    FIRST_STAGES,
    LIST,
    OBJECTS,
    PIPELINES,
    PROPERTIES,
    VERSION,
    Linked,
    closed,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, merged, texts, word

BAGS = (leads, contacts, companies, deals)
"""What is kept as properties and links."""

LOCKED = 423
"""The record is being written by another; two seconds are to be waited at the least."""

CHANGED = {"leads": "hs_lastmodifieddate", "contacts": "lastmodifieddate"}
"""What a search for changes is sorted by; a record's own `updatedAt` says the same."""

SEARCH_PAGE = 200

SEARCH_END = 10_000
"""A search gives no result beyond this position."""

FOUNDED = datetime(2006, 1, 1, tzinfo=UTC)

CELLS = 20_000
"""So many values are asked for at once, at most: an account may have a thousand properties of its own, and an answer
of more than 2 MB is none."""

LONGEST = 6_000
"""So many letters of names go into a query, at most: a URL of more than 8 KB is refused with a 414.
https://github.com/airweave-ai/airweave/pull/1064, https://github.com/dlt-hub/verified-sources/pull/311
"""

MERGED = "hs_merged_object_ids"
"""The ids of the contacts that one was merged from: they stand in no list any more, nor among the archived."""

NAME = ("firstname", "lastname", "email")
"""What a contact is called by."""


def name_of(contact: Any) -> str:
    """The name of a contact, else its e-mail address; HubSpot's own form names a lead so."""
    first, last, email = (word(contact, f"properties.{part}") for part in NAME)
    return " ".join(part for part in (first, last) if part) or email or f"Contact {dig(contact, 'id')}"


def properties(resource: Resource) -> list[str]:
    """The properties to ask for; what stands around them comes by itself."""
    return [name for name in resource.table.columns if name not in BAG.beside]


class HubSpot(Dialect):
    """Records are `{id, properties, associations}`; every property is a string or null."""

    ids = re.compile(r"[A-Za-z0-9_-]+")
    codes = {  # noqa: RUF012
        "RATE_LIMIT": Kind.CRM_RATE_LIMITED,
        "OBJECT_NOT_FOUND": Kind.CRM_NOT_FOUND,
        "CONFLICT": Kind.CRM_CONFLICT,
        "MISSING_SCOPES": Kind.CRM_FORBIDDEN,
        "EXPIRED_AUTHENTICATION": Kind.NEEDS_REAUTH,
        "INVALID_AUTHENTICATION": Kind.NEEDS_REAUTH,
    }
    statuses = {477: Kind.CRM_RATE_LIMITED}  # noqa: RUF012 - the portal is being moved; it says for how long
    forwarded = ("x-hubspot-",)
    request_id_headers = ("x-hubspot-correlation-id", "x-request-id")
    request_id_at = "correlationId"
    lag = 60  # a search was seen to be 30 seconds behind; reads by id and associations are not
    look_lag = 0  # what is looked at after a create that was not answered lags behind nothing

    def seal(self, resource: Resource, record: Record) -> Any:
        return BAG.seal(record) if resource in BAGS else record

    def open(self, resource: Resource, body: Any) -> Record:
        return BAG.open(body) if resource in BAGS else super().open(resource, body)

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        if resource not in BAGS:
            return {}
        columns = [*properties(resource), *(name for name in extra if name not in BAG.beside)]
        links = [each.place.objects for each in resource.table.rows if isinstance(each.place, Linked)]
        return {"properties": ",".join(columns)} | ({"associations": ",".join(links)} if links else {})

    def member(self, resource: Resource, id: str) -> str:
        """Pipelines and stages may have words for ids; all others have digits, and a word leads elsewhere."""
        if resource not in (pipelines, stages) and not (id.isascii() and id.isdecimal()):
            raise misshapen()
        return super().member(resource, id)

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """A create answers computed properties but never the associations, nor the pipeline of a stage."""
        return resource is pipelines

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        body = response.body
        message = sentence(body)
        names = [name for each in many(body, "errors") for name in texts(each, "context.propertyName")]
        # The id of the record in the way stands in the sentence alone.
        existing = re.search(r"Existing ID: (\d+)", message or "")
        waits = {"TEN_SECONDLY_ROLLING": 10, "SECONDLY": 1}
        told = response.headers.get("retry-after", "")
        locked = 2 if response.status == LOCKED else None
        return Complaint(
            code=word(body, "errorType") or word(body, "category") or word(body, "errors.0.code"),
            message=message,
            fields=tuple(names),
            existing_id=existing[1] if existing else None,
            retry_after=int(told) if told.isdecimal() else waits.get(str(dig(body, "policyName")), locked),
            missing_scopes=texts(body, "context.requiredGranularScopes") or texts(body, "context.requiredScopes"),
        )

    def rate(self, response: Response) -> Rate | None:
        names = (f"x-hubspot-ratelimit-{name}" for name in ("max", "remaining", "interval-milliseconds"))
        told = rate(response, *names)
        return replace(told, reset=-(-(told.reset or 0) // 1000)) if told else None

    def making(self, resource: Resource, body: Any) -> Request:
        if resource is not stages:
            return super().making(resource, body)
        return wire.post(f"{PIPELINES}/{wire.segment(dig(body, f'{OUTER}.id'))}/stages", bare(body))

    def removal(self, resource: Resource, id: str, outer: Record | None) -> Request:
        """A pipeline or stage with deals in it has to stay, or they would be nowhere. The dated API sees to that unless
        it is told not to; v3 did only if it was told to, and only for pipelines."""
        if resource in BAGS:
            return super().removal(resource, id, outer)
        path = f"{PIPELINES}/{wire.segment(outer['id'])}/stages" if outer else PIPELINES
        query = {"validateReferencesBeforeDelete": "true", "validateDealStageUsagesBeforeDelete": "true"}
        return replace(wire.delete(f"{path}/{wire.segment(self.known(id))}"), query={} if outer else query)

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """What HubSpot has to be told, and nobody wants to say: a name, a place in the order, a probability."""
        if resource is leads:
            return body if dig(body, "properties.hs_lead_name") else (yield from self._named(resource, body))
        if resource in BAGS:
            return body
        if resource is stages:
            path = f"{PIPELINES}/{wire.segment(dig(body, f'{OUTER}.id'))}"
            siblings = many((yield from self.ask(wire.get(path))).body, "stages")
            odds = [str(dig(each, "metadata.probability")) for each in siblings if not closed(each)]
            order = next_place(siblings, "displayOrder", 0)
            return merged({"displayOrder": order, "metadata": {"probability": max(odds, default="0.5")}}, body)
        others = many((yield from self.ask(wire.get(PIPELINES))).body, "results")
        named = _complete(many(body, "stages"))
        return {"displayOrder": next_place(others, "displayOrder", 0), **body, "stages": named or FIRST_STAGES}

    def _named(self, resource: Resource, body: Any) -> Talk[Any]:
        """A lead needs a name; without a title it takes the name of its contact, as HubSpot's own form does."""
        about = ABOUT.get(self.open(resource, body))
        path = f"{OBJECTS}/contacts/{wire.segment(about)}"
        person = yield from self.ask(wire.get(path, {"properties": ",".join(NAME)}))
        return merged(body, {"properties": {"hs_lead_name": name_of(person.body)}})

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The leads of the draft's contact, by their associations: search lags behind writes by up to half a minute."""
        if resource is not leads:
            return (yield from super().candidates(resource, draft, since))
        about = ABOUT.get(self.open(resource, draft.body))
        # The same pair may stand under two labels.
        path, paging = f"/crm/v4/objects/contacts/{wire.segment(about)}/associations/leads", replace(LIST, most=500)
        links = yield from self.gather(path, paging, limit=500)
        ids = list(dict.fromkeys(str(each["toObjectId"]) for each in links if "toObjectId" in each))
        found: list[Any] = []
        for start in range(0, len(ids), 100):
            found += yield from self._read(resource, ids[start : start + 100], properties(resource))
        if found and not dig(draft.body, "properties.hs_lead_name"):  # then it was named after its contact
            named = yield from self._named(resource, draft.body)
            name = dig(named, "properties.hs_lead_name")
            found = [each for each in found if word(each, "properties.hs_lead_name") == name]
        # They were found through the contact; a batch read does not repeat it.
        link = {"contacts": {"results": [{"id": about}]}}
        return [each | {"associations": link} for each in found]

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """A search does not tell of associations: those of all that it found are read at once."""
        if resource is not leads or not any(isinstance(each, dict) and OUTER in each for each in bodies):
            return bodies
        found = [each["id"] for each in bodies if OUTER in each]
        links: dict[str, Record] = {id: {} for id in found}
        for objects in ("contacts", "companies"):
            inputs = {"inputs": [{"id": id} for id in found]}
            path = f"/crm/v4/associations/leads/{objects}/batch/read"
            read = (yield from self.ask(wire.post(path, inputs, safe=True))).body
            for each in many(read, "results"):
                told = [{"id": str(id)} for one in many(each, "to") if (id := one.get("toObjectId")) is not None]
                links.setdefault(str(dig(each, "from.id")), {})[objects] = {"results": told}
        return [each | {"associations": links[each["id"]]} if OUTER in each else each for each in bodies]

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """Who may see contacts and no companies may be refused those with their associations: then without them."""
        path, names = self.member(resource, id), self._names(extra)
        if resource is contacts and len(",".join(names)) > LONGEST:
            found = yield from self._read(resource, [id], names)
            if not found:
                raise absent()
            return (yield from self.answer(resource, found[0]))
        try:
            return (yield from super().get(resource, id, extra))
        except Problem as problem:
            if resource is not contacts or problem.kind is not Kind.CRM_FORBIDDEN:
                raise
        response = yield from self.ask(wire.get(path, {"properties": ",".join(names)}))
        return (yield from self.answer(resource, response.body))

    def _names(self, extra: Sequence[str]) -> list[str]:
        """The properties of contacts to ask for. Without associations: these want a scope of their own, and a property
        names the company as well."""
        return self.view(contacts, extra)["properties"].split(",")

    def _read(self, resource: Resource, ids: Sequence[str], names: Sequence[str]) -> Talk[list[Any]]:
        """The records of these ids, a hundred at the most, but for those that are gone."""
        wanted = {"properties": [*names], "propertiesWithHistory": [], "inputs": [{"id": each} for each in ids]}
        read = yield from self.ask(wire.post(f"{resource.path}/batch/read", wanted, safe=True))
        return many(read.body, "results")

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """Where an account has made so many properties that their names are too long for a list of all contacts, that
        tells their ids, and they are read by these."""
        found, following = yield from super().stretch(resource, since, cursor, limit, extra)
        names = self._names(extra)
        if resource is contacts and since is None and found and len(",".join(names)) > LONGEST:
            found = yield from self._read(resource, [id for each in found if (id := word(each, "id"))], names)
        return found, following

    def custom(self, resource: Resource) -> Talk[Sequence[str]]:
        """The properties of a contact that the account has made itself."""
        if resource is not contacts:
            return ()
        told = many((yield from self.ask(wire.get(PROPERTIES))).body, "results")
        names = [name for each in told if not each.get("hubspotDefined") and (name := word(each, "name"))]
        row = resource.table.row("custom_fields")
        return tuple(row.place.get(dict.fromkeys(names, "")) or ()) if row else ()

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """A plain list has no updated-since: what changed is searched for, oldest change first. The index of the search
        lags behind writes, by up to a minute: who asks for changes has to begin that much earlier."""
        if since is None and resource is contacts:
            names = self._names(extra)
            size, told = min(limit, max(1, CELLS // len(names))), ",".join(names)
            query = {"properties": told if len(told) <= LONGEST else "hs_object_id"}
            return wire.get(resource.path, query | LIST.ask(None, cursor, size))
        if since is None or resource.plural not in CHANGED:
            return super().page_request(resource, since, cursor, limit, extra)
        after, changed = str(cursor.get("start", "0")), CHANGED[resource.plural]
        start = {"propertyName": changed, "operator": "GTE", "value": cursor.get("from") or _ms(since)}
        merged = (MERGED,) if resource is contacts else ()
        columns = list(dict.fromkeys([*properties(resource), changed, *merged, *extra]))
        search: dict[str, Any] = {
            "filterGroups": [{"filters": [start]}],
            "sorts": [{"propertyName": changed, "direction": "ASCENDING"}],
            "properties": columns,
            "limit": max(1, min(limit, SEARCH_PAGE, CELLS // len(columns), SEARCH_END - int(after))),
            "after": after,
        }
        return wire.post(f"{resource.path}/search", search, safe=True)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """A position in a search is an offset, and ends at 10,000."""
        if since is None or resource.plural not in CHANGED:
            return super().page(resource, response, since, cursor, limit)
        found = [each for each in many(response.body, "results") if word(each, "id")]
        following = whole(word(response.body, AFTER))
        at = (f"properties.{CHANGED[resource.plural]}", "updatedAt")
        fresh, position = window(found, following, cursor, since=_ms(since), write=_ms, at=at)
        if position and int(position.get("start", 0)) >= SEARCH_END:
            raise Problem(Kind.CRM_REJECTED, f"More than {SEARCH_END} records changed within one millisecond.")
        if resource is not leads:
            return fresh, position
        return [each if "associations" in each else {**each, OUTER: None} for each in fresh], position

    def list(
        self,
        resource: Resource,
        *,
        since: datetime | None = None,
        cursor: Cursor | None = None,
        limit: int,
        extra: Sequence[str] = (),
    ) -> Talk[Page]:
        """A contact tells which others it was merged from. Those are gone, and nothing else says so."""
        page = yield from super().list(resource, since=since, cursor=cursor, limit=limit, extra=extra)
        told = (word(each.raw, f"properties.{MERGED}") or "" for each in page.answers if resource is contacts)
        listed = {each.item.get("id") for each in page.answers}
        merged = (id for ids in told for id in ids.split(";") if id.isdecimal() and id not in listed)
        return replace(page, gone=(*page.gone, *dict.fromkeys(merged)))

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """Archived records stand in a list of their own for 90 days; search leaves them out, and this list knows no
        since."""
        if resource.plural not in CHANGED:
            return None
        query = {"archived": "true", **LIST.ask(None, cursor or {}, 100)}
        found, following = LIST.read((yield from self.ask(wire.get(resource.path, query))), None, cursor or {}, 100)
        gone = [each for each in found if (at := utc(each.get("archivedAt"))) and at >= since]
        return Gone([id for each in gone if (id := word(each, "id"))], following)


def _complete(named: list[Record]) -> list[Record]:
    """The stages that a pipeline is to have, in their order, with a probability each, and an end for its deals."""
    ends = {plain(each["label"]): each["metadata"] for each in FIRST_STAGES if closed(each)}
    stages = [{"displayOrder": place, **each} for place, each in enumerate(named)]
    for place, each in enumerate(stages, 1):
        odds = min(max(place / (len(stages) + 1), 0.1), 0.9)  # all or nothing would close it
        each.setdefault("metadata", ends.get(plain(each.get("label")), {"probability": f"{odds:.1f}"}))
    if stages and not any(map(closed, stages)):
        order = next_place(stages, "displayOrder", 0)
        stages += [each | {"displayOrder": order + place} for place, each in enumerate(filter(closed, FIRST_STAGES))]
    return stages


def _ms(when: datetime) -> str:
    """A moment in milliseconds. The dated API may refuse a number so small that it could be one of seconds; nothing at
    HubSpot changed before there was a HubSpot."""
    return str(int(max(when, FOUNDED).timestamp() * 1000))


CRM = catalog.CRM(
    name="hubspot",
    title="HubSpot",
    docs="https://developers.hubspot.com/docs/api-reference/overview",
    hosts=alone(Host("https://api.hubapi.com")),
    auth={"oauth2": OAuth2(f"/oauth/{VERSION}/token", lifetime=1800), "api_key": Header()},
    dialect=HubSpot(),
    pace=Pace(5, 1, daily=250_000),  # searches, of all objects together; in a day, private apps on Free or Starter
    resources={
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "leads": leads,
        "pipelines": pipelines,
        "stages": stages,
        "users": users,
    },
    pods={"contacts": "contacts", "deals": "deals", "companies": "companies"},
)
