"""Credentials: one refresh at a time, stored before it is used, and no account given up before it is lost."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from switchboard.crm.auth import Credentials, OAuth2, Token
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response, Talk
from switchboard.ports import Deadline
from switchboard.talks.line import Line
from switchboard.talks.tokens import EARLY_SECONDS, LEASE_SECONDS
from tests import worlds
from tests.journal import CrashError
from tests.worlds import (
    ACCOUNT,
    BRAND,
    CRMS,
    OAUTH,
    OAUTH_CREDENTIALS,
    PATH,
    START,
    Turn,
    World,
    answers,
    parsed,
    refuses_connection,
)

TOKEN = "POST /oauth/token"
LEAD = f"POST {PATH}"
FRESH: Credentials = {**OAUTH_CREDENTIALS, "access_token": "good", "expires_at": START + 1800}
ENDING: Credentials = {**OAUTH_CREDENTIALS, "expires_at": START - 30}
KEEP = "secrets.keep"


def oauth(credentials: Credentials = OAUTH_CREDENTIALS, *accepted: str) -> World:
    """A world whose account is one of OAuth; the CRM takes these tokens and those it hands out."""
    world = World(credentials=credentials)
    world.crm.accepted = set(accepted)
    return world


def stored(world: World) -> Credentials:
    return world.secrets.accounts[BRAND, ACCOUNT]


def kind(world: World, **how: Any) -> str:
    return parsed(world.post(**how))["type"].rpartition("#")[2]


def current(world: World, deadline: Deadline | None = None) -> Credentials:
    """The credentials that a process comes by, with the token endpoint behind the CRM."""
    account = world.access.accounts[BRAND, ACCOUNT]
    line = Line(world.services, world.tokens, CRMS["acme"], account, deadline or world.deadline)
    return world.tokens.current(account, OAUTH, line._exchange, line.deadline)


# --- when a token is renewed -----------------------------------------------------------------------------------------


def test_a_token_that_is_good_for_long_is_used_as_it_is() -> None:
    world = oauth(FRESH, "good")
    assert world.post().status == 201
    assert world.crm.lines == [LEAD]


@pytest.mark.parametrize(
    ("left", "renewed"), [(EARLY_SECONDS + 1, False), (EARLY_SECONDS, True), (0, True), (-9, True)]
)
def test_a_token_is_renewed_a_minute_before_it_ends(left: int, renewed: bool) -> None:
    world = oauth({**OAUTH_CREDENTIALS, "expires_at": START + left}, "stale-token")
    assert world.post().status == 201
    assert world.crm.lines == ([TOKEN, LEAD] if renewed else [LEAD])
    assert world.crm.sent[-1].bearer == ("fresh-1" if renewed else "stale-token")


def test_a_token_without_an_end_is_renewed_when_the_crm_refuses_it_and_the_request_is_sent_once_more() -> None:
    world = oauth()
    assert world.post(idempotency="k").status == 201
    assert world.crm.lines == [LEAD, TOKEN, LEAD]
    assert [sent.bearer for sent in world.crm.sent if sent.line == LEAD] == ["stale-token", "fresh-1"]
    assert len(world.crm.records) == 1


def test_a_refusal_of_the_new_token_too_is_the_end_of_it() -> None:
    world = oauth()
    world.crm.token_turns.append(answers(200, {"access_token": "no-good"}))
    assert kind(world) == "needs-reauth"
    assert world.crm.lines == [LEAD, TOKEN, LEAD]


def test_a_process_looks_credentials_up_once() -> None:
    world = oauth(FRESH, "good")
    for _ in range(3):
        world.post()
    assert world.journal.lines.count("secrets.account") == 1


def test_what_a_process_remembers_is_looked_up_again_after_some_minutes() -> None:
    world = oauth(FRESH, "good", "better")
    world.post()
    world.secrets.keep(BRAND, ACCOUNT, {**FRESH, "access_token": "better"})
    world.clock.pass_(301)
    world.post()
    assert world.crm.sent[-1].bearer == "better"


def test_the_form_of_a_refresh_goes_to_the_token_host_with_our_app_and_no_bearer() -> None:
    world = oauth(ENDING)
    world.post()
    refresh = world.crm.sent[0]
    assert (refresh.line, refresh.origin) == (TOKEN, "https://login.acme.example")
    assert refresh.request.form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "our-client",
        "client_secret": "our-client-secret",
    }
    assert "authorization" not in refresh.request.headers


class Listening(OAuth2):
    """A scheme that keeps what it is told of our app."""

    told: ClassVar[list[Credentials]] = []

    def refresh(self, credentials: Credentials, app: Credentials) -> Talk[Token]:
        self.told.append(app)
        return super().refresh(credentials, app)


def test_a_scheme_is_told_the_settings_of_the_account_which_replace_nothing_of_our_app() -> None:
    world = World(credentials=ENDING, settings={"platform": "theirs", "client_id": "theirs"})
    account = world.access.accounts[BRAND, ACCOUNT]
    line = Line(world.services, world.tokens, CRMS["acme"], account, world.deadline)
    world.tokens.current(account, Listening("/oauth/token"), line._exchange, line.deadline)
    assert Listening.told == [{"platform": "theirs", "client_id": "our-client", "client_secret": "our-client-secret"}]


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_new_token_is_stored_before_it_is_used() -> None:
    world = oauth(ENDING)
    world.post()
    calls = [line for line in world.journal.lines if line == KEEP or line.startswith("send")]
    assert calls == [f"send {TOKEN}", KEEP, f"send {LEAD}"]


def test_the_lease_is_given_back_after_the_new_token_is_stored() -> None:
    world = oauth(ENDING)
    world.post()
    lines = world.journal.lines
    assert (
        lines.index("leases.acquire") < lines.index(f"send {TOKEN}") < lines.index(KEEP) < lines.index("leases.release")
    )


def test_a_process_that_dies_before_it_can_use_the_new_token_leaves_it_for_the_next() -> None:
    world = oauth(ENDING)
    order = [
        "access.admit",
        "access.account",
        *["secrets.account"] * 2,
        "leases.acquire",
        "secrets.account",
        "secrets.app",
        f"send {TOKEN}",
        KEEP,
    ]
    world.journal.die(len(order) - 1, "after")
    with pytest.raises(CrashError):
        world.post()
    assert world.journal.lines == order
    world.journal.revive()
    world.new_process()
    assert world.post().status == 201
    assert world.crm.lines == [TOKEN, LEAD]


def test_what_a_refresh_tells_is_kept_and_what_it_leaves_out_stays() -> None:
    world = oauth({**ENDING, "note": "ours"})
    world.post()
    assert stored(world) == {
        "access_token": "fresh-1",
        "refresh_token": "refresh-1",
        "expires_at": int(START) + 1800,
        "note": "ours",
    }


def test_a_rotated_refresh_token_is_kept() -> None:
    world = oauth(ENDING, "new")
    world.crm.token_turns.append(answers(200, {"access_token": "new", "refresh_token": "refresh-2", "expires_in": 60}))
    world.post()
    assert stored(world)["refresh_token"] == "refresh-2"


def test_an_answer_without_an_end_forgets_the_old_end() -> None:
    world = oauth(ENDING, "new")
    world.crm.token_turns.append(answers(200, {"access_token": "new"}))
    assert world.post().status == 201
    assert "expires_at" not in stored(world)
    assert world.post().status == 201
    assert world.crm.lines == [TOKEN, LEAD, LEAD]


def test_an_end_that_is_written_as_a_string_is_understood() -> None:
    world = oauth(ENDING, "new")
    world.crm.token_turns.append(answers(200, {"access_token": "new", "expires_in": "90"}))
    world.post()
    assert stored(world)["expires_at"] == int(START) + 90


# --- one at a time ---------------------------------------------------------------------------------------------------


def test_a_crowd_that_finds_the_token_ended_makes_one_refresh() -> None:
    crowd = 8
    world = oauth(ENDING)
    barrier = threading.Barrier(crowd, timeout=5)
    waited = threading.local()

    def sleep(
        seconds: float,
    ) -> None:  # those without the lease: the first time all meet, then the holder gets its answer
        if not getattr(waited, "once", False):
            waited.once = True
            barrier.wait()
        else:
            threading.Event().wait(0.001)

    def slow(crm: worlds.MemoryCRM, request: Request) -> Response:
        barrier.wait()
        return crm.serve(request)

    world.clock.sleep = sleep
    world.crm.token_turns.extend([slow] * crowd)
    found: list[Credentials] = []
    threads = [threading.Thread(target=lambda: found.append(current(world))) for _ in range(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert world.crm.lines == [TOKEN]
    assert [each["access_token"] for each in found] == ["fresh-1"] * crowd
    assert world.leases.held == {}


def test_who_loses_the_lease_waits_and_reads_what_the_winner_stored() -> None:
    world = oauth(ENDING)
    world.leases.acquire(BRAND, f"token#{ACCOUNT}", "another", now=START, seconds=LEASE_SECONDS)
    calm = world.clock.sleep

    def finish(seconds: float) -> None:
        calm(seconds)
        if len(world.clock.slept) == 4:
            world.secrets.keep(BRAND, ACCOUNT, FRESH)

    world.clock.sleep = finish
    assert current(world)["access_token"] == "good"
    assert world.crm.sent == []


def test_who_gets_the_lease_too_late_reads_once_more_before_refreshing() -> None:
    world = oauth(ENDING)
    acquire = world.leases.acquire

    def late(*args: Any, **how: Any) -> bool:
        world.secrets.keep(BRAND, ACCOUNT, FRESH)
        return acquire(*args, **how)

    world.leases.acquire = late
    assert current(world)["access_token"] == "good"
    assert world.crm.sent == []
    assert world.leases.held == {}


def test_the_lease_of_a_dead_process_runs_out() -> None:
    world = oauth(ENDING)
    world.leases.acquire(BRAND, f"token#{ACCOUNT}", "dead", now=START - LEASE_SECONDS - 1, seconds=LEASE_SECONDS)
    assert current(world)["access_token"] == "fresh-1"


def test_who_waits_for_another_does_not_wait_beyond_its_own_time() -> None:
    world = oauth(ENDING)
    world.leases.acquire(BRAND, f"token#{ACCOUNT}", "another", now=START, seconds=LEASE_SECONDS)
    with pytest.raises(Problem) as raised:
        current(world, Deadline(START + 5, world.clock))
    assert raised.value.kind is Kind.CRM_TIMEOUT
    assert world.clock.now() <= START + 5
    assert world.leases.held[BRAND, f"token#{ACCOUNT}"][0] == "another"


def test_two_accounts_are_renewed_side_by_side() -> None:
    world = oauth(ENDING)
    world.leases.acquire(BRAND, "token#11111111-1111-4111-8111-111111111111", "another", now=START, seconds=60)
    assert current(world)["access_token"] == "fresh-1"


ENDS: dict[str, Turn] = {
    "success": lambda crm, request: crm.serve(request),
    "invalid_grant": answers(400, {"error": "invalid_grant"}),
    "our client": answers(401, {"error": "invalid_client"}),
    "throttled": answers(429, {}),
    "500": answers(500, {}),
    "no token": answers(200, {}),
    "html": answers(200, "<html>", readable=False),
    "no connection": refuses_connection(),
    "silence": worlds.times_out(),
    "a fault of ours": lambda crm, request: 1 // 0,  # type: ignore[dict-item,return-value]
}


@pytest.mark.parametrize("end", ENDS)
def test_the_lease_is_given_back_however_the_refresh_ends(end: str) -> None:
    world = oauth(ENDING)
    world.crm.token_turns.append(ENDS[end])
    try:
        current(world)
    except (Problem, ZeroDivisionError):
        assert end != "success"
    assert world.leases.held == {}
    assert "leases.acquire" in world.journal.lines


# --- when it fails ---------------------------------------------------------------------------------------------------


def test_a_refusal_is_not_believed_where_the_stored_token_changed_meanwhile() -> None:
    world = oauth(ENDING, "good")

    def lost(crm: worlds.MemoryCRM, request: Request) -> Response:
        world.secrets.keep(BRAND, ACCOUNT, FRESH)
        return answers(400, {"error": "invalid_grant"})(crm, request)

    world.crm.token_turns.append(lost)
    assert world.post().status == 201
    assert world.crm.sent[-1].bearer == "good"
    assert (world.status, world.access.marks) == ("active", [])


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_refresh_token_is_the_accounts_end(status: int) -> None:
    world = oauth(ENDING)
    world.crm.token_turns.append(answers(status, {"error": "invalid_grant"}))
    reply = world.post()
    body = parsed(reply)
    assert (reply.status, body["truto_is_remote_error"]) == (401, True)
    assert body["crm_code"] == "invalid_grant"
    assert world.crm.lines == [TOKEN]
    assert world.access.marks == [
        {"status": "needs_reauth", "last_error": "invalid_grant", "retried_at": int(world.clock.now())}
    ]
    assert stored(world) == ENDING


@pytest.mark.parametrize(
    "turn",
    [
        answers(500, {}),
        answers(502, "<html>", readable=False),
        answers(200, {}),
        answers(401, {"error": "invalid_client"}),
        answers(403, {"error": "forbidden"}),
        refuses_connection(),
    ],
    ids=["500", "502", "no token", "our client", "403", "no connection"],
)
@pytest.mark.parametrize("credentials", [ENDING, OAUTH_CREDENTIALS], ids=["ended", "refused"])
def test_a_token_endpoint_that_fails_is_502_and_the_account_stays_active(credentials: Credentials, turn: Turn) -> None:
    world = oauth(credentials)
    world.crm.token_turns.append(turn)
    reply = world.post()
    assert (reply.status, parsed(reply)["type"].rpartition("#")[2]) == (502, "crm-unavailable")
    assert (world.status, world.access.marks) == ("active", [])
    assert world.post().status == 201


@pytest.mark.parametrize("turn", [answers(500, {}), answers(429, {}), refuses_connection()])
def test_a_token_that_still_lives_is_used_where_it_cannot_be_renewed_early(turn: Turn) -> None:
    world = oauth({**OAUTH_CREDENTIALS, "expires_at": START + 30}, "stale-token")
    world.crm.token_turns.append(turn)
    assert world.post().status == 201
    assert world.crm.sent[-1].bearer == "stale-token"


def test_a_token_that_still_lives_is_used_while_another_renews_it() -> None:
    world = oauth({**OAUTH_CREDENTIALS, "expires_at": START + 30}, "stale-token")
    world.leases.acquire(BRAND, f"token#{ACCOUNT}", "another", now=START, seconds=LEASE_SECONDS)
    assert world.post().status == 201
    assert world.clock.slept == []


def test_a_token_endpoint_that_throttles_is_429_and_the_account_stays_active() -> None:
    world = oauth(ENDING)
    world.crm.token_turns.append(answers(429, {}))
    reply = world.post()
    assert reply.status == 429
    assert int(reply.headers["retry-after"]) > 0
    assert world.status == "active"


def test_a_token_endpoint_that_is_silent_says_nothing_about_records_and_the_account_stays_active() -> None:
    world = oauth(ENDING)
    world.crm.token_turns.append(worlds.times_out())
    assert kind(world) in ("crm-timeout", "crm-unavailable")
    assert world.status == "active"


def test_the_words_of_a_token_endpoint_are_not_passed_on_for_they_may_repeat_what_we_sent() -> None:
    world = oauth(ENDING)
    world.crm.token_turns.append(answers(400, {"error": "invalid_grant", "you_sent": "refresh-1 our-client-secret"}))
    reply = world.post()
    assert b"refresh-1" not in reply.body
    assert b"our-client-secret" not in reply.body


def test_credentials_that_are_gone_are_the_accounts_end() -> None:
    world = oauth(FRESH)
    del world.secrets.accounts[BRAND, ACCOUNT]
    assert kind(world) == "needs-reauth"
    assert world.status == "needs_reauth"


# --- API keys --------------------------------------------------------------------------------------------------------


def test_a_refused_api_key_is_read_again_and_a_new_one_used() -> None:
    world = World()
    world.post()
    world.crm.accepted = {"new-key"}
    world.secrets.keep(BRAND, ACCOUNT, {"api_key": "new-key"})
    assert world.post(idempotency="k").status == 201
    assert [sent.bearer for sent in world.crm.sent] == ["vendor-key", "vendor-key", "new-key"]


def test_a_refused_api_key_that_is_still_the_stored_one_is_the_accounts_end_in_the_crms_own_words() -> None:
    world = World()
    world.crm.accepted = set()
    reply = world.post()
    assert (reply.status, parsed(reply)["message"]) == (401, "Who are you?")
    assert world.crm.lines == [LEAD]
    assert world.status == "needs_reauth"
    assert "leases.acquire" not in world.journal.lines


# --- an account that needs to be connected again ---------------------------------------------------------------------


def lost(world: World) -> World:
    """The account has just been given up."""
    world.crm.accepted = set()
    world.post()
    assert world.status == "needs_reauth"
    world.crm.sent.clear()
    return world


def test_it_is_tried_at_most_once_a_minute() -> None:
    world = lost(World())
    tries: list[float] = []
    for second in range(150):
        world.crm.sent.clear()
        reply = world.post()
        body = parsed(reply)
        assert (reply.status, body["truto_is_remote_error"]) == (401, True)
        if world.crm.sent:
            tries.append(second)
        world.clock.pass_(1)
    assert tries == [60, 120]


def test_a_success_makes_it_active_again() -> None:
    world = lost(World())
    world.crm.accepted = None
    world.clock.pass_(60)
    assert world.post().status == 201
    assert world.status == "active"
    world.access.marks.clear()
    assert world.post().status == 201
    assert world.access.marks == []


@pytest.mark.parametrize("turn", [answers(422, {}), answers(403, {}), answers(429, {}), answers(500, {})])
def test_any_answer_but_a_refused_token_makes_it_active_again(turn: Turn) -> None:
    world = lost(World())
    world.crm.accepted = None
    world.clock.pass_(60)
    world.crm.turns.append(turn)
    world.post()
    assert world.status == "active"


@pytest.mark.parametrize("turn", [answers(403, {"code": "dead_token"}), refuses_connection(), worlds.times_out()])
def test_no_answer_or_one_that_names_a_dead_token_leaves_it_as_it_is(turn: Turn) -> None:
    world = lost(World())
    world.crm.accepted = None
    world.clock.pass_(60)
    world.crm.turns.append(turn)
    world.post()
    assert world.status == "needs_reauth"


def test_a_failure_of_another_kind_does_not_give_an_account_up() -> None:
    for turn in (answers(403, {}), answers(500, {}), answers(429, {}), answers(422, {}), refuses_connection()):
        world = World()
        world.crm.turns.append(turn)
        world.post()
        assert world.status == "active"


def test_the_note_on_the_account_holds_no_secret() -> None:
    world = World()
    world.crm.accepted = set()
    world.post()
    assert "vendor-key" not in repr(world.access.marks)


@pytest.mark.parametrize("field", ["retried_at", "status", "last_error"])
def test_the_note_says_since_when_and_why(field: str) -> None:
    world = lost(World())
    assert field in world.access.marks[0]


def test_a_live_try_is_taken_before_the_crm_is_asked() -> None:
    world = lost(World())
    world.clock.pass_(60)
    world.journal.lines.clear()
    world.post()
    lines: Callable[[str], int] = world.journal.lines.index
    assert lines("access.may_retry") < lines(f"send {LEAD}")
