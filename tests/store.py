"""Contacts in memory, as DynamoDB would keep them: with its prices, and with a journal that may let a process die.

Units are those of DynamoDB on demand: a consistent read of up to 4 KB is one unit, of a query all that it gives
together; a write is one unit for each KB of the item. Sizes are those of names and values.
"""

import json
import zlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from switchboard.ports import Checkpoint, Owner, Posting, Span, Stored
from tests.journal import Journal


@dataclass
class Spent:
    """What was spent: DynamoDB's units, its requests, and items that were given out."""

    read: float = 0
    written: float = 0
    requests: int = 0
    items: int = 0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(
            self.read - other.read,
            self.written - other.written,
            self.requests - other.requests,
            self.items - other.items,
        )


def packed(stored: Stored) -> int:
    """Bytes of a contact's item."""
    told = [stored.body, [(p.list, p.at) for p in stored.postings], [(p.list, p.at) for p in stored.drops]]
    body = zlib.compress(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())
    key = len(stored.brand) + len("#contact#") + len(stored.id) + len("contact")
    names = len("pkskversionaccountcrmremote_iddigestbody")
    return key + names + len(body) + len(stored.account + stored.crm + stored.remote_id + stored.digest) + 3


def units(size: int, unit: int) -> int:
    """Units of so many bytes; nothing is free."""
    return max(1, -(-size // unit))


@dataclass
class MemoryContacts:
    """The ports `Contacts`, `Checkpoints` and `Paces`."""

    journal: Journal
    held: dict[tuple[str, str], Stored] = field(default_factory=dict[tuple[str, str], Stored])
    lists: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    versions: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    points: dict[tuple[str, str], Checkpoint] = field(default_factory=dict[tuple[str, str], Checkpoint])
    named: dict[tuple[str, str], dict[str, Owner]] = field(default_factory=dict[tuple[str, str], dict[str, Owner]])
    swept: dict[tuple[str, str, str], set[str]] = field(default_factory=dict[tuple[str, str, str], set[str]])
    free: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    spent: Spent = field(default_factory=Spent)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    # --- contacts ----------------------------------------------------------------------------------------------------

    def contacts(self, brand: str, ids: Sequence[str]) -> dict[str, Stored]:
        with self.journal.step("contacts"):
            wanted = list(dict.fromkeys(ids))
            found = {id: self.held[brand, id] for id in wanted if (brand, id) in self.held}
            self.spent.requests += -(-len(wanted) // 100)
            self.spent.items += len(found)
            self.spent.read += sum(units(self.sizes.get((brand, id), 0), 4096) for id in wanted)
            return found

    def put(self, stored: Stored, *, seen: int | None) -> bool:
        with self.journal.step("put"):
            key = (stored.brand, stored.id)
            there = self.held.get(key)
            size = packed(stored)
            self.spent.requests += 1
            self.spent.written += units(max(size, self.sizes.get(key, 0)), 1024)
            if (there.version if there else None) != seen:
                return False
            self.held[key], self.sizes[key] = stored, size
            return True

    def put_all(self, wanted: Sequence[tuple[Stored, int | None]]) -> list[bool]:
        return [self.put(stored, seen=seen) for stored, seen in wanted]

    def post(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        for (name, at), version in {(each.list, each.at): version for each, version in places}.items():
            with self.journal.step("post"):
                self.spent.written += 1
                held = self.lists.setdefault((brand, name), [])
                if (brand, name, at) not in self.versions:
                    insort(held, at)
                self.versions[brand, name, at] = version
        self.spent.requests += -(-len(places) // 25)

    def drop(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        for each, version in places:
            with self.journal.step("drop"):
                self.spent.written += 1
                self.spent.requests += 1
                key = (brand, each.list, each.at)
                if key in self.versions and self.versions[key] <= version:
                    del self.versions[key]
                    held = self.lists[brand, each.list]
                    del held[bisect_left(held, each.at)]

    def places(self, brand: str, spans: Sequence[Span], *, limit: int, descending: bool) -> list[list[str]]:
        with self.journal.step("places"):
            found: list[list[str]] = []
            for span in spans:
                held = self.lists.get((brand, span.list), [])
                first, last = bisect_left(held, span.low), bisect_right(held, span.high)
                part = (
                    held[max(first, last - limit) : last][::-1]
                    if descending
                    else held[first : min(last, first + limit)]
                )
                size = sum(len(brand) + 1 + len(span.list.encode()) + len(at.encode()) + 4 + 1 + 3 for at in part)
                self.spent.read += units(size, 4096)
                self.spent.requests += 1
                self.spent.items += len(part)
                found.append(part)
            return found

    def all(self, brand: str) -> dict[str, Stored]:
        """Contacts that are there."""
        return {id: each for (whose, id), each in self.held.items() if whose == brand and not each.gone_until}

    def agree(self, brand: str) -> None:
        """Contacts and lists say the same; raises AssertionError with the difference."""
        promised = {(posting.list, posting.at) for each in self.all(brand).values() for posting in each.postings}
        there = {(name, at) for whose, name, at in self.versions if whose == brand}
        assert not promised - there, f"missing places: {sorted(promised - there)[:5]}"
        assert not there - promised, f"places too many: {sorted(there - promised)[:5]}"
        # Of one that is gone nothing but its places could be left, and they would have been seen above.
        left = [each.id for each in self.all(brand).values() if not each.settled]
        assert not left, f"places that are still to be removed, of {left[:5]}"
        listed = {(name, at) for (whose, name), held in self.lists.items() if whose == brand for at in held}
        assert listed == there

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def checkpoint(self, brand: str, account: str) -> Checkpoint | None:
        with self.journal.step("checkpoint"):
            self.spent.read += 1
            return self.points.get((brand, account))

    def checkpoints(self, brand: str) -> list[Checkpoint]:
        with self.journal.step("checkpoints"):
            found = [each for (whose, _), each in self.points.items() if whose == brand]
            self.spent.read += units(400 * len(found), 4096)
            self.spent.requests += 1
            return found

    def move(self, checkpoint: Checkpoint) -> bool:
        with self.journal.step("move"):
            key = (checkpoint.brand, checkpoint.account)
            there = self.points.get(key)
            self.spent.written += 3  # the item, and twice its place in the index `due`
            if (there.version if there else 0) != checkpoint.version:
                return False
            stored = json.loads(json.dumps(checkpoint.position))  # a position outlives the process as JSON
            self.points[key] = replace(checkpoint, version=checkpoint.version + 1, position=stored)
            return True

    def forget(self, checkpoint: Checkpoint) -> None:
        with self.journal.step("forget"):
            self.points.pop((checkpoint.brand, checkpoint.account), None)
            self.named.pop((checkpoint.brand, checkpoint.account), None)

    def due(self, now: float, limit: int) -> list[Checkpoint]:
        with self.journal.step("due"):
            found = sorted((each for each in self.points.values() if each.due_at <= now), key=lambda each: each.due_at)
            return [Checkpoint(each.brand, each.account, "", due_at=each.due_at) for each in found[:limit]]

    def postpone(self, checkpoint: Checkpoint, until: float) -> bool:
        with self.journal.step("postpone"):
            key = (checkpoint.brand, checkpoint.account)
            there = self.points.get(key)
            if there is None or there.due_at != checkpoint.due_at:
                return False
            self.points[key] = replace(there, due_at=until)
            return True

    def owners(self, brand: str, account: str | None = None) -> dict[str, dict[str, Owner]]:
        with self.journal.step("owners"):
            self.spent.read += 1
            self.spent.requests += 1
            told = {whose: dict(each) for (one, whose), each in self.named.items() if one == brand}
            return {id: each for id, each in told.items() if account in (None, id)}

    def know(self, brand: str, account: str, owners: Mapping[str, Owner]) -> None:
        with self.journal.step("know"):
            self.spent.written += 1
            self.named[brand, account] = dict(owners)

    def seen(self, brand: str, account: str, run: str, part: int, ids: Sequence[str]) -> None:
        with self.journal.step("seen"):
            self.spent.written += units(8 * len(ids), 1024)
            self.swept.setdefault((brand, account, run), set()).update(ids)

    def met(self, brand: str, account: str, run: str) -> set[str]:
        with self.journal.step("met"):
            return set(self.swept.get((brand, account, run), ()))

    # --- paces -------------------------------------------------------------------------------------------------------

    def reserve(self, brand: str, account: str, *, interval: float, now: float, until: float) -> float:
        with self.journal.step("reserve"):
            free = max(self.free.get((brand, account), 0), now)
            if free <= until:
                self.free[brand, account] = free + interval
            return free

    def rest(self, brand: str, account: str, until: float) -> None:
        with self.journal.step("rest"):
            self.free[brand, account] = max(until, self.free.get((brand, account), 0))
