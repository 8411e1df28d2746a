"""Keeping contacts. Whatever is read from a CRM, in whatever order, by however many, with whatever crash: the contact
is the newest state that was told, and it stands in its lists and in no others."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from switchboard.ports import Posting, Stored
from switchboard.search import index
from switchboard.search.contact import contact_id
from switchboard.search.keeping import ATTEMPTS, REMEMBERED, BusyError, Keeper, Tally, Whose, stored
from tests.journal import CrashError, Journal
from tests.search import schedules
from tests.store import MemoryContacts

BRAND, NOW = "acme01", 1_795_253_400.0
WHOSE = Whose(BRAND, "acc-1", "acme", ("score",))
EARLY, LATE, LATER = "2026-05-01T12:00:00Z", "2026-05-02T12:00:00Z", "2026-05-03T12:00:00Z"


def person(remote_id: str = "r1", **given: Any) -> Stored:
    """A contact as it was just read."""
    return stored(WHOSE, {"id": remote_id, "name": "Ada", "created_at": EARLY, "updated_at": EARLY, **given})


def world() -> tuple[MemoryContacts, Keeper]:
    store = MemoryContacts(Journal())
    return store, Keeper(store, BRAND, NOW)


def standing(store: MemoryContacts, id: str) -> set[Posting]:
    """Where a contact stands, as the lists say."""
    found = {(name, at) for (_, name), held in store.lists.items() for at in held if at.endswith(id)}
    return {Posting(name, at) for name, at in found}


def agree(store: MemoryContacts, id: str, *, after_crash: bool = False) -> None:
    """Contact and lists say the same, and nothing is left to be done. After a crash one that is gone may still stand
    where all contacts of an account are found, and nowhere else: the next sweep meets it there."""
    held, places = store.held.get((BRAND, id)), standing(store, id)
    if after_crash and held and held.gone_until:
        places = {each for each in places if not index.leads_to_all(each)}
    assert places == set(held.postings if held else ()), "contact and lists disagree"
    assert held is None or (held.settled and not held.drops), "something is left to be done"


# --- one writer ------------------------------------------------------------------------------------------------------


def test_a_new_contact_stands_in_its_lists() -> None:
    store, keeper = world()
    assert keeper.keep([person()]) == Tally(new=1)
    assert store.all(BRAND)[person().id].body["name"] == "Ada"
    assert standing(store, person().id) == set(person().postings)
    agree(store, person().id)


def test_a_changed_contact_leaves_the_lists_that_are_no_longer_its_own() -> None:
    store, keeper = world()
    keeper.keep([person(tags=["vip"])])
    new = person(tags=["lead"], updated_at=LATE)
    assert keeper.keep([new]) == Tally(changed=1)
    assert standing(store, new.id) == set(new.postings) != set(person(tags=["vip"]).postings)
    agree(store, new.id)


def test_an_unchanged_contact_costs_nothing_but_its_reading() -> None:
    store, keeper = world()
    many = [person(f"r{number}") for number in range(100)]
    keeper.keep(many)
    before = replace(store.spent)
    assert keeper.keep(many) == Tally(unchanged=100)
    assert (store.spent - before).written == 0
    assert (store.spent - before).requests == 1


def test_a_change_of_a_field_without_an_index_writes_no_lists() -> None:
    store, keeper = world()
    keeper.keep([person(title="CTO")])
    seen = len(store.journal.lines)
    keeper.keep([person(title="CEO")])
    assert not {"post", "drop"} & set(store.journal.lines[seen:])


@pytest.mark.parametrize(("old", "new", "kept"), [
    (LATE, EARLY, "old"), (EARLY, LATE, "new"), (LATE, LATE, "new"), (None, EARLY, "new"), (LATE, None, "new"),
    ("2026-05-02T13:00:00+02:00", LATE, "new"), ("2026-05-02T14:30:00+02:00", LATE, "old"),
    ("2099-01-01T00:00:00Z", LATE, "new"), (LATE, "2099-01-01T00:00:00Z", "new"),
])  # fmt: skip
def test_an_older_state_is_not_believed(old: str | None, new: str | None, kept: str) -> None:
    store, keeper = world()
    keeper.keep([person(updated_at=old, title="old", tags=["old"])])
    told = keeper.keep([person(updated_at=new, title="new", tags=["new"])])
    assert store.all(BRAND)[person().id].body["title"] == kept
    assert told == (Tally(changed=1) if kept == "new" else Tally(unchanged=1))
    agree(store, person().id)


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_states_in_one_page_the_newest_counts(*, turned: bool) -> None:
    store, keeper = world()
    states = [person(updated_at=moment, title=moment) for moment in (EARLY, LATER, LATE)]
    assert keeper.keep(reversed(states) if turned else states) == Tally(new=1)
    assert store.all(BRAND)[person().id].body["title"] == LATER
    agree(store, person().id)


def test_a_contact_that_is_gone_stands_nowhere_and_tells_nothing() -> None:
    store, keeper = world()
    keeper.keep([person(tags=["vip"])])
    assert keeper.remove([person().id, contact_id(BRAND, "acc-1", "never")]) == Tally(gone=1)
    assert not store.all(BRAND)
    assert not standing(store, person().id)
    assert "Ada" not in repr(store.held[BRAND, person().id])
    agree(store, person().id)


def test_what_is_gone_cannot_be_removed_twice_and_costs_nothing() -> None:
    store, keeper = world()
    keeper.keep([person()])
    keeper.remove([person().id])
    before = replace(store.spent)
    assert keeper.remove([person().id]) == Tally()
    assert (store.spent - before).written == 0


@pytest.mark.parametrize(("later", "moment", "there"), [
    (0, EARLY, False), (0, LATE, False), (0, None, False), (0, LATER, True), (REMEMBERED - 1, LATE, False),
    (REMEMBERED + 1, LATE, True), (REMEMBERED + 1, EARLY, False), (REMEMBERED + 1, None, True),
])  # fmt: skip
def test_a_deleted_contact_comes_back_only_with_a_newer_state_or_after_a_while(
    later: int, moment: str | None, *, there: bool
) -> None:
    store, keeper = world()
    keeper.keep([person(updated_at=LATE)])
    keeper.remove([person().id])
    told = Keeper(store, BRAND, NOW + later).keep([person(updated_at=moment, tags=["back"])])
    assert bool(store.all(BRAND)) is there
    assert told == (Tally(new=1) if there else Tally(unchanged=1))
    agree(store, person().id)


def test_a_contact_that_comes_back_is_found_again() -> None:
    store, keeper = world()
    keeper.keep([person()])
    keeper.remove([person().id])
    keeper.keep([person(updated_at=LATE)])
    assert standing(store, person().id) == set(person(updated_at=LATE).postings)


def test_contacts_of_one_id_at_two_accounts_or_brands_are_two() -> None:
    ids = {contact_id(*each) for each in (("acme01", "a", "1"), ("acme01", "b", "1"), ("other1", "a", "1"))}
    assert len(ids) == 3


# --- crashes ---------------------------------------------------------------------------------------------------------

STORIES: dict[str, Callable[[Keeper], Sequence[Callable[[], object]]]] = {
    "new": lambda keeper: [lambda: keeper.keep([person(tags=["vip"])])],
    "changed": lambda keeper: [
        lambda: keeper.keep([person(tags=["vip"], name="Ada")]),
        lambda: keeper.keep([person(tags=["lead"], name="Bea", updated_at=LATE)]),
    ],
    "gone": lambda keeper: [lambda: keeper.keep([person(tags=["vip"])]), lambda: keeper.remove([person().id])],
    "restored": lambda keeper: [
        lambda: keeper.keep([person(tags=["vip"])]),
        lambda: keeper.remove([person().id]),
        lambda: keeper.keep([person(tags=["vip"], updated_at=LATE)]),
    ],
    "many": lambda keeper: [lambda: keeper.keep([person(f"r{number}") for number in range(3)])],
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_anywhere_is_made_good_when_the_same_is_done_again(story: str, when: Any) -> None:
    for at in range(500):
        store, keeper = world()
        *before, last = STORIES[story](keeper)
        for each in before:
            each()
        store.journal.die(at, when)
        try:
            last()
        except CrashError:
            store.journal.revive()
            last()
            for whose, id in list(store.held):
                assert whose == BRAND
                agree(store, id, after_crash=True)
        else:
            assert at > 3
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_anywhere_is_made_good_by_whatever_comes_next(when: Any) -> None:
    following: list[tuple[str, Callable[[Keeper], object]]] = [
        ("the next change", lambda keeper: keeper.keep([person(tags=["third"], updated_at=LATER)])),
        (
            "a change that keeps the places",
            lambda keeper: keeper.keep([person(tags=["lead"], title="CTO", updated_at=LATER)]),
        ),
        ("an older state", lambda keeper: keeper.keep([person(tags=["vip"])])),
        ("a removal", lambda keeper: keeper.remove([person().id])),
    ]
    for name, next_ in following:
        for at in range(500):
            store, keeper = world()
            keeper.keep([person(tags=["vip"])])
            store.journal.die(at, when)
            try:
                keeper.keep([person(tags=["lead"], updated_at=LATE)])
            except CrashError:
                store.journal.revive()
                next_(keeper)
                agree(store, person().id, after_crash=True)
            else:
                assert at > 3, name
                break


# --- by chance -------------------------------------------------------------------------------------------------------


class Life(RuleBasedStateMachine):
    """Contacts come, change, go and come back, old states come late, processes die: held against a model."""

    @initialize()
    def begin(self) -> None:
        self.store = MemoryContacts(Journal())
        self.now = NOW
        self.told: dict[str, Stored] = {}
        self.gone: dict[str, tuple[str, float]] = {}

    @property
    def keeper(self) -> Keeper:
        return Keeper(self.store, BRAND, self.now)

    @rule(
        number=st.integers(0, 2),
        moment=st.sampled_from((EARLY, LATE, LATER, "")),
        tags=st.lists(st.sampled_from(("vip", "lead", "ü")), max_size=2),
        crash=st.none() | st.tuples(st.integers(0, 25), st.sampled_from(("before", "after"))),
    )
    def read(self, number: int, moment: str, tags: list[str], crash: Any) -> None:
        new = person(f"r{number}", updated_at=moment or None, tags=tags)
        self._twice(lambda: self.keeper.keep([new]), crash)
        old = self.told.get(new.id)
        if new.id in self.gone:
            last, until = self.gone[new.id]
            newer, older = bool(last and moment > last), bool(last and moment and moment < last)
            if not newer and (until > self.now or older):
                return
            del self.gone[new.id]
        elif old and moment and old.updated_at and moment < old.updated_at:
            return
        self.told[new.id] = new

    @rule(
        number=st.integers(0, 2), crash=st.none() | st.tuples(st.integers(0, 25), st.sampled_from(("before", "after")))
    )
    def remove(self, number: int, crash: Any) -> None:
        id = person(f"r{number}").id
        self._twice(lambda: self.keeper.remove([id]), crash)
        if id in self.told:
            self.gone[id] = (self.told.pop(id).updated_at, int(self.now) + REMEMBERED)

    @rule(seconds=st.sampled_from((1, REMEMBERED // 2, REMEMBERED * 2)))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    def _twice(self, work: Callable[[], object], crash: Any) -> None:
        """What died is done again."""
        if crash:
            self.store.journal.die(*crash)
        try:
            work()
        except CrashError:
            self.store.journal.revive()
            work()
        self.store.journal.revive()

    @invariant()
    def the_newest_state_stands_in_its_lists(self) -> None:
        assert {id: each.body for id, each in self.store.all(BRAND).items()} == {
            id: each.body for id, each in self.told.items()
        }
        for _, id in self.store.held:
            agree(self.store, id, after_crash=True)


TestLife = Life.TestCase


# --- several writers -------------------------------------------------------------------------------------------------


def state(name: str, moment: str, *lists: str) -> Stored:
    """A contact with few places, so that every order of steps can be tried."""
    id = contact_id(BRAND, "acc-1", "r1")
    places = tuple(sorted(Posting(each, f"{EARLY}\x1f{id}") for each in lists))
    body = {"name": name, "updated_at": moment} if moment else {"name": name}
    return Stored(BRAND, id, "acc-1", "acme", "r1", body, digest=f"{name} {moment}", postings=places)


type Write = Callable[[Keeper], object]


def keeps(*states: Stored) -> Write:
    return lambda keeper: [keeper.keep([each]) for each in states]


def removes() -> Write:
    return lambda keeper: keeper.remove([state("", "").id])


A, B, C = state("a", EARLY, "all", "a"), state("b", LATE, "all", "b"), state("c", LATER, "all", "c")
LIKE_A = state("d", LATER, "all", "a")
BARE, TIMELESS, OTHER = state("x", ""), state("y", "", "all", "a"), state("z", "", "all", "b")

type Race = tuple[list[Stored], list[Write], set[str | None]]
"""What stands there at first, who writes, and whose state may stand there in the end."""

RACES: dict[str, Race] = {
    "two are new": ([], [keeps(A), keeps(B)], {"b"}),
    "two of the same are new": ([], [keeps(A), keeps(A)], {"a"}),
    "two changes": ([A], [keeps(B), keeps(C)], {"c"}),
    "the same change": ([A], [keeps(B), keeps(B)], {"b"}),
    "a change and one back to the old places": ([A], [keeps(B), keeps(LIKE_A)], {"d"}),
    "an older state and a newer": ([B], [keeps(A), keeps(C)], {"c"}),
    "a change and a removal": ([A], [keeps(B), removes()], {"b", None}),
    "two removals": ([A], [removes(), removes()], {None}),
    "an older state and a removal": ([B], [keeps(A), removes()], {None}),
    "two without moments": ([BARE], [keeps(TIMELESS), keeps(OTHER)], {"y", "z"}),
}

LONGER: dict[str, Race] = {
    "three changes": ([A], [keeps(B), keeps(C), keeps(LIKE_A)], {"c", "d"}),
    "changes, a removal, and one that comes back": ([A], [keeps(B, C), removes(), keeps(LIKE_A)], {"c", "d", None}),
    "three without moments": ([BARE], [keeps(TIMELESS), keeps(OTHER, BARE), keeps(BARE, TIMELESS)], {"x", "y", "z"}),
    "to and fro": ([], [keeps(TIMELESS, OTHER), keeps(OTHER, TIMELESS), removes()], {"y", "z", None}),
}


def picture(store: MemoryContacts) -> Hashable:
    """All that is in the store."""
    held = (
        (id, each.version, each.body.get("name"), each.postings, each.drops, each.settled, each.gone_until)
        for (_, id), each in store.held.items()
    )
    return frozenset(held), frozenset(store.versions.items())


def raced(race: Race, choose: schedules.Choose) -> list[schedules.Choice]:
    """Let them write, and see what stands there then."""
    first, writes, winners = race
    turns = schedules.Turns()
    store = MemoryContacts(turns)
    keeps(*first)(Keeper(store, BRAND, NOW))
    turns.picture = lambda: picture(store)
    works = [lambda write=write: write(Keeper(store, BRAND, NOW)) for write in writes]
    told = turns.carry_out(works, choose)
    order = "".join(str(each.chosen) for each in told)
    held = store.all(BRAND).get(state("", "").id)
    assert (held.body["name"] if held else None) in winners, order
    try:
        agree(store, state("", "").id)
    except AssertionError as fault:
        raise AssertionError(f"{fault}: {order}") from fault
    return told


@pytest.mark.parametrize("race", RACES)
def test_two_writers_leave_contact_and_lists_in_agreement_whoever_is_quicker(race: str) -> None:
    assert schedules.every(lambda choose: raced(RACES[race], choose)) > 20


@pytest.mark.parametrize("race", LONGER)
def test_three_writers_leave_contact_and_lists_in_agreement(race: str) -> None:
    for choose in schedules.some(Random(race), 600):
        raced(LONGER[race], choose)


def test_who_is_always_too_late_says_so() -> None:
    class Rival(MemoryContacts):
        """Somebody else is always quicker."""

        def put(self, stored: Stored, *, seen: int | None) -> bool:
            self.held[stored.brand, stored.id] = replace(stored, version=(seen or 0) + 1)
            return super().put(stored, seen=seen)

    rival = Rival(Journal())
    with pytest.raises(BusyError):
        Keeper(rival, BRAND, NOW).keep([person()])
    assert rival.journal.lines.count("put") == ATTEMPTS
