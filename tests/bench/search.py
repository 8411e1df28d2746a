"""What a search costs among a thousand contacts and among many more, and what it costs to write one: in DynamoDB's
units, of a store in memory at its prices."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from math import inf
from statistics import mean
from typing import Any

from switchboard.ports import Deadline, Stored
from switchboard.search import filters, index
from switchboard.search.filters import Clause, Spoken
from switchboard.search.finding import Finder, Found, Wanted
from switchboard.search.keeping import Keeper, Tally, stored
from switchboard.search.sources import USUAL, Scope, narrowed
from tests.bench.crowd import CRMS, KNOWN, LAST, NOW, RECENT, Crowd, of_account, record, when
from tests.bench.tables import table
from tests.store import Spent
from tests.worlds import BRAND, START, HeldClock

SIZES = (KNOWN, 10_000, 100_000)
FLAT = 1.2
"""So much more than at the first size a page may cost at the last one."""
SAMPLES = 100
"""So many contacts are written of each kind."""
FURTHER = (0.3, 0.4, 0.5)
"""Where pages begin that are not the first: so much of the list is behind them."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search. newest: so much of the list that it is ordered by is meant, the newest part."""

    clauses: tuple[Clause, ...] = ()
    order: str = USUAL
    newest: float = 1.0


def asked(*conditions: dict[str, Any], text: str = "") -> Query:
    """A search as a caller writes it."""
    faults: list[Any] = []
    clauses = filters.read(list(conditions), faults)
    if faults:
        raise ValueError(faults)
    return Query((*clauses, *((Spoken(tuple(index.words(text))),) if text else ())))


def of(name: str, operator: str, value: Any) -> dict[str, Any]:
    """A condition."""
    return {"field": name, "operator": operator, "value": value}


def single(people: Sequence[Stored]) -> dict[str, list[Query]]:
    """Searches for somebody: all that they find stands on a page."""
    some = people[::70]
    rare = [str(each.body["name"]) for each in people if each.body["last_name"] not in LAST]
    return {
        "by e-mail": [asked(of("emails", "eq", each.body["emails"][0]["email"])) for each in some],
        "by phone": [asked(of("phones", "eq", each.body["phones"][0]["number"])) for each in some],
        "by domain": [asked(of("domain", "eq", each.body["emails"][0]["email"].partition("@")[2])) for each in some],
        "a person's name": [asked(text=name) for name in rare[::20]],
    }


def walks() -> dict[str, list[Query]]:
    """Searches that find a share of all there are."""
    owner = [of("owner.email", "eq", f"{seller}@us.example") for seller in ("ada", "grace")]
    mine = [[of("owner.id", "eq", f"{seller}-{account[-1]}") for seller in ("ada", "grace")] for account in CRMS]
    yesterday = of("updated_at", "gte", when(NOW - timedelta(days=1)))
    return {
        "newest first": [asked()],
        "of an owner": [asked(each) for each in owner],
        "a tag, of an owner": [asked(of("tags", "eq", tag), each) for tag in ("newsletter", "vip") for each in owner],
        "of either of two owners": [asked({"group": "or", "filters": each}) for each in mine[:2]],
        "a last name's beginning": [
            asked(of("last_name", "starts_with", each)) for each in ("garc", "gar", "smit", "mül")
        ],
        "two words, begun": [asked(text=each) for each in ("mari garc", "mar ga", "ma garci", "mar smi")],
        "updated since yesterday": [replace(asked(yesterday), order="updated_at", newest=RECENT)],
        "an account and a status": [
            asked(of("integrated_account_id", "eq", account), of("lead_status", "eq", status))
            for account, status in product(list(CRMS)[:2], ("open", "working"))
        ],
    }


def place(crowd: Crowd, query: Query, part: float, *, descending: bool) -> str:
    """Where a page begins that has so much of a list behind it."""
    held = crowd.store.lists[BRAND, index.by(query.order, next(iter(CRMS)))]
    meant = held[-int(len(held) * query.newest) :]
    return meant[int(len(meant) * (1 - part if descending else part))]


def page(crowd: Crowd, query: Query, after: str | None, *, descending: bool) -> tuple[Found, Spent]:
    """A page and what it took; what a search knows beforehand, it has read as well."""
    before = replace(crowd.store.spent)
    points = {each.account: each for each in crowd.store.checkpoints(BRAND)}
    clauses, scope = narrowed(query.clauses, Scope(BRAND, points, crowd.store.owners(BRAND)))
    wanted = Wanted(clauses, query.order, descending, after=after)
    found = Finder(crowd.store, scope, wanted, Deadline(START + 20, HeldClock())).page()
    return found, crowd.store.spent - before


@dataclass
class Pages:
    """What pages took, at one size after the other."""

    units: list[float] = field(default_factory=list[float])
    examined: list[float] = field(default_factory=list[float])
    requests: float = 0

    def add(self, told: Sequence[tuple[Found, Spent]]) -> None:
        """Note the pages of one size."""
        self.units.append(mean(spent.read for _, spent in told))
        self.examined.append(mean(found.examined for found, _ in told))
        self.requests = mean(spent.requests for _, spent in told)


def ratio(told: Sequence[float]) -> float:
    """The last against the first."""
    return told[-1] / told[0] if told[0] else 1.0 if not told[-1] else inf


