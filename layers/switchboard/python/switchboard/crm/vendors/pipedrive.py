"""Pipedrive: two API generations. Leads stay on v1, with offset paging; most else is v2, with cursors.

Leads    https://developers.pipedrive.com/docs/api/v1/Leads
Limits   https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
Statuses https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Resource
from switchboard.crm.codecs import choice, moment, number, number_id, text
from switchboard.crm.dialect import Complaint, Dialect, Draft, Rate, rate, whole
from switchboard.crm.mapping import Always, Each, Named, Record, Table, nested, row
from switchboard.crm.paging import Cursor, Offset, Since, Stretch, Token, changed
from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response, Talk, dig, inside, many, word
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE

CUSTOM = re.compile(r"^[0-9a-f]{40}(_\w+)?$")
"""Custom fields are named by a hash of 40 digits; parts of one value hang behind it (`_currency`, `_until`)."""

FORBIDDEN = 403
BLOCKED_SECONDS = 60
"""Who does not heed its limits gets a page of HTML from the proxy in front; for how long is not told."""
SPENT_SECONDS = 3600
"""A day's budget comes back at midnight of a zone that is not told: an hour, and then another look."""

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, required=True, key=True),
    row("owner.id", "owner_id", number_id),
    row("contact.id", "person_id", number_id, key=True),
    row("account.id", "organization_id", number_id, key=True),
    row("custom_fields", Named(lambda key: bool(CUSTOM.match(key)), "Pipedrive names them by a hash of 40 digits")),
    row("lead_source", "source_name", text, read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

gone = choice({"active": False, "inactive": True})

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", {"id": "id", "name": "name", "pipeline.id": "^id"}), read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("pipeline.id", "pipeline_id", number_id, required=True, key=True),
    row("position", "order_nr", number, read_only=True),
    row("status", "is_deleted", gone, read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)


class Pipedrive(Dialect):
    """Bodies are `{success, data}`; a record deleted twice is 410 and still says success."""

    ids = re.compile(r"[0-9]+|[0-9a-fA-F-]{36}")  # leads have UUIDs; words lead elsewhere, such as to what was archived
    codes = {"ERR_SCHEMA_VALIDATION_FAILED": Kind.CRM_REJECTED}  # noqa: RUF012
    statuses = {402: Kind.CRM_FORBIDDEN}  # noqa: RUF012 - the company's own account is closed: a trial over, a bill unpaid
    forwarded = ("x-daily-",)  # its x-ratelimit-* would read like our own

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope as answers carry it, or bare as lists and our own bodies do."""
        return super().open(resource, inside(body, "data", "success"))

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

    def page_request(self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int) -> Request:
        if not cursor.get("archived"):
            return super().page_request(resource, since, cursor, limit)
        request = super().page_request(resource, None, cursor, limit)  # that list knows no `updated_since`
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


OFFSET = "additional_data.pagination.more_items_in_collection"

leads = Resource(
    lead,
    "/api/v1/leads",
    any_of=(("contact.id", "account.id"),),
    link="/leads/inbox/{id}",
    paging=Offset(
        "data",
        start="start",
        most=500,
        more=OFFSET,
        # Whole seconds only; a fraction is refused.
        since=Since("updated_since", at="update_time", query={"sort": "update_time ASC"}),
        plain={"sort": "add_time ASC"},
    ),
)
LIST = Token("data", "cursor", "additional_data.next_cursor", most=500)
pipelines = Resource(pipeline, "/api/v2/pipelines", paging=LIST)
stages = Resource(stage, "/api/v2/stages", paging=LIST)

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
    resources={"leads": leads, "pipelines": pipelines, "stages": stages},
)
