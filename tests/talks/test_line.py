"""The line to a CRM: to which host a request goes, and what of its answers is kept from callers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.crm import wire
from switchboard.crm.auth import Credentials
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Response, Talk
from switchboard.talks.line import Line, redacted
from tests.worlds import (
    ACCOUNT,
    BRAND,
    CRMS,
    OAUTH_CREDENTIALS,
    PATH,
    START,
    World,
    answers,
    drops,
    parsed,
    refuses_connection,
    serves,
)


def line(world: World) -> Line:
    """A line to the world's account."""
    account = world.access.accounts[BRAND, ACCOUNT]
    return Line(world.services, world.tokens, CRMS[account.crm], account, world.deadline)


def origins(world: World) -> list[str]:
    return [sent.origin for sent in world.crm.sent]


# --- hosts -----------------------------------------------------------------------------------------------------------


def test_an_account_without_a_host_of_its_own_is_at_the_vendors() -> None:
    world = World()
    world.post()
    assert origins(world) == ["https://api.acme.example"]


def test_an_account_with_a_host_of_its_own_is_there() -> None:
    world = World(origin="https://tenant.acme.example")
    world.post()
    assert origins(world) == ["https://tenant.acme.example"]


def test_the_host_that_a_token_came_with_is_nearer_than_that_of_the_account() -> None:
    credentials = {**OAUTH_CREDENTIALS, "expires_at": START + 9999, "origin": "https://moved.acme.example"}
    world = World(origin="https://tenant.acme.example", credentials=credentials)
    world.post()
    assert origins(world) == ["https://moved.acme.example"]


FOREIGN = [
    "https://evil.example",
    "http://tenant.acme.example",
    "https://acme.example.evil.example",
    "https://notacme.example",
    "https://tenant.acme.example:8443",
    "https://tenant.acme.example/path",
    "https://tenant.acme.example?x=1",
    "https://user@tenant.acme.example",
    "https://evil.example/.acme.example",
    "https://evil.example#.acme.example",
    "https://evil.example\\.acme.example",
    "https://169.254.169.254",
    "https://localhost",
    "//tenant.acme.example",
    "tenant.acme.example",
    "https://",
    "javascript:alert(1)//.acme.example",
    "https://tenant.acme.example\r\nhost: evil.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_host_that_is_not_the_vendors_is_refused_before_anything_is_sent(origin: str) -> None:
    world = World(origin=origin)
    problem = world.problem()
    assert (problem.kind, problem.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)
    assert world.crm.sent == []


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_host_that_came_with_a_token_is_checked_the_same_way(origin: str) -> None:
    world = World(credentials={**OAUTH_CREDENTIALS, "expires_at": START + 9999, "origin": origin})
    assert world.problem().kind is Kind.CRM_UNAVAILABLE
    assert world.crm.sent == []


def test_a_refused_host_leaves_no_idempotency_record() -> None:
    world = World(origin="https://evil.example")
    assert world.post(idempotency="k").status == 502
    assert world.claims.records == {}


def test_a_crm_whose_accounts_have_hosts_of_their_own_has_no_other() -> None:
    world = World("brief")
    account = world.access.accounts[BRAND, ACCOUNT]
    world.connect("brief", origin="")
    assert account.origin
    assert world.problem().kind is Kind.CRM_UNAVAILABLE
    assert world.crm.sent == []


@pytest.mark.parametrize("own", [None, "https://tenant.acme.example"])
def test_a_refresh_goes_to_the_token_host_and_never_to_that_of_the_account(own: str | None) -> None:
    world = World(origin=own, credentials={**OAUTH_CREDENTIALS, "expires_at": 0, "origin": own})
    world.post()
    assert origins(world) == ["https://login.acme.example", own or "https://api.acme.example"]


def test_a_token_host_of_the_settings_is_checked_as_well() -> None:
    credentials = {**OAUTH_CREDENTIALS, "expires_at": 0}
    world = World(credentials=credentials, settings={"token_origin": "https://evil.example"})
    assert world.problem().kind is Kind.CRM_UNAVAILABLE
    assert world.crm.sent == []


def test_a_local_origin_stands_in_for_every_host_of_its_crm_and_for_no_other_crm() -> None:
    world = World(credentials={**OAUTH_CREDENTIALS, "expires_at": 0})
    world.origins["acme"] = "http://127.0.0.1:9999/acme"
    world.post()
    assert origins(world) == ["http://127.0.0.1:9999/acme"] * 2
    other = World("linked")
    other.origins["acme"] = "http://127.0.0.1:9999/acme"
    other.post({"title": "x", "account": {"id": "1"}})
    assert origins(other) == ["https://api.linked.example"]


@pytest.mark.parametrize("where", ["origin", "settings", "credentials"])
def test_an_account_cannot_name_a_local_origin_by_itself(where: str) -> None:
    local = "http://127.0.0.1:9999"
    credentials: Credentials = {**OAUTH_CREDENTIALS, "expires_at": START + 9999}
    more: dict[str, dict[str, Any]] = {
        "origin": {"origin": local},
        "settings": {"settings": {"origin": local, "acme": local}},
        "credentials": {},
    }
    if where == "credentials":
        credentials = {**credentials, "origin": local}
    world = World("acme", credentials=credentials, **more[where])
    world.post()
    assert local not in origins(world)


# --- what callers do not see -----------------------------------------------------------------------------------------


def test_credentials_that_a_vendor_repeats_are_taken_out_of_its_words() -> None:
    world = World(credentials={**OAUTH_CREDENTIALS, "access_token": "marker-a", "refresh_token": "marker-r"})
    told = {"message": "Bad token marker-a!", "list": ["x marker-r x", 7, None, {"deep": "marker-a"}]}
    world.crm.turns.append(answers(422, told))
    body = parsed(world.post())
    assert body["raw_response"] == {
        "message": "Bad token [redacted]!",
        "list": ["x [redacted] x", 7, None, {"deep": "[redacted]"}],
    }
    assert body["message"] == "Bad token [redacted]!"


def test_credentials_in_a_text_are_taken_out_as_well() -> None:
    world = World()
    world.crm.turns.append(answers(400, "<p>vendor-key is wrong</p>", readable=False))
    assert parsed(world.post())["raw_response"] == "<p>[redacted] is wrong</p>"


def test_credentials_in_a_name_are_taken_out_as_well() -> None:
    world = World()
    world.crm.turns.append(answers(400, {"vendor-key": "is wrong"}))
    assert b"vendor-key" not in world.post().body


def test_credentials_in_a_header_that_is_passed_on_are_taken_out_as_well() -> None:
    world = World()
    world.crm.turns.append(answers(400, {}, {"x-acme-debug": "key=vendor-key"}))
    assert "vendor-key" not in str(dict(world.post().headers))


def test_a_success_may_hold_whatever_the_record_holds() -> None:
    world = World(credentials={"api_key": "lead"})
    world.crm.turns.append(serves())
    assert parsed(world.post({"title": "a lead"}))["title"] == "a lead"


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just("xx marker xx"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
))  # fmt: skip
def test_no_secret_survives_redaction_and_all_else_does(value: Any) -> None:
    clean = redacted(value, ("marker",))
    assert "marker" not in repr(clean)
    assert redacted(clean, ("marker",)) == clean
    assert repr(clean) == repr(value).replace("marker", "[redacted]")


