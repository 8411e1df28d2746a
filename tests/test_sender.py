"""The sender: the retry rule to the letter, the deadline, and what never leaves us or never comes in."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api.reply import result
from switchboard.crm import wire
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Deadline
from switchboard.sender import ATTEMPTS, BIGGEST_ANSWER, DEEPEST_ANSWER, Sender, _depth
from tests.worlds import HeldClock

ORIGIN = "https://api.acme.example"
GET = wire.get("/leads")
POST = wire.post("/leads", {"title": "é"})
SAFE_POST = wire.post("/search", {}, safe=True)
DELETE = wire.delete("/leads/1")

type Handler = Callable[[httpx.Request], httpx.Response]


class Vendor:
    """A vendor behind httpx's own seam: takes the turns it was given, the last one for ever."""

    def __init__(self, *turns: Handler | int | type[httpx.RequestError] | httpx.Response) -> None:
        self.turns = list(turns)
        self.got: list[httpx.Request] = []
        self.clock = HeldClock()
        self.sender = Sender(self.clock, httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, int):
            return httpx.Response(turn, json={"status": turn})
        if isinstance(turn, httpx.Response):
            return turn
        if isinstance(turn, type):
            raise turn("it broke", request=request)
        return turn(request)

    def send(self, request: Request = GET, seconds: float = 27.5) -> Response:
        return self.sender(request, ORIGIN, Deadline(self.clock.now() + seconds, self.clock))

    def problem(self, request: Request = GET, seconds: float = 27.5) -> Problem:
        with pytest.raises(Problem) as raised:
            self.send(request, seconds)
        return raised.value


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_a_request_goes_to_its_host_with_its_query_body_and_headers() -> None:
    vendor = Vendor(200)
    vendor.send(Request("POST", "/v1/leads", {"a[b]": "c d", "e": "é&"}, {"x": "é"}, headers={"authorization": "B t"}))
    [got] = vendor.got
    assert (got.method, got.url.scheme, got.url.host, got.url.path) == (
        "POST",
        "https",
        "api.acme.example",
        "/v1/leads",
    )
    assert parse_qsl(got.url.query.decode()) == [("a[b]", "c d"), ("e", "é&")]
    assert json.loads(got.content) == {"x": "é"}
    assert got.headers["content-type"] == "application/json"
    assert (got.headers["authorization"], got.headers["accept"]) == ("B t", "application/json")
    assert got.headers["user-agent"] == "switchboard"


def test_a_form_is_sent_as_a_form() -> None:
    vendor = Vendor(200)
    vendor.send(Request("POST", "/oauth/token", form={"grant_type": "refresh_token", "refresh_token": "a+b/c="}))
    [got] = vendor.got
    assert got.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(got.content.decode())) == {"grant_type": "refresh_token", "refresh_token": "a+b/c="}


@pytest.mark.parametrize("request_", [GET, DELETE])
def test_a_request_without_a_body_has_none(request_: Request) -> None:
    vendor = Vendor(200)
    vendor.send(request_)
    assert vendor.got[0].content == b""
    assert "content-type" not in vendor.got[0].headers


@pytest.mark.parametrize("body", [{}, [], [1]])
def test_an_empty_json_body_is_sent_all_the_same(body: Any) -> None:
    vendor = Vendor(200)
    vendor.send(wire.post("/x", body))
    assert json.loads(vendor.got[0].content) == body


