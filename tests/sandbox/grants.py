"""Credentials that the sandbox hands out: OAuth 2.0 grants whose access tokens expire, and API keys."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Standing(Enum):
    GOOD = "good"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ClientError(Exception):
    """The client id or its secret is wrong."""


class GrantError(Exception):
    """The refresh token or the code is unknown, used, revoked, or another client's."""


@dataclass
class Grant:
    client_id: str
    client_secret: str
    refresh_token: str
    code: str
    lifetime: float
    rotates: bool
    scopes: frozenset[str] | None
    revoked: bool = False
    tokens: dict[str, float] = field(default_factory=dict[str, float])

    def allows(self, scope: str | None) -> bool:
        """No scopes named means every scope."""
        return scope is None or self.scopes is None or scope in self.scopes


@dataclass
class Key:
    value: str
    scopes: frozenset[str] | None
    revoked: bool = False


@dataclass
class Issued:
    """What a token endpoint gives out."""

    grant: Grant
    access_token: str
    refresh_token: str
    expires_at: float


def _random(prefix: str = "") -> str:
    return prefix + secrets.token_hex(20)


class Grants:
    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.all: list[Grant] = []
        self.keys: dict[str, Key] = {}
        self.dead_tokens: set[str] = set()

    def mint(self, *, lifetime: float, expired: bool, rotates: bool, scopes: frozenset[str] | None) -> Issued:
        grant = Grant(
            _random("client-"), _random("secret-"), _random("refresh-"), _random("code-"), lifetime, rotates, scopes
        )
        self.all.append(grant)
        return self._issue(grant, expired=expired)

    def mint_key(self, prefix: str, scopes: frozenset[str] | None) -> Key:
        key = Key(_random(prefix), scopes)
        self.keys[key.value] = key
        return key

    def standing(self, token: str) -> tuple[Standing, Grant | None]:
        """How an access token stands now, and whose it is."""
        if token in self.dead_tokens:
            return Standing.REVOKED, None
        grant = next((grant for grant in self.all if token in grant.tokens), None)
        if grant is None:
            return Standing.UNKNOWN, None
        if grant.revoked:
            return Standing.REVOKED, grant
        return (Standing.EXPIRED if grant.tokens[token] <= self.clock() else Standing.GOOD), grant

    def key(self, value: str) -> Key | None:
        key = self.keys.get(value)
        return None if key is None or key.revoked else key

    def redeem(self, form: dict[str, str], client_id: str, client_secret: str) -> Issued:
        """RFC 6749 section 6 and 4.1.3: a refresh token or an authorization code becomes an access token."""
        mine = [grant for grant in self.all if grant.client_id == client_id]
        if not mine or not any(grant.client_secret == client_secret for grant in mine):
            raise ClientError
        for grant in mine:
            if grant.revoked:
                continue
            if form.get("grant_type") == "refresh_token" and form.get("refresh_token") == grant.refresh_token:
                if grant.rotates:
                    grant.refresh_token = _random("refresh-")  # the old one dies at once
                return self._issue(grant)
            if form.get("grant_type") == "authorization_code" and form.get("code") == grant.code:
                grant.code = ""  # good for one exchange
                return self._issue(grant)
        raise GrantError

    def revoke(self, token: str, *, access_only: bool = False) -> bool:
        """Kills an API key, one access token, or the whole grant that a token belongs to."""
        if token in self.keys:
            self.keys[token].revoked = True
            return True
        for grant in self.all:
            if token == grant.refresh_token or token in grant.tokens:
                if access_only:
                    self.dead_tokens.add(token)
                else:
                    grant.revoked = True
                return True
        return False

    def _issue(self, grant: Grant, *, expired: bool = False) -> Issued:
        token = _random("access-")
        expires_at = self.clock() - 1 if expired else self.clock() + grant.lifetime
        grant.tokens[token] = expires_at
        return Issued(grant, token, grant.refresh_token, expires_at)
