"""Idempotency as a state machine: claimed, then settled, released or unknown.

settled   the reply is stored and will be given again
released  it is certain that the CRM saw nothing (or refused what may be tried again): the record is gone
unknown   a change was sent and its fate was not told, or the function died: before anything is created again,
          the CRM is asked whether the record arrived
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from json import dumps
from typing import Any

from switchboard.api.reply import Reply
from switchboard.crm.problem import Fault, Kind, Outcome, Problem
from switchboard.ports import Claim, Claims, Clock, Deadline, Log

KEEP_SECONDS = 24 * 3600
DOUBT_SECONDS = 10 * 60
"""How long an unkeyed create whose outcome is unknown is remembered by its fingerprint."""
ECHO_SECONDS = 60
"""How long the reply that ended such a doubt is given again; later the same request is a new one."""
PATIENCE_SECONDS = 3.0
"""How long a duplicate waits for the first to finish, before it is told to come back."""
LOOK_SECONDS = 0.1
LEASE_MARGIN = 2
"""A claim is held past the deadline, until its function is certainly gone."""
SETTLING_SECONDS = 15
"""After a time-out the CRM may still be at work: for so long its "no such record" is not taken as final."""
BROKEN_SECONDS = 5
"""The same after a dropped connection or a 5xx: a proxy may have answered while the CRM behind it went on."""
RETRYABLE = frozenset({Kind.NEEDS_REAUTH, Kind.CRM_FORBIDDEN, Kind.CRM_RATE_LIMITED})
"""Refusals that are not kept: they may end without the caller changing the request."""
FORM = re.compile(r'"([^"\\]{1,255})"|([^"\s]{1,255})')


def key_of(header: str | None) -> str | None:
    """The idempotency key of a request, quoted or bare; None where there is none."""
    if header is None:
        return None
    form = FORM.fullmatch(header.strip())
    if not form:
        detail = "has to be 1 to 255 characters, quoted or bare"
        fault = Fault("Idempotency-Key", "invalid_value", detail, "Idempotency-Key")
        raise Problem(Kind.INVALID, f"Idempotency-Key: {detail}", faults=(fault,))
    return form[1] or form[2]


def definitive(problem: Problem) -> bool:
    """Whether the CRM has had its last word on this request, so that the reply is kept like a success."""
    return problem.outcome is Outcome.REFUSED and problem.kind not in RETRYABLE


def fingerprint(*parts: Any) -> str:
    """A hash of what a request says, however it was written down."""
    return sha256(dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Once:
    """Runs a piece of work at most once for a key. `word` makes a name for each run."""

    claims: Claims
    clock: Clock
    deadline: Deadline
    word: Callable[[], str]
    log: Log

    def run(
        self,
        key: str,
        print_: str,
        work: Callable[[Claim | None], Reply],
        *,
        keep: int = KEEP_SECONDS,
        settled: int = KEEP_SECONDS,
    ) -> Reply:
        """The stored reply of this key, or that of the work, stored before it is given.

        `work` is handed the doubtful claim of an earlier run, if there is one; it has to ask the CRM first. What it
        returns is kept, be it a success or a definitive refusal; a Problem that it raises is not, and tells by its
        outcome what becomes of the claim. `keep` is how long a claim counts, `settled` how long a reply is given again.
        """
        claim, doubtful = self._begin(key, print_, keep)
        if claim.state == "settled":
            return Reply(claim.status, {**claim.headers, "idempotent-replayed": "true"}, claim.body)
        try:
            reply = work(doubtful)
        except Problem as problem:
            self._after(claim, doubtful, problem, keep)
            raise
        except BaseException:
            # A fault of ours, at a point we do not know: only the CRM can tell what it has.
            self._leave_unknown(claim, doubtful, 0, keep)
            raise
        self._settle(claim, reply, settled)
        return reply

    def doubt(self, key: str, print_: str, fault: Exception, began: float) -> None:
        """Remember a run without a key whose outcome is unknown; `began` is when it was begun."""
        now = self.clock.now()
        claim = Claim(key, "unknown", print_, began, now, settles_at=now + settling(fault), run=self.word())
        self.claims.claim(claim, expires=int(now) + DOUBT_SECONDS)

    def _settle(self, claim: Claim, reply: Reply, settled: int) -> None:
        """Store the reply. What cannot be stored (a reply over 400 KB, a table that is away) is given all the same.

        The claim then stands until its lease is over, and the next run finds the record at the CRM.
        """
        done = replace(claim, state="settled", status=reply.status, headers=reply.headers, body=reply.body)
        try:
            self.claims.settle(done, expires=int(self.clock.now()) + settled)
        except Exception:
            self.log.exception("a reply could not be stored")

    def _begin(self, key: str, print_: str, keep: int) -> tuple[Claim, Claim | None]:
        """Our claim, or the settled one in the way; and the doubtful one that ours took over."""
        patience, run = self.clock.now() + PATIENCE_SECONDS, self.word()
        while True:
            now = self.clock.now()
            ours = Claim(key, "claimed", print_, now, self.deadline.at + LEASE_MARGIN, run=run)
            found = self.claims.claim(ours, expires=int(now) + keep)
            if found is None:
                return ours, None
            if found.fingerprint != print_:
                raise Problem(Kind.KEY_REUSED, "This Idempotency-Key was used with another request.")
            if found.state == "settled":
                return found, None
            if found.state == "unknown" or found.lease_until < now:
                # A run that died in its claim may have sent the create as late as its lease ended.
                died = found.lease_until + SETTLING_SECONDS if found.state == "claimed" else 0
                doubtful = replace(found, settles_at=max(found.settles_at, died))
                began, settles_at = found.claimed_at, doubtful.settles_at
                ours = replace(ours, attempt=found.attempt + 1, claimed_at=began, settles_at=settles_at)
                if self.claims.take_over(ours, seen=found, expires=_expires(ours, now, keep)):
                    return ours, doubtful
            else:
                self._await(found, patience)

    def _await(self, found: Claim, patience: float) -> None:
        """Wait while another run is at work; raises when it takes too long. Looking costs less than claiming."""
        pause = LOOK_SECONDS
        while True:
            now = self.clock.now()
            if now >= patience or self.deadline.left < 1:
                wait = max(1, round(found.lease_until - now))
                detail = "A request with this Idempotency-Key is in progress."
                raise Problem(Kind.IN_PROGRESS, detail, retry_after=min(wait, 5))
            self.clock.sleep(pause)
            pause = min(pause * 1.5, 0.5)
            again = self.claims.read(found.key, now=int(self.clock.now()))
            if again is None or again.state != "claimed" or again.lease_until < self.clock.now():
                return

    def _after(self, claim: Claim, doubtful: Claim | None, problem: Problem, keep: int) -> None:
        """What becomes of the claim after a failure."""
        if problem.outcome is Outcome.UNKNOWN:
            looked = problem.kind is Kind.OUTCOME_UNKNOWN and doubtful is not None  # nothing more was sent
            self._leave_unknown(claim, doubtful, 0 if looked else self.clock.now() + settling(problem), keep)
        elif problem.outcome is Outcome.NOTHING and doubtful:
            self._leave_unknown(claim, doubtful, 0, keep)
        else:
            self.claims.release(claim)

    def _leave_unknown(self, claim: Claim, doubtful: Claim | None, settles_at: float, keep: int) -> None:
        settles_at = max(settles_at, doubtful.settles_at if doubtful else 0)
        unknown = replace(claim, state="unknown", settles_at=settles_at)
        self.claims.settle(unknown, expires=_expires(claim, self.clock.now(), keep))


def settling(fault: Exception) -> float:
    """Seconds after a fault for which the CRM may still be making the record."""
    timed_out = isinstance(fault, Problem) and fault.kind is Kind.CRM_TIMEOUT
    return SETTLING_SECONDS if timed_out else BROKEN_SECONDS


def _expires(claim: Claim, now: float, keep: int) -> int:
    """A doubt is never forgotten while it is young, however old its key is."""
    return int(max(claim.claimed_at + keep, now + DOUBT_SECONDS))
