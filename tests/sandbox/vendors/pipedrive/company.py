"""A Pipedrive company account: tokens, scopes, limits, users, and the refusals that any path can give.

https://pipedrive.readme.io/docs/marketplace-oauth-authorization
https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, Grant, GrantError, Standing

API_DOMAIN = "https://sandbox.pipedrive.com"
INFO = "Please check developers.pipedrive.com"
COMPANY = 15_043_420
BLOCKED = (
    b"<!DOCTYPE html>\n<html><head><title>Attention Required! | Cloudflare</title></head>"
    b"<body><h1>Sorry, you have been blocked</h1></body></html>"
)


def v1(*paths: str) -> list[str]:
    """/api/v1 and /v1 are the same."""
    return [prefix + path for path in paths for prefix in ("/api/v1", "/v1")]


def v2(*paths: str) -> list[str]:
    return [prefix + path for path in paths for prefix in ("/api/v2", "/v2")]


def refusal(status: int, error: str, info: str = INFO, **more: Json) -> Answer:
    """The usual envelope of an error."""
    body = {"success": False, "error": error, "error_info": info, "data": None, "additional_data": None}
    return Answer(status, body | more)


def bad_request(error: str) -> RefusalError:
    return RefusalError(refusal(400, error))


def schema_failed(error: str) -> RefusalError:
    """v2's validation; its body was never recorded, only the code is documented."""
    return RefusalError(refusal(400, f"Validation failed: {error}", code="ERR_SCHEMA_VALIDATION_FAILED"))


def not_found(what: str) -> RefusalError:
    return RefusalError(refusal(404, what, "Object was not found."))


def done(data: Json, status: int = 200, **more: Json) -> Answer:
    return Answer(status, {"success": True, "data": data} | more)


def whole_seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(user_id: int, name: str, email: str, *, admin: bool) -> dict[str, Json]:
    permission_sets = ("sales", "global", "account_settings")
    return {
        "id": user_id,
        "name": name,
        "email": email,
        "lang": 1,
        "locale": "en_US",
        "timezone_name": "Europe/Tallinn",
        "timezone_offset": "+02:00",
        "default_currency": "EUR",
        "icon_url": None,
        "active_flag": True,
        "is_deleted": False,
        "is_admin": int(admin),
        "role_id": 1,
        "created": "2026-01-02 09:00:00",
        "has_created_company": admin,
        "is_you": admin,
        "access": [{"app": app, "admin": admin, "permission_set_id": f"{app}-set"} for app in permission_sets],
        "phone": None,
        "modified": "2026-01-02 09:00:00",
        "last_login": "2026-01-02 09:00:00",
    }


