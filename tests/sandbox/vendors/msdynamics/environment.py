"""A Dataverse environment: who is admitted, its limits, what every environment has, and the refusals of any path.

Errors are `{"error": {"code", "message"}}`; the code is a hexadecimal number, sometimes empty.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors
https://learn.microsoft.com/power-apps/developer/data-platform/api-limits
https://learn.microsoft.com/troubleshoot/power-platform/dataverse/dataverse-web-api-and-sdk/web-api-client-errors
"""

import re
import uuid
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Route, route
from tests.sandbox.grants import Standing
from tests.sandbox.vendors.msdynamics.odata import preferences
from tests.sandbox.vendors.msdynamics.tables import TABLES, Table
from tests.sandbox.vendors.msdynamics.tokens import Entra

API = '/api/data/v<any("9.0","9.1","9.2"):version>'
ORGANIZATION = "3d2f6c5e-8f3b-4c0c-9a55-0d3c1b7e6a01"
BUSINESS_UNIT = "5b0f0a5c-4d35-4d65-8f0a-2b6d8f1c9e02"
WINDOW = 300
EXECUTION_SECONDS = 1200
NOT_UNDERSTOOD = "0x80060888"
"""An address or query option that cannot be read."""
NO_RECORD = "0x80040217"
SALES = ("leads", "opportunities")

type Row = dict[str, Json]


def error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def refused(status: int, code: str, message: str) -> RefusalError:
    return RefusalError(error(status, code, message))


def payload(entity_set: str, inner: str) -> Answer:
    """What is wrong with a body before any record is looked at."""
    message = f"Error identified in Payload provided by the user for Entity :'{entity_set}'  ---->  InnerException : "
    return error(400, "0x80048d19", f"{message}Microsoft.OData.ODataException: {inner}")


def no_property(table: Table, name: str) -> RefusalError:
    message = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table.logical_name}'."
    return refused(400, "0x0", message)


@dataclass(frozen=True)
class Place:
    """Where a page of a list ended; `version` is that of the environment when the list began."""

    number: int
    after: tuple[Any, ...]
    version: int


