"""At most once: the law is that the CRM never holds two records for one key, whatever happens on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from switchboard.api import once
from switchboard.api.once import Once, key_of
from switchboard.api.reply import Reply
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Deadline
from tests import worlds
from tests.journal import CrashError
from tests.worlds import (
    ACCOUNT,
    BRAND,
    PATH,
    Turn,
    World,
    answers,
    drops,
    parsed,
    refuses_connection,
    serves,
    times_out,
)


def post(world: World, *turns: Turn, key: str | None = "k", title: str = "A lead", **how: Any) -> Reply:
    """A create under an idempotency key, during which the CRM takes these turns."""
    world.crm.turns.clear()
    world.crm.turns.extend(turns)
    return world.post({"title": title}, idempotency=key, **how)


def kind(reply: Reply) -> str:
    return parsed(reply)["type"].rpartition("#")[2]


def dies(world: World, at: int, when: Any, *turns: Turn, key: str | None = "k") -> None:
    """Such a create whose process dies on the way."""
    world.journal.die(at, when)
    with pytest.raises(CrashError):
        post(world, *turns, key=key)
    world.journal.revive()
    world.new_process()


# --- the form of a key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None),
        ("abc", "abc"),
        ('"abc"', "abc"),
        (" abc ", "abc"),
        ('"a b"', "a b"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("k", "k"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_is_taken_quoted_or_bare(header: str | None, key: str | None) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize("header", ["", " ", '""', "x" * 256, '"' + "x" * 256 + '"', "a b", '"abc', 'abc"', '"a"b"'])
def test_anything_else_is_a_fault(header: str) -> None:
    with pytest.raises(Problem) as raised:
        key_of(header)
    assert raised.value.kind is Kind.INVALID
    assert raised.value.faults[0].field == "Idempotency-Key"


def test_quoted_and_bare_are_one_key() -> None:
    world = World()
    assert post(world, key="abc").body == post(world, key='"abc"').body
    assert len(world.crm.records) == 1


# --- settled ---------------------------------------------------------------------------------------------------------


def test_a_reply_is_given_again_to_the_byte_and_says_so() -> None:
    world = World()
    first = post(
        world, serves({"x-request-id": "r-1", "x-acme-limit": "5", "x-acme-remaining": "4", "x-acme-reset": "1"})
    )
    again = post(world)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers == {**first.headers, "idempotent-replayed": "true"}
    assert "idempotent-replayed" not in first.headers
    assert world.crm.lines == [f"POST {PATH}"]


def test_a_replay_touches_neither_secrets_nor_the_crm() -> None:
    world = World()
    post(world)
    world.journal.lines.clear()
    post(world)
    assert world.journal.lines == ["access.admit", "access.account", "claims.claim"]


def test_a_first_run_writes_twice() -> None:
    world = World()
    post(world, key="warm")
    world.journal.lines.clear()
    post(world)
    assert world.journal.lines == [
        "access.admit",
        "access.account",
        "claims.claim",
        f"send POST {PATH}",
        "claims.settle",
    ]


@pytest.mark.parametrize("status", [400, 402, 404, 409, 410, 412, 422])
def test_a_definitive_refusal_of_the_crm_is_given_again(status: int) -> None:
    world = World()
    first = post(world, answers(status, {"message": "no"}))
    again = post(world)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert world.crm.records == {}


def test_a_refusal_in_a_2xx_is_not_stored_as_a_success() -> None:
    world = World()
    assert post(world, answers(422, {"message": "no"})).status == 422
    assert world.claims.only.status == 422


def test_another_payload_under_the_same_key_is_422() -> None:
    world = World()
    post(world)
    reply = post(world, title="Another")
    assert (reply.status, kind(reply)) == (422, "idempotency-key-reused")
    assert len(world.crm.sent) == 1


def test_another_query_under_the_same_key_is_422() -> None:
    world = World()
    post(world)
    assert post(world, query=f"integrated_account_id={ACCOUNT}&truto_response_format=raw").status == 422


def test_the_same_payload_written_otherwise_is_the_same() -> None:
    world = World()
    how: dict[str, Any] = {"idempotency": "k"}
    one = world.post(b'{"title": "A lead", "first_name": "Ada"}', **how)
    other = world.post(b'{ "first_name":"\\u0041da",\n"title":"A lead"}', **how)
    assert other.body == one.body
    assert len(world.crm.records) == 1


def test_a_key_is_its_owners_its_accounts_and_its_routes_own() -> None:
    world = World()
    post(world)
    second = world.connect(id="11111111-1111-4111-8111-111111111111")
    assert post(world, query=f"integrated_account_id={second}").status == 201
    assert post(world, key="k").headers["idempotent-replayed"] == "true"
    assert world.post({"title": "A lead"}, idempotency="k", key=world.issue(owner="user-2")).status == 201
    assert post(world, path="/unified/crm/other").status == 201
    assert len(world.crm.records) == 4
    assert all(name.startswith(f"{BRAND}#") for name in world.claims.records)


def test_two_api_keys_of_one_owner_share_their_idempotency_keys() -> None:
    world = World()
    post(world)
    world.key = world.issue()
    assert post(world).headers["idempotent-replayed"] == "true"


def test_a_key_is_kept_for_a_day_and_is_then_as_if_it_had_never_been() -> None:
    world = World()
    post(world)
    world.clock.pass_(24 * 3600 - 1)
    assert post(world).headers["idempotent-replayed"] == "true"
    world.clock.pass_(2)
    again = post(world)
    assert (again.status, "idempotent-replayed" in again.headers) == (201, False)
    assert len(world.crm.records) == 2


# --- released --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "turns",
    [
        [refuses_connection()],
        [answers(401, {}), answers(401, {})],
        [answers(403, {})],
        [answers(429, {})],
        [answers(400, {"code": "quota"})],
    ],
    ids=["refused connection", "401", "403", "429", "400 that is a 429"],
)
def test_what_the_crm_certainly_did_not_do_is_done_again(turns: list[Turn]) -> None:
    world = World()
    assert post(world, *turns).status in (401, 403, 429, 502)
    assert world.claims.records == {}
    world.clock.pass_(61)  # the account may have its live try
    again = post(world)
    assert (again.status, "idempotent-replayed" in again.headers) == (201, False)


@pytest.mark.parametrize("body", [{"first_name": "no title"}, {"title": 7}, {"teapot": 1}])
def test_a_call_that_fails_here_leaves_no_claim(body: Any) -> None:
    world = World()
    assert world.post(body, idempotency="k").status == 400
    assert "claims.claim" not in world.journal.lines
    assert post(world).status == 201


def test_a_token_endpoint_that_gives_nothing_leaves_no_claim_for_nothing_was_created() -> None:
    world = World(credentials={**worlds.OAUTH_CREDENTIALS, "expires_at": 0})
    world.crm.token_turns.append(answers(500, {}))
    assert post(world).status == 502
    assert world.claims.records == {}


@pytest.mark.parametrize("turn", [times_out(), drops(stored=False)], ids=["time-out", "dropped"])
def test_a_token_endpoint_that_is_silent_leaves_no_claim_for_nothing_was_created(turn: Turn) -> None:
    world = World(credentials={**worlds.OAUTH_CREDENTIALS, "expires_at": 0})
    world.crm.token_turns.append(turn)
    reply = post(world)
    assert kind(reply) in ("crm-unavailable", "crm-timeout")
    assert world.claims.records == {}
    assert world.status == "active"


# --- in flight -------------------------------------------------------------------------------------------------------


def during(world: World, what: Callable[[], None]) -> Turn:
    """A turn: something happens while the CRM is at work."""

    def turn(crm: worlds.MemoryCRM, request: Any) -> Any:
        world.crm.turns.clear()
        what()
        return crm.serve(request)

    return turn


def test_a_duplicate_in_flight_waits_a_little_and_is_then_told_to_come_back() -> None:
    world, replies = World(), list[Reply]()
    first = post(world, during(world, lambda: replies.append(post(world))))
    [second] = replies
    assert first.status == 201
    assert (second.status, kind(second)) == (409, "idempotency-in-progress")
    assert 1 <= int(second.headers["retry-after"]) <= 5
    assert 2.9 < sum(world.clock.slept) < 3.5
    assert len(world.crm.records) == 1


def test_a_duplicate_in_flight_with_another_payload_is_422_at_once() -> None:
    world, replies = World(), list[Reply]()
    post(world, during(world, lambda: replies.append(post(world, title="Another"))))
    assert replies[0].status == 422
    assert world.clock.slept == []


def test_a_duplicate_whose_first_finishes_meanwhile_gets_its_reply() -> None:
    world = World()
    first = post(world)
    settled = world.claims.only
    name = settled.key
    expires = world.claims.records[name][1]
    world.claims.records[name] = (replace(settled, state="claimed"), expires)
    calm = world.clock.sleep

    def finish(seconds: float) -> None:
        calm(seconds)
        if len(world.clock.slept) == 5:
            world.claims.records[name] = (settled, expires)

    world.clock.sleep = finish
    again = post(world)
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")


def test_a_duplicate_does_not_wait_beyond_its_own_time() -> None:
    world = World()
    post(world)
    claim, expires = next(iter(world.claims.records.values()))
    world.claims.records[claim.key] = (replace(claim, state="claimed"), expires)
    machine = Once(world.claims, world.clock, Deadline(world.clock.now() + 1.5, world.clock), world.word, world.log)
    with pytest.raises(Problem) as raised:
        machine.run(claim.key, claim.fingerprint, lambda _: Reply(201))
    assert raised.value.kind is Kind.IN_PROGRESS
    assert sum(world.clock.slept) < 1


# --- unknown ---------------------------------------------------------------------------------------------------------

SILENT = [drops(stored=True), times_out(stored=True), times_out(late=3), answers(500, {}), answers(201, {})]


def test_the_504_says_what_to_do() -> None:
    world = World()
    reply = post(world, drops(stored=True))
    assert (reply.status, kind(reply)) == (504, "outcome-unknown")
    assert int(reply.headers["retry-after"]) >= 1
    assert "same request again" in parsed(reply)["message"]
    assert world.claims.only.state == "unknown"


@pytest.mark.parametrize("turn", [drops(stored=True), times_out(stored=True)])
def test_a_retry_asks_the_crm_first_and_adopts_what_it_finds(turn: Turn) -> None:
    world = World()
    post(world, turn)
    reply = post(world)
    assert (reply.status, parsed(reply)["id"]) == (201, "1")
    assert world.crm.lines == [f"POST {PATH}", f"GET {PATH}", f"GET {PATH}/1"]
    again = post(world)
    assert (again.body, again.headers["idempotent-replayed"]) == (reply.body, "true")
    assert len(world.crm.records) == 1


def test_a_retry_creates_again_when_the_crm_says_no() -> None:
    world = World()
    post(world, drops(stored=False))
    reply = post(world)
    assert reply.status == 201
    assert world.crm.lines == [f"POST {PATH}", f"GET {PATH}", f"GET {PATH}", f"POST {PATH}"]
    assert sum(world.clock.slept) == pytest.approx(once.BROKEN_SECONDS), "it may have been about to say yes"


def test_a_reply_that_cannot_be_stored_is_given_all_the_same_and_the_next_run_finds_the_record() -> None:
    world = World()
    settle = world.claims.settle

    def too_large(*_: Any, **__: Any) -> None:
        raise OverflowError("400 KB")

    world.claims.settle = too_large
    first = post(world)
    world.claims.settle = settle
    world.clock.pass_(60)
    again = post(world)
    assert (first.status, again.status) == (201, 201)
    assert parsed(again)["id"] == parsed(first)["id"]
    assert len(world.crm.records) == 1


def test_a_doubt_is_not_forgotten_because_its_key_is_old() -> None:
    world = World()
    post(world, drops(stored=False))
    world.clock.pass_(once.KEEP_SECONDS - 30)
    assert post(world, serves(), times_out(stored=True)).status == 504
    world.clock.pass_(40)
    assert post(world).status == 201
    assert len(world.crm.records) == 1


def behind(turn: Turn) -> Turn:
    """A turn: a proxy answers so, and the CRM behind it goes on and stores the record two seconds later."""

    def answered(crm: worlds.MemoryCRM, request: Request) -> Response:
        crm.store_later(request, 2)
        return turn(crm, request)

    return answered


@pytest.mark.parametrize("turn", [answers(500, {}), answers(502, "<html>", readable=False), drops(stored=False)])
@pytest.mark.parametrize("key", ["k", None])
def test_a_crm_that_stores_behind_a_broken_answer_makes_one_record(turn: Turn, key: str | None) -> None:
    world = World()
    assert post(world, behind(turn), key=key).status == 504
    assert post(world, key=key).status == 201
    assert len(world.crm.records) == 1


def test_after_a_time_out_a_no_is_not_believed_until_the_crm_must_have_finished() -> None:
    world = World()
    world.seconds = 12  # too few to wait for it here
    post(world, times_out())
    early = post(world)
    assert (early.status, kind(early)) == (504, "outcome-unknown")
    assert 1 <= int(early.headers["retry-after"]) <= once.SETTLING_SECONDS + 1
    world.clock.pass_(int(early.headers["retry-after"]))
    assert post(world).status == 201
    assert world.crm.lines == [f"POST {PATH}", f"GET {PATH}", f"GET {PATH}", f"POST {PATH}"]


def test_a_record_that_arrives_late_is_adopted() -> None:
    world = World()
    world.seconds = 12
    post(world, times_out(late=9))
    assert post(world).status == 504
    world.clock.pass_(10)
    assert post(world).status == 201
    assert len(world.crm.titled("A lead")) == 1


def test_looking_early_does_not_make_the_wait_any_longer() -> None:
    world = World()
    world.seconds = 9
    post(world, times_out())
    waits: list[int] = []
    for _ in range(4):
        waits.append(int(post(world).headers["retry-after"]))
        world.clock.pass_(2)
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1]


@pytest.mark.parametrize(
    "turn", [answers(500, {}), answers(429, {}), answers(401, {}), times_out(), refuses_connection()]
)
def test_while_the_crm_cannot_be_asked_nothing_is_created(turn: Turn) -> None:
    world = World()
    post(world, drops(stored=True))
    assert post(world, turn).status >= 400
    assert world.claims.only.state == "unknown"
    assert world.crm.lines.count(f"POST {PATH}") == 1
    world.clock.pass_(61)
    assert post(world).status == 201
    assert len(world.crm.records) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_look_that_the_crm_refuses_is_not_told_as_if_it_had_refused_the_create(status: int) -> None:
    # Clients give up on these; and the record may be there.
    world = World()
    post(world, drops(stored=True))
    reply = post(world, answers(status, {"message": "no"}))
    assert (reply.status, kind(reply)) == (504, "outcome-unknown")
    assert world.claims.only.state == "unknown"


def test_where_the_crm_cannot_be_asked_at_all_nothing_is_ever_created_again() -> None:
    world = World("mute")
    post(world, drops(stored=True))
    for _ in range(3):
        world.clock.pass_(600)
        reply = post(world)
        assert (reply.status, kind(reply)) == (504, "outcome-unknown")
    assert len(world.crm.records) == 1


def test_a_second_silence_is_unknown_again() -> None:
    world = World()
    post(world, drops(stored=False))
    assert post(world, serves(), serves(), drops(stored=True)).status == 504
    assert post(world).status == 201
    assert len(world.crm.records) == 1
    assert world.claims.only.attempt == 3


def test_a_refusal_of_the_second_try_is_final() -> None:
    world = World()
    post(world, drops(stored=False))
    first = post(world, serves(), serves(), answers(422, {"message": "no"}))
    assert first.status == 422
    assert post(world).headers["idempotent-replayed"] == "true"


def test_the_record_of_another_title_or_of_long_ago_is_not_adopted() -> None:
    world = World()
    world.crm.store({"title": "A lead"})
    world.clock.pass_(3600)
    world.crm.store({"title": "Another lead"})
    post(world, drops(stored=False))
    assert parsed(post(world))["id"] == "3"


def test_a_clock_of_the_crm_that_runs_behind_ours_hides_nothing() -> None:
    world = World()
    world.crm.clock_behind = 25
    post(world, drops(stored=True))
    assert post(world).status == 201
    assert len(world.crm.records) == 1


def test_a_refused_key_reuse_does_not_disturb_what_is_unknown() -> None:
    world = World()
    post(world, drops(stored=True))
    assert post(world, title="Another").status == 422
    assert post(world).status == 201
    assert len(world.crm.records) == 1


# --- death -----------------------------------------------------------------------------------------------------------

AFTER_CLAIM = 3
"""Calls through ports before the CRM is asked, in a process that knows the credentials: admit, account, claim."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_claim_whose_process_died_is_in_progress_until_its_lease_is_over_and_then_unknown(when: Any) -> None:
    world = World()
    post(world, key="warm", title="Another")
    dies(world, AFTER_CLAIM, when)
    stored = 1 if when == "after" else 0
    assert len(world.crm.titled("A lead")) == stored
    assert post(world).status == 409
    world.clock.pass_(60)
    world.crm.sent.clear()
    assert post(world).status == 201
    assert world.crm.lines[0] == f"GET {PATH}"
    assert len(world.crm.titled("A lead")) == 1


