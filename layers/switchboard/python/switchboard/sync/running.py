"""Running a sync: page after page from the CRM into the store, and after each the checkpoint.

Whatever is broken off goes on at the last checkpoint: a page that is read twice changes nothing the second time. Two
runs of one account never work side by side: there is a lease, and a checkpoint is only moved by who has seen the last.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.codecs import utc
from switchboard.crm.dialect import Answer, Page
from switchboard.crm.paging import Cursor
from switchboard.crm.problem import Kind, Problem
from switchboard.ports import (
    Account,
    Checkpoint,
    Checkpoints,
    Contacts,
    Deadline,
    Paces,
    Posting,
    Queue,
    Services,
    Span,
)
from switchboard.search import index
from switchboard.search.contact import contact_id, linked
from switchboard.search.keeping import Keeper, Tally, Whose, stored
from switchboard.sync import planning, walking
from switchboard.sync.owners import Owners
from switchboard.sync.pace import Paced
from switchboard.sync.planning import Message
from switchboard.talks.line import Line
from switchboard.talks.tokens import Tokens

PAGE_SECONDS = 25
"""Another page is only begun with so much of the deadline left."""
COMPARED = 500
"""So many contacts are held against a sweep at once."""
ASKED = 50
"""So many of them are asked for at the CRM before the checkpoint moves."""
REFUSALS = (Kind.CRM_FORBIDDEN, Kind.CRM_NOT_FOUND, Kind.CRM_REJECTED)
"""An account may not be allowed to see the CRM's list of deletions: then it is swept as one of a CRM without any."""
REPEATED = 10
"""A page of at least so many records that are those of the page before leads nowhere."""
PURGED = 100
"""So many contacts of a disconnected account are removed at once."""
WRITING_SECONDS = 2
"""Longer than it takes to write a contact."""
STRAY = 1 << 53
"""A version beyond all versions."""
SOON = 900
"""A CRM that wants us to wait no longer than this finds us in the queue; for a longer while the planner is told."""


class MovedError(RuntimeError):
    """Somebody else has moved the checkpoint: this run is none any more."""


@dataclass(frozen=True, slots=True)
class Means:
    """What syncs are run with."""

    services: Services
    tokens: Tokens
    paces: Paces
    queue: Queue


