"""ActiveCampaign: contacts only, a key per user, and a 403 that has three meanings.

Contacts https://developers.activecampaign.com/reference/list-all-contacts
Deals    https://developers.activecampaign.com/reference/delete-a-pipeline (takes its stages and deals with it)
Stages   https://developers.activecampaign.com/reference/delete-a-deal-stage (takes its deals with it)
Errors   https://developers.activecampaign.com/reference/errors
Limits   https://developers.activecampaign.com/reference/rate-limits
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Header
from switchboard.crm.catalog import Host, Resource, alone
from switchboard.crm.codecs import moment, number, plain, text
from switchboard.crm.dialect import DETAILS, Complaint, Dialect, Draft, Rate, sentence, whole
from switchboard.crm.mapping import Always, Each, Listed, Record, Slots, Table, nested, row
from switchboard.crm.paging import OLDEST, Cursor, Keyset, Offset, Since, Stretch, reached
from switchboard.crm.problem import Kind, Problem, invalid, pointer
from switchboard.crm.wire import Request, Response, Talk, dig, inside, many, merged, word
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE

API = "/api/3"

FORBIDDEN = 403

NO_SUCH = re.compile(r"no result found for ", re.IGNORECASE)
"""So begins what some paths say under a 403 of a record that is not there."""

EARLIER = timedelta(hours=38)
"""How much too early changes are asked for: a day, an account's distance from UTC, and something over."""


def early(when: datetime) -> str:
    """A moment for a filter, in the form that was recorded, and so early that it leaves nothing out.

    Whether the filter reads the whole of it, only its day, or the clock of the account's own zone is not documented.
    """
    return (max(when, OLDEST + EARLIER) - EARLIER).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Values(Listed):
    """Custom fields as they are written: every value is a text, and of several options one text is made."""

    def put(self, record: Record, value: Any) -> Sequence[str]:
        return super().put(record, {name: _value(name, each) for name, each in value.items()})


def _value(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(each, str) and "||" not in each for each in value):
        return f"||{'||'.join(value)}||"
    if (told := text.into(value)) is None:
        detail = "has to be a text, a number, true or false, or a list of texts without ||"
        raise invalid(f"custom_fields.{name}", "invalid_value", detail, pointer("custom_fields", name))
    return told


CUSTOM = Values("fieldValues", "field", "value", lambda key: whole(key) is not None, "ActiveCampaign numbers them")
"""A list of contacts tells none of them."""

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("first_name", "firstName", text, key=True),
    row("last_name", "lastName", text, key=True),
    row("email_addresses", Slots("email", {"primary": "email"}), required=True, key=True),
    row("phone_numbers", Slots("number", {"primary": "phone"})),
    row("custom_fields", CUSTOM),
    row("created_at", "cdate", moment, read_only=True),
    row("updated_at", "udate", moment, read_only=True),
)

# The `udate` of a pipeline and of a stage may be hours ahead, in UTC with the account's offset behind it: not told.
pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("dealStages", {"id": "id", "name": "title", "pipeline.id": "group"}), read_only=True),
    row("created_at", "cdate", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("pipeline.id", "group", text, required=True, key=True),
    row("position", "order", number, read_only=True),
    row("created_at", "cdate", moment, read_only=True),
)

BESIDE = ("fieldValues", "dealStages")
"""What an answer about one record holds beside it, where the record itself has ids only."""


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
        return resource is not leads

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
        if resource is not leads:
            return None
        found = yield from self.candidates(leads, draft, OLDEST)
        email = plain(_email(draft))
        return next((text.into(each.get("id")) for each in found if plain(each.get("email")) == email), None)

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """The one contact of the e-mail address, by the exact filter; a plain list is not said to lag."""
        if resource is not leads or not _email(draft):
            return (yield from super().candidates(resource, draft, since))
        response = yield from self.ask(wire.get(resource.path, {"email": _email(draft)}))
        return many(response.body, "contacts")

    def removed(self, resource: Resource, body: Any) -> bool:
        """Whether a contact that was deleted can still be read is not documented."""
        return text.into(self.open(resource, body).get("deleted")) == "1"

    def delete(self, resource: Resource, id: str) -> Talk[None]:
        """A pipeline and a stage would take their deals with them without a word: they go when they hold none."""
        if resource is not leads:
            holder = "group" if resource is pipelines else "stage"
            asked = {f"filters[{holder}]": self.known(id), "limit": "1"}
            held = yield from self.ask(wire.get(f"{API}/deals", asked))
            if not isinstance(dig(held.body, "deals"), list):
                raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell its deals.", remote=self.remote(held))
            if held.body["deals"]:
                name = resource.table.schema.name
                raise Problem(Kind.CRM_CONFLICT, f"The {name} holds deals, which would be deleted with it.")
        yield from super().delete(resource, id)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """The stages of all pipelines stand beside them: each is given its own, as the read of one does."""
        found, following = super().page(resource, response, since, cursor, limit)
        if resource is pipelines:
            found = nested(found, "dealStages", many(response.body, "dealStages"), by="group")
        if resource is leads:
            found = [each for each in reached(found, "udate", since) if not self.removed(resource, each)]
        return found, following


def _email(draft: Draft) -> str:
    return (text.into(dig(draft.body, "contact.email")) or "").strip()


leads = Resource(
    lead,
    f"{API}/contacts",
    nearest="ActiveCampaign has no leads: a lead is a contact there.",
    paging=Keyset("contacts", "id_greater", since=Since("filters[updated_after]", early), query={"orders[id]": "ASC"}),
)
EMPTY = "ActiveCampaign would delete its deals with it: they are asked for first, and while there are any, it stays."

pipelines = Resource(
    pipeline,
    f"{API}/dealGroups",
    paging=Offset("dealGroups"),
    emulates={
        "create": "The currency that ActiveCampaign wants is that of the first pipeline there is.",
        "delete": EMPTY,
    },
)
stages = Resource(stage, f"{API}/dealStages", paging=Offset("dealStages"), emulates={"delete": EMPTY})

CRM = catalog.CRM(
    name="activecampaign",
    title="ActiveCampaign",
    docs="https://developers.activecampaign.com/reference/overview",
    hosts=alone(Host(None, ("api-us1.com", "activehosted.com"))),
    auth={"api_key": Header("api-token", "")},
    dialect=ActiveCampaign(),
    resources={"leads": leads, "pipelines": pipelines, "stages": stages},
)
