"""The planner: what is due goes into the queue, once."""

from dataclasses import replace

import pytest

from switchboard.ports import Checkpoint
from switchboard.sync import planning, scheduling
from switchboard.sync.planning import Message
from tests.journal import CrashError
from tests.sync.book import Syncs
from tests.worlds import BRAND, START


def crowd(world: Syncs, count: int) -> None:
    """So many accounts of two brands that are due."""
    world.contacts.points.clear()
    for number in range(count):
        brand = (BRAND, "other1")[number % 2]
        world.contacts.points[brand, f"a{number}"] = Checkpoint(
            brand, f"a{number}", "listing", version=3, due_at=START - count + number
        )


def queued(world: Syncs) -> list[tuple[str, str]]:
    return [(message["brand"], message["account"]) for _, message in world.queue.waiting]


def test_all_that_are_due_are_queued_once_whosever_they_are(world: Syncs) -> None:
    crowd(world, 7)
    assert world.plan() == 7
    assert sorted(queued(world)) == sorted(world.contacts.points)
    assert world.plan() == 0
    assert len(queued(world)) == 7


def test_what_is_not_due_stays(world: Syncs) -> None:
    crowd(world, 2)
    world.contacts.points[BRAND, "a0"] = replace(world.contacts.points[BRAND, "a0"], due_at=START + 1)
    assert world.plan() == 1
    assert queued(world) == [("other1", "a1")]


def test_an_account_is_looked_at_with_every_tick_of_a_schedule_that_ticks_as_often(world: Syncs) -> None:
    for tick in range(5):
        world.clock.at = START + tick * planning.TIERS[0]
        assert world.plan() == 1, "it was not due yet when the schedule ticked"
        world.clock.pass_(2)
        world.deliver()


def test_what_was_queued_and_not_heard_of_is_queued_again(world: Syncs) -> None:
    assert world.plan() == 1
    world.queue.waiting.clear()
    world.clock.pass_(planning.PATIENCE - 1)
    assert world.plan() == 0
    world.clock.pass_(1)
    assert world.plan() == 1


def test_many_are_taken_in_rounds(world: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "LOOKED", 4)
    crowd(world, 11)
    assert world.plan() == 11
    assert sorted(queued(world)) == sorted(world.contacts.points)


def test_no_more_than_so_many_rounds_are_taken_and_the_rest_waits_the_oldest_first(
    world: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "LOOKED", 2)
    monkeypatch.setattr(scheduling, "ROUNDS", 3)
    crowd(world, 10)
    assert world.plan() == 6
    assert [account for _, account in queued(world)] == [f"a{number}" for number in range(6)]
    assert world.plan() == 4


def test_of_two_planners_at_a_time_one_takes_it(world: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world, 4)
    due, other = world.contacts.due, list[int]()

    def overtaken(now: float, limit: int) -> list[Checkpoint]:
        found = due(now, limit)
        if not other:  # another has read the same, and is quicker
            other.append(0)
            other.append(world.plan())
        return found

    monkeypatch.setattr(world.contacts, "due", overtaken)
    assert world.plan() == 0
    assert other == [0, 4]
    assert len(queued(world)) == 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_planner_that_dies_at_any_step_leaves_nobody_out(when: str) -> None:
    for step in range(100):
        world = Syncs()
        crowd(world, 3)
        world.journal.die(step, "before" if when == "before" else "after")
        try:
            world.plan()
        except CrashError:
            world.journal.revive()
        else:
            assert step > 4
            return
        world.clock.pass_(planning.PATIENCE)
        world.plan()
        assert set(queued(world)) == set(world.contacts.points)
    pytest.fail("it came to no end")


def test_a_message_can_be_read_by_who_runs_syncs(world: Syncs) -> None:
    world.plan()
    [(_, message)] = world.queue.waiting
    assert Message(message["brand"], message["account"], message["due_at"]).body == message


def test_the_planner_says_how_many_were_due(world: Syncs) -> None:
    world.plan()
    assert world.log.lines == [("plan", {"extra": {"due": 1}})]
