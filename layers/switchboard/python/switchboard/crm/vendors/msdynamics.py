"""Microsoft Dynamics 365 Sales: tables of Dataverse, read and written by OData.

Requests https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors
Create   https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api
Lead     https://learn.microsoft.com/dynamics365/sales/developer/entities/lead
Choices  https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
Time     https://learn.microsoft.com/power-apps/developer/data-platform/analyze-performance
Tokens   https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import Credentials, OAuth2, Token
from switchboard.crm.catalog import Host, Resource, Setting, Unsupported, Within, fixed
from switchboard.crm.codecs import Codec, choice, moment, number, text
from switchboard.crm.dialect import OUTER, Dialect, Draft
from switchboard.crm.mapping import Named, Postal, Record, Slots, Table, chosen, row
from switchboard.crm.paging import Cursor, Stretch, Whole, second
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response, Talk, dig, many, word
from switchboard.models.lead import LEAD
from switchboard.models.stage import STAGE

DATA = "/api/data/v9.2"
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CUSTOM = re.compile(r"(?!address\d_|revenue_base$)[a-z][a-z0-9]{1,7}_\w+", re.ASCII)
"""Columns that somebody added begin with the prefix of a publisher; a few that all environments have look like it."""

SHOWN = "OData.Community.Display.V1.FormattedValue"
"""The annotation of a value as users see it, such as the name of a choice; others tell traces of its faults."""
PREFER = f'odata.include-annotations="{SHOWN}"'

LOOKUPS = {"ownerid": "systemusers", "parentcontactid": "contacts", "parentaccountid": "accounts"}
"""Where a lookup leads. It is read as its value, and written as a path through the navigation property."""

CHOICES = {"leadsourcecode": "lead_source", "industrycode": "industry"}
"""Columns that take the number of a choice, which a caller gives by its name."""

MADE, CHANGED, VERSION = "createdon", "modifiedon", "versionnumber"
"""Lists are sorted by a moment of whole seconds, then by the version, which no two records share; ids know no `gt`.
https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators
"""


def _guid(value: Any) -> str:
    if isinstance(value, str) and GUID.fullmatch(value):
        return value
    raise ValueError("must be a GUID, such as 0928bcb4-bb27-ed11-9db1-002248274ada; an owner is a user, never a team")


guid = Codec(_guid, text.into)

PHONES = {"work": "telephone1", "mobile": "mobilephone", "home": "telephone2", "secondary": "telephone3", "fax": "fax"}
"""By the vendor's labels: business, mobile, home and other phone. A caller's first is the one of the business."""
EMAILS = {"primary": "emailaddress1", "secondary": "emailaddress2", "other": "emailaddress3"}
ADDRESS = (f"address1_{part}" for part in ("line1", "city", "stateorprovince", "postalcode", "country", "line2"))
ADDED = Named(lambda key: bool(CUSTOM.fullmatch(key)), "they begin with a publisher's prefix: new_")

lead = Table(
    LEAD,
    row("id", "leadid", text, read_only=True),
    row("title", "subject", text, key=True),
    row("owner.id", "_ownerid_value", guid),
    row("contact.id", "_parentcontactid_value", guid, key=True),
    row("account.id", "_parentaccountid_value", guid, key=True),
    row("first_name", "firstname", text, key=True),
    row("last_name", "lastname", text, key=True),
    row("lead_source", "leadsourcecode", text),
    row("email_addresses", Slots("email", EMAILS), key=True),
    row("phone_numbers", Slots("number", {"primary": "telephone1"} | PHONES)),
    row("addresses", Postal(*ADDRESS)),
    row("description", "description", text, write_only=True),
    row("industry", "industrycode", text, write_only=True),
    row("website", "websiteurl", text, write_only=True),
    row("number_of_employees", "numberofemployees", write_only=True),
    row("custom_fields", ADDED, write_only=True),  # columns are asked for by name: which were added we do not know
    row("status", "statuscode", text, read_only=True),
    row("created_at", MADE, moment, read_only=True),
    row("updated_at", CHANGED, moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "Value", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("position", "position", number, read_only=True),
    row("status", "IsHidden", choice({"active": False, "inactive": True}), read_only=True),
)

PICKLISTS = DATA + "/EntityDefinitions(LogicalName='{}')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"


def options(*columns: str) -> dict[str, str]:
    """The query for what may be chosen in these columns; for several it is that for all, as it was recorded."""
    query = {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"}
    return query | ({"$filter": f"LogicalName eq '{columns[0]}'"} if len(columns) == 1 else {})


def labels(option: Any) -> list[str]:
    """The names of a choice: in the language of the user, and in all others."""
    told = [dig(option, "Label.UserLocalizedLabel"), *many(option, "Label.LocalizedLabels")]
    return [name for each in told if (name := word(each, "Label"))]


@dataclass(frozen=True, slots=True)
class Walk:
    """Leads in the order of a moment. `$skip` is unknown, and a next link would name a host."""

    since: str = CHANGED
    """The moment that is asked about. All leads come in the order in which they were made: so no change moves one."""
    changes: bool = True

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        stamp = self.since if since else MADE
        query = {"$select": ",".join([*lead.columns, VERSION]), "$orderby": f"{stamp},{VERSION}", "$top": str(limit)}
        if "at" in cursor:
            at = second(datetime.fromisoformat(cursor["at"]))
            query["$filter"] = f"{stamp} gt {at} or ({stamp} eq {at} and {VERSION} gt {int(cursor['version'])})"
        elif since:
            query["$filter"] = f"{stamp} ge {second(since)}"
        return query

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        found, stamp = many(response.body, "value"), self.since if since else MADE
        at, version = (moment.into(dig(found[-1], stamp)), dig(found[-1], VERSION)) if found else (None, None)
        if len(found) < limit or at is None or not isinstance(version, int):
            return found, None
        return found, {"at": at, "version": version}


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
        for name, table in LOOKUPS.items():
            if id := body.pop(f"_{name}_value", None):
                body[f"{name}@odata.bind"] = f"/{table}({id})"
        return body

    def open(self, resource: Resource, body: Any) -> Record:
        """Choices by their names; a lookup by its id, also as we write it. A stage by its name and place."""
        record = super().open(resource, body)
        if resource is stages:
            siblings = [each.get("Value") for each in many(record, f"{OUTER}.OptionSet.Options")]
            place = siblings.index(record.get("Value")) if record.get("Value") in siblings else None
            return record | {"name": next(iter(labels(record)), None), "position": place}
        told = {name: shown for name in ("leadsourcecode", "statuscode") if (shown := record.get(f"{name}@{SHOWN}"))}
        for name in LOOKUPS:
            bound = GUID.search(str(record.get(f"{name}@odata.bind")))
            told |= {f"_{name}_value": bound[0]} if bound else {}
        return record | told

    def member(self, resource: Resource, id: str) -> str:
        return f"{resource.path}({self.known(id)})"

    def view(self, resource: Resource, extra: Sequence[str] = ()) -> dict[str, str]:
        """Without a choice of columns, 150 and more would come."""
        return {"$select": ",".join(resource.table.columns)} if resource is leads else {}

    def making(self, resource: Resource, body: Any) -> Request:
        prefer = {"prefer": f"return=representation,{PREFER}"}
        return replace(super().making(resource, body), query=self.view(resource), headers=prefer)

    def written_id(self, resource: Resource, response: Response) -> str | None:
        """In the record, or in a header where the record was not answered after all."""
        made = re.search(rf"\(({GUID.pattern})\)$", response.headers.get("odata-entityid", ""))
        return word(response.body, "leadid") or (made[1] if made else None)

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        return word(response.body, "leadid") is not None

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """The numbers of choices that are given by name. One look-up tells them all."""
        named = {column: name for column in CHOICES if isinstance(name := body.get(column), str)}
        if not named:
            return body
        answer = yield from self.ask(wire.get(PICKLISTS.format("lead"), options(*named)))
        choices = {
            word(each, "LogicalName"): [(one.get("Value"), labels(one)) for one in many(each, "OptionSet.Options")]
            for each in many(answer.body, "value")
        }
        return body | {column: chosen(CHOICES[column], name, choices.get(column, ())) for column, name in named.items()}

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """What was made since then; what changed may be far more. Queries read the tables themselves."""
        return (yield from self.gather(resource.path, Walk(MADE), since=since))


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


SEE = "https://learn.microsoft.com/dynamics365/sales/developer/entities/opportunity"
NO_PIPELINES = Unsupported(
    "Dataverse has no table of pipelines: an opportunity has one choice of sales stages, and any number of business "
    "process flows, which are made in their designer.",
    SEE,
)
NO_WRITES = fixed("The choices of a column are a part of its definition, which takes a customizer to change.", SEE)

leads = Resource(lead, f"{DATA}/leads", paging=Walk())
sales_stage = Resource(stage, PICKLISTS.format("opportunity"), paging=Whole("value", query=options("salesstage")))
stages = Resource(
    stage,
    sales_stage.path,
    lacks=NO_WRITES,
    nearest="The choices of the column `salesstage` of opportunities stand for stages; its definition tells them.",
    within=Within(sales_stage, "OptionSet.Options"),
)

CRM = catalog.CRM(
    name="msdynamics",
    title="Microsoft Dynamics 365 Sales",
    docs="https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview",
    hosts={"api": Host(None, ("dynamics.com",)), "token": Host("https://login.microsoftonline.com")},
    auth={"oauth2": Login("/{tenant}/oauth2/v2.0/token")},
    dialect=Dynamics(),
    resources={"leads": leads, "pipelines": NO_PIPELINES, "stages": stages},
    settings={"tenant": Setting("The id or a domain of the tenant whose users sign in.", default="organizations")},
)
