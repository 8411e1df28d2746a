"""What has to be looked at for a page: among many contacts no more than among few."""

from collections.abc import Sequence
from typing import Any

import pytest

from switchboard.ports import Checkpoint, Deadline
from switchboard.search import filters, index
from switchboard.search.filters import Clause, Spoken
from switchboard.search.finding import BUDGET, Finder, Found, Wanted
from switchboard.search.keeping import Keeper, Whose, stored
from switchboard.search.sources import Scope
from tests.journal import Journal
from tests.store import MemoryContacts
from tests.worlds import BRAND, START, HeldClock

ACCOUNT = "acc-1"
MANY = 600
"""More than lists that are sorted otherwise are ever read for."""


def record(number: int, first: str, last: str) -> dict[str, Any]:
    """A contact; who has a higher number was made later."""
    return {
        "id": f"r{number}",
        "first_name": first,
        "last_name": last,
        "created_at": f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "updated_at": "2026-02-01T00:00:00Z",
    }


@pytest.fixture(scope="module")
def store() -> MemoryContacts:
    """Many who are called much alike, the first of whom has a rare name, as has every tenth of them another."""
    store = MemoryContacts(Journal())
    names = [("Maria", "Garczynska"), *(("Maria", "Garcin" if n % 10 == 0 else "Garcia") for n in range(1, MANY))]
    whose = Whose(BRAND, ACCOUNT, "acme")
    Keeper(store, BRAND, START).keep(stored(whose, record(n, *name)) for n, name in enumerate(names))
    return store


def find(store: MemoryContacts, clauses: Sequence[Clause], order: str = "created_at") -> Found:
    scope = Scope(BRAND, {ACCOUNT: Checkpoint(BRAND, ACCOUNT, "acme")}, {})
    wanted = Wanted(tuple(clauses), order, descending=True, limit=10)
    return Finder(store, scope, wanted, Deadline(START + 20, HeldClock())).page()


def of(*conditions: dict[str, Any]) -> tuple[Clause, ...]:
    return filters.read(list(conditions), [])


LAST = {"field": "last_name", "operator": "eq", "value": "Garczynska"}


@pytest.mark.parametrize(
    "clauses",
    [
        (Spoken(tuple(index.words("maria garczynska"))),),
        (Spoken(("garcz", "maria")),),
        of(LAST),
        of({"field": "last_name", "operator": "starts_with", "value": "Garczy"}),
    ],
    ids=["a name that was typed", "typed the other way round", "a last name", "its beginning"],
)
def test_a_rare_name_is_found_at_once_though_many_begin_alike(
    store: MemoryContacts, clauses: tuple[Clause, ...]
) -> None:
    found = find(store, clauses)
    assert [each.remote_id for each in found.contacts] == ["r0"]
    assert found.total == 1
    assert found.examined <= 2


def test_a_rare_word_beside_a_longer_common_one_is_found_at_once(store: MemoryContacts) -> None:
    """Which of several words is the rare one does not show in how long it is."""
    found = find(store, (Spoken(("maria", "cin")),))
    assert not found.contacts
    assert found.examined == 0


def test_a_rare_name_is_found_at_once_in_an_order_that_has_a_list_of_its_own(store: MemoryContacts) -> None:
    """A range of what is sorted by is a way to find it, but not the short one."""
    since = {"field": "updated_at", "operator": "gte", "value": "2020-01-01T00:00:00Z"}
    found = find(store, of(since, LAST), "updated_at")
    assert [each.remote_id for each in found.contacts] == ["r0"]
    assert found.examined <= 2


def test_who_is_not_quite_rare_is_gathered_once_the_list_of_the_beginning_has_shown_little(
    store: MemoryContacts,
) -> None:
    """Sixty among six hundred: more than a page, fewer than would have to be looked at in the usual order."""
    found = find(store, of({"field": "last_name", "operator": "eq", "value": "Garcin"}))
    assert [each.remote_id for each in found.contacts] == [f"r{n}" for n in range(590, 490, -10)]
    assert found.after is not None
    assert found.examined <= 11 + 60
    assert found.examined < BUDGET


def test_who_is_frequent_is_read_in_the_usual_order_no_further_than_needed(store: MemoryContacts) -> None:
    found = find(store, of({"field": "last_name", "operator": "eq", "value": "Garcia"}))
    assert len(found.contacts) == 10
    assert found.examined <= 11 + 10