@dataclass(slots=True)
class Run:
    """One turn at one account: as many pages as the time allows."""

    means: Means
    account: Account
    checkpoint: Checkpoint
    crm: CRM
    resource: Resource
    line: Line
    owners: Owners
    tally: Tally = field(default_factory=Tally)
    advanced: bool = False
    """Whether a page was stored in this turn."""
    met: frozenset[str] | None = None
    """Contacts that the sweep has met; read once in a turn, for there may be very many."""

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.means.services.clock.now()

    @property
    def checkpoints(self) -> Checkpoints:
        """Where checkpoints are kept."""
        return self.means.services.checkpoints

    @property
    def contacts(self) -> Contacts:
        """Where contacts are kept."""
        return self.means.services.contacts

    def work(self) -> bool:
        """Walk until all walks are done, which it answers, or the time is up."""
        self.owners.load()
        self._move(walking.begun(self.checkpoint, self.crm, self.resource, self.now))
        self._describe()
        while self.checkpoint.begun:
            if self.line.deadline.left < PAGE_SECONDS:
                return False
            self._move(self._step())
            self.advanced = True
        return True

    def _move(self, checkpoint: Checkpoint, due_at: float | None = None) -> None:
        """Store the checkpoint; while it moves, the planner need not look at it."""
        due = self.now + planning.PATIENCE if due_at is None else due_at
        moved = replace(checkpoint, due_at=due)
        if not self.checkpoints.move(moved):
            raise MovedError(f"the checkpoint of {checkpoint.account} was moved by another run")
        self.checkpoint = replace(moved, version=moved.version + 1)

    def finish(self, due_at: float) -> None:
        """The turn is over, until that moment."""
        self._move(self.checkpoint, due_at)

    def fail(self, problem: Problem, wait: int | None) -> None:
        """The walk broke off: another try after the CRM's own wait, or longer with each failure in a row. A position
        that the CRM will not know any more is given up, and the walk begins anew; it may also be a column that is no
        more."""
        lost = problem.kind in (Kind.CRM_REJECTED, Kind.CRM_NOT_FOUND, Kind.CRM_BAD_ID)
        before = replace(walking.idle(self.checkpoint), described_at=0) if lost else self.checkpoint
        # A long walk outlives many failures, as long as it gets on.
        failures = 1 if self.advanced and not lost else before.failures + 1
        due = self.now + max(wait or 0, planning.backoff(failures))
        self._move(replace(before, failures=failures, last_error=problem.kind.value), due)

    def _step(self) -> Checkpoint:
        """One page of the present walk; the checkpoint after it."""
        match self.checkpoint.stage:
            case "deletions":
                return self._deletions()
            case "compare":
                return self._compare()
            case _:
                return self._page()

    def _page(self) -> Checkpoint:
        """A page of changes, or of all there is."""
        before = self.checkpoint
        talk = self.crm.dialect.list(
            self.resource,
            since=utc(before.since) if before.since else None,
            cursor=before.position,
            limit=walking.PAGE,
            extra=before.custom,
        )
        page = self.line.hold(talk)
        listed = self._leads_on(page)
        if not self.owners.learn(page.answers, PAGE_SECONDS):
            return before  # no time is left for its owners: the page is read again
        kept = self._keep(page.answers)
        removed = self._remove(page.gone)
        if before.stage == "sweep":
            ids = [str(answer.item["id"]) for answer in page.answers if "id" in answer.item]
            self.checkpoints.seen(before.brand, before.account, str(int(before.begun)), before.pages, ids)
        after = walking.stepped(replace(before, listed=listed), page.cursor, walking.newest(page))
        after = self._counted(after, kept + removed)
        return after if page.cursor is not None else self._ended(after)

    def _leads_on(self, page: Page) -> str:
        """What stands for the ids on a page. Raises `crm-rejected` for a list that would be walked for ever."""
        ids = sorted(str(answer.item.get("id")) for answer in page.answers)
        listed = sha256(json.dumps(ids).encode()).hexdigest()[:16] if len(ids) >= REPEATED else ""
        if listed and listed == self.checkpoint.listed:
            raise endless()
        self._further(page.cursor)
        return listed

    def _further(self, cursor: Cursor | None) -> None:
        """Raises `crm-rejected` where a list goes on at the very place at which it was asked for."""
        before = self.checkpoint.position
        if cursor is not None and before and json.dumps(cursor, sort_keys=True) == json.dumps(before, sort_keys=True):
            raise endless()

    def _deletions(self) -> Checkpoint:
        """A page of what was deleted."""
        before = self.checkpoint
        since = utc(before.since) or walking.OLDEST
        try:
            gone = self.line.hold(self.crm.dialect.deleted(self.resource, since=since, cursor=before.position))
        except Problem as problem:
            if problem.kind not in REFUSALS:
                raise
            self.means.services.log.info("sync", extra={"account": before.account, "deletions": problem.kind.value})
            return self._ended(replace(before, untold=True))
        cursor = gone.cursor if gone else None
        self._further(cursor)
        removed = self._remove(gone.ids) if gone else Tally()
        after = self._counted(walking.stepped(replace(before, untold=gone is None), cursor), removed)
        return after if cursor is not None else self._ended(after)

    def _compare(self) -> Checkpoint:
        """Contacts that the sweep has not met: asked for at the CRM one by one, and gone where it has them no more."""
        before = self.checkpoint
        brand, account = before.brand, before.account
        if self.met is None:
            met = self.checkpoints.met(brand, account, str(int(before.begun)))
            self.met = frozenset(contact_id(brand, account, id) for id in met)
        known = self.met
        edge = str((before.position or {}).get("after", index.LOWEST))
        span = Span(index.by("created_at", account), edge, index.HIGHEST)
        [places] = self.contacts.places(brand, [span], limit=COMPARED, descending=False)
        missed = [place for place in places if place != edge and index.id_at(place) not in known]
        for asked, place in enumerate(missed):
            if asked >= ASKED or (asked and self.line.deadline.left < PAGE_SECONDS / 2):
                return self._counted(walking.stepped(before, {"after": missed[asked - 1]}), Tally())
            before = self._counted(before, self._ask(place))
        if len(places) == COMPARED:
            return walking.stepped(before, {"after": places[-1]})
        return self._ended(before)

    def _ended(self, checkpoint: Checkpoint) -> Checkpoint:
        return walking.ended(checkpoint, self.crm, self.resource, self.now, self.account.searchable)

    def _ask(self, place: str) -> Tally:
        """Whether the CRM still has the contact at a place; what it tells of one that is there is kept. One that no
        list tells of and that the account may not read any more is gone for this account."""
        brand, id = self.account.brand, index.id_at(place)
        kept = self.contacts.contacts(brand, [id]).get(id)
        if kept is None:
            return self._stray(place)
        if kept.gone_until:  # half removed
            tally = self._keeper().remove([id])
            self.contacts.drop(brand, [(Posting(index.by("created_at", self.account.id), place), STRAY)])
            return tally
        try:
            answer = self.line.hold(self.crm.dialect.get(self.resource, kept.remote_id, self.checkpoint.custom))
        except Problem as problem:
            if problem.kind not in (Kind.CRM_NOT_FOUND, Kind.CRM_BAD_ID, Kind.CRM_FORBIDDEN):
                raise
            return self._keeper().remove([id])
        if answer.partial:
            return Tally()
        if answer.item.get("id") == kept.remote_id:
            return self._keep([answer])
        return self._keep([answer]) + self._keeper().remove([id])  # merged into another, which is told instead

    def _stray(self, place: str) -> Tally:
        """A place of no contact: somebody is writing one this very moment, or broke off before there was one."""
        brand, id = self.account.brand, index.id_at(place)
        self.means.services.clock.sleep(WRITING_SECONDS)
        if id not in self.contacts.contacts(brand, [id]):
            self.contacts.drop(brand, [(Posting(index.by("created_at", self.account.id), place), STRAY)])
        return Tally()

    def _counted(self, checkpoint: Checkpoint, tally: Tally) -> Checkpoint:
        self.tally += tally
        return replace(checkpoint, size=max(0, checkpoint.size + tally.new - tally.gone))

    # --- the store ---------------------------------------------------------------------------------------------------

    def _keeper(self) -> Keeper:
        return Keeper(self.contacts, self.account.brand, self.now)

    def _keep(self, answers: Sequence[Answer]) -> Tally:
        whose = Whose(self.account.brand, self.account.id, self.crm.name, self.account.searchable)
        items = (linked(each.item, self.resource, self.line.origin) for each in answers if "id" in each.item)
        return self._keeper().keep(stored(whose, item) for item in items)

    def _remove(self, ids: Sequence[str]) -> Tally:
        brand, account = self.account.brand, self.account.id
        return self._keeper().remove([contact_id(brand, account, id) for id in ids])

    # --- owners and custom columns -----------------------------------------------------------------------------------

    def _describe(self) -> None:
        """Once a day: which custom columns there are, and what owners are called now."""
        before, now = self.checkpoint, self.now
        if now - before.described_at < walking.DESCRIBED_SECONDS:
            return
        try:
            custom = tuple(self.line.hold(self.crm.dialect.custom(self.resource)))
        except Problem as problem:
            if problem.kind is not Kind.CRM_FORBIDDEN:
                raise
            custom = before.custom
        last = self.owners.refresh(before.asked, PAGE_SECONDS)
        self._move(replace(before, custom=custom, described_at=now, asked=last))