def test_a_fault_of_ours_after_the_claim_is_unknown_and_never_silently_run_again() -> None:
    world = World()
    world.crm.turns.append(lambda crm, request: (crm.serve(request), 1 / 0)[0])
    with pytest.raises(ZeroDivisionError):
        world.post(idempotency="k")
    assert world.claims.only.state == "unknown"
    assert post(world).status == 201
    assert len(world.crm.records) == 1


def test_after_a_death_too_a_no_is_not_believed_until_the_crm_must_have_finished() -> None:
    # The CRM is silent for 20 seconds, and the process dies before it can note that. The lease ends 9.5 seconds later;
    # the CRM finishes within the 15 seconds that are granted to it elsewhere.
    world = World()
    post(world, key="warm", title="Another")
    dies(world, AFTER_CLAIM, "after", _times_out_and_dies(world, late=14))
    world.clock.pass_(10)
    post(world)
    world.clock.pass_(60)
    post(world)
    assert len(world.crm.titled("A lead")) == 1


def _times_out_and_dies(world: World, late: float) -> Turn:
    def turn(crm: worlds.MemoryCRM, request: Any) -> Any:
        world.clock.sleep(20)
        crm.store_later(request, late)
        world.journal.dead = True
        raise CrashError

    return turn


def test_the_doubt_of_a_run_is_not_forgotten_when_the_next_run_dies() -> None:
    # The first run is silent until late in its time; the second takes over at once, has a short time and dies.
    world = World()
    post(world, key="warm", title="Another")
    post(world, times_out(late=14))
    name = world.claims.only.key if len(world.claims.records) == 1 else _key_of_unknown(world)
    seen = world.claims.records[name][0]
    short = Once(world.claims, world.clock, Deadline(world.clock.now() + 2, world.clock), world.word, world.log)

    def die(_: Any) -> Reply:
        world.journal.dead = True
        raise CrashError

    with pytest.raises(CrashError):
        short.run(name, seen.fingerprint, die)
    world.journal.revive()
    world.clock.pass_(5)
    post(world)
    world.clock.pass_(60)
    post(world)
    assert len(world.crm.titled("A lead")) == 1


