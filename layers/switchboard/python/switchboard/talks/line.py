"""Holding a conversation with a CRM: the one place where a pure talk meets credentials and the sender."""

from dataclasses import dataclass, field, replace
from typing import Any

from switchboard.crm.auth import Credentials
from switchboard.crm.catalog import CRM
from switchboard.crm.complaint import DETAILS
from switchboard.crm.dialect import Rate
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Party, Request, Response, Talk, segment
from switchboard.ports import Account, Deadline, Services
from switchboard.talks.tokens import Tokens

REAUTH_SECONDS = 60
"""An account that needs to be connected again gets one live try in this time."""

SECRET_FIELDS = ("access_token", "refresh_token", "api_key", "client_secret", "password")


@dataclass(slots=True)
class Line:
    """A line to one account's CRM, for as long as one call lasts."""

    services: Services
    tokens: Tokens
    crm: CRM
    account: Account
    deadline: Deadline
    calls: int = 0
    last: Response | None = field(default=None)
    origin: str | None = None
    """The account's own host, as far as it is known."""

    @property
    def accepted(self) -> bool:
        """Whether the CRM has answered something else than that it refuses the credentials."""
        return self.last is not None and not self.crm.dialect.expired(self.last)

    @property
    def rate(self) -> Rate | None:
        """The vendor's own limit, as its last answer told it."""
        return self.crm.dialect.rate(self.last) if self.last else None

    @property
    def forwarded(self) -> dict[str, str]:
        """The vendor's headers that the caller may see."""
        return self.crm.dialect.forward(self.last) if self.last else {}

    def knock(self) -> None:
        """An account that needs to be connected again gets one live try in a while; else it is refused here."""
        services, account = self.services, self.account
        if account.status == "active":
            return
        if not services.access.may_retry(account, now=int(services.clock.now()), every=REAUTH_SECONDS):
            raise Problem(Kind.NEEDS_REAUTH, DETAILS[Kind.NEEDS_REAUTH], crm=account.crm)

    def note(self, problem: Problem | None = None) -> None:
        """Note on the account what the CRM makes of its credentials."""
        account, mark = self.account, self.services.access.mark
        if problem and problem.kind is Kind.NEEDS_REAUTH:
            error = problem.remote.code if problem.remote and problem.remote.code else "credentials refused"
            now = int(self.services.clock.now())
            mark(account, status="needs_reauth", last_error=error, retried_at=now)
        elif account.status != "active" and self.accepted:
            mark(account, status="active", last_error="")

    def hold[T](self, talk: Talk[T]) -> T:
        """Hold the conversation to its end. A token that the CRM refuses is renewed once and the request sent again."""
        try:
            request = next(talk)
            while True:
                try:
                    response = self._send_signed(request)
                except Problem as problem:
                    request = talk.throw(problem)
                else:
                    request = talk.send(response)
        except StopIteration as end:
            return end.value
        except Problem as problem:
            problem.crm = problem.crm or self.crm.name
            raise

    def _send_signed(self, request: Request) -> Response:
        scheme = self.crm.auth[self.account.scheme]
        credentials = self.tokens.current(self.account, scheme, self._exchange, self.deadline)
        response = self._send(request, credentials)
        if not self.crm.dialect.expired(response):
            return response
        # A refused token means that the request was not looked at: even an unsafe one may be sent again.
        try:
            other = self.tokens.renewed(self.account, scheme, credentials, self._exchange, self.deadline)
        except Problem as problem:
            if problem.kind is not Kind.NEEDS_REAUTH:
                raise
            return response  # the CRM's own words say it best
        return self._send(request, other)

    def _send(self, request: Request, credentials: Credentials) -> Response:
        scheme = self.crm.auth[self.account.scheme]
        self.origin = credentials.get("origin") or self.account.origin
        path = self._filled(request.path)
        proof = scheme.sign(credentials)
        signed = replace(request, path=path, headers={**request.headers, **proof})
        self.calls += 1
        response = self.services.send(signed, self._origin(request.to, credentials), self.deadline)
        if not (response.ok and response.readable) or self.crm.dialect.complaint(response):
            written = [value.rpartition(" ")[2] for value in proof.values()]
            known = [str(credentials[name]) for name in SECRET_FIELDS if credentials.get(name)]
            hidden = tuple(secret for secret in (*known, *written) if secret)
            headers = {name: redacted(value, hidden) for name, value in response.headers.items()}
            response = replace(response, headers=headers, body=redacted(response.body, hidden))
        self.last = response
        return response

    def _exchange[T](self, talk: Talk[T]) -> T:
        """A conversation with the token endpoint, which signs its own requests."""
        try:
            request = next(talk)
            while True:
                self.calls += 1
                origin = self._origin(request.to, {})
                whole = replace(request, path=self._filled(request.path))
                request = talk.send(self.services.send(whole, origin, self.deadline))
        except StopIteration as end:
            return end.value
        except Problem as problem:
            problem.outcome = Outcome.NOTHING  # whatever became of the token, no record was touched
            raise

    def _filled(self, path: str) -> str:
        """A path with the account's settings where it names them; no setting can leave its place in it."""
        for name, setting in self.crm.settings.items():
            value = self.account.settings.get(name) or setting.default
            path = path.replace("{" + name + "}", segment(value or ""))
        return path

    def _origin(self, party: Party, credentials: dict[str, Any] | Credentials) -> str:
        """The host to send to: the account's own if the vendor's declaration allows it, else the vendor's."""
        if self.crm.name in self.services.origins:
            return self.services.origins[self.crm.name]
        host = self.crm.hosts[party]
        own = credentials.get("origin") or self.account.origin
        if party == "token":
            # An account's own host may give tokens as well, and a test org has no other.
            own = self.account.settings.get("token_origin") or (own if own and host.allows(str(own)) else None)
        if own and host.allows(str(own)):
            return str(own).rstrip("/")
        if own or not host.default:
            raise Problem(Kind.CRM_UNAVAILABLE, f"This account names no host that belongs to {self.crm.title}.")
        return host.default


def redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    """A vendor's words without our credentials in them."""
    match value:
        case str():
            for secret in secrets:
                value = value.replace(secret, "[redacted]")
            return value
        case dict():
            return {redacted(key, secrets): redacted(each, secrets) for key, each in value.items()}
        case list():
            return [redacted(each, secrets) for each in value]
        case _:
            return value