# --- holding a conversation ------------------------------------------------------------------------------------------


def two_steps() -> Talk[list[int]]:
    first = yield wire.get("/one")
    second = yield wire.get("/two")
    return [first.status, second.status]


def test_a_conversation_is_held_to_its_end_over_one_line() -> None:
    world = World()
    world.crm.turns += [answers(200), answers(202)]
    held = line(world)
    assert held.hold(two_steps()) == [200, 202]
    assert (held.calls, held.last) == (2, Response(202))
    assert world.crm.lines == ["GET /one", "GET /two"]


def test_what_goes_wrong_is_raised_inside_the_conversation_so_that_it_may_react() -> None:
    def brave() -> Talk[str]:
        try:
            yield wire.get("/one")
        except Problem as problem:
            return f"saw {problem.kind}"
        return "saw nothing"

    world = World()
    world.crm.turns.append(refuses_connection())
    assert line(world).hold(brave()) == "saw crm-unavailable"


def test_what_a_conversation_does_not_catch_comes_out_with_the_name_of_the_crm() -> None:
    world = World()
    world.crm.turns.append(drops(stored=False))
    with pytest.raises(Problem) as raised:
        line(world).hold(two_steps())
    assert raised.value.crm == "acme"


def test_a_conversation_that_asks_nothing_needs_no_credentials() -> None:
    def silent() -> Talk[int]:
        yield from ()
        return 7

    world = World()
    assert line(world).hold(silent()) == 7
    assert world.journal.lines == []


def test_every_request_is_signed_and_keeps_its_own_headers() -> None:
    def one() -> Talk[None]:
        yield wire.Request("GET", PATH, headers={"x-own": "1"}, safe=True)

    world = World()
    line(world).hold(one())
    assert world.crm.sent[0].request.headers == {"x-own": "1", "authorization": "Bearer vendor-key"}


def test_the_vendors_limit_is_that_of_its_last_answer() -> None:
    world = World()
    rate = {"x-acme-limit": "9", "x-acme-remaining": "8", "x-acme-reset": "7"}
    world.crm.turns += [serves({**rate, "x-acme-remaining": "1"}), serves(rate)]
    held = line(world)
    assert held.rate is None
    held.hold(two_steps())
    assert held.rate is not None
    assert (held.rate.limit, held.rate.remaining, held.rate.reset) == (9, 8, 7)
