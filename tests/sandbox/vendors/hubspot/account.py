"""One HubSpot account: tokens, scopes, rate limits, owners, and the refusals that any path can give."""

from typing import Any, ClassVar

from tests.sandbox.budget import Window
from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import Fake, Route, route
from tests.sandbox.grants import ClientError, Grant, GrantError, Standing
from tests.sandbox.vendors.hubspot import refusals
from tests.sandbox.vendors.hubspot.properties import OBJECT_TYPES, iso
from tests.sandbox.vendors.hubspot.store import PORTAL, SINGULAR, Store

DATED = '<any("2026-03", "2026-09"):version>'
MIGRATING = 477
LONGEST_TARGET = 8192
OAUTH = ("/oauth/v1/token", f"/oauth/{DATED}/token")


def owner(owner_id: str, email: str, first: str, last: str, created: float) -> dict[str, Json]:
    return {
        "id": owner_id,
        "email": email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": int(owner_id),
        "userIdIncludingInactive": int(owner_id),
        "createdAt": iso(created),
        "updatedAt": iso(created),
        "archived": False,
    }


class Account(Fake):
    """https://developers.hubspot.com/docs/api-reference/overview"""

    name = "hubspot"
    token_path = "/oauth/2026-09/token"
    token_lifetime = 1800
    key_prefix = "pat-na1-"
    nouns: ClassVar[dict[str, str]] = (
        {word: kind for kind, number in OBJECT_TYPES.items() for word in (kind, SINGULAR[kind], number)}
        | {"ticket": "tickets", "0-5": "tickets"}
        | dict.fromkeys(("owner", "user", "users"), "owners")
    )
    defaults: ClassVar[dict[str, Any]] = {
        "search_lag": 0.0,
        "list_cursor": "position",
        "requests_per_interval": 1_000_000,
        "interval_seconds": 10,
        "searches_per_second": 1_000_000,
        "requests_per_day": 1_000_000,
        "associations_per_page": 100,
        "required_properties": {},
        "most_pipelines": 1_000_000,
        "labels_unique_per": "account",
        "forbidden": [],
        "forbidden_associations": "refused",
    }
    """`search_lag`: seconds after which search knows of a write; up to 30 are reported.
    `list_cursor`: whether `after` of a list counts rows, so that a deletion during the walk hides another record, or
    names the `id` to go on behind. Neither is documented; the former is harder on a client.
    The vendor's own numbers are 110 (OAuth) or 190 (private app) per 10 s, 5 searches per second, and 250,000
    a day, which only private apps are counted for.

    `required_properties` ({"leads": ["hs_lead_label"]}) are an admin's rules, which only 2026-09 enforces.
    How many associations a record shows before it pages them is not documented.
    `most_pipelines` of one object depend on the plan; their labels are `labels_unique_per` account or object.
    `forbidden` (["deals", "users"]) are objects that no token may read, whatever its scopes.
    A record that is asked for with associations to an object that may not be read is `refused`, or comes with them
    `left_out`: neither was recorded.
    """
    specs: ClassVar[dict[str, str]] = {
        "contacts.v3.json": "/crm/v3/objects/contacts",
        "companies.v3.json": "/crm/v3/objects",
        "deals.v3.json": "/crm/v3/objects/deals",
        "leads.v3.json": "/crm/v3/objects/leads",
        "owners.v3.json": "/crm/v3/owners",
        "associations.v4.json": "/crm/v4",
        "pipelines.v3.json": "/crm/v3/pipelines",
    }

    def clear(self) -> None:
        now = self.clock()
        self.store = Store()
        self.requests_window = Window(self.settings["interval_seconds"], self.clock)
        self.search_window = Window(1, self.clock)
        self.day_window = Window(86_400, self.clock)
        self.owners = {
            owner_id: owner(owner_id, email, first, last, now - 86_400)
            for owner_id, email, first, last in (
                ("88842095", "olivia.owner@example.com", "Olivia", "Owner"),
                ("32900489", "sam.seller@example.com", "Sam", "Seller"),
            )
        }

    # Tokens.

    @route("POST", *OAUTH, label="token", public=True)
    def token(self, request: Request) -> Answer:
        """The refresh answer carries the same refresh token unless the grant rotates."""
        form = request.form
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            message = "unknown or missing grant_type"
            return self.token_refused(request, "BAD_GRANT_TYPE", "unsupported_grant_type", message)
        try:
            issued = self.grants.redeem(form, form.get("client_id", ""), form.get("client_secret", ""))
        except ClientError:
            return self.token_refused(request, "BAD_CLIENT_ID", "invalid_client", "missing or unknown client id")
        except GrantError:
            code = "BAD_REFRESH_TOKEN" if form["grant_type"] == "refresh_token" else "BAD_AUTH_CODE"
            return self.token_refused(request, code, "invalid_grant", "missing or invalid refresh token")
        body: dict[str, Json] = {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": int(issued.grant.lifetime),
            "token_type": "bearer",
        }
        if "version" in request.args:
            body |= {"hub_id": int(PORTAL), "user_id": 88842095}
        return Answer(200, body)

    def token_refused(self, request: Request, status: str, error: str, message: str) -> Answer:
        """The old endpoint tells by `status` alone; the dated one has `error` next to it."""
        answer = refusals.refusal(400, message)
        answer.body |= {"status": status}
        if "version" in request.args:
            answer.body |= {"error": error, "error_description": message}
        return answer

    @route("POST", f"/oauth/{DATED}/token/introspect", label="token/introspect", public=True)
    def introspect(self, request: Request) -> Answer:
        standing, grant = self.grants.standing(request.form.get("token", ""))
        if standing is not Standing.GOOD or grant is None:
            return Answer(200, {"active": False})
        scopes = sorted(grant.scopes) if grant.scopes is not None else []
        return Answer(200, {"active": True, "client_id": grant.client_id, "hub_id": int(PORTAL), "scopes": scopes})

    @route("POST", f"/oauth/{DATED}/token/revoke", label="token/revoke", public=True)
    def revoke(self, request: Request) -> Answer:
        self.grants.revoke(request.form.get("token", ""))
        return Answer(204)

    def api_key(self, request: Request) -> str | None:
        token = request.bearer
        return token if token and token.startswith("pat-") else None

    def allowed(self, grant: Grant, scope: str) -> bool:
        """Writing does not include reading, and the other way round; schemas ride on either."""
        return grant.allows(scope)

    def authenticate(self, request: Request, scope: str | None) -> None:
        """What is forbidden is what its scope is missing for: HubSpot has no other sentence for it."""
        super().authenticate(request, scope)
        if scope in {f"crm.objects.{self.noun(word)}.read" for word in self.settings["forbidden"]}:
            raise RefusalError(self.missing_scope(scope))

    # Owners.

    @route("GET", "/crm/v3/owners", label="owners", scope="crm.objects.owners.read")
    def list_owners(self, request: Request) -> Answer:
        email = request.query.get("email", "").lower()
        archived = request.query.get("archived") == "true"
        known = [one for one in self.owners.values() if one["archived"] is archived]
        found = [one for one in known if not email or one["email"] == email]
        return Answer(200, self.page(request, found, ceiling=500, default=100))

    @route("GET", "/crm/v3/owners/<id>", label="owners/{{id}}", scope="crm.objects.owners.read")
    def get_owner(self, request: Request) -> Answer:
        """By its own id, or by that of the user behind it; one that left is shown only to who asks for the archived."""
        wanted, key = request.args["id"], request.query.get("idProperty") or "id"
        if key not in ("id", "userId"):
            raise refusals.validation(f"idProperty must be id or userId: {key}")
        archived = request.query.get("archived") == "true"
        for one in self.owners.values():
            if str(one.get(key)) == wanted and one["archived"] is archived:
                return Answer(200, one)
        raise refusals.not_found(wanted.isdigit())

    # Paging, limits, refusals.

    def page(self, request: Request, rows: list[Json], *, ceiling: int, default: int) -> dict[str, Json]:
        """`after` is a position; `paging` is absent on the last page."""
        limit, start = self.limit(request, ceiling, default), self.number(request, "after", 0)
        body: dict[str, Json] = {"results": rows[start : start + limit]}
        if start + limit < len(rows):
            body["paging"] = self.onward(request, limit, str(start + limit))
        return body

    def limit(self, request: Request, ceiling: int, default: int) -> int:
        limit = self.number(request, "limit", default)
        if not 1 <= limit <= ceiling:
            raise refusals.validation(f"limit must be between 1 and {ceiling}: {limit}")
        return limit

    @staticmethod
    def onward(request: Request, limit: int, after: str) -> dict[str, Json]:
        """The link is under the public host, and leaves out what else was asked for: `after` is what counts."""
        link = f"https://api.hubapi.com{request.path}?limit={limit}&after={after}"
        return {"next": {"after": after, "link": link}}

    @staticmethod
    def number(request: Request, name: str, default: int) -> int:
        text = request.query.get(name) or str(default)
        if not text.isdigit():
            raise refusals.validation(f"{name} is not a number: {text}")
        return int(text)

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """Search has a limit of its own per second, and its answers carry no rate headers.

        Whoever asks for hundreds of properties in a URL is refused by the proxy in front (seen by several connectors:
        https://github.com/airweave-ai/airweave/pull/1064).
        """
        if len(request.target) > LONGEST_TARGET:
            raise RefusalError(Answer(414, b"<h1>414 URI Too Long</h1>", {"Content-Type": "text/html"}))
        if label.endswith("/search"):
            if self.search_window.spend(self.settings["searches_per_second"]) is None:
                raise RefusalError(refusals.rate_limited("SECONDLY"))
            return {}
        if label.startswith("token"):
            return {}
        limit: int = self.settings["requests_per_interval"]
        self.requests_window.seconds = self.settings["interval_seconds"]
        left = self.requests_window.spend(limit)
        if left is None:
            raise RefusalError(self.rate_limited(self.settings["interval_seconds"], label))
        headers = self.rate_headers(limit, left, self.settings["interval_seconds"])
        return headers | (self.daily_headers() if self.api_key(request) else {})

    def daily_headers(self) -> dict[str, str]:
        """A day has an allowance for private apps only; OAuth apps are not told of one."""
        per_day: int = self.settings["requests_per_day"]
        left = self.day_window.spend(per_day)
        if left is None:
            raise RefusalError(refusals.rate_limited("DAILY"))
        return {"X-HubSpot-RateLimit-Daily": str(per_day), "X-HubSpot-RateLimit-Daily-Remaining": str(left)}

    @staticmethod
    def rate_headers(limit: int, left: int, seconds: float) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(limit),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(seconds * 1000)),
            "X-HubSpot-RateLimit-Secondly": "11",
            "X-HubSpot-RateLimit-Secondly-Remaining": "10",
        }

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        """No Retry-After: the policy and the interval headers say how long."""
        if wait is None:
            return refusals.rate_limited(None)
        if label.endswith("/search"):
            return refusals.rate_limited("SECONDLY")
        answer = refusals.rate_limited("TEN_SECONDLY_ROLLING")
        answer.headers = self.rate_headers(self.settings["requests_per_interval"], 0, wait)
        return answer

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        if standing is Standing.EXPIRED:
            return refusals.expired(expired_at, self.clock())
        message = (
            "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            if standing is None
            else "The access token is not valid: it is unknown, or its account or app no longer allows it."
        )
        return refusals.refusal(401, message, "INVALID_AUTHENTICATION")

    def missing_scope(self, scope: str) -> Answer:
        return refusals.missing_scopes(scope)

    def server_error(self, status: int) -> Answer:
        """477: the account is being moved to another data centre, which is said to take a while."""
        answer = refusals.refusal(status, "internal error")
        answer.headers = {"Retry-After": "3600"} if status == MIGRATING else {}
        return answer

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        """The recorded sentence is a contact's; it carries the id of the newest record, else of what was sent now."""
        records = self.store.records.get(label.split("/", maxsplit=1)[0], {})
        if existing is None and not records:
            made = self.handle(found, request, label)
            existing = made.body.get("id") if made.status == 201 else None
        return refusals.conflict(existing or next(reversed(records), "0"))

    def route_unknown(self, request: Request) -> Answer:
        return refusals.refusal(404, "resource not found")

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        return refusals.refusal(405, "HTTP 405 Method Not Allowed")

    def bad_json(self, detail: str) -> Answer:
        return refusals.validation(f"Invalid input JSON: {detail}").answer

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        return refusals.validation(f"Invalid input JSON at {where or 'the top'}: {detail}").answer

    def spec_path(self, request: Request) -> str:
        """The dated paths keep the bodies of v3 (objects) and v4 (associations)."""
        parts = request.path.strip("/").split("/")
        if parts[:2] == ["crm", "objects"] and len(parts) > 2:
            parts = ["crm", "v4" if "associations" in parts else "v3", "objects", *parts[3:]]
        if parts[:2] == ["crm", "pipelines"] and len(parts) > 2:
            parts = ["crm", "v3", "pipelines", *parts[3:]]
        if len(parts) > 3:
            parts[3] = self.noun(parts[3])
        return "/" + "/".join(parts)

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """Known errors: recorded requests without associations, with JSON numbers, sort objects and limits as text."""
        schemas = document["components"]["schemas"]
        schemas.get("SimplePublicObjectInputForCreate", {}).update(required=["properties"])
        schemas.get("BatchReadInputSimplePublicObjectId", {}).update(required=["inputs"])
        for schema in schemas.values():
            values = schema.get("properties", {}).get("properties", {})
            if values.get("additionalProperties") == {"type": "string"}:
                values["additionalProperties"] = {"type": ["string", "number"]}
        search = schemas.get("PublicObjectSearchRequest", {}).get("properties", {})
        if search:
            search["sorts"]["items"] = {"type": ["string", "object"]}
            search["limit"] = {"type": ["integer", "string"]}
        return document
