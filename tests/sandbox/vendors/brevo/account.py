"""One Brevo account: keys, tokens, scopes, limits, users, and the refusals that any path can give.

https://developers.brevo.com/docs/api-limits
https://developers.brevo.com/docs/how-it-works
"""

import math
import re
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, GrantError, Standing

V3 = "/v3"
OAUTH = "/realms/partner/oauth"
SCOPES = "contacts:read contacts:write crm:read crm:write"
ORGANIZATION = "6abbf6c1ce2b3e2509040b01"
OWNERS = (
    ("6abbf6c2ce2b3e2509040b02", "olga.owner@example.com"),
    ("6abbf6c2ce2b3e2509040b03", "sven.sales@example.com"),
)
OFFSET = timezone(timedelta(hours=2))
LIMITED = "x-sib-ratelimit-"


def refusal(status: int, code: str, message: str, **metadata: Json) -> Answer:
    body: dict[str, Json] = {"code": code, "message": message}
    return Answer(status, body | ({"metadata": metadata} if metadata else {}))


def invalid(message: str, code: str = "invalid_parameter") -> RefusalError:
    return RefusalError(refusal(400, code, message))


def not_found(what: str) -> RefusalError:
    return RefusalError(refusal(404, "document_not_found", f"{what} does not exist"))