def _key_of_unknown(world: World) -> str:
    [name] = [name for name, (claim, _) in world.claims.records.items() if claim.state == "unknown"]
    return name


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(5))
def test_wherever_a_process_dies_there_is_one_record_in_the_end(at: int, when: Any) -> None:
    world = World()
    post(world, key="warm", title="Another")
    dies(world, at, when)
    world.clock.pass_(60)
    final = post(world)
    assert final.status == 201
    assert len(world.crm.titled("A lead")) == 1
    assert post(world).body == final.body


def test_a_run_that_was_overtaken_stores_nothing_over_the_other() -> None:
    world = World()
    other: list[Reply] = []

    def overtake() -> None:
        world.clock.pass_(60)  # the lease of the first is over, and it does not know
        other.append(post(world))

    first = post(world, during(world, overtake))
    # The first stored its record after the second had looked: no order of ours can help that CRM.
    assert (first.status, other[0].status) == (201, 201)
    assert post(world).body == other[0].body


# --- without a key ---------------------------------------------------------------------------------------------------


def test_without_a_key_and_without_doubt_nothing_is_remembered() -> None:
    world = World()
    assert post(world, key=None).status == 201
    assert post(world, key=None).status == 201
    assert len(world.crm.records) == 2
    assert world.claims.records == {}


