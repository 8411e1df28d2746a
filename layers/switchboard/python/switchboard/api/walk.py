"""The walk of a request, from top to bottom. Each step takes what the last one gave, so that none can be skipped."""

from dataclasses import dataclass
from datetime import UTC, datetime

from switchboard.api import keys, once, scopes, unified
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.once import Once
from switchboard.api.reply import Reply, refusal, result
from switchboard.api.speak import Line
from switchboard.api.tokens import Tokens
from switchboard.api.unified import Order
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource, Verb
from switchboard.crm.dialect import DETAILS, Answer, Draft
from switchboard.crm.problem import Fault, Kind, Outcome, Problem, pointed
from switchboard.models.schema import Schema
from switchboard.ports import Account, Claim, Deadline, Services

SKEW_SECONDS = 30
"""How far a vendor's clock may run behind ours when we ask what it made since a claim."""
REAUTH_SECONDS = 60
"""An account that needs to be connected again gets one live try in this time."""


@dataclass(frozen=True, slots=True)
class Create:
    """Creating records of one resource through the unified surface."""

    schema: Schema

    def walk(self, call: Call, services: Services, tokens: Tokens, deadline: Deadline) -> Reply:
        """From a call to its reply; raises the Problem of the first step that fails."""
        caller = keys.authenticate(call, services.access, services.clock.now())
        call.notes.update(brand=caller.brand, key_id=caller.admission.key_id)
        scopes.permit(caller, self.schema.name, "write")
        key = once.key_of(call.headers.get("idempotency-key"))
        order = unified.order(call, self.schema)
        account = find_account(caller, order.account_id, services)
        call.notes.update(account=account.id, crm=account.crm)
        crm, resource = offered(account, self.schema, "create")
        draft = crm.dialect.draft(resource, order.item, order.remote_data)
        if order.strict and draft.ignored:
            raise no_place(crm, draft)
        job = Job(self.schema, order, crm, resource, draft, Line(services, tokens, crm, account, deadline))
        return job.run_once(call, caller, key)