def test_a_header_of_the_request_comes_before_ours() -> None:
    vendor = Vendor(200)
    vendor.send(Request("GET", "/", headers={"accept": "text/csv", "user-agent": "x"}))
    assert (vendor.got[0].headers["accept"], vendor.got[0].headers["user-agent"]) == ("text/csv", "x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [GET, POST])
def test_a_redirect_is_an_answer_and_is_not_followed(request_: Request, status: int) -> None:
    vendor = Vendor(httpx.Response(status, headers={"location": "https://evil.example/"}))
    assert vendor.send(request_).status == status
    assert len(vendor.got) == 1


def test_a_cookie_that_a_vendor_sets_for_one_account_is_not_sent_with_the_next() -> None:
    vendor = Vendor(httpx.Response(200, headers={"set-cookie": "session=of-the-first-account; Path=/"}), 200)
    vendor.send()
    vendor.send()
    assert "cookie" not in vendor.got[1].headers


# --- what comes back -------------------------------------------------------------------------------------------------


def answer(content: bytes, status: int = 200, **headers: str) -> Response:
    return Vendor(httpx.Response(status, content=content, headers=headers)).send()


def test_json_is_read_whatever_it_is_called() -> None:
    assert answer(b'{"a": [1, null]}', content_type="text/plain").body == {"a": [1, None]}


@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_an_empty_answer_is_nothing(content: bytes) -> None:
    found = answer(content, 204)
    assert (found.status, found.body, found.readable) == (204, None, True)


@pytest.mark.parametrize("content", [b"<html>no</html>", b'{"a":', b"OK", b"\xff\xfe\xfd"])
def test_what_is_no_json_is_text_and_said_to_be_unreadable(content: bytes) -> None:
    found = answer(content, 502)
    assert isinstance(found.body, str)
    assert not found.readable


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000])
def test_json_that_nobody_can_read_is_unreadable_and_no_accident(content: bytes) -> None:
    assert not answer(content).readable


@pytest.mark.parametrize("content", [b'{"a": NaN}', b'{"a": [Infinity]}', b'{"a": 1e999}', b'{"a": "\\ud800"}'])
def test_whatever_a_vendor_calls_json_can_be_answered_as_json(content: bytes) -> None:
    def no(name: str) -> None:
        raise ValueError(name)

    event = result(201, {"remote_data": answer(content).body}).event("0" * 16)
    json.loads(event["body"].encode(), parse_constant=no)


def test_names_of_headers_are_in_lower_case() -> None:
    found = Vendor(httpx.Response(200, headers={"X-HubSpot-Thing": "A", "Retry-After": "3"})).send()
    assert (found.headers["x-hubspot-thing"], found.headers["retry-after"]) == ("A", "3")


def test_an_answer_that_is_too_long_is_cut_off() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while read < 10 * BIGGEST_ANSWER:
            read += 65_536
            yield b"x" * 65_536

    vendor = Vendor(lambda _: httpx.Response(200, content=endless()))
    problem = vendor.problem(POST)
    assert problem.outcome is Outcome.UNKNOWN
    assert read <= BIGGEST_ANSWER + 2 * 65_536


def test_an_answer_of_the_biggest_size_is_taken() -> None:
    content = b'"' + b"x" * (BIGGEST_ANSWER - 2) + b'"'
    assert answer(content).readable


# --- the retry rule --------------------------------------------------------------------------------------------------

REFUSED = [httpx.ConnectError, httpx.ConnectTimeout]
BROKEN = [httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.RemoteProtocolError]
UNSAFE = [POST, Request("PATCH", "/leads/1", json={}), Request("POST", "/oauth/token", form={}, to="token")]


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("request_", [GET, *UNSAFE])
def test_a_connection_that_was_refused_is_tried_again_whatever_was_to_be_sent(request_: Request, fault: Any) -> None:
    vendor = Vendor(fault, fault, 200)
    assert vendor.send(request_).status == 200
    assert len(vendor.got) == ATTEMPTS
    assert vendor.clock.slept == sorted(vendor.clock.slept)


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("request_", [GET, *UNSAFE])
def test_a_connection_that_stays_refused_means_that_nothing_was_sent(request_: Request, fault: Any) -> None:
    vendor = Vendor(fault)
    problem = vendor.problem(request_)
    assert (problem.kind, problem.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)
    assert len(vendor.got) == ATTEMPTS


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("request_", UNSAFE)
def test_an_unsafe_request_is_never_sent_again_once_bytes_may_have_left(request_: Request, fault: Any) -> None:
    vendor = Vendor(fault, 200)
    problem = vendor.problem(request_)
    timeout = issubclass(fault, httpx.TimeoutException)
    assert problem.kind is (Kind.CRM_TIMEOUT if timeout else Kind.CRM_UNAVAILABLE)
    assert problem.outcome is Outcome.UNKNOWN
    assert len(vendor.got) == 1
    assert vendor.clock.slept == []


