"""Pipedrive: two API generations. Leads stay on v1, with offset paging; most else is v2, with cursors.

Leads    https://developers.pipedrive.com/docs/api/v1/Leads
Limits   https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
Statuses https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header, OAuth2
from switchboard.crm.catalog import Host, Resource
from switchboard.crm.codecs import moment, number_id, text, utc
from switchboard.crm.dialect import Complaint, Dialect, Draft, Rate
from switchboard.crm.mapping import Named, Record, Table, row
from switchboard.crm.problem import Kind
from switchboard.crm.wire import Request, Response, Talk, dig, many, word
from switchboard.models.lead import LEAD

CUSTOM = re.compile(r"^[0-9a-f]{40}(_\w+)?$")
"""Custom fields are named by a hash of 40 digits; parts of one value hang behind it (`_currency`, `_until`)."""

FORBIDDEN = 403
BLOCKED = "blocked"
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


class Pipedrive(Dialect):
    """Bodies are `{success, data}`; a record deleted twice is 410 and still says success."""

    codes = {"ERR_SCHEMA_VALIDATION_FAILED": Kind.CRM_REJECTED, BLOCKED: Kind.CRM_RATE_LIMITED}  # noqa: RUF012
    statuses = {402: Kind.CRM_FORBIDDEN}  # noqa: RUF012 - the company's own account is closed: a trial over, a bill unpaid
    forwarded = ("x-daily-",)  # its x-ratelimit-* would read like our own

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope as answers carry it, or bare as lists and our own bodies do."""
        data = dig(body, "data") if dig(body, "success") is not None else None
        return data if isinstance(data, dict) else super().open(resource, body)

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok and dig(response.body, "success") is not False:
            return None
        if response.status == FORBIDDEN and not response.readable:
            return Complaint(code=BLOCKED, retry_after=BLOCKED_SECONDS)
        reset = response.headers.get("x-ratelimit-reset", "")
        if response.headers.get("x-daily-ratelimit-token-remaining") == "0":
            reset = str(SPENT_SECONDS)
        return Complaint(
            code=word(response.body, "code"),
            message=word(response.body, "error"),
            retry_after=int(reset) if response.status == 429 and reset.isdecimal() else None,
        )

    def rate(self, response: Response) -> Rate | None:
        figures = [response.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
        if not all(figure.isdecimal() for figure in figures):
            return None
        return Rate(*(int(figure) for figure in figures))

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """Deleting what is already gone answers 410 with `success: true`."""
        request = wire.delete(self.member(resource, id))
        response = yield request
        if response.status != 410:
            self.check(request, response)

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The leads of the draft's person or organization, newest first; lists do not lag, the search index does."""
        about = next(name for name in ("person_id", "organization_id") if draft.body.get(name))
        query = {"limit": "100", "sort": "add_time DESC", about: str(draft.body[about])}
        return many((yield from self.ask(wire.get(resource.path, query))).body, "data")

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Mapping[str, Any], limit: int
    ) -> Request:
        """`updated_since` takes whole seconds only; a fraction is refused."""
        query = {"start": str(cursor.get("start", 0)), "limit": str(min(limit, 500)), "sort": "update_time ASC"}
        if since is None:
            query["sort"] = "add_time ASC"
        else:
            query["updated_since"] = cursor.get("from") or _second(since)
        return wire.get(resource.path, query)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Mapping[str, Any]
    ) -> tuple[list[Any], Mapping[str, Any] | None]:
        """Every page begins anew at the last second of the one before, without the ids already given there.

        A position is an offset: a lead that changes meanwhile moves to the end, and the one behind it would be passed
        over. Only within one second is the offset used.
        """
        following = dig(response.body, "additional_data.pagination")
        start = dig(following, "next_start") if dig(following, "more_items_in_collection") else None
        bodies = [each for each in many(response.body, "data") if word(each, "id")]
        if since is None:
            return bodies, {"start": start} if isinstance(start, int) else None
        seen = cursor.get("seen", ())
        fresh = [each for each in bodies if each["id"] not in seen]
        moments = [utc(each.get("update_time")) for each in bodies]
        if not isinstance(start, int) or not moments or (last := moments[-1]) is None:
            return fresh, None
        at = _second(last)
        here = [each["id"] for each, moment in zip(bodies, moments, strict=True) if moment and _second(moment) == at]
        if at != (cursor.get("from") or _second(since)):
            return fresh, {"from": at, "start": 0, "seen": here}
        return fresh, {"from": at, "start": start, "seen": list(dict.fromkeys([*seen, *here]))}


def _second(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CRM = catalog.CRM(
    name="pipedrive",
    title="Pipedrive",
    docs="https://developers.pipedrive.com/docs/api/v1",
    hosts={
        "api": Host("https://api.pipedrive.com", ("pipedrive.com",)),
        "token": Host("https://oauth.pipedrive.com"),
    },
    auth={
        "oauth2": OAuth2("/oauth/token", client_in="basic", lifetime=3600, origin="api_domain"),
        "api_key": Header("x-api-token", ""),
    },
    dialect=Pipedrive(),
    resources={
        "leads": Resource(lead, "/api/v1/leads", any_of=(("contact.id", "account.id"),), link="/leads/inbox/{id}"),
    },
)