class Company(Fake):
    name = "pipedrive"
    token_path = "/oauth/token"
    token_lifetime = 3600
    key_prefix = ""
    nouns: ClassVar[dict[str, str]] = {"contacts": "persons", "companies": "organizations"}
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_burst": 1_000_000,
        "searches_per_burst": 1_000_000,
        "daily_tokens": 100_000_000,
        "refusals_until_block": 1_000_000,
        "token_error_codes": True,
        "forbidden": [],
        "bad_id_status": 400,
        "deleted_records": "shown",
        "has_custom_fields": True,
    }
    """The vendor's own numbers on the smallest plan: 80 (OAuth) or 20 (API token) in 2 s, 30,000 tokens a day. Of
    searches there are 10 in 2 s on every plan.

    An API token that goes on after `refusals_until_block` 429s meets Cloudflare; how many that takes is not documented.
    `token_error_codes`: whether a refusal of the token endpoint holds a code beside its message; not documented either.
    `forbidden` (["deals"]) are kinds that the user may not read. `bad_id_status`: what an id of the wrong type is to v2
    and to leads, 400 or 404. `deleted_records` of the last 30 days are `shown` by their id in v2, or `gone`. None of
    these was recorded. `has_custom_fields`: an account without any shows null for all of them.
    """
    specs: ClassVar[dict[str, str]] = {"v1.json": "/api/v1", "v2.json": "/api/v2"}

    def clear(self) -> None:
        self.burst = Window(2, self.clock)
        self.searches = Window(2, self.clock)
        self.day = Window(86_400, self.clock)
        self.refused_in_a_row = 0
        people = (("Piret Admin", True), ("Sten Seller", False))
        self.users = {
            number: user(number, name, f"{name.split()[0]}@example.com".lower(), admin=admin)
            for number, (name, admin) in enumerate(people, start=25_760_681)
        }
        self.me = next(iter(self.users))

    @route("POST", "/oauth/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """HTTP Basic and a form body; the same refresh token comes back unless the grant rotates."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            client_id = client_secret = ""
        if scheme.lower() != "basic":
            return self.token_refused("invalid_client", "Invalid client: cannot retrieve client credentials")
        form = request.form
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return self.token_refused("unsupported_grant_type", "Unsupported grant type: grant_type is invalid")
        try:
            issued = self.grants.redeem(form, client_id, client_secret)
        except ClientError:
            return self.token_refused("invalid_client", "Invalid client: client is invalid")
        except GrantError:
            asked = "refresh_token" if form["grant_type"] == "refresh_token" else "authorization_code"
            return self.token_refused("invalid_grant", f"Invalid grant: {asked} is invalid")
        scopes = sorted(issued.grant.scopes) if issued.grant.scopes is not None else ["base"]
        return Answer(
            200,
            {
                "access_token": issued.access_token,
                "token_type": "Bearer",
                "expires_in": int(issued.grant.lifetime),
                "refresh_token": issued.refresh_token,
                "scope": ",".join(scopes),
                "api_domain": API_DOMAIN,
            },
        )

    def token_refused(self, error: str, message: str) -> Answer:
        """400 with a message of the status-codes page; the JSON around it is not documented."""
        body = {"success": False, "message": message}
        return Answer(400, body | ({"error": error} if self.settings["token_error_codes"] else {}))

    def api_key(self, request: Request) -> str | None:
        return request.headers.get("x-api-token")

    def allowed(self, grant: Grant, scope: str) -> bool:
        """`x:full` includes `x:read`; of scopes that are joined by a bar any will do."""
        return any(grant.allows(one) or grant.allows(one.replace(":read", ":full")) for one in scope.split("|"))

    def grant_facts(self) -> dict[str, str]:
        return {"api_domain": API_DOMAIN}

    def now(self) -> str:
        """v2's timestamps: RFC 3339, UTC, whole seconds."""
        return whole_seconds(datetime.fromtimestamp(self.clock(), UTC))

    # Users.

    @route("GET", *v1("/users"), label="users", scope="users:read")
    def list_users(self, request: Request) -> Answer:
        return done(list(self.users.values()), additional_data={"company_id": COMPANY})

    @route("GET", *v1("/users/me"), label="users/me", scope="base")
    def get_me(self, request: Request) -> Answer:
        return done(self.users[self.me], additional_data={"company_id": COMPANY})

    @route("GET", *v1("/users/<id>"), label="users/{{id}}", scope="users:read")
    def get_user(self, request: Request) -> Answer:
        """One sentence for both: who may not be seen is not there."""
        wanted = request.args["id"]
        if not wanted.isdigit() or int(wanted) not in self.users or self.forbidden("users"):
            return Answer(404, {"success": False, "error": "User not found or not accessible."})
        return done(self.users[int(wanted)], additional_data={"company_id": COMPANY})

    # What the user may read.

    def forbidden(self, noun: str) -> bool:
        return noun in {self.noun(word) for word in self.settings["forbidden"]}

    def check(self, request: Request) -> None:
        """Permission sets come after scopes; a single user has a refusal of its own."""
        super().check(request)
        kind, _, rest = re.sub(r"^(/api)?/v[12]/", "", request.path).partition("/")
        if request.method == "GET" and self.forbidden(kind) and not (kind == "users" and rest):
            raise RefusalError(refusal(403, "You do not have permissions to do this."))

    # Limits.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """A burst window of 2 s, and a daily budget of tokens: v1 costs the double of v2.

        When the budget of the day is spent the burst window is open, and its headers say so: only the daily ones tell.
        """
        if label.startswith("token"):
            return {}
        per_burst, per_day = self.settings["requests_per_burst"], self.settings["daily_tokens"]
        left = self.burst.spend(per_burst)
        if left is None:
            raise RefusalError(self.throttled(request, self.rate_limited(2, label)))
        searches = self.settings["searches_per_burst"]
        if "search" in label and self.searches.spend(searches) is None:
            refused = self.rate_limited(2, label)
            refused.headers = self.rate_headers(searches, 0, 2)
            raise RefusalError(self.throttled(request, refused))
        headers = self.rate_headers(per_burst, left, 2)
        today = self.day.spend(per_day, self.cost(request, label))
        headers |= {
            "x-daily-ratelimit-token-limit": str(per_day),
            "x-daily-ratelimit-token-remaining": str(today or 0),
        }
        headers |= {"x-daily-requests-left": str(today or 0)} if self.api_key(request) else {}
        if today is None:
            answer = self.rate_limited(None, label)
            answer.headers = headers
            raise RefusalError(self.throttled(request, answer))
        self.refused_in_a_row = 0
        return headers

    def throttled(self, request: Request, answer: Answer) -> Answer:
        """A 429; for an API token that has ignored too many of them, a page of Cloudflare's."""
        self.refused_in_a_row += 1
        if self.api_key(request) and self.refused_in_a_row > self.settings["refusals_until_block"]:
            return Answer(403, BLOCKED, {"Content-Type": "text/html; charset=UTF-8"})
        return answer

    @staticmethod
    def cost(request: Request, label: str) -> int:
        """x-token-cost of the specification: reading one is cheap, a page of a list is 10, of pipelines 5."""
        page = 5 if label in ("pipelines", "stages") else 10
        prices = {"GET": 1 if "{id}" in label else page, "DELETE": 3}
        price = 20 if "search" in label else prices.get(request.method, 5)
        return price * (2 if "/v1/" in request.path else 1)

    @staticmethod
    def rate_headers(limit: int, left: int, seconds: float) -> dict[str, str]:
        reset = f"{seconds:g}"
        return {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(left), "x-ratelimit-reset": reset}

    # Refusals.

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """x-ratelimit-reset tells the seconds; Retry-After is not documented any more."""
        answer = Answer(429, {"success": False, "error": "Request over limit", "errorCode": 429, "error_info": INFO})
        if wait is not None:
            answer.headers = self.rate_headers(self.settings["requests_per_burst"], 0, wait)
        return answer

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        error = "unauthorized access" if standing is None else "invalid access_token"
        return Answer(401, {"success": False, "error": error, "errorCode": 401})

    def missing_scope(self, scope: str) -> Answer:
        return Answer(403, {"success": False, "error": "Scope and URL mismatch", "errorCode": 403, "error_info": INFO})

    def server_error(self, status: int) -> Answer:
        return refusal(status, "Requested service is not available")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Pipedrive knows no conflict: the record is silently created twice, and both answers say success."""
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return refusal(404, "Unknown method .")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return refusal(405, "Method not allowed")

    def bad_json(self, detail: str) -> Answer:
        return refusal(400, f"Invalid JSON: {detail}")

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        text = f"{where}: {detail}" if where else detail
        return schema_failed(text).answer if "/v2/" in request.path else bad_request(text).answer

    def spec_path(self, request: Request) -> str:
        return request.path if request.path.startswith("/api/") else "/api" + request.path

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """Known errors: an organization's title means its name; v2 refuses what its schema does not name."""
        if file != "v2.json":
            return document
        for methods in document["paths"].values():
            for operation in methods.values():
                content = operation.get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                if schema is None or "properties" not in schema:
                    continue
                schema["additionalProperties"] = False
                if schema.get("required") == ["title"] and "title" not in schema["properties"]:
                    schema["required"] = ["name"]
        return document