@pytest.mark.parametrize("turn", [drops(stored=True), times_out(stored=True), answers(500, {})])
def test_without_a_key_a_create_in_doubt_is_remembered_by_what_it_said(turn: Turn) -> None:
    world = World()
    assert post(world, turn, key=None).status == 504
    assert world.claims.only.state == "unknown"
    assert world.access.accounts[BRAND, ACCOUNT].doubtful_until == int(world.clock.now()) + 600


def test_without_a_key_a_fault_of_ours_on_the_way_is_remembered_as_well() -> None:
    world = World()
    world.crm.turns.append(lambda crm, request: (crm.serve(request), 1 / 0)[0])
    with pytest.raises(ZeroDivisionError):
        world.post()
    assert world.post().status == 201
    assert len(world.crm.records) == 1


def test_the_same_request_again_adopts_the_record() -> None:
    world = World()
    post(world, drops(stored=True), key=None)
    reply = post(world, key=None)
    assert (reply.status, parsed(reply)["id"]) == (201, "1")
    assert len(world.crm.records) == 1


def test_another_request_is_none_of_its_business() -> None:
    world = World()
    post(world, drops(stored=True), key=None)
    assert post(world, key=None, title="Another").status == 201
    assert len(world.crm.records) == 2


def test_a_time_out_without_a_key_waits_for_the_crm_as_well() -> None:
    world = World()
    world.seconds = 12
    post(world, times_out(late=9), key=None)
    assert post(world, key=None).status == 504
    world.clock.pass_(10)
    assert post(world, key=None).status == 201
    assert len(world.crm.titled("A lead")) == 1


