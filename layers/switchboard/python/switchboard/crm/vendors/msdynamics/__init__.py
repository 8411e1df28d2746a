"""Microsoft Dynamics 365 Sales: tables of Dataverse, read and written by OData.

Requests https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors
Reads    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-entity-using-web-api
Create   https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api
Lead     https://learn.microsoft.com/dynamics365/sales/developer/entities/lead
Choices  https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
Time     https://learn.microsoft.com/power-apps/developer/data-platform/analyze-performance
Tokens   https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
Limits   https://learn.microsoft.com/power-apps/developer/data-platform/api-limits
         https://learn.microsoft.com/power-platform/admin/api-request-limits-allocations
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Credentials, OAuth2, Token
from switchboard.crm.catalog import Host, Pace, Resource, Setting
from switchboard.crm.dialect import OUTER, Dialect, Draft
from switchboard.crm.mapping import chosen
from switchboard.crm.paging import Cursor, Stretch
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.msdynamics.rows import (
    ATTRIBUTES,
    BINDS,
    GUID,
    MADE,
    NO_PIPELINES,
    PICKLISTS,
    SHOWN,
    VERSION,
    Walk,
    companies,
    contacts,
    deals,
    leads,
    options,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, plant, word

PREFER = f'odata.include-annotations="{SHOWN}"'

CHOICES = {"leadsourcecode": "lead_source", "industrycode": "industry"}
"""Columns that take the number of a choice, which a caller gives by its name."""

NAMES = {"leads": "lead", "contacts": "contact", "companies": "account", "deals": "opportunity", "users": "systemuser"}
"""What the tables are called where they are defined."""

CELLS = 20_000
"""So many values are asked for at once, at most: the vendor's own 5,000 records make an answer of far more than the
2 MB that we read."""

PLAIN = {
    f"{kind}Type"
    for kind in (
        *("BigInt", "Boolean", "DateTime", "Decimal", "Double", "Integer", "Memo", "Money"),
        *("MultiSelectPicklist", "Picklist", "String", "Uniqueidentifier"),
    )
}
"""Types of columns that hold a value of their own. Lookups go by another name, and of files only ids would come.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/attributetypedisplayname
"""


def selected(resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
    """The query for the columns of the table and these. Those of other records stand behind a navigation property, and
    a dot."""
    within: dict[str, list[str]] = {"": []}
    for column in dict.fromkeys([*resource.table.columns, *extra]):
        navigation, _, name = column.rpartition(".")
        within.setdefault(navigation, []).append(name)
    own = within.pop("")
    expand = ",".join(f"{navigation}($select={','.join(names)})" for navigation, names in within.items())
    return {"$select": ",".join(own)} | ({"$expand": expand} if expand else {})


def key(resource: Resource) -> str:
    """The column of the id."""
    return resource.table.columns[0]


def labels(option: Any) -> list[str]:
    """The names of a choice: in the language of the user, and in all others."""
    told = [dig(option, "Label.UserLocalizedLabel"), *many(option, "Label.LocalizedLabels")]
    return [name for each in told if (name := word(each, "Label"))]


class Dynamics(Dialect):
    """Columns are asked for by name, ids stand in brackets, and a create answers its record only if it is told to."""

    ids = GUID  # between the brackets, other columns can name a record as well
    headers = {"odata-version": "4.0", "odata-maxversion": "4.0", "if-none-match": "null", "prefer": PREFER}  # noqa: RUF012
    code_at, message_at = "error.code", "error.message"
    codes = {  # noqa: RUF012
        "0x80040217": Kind.CRM_NOT_FOUND,
        "0x80040220": Kind.CRM_FORBIDDEN,  # a privilege is missing
        "0x80072560": Kind.CRM_FORBIDDEN,  # no member of the organization
        "0x80040333": Kind.CRM_CONFLICT,  # a duplicate, by rules that only a header turns on: 412, or 500
        "0x80060888": Kind.CRM_REJECTED,  # an unknown path, be it 400 or 404: without the Sales app there are no leads
    }
    statuses = {412: Kind.CRM_CONFLICT}  # noqa: RUF012 - the record exists, or is another than was thought
    forwarded = ("x-ms-ratelimit-",)
    request_id_headers = ("x-ms-service-request-id", "req_id")
    lag = 120  # so long an operation may take, and only its end is seen

    def seal(self, resource: Resource, record: Record) -> Any:
        body = dict(record)
        for column, (navigation, table) in BINDS.items():
            if id := dig(body, column):
                del body[column.partition(".")[0]]
                body[f"{navigation}@odata.bind"] = f"/{table}({id})"
        return body

    def open(self, resource: Resource, body: Any) -> Record:
        """Choices by their names; a lookup by its id, also as we write it. A stage by its name and place."""
        record = super().open(resource, body)
        if resource is stages:
            siblings = [each.get("Value") for each in many(record, f"{OUTER}.OptionSet.Options")]
            place = siblings.index(record.get("Value")) if record.get("Value") in siblings else None
            return record | {"name": next(iter(labels(record)), None), "position": place}
        named = (*CHOICES, "statuscode")
        told = {name: shown for name in named if (shown := record.get(f"{name}@{SHOWN}"))}
        if shown := record.get(f"salesstage@{SHOWN}"):
            told["salesstage"] = {"id": record.get("salesstage"), "name": shown}
        for column, (navigation, _) in BINDS.items():
            if bound := GUID.search(str(record.get(f"{navigation}@odata.bind"))):
                plant(told, column, bound[0])
        return record | told

    def member(self, resource: Resource, id: str) -> str:
        return f"{resource.path}({self.known(id)})"

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        """Without a choice of columns, 150 and more would come: all there are, for who wants one that is none of ours,
        as a choice of one that is not there would be refused."""
        if resource.plural not in NAMES:
            return {}
        query = selected(resource)
        if not set(extra) <= set(query["$select"].split(",")):
            del query["$select"]
        return query

    def custom(self, resource: Resource) -> Talk[Sequence[str]]:
        """The columns that were added to contacts, but for those that say another's value in words."""
        row = resource.table.row("custom_fields")
        if resource is not contacts or row is None:
            return ()
        query = {"$select": "LogicalName,AttributeOf,AttributeTypeName", "$filter": "IsCustomAttribute eq true"}
        told = many((yield from self.ask(wire.get(ATTRIBUTES.format(NAMES[resource.plural]), query))).body, "value")
        plain = [
            each for each in told if not each.get("AttributeOf") and word(each, "AttributeTypeName.Value") in PLAIN
        ]
        names = [name for each in plain if (name := word(each, "LogicalName"))]
        return tuple(row.place.get(dict.fromkeys(names, "")) or ())

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """These columns were told by the CRM, and can be asked for by their names."""
        request = super().page_request(resource, since, cursor, limit)
        if resource not in (leads, contacts):
            return request
        return replace(request, query={**request.query, **selected(resource, (VERSION, *extra))})

    def stretch(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Talk[Stretch]:
        most = max(1, CELLS // (len(resource.table.columns) + len(extra)))
        return (yield from super().stretch(resource, since, cursor, min(limit, most), extra))

    def making(self, resource: Resource, body: Any) -> Request:
        prefer = {"prefer": f"return=representation,{PREFER}"}
        return replace(super().making(resource, body), query=self.view(resource), headers=prefer)

    def written_id(self, resource: Resource, response: Response) -> str | None:
        """In the record, or in a header where the record was not answered after all."""
        made = re.search(rf"\(({GUID.pattern})\)$", response.headers.get("odata-entityid", ""))
        return word(response.body, key(resource)) or (made[1] if made else None)

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        return word(response.body, key(resource)) is not None

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The numbers of choices that are given by name. One look-up tells them all."""
        named = {column: name for column in CHOICES if isinstance(name := body.get(column), str)}
        if not named:
            return body
        answer = yield from self.ask(wire.get(PICKLISTS.format(NAMES[resource.plural]), options(*named)))
        choices = {
            word(each, "LogicalName"): [(one.get("Value"), labels(one)) for one in many(each, "OptionSet.Options")]
            for each in many(answer.body, "value")
        }
        return body | {column: chosen(CHOICES[column], name, choices.get(column, ())) for column, name in named.items()}

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """What was made since then; what changed may be far more. Queries read the tables themselves."""
        return (yield from self.gather(resource.path, Walk(MADE), selected(resource, (VERSION,)), since=since))


class Login(OAuth2):
    """A token is good for one environment, which every refresh has to name."""

    def refresh(self, credentials: Credentials, app: Credentials) -> Talk[Token]:
        talk = super().refresh(credentials, app)
        request, host = next(talk), str(app.get("origin") or "").rstrip("/").replace(".api.", ".", 1)
        scope = {"scope": f"{host}/.default offline_access"} if host else {}
        try:
            talk.send((yield replace(request, form={**(request.form or {}), **scope})))
        except StopIteration as end:
            return end.value
        raise AssertionError("there is one request to the token endpoint")

    def refusal(self, response: Response) -> Problem:
        """Three codes ask the user to sign in. Any other that Entra tells is of our request, our app, or an outage."""
        told, problem = word(response.body, "error"), super().refusal(response)
        signs_in = told in (None, "invalid_grant", "interaction_required", "consent_required")
        if signs_in or problem.kind is not Kind.NEEDS_REAUTH:
            return problem
        return Problem(Kind.CRM_UNAVAILABLE, "The CRM refused to renew the token.", remote=problem.remote)


CRM = catalog.CRM(
    name="msdynamics",
    title="Microsoft Dynamics 365 Sales",
    docs="https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview",
    hosts={"api": Host(None, ("dynamics.com",)), "token": Host("https://login.microsoftonline.com")},
    auth={"oauth2": Login("/{tenant}/oauth2/v2.0/token")},
    dialect=Dynamics(),
    # 6,000 calls of a user in five minutes, which together may take 1,200 seconds: that is four at a time. In a day,
    # what a user of Sales Professional has.
    pace=Pace(4, 1, daily=40_000),
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
    settings={"tenant": Setting("The id or a domain of the tenant whose users sign in.", default="organizations")},
)