def read(crowd: Crowd, name: str, queries: Sequence[Query], parts: Sequence[float]) -> list[tuple[Found, Spent]]:
    """Pages of these searches, from both ends; one that is not as it should be ends the benchmark."""
    told: list[tuple[Found, Spent]] = []
    for query, descending in product(queries, (True, False)):
        for part in parts:
            after = place(crowd, query, part, descending=descending) if part else None
            found, spent = page(crowd, query, after, descending=descending)
            if found.partial or not found.contacts:
                raise RuntimeError(
                    f"{name} among {crowd.size:,}: {len(found.contacts)} found, {found.examined} examined"
                )
            told.append((found, spent))
    return told


KINDS = ("new", "unchanged", "changed, no index", "changed, an index", "deleted")


def written(crowd: Crowd) -> dict[str, Spent]:
    """What it takes to write contacts, each kind of change in turn to the same ones, who are gone in the end."""
    keeper, told = Keeper(crowd.store, BRAND, START), dict[str, Spent]()
    account = next(iter(CRMS))
    whose = of_account(account)
    records = [record(crowd.random, 5_000_000 + number, account) for number in range(SAMPLES)]
    later = [when(NOW + timedelta(minutes=minute)) for minute in range(2)]
    noted = [{**each, "description": "Asked to be called again.", "updated_at": later[0]} for each in records]
    moved = [{**each, "lead_status": "nurtured", "updated_at": later[1]} for each in noted]
    people = [stored(whose, each) for each in records]
    works: tuple[Callable[[], Tally], ...] = (
        lambda: keeper.keep(people),
        lambda: keeper.keep(people),
        lambda: keeper.keep(stored(whose, each) for each in noted),
        lambda: keeper.keep(stored(whose, each) for each in moved),
        lambda: keeper.remove([each.id for each in people]),
    )
    wanted = (
        Tally(new=SAMPLES),
        Tally(unchanged=SAMPLES),
        Tally(changed=SAMPLES),
        Tally(changed=SAMPLES),
        Tally(gone=SAMPLES),
    )
    for kind, work, tally in zip(KINDS, works, wanted, strict=True):
        before = replace(crowd.store.spent)
        if (found := work()) != tally:
            raise RuntimeError(f"{kind}: {found}")
        told[kind] = crowd.store.spent - before
    for each in people:
        del crowd.store.held[BRAND, each.id], crowd.store.sizes[BRAND, each.id]
    return told


def main(most: int = SIZES[-1]) -> list[str]:
    """Print the tables; answers what is not flat."""
    sizes = [size for size in (*SIZES, 1_000_000) if size <= most]
    crowd, pages, writes = Crowd(), dict[tuple[str, str], Pages](), dict[str, list[Spent]]()
    for size in sizes:
        crowd.grow(size)
        for name, queries in single(crowd.known).items():
            pages.setdefault((name, "all"), Pages()).add(read(crowd, name, queries, [0]))
        for name, queries in walks().items():
            pages.setdefault((name, "first"), Pages()).add(read(crowd, name, queries, [0]))
            pages.setdefault((name, "further on"), Pages()).add(read(crowd, name, queries, FURTHER))
        for kind, spent in written(crowd).items():
            writes.setdefault(kind, []).append(spent)
    return [*_pages(sizes, pages), *_writes(sizes, writes, crowd)]


def _pages(sizes: Sequence[int], pages: Mapping[tuple[str, str], Pages]) -> Iterator[str]:
    among = [f"{size:,}" for size in sizes]
    print("A page of 25: read units, and contacts examined, among so many contacts; and the last against the first\n")
    rows: list[tuple[str, ...]] = []
    for (name, page), told in pages.items():
        units, examined = ([f"{each:,.0f}" for each in figures] for figures in (told.units, told.examined))
        ratios = [ratio(told.units), ratio(told.examined)]
        dear = f"{told.units[-1] * 1000:,.0f}", f"{told.requests:.0f}"
        rows.append((name, page, *units, f"{ratios[0]:.2f}", *examined, f"{ratios[1]:.2f}", *dear))
        if max(ratios) > FLAT:
            yield f"{name}, {page}: {max(ratios):.2f} times as much among {among[-1]} contacts as among {among[0]}"
    counted = [f"examined {each}" for each in among]
    units = [f"units {each}" for each in among]
    table(("search", "page", *units, "ratio", *counted, "ratio", "units of 1,000 pages", "requests"), rows)


def _writes(sizes: Sequence[int], writes: Mapping[str, Sequence[Spent]], crowd: Crowd) -> Iterator[str]:
    print("A contact that is synced: write units among so many contacts, and what else it takes\n")
    rows: list[tuple[str, ...]] = []
    for kind, told in writes.items():
        units = [each.written / SAMPLES for each in told]
        last = told[-1]
        figures = [f"{each:.1f}" for each in units]
        rows.append(
            (kind, *figures, f"{ratio(units):.2f}", f"{last.read / SAMPLES:.1f}", f"{last.requests / SAMPLES:.2f}")
        )
        if ratio(units) > FLAT:
            yield f"{kind}: {ratio(units):.2f} times the write units"
        if kind == "unchanged" and units[-1]:
            yield f"{kind}: {units[-1]:.1f} write units"
    table(("contact", *(f"{size:,}" for size in sizes), "ratio", "read units", "requests"), rows)
    places = [posting for each in crowd.known for posting in each.postings]
    size = mean(crowd.store.sizes[BRAND, each.id] for each in crowd.known)
    raw = mean(len(json.dumps(each.body)) for each in crowd.known)
    at = mean(len(f"{BRAND}#{each.list}{each.at}".encode()) + len("pkskv") + 3 for each in places)
    told = f"A contact is an item of {size:,.0f} bytes, {raw:,.0f} as JSON"
    print(f"{told}, and {len(places) / len(crowd.known):.1f} places of {at:.0f} bytes\n")