def test_truto_s_client_that_posts_four_times_at_once_makes_one_record() -> None:
    world = World()
    statuses = [post(world, times_out(late=2), key=None).status]
    for _ in range(3):
        statuses.append(post(world, key=None).status)
        world.clock.pass_(1)
    assert statuses[0] == 504
    assert statuses[-1] == 201
    assert len(world.crm.titled("A lead")) == 1


def test_after_ten_minutes_the_same_request_is_a_new_one() -> None:
    world = World()
    post(world, drops(stored=True), key=None)
    world.clock.pass_(601)
    assert post(world, key=None).status == 201
    assert len(world.crm.records) == 2


def test_doubt_about_one_request_does_not_slow_the_next_account() -> None:
    world = World()
    post(world, drops(stored=True), key=None)
    second = world.connect(id="11111111-1111-4111-8111-111111111111")
    world.journal.lines.clear()
    post(world, key=None, query=f"integrated_account_id={second}")
    assert "claims.read" not in world.journal.lines


def test_a_certain_failure_without_a_key_leaves_no_doubt() -> None:
    world = World()
    for turn in (refuses_connection(), answers(422, {}), answers(429, {}), answers(403, {})):
        post(world, turn, key=None)
    assert world.claims.records == {}
    assert world.access.accounts[BRAND, ACCOUNT].doubtful_until == 0


