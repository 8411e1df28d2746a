"""The process dies before or after every step of a sync in turn. Whoever takes over ends where it would have ended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from switchboard.ports import Checkpoint, Owner, Stored
from switchboard.sync import planning
from tests.journal import CrashError
from tests.sync.book import BOOKS, DAY, HOUR, Syncs, peopled
from tests.worlds import ACCOUNT, BRAND

type When = Literal["before", "after"]
type Make = Callable[[], Syncs]


def first(crm: str) -> Syncs:
    """An account before its first sync."""
    world = peopled(crm, 5)
    world.book.users = {"u1": {"id": "u1", "name": "Ada", "mail": "ada@example.com"}}
    for id in ("1", "4"):
        world.book.records[id]["owner"] = "u1"
    return world


def later(crm: str) -> Syncs:
    """An account a day after its first sync, with a contact changed, one deleted, one new, and one unchanged."""
    world = first(crm)
    world.look()
    world.clock.pass_(DAY)
    world.book.change("1", name="Changed", status="Won")
    world.book.remove("2")
    world.book.add("Added", owner="u1")
    world.clock.pass_(HOUR)
    return world


def purged(crm: str) -> Syncs:
    """An account that was disconnected after a sync."""
    world = first(crm)
    world.look()
    del world.access.accounts[BRAND, ACCOUNT]
    return world


@dataclass(frozen=True)
class Kept:
    """What is there in the end: contacts but for their versions, owners, and how far the sync has come."""

    contacts: dict[str, tuple[Any, ...]]
    owners: dict[str, Owner]
    point: Checkpoint | None

    @classmethod
    def of(cls, world: Syncs) -> "Kept":
        point = world.contacts.points.get((BRAND, ACCOUNT))
        times = {"version": 0, "due_at": 0, "synced_at": 0, "swept_at": 0, "deleted_at": 0, "described_at": 0}
        return cls(
            {id: content(each) for id, each in world.contacts.all(BRAND).items()},
            world.contacts.named.get((BRAND, ACCOUNT), {}),
            point and replace(point, **times, size=0),
        )


def content(stored: Stored) -> tuple[Any, ...]:
    return (stored.remote_id, stored.body, stored.digest, stored.postings, stored.drops)


def carried_on(world: Syncs) -> None:
    """What happens after a death: the queue gives the message out again, the planner looks, until all is done."""
    world.journal.revive()
    world.new_process()
    world.clock.pass_(planning.PATIENCE)
    for _ in range(4):  # a lease may still be held, and a message be lost
        world.plan()
        world.deliver()
        if (BRAND, ACCOUNT) in world.contacts.points:
            world.clock.at = max(world.clock.at, world.point.due_at)


def deaths(make: Make, when: When, seconds: float = 300) -> int:
    """Let it die at each step in turn; answers how many steps there are."""
    whole = make()
    whole.turn(seconds)
    carried_on(whole)
    expected = Kept.of(whole)
    for step in range(10_000):
        world = make()
        world.journal.die(step, when)
        try:
            world.turn(seconds)
        except CrashError:
            carried_on(world)
        else:
            return step
        assert Kept.of(world) == expected, f"died {when} step {step}: {world.journal.lines[step]}"
        world.contacts.agree(BRAND)
    raise AssertionError("it came to no end")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", BOOKS)
def test_a_first_sync_that_dies_at_any_step_ends_as_if_it_had_not(crm: str, when: When) -> None:
    assert deaths(lambda: first(crm), when) > 60


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", BOOKS)
def test_a_look_at_changes_and_deletions_that_dies_at_any_step_ends_as_if_it_had_not(crm: str, when: When) -> None:
    assert deaths(lambda: later(crm), when) > 40


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_purge_that_dies_at_any_step_leaves_nothing(when: When) -> None:
    assert deaths(lambda: purged("listing"), when) > 20
    world = purged("listing")
    world.turn()
    assert Kept.of(world) == Kept({}, {}, None)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_turn_that_puts_itself_into_the_queue_and_dies_at_any_step_is_taken_up(when: When) -> None:
    def slow() -> Syncs:
        world = first("listing")
        world.book.seconds = 10
        return world

    assert deaths(slow, when, seconds=30) > 10


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", BOOKS)
def test_an_account_that_is_disconnected_after_a_death_leaves_nothing(crm: str, when: When) -> None:
    for step in range(10_000):
        world = first(crm)
        world.journal.die(step, when)
        try:
            world.turn()
        except CrashError:
            del world.access.accounts[BRAND, ACCOUNT]
            carried_on(world)
        else:
            return
        there = world.contacts.all(BRAND)
        assert not there, f"died {when} step {step}: {world.journal.lines[step]}"
        assert (BRAND, ACCOUNT) not in world.contacts.points
        world.contacts.agree(BRAND)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", BOOKS)
def test_what_changes_at_the_crm_after_a_death_is_found_as_well(crm: str, when: When) -> None:
    for step in range(10_000):
        world = later(crm)
        world.journal.die(step, when)
        try:
            world.turn()
        except CrashError:
            world.book.change("1", name="Changed again", status="Lost")
            world.book.remove("3")
            carried_on(world)
            world.clock.pass_(DAY)
            carried_on(world)
        else:
            return
        assert world.names == world.truth, f"died {when} step {step}: {world.journal.lines[step]}"
        world.contacts.agree(BRAND)


def test_two_deaths_one_after_the_other_are_no_worse_than_one() -> None:
    expected = first("listing")
    expected.turn()
    for step in range(0, 150, 7):
        world = first("listing")
        for again in (step, 11):
            world.journal.die(again, "after")
            try:
                world.turn()
            except CrashError:
                world.journal.revive()
                world.new_process()
                world.clock.pass_(planning.PATIENCE)
        carried_on(world)
        assert Kept.of(world).contacts == Kept.of(expected).contacts
        world.contacts.agree(BRAND)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", BOOKS)
def test_a_contact_that_was_half_written_and_is_deleted_leaves_nothing_behind_a_sweep(crm: str, when: When) -> None:
    for step in range(10_000):
        world = first(crm)
        world.journal.die(step, when)
        try:
            world.turn()
        except CrashError:
            world.book.remove("1")
            world.book.remove("5")
            carried_on(world)
            for _ in range(2):
                world.clock.pass_(7 * DAY)
                carried_on(world)
        else:
            return
        assert world.names == world.truth, f"died {when} step {step}: {world.journal.lines[step]}"
        world.contacts.agree(BRAND)
