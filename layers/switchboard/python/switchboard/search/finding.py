"""Finding contacts: a page of those that meet all conditions, in an order, from a place on.

The place after which a page begins is a contact's own: what it is sorted by, and its id. It means the same whichever
lists are read, so that every page may be found in another way, and what comes or goes meanwhile moves nothing else.

Of the lists that hold all contacts that meet some condition, the one is read that has the fewest places left, as far as
a first look tells: a list that reaches further back with as many places is the sparser one. All other conditions are
held against the contacts themselves. Lists that are sorted otherwise than was asked for are read only where they are
short: shorter than a page, or than what has to be looked at for one, as far as the beginning of the list that is read
tells: it may hold a rare name among many that begin alike. A request looks at no more than so many contacts; what it
has then, it answers, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge

from switchboard.ports import Contacts, Deadline, Owner, Span, Stored
from switchboard.search import index
from switchboard.search.filters import Clause, Condition
from switchboard.search.sources import USUAL, Scope, Source, bounds, everything, sources

BUDGET = 1_000
"""So many contacts are looked at for one page."""
CHUNK = 100
"""So many of them at once at the most."""
FEW = 10
"""So many of them at once at the least, where the first did not fill the page."""
PROBED = 4
"""So many ways to find contacts are compared, of those that there are."""
LISTS = 1_500
"""So many lists are looked into to find one page, beside those that hold all contacts."""
LOOK = 50
"""So many places of each are read for that."""
GATHERED = 300
"""Lists that are sorted otherwise are read if they have no more places than this."""
SPARSE = 8
"""A list of which fewer than one in so many are wanted is held against the others."""
RESERVE_SECONDS = 3
"""Another look at contacts is only taken with so much of the deadline left."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that is asked for. `after`: the place where it begins, of the last contact of the page before."""

    clauses: tuple[Clause, ...] = ()
    order: str = USUAL
    descending: bool = True
    limit: int = 25
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page. `after`: where the next one begins; None at the end. partial: the budget was spent before the page was
    full. total: of all pages, where that is known for nothing. examined: contacts that were looked at."""

    contacts: Sequence[Stored]
    after: str | None
    partial: bool = False
    total: int | None = None
    examined: int = 0


@dataclass(slots=True)
class Flow:
    """The places of several lists as one, in order; each once. Lists are read on as they are needed."""

    contacts: Contacts
    brand: str
    spans: Sequence[Span]
    descending: bool
    after: str | None
    chunk: int
    read: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """What was read of each list and is not given out yet, in reverse."""
    ends: dict[int, str | None] = field(default_factory=dict[int, "str | None"])
    """How far each list was read; None where that was its end."""
    last: str | None = None

    def fill(self) -> None:
        """Read on in the lists of which nothing is left."""
        dry = [n for n in range(len(self.spans)) if not self.read.get(n) and self.ends.get(n, "") is not None]
        if not dry:
            return
        wanted = [self._rest(self.spans[n], self.ends.get(n) or self.after) for n in dry]
        limit = self.chunk + 1  # the place where it goes on is among them
        told = self.contacts.places(self.brand, wanted, limit=limit, descending=self.descending)
        for n, places in zip(dry, told, strict=True):
            edge = self.ends.get(n) or self.after
            self.ends[n] = places[-1] if len(places) == limit else None
            self.read[n] = [each for each in reversed(places) if each != edge]
        self.chunk = min(CHUNK, self.chunk * 2)

    def _rest(self, span: Span, edge: str | None) -> Span:
        if edge is None:
            return span
        if self.descending:
            return (
                Span(span.list, span.low, min(span.high, edge)) if edge >= span.low else Span(span.list, "\x00", "\x00")
            )
        return Span(span.list, max(span.low, edge), span.high) if edge <= span.high else Span(span.list, "\x00", "\x00")

    def look(self, most: int) -> list[str]:
        """The next places, without taking them: at least so many, if there are, as far as one reading goes."""
        self.fill()
        told = (list(reversed(each)) for each in self.read.values())
        return list(dict.fromkeys(merge(*told, reverse=self.descending)))[:most]

    def take(self, most: int) -> list[str]:
        """The next places, at most so many; none at the end."""
        found: list[str] = []
        while len(found) < most:
            self.fill()
            heads = [(each[-1], n) for n, each in self.read.items() if each]
            if not heads:
                break
            place, n = max(heads) if self.descending else min(heads)
            self.read[n].pop()
            if place != self.last:
                found.append(place)
                self.last = place
        return found

    @property
    def ended(self) -> bool:
        """Whether all lists were read to their end."""
        return all(n in self.ends and self.ends[n] is None for n in range(len(self.spans)))


@dataclass(slots=True)
class Finder:
    """Finds one page."""

    contacts: Contacts
    scope: Scope
    wanted: Wanted
    deadline: Deadline
    examined: int = 0
    others: Sequence[Source] = ()
    """Ways that are sorted otherwise than was asked for."""
    tried: int = 0
    """So many places they are known to have at the least."""

    def page(self) -> Found:
        """The page that is wanted."""
        flow = self._plan()
        return self._gathered(flow) if isinstance(flow, list) else self._read(flow)

    # --- how ---------------------------------------------------------------------------------------------------------

    def _plan(self) -> Flow | list[str]:
        """The flow to read, or the ids of all that may be meant."""
        ways = [way for clause in self.wanted.clauses for way in sources(clause, self.scope)]
        known = [way.ids for way in ways if way.ids is not None and len(way.ids) <= BUDGET]
        if known:
            return list(dict.fromkeys(min(known, key=len)))
        ways = [way for way in ways if way.ids is None]
        alike = [way for way in ways if way.order == self.wanted.order]
        others = [way for way in ways if way.order != self.wanted.order]
        affordable = _affordable([*alike[:PROBED], *others[:PROBED]])
        alike = [way for way in affordable if way.order == self.wanted.order]
        self.others = [way for way in affordable if way.order != self.wanted.order]
        self.tried = self.wanted.limit + 1 if alike else GATHERED
        if (ids := self._short(self.tried)) is not None:
            return ids
        if len(alike) > 1:
            return self._sparsest([self._flow(way) for way in alike])
        way = alike[0] if alike else everything(self.scope, self.wanted.order)
        return self._flow(way, self.wanted.limit + 1)

    def _flow(self, way: Source, chunk: int = LOOK) -> Flow:
        low, high = self._within()
        spans = [
            Span(each.list, max(each.low, low), min(each.high, high))
            for each in way.spans
            if max(each.low, low) <= min(each.high, high)
        ]
        wanted = self.wanted
        return Flow(
            self.contacts, self.scope.brand, spans, wanted.descending, wanted.after, max(chunk, wanted.limit + 1)
        )

    def _within(self) -> tuple[str, str]:
        """The places between which all that is asked for lies, by conditions on what it is sorted by."""
        low, high = index.LOWEST, index.HIGHEST
        for each in self.wanted.clauses:
            ranged = (
                isinstance(each, Condition) and each.field.kind == "moment" and each.field.name == self.wanted.order
            )
            if isinstance(each, Condition) and ranged and each.operator in ("eq", "gt", "gte", "lt", "lte", "between"):
                first, last = bounds(each)
                low, high = max(low, first), min(high, last)
        return low, high

    def _sparsest(self, flows: list[Flow]) -> Flow:
        """Of several flows the one with the fewest places, as far as a look tells."""

        def density(flow: Flow) -> tuple[bool, int, str | tuple[int, ...]]:
            seen = flow.look(LOOK)
            if flow.ended:
                return False, len(seen), ""
            reach = seen[LOOK - 1] if len(seen) >= LOOK else seen[-1]
            return True, 0, reach if self.wanted.descending else tuple(-ord(each) for each in reach)

        return min(flows, key=density)

    def _short(self, most: int) -> list[str] | None:
        """The ids in lists that are sorted otherwise, if there are no more than so many."""
        for way in self.others:
            flow = Flow(
                self.contacts, self.scope.brand, way.spans, descending=False, after=None, chunk=min(most, CHUNK)
            )
            places = flow.take(most + 1)
            if len(places) <= most:
                return list(dict.fromkeys(map(index.id_at, places)))
        return None

    def _shorter(self, met: int) -> list[str] | None:
        """Likewise, if they are fewer than a page takes of the list that is read, as far as its beginning tells."""
        if met * SPARSE >= self.examined:
            return None
        most = min((self.wanted.limit + 1) * self.examined // max(met, 1), BUDGET - self.examined)
        return self._short(most) if most > self.tried else None

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, flow: Flow) -> Found:
        """Contacts in the order of a flow."""
        limit, after = self.wanted.limit, self.wanted.after
        found: list[tuple[str, Stored]] = []
        size, place = limit + 1, None
        while len(found) <= limit:
            left = BUDGET - self.examined
            if left <= 0 or (self.examined and self.deadline.left < RESERVE_SECONDS):
                shown = [stored for _, stored in found]
                return Found(shown, place, partial=True, examined=self.examined)
            places = flow.take(min(size, left))
            if not places:
                whole = len(found) if after is None else None
                return Found([stored for _, stored in found], None, total=whole, examined=self.examined)
            place = places[-1]
            found += self._good(places)
            if self.examined == size and (ids := self._shorter(len(found))) is not None:
                return self._gathered(ids)
            lacking = limit + 1 - len(found)
            size = min(CHUNK, max(FEW, -(-lacking * self.examined // max(len(found), 1))))
        return Found([stored for _, stored in found[:limit]], found[limit - 1][0], examined=self.examined)

    def _good(self, places: Sequence[str]) -> Iterator[tuple[str, Stored]]:
        """The contacts at these places that are there and meet every condition."""
        known = self._known([index.id_at(place) for place in places])
        for place in places:
            stored = known.get(index.id_at(place))
            # A place that the contact no longer has: it stands elsewhere in the list, or in none.
            if stored and self._place(stored) == place and self._holds(stored):
                yield place, stored

    def _gathered(self, ids: Sequence[str]) -> Found:
        """Contacts that are few enough to be sorted here."""
        held: list[tuple[str, Stored]] = []
        for start in range(0, len(ids), CHUNK):
            known = self._known(ids[start : start + CHUNK])
            held += [(self._place(each), each) for each in known.values() if self._holds(each)]
        held.sort(key=lambda pair: pair[0], reverse=self.wanted.descending)
        after, limit = self.wanted.after, self.wanted.limit
        if after is not None:
            held = [pair for pair in held if (pair[0] < after if self.wanted.descending else pair[0] > after)]
        total = len(held) if after is None else None
        following = held[limit - 1][0] if len(held) > limit else None
        return Found([each for _, each in held[:limit]], following, total=total, examined=self.examined)

    def _known(self, ids: Sequence[str]) -> Mapping[str, Stored]:
        self.examined += len(ids)
        return self.contacts.contacts(self.scope.brand, ids)

    def _place(self, stored: Stored) -> str:
        return index.position(index.order_key(self.wanted.order, stored), stored.id)

    def _holds(self, stored: Stored) -> bool:
        owners: Mapping[str, Owner] = self.scope.of(stored.account)
        there = not stored.gone_until and stored.account in self.scope.accounts
        return there and all(clause.holds(stored, owners) for clause in self.wanted.clauses)


def _affordable(ways: Sequence[Source]) -> list[Source]:
    """Ways that are not made of too many lists, all together; those of few go first."""
    found, left = list[Source](), LISTS
    for way in sorted(ways, key=lambda way: len(way.spans)):
        if len(way.spans) > left:
            break
        left -= len(way.spans)
        found.append(way)
    return [way for way in ways if way in found]
