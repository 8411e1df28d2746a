"""SugarCRM: modules of flat records, one language of filters, and one session for each user and platform.

Calls    https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/
Filters  https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/modulefilter_POST/
Tokens   https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/oauth2token_POST/
Options  https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/moduleenumfield_GET/

Who logs in as the same user on the same platform elsewhere ends our session, and we end theirs: an account wants a user
and a platform of its own. A refresh token lives for 14 days.
Instances in the vendor's cloud are offered, those that customers host under domains of their own are not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Credentials, Header, OAuth2, Token
from switchboard.crm.catalog import Host, Resource, Setting, Unsupported, alone, fixed
from switchboard.crm.codecs import Codec, moment, number, text
from switchboard.crm.dialect import Dialect, Gone, whole
from switchboard.crm.mapping import Named, Postal, Record, Slots, Table, row
from switchboard.crm.paging import Cursor, Stretch, Whole, sliced, window
from switchboard.crm.problem import Kind, Problem, Remote
from switchboard.crm.wire import Request, Response, Talk, dig, many, word
from switchboard.models.lead import LEAD
from switchboard.models.stage import STAGE

API = "/rest/{version}"
VERSION = "v11"
"""Of all versions the one that every instance serves; a number behind it says which release it is of."""

MOST = 1000
DELETED_PAGE = 200
CHANGED = "date_modified"
"""What every list is sorted by: a record tells it always, whatever its user may see."""


def flag(value: Any) -> bool:
    """Whether a flag is set; older versions write it as a text."""
    return str(value).lower() in ("1", "true")


@dataclass(frozen=True, slots=True)
class Emails(Slots):
    """A list of e-mail addresses, one of which is flagged as the primary one; it comes first."""

    def get(self, record: Record) -> Any:
        told = [(flag(each.get("primary_address")), word(each, "email_address")) for each in many(record, "email")]
        ordered = sorted(((first, email) for first, email in told if email), key=lambda each: not each[0])
        return [{"email": email} | ({"type": "primary"} if first else {}) for first, email in ordered] or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        order = sorted(enumerate(value), key=lambda each: each[1].get("type") != "primary")
        if order:
            record["email"] = [
                {"email_address": item["email"], "primary_address": place == 0} for place, (_, item) in enumerate(order)
            ]
        return [
            f"[{index}].type"
            for place, (index, item) in enumerate(order)
            if item.get("type") and (place or item["type"] != "primary")
        ]


@dataclass(frozen=True, slots=True)
class Became:
    """What a lead was converted to. In a lead that was not, the same columns name what it is related to."""

    path: str
    columns: tuple[str, ...] = ("converted",)

    def get(self, record: Record) -> Any:
        return record.get(self.path) if flag(record.get("converted")) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        raise ValueError("cannot be written")


PHONES = {"primary": "phone_work", "work": "phone_work", "mobile": "phone_mobile", "home": "phone_home"}

ADDRESS = (f"primary_address_{part}" for part in ("street", "city", "state", "postalcode", "country"))

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, key=True),
    row("owner.id", "assigned_user_id", text),
    row("contact.id", "contact_id", text),
    row("account.id", "account_id", text),
    row("first_name", "first_name", text, key=True),
    row("last_name", "last_name", text, required=True, key=True),
    row("lead_source", "lead_source", text),
    row("status", "status", text),
    row("email_addresses", Emails("email", {"primary": "email"}), key=True),
    row("phone_numbers", Slots("number", PHONES)),
    row("addresses", Postal(*ADDRESS)),
    row("description", "description", text, write_only=True),
    row("website", "website", text, write_only=True),
    row("custom_fields", Named(lambda key: key.endswith("_c"), "names of custom fields end with _c")),
    row("converted_contact", Became("contact_id"), text, read_only=True),
    row("converted_account", Became("account_id"), text, read_only=True),
    row("created_at", "date_entered", moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)


def _spelled(key: Any) -> str | None:
    """The key of an option as an id, in which nothing is blank and nothing leads out of a path: `Closed+Won`."""
    told = text.into(key)
    return quote(told, safe=" ", errors="replace").replace("%", "~").replace(" ", "+") if told else None


stage = Table(
    STAGE,
    row("id", "key", Codec(text.out, _spelled), read_only=True),
    row("name", "label", text, read_only=True),
    row("position", "position", number, read_only=True),
)


def options(body: Any) -> list[Record]:
    """The options of a field: an object of labels by their keys, or an array where the keys are mere numbers."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    told = [(text.into(key), label) for key, label in pairs]
    return [{"key": key, "label": label, "position": place} for place, (key, label) in enumerate(told) if key]


