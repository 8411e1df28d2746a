"""A Salesforce org: tokens, versions, limits, and the refusals that any resource can give.

Errors are an array `[{message, errorCode, fields?}]`, except those of OAuth.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

import re
from itertools import count
from typing import Any, ClassVar

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, GrantError, Standing
from tests.sandbox.vendors.salesforce import ids
from tests.sandbox.vendors.salesforce.fields import (
    LEAD_STATUSES,
    SCHEMA,
    STAGES,
    forecast,
    moment,
)

NEWEST, OLDEST, RETIRED = 67, 31, 21
DATA = "/services/data/v<version>"
INSTANCE = "https://sandbox.my.salesforce.com"
ORG = "00DdM0000012345EAA"

NOUNS = {"Lead": "leads", "Contact": "contacts", "Account": "accounts", "Opportunity": "opportunities"} | {
    "User": "users",
    "OpportunityContactRole": "opportunity_contact_roles",
    "OpportunityStage": "stages",
    "LeadStatus": "lead_statuses",
}
OURS = {"companies": "accounts", "deals": "opportunities"}
SOBJECTS = {noun: sobject for sobject, noun in NOUNS.items()}


def error(status: int, code: str, message: str, fields: list[str] | None = None) -> Answer:
    body: dict[str, Json] = {"message": message, "errorCode": code}
    return Answer(status, [body if fields is None else body | {"fields": fields}])


def refused(status: int, code: str, message: str, fields: list[str] | None = None) -> RefusalError:
    return RefusalError(error(status, code, message, fields))


CURRENCY = "currencyisocode"
NO_RESOURCE = ("NOT_FOUND", "The requested resource does not exist")


class Org(Fake):
    name = "salesforce"
    token_path = "/services/oauth2/token"
    token_lifetime = 7200
    nouns: ClassVar[dict[str, str]] = {
        word.lower(): noun for sobject, noun in NOUNS.items() for word in (sobject, noun)
    } | OURS
    defaults: ClassVar[dict[str, Any]] = {
        "daily_requests": 1_000_000,
        "largest_batch": 2000,
        "cursor_lifetime": 172_800,
        "bin_days": 15,
        "end_minute_included": False,
        "duplicate_rule": False,
        "hidden_fields": {},
        "busy_refreshes": 0,
        "multi_currency": False,
        "forbidden": [],
        "forbidden_status": 403,
    }
    """`cursor_lifetime`: seconds for which the next page of a query may be asked for.
    `bin_days`: how long queryAll shows what was deleted. `end_minute_included`: whether the lists of the deleted and
    the updated cover the minute of `end`; seconds are ignored, and to what this leads for it is not documented.
    `hidden_fields` ({"Lead": ["Fax"]}) are kept from the user by field-level security.

    `busy_refreshes`: so many refreshes to come meet one that is under way.
    `multi_currency`: only an org that has it switched on has the column CurrencyIsoCode.
    `forbidden` (["deals"]) are objects that the user has no right to read: to SOQL they are no objects at all. How the
    other paths refuse was not recorded: with 403, as a record that is not the user's to change, or 404, which the
    vendor's table of statuses gives as the sign of a record that is not shared.
    """

    def clear(self) -> None:
        self.rows: dict[str, dict[str, dict[str, Json]]] = {sobject: {} for sobject in SCHEMA}
        self.numbers = count(1_000_001)
        self.used = 0
        self.cursors: dict[str, tuple[float, list[Json]]] = {}
        """When a query was made, and all that it found."""
        self.user_id = ids.made("User", 1_000_001)  # the first of these, who owns what says nothing else
        people = (("Ada", "Admin", "Standard"), ("Sven", "Seller", "Standard"), ("Auto", "Process", "AutomatedProcess"))
        for first, last, user_type in people:
            email = f"{first}.{last}@example.com".lower()
            person = {"FirstName": first, "LastName": last, "Email": email, "Username": email}
            self.plant("users", {**person, "IsActive": True, "UserType": user_type})
        for order, name in enumerate(STAGES, start=1):
            closed, won = name.startswith("Closed"), name == "Closed Won"
            facts = {"ApiName": name, "MasterLabel": name, "SortOrder": order, "IsClosed": closed, "IsWon": won}
            probability, category = forecast(name)
            more = {"IsActive": True, "DefaultProbability": probability, "ForecastCategoryName": category}
            self.plant("stages", facts | more)
        for order, name in enumerate(LEAD_STATUSES, start=1):
            facts = {"ApiName": name, "MasterLabel": name, "SortOrder": order, "IsDefault": order == 1}
            self.plant("lead_statuses", facts | {"IsConverted": name == "Closed - Converted"})

    # Tokens.

    @route("POST", "/services/oauth2/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """No expires_in; a refresh_token only when the app rotates them, and then the old one is dead."""
        form = request.form
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return token_refused("unsupported_grant_type", "grant type not supported")
        if self.settings["busy_refreshes"] > 0:
            # The code is that of a dead token: only the sentence tells (release notes of Winter '25).
            self.settings["busy_refreshes"] -= 1
            return token_refused("invalid_grant", "token request is already being processed")
        try:
            issued = self.grants.redeem(form, form.get("client_id", ""), form.get("client_secret", ""))
        except ClientError:
            known = any(grant.client_id == form.get("client_id") for grant in self.grants.all)
            return (
                token_refused("invalid_client", "invalid client credentials")
                if known
                else token_refused("invalid_client_id", "client identifier invalid")
            )
        except GrantError:
            return token_refused("invalid_grant", "expired access/refresh token")
        body = {
            "access_token": issued.access_token,
            "instance_url": INSTANCE,
            "id": f"https://login.salesforce.com/id/{ORG}/{self.user_id}",
            "issued_at": str(round(self.clock() * 1000)),
            "signature": "c2FuZGJveA==",
            "token_type": "Bearer",
            "scope": "api refresh_token",
        }
        rotated = issued.grant.rotates or form["grant_type"] == "authorization_code"
        return Answer(200, body | ({"refresh_token": issued.refresh_token} if rotated else {}))

    @route("POST", "/services/oauth2/revoke", label="token/revoke", public=True)
    def revoke(self, request: Request) -> Answer:
        known = self.grants.revoke(request.form.get("token", ""))
        return Answer(200) if known else token_refused("unsupported_token_type", "this token type is not supported")

    # Versions and limits.

    def find(self, request: Request) -> Route | Answer:
        """Versions 21 to 30 are gone; what never was is unknown."""
        match = re.match(r"/services/data/v(\d+)\.0(?:/|$)", request.path)
        if match and not OLDEST <= int(match[1]) <= NEWEST:
            if RETIRED <= int(match[1]) < OLDEST:
                return error(410, "UNSUPPORTED_API_VERSION", "This API version has been retired.")
            return error(404, *NO_RESOURCE)
        return super().find(request)

    @route("GET", "/services/data", label="versions", public=True)
    def versions(self, request: Request) -> Answer:
        numbers = range(OLDEST, NEWEST + 1)
        return Answer(200, [{"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in numbers])

    @route("GET", DATA, label="resources", scope="api")
    def resources(self, request: Request) -> Answer:
        names = ("sobjects", "query", "queryAll", "limits", "composite")
        return Answer(200, {name: f"{request.path.rstrip('/')}/{name}" for name in names})

    @route("GET", f"{DATA}/limits", label="limits", scope="api")
    def limits(self, request: Request) -> Answer:
        most: int = self.settings["daily_requests"]
        return Answer(200, {"DailyApiRequests": {"Max": most, "Remaining": most - self.used}})

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """One daily allocation for the whole org; no Retry-After, no reset time."""
        if label.startswith("token"):
            return {}
        most: int = self.settings["daily_requests"]
        if self.used >= most:
            raise RefusalError(self.rate_limited(None, label))
        self.used += 1
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{most}"}

    def check(self, request: Request) -> None:
        if request.body and "json" not in request.headers.get("content-type", ""):
            message = "Content type of the request is not supported: send application/json"
            raise refused(415, "UNSUPPORTED_MEDIA_TYPE", message)
        super().check(request)

    # Refusals.

    def grant_facts(self) -> dict[str, str]:
        return {"instance_url": INSTANCE}

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        return error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def missing_scope(self, scope: str) -> Answer:
        return error(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """403 with a code in the body. Salesforce never tells a wait, so both kinds of the fault say the same."""
        return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def server_error(self, status: int) -> Answer:
        code = "SERVER_UNAVAILABLE" if status == 503 else "UNKNOWN_EXCEPTION"
        return error(status, code, "An unexpected error occurred. Please include this ErrorId: 1234567890-1 (1)")

    def route_unknown(self, request: Request) -> Answer:
        return error(404, *NO_RESOURCE)

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        message = f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed)}"
        return error(405, "METHOD_NOT_ALLOWED", message)

    def bad_json(self, detail: str) -> Answer:
        return error(400, "JSON_PARSER_ERROR", detail)

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        return error(400, "JSON_PARSER_ERROR", f"{where}: {detail}")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """The duplicate rule's answer; without an older record, the one that was sent now counts as it."""
        sobject = SOBJECTS.get(label.split("/", maxsplit=1)[0], "Lead")
        if existing is None and not self.rows[sobject]:
            made = self.handle(found, request, label)
            existing = made.body["id"] if made.status == 201 else None
        return duplicates_detected(sobject, existing or next(reversed(self.rows[sobject]), ""), request)

    # What the user may see, and how a row comes to be.

    def hidden(self, sobject: str) -> set[str]:
        """Fields that field-level security keeps from the user, in lower case, and the one that most orgs lack."""
        lacking = set[str]() if self.settings["multi_currency"] else {CURRENCY}
        return {name.lower() for name in self.settings["hidden_fields"].get(sobject, ())} | lacking

    def forbidden(self, sobject: str) -> bool:
        return NOUNS[sobject] in {self.noun(word) for word in self.settings["forbidden"]}

    def insert(self, sobject: str, values: dict[str, Json]) -> str:
        record_id = ids.made(sobject, next(self.numbers))
        now = moment(self.clock())
        row: dict[str, Json] = {field.name: field.default for field in SCHEMA[sobject].values()}
        row |= {"Id": record_id, "CreatedById": self.user_id, "LastModifiedById": self.user_id}
        row |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        if "OwnerId" in row:
            row["OwnerId"] = self.user_id
        self.rows[sobject][record_id] = derived(sobject, row | values)
        if sobject == "Opportunity" and values.get("ContactId"):
            facts = {"OpportunityId": record_id, "ContactId": values["ContactId"], "IsPrimary": True}
            self.insert("OpportunityContactRole", facts)
        if sobject == "OpportunityContactRole":
            self.settle_roles(self.rows[sobject][record_id])
        return record_id

    def settle_roles(self, newest: dict[str, Json]) -> None:
        """One role of an opportunity is primary, the last that was made so; the opportunity's ContactId follows it.

        https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
        """
        roles = [
            role
            for role in self.rows["OpportunityContactRole"].values()
            if role["OpportunityId"] == newest["OpportunityId"]
        ]
        for role in roles:
            if newest["IsPrimary"] and role is not newest:
                role["IsPrimary"] = False
        primary = (role["ContactId"] for role in roles if role["IsPrimary"] and not role["IsDeleted"])
        opportunity = self.rows["Opportunity"].get(newest["OpportunityId"])
        if opportunity:
            opportunity["ContactId"] = next(primary, None)


