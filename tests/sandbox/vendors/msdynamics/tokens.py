"""Microsoft Entra's token endpoint: one per tenant, whose refusals are told by a number.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
https://learn.microsoft.com/entra/identity-platform/refresh-tokens
"""

import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from tests.sandbox.exchange import Answer, RefusalError, Request
from tests.sandbox.fake import Fake, route
from tests.sandbox.grants import ClientError, Grant, GrantError, Grants, Issued

ENVIRONMENT = "https://sandbox.crm.dynamics.com"
"""The audience of a token: the environment's URL without the `.api` that the Web API's own has."""
TENANT = "0f7a1f0e-52a2-4a58-9c0b-6f0c2f3d1e11"
SHARED_TENANTS = ("organizations", "common")
GRANT_TYPES = ("refresh_token", "authorization_code", "client_credentials")
PLAIN_SCOPES = {"offline_access", "openid", "profile", "email"}


class EntraGrants(Grants):
    """Every use of a refresh token gives a new one, whatever a grant asks for, and the old ones go on working."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.elders: dict[str, Grant] = {}

    def mint(self, *, lifetime: float, expired: bool, rotates: bool, scopes: frozenset[str] | None) -> Issued:
        return super().mint(lifetime=lifetime, expired=expired, rotates=False, scopes=scopes)

    def redeem(self, form: dict[str, str], client_id: str, client_secret: str) -> Issued:
        if form.get("grant_type") == "client_credentials":
            return self.of_the_app(client_id, client_secret)
        elder = self.elders.get(form.get("refresh_token", ""))
        issued = super().redeem(
            form | ({"refresh_token": elder.refresh_token} if elder else {}), client_id, client_secret
        )
        self.elders[issued.refresh_token] = issued.grant
        issued.grant.refresh_token = f"refresh-{secrets.token_hex(20)}"
        return replace(issued, refresh_token=issued.grant.refresh_token)

    def of_the_app(self, client_id: str, client_secret: str) -> Issued:
        credentials = (client_id, client_secret)
        grant = next((grant for grant in self.all if (grant.client_id, grant.client_secret) == credentials), None)
        if grant is None:
            raise ClientError
        if grant.revoked:
            raise GrantError
        return self._issue(grant)

    def revoke(self, token: str, *, access_only: bool = False) -> bool:
        elder = self.elders.get(token)
        return super().revoke(elder.refresh_token if elder else token, access_only=access_only)

    def revoked(self, refresh_token: str) -> bool:
        elder = self.elders.get(refresh_token)
        return any(grant.revoked and (grant is elder or grant.refresh_token == refresh_token) for grant in self.all)


class Entra(Fake):
    token_path = "/organizations/oauth2/v2.0/token"
    token_lifetime = 3600

    def reset(self) -> None:
        super().reset()
        self.grants: Grants = EntraGrants(self.clock)

    def grant_facts(self) -> dict[str, str]:
        scope = f"{ENVIRONMENT}/.default offline_access"
        return {"tenant": TENANT, "environment": ENVIRONMENT, "token_scope": scope}

    @route("POST", "/<tenant>/oauth2/v2.0/token", label="token", public=True)
    def token(self, request: Request) -> Answer:
        """A form with the client in it. Only a user's grant has a refresh token, an app's own never has."""
        form = request.form if request.is_form else {}
        self.examine(form, request.args["tenant"])
        scope = form.get("scope", f"{ENVIRONMENT}/user_impersonation offline_access")
        resource = self.resource(scope)
        try:
            issued = self.grants.redeem(form, form["client_id"], form["client_secret"])
        except ClientError:
            known = any(grant.client_id == form["client_id"] for grant in self.grants.all)
            if known:
                return self.token_refused(401, "invalid_client", 7000215, "Invalid client secret provided.")
            message = f"Application with identifier '{form['client_id']}' was not found in the directory."
            return self.token_refused(400, "unauthorized_client", 700016, message)
        except GrantError:
            return self.grant_refused(form)
        if resource != ENVIRONMENT:
            # A good token of another audience: only the Web API refuses it.
            self.grants.revoke(issued.access_token, access_only=True)
        body = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": int(issued.expires_at - self.clock()),
            "scope": scope,
        }
        of_a_user = form["grant_type"] != "client_credentials"
        return Answer(200, body | ({"refresh_token": issued.refresh_token} if of_a_user else {}))

    def examine(self, form: dict[str, str], tenant: str) -> None:
        """What is wrong with a request whoever sends it."""
        if tenant not in (*SHARED_TENANTS, TENANT):
            raise RefusalError(self.token_refused(400, "invalid_request", 90002, f"Tenant '{tenant}' not found."))
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                message = f"The request body must contain the following parameter: '{name}'."
                raise RefusalError(self.token_refused(400, "invalid_request", 900144, message))
        if form["grant_type"] not in GRANT_TYPES:
            message = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise RefusalError(self.token_refused(400, "unsupported_grant_type", 70003, message))
        if not form.get("client_secret"):
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise RefusalError(self.token_refused(401, "invalid_client", 7000218, message))
        if form["grant_type"] == "client_credentials" and tenant in SHARED_TENANTS:
            # An app signs in to one tenant, never to whichever the user has.
            message = f"The endpoint '{tenant}' does not serve this grant type: name a tenant."
            raise RefusalError(self.token_refused(400, "invalid_request", 50194, message))
        if form["grant_type"] == "refresh_token" and not form.get("scope"):
            # Written down nowhere for this case; a token without a resource is of no use to anybody.
            message = "The application is requesting a token without a resource."
            raise RefusalError(self.token_refused(400, "invalid_request", 90009, message))
        if form["grant_type"] == "client_credentials" and not form.get("scope", "").endswith("/.default"):
            raise RefusalError(self.scope_refused(form.get("scope", "")))

    def resource(self, scope: str) -> str:
        """The one environment that the scopes are of."""
        resources: set[str] = set()
        for one in set(scope.split()) - PLAIN_SCOPES:
            match = re.fullmatch(r"(https://[\w-]+\.crm\d*\.dynamics\.com)/{1,2}(?:user_impersonation|\.default)", one)
            if match is None:
                raise RefusalError(self.scope_refused(one))
            resources.add(match[1])
        if len(resources) != 1:
            raise RefusalError(self.scope_refused(scope))
        return resources.pop()

    def scope_refused(self, scope: str) -> Answer:
        message = f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        return self.token_refused(400, "invalid_scope", 70011, message)

    def grant_refused(self, form: dict[str, str]) -> Answer:
        """Always `invalid_grant`: only the number tells an idle grant from a revoked one."""
        grants = self.grants
        if isinstance(grants, EntraGrants) and grants.revoked(form.get("refresh_token", "")):
            message = "The provided grant is not valid any more: sign in again."
            return self.token_refused(400, "invalid_grant", self.settings["revoked_grant_number"], message)
        return self.token_refused(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")

    def token_refused(self, status: int, error: str, number: int, message: str) -> Answer:
        now = datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        told = f"AADSTS{number}: {message}"
        body = {
            "error": error,
            "error_description": f"{told}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {now}",
            "error_codes": [number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        }
        return Answer(status, body)
