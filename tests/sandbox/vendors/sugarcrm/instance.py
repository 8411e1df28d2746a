"""A Sugar instance: versions, tokens, one session per user and platform, and the refusals that any path can give.

Errors are `{"error": label, "error_message": text}`; the text is localised, so that only the label means something.
https://support.sugarcrm.com (Developer Guide: How to Authenticate and Log Out; API Exceptions)
"""

import re
import secrets
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, Grant, GrantError, Issued, Standing

BASE = "/rest/<version>"
INSTANCE = "https://sandbox.sugarondemand.com"
PLATFORM = "custom_api"
STOCK_CLIENT = ("sugar", "")
NAMES = ("Leads", "Contacts", "Accounts", "Users", "Opportunities")
USERS = {
    "seed_iris_id": ("iris", "Iris", "Interface", "Sandbox-1"),
    "seed_sam_id": ("sam", "Sam", "Seller", "Sandbox-2"),
}


def error(status: int, label: str, text: str) -> Answer:
    return Answer(status, {"error": label, "error_message": text})


def refused(status: int, label: str, text: str) -> RefusalError:
    return RefusalError(error(status, label, text))


def missing(name: str) -> RefusalError:
    return refused(422, "missing_parameter", f"{name} is missing.")


def invalid(what: str) -> RefusalError:
    return refused(422, "invalid_parameter", f"{what}.")


def need_login(text: str = "A valid user name and password are needed.") -> RefusalError:
    return refused(401, "need_login", text)