class Account(Fake):
    """No document in `specs`: what is there of Brevo is an inventory of its SDK, not OpenAPI."""

    name = "brevo"
    token_path = f"{OAUTH}/token"
    token_lifetime = 3600
    key_prefix = "xkeysib-"
    defaults: ClassVar[dict[str, Any]] = {
        "contacts_per_second": 1_000_000,
        "contacts_per_hour": 1_000_000,
        "others_per_hour": 1_000_000,
        "returns_refresh_token": False,
        "blocks_unknown_addresses": False,
        "contacts_in_process": False,
        "name_attributes": ["FIRSTNAME", "LASTNAME"],
        "update_conflict_code": "invalid_parameter",
        "malformed_id_status": 400,
        "since_includes_its_moment": False,
        "forbidden": [],
    }
    """The vendor's own numbers on the smallest plan: 10 a second and 36,000 an hour for contacts, and no more than
    100 an hour for everything else, so for all of the CRM.
    returns_refresh_token: whether a refresh that does not rotate tells the refresh token again; not documented.
    blocks_unknown_addresses: an account may refuse API keys from addresses it does not know.
    contacts_in_process: writes of contacts are 425. name_attributes: French accounts have PRENOM and NOM, others
    FNAME and LNAME. update_conflict_code: it was duplicate_parameter before 2026.
    malformed_id_status: of the id of a company or a deal that is none; the contract declares 400 and 404 and no more.
    since_includes_its_moment: whether modifiedSince and createdSince tell what happened at that very moment; the
    reference says after it, nobody recorded it.
    forbidden: contacts, companies, deals, users that the rights of the connected user do not reach. Contacts stand for
    leads; what an attribute of users offers is no user, and is told all the same."""

    def clear(self) -> None:
        self.second, self.hour = Window(1, self.clock), Window(3600, self.clock)
        self.others = Window(3600, self.clock)
        self.users: dict[str, dict[str, Json]] = {}
        for user_id, email in OWNERS:
            self.add_user({"id": user_id, "email": email, "is_owner": "false" if self.users else "true"})

    # Tokens and keys.

    @route("POST", token_path, label="token", public=True)
    def token(self, request: Request) -> Answer:
        """A form with the client's secret in it; how a refusal looks is RFC 6749's word, none was recorded."""
        form = request.form if request.is_form else {}
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return self.token_refused(400, "unsupported_grant_type")
        try:
            issued = self.grants.redeem(form, form.get("client_id", ""), form.get("client_secret", ""))
        except ClientError:
            return self.token_refused(401, "invalid_client")
        except GrantError:
            return self.token_refused(400, "invalid_grant")
        scope = SCOPES if issued.grant.scopes is None else " ".join(sorted(issued.grant.scopes))
        body: dict[str, Json] = {"access_token": issued.access_token, "token_type": "Bearer", "scope": scope}
        body |= {"expires_in": int(issued.grant.lifetime)}
        first = form["grant_type"] == "authorization_code"
        if first or issued.grant.rotates or self.settings["returns_refresh_token"]:
            body |= {"refresh_token": issued.refresh_token}
        return Answer(200, body)

    @staticmethod
    def token_refused(status: int, error: str) -> Answer:
        return Answer(status, {"error": error, "error_description": error.replace("_", " ").capitalize()})

    def api_key(self, request: Request) -> str | None:
        return request.headers.get("api-key")

    def authenticate(self, request: Request, scope: str | None) -> None:
        if self.api_key(request) is not None and self.settings["blocks_unknown_addresses"]:
            raise RefusalError(
                refusal(401, "unauthorized", "We have detected you are using an unrecognised IP address")
            )
        super().authenticate(request, scope)

    # The walk of a request.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """Answers about contacts tell the limit of the second; the hour of everything else is spent in silence."""
        if label in ("token", "unknown"):
            return {}
        if not label.startswith("contacts"):
            allowed = self.settings["others_per_hour"]
            if self.others.spend(allowed) is None:
                raise RefusalError(self.too_many(allowed, self.left(self.others)))
            return {}
        per_second, per_hour = self.settings["contacts_per_second"], self.settings["contacts_per_hour"]
        left = self.second.spend(per_second)
        if left is None:
            raise RefusalError(self.too_many(per_second, 1))
        if self.hour.spend(per_hour) is None:
            raise RefusalError(self.too_many(per_hour, self.left(self.hour)))
        return self.told(per_second, left, 1)

    def left(self, window: Window) -> float:
        """Until the oldest request falls out of the window."""
        return math.ceil(window.seconds - (self.clock() - window.spent[0][0])) if window.spent else window.seconds

    def handle(self, found: Route | Answer, request: Request, label: str) -> Answer:
        """Who is not let in is not told the limits either."""
        answer = super().handle(found, request, label)
        if answer.status == 401:
            answer.headers = {name: value for name, value in answer.headers.items() if not name.startswith(LIMITED)}
        answer.headers = answer.headers | {"sib-request-id": str(uuid.uuid4())}
        return answer

    def body(self, request: Request) -> dict[str, Json]:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise RefusalError(refusal(415, "invalid_parameter", "Content-Type must be application/json"))
        return super().body(request)

    # The account and its users.

    @route("GET", f"{V3}/account", label="account")
    def get_account(self, request: Request) -> Answer:
        relay = {"enabled": True, "data": {"userName": "sandbox", "relay": "smtp-relay.brevo.com", "port": 587}}
        account: dict[str, Json] = {"organization_id": ORGANIZATION, "user_id": 7, "enterprise": False}
        account |= {"companyName": "Sandbox", "email": OWNERS[0][1], "firstName": "Olga", "lastName": "Owner"}
        plan = [{"type": "free", "credits": 300, "creditsType": "sendLimit"}]
        return Answer(200, account | {"plan": plan, "relay": relay})

    @route("GET", f"{V3}/organization/invited/users", label="users")
    def list_users(self, request: Request) -> Answer:
        """Without an id: that is only to be had from the options of an attribute of users."""
        self.permit("users")
        return Answer(200, {"users": list(self.users.values())})

    def add_user(self, fields: dict[str, Json]) -> str:
        """The id of an account that may own: what an attribute of users takes and tells."""
        access = {"marketing": "full", "conversations": "none", "crm": "full"}
        user_id = str(fields.get("id") or secrets.token_hex(12))
        shown = {name: value for name, value in fields.items() if name != "id"}
        self.users[user_id] = {"is_owner": "false", "status": "active", "feature_access": access} | shown
        return user_id

    def permit(self, noun: str) -> None:
        """What the connected user may not see is refused like a missing scope; no such body was recorded."""
        if noun in self.settings["forbidden"]:
            raise RefusalError(self.missing_scope(noun))

    # Reading a query.

    def counted(self, request: Request, name: str, default: int, most: float = math.inf) -> int:
        text = request.query.get(name, str(default))
        if not text.isdigit():
            raise invalid(f"{name} should be a positive integer")
        if int(text) > most or (name in ("limit", "page") and int(text) == 0):
            raise invalid(f"{name} is out of range", "out_of_range")
        return int(text)

    def since(self, request: Request, name: str) -> float:
        """ISO 8601 with a time and an offset; a plus that was not encoded arrives as a blank and fits no more."""
        text = request.query.get(name)
        if text is None:
            return -math.inf
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)", text):
            raise invalid(f"{name} is not a valid date")
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError as odd:
            raise invalid(f"{name} is not a valid date") from odd

    def later(self, request: Request, name: str) -> Callable[[float], bool]:
        """Whether a moment is told to who asks for what came since another."""
        bound, inclusive = self.since(request, name), self.settings["since_includes_its_moment"]
        return lambda at: at > bound or (inclusive and at == bound)

    def backwards(self, request: Request) -> bool:
        """Creation descending, unless asked otherwise."""
        if request.query.get("sort", "desc") not in ("asc", "desc"):
            raise invalid("sort should be asc or desc")
        return request.query.get("sort", "desc") == "desc"

    @staticmethod
    def known_query(request: Request, *names: str) -> None:
        if strange := sorted(request.query.keys() - set(names)):
            raise invalid(f"{strange[0]} is not a known parameter")

    # Refusals.

    @staticmethod
    def told(limit: int, left: int, reset: float) -> dict[str, str]:
        """reset is the time that is left, in seconds."""
        values = {"limit": str(limit), "remaining": str(left), "reset": f"{reset:g}"}
        return {LIMITED + name: value for name, value in values.items()}

    def too_many(self, limit: int, reset: float) -> Answer:
        answer = refusal(429, "too_many_requests", "Rate limit exceeded")
        answer.headers = self.told(limit, 0, reset)
        return answer

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        kind = "contacts_per_second" if label.startswith("contacts") else "others_per_hour"
        answer = self.too_many(self.settings[kind], wait or 0)
        return answer if wait is not None else Answer(429, answer.body)

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        said = "authentication not found in headers" if standing is None else "authentication is not valid"
        return refusal(401, "unauthorized", said)

    def missing_scope(self, scope: str) -> Answer:
        """The status is declared, the body was never recorded."""
        return refusal(403, "permission_denied", "Permission denied")

    def server_error(self, status: int) -> Answer:
        return refusal(status, "internal_server_error", "Internal server error")

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """A 400, which does not say whose the e-mail is."""
        return self.taken("create", ["email"])

    @staticmethod
    def taken(doing: str, identifiers: list[str], code: str = "duplicate_parameter") -> Answer:
        said = f"Unable to {doing} contact, {', '.join(identifiers)} is already associated with another Contact"
        return refusal(400, code, said, duplicate_identifiers=identifiers)

    def route_unknown(self, request: Request) -> Answer:
        return refusal(404, "document_not_found", "The requested path does not exist")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return refusal(405, "method_not_allowed", f"{request.method} Method is not allowed on this path")

    def bad_json(self, detail: str) -> Answer:
        return refusal(400, "invalid_parameter", f"Input must be a valid JSON object: {detail}")
