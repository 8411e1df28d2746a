"""Salesforce: SOQL, and writes that answer no record.

Records https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/using_resources_working_with_records.htm
SOQL    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql.htm
Lead    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_lead.htm
Errors  https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
Fields  https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select-fields.md
Limits  https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from switchboard.crm import catalog, wire
from switchboard.crm.auth import OAuth2, said
from switchboard.crm.catalog import Host, Pace, Resource
from switchboard.crm.codecs import text
from switchboard.crm.complaint import Complaint
from switchboard.crm.dialect import Answer, Dialect, Draft, Gone, Rate
from switchboard.crm.paging import Cursor, Stretch, second, sliced
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem, Remote
from switchboard.crm.vendors.salesforce.rows import (
    ACCOUNT,
    DATA,
    NO_PIPELINES,
    companies,
    contacts,
    deals,
    leads,
    stages,
    users,
)
from switchboard.crm.wire import Request, Response, Talk, dig, many, merged, texts, word

MOST_FIELDS = 200
"""Records per query that asks for all fields."""

DELETED_PAGE = 2000
"""Ids per query; the largest batch that the vendor gives."""

ESCAPES = str.maketrans({
    "\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
})  # fmt: skip


def literal(value: Any) -> str:
    """A value as SOQL writes it. The only way in which a value gets into a query."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case datetime():
            return second(value)
        case _:
            return "'" + str(value).translate(ESCAPES) + "'"


def soql(resource: Resource, columns: Iterable[str], *where: str, order: str, limit: int) -> Request:
    """A query for columns of a resource."""
    name = resource.path.rpartition("/")[2]
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    query = f"SELECT {', '.join(columns)} FROM {name}{conditions} ORDER BY {order} LIMIT {limit}"  # noqa: S608 - see literal()
    return wire.get(f"{DATA}/query", {"q": query})


def moved(resource: Resource) -> str:
    """The moment by which it is found what changed. That of the system moves with the last activity, too, and cannot be
    set back by an import; of a lead it is the one that callers are told, and ask about."""
    return "SystemModstamp" if resource is contacts else "LastModifiedDate"


