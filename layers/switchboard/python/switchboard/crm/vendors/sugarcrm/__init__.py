"""SugarCRM: modules of flat records, one language of filters, and one session for each user and platform.

Calls    https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/
Filters  https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/modulefilter_POST/
Records  https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/modulerecord_GET/
Links    https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/modulerecordlinklink_name_GET/
Tokens   https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/oauth2token_POST/
Options  https://support.sugarcrm.com/Documentation/Sugar_Developer/Sugar_Developer_Guide_13.0/Integration/Web_Services/REST_API/Endpoints/moduleenumfield_GET/

Who logs in as the same user on the same platform elsewhere ends our session, and we end theirs: an account wants a user
and a platform of its own. A refresh token lives for 14 days.
Instances in the vendor's cloud are offered, those that customers host under domains of their own are not.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Credentials, Header, OAuth2, Token
from switchboard.crm.catalog import Host, Pace, Resource, Setting, alone
from switchboard.crm.codecs import text
from switchboard.crm.dialect import Answer, Dialect, Gone, whole
from switchboard.crm.paging import Cursor, Stretch, sliced, window
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem, Remote
from switchboard.crm.vendors.sugarcrm.rows import (
    API,
    CHANGED,
    GUIDE,
    NO_PIPELINES,
    VERSION,
    companies,
    contacts,
    deals,
    flag,
    leads,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, word

MOST = 200
"""Records at once. Clients have asked for 1,000, and an administrator may allow fewer; but a record comes with all of
its hundred fields and more, and an answer of more than 2 MB is none."""


def options(body: Any) -> list[Record]:
    """The options of a field: an object of labels by their keys, or an array where the keys are mere numbers."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    told = [(text.into(key), label) for key, label in pairs]
    return [{"key": key, "label": label, "position": place} for place, (key, label) in enumerate(told) if key]


def written(when: datetime) -> str:
    """A moment as filters take it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def walk(resource: Resource, since: datetime | None, cursor: Cursor, limit: int, **beside: Any) -> Request:
    """The request for a stretch of a module, by the moment of their last change."""
    start = cursor.get("from") or (written(since) if since else None)
    narrowed = {"filter": [{CHANGED: {"$gte": start}}]} if start else {}
    place = {"offset": int(cursor.get("start", 0)), "max_num": min(limit, MOST)}
    return wire.post(
        f"{resource.path}/filter", {**narrowed, "order_by": f"{CHANGED}:ASC,id:ASC", **place, **beside}, safe=True
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
    lag = 10  # lists read the tables themselves; how long a save takes from its moment to its end is told nowhere

    def open(self, resource: Resource, body: Any) -> Record:
        """What is not set is told as an empty text."""
        return {name: value for name, value in super().open(resource, body).items() if value != ""}

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """What changed of contacts has those that were deleted as well, with their ids and not much else."""
        if resource not in (leads, contacts):
            return super().page_request(resource, since, cursor, limit, extra)
        beside = {"deleted": True} if since and resource is contacts else {}
        return walk(resource, since, cursor, limit, **beside)

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        if resource in (leads, contacts):
            return walked(response, since, cursor)
        return sliced(options(response.body), cursor, limit)

    def removed(self, resource: Resource, body: Any) -> bool:
        return resource is not leads and flag(dig(body, "deleted"))

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """The contacts of a deal are not told in it: they stand behind a link, of which the first is read."""
        if resource is not deals or other is not contacts:
            return (yield from super().related(resource, answer, name, other))
        link = f"{self.member(deals, answer.item['id'])}/link/contacts"
        found = many((yield from self.look(wire.get(link, {"max_num": "1"}))), "records")
        return (yield from self.answer(other, found[0])) if found else None

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """Who asks for them finds deleted records in the list, with their ids and not much else."""
        if resource is not leads:
            return None
        position = cursor or {}
        fields = f"id,{CHANGED},deleted"
        response = yield from self.ask(walk(leads, since, position, MOST, deleted=True, fields=fields))
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


CRM = catalog.CRM(
    name="sugarcrm",
    title="SugarCRM",
    docs=GUIDE,
    hosts=alone(Host(None, ("sugarondemand.com", "sugaropencloud.eu"))),
    auth={"oauth2": Login(f"{API}/oauth2/token", lifetime=3600, header=Header("oauth-token", "", "access_token"))},
    dialect=Sugar(),
    pace=Pace(2, 1),  # no limit is published; but each instance is a server of its own, which works for its users
    resources={
        "leads": leads,
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "users": users,
        "pipelines": NO_PIPELINES,
        "stages": stages,
    },
    pods={plural: plural for plural in ("contacts", "deals", "companies")},
    settings={
        "version": Setting("The version of the REST API as it stands in its paths, such as v11_24.", default=VERSION),
        "platform": Setting(
            "The API platform, registered by the administrator, under which the account's user logs in; with that of "
            "the web app, `base`, whoever works there as this user would be logged out."
        ),
    },
)
