"""Finding contacts, held against a model that knows neither lists nor pages."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from switchboard.ports import Checkpoint, Deadline
from switchboard.search import filters, finding, index
from switchboard.search.fields import ORDERS
from switchboard.search.filters import Clause, Either, Spoken
from switchboard.search.finding import Finder, Flow, Found, Wanted
from switchboard.search.sources import Scope, Source, everything, narrowed, sources
from tests.journal import Journal
from tests.search import crowd, model
from tests.search.crowd import BRAND, NOW, Crowd
from tests.store import MemoryContacts
from tests.worlds import HeldClock

PLANS = {"base", "single", "sparsest", "gathered", "too long", "turned", "ids", "either"}
"""Every way in which a page may be found."""


@dataclass
class Plans:
    """Which ways were taken."""

    taken: Counter[str] = field(default_factory=Counter[str])
    partial: int = 0
    pages: int = 0


class Watched(Finder):
    """A finder that tells how it went about it."""

    plans: Plans

    def _plan(self) -> Flow | list[str]:
        before = self.plans.taken.copy()
        found = super()._plan()
        told = self.plans.taken - before
        base = bool(told["base"])
        if isinstance(found, list) and not told["gathered"]:
            self.plans.taken["ids"] += 1
        elif isinstance(found, Flow) and not (base or told["sparsest"]):
            self.plans.taken["single"] += 1
        ways = [bool(sources(each, self.scope)) for each in self.wanted.clauses if isinstance(each, Either)]
        if len(ways) == len(self.wanted.clauses) == 1 and not base:
            self.plans.taken["either"] += 1
        return found

    def _flow(self, way: Source, chunk: int | None = None) -> Flow:
        self.plans.taken["base"] += way == everything(self.scope, self.wanted.order)
        return super()._flow(way) if chunk is None else super()._flow(way, chunk)

    def _sparsest(self, flows: list[Flow]) -> Flow:
        self.plans.taken["sparsest"] += 1
        return super()._sparsest(flows)

    def _short(self, most: int) -> list[str] | None:
        found = super()._short(most)
        if self.others:
            self.plans.taken["too long" if found is None else "gathered"] += 1
        return found

    def _shorter(self, met: int) -> list[str] | None:
        found = super()._shorter(met)
        self.plans.taken["turned"] += found is not None
        return found


@dataclass
class Search:
    """A search as a caller writes it."""

    filters: list[dict[str, Any]]
    typed: str
    order: str
    descending: bool
    limit: int

    def clauses(self) -> tuple[Clause, ...]:
        faults: list[Any] = []
        found = filters.read(self.filters, faults)
        assert not faults, faults
        return (*found, *((Spoken(tuple(index.words(self.typed))),) if self.typed else ()))

    def expected(self, crowd: Crowd) -> list[str]:
        owners = {account: dict(crowd.scope.of(account)) for account in crowd.scope.accounts}
        return model.answer(
            crowd.people, owners, self.filters, self.typed, self.order, descending=self.descending
        )  # fmt: skip


TEXTS = {
    "first_name": (*crowd.FIRST, "al", "Nobody"),
    "last_name": (*crowd.LAST, "o'neill", crowd.LONG[:90]),
    "name": ("Ada Lovelace", "ada", "alex jo", "Jo Jo", "José", "李", crowd.LONG, crowd.LONG + "1", "Jo O'Neill-Smith"),
    "title": ("CTO", "head"),
    "emails": ("ada@engines.example", "JO@loom.example", "alex.j@engines.example", "alex", "@"),
    "domain": ("engines.example", "loom"),
    "company.name": ("Analytical Engines", "analytical eng", "loom &", "Loom & Co"),
    "owner.name": ("Ada Lovelace", "charles", "nobody", "as the CRM has it"),
    "owner.email": ("charles@engines.example", "nameless@engines.example"),
    "tags": crowd.TAGS,
    "lead_status": ("open", "won", "lost"),
    "addresses.city": ("paris", "Köln", "K"),
    "addresses.country": ("fr",),
}
IDS = {
    "company.id": ("c1", "c2", "C1"),
    "owner.id": ("o1", "o2", "o3", "o4"),
    "source.crm": ("acme", "brief", "none"),
    "source.integrated_account_id": ("acc-1", "acc-2", "acc-3", "acc-9"),
    "source.remote_id": ("r0", "r1", "r2", "r3", "R4"),
}
PHONES = ("15550100", "(555) 0100", "1234", "1")
CUSTOM = ("custom_fields.score", "custom_fields.tier", "custom_fields.plan")
CUSTOM_VALUES = (1, 1.0, 2, True, False, "1", "high", "HIGH", 10.5, -3, "a", "true")
TYPED = (
    "",
    "",
    "",
    "ada",
    "alex jo",
    "jo alex",
    "Al",
    "lovelace engines",
    "o'neill",
    "analytical eng",
    "ex",
    "wolfe",
    "李",
)

EITHER = ("eq", "neq", "in", "not_in", "is_empty", "is_not_empty")
PARTS = ("contains", "not_contains", "starts_with")
RANGES = ("gt", "gte", "lt", "lte", "between")


def condition(r: Random, people: list[str]) -> dict[str, Any]:
    """A condition that somebody may make up; often one that finds something."""
    kind = r.choice(("text", "text", "text", "id", "digits", "moment", "moment", "custom", "custom", "own"))
    match kind:
        case "text":
            name = r.choice(list(TEXTS))
            pool, operators = TEXTS[name], EITHER + PARTS
        case "id":
            name = r.choice(list(IDS))
            pool, operators = IDS[name], EITHER
        case "digits":
            name, pool, operators = "phones", PHONES, EITHER + PARTS
        case "moment":
            name, pool, operators = r.choice(model.MOMENTS), crowd.MOMENTS, EITHER + RANGES * 2
        case "custom":
            name, pool, operators = r.choice(CUSTOM), CUSTOM_VALUES, EITHER + PARTS + RANGES
        case _:
            name, pool, operators = "id", (*people, "con_" + "0" * 24, "con_x", "r1"), EITHER
    operator = r.choice((*operators, "eq", "eq"))
    name = r.choice([name, *(alias for alias, whole in model.ALIASES.items() if whole == name)])
    asked: dict[str, Any] = {"field": name, "operator": operator}
    if operator in ("in", "not_in"):
        asked["values"] = [r.choice(pool) for _ in range(r.randint(1, 4))]
    elif operator == "between":
        asked["values"] = [r.choice(pool), r.choice(pool)]
    elif operator in PARTS and kind == "custom":
        asked["value"] = r.choice([each for each in pool if isinstance(each, str)])
    elif operator not in ("is_empty", "is_not_empty"):
        asked["value"] = r.choice(pool)
    return asked


def search(r: Random, people: list[str]) -> Search:
    """A search that somebody may make up."""
    asked = [condition(r, people) for _ in range(r.choice((0, 1, 1, 1, 2, 2, 3)))]
    if r.random() < 0.3:
        inner = [condition(r, people) for _ in range(r.randint(1, 3))]
        asked.append({"group": r.choice(("or", "or", "and")), "filters": inner})
        asked = asked[-1:] if r.random() < 0.5 else asked
    return Search(asked, r.choice(TYPED), r.choice(ORDERS), r.random() < 0.5, r.randint(1, 7))


def page(crowd: Crowd, asked: Search, after: str | None, plans: Plans, *, narrow: bool = True) -> Found:
    """One page, and what has to be true of every page."""
    clauses, scope = asked.clauses(), crowd.scope
    if narrow:
        clauses, scope = narrowed(clauses, scope)
    finder = Watched(
        crowd.store,
        scope,
        Wanted(clauses, asked.order, asked.descending, asked.limit, after),
        Deadline(NOW + 20, HeldClock(NOW)),
    )
    finder.plans = plans
    found = finder.page()
    plans.pages += 1
    plans.partial += found.partial
    assert len(found.contacts) <= asked.limit, asked
    assert found.contacts or found.after is None or found.partial, f"empty, and yet it goes on: {asked}"
    assert found.after is None or len(found.contacts) == asked.limit or found.partial, f"not full: {asked}"
    assert found.examined <= finding.BUDGET, asked
    return found


def constants(patch: pytest.MonkeyPatch, **given: int) -> None:
    for name, value in given.items():
        patch.setattr(finding, name, value)
    patch.setattr(Finder._flow, "__defaults__", (given.get("LOOK", finding.LOOK),))


SIZES = {
    "as they are": ({}, 80, 25),
    "few at a time": ({"BUDGET": 9, "GATHERED": 6, "LOOK": 3, "CHUNK": 2, "PROBED": 2}, 70, 30),
    "one at a time": ({"BUDGET": 8, "GATHERED": 1, "LOOK": 1, "CHUNK": 1, "PROBED": 1}, 25, 10),
    "a long look": ({"BUDGET": 30, "GATHERED": 30, "LOOK": 7, "CHUNK": 5, "PROBED": 4}, 70, 20),
}
"""Constants, contacts at the most, and crowds. With small constants pages are partial and lists are read in parts."""


@pytest.mark.parametrize("sizes", SIZES)
def test_all_pages_together_are_what_a_look_at_every_contact_finds(sizes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, most, crowds = SIZES[sizes]
    constants(monkeypatch, **given)
    plans, told, hits = Plans(), 0, 0
    for seed in range(crowds):
        people = Crowd.of(seed, seed * most // crowds)
        people.remove(0.1)
        people.litter(20)
        ids = list(people.people)
        for number in range(60):
            r = Random(f"{seed} {number}")
            asked, narrow = search(r, ids), r.random() < 0.8
            expected, found, after = asked.expected(people), list[str](), None
            while True:
                part = page(people, asked, after, plans, narrow=narrow)
                found += [each.id for each in part.contacts]
                if part.total is not None:
                    assert after is None
                    assert part.total == len(expected), f"{seed} {number} {asked}"
                    told += 1
                assert part.after != after or after is None, f"it stands still: {seed} {number} {asked}"
                after = part.after
                if after is None:
                    break
            hits += bool(expected)
            assert found == expected, f"{seed} {number} {asked}"
    out_of_reach = {"sparsest"} if given.get("PROBED") == 1 else set[str]()
    assert {name for name in PLANS - out_of_reach if not plans.taken[name]} == set()
    assert told
    assert hits > crowds * 60 / 4, "most searches found nothing: this would prove little"
    assert bool(plans.partial) is ("BUDGET" in given)


@pytest.mark.parametrize("sizes", SIZES)
def test_who_does_not_change_while_pages_are_read_is_given_once(sizes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, most, crowds = SIZES[sizes]
    constants(monkeypatch, **given)
    plans, walks = Plans(), 0
    for seed in range(crowds):
        for number in range(6):
            r = Random(f"walk {seed} {number}")
            people = Crowd.of(seed * 100 + number, most)
            asked = search(r, list(people.people))
            still = {id for id in people.people if r.random() < 0.6}
            moving = [id for id in people.people if id not in still]
            expected = [id for id in asked.expected(people) if id in still]
            found, after = list[str](), None
            while True:
                part = page(people, asked, after, plans)
                found += [each.id for each in part.contacts if each.id in still]
                after = part.after
                if after is None:
                    break
                walks += 1
                for _ in range(r.randint(1, 4)):
                    match r.choice(("create", "change", "delete")):
                        case "create":
                            new = people.person(people.account(), f"new{r.randrange(10**6)}")
                            people.keep([new])
                            moving.append(new.id)
                        case "change" if moving:
                            people.change(r.choice(moving))
                        case "delete" if moving:
                            people.keeper.remove([r.choice(moving)])
                        case _:
                            pass
            assert found == expected, f"{seed} {number} {asked}"
    assert walks > crowds, "hardly a walk of more than a page"


def test_a_search_ends_where_its_time_does_and_says_so() -> None:
    people = Crowd.of(1, 80)
    clock = HeldClock(NOW)
    wanted = Wanted(filters.read([{"field": "title", "operator": "eq", "value": "nobody's"}], []), limit=3)
    hurried = Finder(people.store, people.scope, wanted, Deadline(NOW + finding.RESERVE_SECONDS - 1, clock)).page()
    assert hurried.partial
    assert 0 < hurried.examined < len(people.people)
    assert hurried.after is not None


def test_a_look_at_everything_reads_no_more_than_the_page_and_one() -> None:
    people = Crowd.of(2, 80)
    found = Finder(people.store, people.scope, Wanted(limit=5), Deadline(NOW + 20, HeldClock(NOW))).page()
    assert (len(found.contacts), found.examined) == (5, 6)


def test_many_ids_are_not_looked_at_beyond_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remote ids may be of any account, so that a hundred of them mean more contacts than are asked for."""
    constants(monkeypatch, BUDGET=20, GATHERED=20)
    people, plans = Crowd.of(3, 80), Plans()
    values = [f"r{number}" for number in range(65, 80)]
    asked = Search([{"field": "source.remote_id", "operator": "in", "values": values}], "", "name", False, 7)
    found, after = list[str](), None
    while True:
        part = page(people, asked, after, plans)
        found += [each.id for each in part.contacts]
        after = part.after
        if after is None:
            break
    assert found == asked.expected(people)
    assert plans.partial


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("grouped", [False, True])
def test_no_page_takes_more_queries_than_a_function_has_time_for(order: str, *, grouped: bool) -> None:
    store = MemoryContacts(Journal())
    accounts = {f"acc-{number}": Checkpoint(BRAND, f"acc-{number}", "acme") for number in range(14)}
    asked: list[Any] = [
        {"field": "tags", "operator": "in", "values": [f"tag {number} {value}" for value in range(100)]}
        for number in range(filters.MOST)
    ]
    told = filters.read([{"group": "or", "filters": asked}] if grouped else asked, [])
    wanted = Wanted(told, order)
    assert len(told) == (1 if grouped else filters.MOST)
    Finder(store, Scope(BRAND, accounts, {}), wanted, Deadline(NOW + 20, HeldClock(NOW))).page()
    assert 0 < store.spent.requests <= finding.LISTS + len(accounts)