@pytest.mark.parametrize("fault", BROKEN)
def test_an_unsafe_request_is_not_sent_again_either_when_the_first_try_was_refused_and_the_second_broke(
    fault: Any,
) -> None:
    vendor = Vendor(httpx.ConnectError, fault, 200)
    assert vendor.problem(POST).outcome is Outcome.UNKNOWN
    assert len(vendor.got) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("request_", UNSAFE)
def test_an_unsafe_request_is_not_sent_again_for_any_status(request_: Request, status: int) -> None:
    vendor = Vendor(status, 200)
    assert vendor.send(request_).status == status
    assert len(vendor.got) == 1


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("request_", [GET, DELETE, SAFE_POST])
def test_a_safe_request_that_broke_is_sent_again(request_: Request, fault: Any) -> None:
    vendor = Vendor(fault, fault, 200)
    assert vendor.send(request_).status == 200


@pytest.mark.parametrize("first", [*BROKEN, 502])
@pytest.mark.parametrize("again", [404, 410])
def test_a_removal_whose_answer_was_lost_and_that_finds_nothing_left_has_been_done(first: Any, again: int) -> None:
    assert Vendor(first, again).send(DELETE).status == 204
    assert Vendor(again).send(DELETE).status == again, "what was never there is told as it is"
    assert Vendor(httpx.ConnectError, again).send(DELETE).status == again, "nothing had been sent"
    assert Vendor(first, again).send(GET).status == again


@pytest.mark.parametrize("fault", BROKEN)
def test_a_safe_request_that_stays_broken_changed_nothing(fault: Any) -> None:
    vendor = Vendor(fault)
    assert vendor.problem().outcome is Outcome.NOTHING
    assert len(vendor.got) == ATTEMPTS


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("request_", [GET, DELETE, SAFE_POST])
def test_a_safe_request_is_sent_again_after_a_5xx(request_: Request, status: int) -> None:
    vendor = Vendor(status, status, 200)
    assert vendor.send(request_).status == 200
    assert len(vendor.got) == ATTEMPTS


@pytest.mark.parametrize("status", [500, 502, 503])
def test_the_last_answer_is_given_when_all_tries_are_used_up(status: int) -> None:
    vendor = Vendor(status)
    assert vendor.send().status == status
    assert len(vendor.got) == ATTEMPTS


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 403, 404, 409, 410, 422])
def test_no_other_status_is_tried_again(status: int) -> None:
    vendor = Vendor(httpx.Response(status), 500)
    assert vendor.send().status == status
    assert len(vendor.got) == 1


def test_the_vendors_own_wait_comes_before_ours() -> None:
    vendor = Vendor(
        httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(503, headers={"retry-after": "2"}), 200
    )
    assert vendor.send().status == 200
    assert vendor.clock.slept == [7, 2]


@pytest.mark.parametrize("written", ["Sat, 21 Nov 2026 09:31:00 GMT", "soon", "-5", ""])
def test_a_wait_that_is_no_number_is_ours(written: str) -> None:
    vendor = Vendor(httpx.Response(503, headers={"retry-after": written}), 200)
    vendor.send()
    assert len(vendor.clock.slept) == 1
    assert 0 < vendor.clock.slept[0] < 2


def test_a_429_that_tells_no_wait_is_not_tried_again() -> None:
    vendor = Vendor(429, 200)
    assert vendor.send().status == 429
    assert vendor.clock.slept == []


def test_our_own_wait_grows() -> None:
    vendor = Vendor(503)
    vendor.send()
    assert len(vendor.clock.slept) == 2
    assert vendor.clock.slept[1] > vendor.clock.slept[0] > 0


# --- the deadline ----------------------------------------------------------------------------------------------------


def test_a_wait_that_the_deadline_does_not_leave_is_not_waited() -> None:
    vendor = Vendor(httpx.Response(429, headers={"retry-after": "60"}), 200)
    assert vendor.send(seconds=27).status == 429
    assert vendor.clock.slept == []