def written(when: datetime) -> str:
    """A moment as filters take it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def walk(since: datetime | None, cursor: Cursor, limit: int, **beside: Any) -> Request:
    """The request for a stretch of leads, by the moment of their last change."""
    start = cursor.get("from") or (written(since) if since else None)
    narrowed = {"filter": [{CHANGED: {"$gte": start}}]} if start else {}
    place = {"offset": int(cursor.get("start", 0)), "max_num": min(limit, MOST)}
    return wire.post(
        f"{leads.path}/filter", {**narrowed, "order_by": f"{CHANGED}:ASC,id:ASC", **place, **beside}, safe=True
    )


def walked(response: Response, since: datetime | None, cursor: Cursor) -> Stretch:
    """The stretch in an answer to `walk`. How long a page may be is set by an administrator: the answer says whether
    there is another, and at the end -1."""
    found = [each for each in many(response.body, "records") if word(each, "id")]
    following = whole(text.into(dig(response.body, "next_offset"))) or 0
    onward = following if following > int(cursor.get("start", 0)) else None
    return window(found, onward, cursor, since=written(since) if since else "", write=written, at=(CHANGED,))


class Sugar(Dialect):
    """Records come bare. An error has a label, and a text in the language of the user."""

    ids = re.compile(r"(?![A-Za-z]+$).*", re.DOTALL)  # a mere word leads elsewhere, such as to `filter`
    code_at, message_at = "error", "error_message"
    codes = {  # noqa: RUF012
        "need_login": Kind.NEEDS_REAUTH,
        "invalid_grant": Kind.NEEDS_REAUTH,
        "not_authorized": Kind.CRM_FORBIDDEN,
        "not_found": Kind.CRM_NOT_FOUND,
        "no_method": Kind.CRM_REJECTED,  # of a path; no record is missing
        "edit_conflict": Kind.CRM_CONFLICT,
        "maintenance": Kind.CRM_UNAVAILABLE,
    }

    def open(self, resource: Resource, body: Any) -> Record:
        """What is not set is told as an empty text."""
        return {name: value for name, value in super().open(resource, body).items() if value != ""}

    def page_request(self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int) -> Request:
        return walk(since, cursor, limit) if resource is leads else super().page_request(resource, since, cursor, limit)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        if resource is leads:
            return walked(response, since, cursor)
        return sliced(options(response.body), cursor, limit)

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """Who asks for them finds deleted records in the list, with their ids and not much else."""
        if resource is not leads:
            return None
        position = cursor or {}
        fields = f"id,{CHANGED},deleted"
        response = yield from self.ask(walk(since, position, DELETED_PAGE, deleted=True, fields=fields))
        found, following = walked(response, since, position)
        return Gone([each["id"] for each in found if flag(each.get("deleted"))], following)


NO_PLATFORM = (
    "The account's setting `platform` names no API platform of its instance; it has to be mended by an operator."
)


class Login(OAuth2):
    """Tokens are asked for in JSON, for a platform. Both are new each time, and the old ones may be dead at once.
    A client in the account's own secret goes before our app: each instance has its clients to itself."""

    __slots__ = ()

    def refresh(self, credentials: Credentials, app: Credentials) -> Talk[Token]:
        own = {"client_secret": "", **credentials} if credentials.get("client_id") else {}
        talk = super().refresh(credentials, {**app, **own})
        request = next(talk)
        platform = {"platform": app["platform"]} if app.get("platform") else {}
        response = yield replace(request, form=None, json={**(request.form or {}), **platform})
        try:
            talk.send(response)
        except StopIteration as end:
            return end.value
        raise AssertionError("there is one request to the token endpoint")

    def refusal(self, response: Response) -> Problem:
        """A platform that is not registered is refused as a bad parameter; to connect again would not help."""
        if response.status in (400, 422) and (code := word(response.body, "error")) == "invalid_parameter":
            return Problem(Kind.CRM_REJECTED, NO_PLATFORM, remote=Remote(response.status, code))
        return super().refusal(response)


GUIDE = "https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/"
OPTIONS = f"{GUIDE}Endpoints/moduleenumfield_GET/"
NO_PIPELINES = Unsupported(
    "Sugar has no pipelines: an opportunity's sales stages are the options of one field.", OPTIONS
)
NO_WRITES = fixed("The options of a field can be read by the API; they are changed in the Dropdown Editor.", OPTIONS)

leads = Resource(lead, f"{API}/Leads", link="/#Leads/{id}", asks_for_changes=True)
stages = Resource(
    stage,
    f"{API}/Opportunities/enum/sales_stage",
    lacks=NO_WRITES,
    nearest="The options of the field `sales_stage` of opportunities stand for stages, each under its key; where an "
    "instance has revenue line items, its stages stand in their module.",
    paging=Whole(),
    list_only=True,
)

CRM = catalog.CRM(
    name="sugarcrm",
    title="SugarCRM",
    docs=GUIDE,
    hosts=alone(Host(None, ("sugarondemand.com", "sugaropencloud.eu"))),
    auth={"oauth2": Login(f"{API}/oauth2/token", lifetime=3600, header=Header("oauth-token", "", "access_token"))},
    dialect=Sugar(),
    resources={"leads": leads, "pipelines": NO_PIPELINES, "stages": stages},
    settings={
        "version": Setting("The version of the REST API as it stands in its paths, such as v11_24.", default=VERSION),
        "platform": Setting(
            "The API platform, registered by the administrator, under which the account's user logs in; with that of "
            "the web app, `base`, whoever works there as this user would be logged out."
        ),
    },
)