def derived(sobject: str, row: dict[str, Json]) -> dict[str, Json]:
    """Compound and calculated fields follow their parts."""
    if "LastName" in row:
        row["Name"] = " ".join(part for part in (row.get("FirstName"), row["LastName"]) if part)
    for prefix in ("", "Mailing", "Other", "Billing", "Shipping"):
        if f"{prefix}Address" in row:
            parts = {name: row[prefix + name[0].upper() + name[1:]] for name in ADDRESS}
            empty = not any(parts.values())
            extra = dict.fromkeys(("geocodeAccuracy", "latitude", "longitude"))
            row[f"{prefix}Address"] = None if empty else dict(sorted((parts | extra).items()))
    if sobject == "Opportunity":
        row["IsClosed"] = str(row["StageName"]).startswith("Closed")
        row["IsWon"] = row["StageName"] == "Closed Won"
        chance, category = forecast(str(row["StageName"]))
        row["Probability"] = chance if row["Probability"] is None else row["Probability"]
        row["ForecastCategoryName"] = row["ForecastCategoryName"] or category
        row["ForecastCategory"] = str(row["ForecastCategoryName"]).replace(" ", "")
        row["ExpectedRevenue"] = None if row["Amount"] is None else row["Amount"] * row["Probability"] / 100
    return row


ADDRESS = ("city", "country", "postalCode", "state", "street")


def token_refused(code: str, description: str) -> Answer:
    return Answer(400, {"error": code, "error_description": description})


def duplicates_detected(sobject: str, existing: str, request: Request) -> Answer:
    """The vendor really spells `duplicateResut`."""
    advice = "You're creating a duplicate record. We recommend you use an existing record instead."
    version = request.args.get("version", f"{NEWEST}.0")
    url = f"/services/data/v{version}/sobjects/{sobject}/{existing}"
    record = {"attributes": {"type": sobject, "url": url}, "Id": existing}
    match = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
    result = {
        "allowSave": True,
        "duplicateRule": f"Standard_{sobject}_Duplicate_Rule",
        "duplicateRuleEntityType": sobject,
        "errorMessage": advice,
        "matchResults": [
            {
                "entityType": sobject,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": [match],
                "rule": f"Standard_{sobject}_Match_Rule_v1_1",
                "size": 1,
                "success": True,
            }
        ],
    }
    return Answer(400, [{"duplicateResut": result, "errorCode": "DUPLICATES_DETECTED", "message": advice}])