@pytest.mark.parametrize("operator", ["eq", "starts_with"])
@pytest.mark.parametrize("name", ["company.name", "emails", "last_name"])
def test_a_contact_is_found_by_every_text_of_it_however_many_there_are(name: str, operator: str) -> None:
    """The usual order leads to it only by its words."""
    people = Crowd.of(5, 0)
    long, firm = (" ".join(f"{word}{number}" for number in range(60)) for word in ("word", "firm"))
    emails = [{"email": f"first{number}.last{number}@host{number}.example"} for number in range(100)]
    person = people.person(
        "acc-1", "r1", emails=emails, company={"id": "c9", "name": f"Zebra {firm}"}, last_name=f"Yak {long}"
    )
    people.keep([person])
    values = {"company.name": f"Zebra {firm}", "emails": emails[99]["email"], "last_name": f"Yak {long}"}
    value = values[name] if operator == "eq" else values[name][:-2]
    told = filters.read([{"field": name, "operator": operator, "value": value}], [])
    found = Finder(people.store, people.scope, Wanted(told), Deadline(NOW + 20, HeldClock(NOW))).page()
    assert [each.id for each in found.contacts] == [person.id]


def test_contacts_of_another_brand_are_not_found() -> None:
    people = Crowd.of(4, 30)
    scope = Scope("other1", people.scope.accounts, people.scope.owners)
    assert not Finder(people.store, scope, Wanted(), Deadline(NOW + 20, HeldClock(NOW))).page().contacts
    ids = filters.read([{"field": "id", "operator": "in", "values": list(people.people)}], [])
    assert people.people
    assert not Finder(people.store, scope, Wanted(ids), Deadline(NOW + 20, HeldClock(NOW))).page().contacts
