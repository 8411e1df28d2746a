"""Zendesk Sell, formerly Base CRM: `{data: ...}` both ways, lists by pages alone, sources by their ids.

The product ends: the vendor retires it on 2027-08-31 and deletes its data. Then this module goes, with its name in the
registry.

Leads     https://developer.zendesk.com/api-reference/sales-crm/resources/leads/
Contacts  https://developer.zendesk.com/api-reference/sales-crm/resources/contacts/
Deals     https://developer.zendesk.com/api-reference/sales-crm/resources/deals/
Users     https://developer.zendesk.com/api-reference/sales-crm/resources/users/
Stages    https://developer.zendesk.com/api-reference/sales-crm/resources/stages/
Errors    https://developer.zendesk.com/api-reference/sales-crm/errors/
Tokens    https://developer.zendesk.com/api-reference/sales-crm/authentication/requests/

No list of the Core API can be asked for what changed since a moment, and the index of the Search API lags behind writes
by a time that is not told, under other names. So the list in the order of changes is read: for all records, too, as a
page's number is no position in a list from which records are removed. It tells of no deletion.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import number, text, utc
from switchboard.crm.complaint import Complaint, sentence
from switchboard.crm.dialect import SOURCE, Answer, Dialect
from switchboard.crm.mapping import called, chosen, nested
from switchboard.crm.paging import OLDEST, Cursor, Offset, Stretch, changed, sliced
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.zendesk_sell.rows import (
    REFERENCE,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Response, Talk, dig, many, word

SOURCES = "/v2/lead_sources"
LEAST, MOST = 51, 100
"""So many records a page may have: no more than the vendor gives, and no less than half of it."""
LOOKS = 50
"""So many pages are looked at in search of a moment: a list of millions takes half of them."""
SEEN = 250
"""So many ids of one second are kept in a position: of the longest, what a cursor may hold."""
PAGES = Offset("items", start="page", size="per_page", most=MOST, first=1)
"""By id: so these lists come where no order is asked for, and that of stages takes no such wish."""
CONTACTS = (contacts, companies)
DATED: Mapping[str, Mapping[str, str]] = {"leads": {}, "contacts": {"is_organization": "false"}}
"""What is walked in the order of changes, each with what its list is asked for besides."""
CONFIRMED_BY = "confirmation_token"

type Dated = tuple[datetime, Any]
"""A record in its envelope, and when it changed."""


def spread(rank: int) -> tuple[int, int]:
    """The page, counted from 0, on which the record of this rank has the most others before it, and the page's size.
    Pages of one size meet where a record may slip through between two requests; those of many sizes overlap."""
    size = max(range(LEAST, MOST + 1), key=lambda size: (rank % size, size))
    return rank // size, size


def given(start: int, fresh: list[Dated], edge: datetime, seen: Sequence[Any], limit: int) -> Stretch:
    """So many of the fresh records of a page, oldest change first, and the edge behind them: a moment, the ids given of
    it, and where in the list it is now."""
    part = fresh[::-1][:limit]
    found = [body for _, body in part]
    if not part or (not start and len(part) == len(fresh)):
        return found, None
    last = part[-1][0]
    here = [dig(body, "data.id") for when, body in part if when == last]
    known = [*seen, *here] if last == edge else here
    return found, {"from": last.isoformat(), "seen": known[-SEEN:], "rank": start + len(fresh) - len(part)}


class ZendeskSell(Dialect):
    """Ids are numbers, and what the vendor does not know is refused: nothing is sent on the chance."""

    ids = re.compile(r"[0-9]+")  # words in its place lead elsewhere, such as to the count of all records
    lag = 10  # that lists tell of a new record at once is told nowhere; nobody has seen the contrary either
    request_id_at = "meta.logref"
    codes = {"already_exists": Kind.CRM_CONFLICT, "incorrect_path": Kind.CRM_REJECTED}  # noqa: RUF012 - of no record

    def seal(self, resource: Resource, record: Record) -> Any:
        kind = {"is_organization": resource is companies} if resource in CONTACTS else {}
        return {"data": {**record, **kind}}

    def open(self, resource: Resource, body: Any) -> Record:
        return super().open(resource, dig(body, "data"))

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """It does, as far as is known; the vendor's own tests are content with an id."""
        return "created_at" in self.open(resource, response.body)

    def complaint(self, response: Response) -> Complaint | None:
        """A list of errors, each in an envelope; a throttle may say nothing at all, and never for how long."""
        errors = [dig(each, "error") for each in many(response.body, "errors")]
        if response.ok and not errors:
            return None
        # `message` follows the user's language, and says less.
        said = [word(each, "details") or word(each, "message") for each in errors]
        # A pointer begins at the record, or at the envelope around it.
        fields = [(word(each, "field") or "").removeprefix("/data/").removeprefix("/") for each in errors]
        return Complaint(
            code=word(dig(errors, "0"), "code"),
            message="; ".join(each for each in said if each) or sentence(response.body),
            fields=tuple(each.replace("/", ".") for each in fields if each),
        )

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The id of the source that a lead names. An id that the caller gave stands."""
        record = self.open(resource, body)
        name, rest = text.into(record.get(SOURCE)), {key: each for key, each in record.items() if key != SOURCE}
        if name and name.strip() and "source_id" not in rest:
            # By the vendor's filter, else in the list of all, whatever its case.
            found = called(name, (yield from self._sources({"name": name.strip()})))
            rest["source_id"] = found or chosen("lead_source", name, (yield from self._sources({})))
        return {**body, "data": rest}

    def _sources(self, query: dict[str, str]) -> Talk[list[tuple[Any, list[str]]]]:
        """The ids of lead sources, each with its name."""
        found = [self.open(leads, each) for each in (yield from self.gather(SOURCES, PAGES, query))]
        told = [(each.get("id"), (word(each, "name") or "").strip()) for each in found]
        return [(id, [name]) for id, name in told if id is not None and name]

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """The names of the sources of leads, and the stages of pipelines."""
        records = [self.open(resource, body) for body in bodies]
        if resource is leads and (ids := {id for each in records if (id := text.into(each.get("source_id")))}):
            names = {text.into(id): name for id, [name] in (yield from self._sources({"ids": ",".join(sorted(ids))}))}
            return [{"data": each | {SOURCE: names.get(text.into(each.get("source_id")))}} for each in records]
        if resource is pipelines and records:
            found = [self.open(stages, each) for each in (yield from self.gather(stages.path, PAGES))]
            steps = sorted(found, key=lambda each: number.into(each.get("position")) or 0)
            told = nested(records, "stages", steps, by="pipeline_id")
            changes = [[word(one, "updated_at") for one in (each, *many(each, "stages"))] for each in told]
            last = [max(moments, key=lambda at: utc(at) or OLDEST) for moments in changes]
            return [{"data": each | {"updated_at": at}} for each, at in zip(told, last, strict=True)]
        return bodies

    def answer(self, resource: Resource, body: Any) -> Talk[Answer]:
        """Of a user, without the token by which one who was invited is confirmed."""
        found = yield from super().answer(resource, body)
        record = self.open(resource, body)
        if resource is not users or CONFIRMED_BY not in record:
            return found
        kept = {name: each for name, each in record.items() if name != CONFIRMED_BY}
        return replace(found, raw={**body, "data": kept})

    def removed(self, resource: Resource, body: Any) -> bool:
        """A user that left is still told of. An organization is no person, and a person none: they share their ids."""
        record = self.open(resource, body)
        other = resource in CONTACTS and record.get("is_organization") is (resource is contacts)
        return other or bool(record.get("deleted_at"))

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """A pipeline or stage has no address of its own; its list can be asked for ids."""
        if resource not in (pipelines, stages):
            return (yield from super().get(resource, id, extra))
        found = yield from self.gather(resource.path, PAGES, {"ids": self.known(id)})
        return (yield from self.pick(resource, found, id))

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """What a deal has as its contact may be the organization; that such a deal names it as one is told nowhere."""
        sold_to_company = resource is deals and name == "company" and dig(answer.item, "company.id") is None
        return (yield from super().related(resource, answer, "contact" if sold_to_company else name, other))

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        """Of pipelines and stages there are a few, and they are read as a whole."""
        since = since and since.replace(microsecond=0)  # moments are told in whole seconds
        if resource.plural in DATED:
            return (yield from self._changed(resource, since or OLDEST, cursor, limit))
        found = yield from self.gather(resource.path, PAGES)
        told = found if since is None else (yield from self.enrich(resource, found))
        dated = [{"at": dig(full, "data.updated_at"), "body": body} for full, body in zip(told, found, strict=True)]
        return sliced([each["body"] for each in changed(dated, "at", since)], cursor, limit)

    def _changed(self, resource: Resource, since: datetime, cursor: Cursor, limit: int) -> Talk[Stretch]:
        """A stretch of what changed, oldest change first, out of the list that begins with the newest.

        A record that changes goes to the top of the list, and one that is removed draws those below it up: so the
        number of a page is no position. Ours is an edge, the moment up to which everything was given. The page on which
        it lies is searched for from where it was last, and what is given stands above it on this one page, so that
        nothing can have moved meanwhile. Of a second with more changes than a position can name, all below one that it
        names were given, too; and no step of the search is longer than these.
        """
        edge, seen, rank = utc(cursor.get("from")) or since, cursor.get("seen", ()), int(cursor.get("rank", 0))
        low, high, many_seen = 0, None, len(seen) >= SEEN
        for look in range(LOOKS):
            start, found, more = yield from self._look(resource, rank)
            told = [at == edge and dig(one, "data.id") in seen for at, one in found]
            above = found[: told.index(True)] if many_seen and True in told else found
            fresh = [each for each, old in zip(above, told, strict=False) if each[0] >= edge and not old]
            if more and fresh and fresh[-1] == found[-1]:  # the edge lies below
                low = start + len(found)
                high = None if high is None or high < low else high
            elif start and not fresh:  # the edge lies above
                high = start
                low = low if low <= high else 0
            else:
                return given(start, fresh, edge, seen, limit)
            rank = low + (LEAST << (min(look, 2) if many_seen else look)) if high is None else (low + high) // 2
        raise Problem(Kind.CRM_UNAVAILABLE, f"The CRM's list of {resource.plural} changes faster than it can be read.")

    def _look(self, resource: Resource, rank: int) -> Talk[tuple[int, list[Dated], bool]]:
        """The page of a rank, newest change first: where it begins, what is on it, and whether more may follow."""
        page, size = spread(rank)
        query = {**DATED[resource.plural], "sort_by": "updated_at:desc", "page": str(page + 1), "per_page": str(size)}
        items = many((yield from self.ask(wire.get(resource.path, query))).body, "items")
        found = [(when, each) for each in items if (when := utc(dig(each, "data.updated_at")))]
        return page * size, found, len(items) >= size


CRM = catalog.CRM(
    name="zendesk_sell",
    title="Zendesk Sell",
    docs=f"{REFERENCE}introduction/",
    hosts=alone(Host("https://api.getbase.com")),
    auth={"oauth2": OAuth2("/oauth2/token", client_in="basic", lifetime=3600), "api_key": Header()},
    dialect=ZendeskSell(),
    pace=Pace(10, 1),  # 36,000 an hour for each token, on every plan
    resources={each.plural: each for each in (leads, contacts, companies, deals, users, pipelines, stages)},
)
