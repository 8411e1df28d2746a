"""Credentials of an account, kept fresh: one refresh at a time, never two.

The one who gets the lease refreshes; the others wait and read what it stored. What a token endpoint hands out is stored
before it is used. A refused refresh is only believed after the stored token was read again: had it changed, the race
was lost and not the account.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from switchboard.crm.auth import Credentials, OAuth2, Scheme, Token
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Talk
from switchboard.ports import Account, Clock, Deadline, Leases, Secrets

EARLY_SECONDS = 60
"""A token is renewed this long before it ends, so that it cannot end on the way."""
ALIVE_SECONDS = 5
"""A token that lives this much longer is used, if it cannot be renewed early."""
LEASE_SECONDS = 60
"""Longer than the slowest token endpoint may take."""
KEEP_SECONDS = 300
"""How long credentials are remembered without another look."""
LOOK_SECONDS = 0.15
"""How often one who waits for another's refresh looks for it."""


@dataclass(slots=True)
class _Known:
    credentials: Credentials
    until: float


@dataclass(slots=True)
class Tokens:
    """The credentials of accounts, for as long as the process lives."""

    secrets: Secrets
    leases: Leases
    clock: Clock
    word: Callable[[], str]
    _known: dict[tuple[str, str], _Known] = field(default_factory=dict[tuple[str, str], _Known])

    def current(
        self, account: Account, scheme: Scheme, exchange: Callable[[Talk[Token]], Token], deadline: Deadline
    ) -> Credentials:
        """Credentials that are good for now: remembered, stored, or renewed because their end is near."""
        known = self._known.get((account.brand, account.id))
        if known and known.until > self.clock.now() and not self._ending(known.credentials):
            return known.credentials
        credentials = self._read(account)
        if not isinstance(scheme, OAuth2) or not self._ending(credentials):
            return credentials
        alive = float(credentials["expires_at"]) > self.clock.now() + ALIVE_SECONDS
        try:
            return self.renewed(account, scheme, credentials, exchange, deadline, wait=not alive)
        except Problem as problem:
            if alive and problem.kind is not Kind.NEEDS_REAUTH:
                return credentials  # it is early yet: the next call will try again
            raise

    def renewed(
        self,
        account: Account,
        scheme: Scheme,
        refused: Credentials,
        exchange: Callable[[Talk[Token]], Token],
        deadline: Deadline,
        *,
        wait: bool = True,
    ) -> Credentials:
        """Other credentials than the refused ones. Raises `needs-reauth` where there can be none."""
        name, holder = f"token#{account.id}", self.word()
        while True:
            stored = self._read(account)
            if not _same(stored, refused):
                return stored
            if not isinstance(scheme, OAuth2):
                detail = "The CRM no longer accepts this account's key; the account has to be connected again."
                raise Problem(Kind.NEEDS_REAUTH, detail)
            if self.leases.acquire(account.brand, name, holder, now=self.clock.now(), seconds=LEASE_SECONDS):
                break
            if not wait or deadline.left < 1:
                raise Problem(Kind.CRM_TIMEOUT, "Another request is still renewing this account's token.")
            self.clock.sleep(LOOK_SECONDS)
        try:
            stored = self._read(account)  # another may have stored one between our look and our lease
            return stored if not _same(stored, refused) else self._refresh(account, scheme, stored, exchange)
        finally:
            self.leases.release(account.brand, name, holder)

    def _refresh(
        self, account: Account, scheme: OAuth2, stored: Credentials, exchange: Callable[[Talk[Token]], Token]
    ) -> Credentials:
        try:
            told = {"origin": account.origin} if account.origin else {}
            app = {**told, **account.settings, **self.secrets.app(account.crm)}
            token = exchange(scheme.refresh(stored, app))
        except Problem as problem:
            if problem.kind is Kind.NEEDS_REAUTH and not _same(again := self._read(account), stored):
                return again
            raise
        fresh = {**stored, "access_token": token.access_token, "refresh_token": token.refresh_token}
        fresh.pop("expires_at", None)
        if token.expires_in is not None:
            fresh["expires_at"] = int(self.clock.now()) + token.expires_in
        if token.origin:
            fresh["origin"] = token.origin
        self.secrets.keep(account.brand, account.id, fresh)
        return self._remember(account, fresh)

    def _read(self, account: Account) -> Credentials:
        return self._remember(account, self.secrets.account(account.brand, account.id))

    def _remember(self, account: Account, credentials: Credentials) -> Credentials:
        self._known[account.brand, account.id] = _Known(credentials, self.clock.now() + KEEP_SECONDS)
        return credentials

    def _ending(self, credentials: Credentials) -> bool:
        expires_at = credentials.get("expires_at")
        return expires_at is not None and float(expires_at) - EARLY_SECONDS <= self.clock.now()


def _same(one: Credentials, other: Credentials) -> bool:
    return all(one.get(name) == other.get(name) for name in ("access_token", "api_key"))
