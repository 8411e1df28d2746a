"""The pace of an account: its CRM's limit, shared by all who ask it."""

from dataclasses import dataclass

from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Account, Clock, Deadline, Paces, Send

SOON = 5.0
"""So many seconds a place in the row is waited for; for one that is further away somebody comes back."""


@dataclass(frozen=True, slots=True)
class Paced:
    """A sender that waits its turn. Calls of one account leave no closer to each other than `interval` seconds."""

    send: Send
    paces: Paces
    clock: Clock
    account: Account
    interval: float

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        """Send in turn. Raises `crm-rate-limited`, and nothing is sent, where that is too far away."""
        now = self.clock.now()
        until = now + min(SOON, deadline.left / 2)
        slot = self.paces.reserve(self.account.brand, self.account.id, interval=self.interval, now=now, until=until)
        if slot > until:
            wait = max(1, round(slot - now))
            raise Problem(Kind.CRM_RATE_LIMITED, "Others are asking this CRM right now.", retry_after=wait)
        if slot > now:
            self.clock.sleep(slot - now)
        return self.send(request, origin, deadline)
