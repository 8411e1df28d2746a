"""When accounts are looked at: as often as their CRMs grant, and no more."""

from dataclasses import replace

import pytest

from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Pace, Resource
from switchboard.ports import Checkpoint
from switchboard.sync import planning
from switchboard.sync.planning import BACKOFF_MOST, PATIENCE, TIERS, Message
from tests.sync.book import BOOKS, DAY
from tests.worlds import ACCOUNT, BRAND, START

NAMES = registry.NAMES
load = registry.load
SIZES = (0, 1, 100, 5_000, 100_000, 1_000_000)


def crm(pace: Pace, name: str = "listing") -> tuple[CRM, Resource]:
    """A CRM that grants so much."""
    found = BOOKS[name]
    resource = found.resources["contacts"]
    assert isinstance(resource, Resource)
    return replace(found, pace=pace), resource


def contacts(name: str) -> tuple[CRM, Resource]:
    found = load(name)
    resource = found.resources["contacts"]
    assert isinstance(resource, Resource)
    return found, resource


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_looks_at_an_account_spend_no_more_than_a_tenth_of_what_its_crm_grants(name: str, size: int) -> None:
    found, resource = contacts(name)
    seconds = planning.interval(found, resource, size)
    assert seconds in TIERS
    calls = planning.LOOK_CALLS if resource.changes else planning.LOOK_CALLS + size / planning.LIST_PAGE
    granted = found.pace.calls / found.pace.seconds * DAY
    daily = min(granted, found.pace.daily or granted)
    assert DAY / seconds * calls <= daily / 10


@pytest.mark.parametrize("name", NAMES)
def test_no_smaller_tier_would_do(name: str) -> None:
    found, resource = contacts(name)
    seconds = planning.interval(found, resource, 1000)
    daily = min(found.pace.calls / found.pace.seconds * DAY, found.pace.daily or DAY * 10**6)
    assert all(DAY / tier * planning.LOOK_CALLS > daily / 10 for tier in TIERS if tier < seconds)


@pytest.mark.parametrize(
    ("daily", "seconds"),
    [(None, 300), (5760, 300), (5759, 900), (1920, 900), (1919, 3600), (480, 3600), (121, 14400), (100, DAY)],
)
def test_a_limit_of_the_day_makes_looks_rarer(daily: int | None, seconds: int) -> None:
    assert planning.interval(*crm(Pace(10, 1, daily)), 10**6) == seconds


def test_the_tightest_limit_there_is_still_allows_a_look_a_day() -> None:
    assert planning.interval(*crm(Pace(10, 1, 1)), 10) == DAY


@pytest.mark.parametrize(
    ("size", "seconds"),
    [(0, 300), (2000, 300), (8000, 900), (30_000, 3600), (100_000, 14400), (200_000, DAY), (10**7, DAY)],
)
def test_a_crm_that_tells_no_changes_is_listed_the_rarer_the_more_there_is(size: int, seconds: int) -> None:
    assert planning.interval(*crm(Pace(1, 1), "plain"), size) == seconds


def test_all_who_ask_together_take_95_in_100_of_what_is_granted() -> None:
    for name in NAMES:
        found = load(name)
        assert found.pace.seconds / planning.pacing(found) == pytest.approx(0.95 * found.pace.calls)


def test_after_a_failure_an_account_is_left_alone_twice_as_long_each_time_up_to_six_hours() -> None:
    waits = [planning.backoff(failures) for failures in range(1, 12)]
    assert waits[:7] == [300, 600, 1200, 2400, 4800, 9600, 19200]
    assert set(waits[7:]) == {BACKOFF_MOST}
    assert planning.backoff(10_000) == BACKOFF_MOST


def test_what_is_deleted_is_looked_for_more_than_once_a_day() -> None:
    swept, listed = (crm(Pace(1, 1), name)[1] for name in ("sweeping", "listing"))
    assert planning.sweep_interval(swept) < DAY
    assert planning.DELETIONS_SECONDS < DAY < planning.sweep_interval(listed)


def test_each_that_is_due_is_sent_once_and_no_other() -> None:
    accounts = {"late": START - 900, "now": START, "soon": START + 1}
    checkpoints = [Checkpoint(BRAND, account, "", due_at=due) for account, due in accounts.items()]
    planned = planning.plan(checkpoints, START)
    assert [(seen, message) for seen, message, _ in planned] == [
        (checkpoints[0], Message(BRAND, "late", START + PATIENCE)),
        (checkpoints[1], Message(BRAND, "now", START + PATIENCE)),
    ]
    assert {until for *_, until in planned} == {START + PATIENCE}


def test_a_message_says_whose_contacts_are_to_be_synced() -> None:
    whose = {"brand": BRAND, "account": ACCOUNT, "resource": "contacts"}
    assert Message(BRAND, ACCOUNT).body == whose
    assert Message(BRAND, ACCOUNT, START).body == {**whose, "due_at": START}
