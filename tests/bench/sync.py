"""What a sync costs: calls of the CRM, work of ours for each record, and what twenty workers get out of its limit."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer, Page
from switchboard.crm.paging import OLDEST
from switchboard.crm.wire import Request, Response, Talk
from switchboard.ports import Deadline
from switchboard.search.contact import linked
from switchboard.search.keeping import Whose, change, stored
from switchboard.sender import _read
from switchboard.sync import planning, walking
from switchboard.talks.line import Line
from tests.bench.tables import table
from tests.sync.test_pace import MINUTES, WORKERS, simulated
from tests.whole.circuit import Circuit, InProcess, ago
from tests.worlds import BRAND, START

CONTACTS = 1_000
CHANGED = 10
LATER = 1_800
"""So many seconds after the first sync the second one looks."""
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Price:
    """What the list of a CRM takes. page: so many contacts a page has at the most. more: calls for a thousand contacts
    beyond the pages that they fill. why: what these are for, or why a page has no more."""

    page: int
    more: int = 0
    why: str = ""


EDGE = "each page begins with the last of the one before"
FULL = "a full page may have another behind it"
OVERLAP = "pages overlap by 20"

PRICES = {
    "activecampaign": Price(100, 1, FULL),
    "brevo": Price(1_000),
    "close": Price(200, 1, EDGE),
    "hubspot": Price(200, 1, EDGE),
    "insightly": Price(500, 2, f"{OVERLAP}, and the end is where nothing is new"),
    "msdynamics": Price(714, 0, "an answer has 20,000 values at the most"),
    "nutshell": Price(500, 1, OVERLAP),
    "pipedrive": Price(500, 1, EDGE),
    "pipeliner": Price(100, 1, EDGE),
    "salesforce": Price(200, 1, f"all fields are asked for, of 200 records at the most; {FULL}"),
    "sugarcrm": Price(200, 1, EDGE),
    "zendesk_sell": Price(100, 9, "newest first: 7 calls find the oldest; pages of 51 to 100, so that they overlap"),
    "zoho": Price(200, 1, EDGE),
}

type Recorded = tuple[int, dict[str, str], bytes]
"""An answer as it came: status, headers, content."""


class Recorder(InProcess):
    """A sender that keeps what was answered."""

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        answer = self.fake.receive(self._arrived(request)).answer
        if answer is None:
            raise RuntimeError(f"{self.fake.name} dropped {request.method} {request.path}")
        self.sent.append(request)
        self.clock.pass_(0.05)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        self.taken.append((answer.status, headers, answer.payload()))
        return _read(answer.status, headers, answer.payload())

    taken: list[Recorded]


@dataclass
class Walked:
    """One CRM with a thousand contacts: what was asked, and what was answered."""

    crm: str
    list_calls: int = 0
    first_calls: int = 0
    later_calls: int = 0
    custom: Sequence[str] = ()
    taken: list[Recorded] = field(default_factory=list[Recorded])
    account: str = ""
    origin: str | None = None

    @property
    def least(self) -> int:
        """So many pages a thousand contacts fill."""
        return -(-CONTACTS // PRICES[self.crm].page)


def walked(crm: str) -> Walked:
    """Walk a list by itself, then in a first sync, then in one after a few have changed."""
    circuit, found = Circuit(crm), Walked(crm)
    circuit.send = send = Recorder(circuit.fake, circuit.clock)
    send.taken = []
    for number in range(CONTACTS - len(circuit.ids)):
        circuit.add(ago(days=200 - number / 10))
    circuit.clock.pass_(LATER)

    line = Line(circuit.services, circuit.world.tokens, circuit.crm, circuit.account, circuit.deadline)
    found.custom = line.hold(circuit.crm.dialect.custom(circuit.resource))
    before, told = len(send.taken), 0
    for page in pages(crm, found.custom, line.hold):
        line.deadline = circuit.deadline
        told += len(page.answers)
    found.taken, found.account, found.origin = send.taken[before:], circuit.account.id, line.origin
    found.list_calls = len(found.taken)

    before = len(send.sent)
    circuit.sync()
    found.first_calls = len(send.sent) - before
    held = circuit.held()
    if not len(held) == told == CONTACTS:
        raise RuntimeError(f"{crm}: {told} listed, {len(held)} stored")

    for id in circuit.ids[CHANGED : 2 * CHANGED]:
        circuit.change(id)
    circuit.clock.pass_(max(LATER, circuit.point.due_at - circuit.clock.now()))
    before = len(send.sent)
    circuit.sync()
    found.later_calls = len(send.sent) - before
    now = circuit.held()
    if sum(held[id] != now[id] for id in held) != CHANGED:
        raise RuntimeError(f"{crm}: what changed was not found")
    return found


def resource(crm: str) -> Resource:
    """The contacts of a CRM."""
    found = registry.load(crm).resources["contacts"]
    assert isinstance(found, Resource)
    return found


def pages(crm: str, custom: Sequence[str], hold: Callable[[Talk[Page]], Page]) -> Iterator[Page]:
    """All pages of a first walk."""
    dialect, contacts = registry.load(crm).dialect, resource(crm)
    since, cursor = (OLDEST if contacts.changes else None), None
    while True:
        talk = dialect.list(contacts, since=since, cursor=cursor, limit=walking.PAGE, extra=custom)
        page = hold(talk)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


@dataclass
class Work:
    """Seconds for all that a first walk answered: reading it, what the dialect does, and planning what is written."""

    read: float = 0
    dialect: float = 0
    plan: float = 0

    @property
    def all(self) -> float:
        """Together."""
        return self.read + self.dialect + self.plan


def worked(found: Walked) -> Work:
    """List, map and plan again what was recorded."""
    work, answers, left = Work(), list[Answer](), iter(found.taken)
    contacts = resource(found.crm)

    def hold(talk: Talk[Page]) -> Page:
        began = time.process_time()
        next(talk)
        while True:
            read = time.process_time()
            response = _read(*next(left))
            sent = time.process_time()
            work.read += sent - read
            began += sent - read
            try:
                talk.send(response)
            except StopIteration as end:
                work.dialect += time.process_time() - began
                return end.value

    for page in pages(found.crm, found.custom, hold):
        answers += page.answers
    began = time.process_time()
    whose = Whose(BRAND, found.account, found.crm)
    items = (linked(each.item, contacts, found.origin) for each in answers)
    changes = [change(None, stored(whose, item), START) for item in items]
    work.plan = time.process_time() - began
    if len([each for each in changes if each]) != CONTACTS:
        raise RuntimeError(f"{found.crm}: not all would be written")
    return work


def floor(found: Walked) -> float:
    """Seconds to read the JSON of the same answers, and nothing else."""
    began = time.process_time()
    for _, _, content in found.taken:
        json.loads(content)
    return time.process_time() - began


def main() -> list[str]:
    """Print the tables; answers what is above its price, or refused."""
    every = [walked(crm) for crm in registry.NAMES]
    return [*_calls(every), *_speed(every), *_pace()]


def _calls(every: Sequence[Walked]) -> Iterator[str]:
    print(
        f"Calls of the CRM: {CONTACTS:,} contacts listed for the first time, and a look when {CHANGED} have changed\n"
    )
    rows: list[tuple[str, ...]] = []
    for each in every:
        price, beyond = PRICES[each.crm], each.list_calls - each.least
        beside = str(each.first_calls - each.list_calls)
        calls = str(price.page), str(each.least), str(each.list_calls), beside, str(each.later_calls)
        rows.append((each.crm, *calls, price.why))
        if beyond > price.more:
            yield f"{each.crm}: {each.list_calls} calls for {CONTACTS} contacts, {each.least} + {price.more} expected"
    table(("CRM", "page", "least", "list", "beside", "changes", "what is beyond the least"), rows)


def _speed(every: Sequence[Walked]) -> Iterator[str]:
    print("Records per second and core, from the CRM's answers to what is written; against json.loads of the answers\n")
    rows: list[tuple[str, ...]] = []
    for each in every:
        work = min((worked(each) for _ in range(ROUNDS)), key=lambda work: work.all)
        least = min(floor(each) for _ in range(ROUNDS))
        parts = (f"{part / work.all:.0%}" for part in (work.read, work.dialect, work.plan))
        size = sum(len(content) for _, _, content in each.taken) / CONTACTS
        speeds = f"{CONTACTS / work.all:,.0f}", f"{CONTACTS / least:,.0f}", f"{work.all / least:.0f}"
        rows.append((each.crm, f"{size:,.0f}", *speeds, *parts))
    table(("CRM", "bytes each", "records/s", "json.loads", "ratio", "reading", "mapping", "planning"), rows)
    yield from ()


def _pace() -> Iterator[str]:
    print(f"{WORKERS} workers of one account for {MINUTES} simulated minutes, at 95 in 100 of what the CRM grants\n")
    rows: list[tuple[str, ...]] = []
    for crm in map(registry.load, registry.NAMES):
        vendor = simulated(crm, planning.pacing(crm)).vendor
        granted = crm.pace.calls / crm.pace.seconds
        refused = vendor.refused(crm.pace.calls, crm.pace.seconds)
        used = len(vendor.arrivals) / (granted * MINUTES * 60)
        rows.append((crm.name, f"{granted:g}", f"{len(vendor.arrivals):,}", f"{used:.0%}", str(refused)))
        if refused:
            yield f"{crm.name}: {refused} calls were refused"
    table(("CRM", "granted/s", "calls", "of what is granted", "429"), rows)