class Environment(Entra):
    name = "msdynamics"
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_window": 1_000_000,
        "limit_that_is_hit": "requests",
        "revoked_grant_number": 50173,
        "says_why_unauthenticated": False,
        "user_is_member": True,
        "sales_app": True,
        "unknown_segment_status": 404,
        "change_tracking": False,
        "change_tracking_days": 30,
        "duplicate_status": 500,
        "required_columns": {},
        "ignores_read_only_columns": False,
        "null_unbinds": False,
        "missing_record_code": NO_RECORD,
        "forbidden": [],
    }
    nouns: ClassVar[dict[str, str]] = {"companies": "accounts", "deals": "opportunities", "users": "systemusers"}
    """The vendor's own `requests_per_window` is 6000 per user and web server in 300 s.

    `limit_that_is_hit`: requests, time or concurrency, whose codes differ. `revoked_grant_number`: 50173 revoked, 70008
    and 700082 unused for too long, 50076 and 50079 second factor. `says_why_unauthenticated`: the body of a 401 is
    empty or text. `sales_app`: without it there are no leads and no deals. `unknown_segment_status`: 404 in the
    vendor's table, 400 in a stub of others. `change_tracking`: whether it is switched on for leads, contacts, accounts
    and opportunities; a delta link older than `change_tracking_days` brings every row and no deletion (each
    organization can change the vendor's 30). `duplicate_status`: 500 in the vendor's example, 412 in its table.
    `required_columns` ({"leads": ["subject"]}) are asked for by a plug-in of this environment: the platform itself
    requires none.
    `ignores_read_only_columns` and `null_unbinds` were never seen: whether a column that is read only, or null for a
    lookup, is refused. `missing_record_code`: that of a 404, which only stubs of others tell. `forbidden`: contacts,
    companies, deals, leads and users that no security role of the user may read, also where $expand leads there.
    """

    def clear(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {entity_set: {} for entity_set in TABLES}
        self.gone: dict[str, list[Row]] = {entity_set: [] for entity_set in TABLES}
        self.numbers = count(1)
        self.versions = count(72_935_001)
        self.newest = 72_935_000
        self.window = Window(WINDOW, self.clock)
        self.refused_in_a_row = 0
        self.places: dict[tuple[Any, ...], Place] = {}
        self.base_currency = self.currency("US Dollar", "USD", "$", 1.0)
        self.currency("Euro", "EUR", "€", 0.8)
        self.user_id = self.user("Ada", "Admin")  # who calls, and owns what says nothing else
        self.user("Sven", "Seller")
        self.user("Dana", "Departed", isdisabled=True)
        self.user("#", "Connector", applicationid=str(uuid.uuid5(uuid.NAMESPACE_URL, "connector")))
        self.plant("teams", {"name": "Inside Sales"})
        for category, name in enumerate(("Qualify", "Develop", "Propose", "Close")):
            self.plant("processstages", {"stagename": name, "stagecategory": category})

    def currency(self, name: str, code: str, symbol: str, rate: float) -> str:
        facts = {"currencyname": name, "isocurrencycode": code, "currencysymbol": symbol, "exchangerate": rate}
        return str(self.plant("transactioncurrencies", facts))

    def user(self, first: str, last: str, **facts: Json) -> str:
        email = f"{first.strip('#')}{last}@example.com".lower()
        person = {"firstname": first, "lastname": last, "internalemailaddress": email, "domainname": email}
        return str(self.plant("systemusers", {**person, "isdisabled": False, **facts}))

    def version(self) -> int:
        """One row version counter for the whole environment: it is the ETag of a row."""
        self.newest = next(self.versions)
        return self.newest

    # Who and where.

    @route("GET", f"{API}/WhoAmI", f"{API}/WhoAmI()", label="WhoAmI")
    def who_am_i(self, request: Request) -> Answer:
        context = f"{self.service(request)}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
        ids = {"BusinessUnitId": BUSINESS_UNIT, "UserId": self.user_id, "OrganizationId": ORGANIZATION}
        return Answer(200, {"@odata.context": context} | ids)

    def service(self, request: Request) -> str:
        """Links lead back to the host that was called, as the vendor's do."""
        host = request.headers.get("host", "localhost")
        return f"http://{host}/api/data/v{request.args['version']}"

    def find(self, request: Request) -> Route | Answer:
        found = super().find(request)
        table = TABLES.get(request.args.get("kind", ""))
        if table is not None:
            if table.entity_set in SALES and not self.settings["sales_app"]:
                return self.route_unknown(request)
            request.args["table"] = table.privilege
        return found

    def authenticate(self, request: Request, scope: str | None) -> None:
        """The scopes of a grant are the privileges of the user's security role."""
        super().authenticate(request, scope)
        if not self.settings["user_is_member"]:
            raise refused(403, "0x80072560", "The user is not a member of the organization.")
        if request.method == "GET" and (table := TABLES.get(request.args.get("kind", ""))):
            self.permit(table)

    def permit(self, table: Table) -> None:
        if table.entity_set in map(self.noun, self.settings["forbidden"]):
            raise RefusalError(self.missing_scope(f"prvRead{table.privilege}"))

    def check(self, request: Request) -> None:
        """There is no OpenAPI document: the columns are checked where they are written."""
        if request.body and not request.headers.get("content-type", "").startswith("application/json"):
            raise refused(415, "", "The request entity's media type is not supported for this resource.")
        lists = request.method == "GET" and "id" not in request.args
        allowed = LIST_OPTIONS if lists else set[str]() if request.method == "DELETE" else {"$select", "$expand"}
        for name in request.query:
            if name.startswith("$") and name not in allowed:
                raise refused(400, NOT_UNDERSTOOD, f"The query parameter {name} is not supported.")

    def handle(self, found: Route | Answer, request: Request, label: str) -> Answer:
        """Who asks for annotations gets them in errors, too."""
        answer = super().handle(found, request, label)
        if isinstance(answer.body, dict) and isinstance(answer.body.get("error"), dict):
            answer.body = {"error": annotated(answer.body["error"], request)}
        return answer

    # Limits.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        if label == "token":
            return {}
        left = self.window.spend(self.settings["requests_per_window"])
        if left is None:
            # The wait grows while the caller goes on; by how much is not documented.
            self.refused_in_a_row += 1
            raise RefusalError(self.rate_limited(min(WINDOW, 5 * self.refused_in_a_row), label))
        self.refused_in_a_row = 0
        return {
            "OData-Version": "4.0",
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(left),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{EXECUTION_SECONDS:,}.00",
        }

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        code, message = {
            "requests": (
                "0x80072322",
                "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
            ),
            "time": (
                "0x80072321",
                "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds.",
            ),
            "concurrency": ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
        }[self.settings["limit_that_is_hit"]]
        answer = error(429, code, message)
        answer.headers = {"OData-Version": "4.0"} | ({} if wait is None else {"Retry-After": f"{wait:g}"})
        return answer

    # Refusals.

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        """No error object: the gateway before the API refuses."""
        if self.settings["says_why_unauthenticated"]:
            return Answer(401, b"HTTP Error 401 - Unauthorized: Access is denied", {"Content-Type": "text/html"})
        return Answer(401)

    def missing_scope(self, scope: str) -> Answer:
        return error(403, "0x80040220", f"Principal user (Id={self.user_id}, type=8) is missing {scope} privilege.")

    def server_error(self, status: int) -> Answer:
        return error(status, "0x80040216", "An unexpected error occurred.")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        return self.already_there()

    def already_there(self) -> Answer:
        """It names no record: who wants to know which has to look for it."""
        message = "A record was not created or updated because a duplicate of the current record already exists."
        return error(self.settings["duplicate_status"], "0x80040333", message)

    def route_unknown(self, request: Request) -> Answer:
        match = re.match(r"/api/data/v9\.[012]/([^/(]+)", request.path)
        if match is None:
            return self.no_resource(request)
        message = f"Resource not found for the segment '{match[1]}'."
        return error(self.settings["unknown_segment_status"], NOT_UNDERSTOOD, message)

    def no_resource(self, request: Request) -> Answer:
        return error(404, "", f"No HTTP resource was found that matches the request URI '{request.path}'.")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        """A function that is called with the wrong method is not even found."""
        if "/WhoAmI" in request.path:
            return self.no_resource(request)
        answer = error(405, "", f"The requested resource does not support http method '{request.method}'.")
        answer.headers = {"Allow": ", ".join(method for method in allowed if method != "HEAD")}
        return answer

    def bad_json(self, detail: str) -> Answer:
        return payload("", f"Invalid JSON. {detail}")

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        return payload("", f"{where}: {detail}")


LIST_OPTIONS = {"$select", "$filter", "$orderby", "$top", "$expand", "$count", "$skiptoken", "$deltatoken"}


def annotated(told: Row, request: Request) -> Row:
    wishes = preferences(request.headers.get("prefer", ""))
    prefix = "@Microsoft.PowerApps.CDS."
    code, message = told["code"], told["message"]
    more = {
        f"{prefix}ErrorDetails.OperationStatus": "1",
        f"{prefix}ErrorDetails.SubErrorCode": "0",
        f"{prefix}HelpLink": f"http://go.microsoft.com/fwlink/?LinkID=398563&error={code}&client=platform",
        f"{prefix}TraceText": "",
        f"{prefix}InnerError.Message": message,
    }
    return told | {name: value for name, value in more.items() if wishes.wants(name.removeprefix("@"))}
