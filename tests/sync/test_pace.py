"""Twenty workers of one account against a CRM that counts: in simulation, where each has a clock of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest

from switchboard.crm import registry, wire
from switchboard.crm.catalog import CRM
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Account, Deadline
from switchboard.sync import planning
from switchboard.sync.pace import SOON, Paced
from tests.journal import Journal
from tests.store import MemoryContacts
from tests.worlds import BRAND, START, HeldClock

NAMES, load = registry.NAMES, registry.load
WORKERS = 20
MINUTES = 10
JITTER = 0.03
"""So many seconds a call may take longer on its way than another."""


@dataclass
class Counting:
    """The port `Send`, with a CRM behind it that notes when calls arrive."""

    random: Random
    arrivals: list[float] = field(default_factory=list[float])

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        self.arrivals.append(deadline.clock.now() + self.random.uniform(0, JITTER))
        return Response(200, {}, {})

    def refused(self, calls: int, seconds: float) -> int:
        """How many of these it would have answered 429: by a window that slides, and by one that stands."""
        arrived = sorted(self.arrivals)
        sliding = sum(late - early < seconds for early, late in zip(arrived, arrived[calls:], strict=False))
        counts: dict[int, int] = {}
        for each in arrived:
            counts[int(each // seconds)] = counts.get(int(each // seconds), 0) + 1
        return sliding + sum(max(0, count - calls) for count in counts.values())


@dataclass
class Told:
    """What came of a simulation."""

    vendor: Counting
    turned_away: list[Problem] = field(default_factory=list[Problem])
    longest: float = 0
    """So long somebody has waited for a place."""


def simulated(crm: CRM, interval: float, seed: int = 1, rests: Mapping[int, float] | None = None) -> Told:
    """Workers that ask without end for some minutes. Of all of them the one whose clock is behind goes next."""
    random = Random(seed)
    contacts, told = MemoryContacts(Journal()), Told(Counting(random))
    clocks = [HeldClock(START + random.random()) for _ in range(WORKERS)]
    account = Account(BRAND, "shared", crm.name, "api_key")
    workers = [Paced(told.vendor, contacts, clock, account, interval) for clock in clocks]
    turns = 0
    while (clock := min(clocks, key=lambda each: each.at)).at < START + MINUTES * 60:
        if rests and turns in rests:
            contacts.rest(BRAND, "shared", clock.at + rests[turns])
        turns += 1
        began = clock.at
        try:
            workers[clocks.index(clock)](wire.get("/contacts"), "", Deadline(clock.at + 300, clock))
        except Problem as problem:
            told.turned_away.append(problem)
            told.longest = max(told.longest, clock.at - began)
            clock.pass_(problem.retry_after or 1)
        else:
            told.longest = max(told.longest, clock.at - began)
            clock.pass_(random.uniform(0.05, 0.4))  # the answer, and storing it
    return told


@pytest.mark.parametrize("name", NAMES)
def test_twenty_workers_are_never_refused_and_use_what_is_granted(name: str) -> None:
    crm = load(name)
    told = simulated(crm, planning.pacing(crm))
    assert told.vendor.refused(crm.pace.calls, crm.pace.seconds) == 0
    row = MINUTES * 60 / planning.pacing(crm)
    busy = min(row, WORKERS * MINUTES * 60 / 0.4)  # where the CRM grants more than they can ask for
    assert sum(each <= START + MINUTES * 60 for each in told.vendor.arrivals) >= 0.9 * busy
    assert told.longest <= SOON
    assert all(each.kind is Kind.CRM_RATE_LIMITED and each.retry_after for each in told.turned_away)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_row_they_would_be_refused(name: str) -> None:
    crm = load(name)
    assert simulated(crm, 0).vendor.refused(crm.pace.calls, crm.pace.seconds) > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_crm_that_wants_to_be_left_alone_is_left_alone_by_all(seed: int) -> None:
    crm = load("nutshell")
    told = simulated(crm, planning.pacing(crm), seed, {100: 30.0, 400: 60.0})
    assert told.vendor.refused(crm.pace.calls, crm.pace.seconds) == 0
    gaps = sorted(late - early for early, late in pairwise(sorted(told.vendor.arrivals)))
    assert gaps[-1] == pytest.approx(60, abs=8)
    assert gaps[-2] == pytest.approx(30, abs=8)


def test_who_would_wait_too_long_comes_back_when_it_is_time() -> None:
    crm, contacts, clock = load("nutshell"), MemoryContacts(Journal()), HeldClock()
    vendor = Counting(Random(1))
    account = Account(BRAND, "shared", crm.name, "api_key")
    paced = Paced(vendor, contacts, clock, account, planning.pacing(crm))
    contacts.rest(BRAND, "shared", START + 60)
    with pytest.raises(Problem) as raised:
        paced(wire.get("/contacts"), "", Deadline(START + 300, clock))
    assert (raised.value.kind, raised.value.retry_after, raised.value.remote) == (Kind.CRM_RATE_LIMITED, 60, None)
    assert (vendor.arrivals, clock.slept) == ([], [])
    assert contacts.free[BRAND, "shared"] == START + 60, "no place was taken"
    clock.pass_(60)
    paced(wire.get("/contacts"), "", Deadline(START + 300, clock))
    assert len(vendor.arrivals) == 1


def test_nobody_waits_for_more_than_half_of_the_time_that_is_left() -> None:
    contacts, clock = MemoryContacts(Journal()), HeldClock()
    account = Account(BRAND, "shared", "nutshell", "api_key")
    paced = Paced(Counting(Random(1)), contacts, clock, account, 1)
    contacts.rest(BRAND, "shared", START + 2)
    with pytest.raises(Problem):
        paced(wire.get("/contacts"), "", Deadline(START + 3, clock))
    paced(wire.get("/contacts"), "", Deadline(START + 5, clock))
    assert clock.slept == [2]


def test_accounts_do_not_wait_for_each_other() -> None:
    contacts, clock = MemoryContacts(Journal()), HeldClock()
    for account in ("one", "two"):
        paced = Paced(Counting(Random(1)), contacts, clock, Account(BRAND, account, "nutshell", "api_key"), 1)
        paced(wire.get("/contacts"), "", Deadline(START + 300, clock))
    assert clock.slept == []
