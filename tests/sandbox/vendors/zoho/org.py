"""A Zoho CRM organization: tokens, scopes, credits, permissions, and the refusals that any path can give.

https://www.zoho.com/crm/developer/docs/api/v8/refresh.html
https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any, ClassVar, cast

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, Grant, GrantError, Standing
from tests.sandbox.vendors.zoho.refusals import bad_parameter, fault, invalid_module, mandatory, refused

API_DOMAIN = "https://www.zohoapis.com"
ZONE = timezone(timedelta(hours=5, minutes=30))
"""Every time of an answer is in the user's zone; half an hour off UTC tells who reads only whole hours."""
BASE = "/crm/v8"
PER_PAGE = 200
EXPECTED = {"array": "jsonarray", "object": "jsonobject", "string": "text"}


class Org(Fake):
    name = "zoho"
    token_path = "/oauth/v2/token"
    token_lifetime = 3600
    nouns: ClassVar[dict[str, str]] = {
        word: plural
        for plural in ("leads", "contacts", "accounts", "deals", "users", "pipelines", "stages")
        for word in (plural, plural.removesuffix("s"))
    } | {"companies": "accounts", "company": "accounts"}
    defaults: ClassVar[dict[str, Any]] = {
        "credits_per_day": 100_000_000,
        "refreshes_per_window": 10,
        "rate_limit_code": "RATE_LIMIT_EXCEEDED",
        "unknown_fields_refused": True,
        "picklists_closed": True,
        "owner_by_email": False,
        "unique_fields": {},
        "layout_rules": {},
        "missing_record_status": 204,
        "unmodified_status": 304,
        "records_by_page": 2000,
        "records_by_token": 100_000,
        "coql_rows": 200,
        "search_lag": 2.0,
        "pipelines_enabled": True,
        "maps_replace": False,
        "transfer_seconds": 0.0,
        "forbidden": [],
    }
    """The vendor's own number of credits is 5,000 a day in the free edition; a refresh token gives 10 access tokens in
    10 minutes. A spent limit is told as RATE_LIMIT_EXCEEDED or TOO_MANY_REQUESTS.

    Not documented, so that the stricter way is the default: whether unknown fields are refused or dropped, whether a
    pick list takes a value that it does not have, whether an owner may be named by e-mail. Either is seen: 204 or 400
    for a record that is not there, 304 or 204 where nothing changed. `maps_replace`: a pipeline's `maps` are all its
    stages, not only the changed ones.

    `unique_fields` and `layout_rules` ({"leads": ["Email"]}) are an admin's rules; `transfer_seconds` is how long the
    job runs that empties a pipeline and deletes it. `forbidden` (["deals"]) is what the user's profile may not view.
    """
    specs: ClassVar[dict[str, str]] = {
        # The record document's /{module} would match the paths of the others.
        "v8.coql.oas31.json": BASE,
        "v8.pipeline.oas31.json": BASE,
        "v8.record.oas31.json": BASE,
    }

    def clear(self) -> None:
        self.numbers = count(690_001)
        self.day = Window(86_400, self.clock)
        self.refreshes: dict[str, Window] = {}

    def new_id(self) -> str:
        """19 digits, beyond what a double holds exactly."""
        return f"6215078{next(self.numbers):012d}"

    def now(self) -> str:
        return stamp(self.clock())

    # Tokens.

    @route("POST", "/oauth/v2/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """Form or query. Most refusals come with 200; a refresh brings no new refresh token."""
        form = request.query | request.form
        kind = form.get("grant_type")
        if kind not in ("refresh_token", "authorization_code"):
            return Answer(200, {"error": "invalid_request"})
        if kind == "refresh_token":
            window = self.refreshes.setdefault(form.get("refresh_token", ""), Window(600, self.clock))
            if window.spend(self.settings["refreshes_per_window"]) is None:
                return self.refreshed_too_often()
        try:
            issued = self.grants.redeem(form, form.get("client_id", ""), form.get("client_secret", ""))
        except ClientError:
            return Answer(200, {"error": "invalid_client"})
        except GrantError:
            return Answer(200, {"error": "invalid_code"})
        scopes = sorted(issued.grant.scopes) if issued.grant.scopes is not None else ["ZohoCRM.modules.ALL"]
        body = {
            "access_token": issued.access_token,
            "scope": " ".join(scopes),
            "api_domain": API_DOMAIN,
            "token_type": "Bearer",
            "expires_in": int(issued.grant.lifetime),
        }
        if kind == "authorization_code" or issued.grant.rotates:
            body["refresh_token"] = issued.refresh_token
        return Answer(200, body)

    @staticmethod
    def refreshed_too_often() -> Answer:
        why = "You have made too many requests continuously. Please try again after some time."
        return Answer(400, {"error_description": why, "error": "Access Denied", "status": "failure"})

    @route("POST", "/oauth/v2/token/revoke", label="token/revoke", public=True)
    def revoke(self, request: Request) -> Answer:
        """The answer's shape is not documented in our sources."""
        done = self.grants.revoke((request.query | request.form).get("token", ""))
        return Answer(200, {"status": "success"} if done else {"error": "invalid_code", "status": "failure"})

    def grant_facts(self) -> dict[str, str]:
        return {"api_domain": API_DOMAIN, "location": "us"}

    def authenticate(self, request: Request, scope: str | None) -> None:
        """`Zoho-oauthtoken <token>`; a bearer token is none."""
        headers = request.headers | {"authorization": f"Bearer {shown_token(request)}"}
        super().authenticate(replace(request, headers=headers), scope)

    def allowed(self, grant: Grant, scope: str) -> bool:
        """ZohoCRM.modules.leads.CREATE is in leads.ALL, in modules.CREATE and in modules.ALL; case does not matter."""
        if grant.scopes is None:
            return True
        service, *groups, operation = scope.lower().split(".")
        wide = {f"{'.'.join([service, *groups[:depth]])}.all" for depth in range(1, len(groups) + 1)}
        enough = wide | {scope.lower(), f"{service}.{groups[0]}.{operation}"}
        return not enough.isdisjoint(one.lower() for one in grant.scopes)

    # Permissions.

    def check(self, request: Request) -> None:
        """What the token's scopes allow, the user's profile may still refuse."""
        if request.method == "GET" and "kind" in request.args:
            self.permit(request.args["kind"])
        super().check(request)

    def permit(self, kind: str) -> None:
        """Whether the profile may view a module; a permission is named after it."""
        if kind in map(self.noun, self.settings["forbidden"]):
            permissions: Json = [f"Crm_Implied_View_{kind.capitalize()}"]
            raise refused(fault("NO_PERMISSION", "Permission denied", permissions=permissions), 403)

    # Parameters and bodies.

    def page(self, request: Request) -> tuple[int, int]:
        sizes: list[int] = []
        for name, default, most in (("page", "1", 1_000_000), ("per_page", str(PER_PAGE), PER_PAGE)):
            text = request.query.get(name, default)
            if not text.isdigit() or not 1 <= int(text) <= most:
                raise bad_parameter(name)
            sizes.append(int(text))
        return sizes[0], sizes[1]

    def entries(self, request: Request, name: str, most: int) -> list[dict[str, Json]]:
        """The array that every body of Zoho's holds, e.g. `data`."""
        body = self.body(request)
        if not body.get(name):
            raise refused(mandatory("$", name))
        entries = body[name]
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in cast("list[Json]", entries)):
            raise refused(fault("INVALID_DATA", "invalid data", api_name=name, expected_data_type="jsonarray"))
        if len(entries) > most:
            what = "count of records in your request exceeds the limit"
            raise refused(fault("LIMIT_EXCEEDED", what, maximum_length=most, api_name=name), within=name)
        return entries

    # Limits.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """When the token ends is on every answer; what is left of the credits only once half of them are gone."""
        if label.startswith("token"):
            return {}
        headers: dict[str, str] = {}
        standing, grant = self.grants.standing(shown_token(request))
        if standing is Standing.GOOD and grant is not None:
            headers["X-ACCESSTOKEN-RESET"] = stamp(grant.tokens[shown_token(request)])
        most = self.settings["credits_per_day"]
        left = self.day.spend(most, self.cost(request))
        if left is None:
            answer = self.rate_limited(None, label)
            answer.headers = {"X-API-CREDITS-REMAINING": "0"}
            raise RefusalError(answer)
        return headers | ({"X-API-CREDITS-REMAINING": str(left)} if left <= most / 2 else {})

    @staticmethod
    def cost(request: Request) -> int:
        """A credit a call; a write costs one for each 10 records."""
        try:
            body = request.json() if request.method in ("POST", "PUT") else {}
            return max(1, math.ceil(len(body["data"]) / 10))
        except (ValueError, KeyError, TypeError):
            return 1

    # Refusals.

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """No header says how long to wait."""
        what = "Too many requests. Please try again later."
        return Answer(429, fault(self.settings["rate_limit_code"], what))

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        if standing is None:
            return Answer(401, fault("AUTHENTICATION_FAILURE", "Authentication failed"))
        return Answer(401, fault("INVALID_TOKEN", "invalid oauth token"))

    def missing_scope(self, scope: str) -> Answer:
        """401, although refreshing does not help."""
        return Answer(401, fault("OAUTH_SCOPE_MISMATCH", "Unauthorized"))

    def server_error(self, status: int) -> Answer:
        return Answer(status, fault("INTERNAL_ERROR", "Internal Server Error"))

    def route_unknown(self, request: Request) -> Answer:
        """A path of the right form names a module that is not there; 404 never means a missing record."""
        if re.fullmatch(rf"{BASE}/\w+(/\d+)?", request.path):
            return Answer(400, invalid_module(resource_path_index=0))
        return Answer(404, fault("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"))

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        """400, not 405."""
        return Answer(400, fault("INVALID_REQUEST_METHOD", "The http request method type is not a valid one"))

    def bad_json(self, detail: str) -> Answer:
        return Answer(400, fault("INVALID_DATA", "body", expected_data_type="jsonobject"))

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        """What breaks the document, in the words of the error that the vendor has for it."""
        steps = where.split(".") if where else []
        path = "$" + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps)
        within = steps[0] if steps[1:] and steps[0] in ("data", "pipeline", "transfer_pipeline") else None
        if missing := re.match(r"'(\w+)' is a required property", detail):
            return refused(mandatory(path, missing[1]), within=within).answer
        names = [step for step in steps if not step.isdigit()]
        details: dict[str, Json] = {"api_name": names[-1] if names else "body", "json_path": path}
        if expected := re.search(r"is not of type '(\w+)'", detail):
            details["expected_data_type"] = EXPECTED.get(expected[1], expected[1])
        elif extra := re.search(r"\('(\w+)'", detail):
            details = {"api_name": extra[1], "json_path": f"{path}.{extra[1]}"}
        return refused(fault("INVALID_DATA", "invalid data", **details), within=within).answer

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Only records and names of pipelines can be duplicates; anything else is processed as usual."""
        return self.handle(found, request, label)

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """A known error: a lead's assignment rule is left out. What has an answer of its own is left to it."""
        if file == "v8.coql.oas31.json":
            content = document["paths"]["/coql"]["post"]["requestBody"]["content"]["application/json"]
            content["schema"].pop("required")
        if file == "v8.record.oas31.json":
            schemas = document["components"]["schemas"]["RecordsInputSchema"]
            schemas["properties"]["lar_id"] = {"type": "string"}
            upsert = document["paths"]["/{module}/upsert"]["post"]["requestBody"]["content"]["application/json"]
            for schema in (schemas, upsert["schema"]):
                schema["properties"]["data"].pop("maxItems")
        return document


def shown_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "zoho-oauthtoken" else ""


def stamp(at: float) -> str:
    return datetime.fromtimestamp(int(at), ZONE).isoformat()
