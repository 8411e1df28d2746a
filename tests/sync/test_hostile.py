"""Turns at a CRM that means no harm and does it: lists without end, moments that cannot be, owners without number."""

from collections.abc import Mapping
from typing import Any

import pytest

from switchboard.crm.catalog import Resource
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind
from switchboard.ports import Owner
from switchboard.sync import owners, planning, running, walking
from tests.sync.book import BOOKS, DAY, HOUR, BookDialect, Syncs, peopled
from tests.worlds import ACCOUNT, BRAND, START, AcmeDialect, answers

CRMS = sorted(BOOKS)


def owned(crm: str, count: int, **each: Any) -> Syncs:
    """A world in which every contact has another owner."""
    world = peopled(crm, count)
    for id in world.book.records:
        world.book.records[id]["owner"] = f"u{id}"
        world.book.users[f"u{id}"] = {"id": f"u{id}", "name": f"Owner {id}", "mail": f"{id}@example.com", **each}
    return world


# --- lists without end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", CRMS)
def test_a_list_that_goes_on_where_it_was_is_left_alone_for_a_while(crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = peopled(crm)
    page = world.book._page
    monkeypatch.setattr(world.book, "_page", lambda query: {**page({**query, "after": ""}), "next": "again"})
    world.look()
    assert len(world.book.asked) == 2
    assert (world.point.last_error, world.point.failures) == (Kind.CRM_REJECTED.value, 1)
    assert world.point.due_at >= world.clock.now() + planning.BACKOFF_SECONDS
    assert len(world.names) == 3, "what it told is kept"


def test_a_list_that_tells_the_same_page_at_every_place_is_left_alone(
    world: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "REPEATED", 3)
    page = world.book._page

    def same(query: Mapping[str, str]) -> dict[str, Any]:
        return {**page({**query, "after": ""}), "next": str(int(query.get("after", 0)) + 1)}

    monkeypatch.setattr(world.book, "_page", same)
    world.look()
    assert len(world.book.asked) == 2
    assert world.point.last_error == Kind.CRM_REJECTED.value


def test_a_list_of_deletions_that_goes_on_where_it_was_is_left_alone(world: Syncs) -> None:
    world.look()
    world.clock.pass_(HOUR)
    world.book.turns.extend([answers(200, {"ids": [], "next": 3})] * 2)
    world.look()
    assert world.point.last_error == Kind.CRM_REJECTED.value
    assert len(world.names) == 8


def test_a_walk_that_lay_still_for_days_begins_anew(world: Syncs) -> None:
    world.book.seconds = 30
    world.turn(60)
    assert world.point.position
    world.queue.waiting.clear()
    world.book.seconds = 0
    world.clock.pass_(walking.WALK_SECONDS)
    world.turn()
    assert world.point.synced_at >= START + walking.WALK_SECONDS
    assert world.names == world.truth


# --- moments that cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", CRMS)
def test_a_change_in_the_future_hides_no_change_after_it(crm: str) -> None:
    world = peopled(crm)
    world.book.records["3"]["updated"] = "2099-01-01T00:00:00Z"
    world.look()
    for name in ("Once", "Twice"):
        world.clock.pass_(DAY)
        world.book.change("5", name=name)
        world.look()
        assert world.names == world.truth


def test_a_contact_that_was_changed_in_the_future_can_be_changed_today() -> None:
    world = peopled("sweeping")
    world.book.records["3"]["updated"] = "2099-01-01T00:00:00Z"
    world.look()
    world.clock.pass_(HOUR)
    world.book.change("3", name="Mended")
    world.look()
    assert "Mended" in world.names


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "yesterday"])
@pytest.mark.parametrize("crm", CRMS)
def test_no_moment_of_a_record_stops_a_sync(crm: str, told: str) -> None:
    world = peopled(crm)
    world.book.records["3"] |= {"updated": told, "created": told}
    world.look()
    world.look()
    world.book.add("Afterwards")
    world.look()
    assert "Afterwards" in world.names
    assert world.point.last_error == ""
    world.contacts.agree(BRAND)