class Instance(Fake):
    name = "sugarcrm"
    token_path = "/rest/v11/oauth2/token"
    token_lifetime = 3600
    rotates = True
    nouns: ClassVar[dict[str, str]] = {name.lower(): name.lower() for name in (*NAMES, "Currencies")} | {
        "companies": "accounts",
        "deals": "opportunities",
    }
    defaults: ClassVar[dict[str, Any]] = {
        "newest_minor": 24,
        "platforms": ["base", "mobile", "portal", "custom_api", "switchboard"],
        "password_grant": True,
        "refresh_lifetime": 1_209_600,
        "bearer_accepted": False,
        "requests_per_minute": 1_000_000,
        "largest_body": 100_000_000,
        "maintenance": False,
        "utc_offset_minutes": -240,
        "largest_page": 1000,
        "drops_unknown_fields": False,
        "bare_leads": False,
        "email_flags_as_text": True,
        "email_filters": ["email1", "email_addresses.email_address"],
        "bad_filters_are_fatal": False,
        "users_are_closed": False,
        "conflict_header": "x-timestamp",
        "decimals_as_numbers": False,
        "base_currency_readable": False,
        "forbidden": [],
    }
    """`newest_minor`: v11 and v11_0 to v11_<that> answer. `platforms`: those that the administrator has registered.

    `password_grant`: off where single sign-on refuses it. `bearer_accepted`: whether Authorization works, too.
    `requests_per_minute`: the vendor publishes no limit, a proxy may have one. `utc_offset_minutes`: the API user's.
    `largest_page`: an administrator's setting that cuts max_num without a word. `drops_unknown_fields`: not documented;
    the stricter refusal is usual here. `email_filters`: both ways of looking up an address are unconfirmed.
    `bad_filters_are_fatal`: 500 instead of 422. `users_are_closed`: Users for administrators only,
    but for one's own.
    `conflict_header`: where a client may send the date_modified that it has read; its name is not documented.
    `decimals_as_numbers`: strings are documented, newer versions may send numbers. `base_currency_readable`: whether
    the id that stands for the base currency leads to a record. `forbidden`: contacts, companies, deals, leads and users
    whose module the role of the user does not open. (What a team may not see is told as what is not there: 404.)
    """

    def clear(self) -> None:
        self.minute = Window(60, self.clock)
        self.sessions: dict[tuple[str, str], Grant] = {}
        self.acting = self.me = next(iter(USERS))

    # Tokens.

    @route("POST", f"{BASE}/oauth2/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """JSON, not a form. Every answer has two new tokens, and the old ones are dead."""
        body = self.body(request)
        client = (str(body.get("client_id", "")), str(body.get("client_secret", "")))
        if body.get("platform", "base") not in self.settings["platforms"]:
            raise invalid("The platform is not registered")
        match body.get("grant_type"):
            case None:
                raise missing("grant_type")
            case "password":
                issued = self.log_in(client, body)
            case "refresh_token":
                issued = self.refresh(client, body)
            case _:
                raise invalid("grant_type is not supported")
        return Answer(
            200,
            {
                "access_token": issued.access_token,
                "expires_in": int(issued.grant.lifetime),
                "token_type": "bearer",
                "scope": None,
                "refresh_token": issued.refresh_token,
                "refresh_expires_in": self.settings["refresh_lifetime"],
                "download_token": secrets.token_hex(16),
            },
        )

    def log_in(self, client: tuple[str, str], body: dict[str, Json]) -> Issued:
        """A session per user and platform: the next login on the same platform ends it, refresh token and all."""
        if client != STOCK_CLIENT and client not in [
            (grant.client_id, grant.client_secret) for grant in self.grants.all
        ]:
            raise need_login("The client is not known.")
        user = next((key for key, (name, *_) in USERS.items() if name == body.get("username")), None)
        if user is None or USERS[user][3] != body.get("password") or not self.settings["password_grant"]:
            raise need_login()
        issued = self.grants.mint(lifetime=self.token_lifetime, expired=False, rotates=True, scopes=None)
        issued.grant.client_id, issued.grant.client_secret = client
        place = (user, str(body.get("platform", "base")))
        if place in self.sessions:
            self.sessions[place].revoked = True
        self.sessions[place] = issued.grant
        return issued

    def refresh(self, client: tuple[str, str], body: dict[str, Json]) -> Issued:
        form = {name: str(body.get(name)) for name in ("grant_type", "refresh_token")}
        mine = next((grant for grant in self.grants.all if grant.refresh_token == form["refresh_token"]), None)
        if mine is not None:
            issued_at = max(mine.tokens.values()) - mine.lifetime
            if self.clock() - issued_at >= self.settings["refresh_lifetime"]:
                raise need_login()
        # A grant of the control plane is on the platform that its facts name, and need not say so.
        logged_in = next((platform for (_, platform), grant in self.sessions.items() if grant is mine), None)
        if body.get("platform", "base" if logged_in else PLATFORM) != (logged_in or PLATFORM):
            raise need_login("This platform has no such session.")
        try:
            issued = self.grants.redeem(form, *client)
        except (ClientError, GrantError) as dead:
            raise need_login() from dead
        for token in issued.grant.tokens.keys() - {issued.access_token}:
            self.grants.dead_tokens.add(token)
        return issued

    @route("POST", f"{BASE}/oauth2/logout", label="logout")
    def log_out(self, request: Request) -> Answer:
        self.grants.revoke(self.presented(request) or "")
        return Answer(200, {"success": True})

    def presented(self, request: Request) -> str | None:
        return request.headers.get("oauth-token") or (request.bearer if self.settings["bearer_accepted"] else None)

    def authenticate(self, request: Request, scope: str | None) -> None:
        """A header of Sugar's own."""
        token = self.presented(request)
        request.headers["authorization"] = f"Bearer {token}" if token else ""
        super().authenticate(request, scope)
        _, grant = self.grants.standing(token or "")
        self.acting = next((user for (user, _), session in self.sessions.items() if session is grant), self.me)

    def grant_facts(self) -> dict[str, str]:
        """Beside the tokens: a user, for the password grant; the token endpoint reads JSON only."""
        name, _, _, password = USERS[self.me]
        account = {"username": name, "password": password, "platform": PLATFORM}
        return {"instance_url": INSTANCE, "token_body": "json"} | account

    @route("GET", f"{BASE}/ping", label="ping")
    def ping(self, request: Request) -> Answer:
        return Answer(200, "pong")

    # Admission.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        if self.settings["maintenance"]:
            raise refused(503, "maintenance", "The instance is being maintained.")
        if len(request.body) > self.settings["largest_body"]:
            raise refused(413, "request_too_large", "The request is too large.")
        if self.minute.spend(self.settings["requests_per_minute"]) is None:
            raise RefusalError(self.rate_limited(60, label))
        return {}

    def permit(self, kind: str) -> None:
        if kind in map(self.noun, self.settings["forbidden"]):
            raise RefusalError(self.missing_scope(""))

    def perform(self, found: Route, request: Request) -> Answer:
        """A version that is not served looks like a redirect, but leads nowhere."""
        minor = re.fullmatch(r"v11(?:_(0|[1-9]\d*))?", request.args.get("version", ""))
        if minor is None or int(minor[1] or 0) > self.settings["newest_minor"]:
            raise refused(301, "incorrect_version", "This version is not served.")
        return super().perform(found, request)

    def body(self, request: Request) -> dict[str, Json]:
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise invalid("The body is not application/json")
        return super().body(request)

    # Refusals.

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """Of a proxy in front of a cloud instance: Sugar itself has no such answer."""
        headers = {"Content-Type": "text/plain"} | ({} if wait is None else {"Retry-After": f"{wait:g}"})
        return Answer(429, b"Too Many Requests", headers)

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        """Without a token need_login; with one that is dead, replaced or unknown invalid_grant, for both 401."""
        if standing is None:
            return error(401, "need_login", "A login is needed for this.")
        return error(401, "invalid_grant", "This access token is not, or no longer, good.")

    def missing_scope(self, scope: str) -> Answer:
        """Sugar has no scopes, but roles of users."""
        return error(403, "not_authorized", "The role of this user does not allow that.")

    def server_error(self, status: int) -> Answer:
        return error(status, "maintenance" if status == 503 else "fatal_error", "The request ended in a failure.")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """Sugar refuses no duplicate: the record is silently created twice, and both answers say success."""
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return error(404, "not_found", "Nothing handles this path.")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return error(404, "no_method", "This path does not know the method.")

    def bad_json(self, detail: str) -> Answer:
        return error(422, "invalid_parameter", f"The body cannot be read: {detail}")

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        """Sugar publishes no OpenAPI document, so that nothing is checked against one."""
        return error(422, "invalid_parameter", f"{where}: {detail}")