# --- everything at once ----------------------------------------------------------------------------------------------

BEHAVIOURS: dict[str, Callable[[], Turn]] = {
    "serves": serves,
    "stores and drops": lambda: drops(stored=True),
    "drops": lambda: drops(stored=False),
    "stores and times out": lambda: times_out(stored=True, after=5),
    "times out": lambda: times_out(after=20),
    "times out, late": lambda: times_out(after=12, late=13),
    "stores and fails": lambda: lambda crm, request: (crm.serve(request), answers(500, {})(crm, request))[1],
    "fails": lambda: answers(502, {}),
    "refuses": lambda: (
        lambda crm, request: crm.serve(request) if request.safe else answers(422, {"message": "no"})(crm, request)
    ),
    "throttles": lambda: answers(429, {"wait": 1}),
    "forbids": lambda: answers(403, {}),
    "is unreachable": refuses_connection,
}


KEYS = st.integers(0, 1)
# What leaves doubt is drawn more often than what does not.
TURNS = st.sampled_from([*sorted(BEHAVIOURS), "stores and drops", "drops", *["times out, late"] * 3])


class Clients(RuleBasedStateMachine):
    """Clients that send, are cut off, die and send again, against a CRM that loses its answers."""

    @initialize(behind=st.floats(0, 25))
    def begin(self, behind: float) -> None:
        self.world = World()
        self.world.crm.clock_behind = behind
        self.given: dict[int, Reply] = {}
        self.seen: dict[str, int] = {}

    def send(self, key: int) -> Reply | None:
        """Send the request of a key, as a process of its own; None if that died."""
        try:
            reply = self.world.post({"title": f"Lead {key}"}, idempotency=f"key {key}".replace(" ", "-"))
        except CrashError:
            return None
        if "idempotent-replayed" in reply.headers and key in self.given:
            assert reply.body == self.given[key].body
            assert reply.status == self.given[key].status
        if key in self.given:
            assert reply.headers.get("idempotent-replayed") == "true"
        if reply.status in (201, 400, 422):
            self.given.setdefault(key, reply)
        return reply

    @rule(key=KEYS, turns=st.lists(TURNS, max_size=3))
    def posts(self, key: int, turns: list[str]) -> None:
        self.world.crm.turns.clear()
        self.world.crm.turns.extend(BEHAVIOURS[name]() for name in turns)
        self.send(key)

    @rule(key=KEYS, turn=TURNS)
    def posts_and_posts_again(self, key: int, turn: str) -> None:
        """As known clients do by themselves."""
        self.posts(key, [turn])
        self.posts(key, [])

    @rule(
        key=KEYS,
        turns=st.lists(st.sampled_from(sorted(BEHAVIOURS.keys() - {"times out, late"})), max_size=2),
        at=st.integers(0, 7),
        when=st.sampled_from(["before", "after"]),
    )
    def posts_and_dies(self, key: int, turns: list[str], at: int, when: Any) -> None:
        self.world.crm.turns.clear()
        self.world.crm.turns.extend(BEHAVIOURS[name]() for name in turns)
        self.world.journal.die(at, when)
        self.send(key)
        self.world.journal.revive()
        self.world.new_process()

    @rule(key=KEYS, turn=st.sampled_from(["serves", "stores and drops", "drops", "refuses"]))
    def posts_twice_at_once(self, key: int, turn: str) -> None:
        inner = BEHAVIOURS[turn]()

        def both(crm: worlds.MemoryCRM, request: Any) -> Any:
            crm.turns.clear()
            reply = self.send(key)
            assert reply is None or reply.status in (409, 201) or key in self.given
            return inner(crm, request)

        self.world.crm.turns.clear()
        self.world.crm.turns.append(both)
        self.send(key)

    @rule(key=KEYS)
    def posts_another_payload(self, key: int) -> None:
        self.world.crm.turns.clear()
        before = len(self.world.crm.records)
        name = f"key-{key}"
        known = len(self.world.claims.records)
        if known == 0:
            return
        reply = self.world.post({"title": f"Lead {key}", "first_name": "Eve"}, idempotency=name)
        if reply.status == 201:  # the key was free: what was sent is now what it stands for
            self.forget(key)
        else:
            assert reply.status == 422
            assert len(self.world.crm.records) == before

    def forget(self, key: int) -> None:
        """The key was used by the other payload; take both out of the world."""
        assert key not in self.given
        self.world.claims.records = {
            name: (claim, expires)
            for name, (claim, expires) in self.world.claims.records.items()
            if claim.state != "settled" or json.loads(claim.body).get("first_name") != "Eve"
        }
        for id, record in list(self.world.crm.records.items()):
            if record.get("first") == "Eve":
                del self.world.crm.records[id]

    @precondition(lambda self: self.world.clock.at < worlds.START + 18 * 3600)
    @rule(seconds=st.sampled_from([0.5, 1, 5, 16, 31, 61, 700, 3600]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.pass_(seconds)

    @invariant()
    def no_key_has_two_records(self) -> None:
        for key in (0, 1):
            assert self.world.crm.promised(f"Lead {key}") <= 1

    @invariant()
    def what_was_confirmed_is_there_and_what_was_refused_is_not(self) -> None:
        for key, reply in self.given.items():
            assert len(self.world.crm.titled(f"Lead {key}")) == (1 if reply.status == 201 else 0)


class InstalledClients(Clients):
    """Clients in a registry of their own: a state machine knows no fixtures."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        worlds.install(self.patch)

    def teardown(self) -> None:
        self.patch.undo()


TestClients = InstalledClients.TestCase
TestClients.settings = settings(
    max_examples=250, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
