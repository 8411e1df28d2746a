"""Pipedrive: two API generations. Leads stay on v1, with offset paging; most else is v2, with cursors.

Leads    https://developers.pipedrive.com/docs/api/v1/Leads
Limits   https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
Statuses https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Pace, Resource
from switchboard.crm.complaint import Complaint, misshapen
from switchboard.crm.dialect import Answer, Dialect, Draft, Rate, rate, whole
from switchboard.crm.mapping import nested
from switchboard.crm.paging import Cursor, Stretch, changed
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind
from switchboard.crm.vendors.pipedrive.rows import (
    LIST,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, inside, many, word

LABELLED = (contacts, companies, deals)
"""What has labels, whose names are told where they are asked for."""

NUMBER, UUID = re.compile(r"[1-9][0-9]{0,18}"), re.compile(r"[0-9a-fA-F-]{36}")
"""Ids of all but leads, and of leads. Words lead elsewhere, such as to what was archived."""

FORBIDDEN = 403
BLOCKED_SECONDS = 60
"""Who does not heed its limits gets a page of HTML from the proxy in front; for how long is not told."""
SPENT_SECONDS = 3600
"""A day's budget comes back at midnight of a zone that is not told: an hour, and then another look."""


class Pipedrive(Dialect):
    """Bodies are `{success, data}`; a record deleted twice is 410 and still says success."""

    codes = {"ERR_SCHEMA_VALIDATION_FAILED": Kind.CRM_REJECTED}  # noqa: RUF012
    statuses = {402: Kind.CRM_FORBIDDEN}  # noqa: RUF012 - the company's own account is closed: a trial over, a bill unpaid
    forwarded = ("x-daily-",)  # its x-ratelimit-* would read like our own

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope as answers carry it, or bare as lists and our own bodies do."""
        return super().open(resource, inside(body, "data", "success"))

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        return {"include_labels": "true"} if resource in LABELLED else {}

    def member(self, resource: Resource, id: str) -> str:
        if not (UUID if resource is leads else NUMBER).fullmatch(id):
            raise misshapen()
        return super().member(resource, id)

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """A pipeline comes without its stages, which are a list of their own."""
        if other is not pipelines or (id := dig(answer.item, f"{name}.id")) is None:
            return (yield from super().related(resource, answer, name, other))
        body = yield from self.look(wire.get(self.member(pipelines, id)))
        return None if body is None or self.removed(pipelines, body) else Answer(self.item(pipelines, body), body)

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok and dig(response.body, "success") is not False:
            return None
        if response.status == FORBIDDEN and not response.readable:
            return Complaint(retry_after=BLOCKED_SECONDS, kind=Kind.CRM_RATE_LIMITED)
        reset = response.headers.get("x-ratelimit-reset", "")
        if response.headers.get("x-daily-ratelimit-token-remaining") == "0":
            reset = str(SPENT_SECONDS)
        return Complaint(
            code=word(response.body, "code"),
            message=word(response.body, "error"),
            retry_after=whole(reset) if response.status == 429 else None,
        )

    def rate(self, response: Response) -> Rate | None:
        return rate(response, "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")

    def removed(self, resource: Resource, body: Any) -> bool:
        """What was removed is still told for 30 days, and says so."""
        return self.open(resource, body).get("is_deleted") is True

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The leads of the draft's person or organization, newest first; lists do not lag, the search index does."""
        if resource is not leads:
            return (yield from super().candidates(resource, draft, since))
        about = next(name for name in ("person_id", "organization_id") if draft.body.get(name))
        query = {"limit": "100", "sort": "add_time DESC", about: str(draft.body[about])}
        return many((yield from self.ask(wire.get(resource.path, query))).body, "data")

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        if not cursor.get("archived"):
            return super().page_request(resource, since, cursor, limit, extra)
        request = super().page_request(resource, None, cursor, limit, extra)  # that list knows no `updated_since`
        return replace(request, path=f"{request.path}/archived")

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """Leads that were archived stand in a list of their own, which follows the other one. It cannot be narrowed to
        what changed: that is picked out of all of it."""
        archived = bool(cursor.get("archived"))
        found, following = super().page(resource, response, None if archived else since, cursor, limit)
        if archived:
            found = changed(found, "update_time", since)
        if resource is not leads or (archived and following is None):
            return found, following
        return found, {**(following or {}), "archived": archived or following is None}

    def enrich(self, resource: Resource, bodies: list[Any]) -> Talk[list[Any]]:
        """A pipeline does not hold its stages."""
        if resource is not pipelines or not bodies:
            return bodies
        records = [self.open(resource, body) for body in bodies]
        found = yield from self.gather(stages.path, LIST, limit=500)
        return nested(records, "stages", found, by="pipeline_id")


CRM = catalog.CRM(
    name="pipedrive",
    title="Pipedrive",
    docs="https://developers.pipedrive.com/docs/api/v1",
    hosts={"api": Host("https://api.pipedrive.com", ("pipedrive.com",)), "token": Host("https://oauth.pipedrive.com")},
    auth={
        "oauth2": OAuth2("/oauth/token", client_in="basic", lifetime=3600, origin="api_domain"),
        "api_key": Header("x-api-token", ""),
    },
    dialect=Pipedrive(),
    # For a key on the smallest plan (an app may ask for four times as much); a day's 30,000 tokens for each seat, of
    # which a list takes 10: https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
    pace=Pace(20, 2, daily=3000),
    resources={
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "leads": leads,
        "pipelines": pipelines,
        "stages": stages,
        "users": users,
    },
    pods={"deals": "deals", "contacts": "contacts"},
)
