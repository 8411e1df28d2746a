"""One Close organization: tokens, keys, limits, users, and the refusals that any path can give.

https://developer.close.com/api/overview/oauth-authentication
https://developer.close.com/api/overview/rate-limits
"""

import base64
import binascii
import math
from collections.abc import Callable
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, GrantError, Standing
from tests.sandbox.vendors.close.fields import new_id, refused, stamp

V1 = "/api/v1"
FULL_ACCESS = "all.full_access"
SCOPES = f"{FULL_ACCESS} offline_access"
ORGANIZATION = new_id("orga_", "sandbox")
WINDOW = 8.0
ORDERS = ("last_name,first_name", "first_name,last_name")


def missing() -> RefusalError:
    return RefusalError(Answer(404, {"error": "Object does not exist."}))


class Organization(Fake):
    """No document in `specs`: Close's OpenAPI leaves the bodies of all these paths untyped."""

    name = "close"
    token_path = "/oauth2/token/"
    token_lifetime = 3600
    rotates = True
    key_prefix = "api_"
    nouns: ClassVar[dict[str, str]] = {
        **{"lead": "leads", "companies": "leads", "contact": "contacts"},
        **{"opportunity": "opportunities", "deals": "opportunities", "user": "users"},
    }
    """A lead is the company, and it stands for the lead that others have, too."""
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_group": 1_000_000,
        "rate_headers": False,
        "list_lag": 0.0,
        "deleted_lag": 0.0,
        "leads_on_plan": 1_000_000,
        "search_results": 10_000,
        "event_lag": 0.0,
        "event_consolidation": 0.0,
        "over_cap_events_refused": True,
        "admin": True,
        "forbidden": [],
    }
    """requests_per_group: per key and group of endpoints in 8 s, three times as many per organization; a key of an
    old answer had 240. The groups are not published: here one is a method and a kind of record.
    rate_headers: whether ordinary answers tell the limit; one run of 500 requests had none, a recorded one has.
    list_lag: seconds that lists and search are behind, 30 to 60 were seen. deleted_lag: how long a deleted record
    can still be read by its id. leads_on_plan: the next one is a 402. forbidden (["deals"]): what the user's role
    does not let be read; the body of a 403 was never recorded.
    event_lag: seconds until an event is in the log, with the moment at which it happened; events that happen under
    different lags appear in another order, as the documents warn: they advise to read the last five minutes again.
    event_consolidation: seconds in which a further change of a record becomes part of its last event, which moves.
    over_cap_events_refused: whether a page of more than 50 events is refused, or cut. admin: other users of the key
    are not told the data of events that are older than an hour."""

    def clear(self) -> None:
        self.windows: dict[tuple[str, ...], Window] = {}
        self.users: dict[str, dict[str, Json]] = {}
        for first in ("Clara", "Cem"):
            self.add_user({"id": new_id("user_", first), "first_name": first, "last_name": "Closer"})
        self.me = next(iter(self.users))

    # Tokens and keys.

    @route("POST", "/oauth2/token/", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """A form with the client's secret in it; the shape of a refusal is RFC 6749's, for want of a recorded one."""
        form = request.form if request.is_form else {}
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return Answer(400, {"error": "unsupported_grant_type" if form.get("grant_type") else "invalid_request"})
        try:
            issued = self.grants.redeem(form, form.get("client_id", ""), form.get("client_secret", ""))
        except ClientError:
            return Answer(401, {"error": "invalid_client"})
        except GrantError:
            return Answer(400, {"error": "invalid_grant"})
        return Answer(
            200,
            {
                "access_token": issued.access_token,
                "token_type": "Bearer",
                "expires_in": int(issued.grant.lifetime),
                "refresh_token": issued.refresh_token,
                "scope": SCOPES,
                "user_id": self.me,
                "organization_id": ORGANIZATION,
            },
        )

    @route("POST", "/oauth2/revoke/", label="revoke", public=True)
    def revoke(self, request: Request) -> Answer:
        form = request.form if request.is_form else {}
        known = any(
            (grant.client_id, grant.client_secret) == (form.get("client_id"), form.get("client_secret"))
            for grant in self.grants.all
        )
        if not known:
            return Answer(401, {"error": "invalid_client"})
        self.grants.revoke(form.get("token", ""))
        return Answer(200, {})

    def api_key(self, request: Request) -> str | None:
        """HTTP Basic: the key is the user, the password is empty."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            key, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return key if colon and not password else ""

    # The walk of a request.

    def find(self, request: Request) -> Route | Answer:
        """A path without its last slash is redirected; a POST that says it is a GET is one, its body the query."""
        if request.method == "POST" and request.headers.get("x-http-method-override", "").upper() == "GET":
            try:
                params = self.body(request).get("_params")
            except RefusalError as refusal:
                return refusal.answer
            request.method, request.body = "GET", b""
            request.query |= {name: str(value) for name, value in (params if isinstance(params, dict) else {}).items()}
        found = super().find(request)
        if isinstance(found, Route) and not request.path.endswith("/"):
            query = f"?{request.query_string}" if request.query_string else ""
            return Answer(301, b"", {"Location": f"{request.path}/{query}"})
        return found

    def check(self, request: Request) -> None:
        """Only reads are kept from a role here; /me/ is never."""
        super().check(request)
        if request.method == "GET":
            self.permit(request.path.removeprefix(f"{V1}/").partition("/")[0])

    def permit(self, word: str) -> None:
        if self.noun(word) in {self.noun(one) for one in self.settings["forbidden"]}:
            raise RefusalError(self.missing_scope(FULL_ACCESS))

    def body(self, request: Request) -> dict[str, Json]:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise RefusalError(Answer(415, {"error": "The request's Content-Type must be application/json."}))
        try:
            body = request.json()
        except ValueError as broken:
            raise RefusalError(self.bad_json(str(broken))) from broken
        if not isinstance(body, dict):
            raise refused({}, "Invalid request: JSON dictionary expected.")
        return body

    def admit(self, request: Request, label: str) -> dict[str, str]:
        if label in ("token", "revoke", "unknown"):
            return {}
        limit, group = self.settings["requests_per_group"], (request.method, label.partition("/")[0])
        who = request.headers.get("authorization", "")
        remaining: dict[str, int] = {}
        for owner, allowed in ((who, limit), ("organization", 3 * limit)):
            window = self.windows.setdefault((owner, *group), Window(WINDOW, self.clock))
            left = window.spend(allowed)
            if left is None:
                oldest = window.spent[0][0] if window.spent else self.clock()
                raise RefusalError(self.too_many(allowed, 0, max(0.1, WINDOW + oldest - self.clock())))
            remaining[owner] = left
        if not self.settings["rate_headers"]:
            return {}
        second_policy = {"RateLimit-Limit": "60", "RateLimit-Remaining": "59", "RateLimit-Reset": "1"}
        return {"RateLimit": f"limit={limit}; remaining={remaining[who]}; reset={WINDOW:g}"} | second_policy

    # Users.

    def add_user(self, fields: dict[str, Json]) -> str:
        now = stamp(self.clock())
        user: dict[str, Json] = {"id": new_id("user_"), "first_name": "", "last_name": "", "image": None}
        user |= {"google_profile_image_url": None, "last_used_timezone": "Europe/Berlin", "email_verified_at": now}
        user |= {"date_created": now, "date_updated": now, "organizations": [ORGANIZATION]} | fields
        user = {"email": f"{user['first_name'] or user['id']}@example.com".lower()} | user
        self.users[user["id"]] = user
        return user["id"]

    def called(self, user_id: str) -> str:
        user = self.users[user_id]
        return f"{user['first_name']} {user['last_name']}".strip()

    @route("GET", f"{V1}/user/", label="users", scope=FULL_ACCESS)
    def list_users(self, request: Request) -> Answer:
        order = request.query.get("_order_by", ORDERS[0])
        if order not in ORDERS:
            raise refused({"_order_by": "Not a valid choice."})
        rows = sorted(self.users.values(), key=lambda row: [row[name].lower() for name in order.split(",")])
        return self.page(request, rows)

    @route("GET", f"{V1}/user/<id>/", label="users/{{id}}", scope=FULL_ACCESS)
    def get_user(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.among(self.users, request)))

    @route("GET", f"{V1}/me/", label="me", scope=FULL_ACCESS)
    def get_me(self, request: Request) -> Answer:
        member = {"id": new_id("memb_", self.me), "user_id": self.me, "organization_id": ORGANIZATION}
        member |= dict.fromkeys(("role", "role_id"), "admin" if self.settings["admin"] else "user")
        mine = {"organizations": [self.described()], "memberships": [member], "email_accounts": []}
        return Answer(200, chosen(request, self.users[self.me] | mine))

    def described(self) -> dict[str, Json]:
        return {"id": ORGANIZATION, "name": "Sandbox", "currency": "USD", "currency_symbol": "$"}

    # Lists and single records.

    def page(
        self,
        request: Request,
        rows: list[dict[str, Json]],
        most: int = 200,
        *,
        show: Callable[[dict[str, Json]], dict[str, Json]] = dict[str, Json],
        **more: Json,
    ) -> Answer:
        skip, limit = (self.counted(request, name, most) for name in ("_skip", "_limit"))
        shown = [chosen(request, show(row)) for row in rows[skip : skip + limit]]
        return Answer(200, {"data": shown, "has_more": skip + limit < len(rows)} | more)

    @staticmethod
    def counted(request: Request, name: str, most: int) -> int:
        """The caps are measured for leads (200 and 35,000); those of other lists are not published."""
        default, low, high = {"_skip": (0, 0, 35_000), "_limit": (100, 1, most)}[name]
        try:
            value = int(request.query.get(name, default))
        except ValueError as odd:
            sentence = "Input should be a valid integer, unable to parse string as an integer"
            raise refused({name: sentence}) from odd
        if not low <= value <= high:
            bound = f"greater than or equal to {low}" if value < low else f"less than or equal to {high}"
            raise refused({name: f"Input should be {bound}"})
        return value

    def among(self, rows: dict[str, dict[str, Json]], request: Request) -> dict[str, Json]:
        if request.args["id"] not in rows:
            raise missing()
        return rows[request.args["id"]]

    # Refusals.

    def too_many(self, limit: int, left: int, wait: float) -> Answer:
        """The body is that of an old answer without what it has lost since; a limit can hit while some is left."""
        body = {"message": "API call count exceeded for this period", "rate_limit": limit, "rate_window": WINDOW}
        told = {"RateLimit": f"limit={limit}, remaining={left}, reset={wait:g}", "Retry-After": str(math.ceil(wait))}
        return Answer(429, {"error": body}, told)

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        answer = self.too_many(100, 50, wait or 0)
        return answer if wait is not None else Answer(429, answer.body)

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        return Answer(401, {"error": "Unauthorized"})

    def missing_scope(self, scope: str) -> Answer:
        """Scopes are fixed, roles are not; the body of a 403 was never recorded."""
        return Answer(403, {"error": "You do not have permission to perform this action."})

    def server_error(self, status: int) -> Answer:
        return Answer(status, {"error": "Internal server error"})

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Close knows no duplicates: the same company twice is two leads."""
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        sentence = "The requested URL was not found on the server."
        return Answer(404, {"error": sentence})

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return Answer(405, {"error": "The method is not allowed for the requested URL."})

    def bad_json(self, detail: str) -> Answer:
        return Answer(400, {"error": "The request contains invalid JSON."})


def chosen(request: Request, row: dict[str, Json]) -> dict[str, Json]:
    """What `_fields` asks for; "custom" means every custom field."""
    asked = [part for part in request.query.get("_fields", "").split(",") if part]
    return picked(row, asked) if asked else row


def picked(row: dict[str, Json], names: list[str]) -> dict[str, Json]:
    custom = "custom" in names
    return {name: value for name, value in row.items() if name in names or (custom and name.startswith("custom."))}