def endless() -> Problem:
    """A list of the CRM's that comes to no end."""
    return Problem(Kind.CRM_REJECTED, "The CRM's list goes on where it was.")


def run(message: Message, means: Means, deadline: Deadline) -> None:
    """Take a turn at an account. Raises only what is a fault of ours; what the CRM does is noted in the checkpoint."""
    services, holder = means.services, means.services.word()
    lease = f"sync#{message.account}"
    seconds = int(deadline.left) + 60  # no function lives longer than its deadline
    if not services.leases.acquire(message.brand, lease, holder, now=services.clock.now(), seconds=seconds):
        services.log.info("sync", extra={"brand": message.brand, "account": message.account, "did": "busy"})
        return
    try:
        wait = _turn(message, means, deadline)
    except MovedError:
        wait = None  # whoever has moved it sees to it
    finally:
        services.leases.release(message.brand, lease, holder)
    if wait is not None:
        means.queue.send([Message(message.brand, message.account).body], delay=wait)


def _turn(message: Message, means: Means, deadline: Deadline) -> int | None:
    """Seconds after which the next turn is to be taken; None if the planner will see to it."""
    services = means.services
    checkpoint = services.checkpoints.checkpoint(message.brand, message.account)
    if checkpoint is None:
        return None
    if message.due_at not in (None, checkpoint.due_at) and not checkpoint.begun and checkpoint.stage != "purge":
        return None  # another message of the planner's has come first, and all is done
    account = services.access.account(message.brand, message.account)
    if account is None:
        return _purge(checkpoint, means, deadline)
    crm = registry.load(account.crm)
    resource = crm.resources["contacts"]
    if not isinstance(resource, Resource):
        raise TypeError(f"{crm.title} has no contacts")
    paced = Paced(services.send, means.paces, services.clock, account, planning.pacing(crm))
    line = Line(replace(services, send=paced), means.tokens, crm, account, deadline)
    turn = Run(means, account, checkpoint, crm, resource, line, Owners(line, services.checkpoints))
    try:
        line.knock()
        done = turn.work()
    except Problem as problem:
        return _broken(turn, problem)
    finally:
        told = {"brand": message.brand, "account": message.account, "crm": crm.name, "crm_calls": line.calls}
        figures = {name: getattr(turn.tally, name) for name in ("new", "changed", "unchanged", "gone")}
        services.log.info("sync", extra={**told, **figures, "stage": turn.checkpoint.stage})
    line.note()
    if not done:
        return 0
    now = services.clock.now()
    turn.finish(now + planning.interval(crm, resource, turn.checkpoint.size) - planning.AHEAD)
    return None


