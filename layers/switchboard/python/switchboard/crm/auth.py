"""How a request to a CRM is signed. Refreshing a token is a conversation like any other."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from switchboard.crm.problem import Kind, Problem, Remote
from switchboard.crm.wire import Request, Response, Talk, dig, word

type Credentials = Mapping[str, Any]
"""What the secret of an account holds. Never logged, never in an error."""


@dataclass(frozen=True, slots=True)
class Header:
    """A credential in a header: `Authorization: Bearer <token>`, `x-api-token: <key>`."""

    name: str = "authorization"
    prefix: str = "Bearer "
    field: str = "api_key"

    @property
    def fields(self) -> tuple[str, ...]:
        """What the secret of an account has to hold."""
        return (self.field,)

    def sign(self, credentials: Credentials) -> dict[str, str]:
        """The headers that authenticate a request."""
        return {self.name: self.prefix + str(credentials[self.field])}


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic with two fields of the secret; an empty password is written as `password=None`."""

    user: str = "api_key"
    password: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """What the secret of an account has to hold."""
        return (self.user, self.password) if self.password else (self.user,)

    def sign(self, credentials: Credentials) -> dict[str, str]:
        """The headers that authenticate a request."""
        return basic(str(credentials[self.user]), str(credentials[self.password]) if self.password else "")


def basic(user: str, password: str) -> dict[str, str]:
    """An HTTP Basic header."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@dataclass(frozen=True, slots=True)
class Token:
    """What a token endpoint handed out. `expires_in` is in seconds, None where the vendor does not say."""

    access_token: str
    refresh_token: str
    expires_in: int | None
    origin: str | None


@dataclass(frozen=True, slots=True)
class OAuth2:
    """OAuth 2.0 with refresh tokens.

    client_in: where the client's id and secret go, in the form or in an HTTP Basic header.
    lifetime: seconds an access token lives where the answer does not say; None: only a refusal tells.
    origin: the field of the answer that names the account's host.
    """

    token_path: str
    client_in: Literal["form", "basic"] = "form"
    lifetime: int | None = None
    origin: str | None = None
    header: Header = Header(field="access_token")

    @property
    def fields(self) -> tuple[str, ...]:
        """What the secret of an account has to hold."""
        return ("access_token", "refresh_token")

    def sign(self, credentials: Credentials) -> dict[str, str]:
        """The headers that authenticate a request."""
        return self.header.sign(credentials)

    def refresh(self, credentials: Credentials, app: Credentials) -> Talk[Token]:
        """Trade the refresh token for a new access token. `needs-reauth` where the vendor says that it is dead.

        `app` is our OAuth app at the vendor, with the settings of the account beside it.
        What comes back may hold a new refresh token, and the old one may be dead at once: keep it before using it.
        """
        form = {"grant_type": "refresh_token", "refresh_token": str(credentials["refresh_token"])}
        headers: dict[str, str] = {}
        if self.client_in == "basic":
            headers = basic(str(app["client_id"]), str(app["client_secret"]))
        else:
            form |= {"client_id": str(app["client_id"]), "client_secret": str(app["client_secret"])}
        response = yield Request("POST", self.token_path, form=form, headers=headers, to="token")
        token = word(response.body, "access_token")
        if not response.ok or not token:
            raise self.refusal(response)
        return Token(
            access_token=token,
            refresh_token=word(response.body, "refresh_token") or str(credentials["refresh_token"]),
            expires_in=_seconds(dig(response.body, "expires_in")) or self.lifetime,
            origin=word(response.body, self.origin) if self.origin else None,
        )

    def refusal(self, response: Response) -> Problem:
        """What a token endpoint's refusal means. Its body stays here: it may repeat what we sent."""
        code = word(response.body, "error") or word(response.body, "status") or ""
        code = code if CODE.fullmatch(code) else None
        remote = Remote(response.status, code)
        if response.status == 429:
            detail = "The CRM's token endpoint is throttling us."
            return Problem(Kind.CRM_RATE_LIMITED, detail, remote=remote, retry_after=10)
        if (code or "").lower().startswith(OUR_CLIENT) or "invalid client" in said(response):
            detail = "The CRM does not accept our OAuth app; its client id or secret needs an operator."
            return Problem(Kind.CRM_UNAVAILABLE, detail, remote=remote)
        if response.readable and response.status in (400, 401) and code not in PASSING:
            detail = "The CRM no longer accepts this account's credentials; the account has to be connected again."
            return Problem(Kind.NEEDS_REAUTH, detail, remote=remote)
        return Problem(Kind.CRM_UNAVAILABLE, "The CRM's token endpoint did not give a token.", remote=remote)


type Scheme = Header | Basic | OAuth2

CODE = re.compile(r"[A-Za-z_]{1,64}")
"""What an error code looks like. Anything else may repeat what we sent, and is dropped."""

PASSING = ("temporarily_unavailable", "server_error")
"""Codes of RFC 6749 that say nothing of the account, whatever status they come with."""

OUR_CLIENT = ("invalid_client", "unauthorized_client", "bad_client", "unsupported_grant_type")
"""How codes begin with which a token endpoint refuses our OAuth app rather than the account."""


def _seconds(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def said(response: Response) -> str:
    """The sentences of a token endpoint's refusal, in lower case: to be looked at, never to be shown."""
    return " ".join(word(response.body, name) or "" for name in ("error_description", "message", "error")).lower()