@dataclass(frozen=True, slots=True)
class Job:
    """One create, ready to be done: everything that could be refused before anything is sent has been checked."""

    schema: Schema
    order: Order
    crm: CRM
    resource: Resource
    draft: Draft
    line: Line

    def run_once(self, call: Call, caller: Caller, key: str | None) -> Reply:
        """Do it at most once for its key. Without a key it is done at once, unless an earlier one is in doubt."""
        services, account = self.line.services, self.line.account
        owner = caller.admission.owner
        print_ = once.fingerprint(*self.order.said)
        where = (owner, call.method, call.path, account.id)
        machine = Once(services.claims, services.clock, self.line.deadline)
        unkeyed = f"{caller.brand}#{once.fingerprint(*where, 'unkeyed', print_)}"
        try:
            if key is not None:
                name = f"{caller.brand}#{once.fingerprint(*where, 'key', key)}"
                return machine.run(name, print_, lambda doubt: self.work(call, doubt))
            if account.doubtful_until > services.clock.now() and services.claims.read(
                unkeyed, now=int(services.clock.now())
            ):
                return machine.run(unkeyed, print_, lambda doubt: self.work(call, doubt), once.DOUBT_SECONDS)
            return self.work_unkeyed(call, machine, unkeyed, print_)
        except Problem as problem:
            told = self.told(problem)
            if told is problem:
                raise
            raise told from problem
        finally:
            call.notes["crm_calls"] = self.line.calls

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
        self.knock()
        try:
            answer = (self.adopted(doubt) if doubt else None) or self.created()
        except Problem as problem:
            self.note(problem)
            if once.definitive(problem):
                return refusal(call, problem)
            raise
        self.note()
        answer = unified.linked(answer, self.schema, self.resource, self.line.account.origin)
        headers = {**self.line.forwarded, **unified.limits(self.line.rate)}
        if self.draft.ignored:
            headers["switchboard-ignored-fields"] = ", ".join(self.draft.ignored)
        return result(201, unified.shape(answer, self.schema, self.order), headers)

    def knock(self) -> None:
        """An account that needs to be connected again gets one live try in a while; else it is refused here."""
        services, account = self.line.services, self.line.account
        if account.status == "active":
            return
        if not services.access.may_retry(account, now=int(services.clock.now()), every=REAUTH_SECONDS):
            raise Problem(Kind.NEEDS_REAUTH, DETAILS[Kind.NEEDS_REAUTH], crm=account.crm)

    def note(self, problem: Problem | None = None) -> None:
        """Note on the account what the CRM makes of its credentials."""
        account, mark = self.line.account, self.line.services.access.mark
        if problem and problem.kind is Kind.NEEDS_REAUTH:
            error = problem.remote.code if problem.remote and problem.remote.code else "credentials refused"
            now = int(self.line.services.clock.now())
            mark(account, status="needs_reauth", last_error=error, retried_at=now)
        elif account.status != "active" and self.line.accepted:
            mark(account, status="active")

    def created(self) -> Answer:
        """A new record."""
        whole = self.order.form != "raw"
        talk = self.crm.dialect.create(self.resource, self.draft, passed=self.order.remote_query, whole=whole)
        return self.line.hold(talk)

    def adopted(self, doubt: Claim) -> Answer | None:
        """The record that the run in doubt has made; None where the CRM says for certain that there is none."""
        dialect = self.crm.dialect
        try:
            if made := self.line.hold(dialect.find(self.resource, self.draft, _begun(doubt))):
                return self.line.hold(dialect.get(self.resource, made))
        except Problem as problem:
            if problem.kind in (Kind.NEEDS_REAUTH, Kind.CRM_RATE_LIMITED):
                raise
            # The look was refused, not the create: whether that arrived is as unknown as before.
            raise self.told(problem, Outcome.UNKNOWN) from problem
        wait = doubt.settles_at - self.line.services.clock.now()
        if wait > 0:
            detail = "The CRM does not have the record yet, and may still be making it."
            raise Problem(Kind.OUTCOME_UNKNOWN, detail, retry_after=int(wait) + 1, outcome=Outcome.UNKNOWN)
        return None

    def told(self, problem: Problem, outcome: Outcome | None = None) -> Problem:
        """The problem as the caller is told it."""
        if (outcome or problem.outcome) is not Outcome.UNKNOWN or problem.kind is Kind.OUTCOME_UNKNOWN:
            return problem
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


def find_account(caller: Caller, account_id: str, services: Services) -> Account:
    """The account of the caller's brand. Unknown and another brand's are the same 404."""
    account = services.access.account(caller.brand, account_id)
    if account is None:
        raise Problem(Kind.NOT_FOUND, "There is no such integrated account.")
    return account


def offered(account: Account, schema: Schema, verb: Verb) -> tuple[CRM, Resource]:
    """The account's CRM and what it has of the resource; a refusal says which CRMs can, and why this one cannot."""
    crm = registry.load(account.crm)
    resource = crm.resources.get(schema.plural)
    if isinstance(resource, Resource) and verb in resource.verbs:
        return crm, resource
    others = ", ".join(other.title for other in registry.offering(schema.plural, verb)) or "no CRM yet"
    lacking = resource.lacks.get(verb) if isinstance(resource, Resource) else resource
    why = f" {lacking.why} See {lacking.see}" if lacking else ""
    detail = f"{crm.title} cannot {verb} {schema.plural}.{why} It is possible with: {others}."
    raise Problem(Kind.UNSUPPORTED, detail, crm=crm.name)


def no_place(crm: CRM, draft: Draft) -> Problem:
    """The refusal of a strict request that holds fields which this CRM has no place for."""
    faults = tuple(
        Fault(name, "unsupported_field", f"{crm.title} has no place for it", pointed(name)) for name in draft.ignored
    )
    detail = f"{crm.title} has no place for: {', '.join(draft.ignored)}."
    return Problem(Kind.UNSUPPORTED, detail, faults=faults, crm=crm.name)


def _begun(doubt: Claim) -> datetime:
    """When the run in doubt was begun, by a vendor's clock that may run behind ours."""
    return datetime.fromtimestamp(doubt.claimed_at - SKEW_SECONDS, UTC)