@pytest.mark.parametrize("turn", [503, httpx.ReadTimeout, httpx.ConnectError])
def test_nothing_is_tried_again_when_no_time_is_left_for_it(turn: Any) -> None:
    vendor = Vendor(turn)
    if turn == 503:
        assert vendor.send(seconds=1).status == 503
    else:
        assert vendor.problem(seconds=1).outcome is Outcome.NOTHING
    assert len(vendor.got) == 1
    assert vendor.clock.slept == []


@pytest.mark.parametrize("request_", [GET, POST])
def test_when_the_time_is_up_nothing_is_sent(request_: Request) -> None:
    vendor = Vendor(200)
    problem = vendor.problem(request_, seconds=0)
    assert (problem.kind, problem.outcome) == (Kind.CRM_TIMEOUT, Outcome.NOTHING)
    assert vendor.got == []


@pytest.mark.parametrize(("seconds", "most"), [(27.5, 20), (5, 5), (0.5, 0.5)])
def test_no_exchange_may_take_longer_than_the_deadline_leaves(seconds: float, most: float) -> None:
    vendor = Vendor(200)
    vendor.send(seconds=seconds)
    told = vendor.got[0].extensions["timeout"]
    assert max(told.values()) <= most
    assert told["connect"] <= min(3, most)


def test_all_tries_together_stay_within_the_deadline() -> None:
    vendor = Vendor(httpx.ConnectError)
    ends = vendor.clock.now() + 2

    def slow(request: httpx.Request) -> httpx.Response:
        vendor.clock.pass_(request.extensions["timeout"]["connect"])
        raise httpx.ConnectTimeout("slow", request=request)

    vendor.turns[:] = [slow]
    vendor.problem(seconds=2)
    assert vendor.clock.now() <= ends


# --- proxies ---------------------------------------------------------------------------------------------------------


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")) as origin:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert Sender(RealClock())(GET, origin, within(5)).body == {}


def test_no_credentials_of_a_netrc_file_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login marker password marker\n")
    monkeypatch.setenv("NETRC", str(netrc))
    got = list[bytes]()

    def serve(peer: socket.socket) -> None:
        got.append(peer.recv(65_536))
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    with listening(serve, read=False) as origin:
        Sender(RealClock())(GET, origin, within(5))
    assert b"authorization" not in got[0].lower()


# --- real sockets ----------------------------------------------------------------------------------------------------


class RealClock:
    """Time as it is; only the length of a stall on loopback is waited for."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing is tried again here, and yet {seconds} were to be waited")


def within(seconds: float) -> Deadline:
    return Deadline(time.monotonic() + seconds, RealClock())


@contextmanager
def listening(serve: Callable[[socket.socket], None], *, read: bool = True) -> Generator[str]:
    """A server on loopback that reads one request and then does this."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def run() -> None:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                if read:
                    read_request(peer)
                try:
                    serve(peer)
                except OSError:
                    return
                finally:
                    done.set()

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    thread.join(timeout=10)


