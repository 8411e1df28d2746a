"""The walks of a sync as states: laws that hold from any state on, and the order of the walks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.codecs import rfc3339, utc
from switchboard.crm.paging import OLDEST
from switchboard.ports import Checkpoint
from switchboard.sync import planning, walking
from tests.sync.book import BOOKS, DAY, HOUR, REGISTERED
from tests.worlds import ACCOUNT, BRAND, START

WEEK = 7 * DAY
BEFORE = walking.overlap(BOOKS["listing"]).total_seconds()


def told(seconds: float) -> str:
    """A moment as a CRM tells it."""
    return rfc3339(walking.moment(seconds))


def known(crm: str) -> tuple[CRM, Resource]:
    found = BOOKS[crm]
    resource = found.resources["contacts"]
    assert isinstance(resource, Resource)
    return found, resource


def at(crm: str = "listing", **state: Any) -> Checkpoint:
    return Checkpoint(BRAND, ACCOUNT, crm, **state)


def synced(crm: str = "listing", ago: float = HOUR / 2, **state: Any) -> Checkpoint:
    """The checkpoint of an account of which all was walked a while ago."""
    then = START - ago
    told_ = {"anchor": told(then), "synced_at": then, "deleted_at": then, "swept_at": then, **state}
    return at(crm, **told_)


def begun(checkpoint: Checkpoint, now: float = START) -> Checkpoint:
    return walking.begun(checkpoint, *known(checkpoint.crm), now)


def ended(checkpoint: Checkpoint, now: float = START, indexed: tuple[str, ...] = ()) -> Checkpoint:
    return walking.ended(checkpoint, *known(checkpoint.crm), now, indexed)


def walks(checkpoint: Checkpoint, now: float = START) -> list[str]:
    """The stages that are walked from here on, each in one page."""
    passed: list[str] = []
    checkpoint = begun(checkpoint, now)
    while checkpoint.begun:
        passed.append(checkpoint.stage)
        assert len(passed) < 10, passed
        checkpoint = ended(checkpoint, now)
    return passed


# --- the order of the walks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", BOOKS)
def test_the_first_walk_looks_at_everything_and_no_other_follows(crm: str) -> None:
    assert walks(at(crm)) == ["changes"]
    begin = begun(at(crm))
    assert begin.since == (rfc3339(OLDEST) if crm != "plain" else "")
    done = ended(begin, START + 60)
    assert (done.synced_at, done.swept_at, done.deleted_at) == (START, START, START)


@pytest.mark.parametrize(
    ("crm", "ago", "expected"),
    [
        ("listing", HOUR / 2, ["changes"]),
        ("listing", HOUR, ["deletions", "changes"]),
        ("listing", WEEK - 1, ["deletions", "changes"]),
        ("listing", WEEK, ["deletions", "changes", "sweep", "compare"]),
        ("telling", WEEK - 1, ["changes"]),
        ("telling", WEEK, ["changes", "sweep", "compare"]),
        ("sweeping", planning.SWEEP_SECONDS - 1, ["changes"]),
        ("sweeping", planning.SWEEP_SECONDS, ["changes", "sweep", "compare"]),
        ("plain", 1, ["sweep", "compare"]),
        ("plain", WEEK, ["sweep", "compare"]),
    ],
)
def test_walks_come_in_their_order_when_they_are_due(crm: str, ago: float, expected: list[str]) -> None:
    assert walks(synced(crm, ago)) == expected


def test_a_walk_that_is_under_way_goes_on() -> None:
    on = at(begun=START - 500, stage="sweep", position={"after": "7"}, pages=3)
    assert begun(on) is on


def test_a_walk_begins_without_what_the_one_before_has_left() -> None:
    left = synced(newest=told(START), position={"after": "7"}, pages=3)
    found = begun(left)
    assert (found.newest, found.position, found.pages, found.begun) == ("", None, 0, START)


def test_deletions_are_asked_for_since_the_last_time_less_the_overlap() -> None:
    found = begun(synced(ago=2 * HOUR))
    assert (found.stage, found.since) == ("deletions", told(START - 2 * HOUR - BEFORE))
    assert ended(found).deleted_at == START


def test_an_account_that_is_not_told_of_deletions_is_swept_within_a_day() -> None:
    sweep = ["deletions", "changes", "sweep", "compare"]
    assert walks(synced(ago=planning.SWEEP_SECONDS, untold=True)) == sweep
    assert walks(synced(ago=planning.SWEEP_SECONDS - 1, untold=True)) == sweep[:2]


def test_deletions_that_were_refused_are_asked_for_since_the_last_sweep() -> None:
    found = begun(synced(untold=True, deleted_at=START - 2 * HOUR, swept_at=START - 5 * HOUR))
    assert found.since == told(START - 5 * HOUR - BEFORE)
    found = begun(synced(untold=True, deleted_at=START - 5 * HOUR, swept_at=START - 2 * HOUR))
    assert found.since == told(START - 5 * HOUR - BEFORE)


def test_changes_are_asked_for_since_the_anchor_less_the_overlap() -> None:
    found = begun(synced(anchor=told(START - 5000)))
    assert (found.stage, found.since) == ("changes", told(START - 5000 - BEFORE))


@pytest.mark.parametrize("name", REGISTERED)
def test_the_overlap_covers_the_lag_of_a_crm_and_clocks_that_differ(name: str) -> None:
    crm = REGISTERED[name]
    assert walking.overlap(crm) == timedelta(seconds=crm.dialect.lag + walking.SKEW_SECONDS)
    assert walking.SKEW_SECONDS >= 60


@pytest.mark.parametrize("name", REGISTERED)
def test_at_every_crm_that_there_is_changes_are_told(name: str) -> None:
    resource = REGISTERED[name].resources["contacts"]
    assert isinstance(resource, Resource)
    assert resource.changes


def test_a_walk_that_ends_forgives_failures() -> None:
    done = ended(begun(synced(failures=4, last_error="crm-timeout")))
    assert (done.failures, done.last_error) == (0, "")


# --- the anchor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "anchor"),
    [
        (START - 100, START - 100),
        (START + 300, START),  # it changed while the walk ran: something else may have been passed by
        (START - 9000, START - 5000),
        (None, START - 5000),
    ],
)
def test_the_anchor_moves_to_the_newest_change_but_neither_back_nor_beyond_the_beginning(
    newest: float | None, anchor: float
) -> None:
    walk = begun(synced(anchor=told(START - 5000)))
    page = walking.stepped(walk, None, "" if newest is None else told(newest))
    assert utc(ended(page, START + 600).anchor) == walking.moment(anchor)


def test_the_anchor_stays_while_a_walk_is_under_way() -> None:
    walk = begun(synced())
    assert walking.stepped(walk, {"after": "7"}, told(START)).anchor == walk.anchor


def test_an_account_in_which_nothing_ever_was_has_no_anchor() -> None:
    done = ended(begun(at()))
    assert (done.anchor, begun(done, START + HOUR).stage) == ("", "deletions")
    assert begun(replace(done, deleted_at=START + HOUR), START + HOUR).since == rfc3339(OLDEST)


def test_only_a_walk_of_changes_moves_the_anchor() -> None:
    for stage in ("deletions", "sweep", "compare"):
        walk = synced(stage=stage, begun=START)
        assert ended(walking.stepped(walk, None, told(START - 1))).anchor == walk.anchor


@pytest.mark.parametrize(
    ("first", "second", "newest"),
    [
        ("2026-11-21T09:00:00Z", "2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z"),
        ("2026-11-21T09:00:00Z", "2026-11-21T10:00:00+02:00", "2026-11-21T09:00:00Z"),
        ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00.5Z", "2026-11-21T09:00:00.5Z"),
        ("2026-11-21T09:00:00Z", "", "2026-11-21T09:00:00Z"),
        ("2026-11-21T09:00:00Z", "yesterday", "2026-11-21T09:00:00Z"),
    ],
)
def test_the_newest_change_is_the_newest_in_time_and_not_in_letters(first: str, second: str, newest: str) -> None:
    assert walking.stepped(walking.stepped(at(begun=START), {}, first), {}, second).newest == newest


# --- fields with an index --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", BOOKS)
def test_an_index_counts_when_all_contacts_were_looked_at(crm: str) -> None:
    assert ended(begun(at(crm)), indexed=("c_tier",)).indexed == ("c_tier",)
    assert ended(synced(crm, stage="compare", begun=START), indexed=("c_tier",)).indexed == ("c_tier",)
    for stage in ("deletions", "changes", "sweep"):
        assert ended(synced(crm, stage=stage, begun=START), indexed=("c_tier",)).indexed == ()


def test_a_walk_anew_hides_no_deletion_and_puts_off_no_sweep() -> None:
    anew = synced("listing", anchor="", synced_at=0)
    done = ended(begun(anew))
    assert (done.deleted_at, done.swept_at) == (anew.deleted_at, anew.swept_at)
    assert walks(replace(synced("sweeping", DAY), anchor="", synced_at=0)) == ["changes", "sweep", "compare"]


# --- laws ------------------------------------------------------------------------------------------------------------

moments = st.floats(START - 30 * DAY, START) | st.just(0.0)
states = st.builds(
    lambda **given: at(given.pop("crm"), **given),
    crm=st.sampled_from(sorted(BOOKS)),
    stage=st.sampled_from(["deletions", "changes", "sweep", "compare"]),
    anchor=moments.map(lambda each: told(each) if each else ""),
    begun=moments,
    synced_at=moments,
    deleted_at=moments,
    swept_at=moments,
    newest=moments.map(lambda each: told(each) if each else ""),
    position=st.none() | st.just({"after": "7"}),
    failures=st.integers(0, 5),
    untold=st.booleans(),
)
pages = st.lists(st.tuples(st.booleans(), st.floats(START - DAY, START + DAY), st.floats(0, 600)), max_size=30)


def run(state: Checkpoint, given: list[tuple[bool, float, float]]) -> Iterator[tuple[Checkpoint, float]]:
    """All states of a run over pages: whether each is the last of its walk, its newest change, how long it took."""
    now, answers = START, iter(given)
    state = begun(state, now)
    yield state, now
    while state.begun:
        last, newest, took = next(answers, (True, START, 1.0))
        now += took
        state = walking.stepped(state, None if last else {"after": "8"}, told(newest))
        state = ended(state, now) if last else state
        yield state, now


@given(states, pages)
def test_from_any_state_the_walks_come_to_an_end(state: Checkpoint, given_: list[tuple[bool, float, float]]) -> None:
    passed = list(run(state, given_))
    assert len(passed) <= len(given_) + 10
    idle = passed[-1][0]
    assert (idle.begun, idle.position, idle.since, idle.newest, idle.stage) == (0, None, "", "", "changes")


@given(states, pages)
def test_from_any_state_the_anchor_never_moves_back(state: Checkpoint, given_: list[tuple[bool, float, float]]) -> None:
    anchors = [utc(each.anchor) or OLDEST for each, _ in run(state, given_)]
    assert anchors == sorted(anchors)


@given(states, pages)
def test_from_any_state_the_anchor_never_passes_the_beginning_of_its_walk(
    state: Checkpoint, given_: list[tuple[bool, float, float]]
) -> None:
    before = state
    for after, _ in run(state, given_):
        if after.anchor != before.anchor:
            assert before.stage == "changes"
            assert utc(after.anchor) <= walking.moment(before.begun)  # type: ignore[operator]
        before = after


@given(states, pages)
def test_from_any_state_what_is_noted_as_done_began_no_later_than_it_says(
    state: Checkpoint, given_: list[tuple[bool, float, float]]
) -> None:
    """Marks of time never pass the beginning of the walk that sets them: nothing that came later is taken as seen."""
    before = state
    for after, _ in run(state, given_):
        for name in ("synced_at", "deleted_at", "swept_at"):
            if getattr(after, name) != getattr(before, name):
                assert getattr(after, name) in (before.begun, after.begun)
        before = after


@given(states, pages)
def test_stages_come_in_order_and_none_twice(state: Checkpoint, given_: list[tuple[bool, float, float]]) -> None:
    order = ["deletions", "changes", "sweep", "compare"]
    stages = [each.stage for each, _ in run(state, given_) if each.begun]
    assert stages == sorted(stages, key=order.index)
