"""Several writers at one store, one step at a time, in every order that there is."""

import threading
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from tests.journal import Journal

type Work = Callable[[], object]
type Choose = Callable[[list[int]], int]

ASKING = ("contacts", "put")
"""Steps from which a writer learns something; all others only do what was planned."""


@dataclass
class Writer:
    """One who works in a thread of its own, and does one step whenever it is told to."""

    work: Work
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    halted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: bool = False
    fault: BaseException | None = None
    seen: list[Hashable] = field(default_factory=list[Hashable])

    def run(self) -> None:
        self.go.acquire()
        try:
            self.work()
        except BaseException as fault:  # raised where the schedule ends
            self.fault = fault
        self.over = True
        self.halted.release()


@dataclass(frozen=True)
class Choice:
    """A moment at which somebody was next. `state`: the world as it was, and what every writer had seen of it."""

    left: list[int]
    chosen: int
    state: Hashable


class Turns(Journal):
    """A journal at which every step waits for its turn. `picture` answers what the world looks like."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: dict[int, Writer] = {}
        self.picture: Callable[[], Hashable] = tuple[()]

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        writer = self.writers.get(threading.get_ident())
        if writer:
            writer.halted.release()
            writer.go.acquire()
        before = self.picture()
        with super().step(name):
            yield
        if writer:
            writer.seen.append((name, before if name in ASKING else None))

    def carry_out(self, works: Sequence[Work], choose: Choose) -> list[Choice]:
        """Let all of them work; `choose` says who is next, of those that are not done."""
        writers = [Writer(work) for work in works]
        threads = [threading.Thread(target=writer.run, daemon=True) for writer in writers]
        for thread, writer in zip(threads, writers, strict=True):
            thread.start()
            assert thread.ident is not None
            self.writers[thread.ident] = writer
        self._advance(writers, range(len(writers)))  # as far as the first step
        told: list[Choice] = []
        while left := [number for number, writer in enumerate(writers) if not writer.over]:
            state = (self.picture(), *(tuple(writer.seen) for writer in writers))
            told.append(Choice(left, choose(left), state))
            self._advance(writers, [told[-1].chosen])
        for thread in threads:
            thread.join()
        self.writers.clear()
        for writer in writers:
            if writer.fault:
                raise writer.fault
        return told

    @staticmethod
    def _advance(writers: Sequence[Writer], numbers: Sequence[int] | range) -> None:
        for number in numbers:
            writers[number].go.release()
            writers[number].halted.acquire()


def every(attempt: Callable[[Choose], list[Choice]]) -> int:
    """Make the attempt in every order of steps that can make a difference: where the world and the writers are as they
    were once before, all that may follow was tried then. Answers how many orders that were."""
    begins: list[list[int]] = [[]]
    known, count = set[Hashable](), 0
    while begins:
        begin = begins.pop()
        waiting = iter(begin)
        told = attempt(lambda left, waiting=waiting: next(waiting, left[0]))
        chosen, count = [each.chosen for each in told], count + 1
        for place in range(len(begin), len(told)):
            if told[place].state in known:
                break
            known.add(told[place].state)
            begins += [[*chosen[:place], other] for other in told[place].left if other != chosen[place]]
    return count


def some(random: Random, count: int) -> Iterator[Choose]:
    """So many orders of steps by chance, each with the habit of staying with one writer for a while."""
    for _ in range(count):
        stays = random.random()
        last = [-1]

        def choose(left: list[int], stays: float = stays, last: list[int] = last) -> int:
            if last[0] not in left or random.random() > stays:
                last[0] = random.choice(left)
            return last[0]

        yield choose