class Salesforce(Dialect):
    """Errors are arrays, a 403 may be a rate limit, and only the read of an id shows what was written.

    A read of one record names no columns: it then answers all that the user may see, custom fields too.
    """

    ids = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{1,18}")  # words lead elsewhere: `describe`, `approvalLayouts`
    codes = {  # noqa: RUF012
        "REQUEST_LIMIT_EXCEEDED": Kind.CRM_RATE_LIMITED,
        "UNABLE_TO_LOCK_ROW": Kind.CRM_RATE_LIMITED,
        "INVALID_SESSION_ID": Kind.NEEDS_REAUTH,
        "NOT_FOUND": Kind.CRM_NOT_FOUND,
        "ENTITY_IS_DELETED": Kind.CRM_NOT_FOUND,
        "DUPLICATES_DETECTED": Kind.CRM_CONFLICT,
        "DUPLICATE_VALUE": Kind.CRM_CONFLICT,
        "INSUFFICIENT_ACCESS": Kind.CRM_FORBIDDEN,
        "INSUFFICIENT_ACCESS_OR_READONLY": Kind.CRM_FORBIDDEN,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Kind.CRM_FORBIDDEN,
        "API_DISABLED_FOR_ORG": Kind.CRM_FORBIDDEN,
    }
    forwarded = ("sforce-limit-info",)
    whole_answers = False  # a create answers `{id, success, errors}`
    request_id_headers = ("x-request-id", "x-sfdc-request-id")
    lag = 30  # SOQL lags behind nothing; but a change has its moment within a transaction, and is seen at its end
    look_lag = 0  # what is looked at after a create that was not answered lags behind nothing

    def written_id(self, resource: Resource, response: Response) -> str | None:
        return word(response.body, "id")

    def complaint(self, response: Response) -> Complaint | None:
        refused = isinstance(response.body, dict) and response.body.get("success") is False
        if response.ok and not refused:
            return None
        first = dig(response.body, "errors.0") if refused else dig(response.body, "0") or response.body
        code, message = word(first, "errorCode") or word(first, "statusCode"), word(first, "message")
        # `duplicateResut` is how the vendor spells it; a corrected spelling would be read as well.
        result = dig(first, "duplicateResut") or dig(first, "duplicateResult")
        told = re.search(r"record with id: (\w{15,18})", message or "") if code == "DUPLICATE_VALUE" else None
        # Of an id in a path; one in a body has the name of its field beside it.
        misshapen = code == "MALFORMED_ID" and not (refused or texts(first, "fields"))
        existing = word(result, "matchResults.0.matchRecords.0.record.Id") or (told[1] if told else None)
        kind = Kind.CRM_BAD_ID if misshapen else None
        return Complaint(code, message, fields=texts(first, "fields"), existing_id=existing, kind=kind)

    def rate(self, response: Response) -> Rate | None:
        """The daily allowance of the org; when it opens again is not told."""
        usage = re.search(r"api-usage=(\d+)/(\d+)", response.headers.get("sforce-limit-info", ""))
        return Rate(limit=int(usage[2]), remaining=max(0, int(usage[2]) - int(usage[1]))) if usage else None

    def draft(self, resource: Resource, item: Record, remote_data: Record | None = None) -> Draft:
        """A company that is named outright needs no account to be read; the account is then told as having no place."""
        draft = super().draft(resource, item, remote_data)
        if not (isinstance(draft.body, dict) and draft.body.get("Company") and ACCOUNT in draft.body):
            return draft
        body = {name: value for name, value in draft.body.items() if name != ACCOUNT}
        return Draft(body, (*draft.ignored, "account"))

    def prepare(self, resource: Resource, body: Any) -> Talk[Any]:
        """A lead's company is a text: where an account is given, its name is read first."""
        account, rest = body.get(ACCOUNT), {name: value for name, value in body.items() if name != ACCOUNT}
        if not account or rest.get("Company"):
            return rest
        path = f"{DATA}/sobjects/Account/{wire.segment(account)}"
        found = yield from self.ask(wire.get(path, {"fields": "Name"}))
        return merged(rest, {"Company": dig(found.body, "Name")})

    def related(self, resource: Resource, answer: Answer, name: str, other: Resource) -> Talk[Answer | None]:
        """An opportunity names its stage by a value of a picklist, and contacts by roles where none is primary."""
        query = self._sought(answer.item, name) if resource is deals else None
        if query is None:
            return (yield from super().related(resource, answer, name, other))
        try:
            found = many((yield from self.ask(query)).body, "records")
        except Problem as problem:
            # To SOQL an object that the user may not see is none, and we misspell none.
            if problem.remote and problem.remote.code == "INVALID_TYPE":
                problem.kind = Kind.CRM_FORBIDDEN
            raise
        return (yield from self.answer(other, found[0])) if found else None

    def _sought(self, deal: Record, name: str) -> Request | None:
        """The query for what an opportunity tells no id of."""
        if name == "stage" and (value := dig(deal, "stage.id")):
            where = f"ApiName = {literal(value)}"
            return soql(stages, stages.table.columns, where, order="SortOrder ASC", limit=1)
        if name == "contact" and "contact" not in deal:
            # All fields come of contacts alone, so that a role cannot order them: the oldest of several it is.
            roles = f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = {literal(deal['id'])}"  # noqa: S608 - see literal()
            return soql(contacts, ["FIELDS(ALL)"], f"Id IN ({roles})", order="CreatedDate ASC, Id ASC", limit=1)
        return None

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        """SOQL does not lag behind writes. Only the keys are asked for: a column hidden from the user fails a query."""
        keys = [column for each in resource.table.rows if each.key for column in each.place.columns]
        given = [(column, (text.into(draft.body.get(column)) or "").strip()) for column in keys]
        known = {column: value for column, value in given if value}  # it trims, and keeps no blanks
        where = [f"{column} = {literal(value)}" for column, value in known.items()]
        made = f"CreatedDate >= {literal(since)}"
        order = "CreatedDate ASC, Id ASC"
        query = soql(resource, ["Id", "CreatedDate", *known], *where, made, order=order, limit=200)
        return many((yield from self.ask(query)).body, "records")

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        """Keyset paging: an offset ends at 2,000, and a position of ours has to outlive the vendor's query cursor.

        All fields are asked for, at most 200 records at once: a field that is named and hidden from the user would fail
        the query, and custom fields cannot be named beforehand.
        """
        if resource is stages:
            return soql(resource, resource.table.columns, order="SortOrder ASC", limit=MOST_FIELDS)
        stamp = moved(resource)
        order = f"{stamp} ASC, Id ASC" if since else "Id ASC"
        where: list[str] = []
        if since and "at" in cursor:
            at, last = literal(datetime.fromisoformat(cursor["at"])), literal(cursor["id"])
            where = [f"({stamp} > {at} OR ({stamp} = {at} AND Id > {last}))"]
        elif since:
            where = [f"{stamp} >= {literal(since)}"]
        elif "id" in cursor:
            where = [f"Id > {literal(cursor['id'])}"]
        return soql(resource, ["FIELDS(ALL)"], *where, order=order, limit=min(limit, MOST_FIELDS))

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        """A page may be shorter than asked for, and then says that it is not all."""
        found = many(response.body, "records")
        if resource is stages:
            return sliced(found, cursor, limit)
        last, at = (word(found[-1], name) if found else None for name in ("Id", moved(resource)))
        whole = len(found) < min(limit, MOST_FIELDS) and dig(response.body, "done") is not False
        if whole or last is None or (since and at is None):
            return found, None
        return found, {"id": last} | ({"at": at} if since else {})

    def deleted(self, resource: Resource, *, since: datetime, cursor: Cursor | None = None) -> Talk[Gone | None]:
        """`queryAll` sees the recycle bin, where a record stays for 15 days."""
        position = cursor or {}
        after = [f"Id > {literal(position['id'])}"] if "id" in position else []
        where = ("IsDeleted = true", f"SystemModstamp >= {literal(since)}", *after)
        query = soql(resource, ["Id"], *where, order="Id ASC", limit=DELETED_PAGE)
        response = yield from self.ask(wire.get(f"{DATA}/queryAll", query.query))
        ids = [found for each in many(response.body, "records") if (found := word(each, "Id"))]
        more = len(ids) >= DELETED_PAGE or dig(response.body, "done") is False
        return Gone(ids, {"id": ids[-1]} if ids and more else None)


class Login(OAuth2):
    """`invalid_grant` also says that another refresh of the same account is under way; that account is not lost."""

    __slots__ = ()

    def refusal(self, response: Response) -> Problem:
        if "already being processed" not in said(response):
            return super().refusal(response)
        detail = "Another refresh of this account's token is under way."
        return Problem(Kind.CRM_UNAVAILABLE, detail, remote=Remote(response.status), retry_after=2)


CRM = catalog.CRM(
    name="salesforce",
    title="Salesforce",
    docs="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
    hosts={
        "api": Host(None, ("salesforce.com",)),
        "token": Host("https://login.salesforce.com", ("salesforce.com",)),
    },
    auth={"oauth2": Login("/services/oauth2/token", origin="instance_url")},
    dialect=Salesforce(),
    # Of all clients of an org together, and 1,000 more for each user; there is no limit by the second, but manners.
    pace=Pace(5, 1, daily=100_000),
    resources={
        "contacts": contacts,
        "companies": companies,
        "deals": deals,
        "leads": leads,
        "pipelines": NO_PIPELINES,
        "stages": stages,
        "users": users,
    },
    pods={"Lead": "leads", "Opportunity": "deals", "Account": "companies", "Contact": "contacts"},
)
