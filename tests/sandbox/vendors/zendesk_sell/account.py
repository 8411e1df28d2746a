"""A Zendesk Sell account: tokens, scopes, the limit of an hour, and the refusals that any path can give.

https://developers.getbase.com/docs/rest/articles/errors
https://github.com/zendesk/zendesk-sell-for-zapier (the vendor's own app: its token requests and recorded errors)
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, GrantError, Standing

SCOPES = "read write profile sync"
MORE_INFO = {"more_info": "https://developers.getbase.com/docs/rest/articles/errors"}
MESSAGES = {
    "invalid_param": "invalid request query parameter",
    "invalid_header": "invalid request header",
    "invalid_user_agent": "invalid User-Agent header",
    "invalid_payload": "invalid request payload",
    "incorrect_payload": "incorrect request payload",
    "unauthorized": "Required access token is missing, malformed, expired, or invalid.",
    "insufficient_scope": "request requires higher privileges",
    "not_found": "resource you are looking for was not found",
    "incorrect_path": "requested path was not found",
    "rate_limit_exceeded": "rate limit exceeded",
    "unknown": "unknown attribute",
    "missing": "required attribute is missing",
    "blank": "attribute value is blank",
    "already_exists": "attribute value already exists",
    "invalid_type": "attribute value has an invalid type",
    "incorrect_value": "attribute value is incorrect",
    "server_error": "internal server error",
    "temporarily_unavailable": "service is temporarily unavailable",
}


@dataclass(frozen=True)
class Flaw:
    """One error of an answer, which may hold several. The field is the way to it from the record: "address/city"."""

    code: str
    details: str
    field: str | None = None
    resource: str | None = None


class Account(Fake):
    """There is no OpenAPI document of Sell in public, so `specs` is empty."""

    name = "zendesk_sell"
    token_path = "/oauth2/token"
    token_lifetime = 3600
    rotates = True
    key_prefix = ""
    nouns: ClassVar[dict[str, str]] = {
        "lead": "leads", "contact": "contacts", "deal": "deals", "owners": "users", "company": "companies",
        "organizations": "companies",
    }  # fmt: skip
    defaults: ClassVar[dict[str, Any]] = {
        "requests_per_hour": 1_000_000,
        "search_lag": 0.0,
        "created_status": 200,
        "refused_grant_status": 401,
        "older_errors": False,
        "unknown_parameters": False,
        "custom_fields_replaced": False,
        "choices_named": "choices",
        "value_as_text": False,
        "organizations_own_deals": False,
        "forbidden": [],
        "forbidden_status": 403,
        "foreign_records": [],
    }
    """The vendor's own number is 36,000 requests an hour for each token. `search_lag`: for how many seconds the index
    of the Search API does not know of a write; some, it is said, but nobody has measured them.

    Not confirmed, hence to be chosen: `created_status` (200 in the vendor's tests, 201 elsewhere),
    `refused_grant_status` (a wrong client is known to be 401), `unknown_parameters` of a query (refused, or True: not
    looked at), `custom_fields_replaced` by a PUT (or only those that are sent), how a list's `choices_named` are
    (choices or options), `value_as_text` of a deal (its money is recorded as a number, read as either by the vendor's
    clients), `organizations_own_deals`: a deal whose contact is an organization has it as its organization, too.
    `forbidden` (["deals"]): what the user's role may not see, `companies` being contacts, too. Plans and roles refuse
    with 403, in words that were recorded of products alone; `forbidden_status` 404 is the other way that is told:
    a foreign record looks like one that is not there. `foreign_records` are ids of such.
    """

    def clear(self) -> None:
        self.windows: dict[str, Window] = {}

    # Tokens.

    @route("POST", "/oauth2/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """HTTP Basic and a form body; every answer has a new refresh token. That the old one dies is not confirmed."""
        client_id, client_secret = basic(request)
        form = request.form if request.is_form else {}
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return Answer(400, {"error": "unsupported_grant_type" if "grant_type" in form else "invalid_request"})
        try:
            issued = self.grants.redeem(form, client_id, client_secret)
        except ClientError:
            return Answer(401, {"error": "invalid_client"})
        except GrantError:
            return Answer(self.settings["refused_grant_status"], {"error": "invalid_grant"})
        scopes = issued.grant.scopes
        body = {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": int(issued.grant.lifetime),
            "refresh_token": issued.refresh_token,
            "scope": SCOPES if scopes is None else " ".join(sorted(scopes)),
        }
        return Answer(200, body)

    @route("POST", "/oauth2/revoke", label="token/revoke", public=True)
    def revoke(self, request: Request) -> Answer:
        client_id, client_secret = basic(request)
        if not any((one.client_id, one.client_secret) == (client_id, client_secret) for one in self.grants.all):
            return Answer(401, {"error": "invalid_client"})
        self.grants.revoke(request.form.get("token", ""))
        return Answer(200)

    def api_key(self, request: Request) -> str | None:
        """A personal access token never expires, and looks like any other."""
        return request.bearer if request.bearer in self.grants.keys else None

    # Limits and headers.

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """36,000 an hour for a token; no header tells what is left of them."""
        if not label.startswith("token"):
            window = self.windows.setdefault(request.bearer or "", Window(3600, self.clock))
            if window.spend(self.settings["requests_per_hour"]) is None:
                raise RefusalError(self.rate_limited(0.0, label))
        return {"X-Request-Id": request_id()}

    def check(self, request: Request) -> None:
        """A User-Agent is mandatory. Which comes first, this or the token, is not documented."""
        if not request.headers.get("user-agent"):
            raise self.refused(400, Flaw("invalid_user_agent", "The User-Agent header is missing."))
        if request.body and not request.headers.get("content-type", "").startswith("application/json"):
            raise self.refused(400, Flaw("invalid_header", "The Content-Type header has to be application/json."))

    def now(self) -> str:
        return stamp(self.clock())

    # Refusals.

    def refusal(self, status: int, *flaws: Flaw) -> Answer:
        """`errors` beside `meta`; logref is the X-Request-Id, and absent where a request was not understood at all."""
        older, logref = self.settings["older_errors"], request_id()
        phrases = {422: "Unprocessable Entity"}
        phrase = phrases.get(status) or (HTTPStatus(status).phrase if status in HTTPStatus else "Unknown")
        meta: dict[str, Json] = {
            "type": "collection" if older else "errors",
            "http_status": f"{status} {phrase}",
            "links": MORE_INFO,
        }
        if status != 400:
            meta["logref"] = logref
        root = "/data/" if older else "/"
        errors: list[Json] = []
        for flaw in flaws:
            error = {"code": flaw.code, "message": MESSAGES[flaw.code], "details": flaw.details}
            error |= {"resource": flaw.resource} if flaw.resource else {}
            error |= {"field": root + flaw.field} if flaw.field else {}
            errors.append({"error": error, "meta": {"type": "error", "links": MORE_INFO}})
        return Answer(status, {"errors": errors, "meta": meta}, {"X-Request-Id": logref})

    def refused(self, status: int, *flaws: Flaw) -> RefusalError:
        return RefusalError(self.refusal(status, *flaws))

    def bad_parameter(self, name: str, why: str) -> RefusalError:
        details = f"The request query parameter '{name}' is malformed, missing, or has an invalid value ({why})"
        return self.refused(400, Flaw("invalid_param", details))

    def missing_record(self, resource: str, record_id: str) -> RefusalError:
        details = f"Resource of the type '{resource}' with the id '{record_id}' was not found."
        return self.refused(404, Flaw("not_found", details, resource=resource))

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        """One sentence for every way in which a token can fail."""
        return self.refusal(401, Flaw("unauthorized", MESSAGES["unauthorized"]))

    def missing_scope(self, scope: str) -> Answer:
        return self.refusal(403, Flaw("insufficient_scope", f"The access token lacks the scope '{scope}'."))

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """Neither Retry-After nor any other header tells the wait; the silent kind has an empty body, as recorded."""
        if wait is None:
            return Answer(429, None, {"Content-Type": "application/json"})
        return self.refusal(429, Flaw("rate_limit_exceeded", "The access token has made too many requests."))

    def server_error(self, status: int) -> Answer:
        code = "temporarily_unavailable" if status == 503 else "server_error"
        return self.refusal(status, Flaw(code, "The request could not be processed."))

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """A lead is not unique: it is there twice, and both answers say success. Only a source's name is taken."""
        if label == "lead_sources":
            flaw = Flaw("already_exists", "A source of this name exists already.", "name", "source")
            return self.refusal(422, flaw)
        self.handle(found, request, label)
        return self.handle(found, request, label)

    def route_unknown(self, request: Request) -> Answer:
        return self.refusal(404, Flaw("incorrect_path", f"The path '{request.path}' was not found."))

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        """The errors page names no 405: what cannot be done, e.g. POST /v2/stages, is a path that is not there."""
        return self.route_unknown(request)

    def bad_json(self, detail: str) -> Answer:
        return self.refusal(400, Flaw("invalid_payload", f"The request payload is malformed: {detail}"))


def basic(request: Request) -> tuple[str, str]:
    """Client id and secret; empty where there are none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (client_id, secret) if scheme.lower() == "basic" else ("", "")


def request_id() -> str:
    return "-".join(secrets.token_hex(3)[:5] for _ in range(4))


def stamp(at: float) -> str:
    """UTC in whole seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