def _broken(turn: Run, problem: Problem) -> int | None:
    """What follows from what the CRM did: a short wait in the queue, or a longer one until the planner looks again."""
    if turn.line.calls:  # else nobody has asked the CRM
        turn.line.note(problem)
    now, wait = turn.means.services.clock.now(), problem.retry_after
    if problem.kind is Kind.CRM_RATE_LIMITED and wait is not None:
        if problem.remote:
            turn.means.paces.rest(turn.account.brand, turn.account.id, now + wait)
        if wait <= SOON:
            return max(1, wait)
    turn.fail(problem, wait)
    return None


def _purge(checkpoint: Checkpoint, means: Means, deadline: Deadline) -> int | None:
    """The account is connected no more: its contacts go, and then its checkpoint."""
    services, brand, account = means.services, checkpoint.brand, checkpoint.account
    span = Span(index.by("created_at", account), index.LOWEST, index.HIGHEST)
    keeper = Keeper(services.contacts, brand, services.clock.now())
    while deadline.left > PAGE_SECONDS:
        [places] = services.contacts.places(brand, [span], limit=PURGED, descending=False)
        if not places:
            services.checkpoints.forget(checkpoint)
            return None
        ids = [index.id_at(place) for place in places]
        keeper.remove(ids)
        stray = [(Posting(span.list, place), STRAY) for place in places]
        services.contacts.drop(brand, stray)  # also those of which no contact is left
    return 0