def read_request(peer: socket.socket) -> None:
    """Read a request to its end; it may come in pieces."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += peer.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0:
        left -= len(peer.recv(left))


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def real(request: Request, origin: str, seconds: float = 0.9) -> Problem:
    """The problem that a request to a real socket ends in; too little time is left for another try."""
    with pytest.raises(Problem) as raised:
        Sender(RealClock())(request, origin, within(seconds))
    return raised.value


def test_a_port_where_nobody_listens_is_a_refused_connection() -> None:
    problem = real(POST, closed_port())
    assert (problem.kind, problem.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)


def test_a_connection_that_is_dropped_without_an_answer_leaves_doubt() -> None:
    with listening(lambda peer: None) as origin:
        problem = real(POST, origin)
    assert (problem.kind, problem.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.UNKNOWN)


def test_a_connection_that_is_dropped_in_the_middle_of_an_answer_leaves_doubt() -> None:
    with listening(lambda peer: peer.sendall(b'HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{"id":')) as origin:
        problem = real(POST, origin)
    assert (problem.kind, problem.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.UNKNOWN)


def test_an_answer_that_is_no_http_leaves_doubt() -> None:
    with listening(lambda peer: peer.sendall(b"220 mail.example ESMTP\r\n\r\n")) as origin:
        problem = real(POST, origin)
    assert problem.outcome is Outcome.UNKNOWN


def test_a_body_that_is_packed_wrongly_leaves_doubt() -> None:
    wrong = b"HTTP/1.1 201 Created\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"
    with listening(lambda peer: peer.sendall(wrong)) as origin:
        problem = real(POST, origin)
    assert problem.outcome is Outcome.UNKNOWN


def stalls(*pieces: bytes, every: float = 0.0) -> Callable[[socket.socket], None]:
    """A server that sends these, one by one, and then is silent until the other hangs up."""

    def serve(peer: socket.socket) -> None:
        for piece in pieces:
            peer.sendall(piece)
            threading.Event().wait(every)
        peer.recv(1)

    return serve


SLOW = {
    "never begins": stalls(),
    "stops in its headers": stalls(b"HTTP/1.1 200 OK\r\n"),
    "stops in its body": stalls(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"),
    "stops late in its body": stalls(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", b" ", every=0.9),
    "drips its body": stalls(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *[b" "] * 9, every=0.25),
    "drips its headers": stalls(b"HTTP/1.1 200 OK\r\n", *[b"x-a: b\r\n"] * 9, every=0.25),
}


@pytest.fixture(scope="module")
def slow() -> dict[str, tuple[Problem, float]]:
    """How each of them ended, and after how many seconds; all at once, for they only wait."""

    sender = Sender(RealClock())

    def try_(serve: Callable[[socket.socket], None]) -> tuple[Problem, float]:
        with listening(serve) as origin:
            began = time.monotonic()
            with pytest.raises(Problem) as raised:
                sender(POST, origin, within(1))
            return raised.value, time.monotonic() - began

    with ThreadPoolExecutor(len(SLOW)) as pool:
        return dict(zip(SLOW, pool.map(try_, SLOW.values()), strict=True))


@pytest.mark.parametrize("name", SLOW)
def test_a_vendor_is_given_up_at_the_deadline_however_it_is_slow(
    name: str, slow: dict[str, tuple[Problem, float]]
) -> None:
    problem, took = slow[name]
    assert (problem.kind, problem.outcome) == (Kind.CRM_TIMEOUT, Outcome.UNKNOWN)
    assert took < 1.6


def test_a_connection_is_used_again() -> None:
    peers = list[int]()

    def serve(peer: socket.socket) -> None:
        peers.append(peer.getpeername()[1])
        for _ in range(2):
            peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            peer.recv(65_536)

    with listening(serve) as origin:
        sender = Sender(RealClock())
        assert [sender(GET, origin, within(5)).status for _ in range(2)] == [200, 200]
        sender.close()
    assert len(peers) == 1


# --- what cannot be written or read ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["key\n", "kéy", "key\r\nx: y"])
def test_a_credential_that_cannot_stand_in_a_header_sends_nothing_and_is_in_no_error(key: str) -> None:
    clock = HeldClock()
    sender = Sender(clock)
    request = Request("POST", "/", json={}, headers={"authorization": f"Bearer {key}"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Problem) as raised:
            sender(request, origin, Deadline(clock.now() + 5, clock))
    sender.close()
    assert (raised.value.kind, raised.value.outcome) == (Kind.CRM_UNAVAILABLE, Outcome.NOTHING)
    assert raised.value.__suppress_context__
    assert key.strip() not in str(raised.value)


def test_an_answer_that_nests_too_deep_is_a_text() -> None:
    assert not answer(b"[" * 1200 + b"]" * 1200).readable
    assert answer(b"[" * 50 + b"]" * 50).readable
    assert answer(b"[" + b"{},".join([b""] * 500) + b"{}]").readable, "many brackets are not deep ones"


@given(st.lists(st.sampled_from(b"[]{}a\xff"), max_size=400).map(bytes))
def test_depth_is_counted_from_one_bracket_to_the_next(middle: bytes) -> None:
    """Whatever is closed before it was opened, as in a text that is no JSON."""
    content = middle + b"{}" * (DEEPEST_ANSWER + 1)
    depth = deepest = 0
    for byte in content:
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    assert _depth(content) == deepest