# --- owners without number -------------------------------------------------------------------------------------------


def test_a_turn_ends_in_time_however_many_owners_a_page_has() -> None:
    world = owned("listing", 9)
    world.book.seconds = 13
    world.turn(60)
    assert world.clock.now() <= START + 60
    assert world.contacts.named[BRAND, ACCOUNT], "those that were learnt are kept"
    world.deliver(seconds=60)
    assert world.names == world.truth
    assert world.contacts.named[BRAND, ACCOUNT] == {
        f"u{n}": Owner(f"Owner {n}", f"{n}@example.com") for n in range(1, 10)
    }
    assert all(world.book.asked.count(f"/users/u{n}") == 1 for n in range(1, 10))


def test_owners_are_asked_for_anew_as_time_allows_and_the_others_the_next_day() -> None:
    world = owned("listing", 9)
    world.look()
    world.book.sent.clear()
    world.book.seconds = 10
    for days in range(1, 5):
        world.clock.at = START + days * DAY
        begun = world.clock.now()
        world.turn(60)
        assert world.clock.now() <= begun + 60
        world.deliver(60)
    assert {line for line in world.book.asked if line.startswith("/users/")} == {f"/users/u{n}" for n in range(1, 10)}
    assert world.point.synced_at > START


def test_no_more_owners_are_asked_for_in_a_day_than_the_crm_can_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "REFRESHED", 4)
    world = owned("listing", 9)
    world.look()
    asked = list[list[str]]()
    for _ in range(3):
        world.book.sent.clear()
        world.look(after=DAY)
        asked.append([line for line in world.book.asked if line.startswith("/users/")])
    assert [len(each) for each in asked] == [4, 4, 4]
    assert len({line for each in asked for line in each}) == 9


def test_more_owners_than_can_be_known_do_not_stop_a_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "OWNERS", 4)
    world = owned("listing", 9)
    world.look()
    assert world.names == world.truth
    assert len(world.contacts.named[BRAND, ACCOUNT]) == 4


@pytest.mark.parametrize("status", [403, 500])
def test_what_is_known_of_an_owner_stays_where_users_cannot_be_read(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = owned("listing", 3)
    world.look()
    known = dict(world.contacts.named[BRAND, ACCOUNT])
    serve = world.book.serve
    monkeypatch.setattr(
        world.book,
        "serve",
        lambda request: answers(status)(world.book, request) if "/users/" in request.path else serve(request),
    )
    world.book.add("Afterwards")
    world.look(after=DAY)
    assert world.contacts.named[BRAND, ACCOUNT] == known
    assert "Afterwards" in world.names


def test_an_owner_of_whom_a_list_tells_no_address_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the address it is told which contacts are whose."""

    def named(self: BookDialect, resource: Resource, body: Any) -> Record:
        told = AcmeDialect.item(self, resource, body)
        return {**told, "owner": {**told["owner"], "name": "As the list has it"}} if "owner" in told else told

    monkeypatch.setattr(BookDialect, "item", named)
    world = owned("listing", 3)
    world.look()
    assert world.contacts.named[BRAND, ACCOUNT]["u1"] == Owner("As the list has it", "1@example.com")


def test_columns_that_may_not_be_read_do_not_stop_a_sync(world: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    serve = world.book.serve
    monkeypatch.setattr(
        world.book,
        "serve",
        lambda request: answers(403)(world.book, request) if request.path == "/columns" else serve(request),
    )
    world.look()
    assert world.names == world.truth


# --- contacts without number -----------------------------------------------------------------------------------------


def test_what_a_sweep_has_met_is_read_once_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "COMPARED", 2)
    world = peopled("sweeping", 20)
    world.look()
    before = world.journal.lines.count("met")
    world.look(after=DAY)
    assert world.journal.lines.count("met") - before == 1
    assert world.names == world.truth
