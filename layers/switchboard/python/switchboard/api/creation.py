"""Creating a record, once: claimed, made or found again, settled; and what the caller is told when that went wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime

from switchboard.api import once, unified
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.once import Once
from switchboard.api.reply import Reply, refusal, result
from switchboard.api.unified import Order
from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer, Draft
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.models.schema import Schema
from switchboard.ports import Claim
from switchboard.search import through
from switchboard.talks.line import Line

SKEW_SECONDS = 30
"""How far a vendor's clock may run behind ours when we ask what it made since a claim."""
LOOK_SECONDS = 8
"""What is kept of the deadline for one more look, and a create after it."""


@dataclass(frozen=True, slots=True)
class Creation:
    """One create, ready to be done: everything that could be refused before anything is sent has been checked."""

    schema: Schema
    order: Order
    resource: Resource
    draft: Draft
    line: Line

    def run(self, call: Call, caller: Caller, key: str | None) -> Reply:
        """Do it at most once for its key. Without a key it is done at once, unless an earlier one is in doubt."""
        print_ = once.fingerprint(*self.order.said)
        where = (caller.admission.owner, call.method, call.path, self.line.account.id)
        services = self.line.services
        machine = Once(services.claims, services.clock, self.line.deadline, services.word, services.log)
        try:
            if key is not None:
                name = f"{caller.brand}#{once.fingerprint(*where, 'key', key)}"
                return machine.run(name, print_, lambda doubt: self.work(call, doubt))
            name = f"{caller.brand}#{once.fingerprint(*where, 'unkeyed', print_)}"
            if self.doubted(name):
                kept = {"keep": once.DOUBT_SECONDS, "settled": once.ECHO_SECONDS}
                return machine.run(name, print_, lambda doubt: self.work(call, doubt), **kept)
            return self.work_unkeyed(call, machine, name, print_)
        except Problem as problem:
            if problem.outcome is Outcome.UNKNOWN and problem.kind is not Kind.OUTCOME_UNKNOWN:
                raise unknown(problem) from problem
            raise
        finally:
            call.notes["crm_calls"] = self.line.calls

    def doubted(self, name: str) -> bool:
        """Whether a create without a key left a doubt that this one is about; the account tells whether to look."""
        now = int(self.line.services.clock.now())
        return self.line.account.doubtful_until > now and self.line.services.claims.read(name, now=now) is not None

    def work_unkeyed(self, call: Call, machine: Once, name: str, print_: str) -> Reply:
        """Do it, and remember it where its outcome is unknown: clients send such a request again by themselves."""
        began = machine.clock.now()
        try:
            return self.work(call, None)
        except Exception as fault:
            if not isinstance(fault, Problem) or fault.outcome is Outcome.UNKNOWN:
                machine.doubt(name, print_, fault, began)
                until = int(machine.clock.now()) + once.DOUBT_SECONDS
                self.line.services.access.mark(self.line.account, doubtful_until=until)
            raise

    def work(self, call: Call, doubt: Claim | None) -> Reply:
        """Create the record, or adopt the one that an earlier run in doubt has made."""
        self.line.knock()
        try:
            answer = (self.adopted(doubt) if doubt else None) or self.created()
        except Problem as problem:
            self.line.note(problem)
            if once.definitive(problem):
                return refusal(call, problem)
            raise
        self.line.note()
        through.made(self.line, self.resource, answer)
        answer = unified.linked(answer, self.schema, self.resource, self.line.origin)
        headers = {**self.line.forwarded, **unified.limits(self.line.rate)}
        headers.pop("retry-after", None)  # of a read that failed; the record is made
        if self.draft.ignored:
            headers["switchboard-ignored-fields"] = unified.listed(self.draft.ignored)
        return result(201, unified.shape(answer, self.schema, self.order), headers)

    def created(self) -> Answer:
        """A new record."""
        whole = self.order.form != "raw"
        talk = self.line.crm.dialect.create(self.resource, self.draft, passed=self.order.remote_query, whole=whole)
        return self.line.hold(talk)

    def adopted(self, doubt: Claim) -> Answer | None:
        """The record that the run in doubt has made; None where the CRM says for certain that there is none."""
        clock, settled = self.line.services.clock, doubt.settles_at + self.line.crm.dialect.looked_lag
        while (answer := self.found(doubt)) is None and (wait := settled - clock.now()) > 0:
            if wait + LOOK_SECONDS > self.line.deadline.left:
                detail = "The CRM does not have the record yet, and may still be making it."
                raise Problem(Kind.OUTCOME_UNKNOWN, detail, retry_after=int(wait) + 1, outcome=Outcome.UNKNOWN)
            clock.sleep(wait)  # known clients come back at once, and do not wait by themselves
        return answer

    def found(self, doubt: Claim) -> Answer | None:
        """The record that the run in doubt has made, if the CRM has it by now."""
        dialect = self.line.crm.dialect
        try:
            made = self.line.hold(dialect.find(self.resource, self.draft, _begun(doubt)))
            return self.line.hold(dialect.get(self.resource, made)) if made else None
        except Problem as problem:
            if problem.kind in (Kind.NEEDS_REAUTH, Kind.CRM_RATE_LIMITED, Kind.OUTCOME_UNKNOWN):
                raise
            # The look was refused, not the create: whether that arrived is as unknown as before.
            raise unknown(problem) from problem


def unknown(problem: Problem) -> Problem:
    """What is told of a failure that leaves it open whether the record was made."""
    detail = f"{problem.detail} Whether the record was created is not known; the same request again will tell."
    return Problem(
        Kind.OUTCOME_UNKNOWN,
        detail,
        crm=problem.crm,
        remote=problem.remote,
        retry_after=1,
        outcome=Outcome.UNKNOWN,
        insight=problem.insight,
    )


def _begun(doubt: Claim) -> datetime:
    """When the run in doubt was begun, by a vendor's clock that may run behind ours."""
    return datetime.fromtimestamp(doubt.claimed_at - SKEW_SECONDS, UTC)
