"""ActiveCampaign: a lead is a contact, a key belongs to a user, and a 403 has three meanings.

Contacts https://developers.activecampaign.com/reference/list-all-contacts
Contact  https://developers.activecampaign.com/reference/get-contact (its company stands beside it)
Accounts https://developers.activecampaign.com/reference/get-an-account
Deal     https://developers.activecampaign.com/reference/retrieve-a-deal (or a part of it, where it may not be seen)
Users    https://developers.activecampaign.com/reference/get-user
Deals    https://developers.activecampaign.com/reference/delete-a-pipeline (takes its stages and deals with it)
Stages   https://developers.activecampaign.com/reference/delete-a-deal-stage (takes its deals with it)
Errors   https://developers.activecampaign.com/reference/errors
Limits   https://developers.activecampaign.com/reference/rate-limits
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header
from switchboard.crm.catalog import Host, Pace, Resource, alone
from switchboard.crm.codecs import plain, text
from switchboard.crm.complaint import DETAILS, Complaint, sentence
from switchboard.crm.dialect import Answer, Dialect, Draft, Rate, whole
from switchboard.crm.mapping import nested
from switchboard.crm.paging import OLDEST, Cursor, Stretch, reached
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem, invalid, pointer
from switchboard.crm.vendors.activecampaign.rows import (
    API,
    BESIDE,
    SIDE,
    companies,
    contacts,
    deals,
    leads,
    pipelines,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, inside, many, merged, word

BAD_REQUEST, FORBIDDEN = 400, 403

NO_SUCH = re.compile(r"no result found for ", re.IGNORECASE)
"""So begins what some paths say under a 403 of a record that is not there."""

PEOPLE = (leads, contacts)
KEPT = (pipelines, stages)
"""What would take its deals with it."""


def envelope(resource: Resource) -> str:
    """The key around one record: `contact`, `dealGroup`, `dealStage`."""
    return resource.path.rpartition("/")[2].removesuffix("s")


class ActiveCampaign(Dialect):
    """Bodies are `{contact: {...}}`, with related records beside it; ids, amounts and flags are strings."""

    ids = re.compile(r"[0-9]+")  # a filter that is no number might be none at all
    codes = {"duplicate": Kind.CRM_CONFLICT}  # noqa: RUF012

    def seal(self, resource: Resource, record: Record) -> Any:
        return {envelope(resource): record}

    def open(self, resource: Resource, body: Any) -> Record:
        """A record in its envelope, with what stands beside it; bare as in lists. Nothing is told as an empty text."""
        record = super().open(resource, inside(body, envelope(resource)))
        beside = {name: body[name] for name in BESIDE if isinstance(dig(body, name), list)}
        return {name: value for name, value in (record | beside).items() if value != ""}

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        """A contact is answered in part."""
        return resource not in PEOPLE

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        first = dig(response.body, "errors.0")
        said = [part for name in ("title", "detail") if (part := word(first, name))]
        message = ": ".join(said) or (first if isinstance(first, str) else sentence(response.body))
        names = (word(first, "source.pointer") or "").rpartition("/")[2].split(",")
        missing = response.status == FORBIDDEN and NO_SUCH.match(message or "")
        return Complaint(
            code=word(first, "code"),
            message=message,
            fields=tuple(name for name in names if name),
            kind=Kind.CRM_NOT_FOUND if missing else None,
        )

    def rate(self, response: Response) -> Rate | None:
        """Calls in a second, of the whole account; when there may be the next is told once there are none left."""
        limit, left, wait = (
            whole(response.headers.get(name)) for name in ("ratelimit-limit", "ratelimit-remaining", "retry-after")
        )
        return None if limit is None else Rate(limit, left, wait)

    def expired(self, response: Response) -> bool:
        """A key that is not accepted gets the 403 of a missing right; it may have been replaced meanwhile."""
        told = self.complaint(response)
        return super().expired(response) or (response.status == FORBIDDEN and told is not None and told.kind is None)

    def ask(self, request: Request) -> Talk[Response]:
        """A 403 says of a key that is not accepted what it says of a missing right: whether the key is accepted at all
        is seen by asking whose it is."""
        try:
            return (yield from super().ask(request))
        except Problem as problem:
            if problem.kind is not Kind.CRM_FORBIDDEN or not (yield from self._shut_out()):
                raise
            kind = Kind.NEEDS_REAUTH
            raise Problem(
                kind, DETAILS[kind], remote=problem.remote, outcome=problem.outcome, insight=problem.insight
            ) from problem

    def _shut_out(self) -> Talk[bool]:
        try:
            return (yield from self.exchange(wire.get(f"{API}/users/me"))).status == FORBIDDEN
        except Problem:
            return False  # nobody knows; the first answer stands

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """A pipeline needs a currency: that of the first one there is."""
        if resource is not pipelines or dig(body, "dealGroup.currency"):
            return body
        found = yield from self.ask(wire.get(resource.path, {"limit": "1"}))
        currency = word(found.body, "dealGroups.0.currency")
        if not currency:
            detail = "the account has no pipeline yet to take the currency from; give dealGroup.currency"
            raise invalid("remote_data", "required", detail, pointer("remote_data", "dealGroup", "currency"))
        return merged({"dealGroup": {"currency": currency}}, body)

    def holder(self, resource: Resource, draft: Draft, refusal: Problem) -> Talk[str | None]:
        """Who has the e-mail address."""
        if resource not in PEOPLE:
            return None
        found = yield from self.candidates(resource, draft, OLDEST)
        email = plain(_email(draft))
        return next((text.into(each.get("id")) for each in found if plain(each.get("email")) == email), None)

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The one contact of the e-mail address, by the exact filter; a plain list is not said to lag."""
        if resource not in PEOPLE or not _email(draft):
            return (yield from super().candidates(resource, draft, since))
        response = yield from self.ask(wire.get(resource.path, {"email": _email(draft)}))
        return many(response.body, "contacts")

    def removed(self, resource: Resource, body: Any) -> bool:
        """Whether a contact that was deleted can still be read is not documented."""
        return text.into(self.open(resource, body).get("deleted")) == "1"

    def get(self, resource: Resource, id: str, extra: Sequence[str] = ()) -> Talk[Answer]:
        """Of a deal whose pipeline the key's owner may not see, a part is answered as if that were all. What is said of
        a user who is not there is no 404, by the vendor's document, but a 400."""
        try:
            answer = yield from super().get(resource, id, extra)
        except Problem as problem:
            if resource is not users or not problem.remote or problem.remote.status != BAD_REQUEST:
                raise
            kind = Kind.CRM_NOT_FOUND
            raise Problem(kind, DETAILS[kind], remote=problem.remote, insight=problem.insight) from problem
        if resource is deals and dig(answer.raw, "deal.isDisabled") is True:
            raise Problem(Kind.CRM_FORBIDDEN, DETAILS[Kind.CRM_FORBIDDEN])
        return answer

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """A pipeline and a stage would take their deals with them without a word: they go when they hold none."""
        if resource in KEPT:
            holder = "group" if resource is pipelines else "stage"
            asked = {f"filters[{holder}]": self.known(id), "limit": "1"}
            held = yield from self.ask(wire.get(f"{API}/deals", asked))
            if not isinstance(dig(held.body, "deals"), list):
                raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell its deals.", remote=self.remote(held))
            if held.body["deals"]:
                name = resource.table.schema.name
                raise Problem(Kind.CRM_CONFLICT, f"The {name} holds deals, which would be deleted with it.")
        yield from super().delete(resource, id)

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """Where all contacts are wanted, none is left out for not saying when it changed."""
        start = None if resource is contacts and since and since <= OLDEST else since
        return super().page_request(resource, start, cursor, limit, extra)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """The stages of all pipelines stand beside them, and what contacts have in other tables: each is given its own,
        as the read of one does."""
        found, following = super().page(resource, response, since, cursor, limit)
        if resource is pipelines:
            found = nested(found, "dealStages", many(response.body, "dealStages"), by="group")
        if resource is contacts:
            found = reached(found, "udate", since)
            for name in SIDE:
                found = nested(found, name, many(response.body, name), by="contact")
        if resource is leads:
            found = [each for each in reached(found, "udate", since) if not self.removed(resource, each)]
        return found, following


def _email(draft: Draft) -> str:
    return (text.into(dig(draft.body, "contact.email")) or "").strip()


CRM = catalog.CRM(
    name="activecampaign",
    title="ActiveCampaign",
    docs="https://developers.activecampaign.com/reference/overview",
    hosts=alone(Host(None, ("api-us1.com", "activehosted.com"))),
    auth={"api_key": Header("api-token", "")},
    dialect=ActiveCampaign(),
    # Five are granted to the account, whoever asks: https://developers.activecampaign.com/reference/rate-limits
    pace=Pace(3, 1),
    resources={
        "leads": leads,
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "users": users,
        "pipelines": pipelines,
        "stages": stages,
    },
    pods={plural: plural for plural in ("contacts", "deals", "companies")},
)
