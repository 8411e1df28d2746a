"""Turns at an account whose CRM lies in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from switchboard.ports import Checkpoint, Owner, Stored
from switchboard.search.contact import contact_id
from switchboard.sync import planning, running
from switchboard.sync.planning import Message
from tests.sync.book import BOOKS, DAY, HOUR, MOST, Syncs, peopled
from tests.worlds import ACCOUNT, BRAND, OAUTH_CREDENTIALS, START, Turn, answers, drops, serves, times_out

CRMS = sorted(BOOKS)


# --- the first sync, and what follows --------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", CRMS)
def test_the_first_sync_stores_all_there_is(crm: str) -> None:
    world = peopled(crm)
    world.look()
    assert world.names == world.truth
    assert len(world.names) == 8
    world.contacts.agree(BRAND)
    point = world.point
    assert (point.size, point.begun, point.position, point.failures) == (8, 0, None, 0)
    assert point.synced_at == START
    assert point.due_at == world.clock.now() + planning.TIERS[0] - planning.AHEAD


@pytest.mark.parametrize("crm", CRMS)
def test_the_first_sync_reads_no_page_twice(crm: str) -> None:
    world = peopled(crm)
    world.look()
    assert len(world.book.asked) == 3


def test_an_account_without_contacts_is_synced_as_well(world: Syncs) -> None:
    world.book.records.clear()
    world.look()
    world.look()
    assert world.point.synced_at > START
    world.book.add("The first")
    world.look()
    assert world.names == ["The first"]


def test_a_look_at_what_changed_touches_nothing_else(world: Syncs) -> None:
    world.look()
    world.clock.pass_(HOUR)
    world.book.change("3", name="Changed")
    world.book.add("Added")
    before = dict(world.contacts.held)
    world.look()
    assert world.names == world.truth
    touched = {id for key, each in world.contacts.held.items() if before.get(key) != each for id in [each.remote_id]}
    assert touched == {"3", "9"}
    world.contacts.agree(BRAND)


def test_a_look_where_nothing_changed_costs_no_write_of_a_contact(world: Syncs) -> None:
    world.look()
    before = [line for line in world.journal.lines if line in ("put", "post", "drop")]
    world.look(after=10 * DAY)  # all of it is listed again
    assert [line for line in world.journal.lines if line in ("put", "post", "drop")] == before
    assert sum(path == "/contacts" for path in world.book.asked) >= 3, "all were listed"


def test_contacts_that_are_read_again_unchanged_cost_no_units_of_writing(world: Syncs) -> None:
    world.look()
    world.begin(version=world.point.version, size=8)
    before, moves = world.contacts.spent.written, world.journal.lines.count("move")
    world.look()
    moved = world.journal.lines.count("move") - moves
    assert world.contacts.spent.written - before == 3 * moved, "all that is written is the checkpoint"


@pytest.mark.parametrize("crm", CRMS)
def test_what_was_deleted_is_gone_within_a_day(crm: str) -> None:
    world = peopled(crm)
    world.look()
    world.clock.pass_(HOUR)
    for id in ("2", "5", "7", "8"):
        world.book.remove(id)
    end = world.clock.now() + DAY
    while world.point.due_at <= end:
        world.look()
    assert world.names == world.truth == ["Contact 0", "Contact 2", "Contact 3", "Contact 5"]
    assert world.point.size == 4
    world.contacts.agree(BRAND)


def test_what_the_list_of_changes_tells_to_be_gone_is_gone_with_the_next_look() -> None:
    world = peopled("telling")
    world.look()
    world.clock.pass_(HOUR)
    world.book.remove("2")
    world.look()
    assert world.names == world.truth
    assert "/deleted" not in " ".join(world.book.asked)


@pytest.mark.parametrize("status", [403, 404])
def test_deletions_are_found_within_a_day_where_the_list_of_them_is_refused(world: Syncs, status: int) -> None:
    world.look()
    world.book.deletions = status
    world.clock.pass_(HOUR)
    world.book.remove("2")
    end = world.clock.now() + DAY
    while world.point.due_at <= end:
        world.look()
    assert (world.names, world.point.last_error) == (world.truth, "")
    world.contacts.agree(BRAND)


def test_what_was_deleted_while_the_list_of_deletions_was_refused_is_found_when_it_is_not(world: Syncs) -> None:
    world.look()
    world.book.deletions = 403
    world.clock.pass_(HOUR)
    world.book.remove("2")
    for _ in range(3):
        world.look(after=2 * HOUR)
    assert world.names != world.truth
    world.book.deletions = 200
    world.look(after=HOUR)
    assert world.names == world.truth
    assert not world.point.untold


def test_a_sweep_asks_only_for_what_it_has_not_met() -> None:
    world = peopled("sweeping")
    world.look()
    world.clock.pass_(HOUR)
    world.book.remove("2")
    world.look(after=DAY)
    assert world.book.asked[-5:] == [
        "/contacts 2026-11-20T09:34:30Z",
        "/contacts",
        "/contacts",
        "/contacts",
        "/contacts/2",
    ]


def test_a_contact_that_a_sweep_has_not_met_and_that_is_there_stays_as_it_is_now() -> None:
    world = peopled("sweeping")
    world.look()
    world.clock.pass_(DAY)
    world.book.forgotten.add("4")
    world.book.records["4"] |= {"name": "Told by its id alone"}
    world.look()
    assert "Told by its id alone" in world.names
    assert len(world.names) == 8


def test_many_that_no_sweep_has_met_are_asked_for_in_several_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "COMPARED", 4)
    monkeypatch.setattr(running, "ASKED", 2)
    world = peopled("sweeping", 20)
    world.look()
    world.clock.pass_(HOUR)
    for id in range(1, 18):
        world.book.remove(str(id))
    world.look(after=DAY)
    assert world.names == world.truth
    assert [line for line in world.book.asked if line.startswith("/contacts/")] == [
        f"/contacts/{id}" for id in range(1, 18)
    ]
    world.contacts.agree(BRAND)


def test_a_comparison_whose_time_is_nearly_up_leaves_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world = peopled("sweeping")
    world.look()
    world.clock.pass_(HOUR)
    for id in ("1", "2", "3"):
        world.book.remove(id)
    met, slow = world.contacts.met, [290.0]

    def late(*given: str) -> set[str]:
        world.clock.pass_(slow.pop() if slow else 0)
        return met(*given)

    monkeypatch.setattr(world.contacts, "met", late)
    world.look(after=DAY)
    assert world.names == world.truth


# --- turns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", CRMS)
def test_a_turn_that_runs_out_of_time_goes_on_where_it_was(crm: str) -> None:
    world = peopled(crm, 20)
    world.book.seconds = 10
    assert world.plan() == 1
    turns = world.deliver(seconds=40)
    assert turns > 2
    assert world.names == world.truth
    assert len(world.book.asked) == -(-20 // MOST), "no page was read twice"
    assert world.point.size == 20


def test_a_turn_that_runs_out_of_time_leaves_a_message_and_its_position(world: Syncs) -> None:
    world.book.seconds = 30
    world.turn(60)
    assert [message for _, message in world.queue.waiting] == [Message(BRAND, ACCOUNT).body]
    assert world.point.begun == START
    assert world.point.position
    assert world.point.synced_at == 0
    assert world.point.due_at == world.clock.now() + planning.PATIENCE


def test_an_account_at_which_somebody_is_busy_is_left_alone(world: Syncs) -> None:
    assert world.leases.acquire(BRAND, f"sync#{ACCOUNT}", "another", now=START, seconds=60)
    before = world.point
    world.turn()
    assert (world.point, world.book.sent, world.queue.waiting) == (before, [], [])
    world.clock.pass_(61)
    world.turn()
    assert world.names == world.truth


def test_a_lease_is_given_back(world: Syncs) -> None:
    world.turn()
    world.crm.turns.append(answers(500))
    world.turn()
    assert world.leases.held == {}


def test_who_is_overtaken_stops_and_changes_nothing_more(world: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    contacts = world.contacts.contacts
    other: list[Checkpoint] = []

    def overtaken(brand: str, ids: Sequence[str]) -> dict[str, Stored]:
        if not other:
            moved = replace(world.point, size=77, due_at=START + 5)
            assert world.contacts.move(moved)
            other.append(replace(moved, version=moved.version + 1))
        return contacts(brand, ids)

    monkeypatch.setattr(world.contacts, "contacts", overtaken)
    world.turn()
    assert world.point == other[0]
    assert len(world.book.asked) == 1
    assert world.queue.waiting == []


def test_a_message_about_an_account_that_nobody_knows_does_nothing(world: Syncs) -> None:
    world.contacts.points.clear()
    world.turn()
    assert (world.book.sent, world.queue.waiting, world.contacts.points) == ([], [], {})


def test_a_message_that_comes_twice_does_no_harm(world: Syncs) -> None:
    world.turn()
    before = world.names
    world.turn()
    assert (world.names, world.queue.waiting) == (before, [])
    world.contacts.agree(BRAND)


# --- what CRMs do ----------------------------------------------------------------------------------------------------


def test_an_account_that_needs_to_be_connected_again_is_marked_and_left_alone_for_a_while(world: Syncs) -> None:
    world.crm.accepted = {"another-key"}
    world.look()
    assert world.status == "needs_reauth"
    assert (world.point.failures, world.point.last_error) == (1, "needs-reauth")
    assert world.point.due_at == world.clock.now() + planning.backoff(1)
    assert world.queue.waiting == []
    sent = len(world.book.sent)
    world.turn()  # within a minute of the try before
    assert len(world.book.sent) == sent
    assert world.point.failures == 2


def test_an_account_that_works_again_is_marked_so_and_synced(world: Syncs) -> None:
    world.crm.accepted = {"another-key"}
    world.look()
    world.crm.accepted = None
    world.look()
    assert (world.status, world.names) == ("active", world.truth)
    assert (world.point.failures, world.point.last_error) == (0, "")


def test_a_token_that_ends_in_a_walk_is_renewed() -> None:
    world = peopled()
    world.connect("listing", credentials=OAUTH_CREDENTIALS)
    world.crm.accepted = {"fresh-1"}
    world.look()
    assert (world.names, world.status) == (world.truth, "active")


def test_a_crm_that_asks_for_a_short_wait_gets_it_and_the_walk_goes_on(world: Syncs) -> None:
    world.crm.turns.extend([serves(), serves(), answers(429, None, {"retry-after": "40"})])
    world.turn()
    [(ready, message)] = world.queue.waiting
    assert (ready, message) == (world.clock.now() + 40, Message(BRAND, ACCOUNT).body)
    assert (world.point.failures, world.point.last_error) == (0, "")
    assert world.point.pages == 1
    assert world.contacts.reserve(BRAND, ACCOUNT, interval=1, now=START, until=START) >= START + 40, "all wait"
    world.deliver()
    assert world.names == world.truth
    assert len(world.book.asked) == 4, "no page was read twice but the one that was refused"


def test_a_crm_that_asks_for_a_long_wait_is_left_to_the_planner(world: Syncs) -> None:
    world.crm.turns.append(answers(429, None, {"retry-after": str(running.SOON + 1)}))
    world.turn()
    assert world.queue.waiting == []
    assert world.point.due_at == world.clock.now() + running.SOON + 1
    assert (world.point.failures, world.point.last_error) == (1, "crm-rate-limited")
    world.look()
    assert world.names == world.truth


def test_a_crm_that_does_not_say_how_long_is_left_alone_for_a_while(world: Syncs) -> None:
    world.crm.turns.append(answers(429))
    world.turn()
    assert world.queue.waiting == []
    assert world.point.due_at == world.clock.now() + planning.backoff(1)


def test_a_row_in_which_others_stand_is_waited_for_in_the_queue(world: Syncs) -> None:
    world.contacts.rest(BRAND, ACCOUNT, START + 30)
    world.turn()
    [(ready, _)] = world.queue.waiting
    assert ready == START + 30
    assert world.book.sent == []
    assert world.point.failures == 0
    world.deliver()
    assert world.names == world.truth


@pytest.mark.parametrize(
    ("turn", "error"),
    [
        (answers(500), "crm-unavailable"),
        (answers(403), "crm-forbidden"),
        (drops(stored=False), "crm-unavailable"),
        (times_out(), "crm-timeout"),
        (answers(200, "<html>", readable=False), "crm-unavailable"),
    ],
    ids=["500", "403", "drops", "times out", "not readable"],
)
def test_a_walk_that_a_crm_breaks_off_goes_on_later_where_it_was(world: Syncs, turn: Turn, error: str) -> None:
    world.crm.turns.extend([serves(), serves(), turn])
    world.look()
    assert (world.point.failures, world.point.last_error, world.point.pages) == (1, error, 1)
    assert world.point.due_at == world.clock.now() + planning.backoff(1)
    world.look()
    assert world.names == world.truth
    assert (world.point.failures, world.point.last_error) == (0, "")
    assert len(world.book.asked) == 4, "no page was read twice but the one that failed"


def test_a_crm_that_fails_time_and_again_is_left_alone_longer_and_longer(world: Syncs) -> None:
    waits: list[float] = []
    for _ in range(10):
        world.crm.turns.append(answers(500))
        world.look()
        waits.append(world.point.due_at - world.clock.now())
    assert waits == [planning.backoff(number) for number in range(1, 11)]
    assert waits[-1] == planning.BACKOFF_MOST


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_position_that_the_crm_knows_no_more_is_given_up_and_the_walk_begins_anew(world: Syncs, status: int) -> None:
    world.crm.turns.extend([serves(), serves(), answers(status)])
    world.turn()
    assert (world.point.begun, world.point.position, world.point.failures) == (0, None, 1)
    world.book.sent.clear()
    world.look()
    assert world.names == world.truth
    assert world.book.asked == ["/contacts 1970-01-01T00:00:00Z"] * 3


def test_a_fault_of_ours_goes_back_into_the_queue_and_the_lease_is_free(
    world: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise RuntimeError("the table is on fire")

    monkeypatch.setattr(world.contacts, "put", broken)
    with pytest.raises(RuntimeError, match="on fire"):
        world.turn()
    assert world.leases.held == {}


# --- what an operator does -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crm", CRMS)
def test_a_disconnected_account_leaves_nothing(crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PURGED", 3)
    world = peopled(crm)
    world.book.add("Owned", owner="u1")
    world.look()
    del world.access.accounts[BRAND, ACCOUNT]
    world.look()
    assert world.names == []
    assert (world.contacts.points, world.contacts.named) == ({}, {})
    assert not any(world.contacts.lists.values())
    assert all(each.body.keys() <= {"updated_at"} for each in world.contacts.held.values()), "what is remembered"


def test_a_purge_that_runs_out_of_time_goes_on(world: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PURGED", 3)
    world.look()
    del world.access.accounts[BRAND, ACCOUNT]
    places = world.contacts.places

    def slow(*given: Any, **how: Any) -> list[list[str]]:
        world.clock.pass_(20)
        return places(*given, **how)

    monkeypatch.setattr(world.contacts, "places", slow)
    assert world.plan() == 0
    world.clock.at = world.point.due_at
    assert world.plan() == 1
    assert world.deliver(seconds=40) > 2
    assert (world.names, world.contacts.points) == ([], {})


def test_the_contacts_of_another_account_stay(world: Syncs) -> None:
    world.look()
    world.connect("listing", "another")
    second = replace(world.point, account="another", version=1, anchor="", synced_at=0, size=0)
    world.contacts.points[BRAND, "another"] = second
    means = running.Means(world.services, world.tokens, world.contacts, world.queue)
    running.run(Message(BRAND, "another"), means, replace(world.deadline, at=world.clock.now() + 300))
    del world.access.accounts[BRAND, ACCOUNT]
    world.clock.at = world.point.due_at
    world.turn()
    assert {each.account for each in world.contacts.all(BRAND).values()} == {"another"}
    assert world.names == world.truth
    world.contacts.agree(BRAND)


def test_custom_fields_have_an_index_when_all_contacts_were_looked_at(world: Syncs) -> None:
    world.book.change("1", c_tier="Gold")
    world.look()
    assert world.point.indexed == ()
    account = world.access.accounts[BRAND, ACCOUNT]
    world.access.accounts[BRAND, ACCOUNT] = replace(account, searchable=("c_tier",))
    world.begin(version=world.point.version, size=8, deleted_at=START, swept_at=START)
    world.book.seconds = 30
    world.turn(60)
    assert world.point.indexed == (), "not before the walk is over"
    world.deliver()
    assert world.point.indexed == ("c_tier",)
    assert world.point.size == 8
    assert [name for _, name in world.contacts.lists if name.startswith("custom_fields")] == [
        f"custom_fields.c_tier#{ACCOUNT}=gold"
    ]
    world.contacts.agree(BRAND)


def test_what_was_deleted_before_a_walk_anew_is_found_as_soon_as_without_it(world: Syncs) -> None:
    world.look()
    world.clock.pass_(HOUR)
    world.book.remove("3")
    world.begin(version=world.point.version, size=8, deleted_at=START, swept_at=START)
    world.look()
    world.look()
    assert world.names == world.truth


# --- owners and columns ----------------------------------------------------------------------------------------------


def test_an_owner_is_looked_up_once_and_again_the_next_day(world: Syncs) -> None:
    world.book.users = {"u1": {"id": "u1", "name": "Ada", "mail": "ada@example.com"}}
    for id in ("1", "2", "5", "8"):
        world.book.records[id]["owner"] = "u1"
    world.look()
    assert world.book.asked.count("/users/u1") == 1
    assert world.contacts.named[BRAND, ACCOUNT] == {"u1": Owner("Ada", "ada@example.com")}
    world.book.users["u1"]["name"] = "Ada Lovelace"
    world.clock.pass_(HOUR)
    world.book.change("1", name="Changed")
    world.look()
    assert world.book.asked.count("/users/u1") == 1
    world.look(after=DAY)
    assert world.book.asked.count("/users/u1") == 2
    assert world.contacts.named[BRAND, ACCOUNT] == {"u1": Owner("Ada Lovelace", "ada@example.com")}


def test_an_owner_whom_the_crm_knows_no_more_is_asked_for_once(world: Syncs) -> None:
    for id in ("1", "8"):
        world.book.records[id]["owner"] = "u404"
    world.look()
    assert world.book.asked.count("/users/u404") == 1
    assert world.contacts.named[BRAND, ACCOUNT] == {"u404": Owner()}
    assert world.names == world.truth


def test_columns_are_asked_for_once_a_day_and_then_with_every_page(world: Syncs) -> None:
    world.book.columns = ["c_tier"]

    def asked() -> int:
        return sum(each.request.path == "/columns" for each in world.book.sent)

    world.look()
    assert asked() == 1
    assert {each.request.query["with"] for each in world.book.sent if each.request.path == "/contacts"} == {"c_tier"}
    world.look()
    assert asked() == 1
    world.look(after=DAY)
    assert asked() == 2


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_turn_says_in_one_line_what_it_did(world: Syncs) -> None:
    world.look()
    world.clock.pass_(HOUR)
    world.book.change("1", name="Marker")
    world.book.remove("2")
    world.look()
    told = [extra["extra"] for name, extra in world.log.lines if name == "sync"]
    figures = ("new", "changed", "unchanged", "gone", "crm_calls")
    assert [tuple(each[name] for name in figures) for each in told] == [(8, 0, 0, 0, 4), (0, 1, 3, 1, 3)]
    assert "Marker" not in str(world.log.lines)


def test_a_contact_is_known_by_the_same_id_for_ever(world: Syncs) -> None:
    world.look()
    assert set(world.contacts.all(BRAND)) == {contact_id(BRAND, ACCOUNT, id) for id in world.book.records}


def test_of_two_messages_about_one_look_the_second_is_no_turn(world: Syncs) -> None:
    """Where workers are slow, the planner asks again for what waits already."""
    world.plan()
    [(_, message)] = world.queue.waiting
    world.deliver()
    calls = len(world.crm.sent)
    world.turn(due_at=message["due_at"])
    assert len(world.crm.sent) == calls
    world.turn()
    assert len(world.crm.sent) > calls
