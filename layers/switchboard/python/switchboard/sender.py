"""The only sockets. Time-outs, the retry rule, host pinning and redaction live here, and nowhere else.

What is retried: a connection that was refused, always; a safe request that met a 429 or a 5xx, or that got no answer,
within the deadline. An unsafe request that may have left us, never.
"""

import json
import math
import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from itertools import accumulate, count
from operator import sub
from typing import Any

import httpcore
import httpx

from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Clock, Deadline

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 20.0
"""How long one exchange may take, when the deadline leaves that much."""
ATTEMPTS = 3
BIGGEST_ANSWER = 2 * 1024 * 1024
"""Bytes. What we answer holds it, and its fields once more, and may have 6 MB."""
BIGGEST_PAGE = 32 * 1024 * 1024
"""Bytes of a page that is stored, and answered to nobody."""
DEEPEST_ANSWER = 100
BRACKETS = b"[{]}"
NO_BRACKETS = bytes(set(range(256)).difference(BRACKETS))
STEPS = bytes.maketrans(BRACKETS, bytes((2, 2, 0, 0)))
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


_ends: ContextVar[float] = ContextVar("ends", default=math.inf)
"""When the exchange that is under way has to be over, by the monotonic clock."""


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the exchange: a vendor that answers letter by letter is cut off."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    @staticmethod
    def _left(timeout: float | None, over: type[Exception]) -> float | None:
        left = _ends.get() - time.monotonic()
        if left <= 0:
            raise over("the time for this exchange is over")
        return timeout if math.isinf(left) else left if timeout is None else min(timeout, left)


class _Backend(httpcore.SyncBackend):
    """Sockets as httpcore makes them, and a watch over each."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class Transport(httpx.HTTPTransport):
    """httpx's own transport, on connections that know when the exchange has to be over.

    Connections may not outlive a freeze of the function: a dead one would make outcomes unknown.
    """

    def __init__(self) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx has no argument for the sockets of its pool.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=64, keepalive_expiry=5, network_backend=_Backend()
        )


class Sender:
    """Sends requests to vendors over one pool of connections."""

    def __init__(
        self, clock: Clock, transport: httpx.BaseTransport | None = None, *, biggest: int = BIGGEST_ANSWER
    ) -> None:
        self._clock = clock
        self._biggest = biggest
        self._client = httpx.Client(transport=transport or Transport(), follow_redirects=False, trust_env=False)
        # One account's cookies must never be sent with another's requests.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        """Send one request. Raises `crm-unavailable` or `crm-timeout` with what is certain about its outcome."""
        doubtful = False
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._exchange(request, origin, deadline)
            except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeEncodeError):
                # Its text may hold the credential that could not be written into a header.
                detail = "The request could not be written down; the account's credentials may be damaged."
                raise Problem(Kind.CRM_UNAVAILABLE, detail) from None
            except NOT_SENT as fault:
                if last or not self._wait(0.1 * 2**attempt, deadline):
                    raise Problem(Kind.CRM_UNAVAILABLE, "The CRM could not be reached.") from fault
            except httpx.RequestError as fault:
                if last or not request.safe or not self._wait(0.1 * 2**attempt, deadline):
                    raise _unanswered(request, fault) from fault
                doubtful = True
            else:
                if doubtful and request.method == "DELETE" and response.status in (404, 410):
                    return Response(204)  # the removal whose answer was lost has done it
                # A 429 without a wait means seconds at every vendor here: trying sooner only feeds it.
                wait = _told(response, 0.2 * 2**attempt if response.status >= 500 else None)
                if last or not request.safe or wait is None or not self._wait(wait, deadline):
                    return response
                doubtful = doubtful or response.status >= 500
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Give the connections back. A function never does: it is frozen with them open."""
        self._client.close()

    def _exchange(self, request: Request, origin: str, deadline: Deadline) -> Response:
        seconds = deadline(ANSWER_SECONDS)
        if seconds <= 0:
            raise Problem(Kind.CRM_TIMEOUT, "No time was left to ask the CRM.")
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        outgoing = self._client.build_request(
            request.method,
            origin + request.path,
            params=(*request.query.items(), *request.passed) or None,
            json=request.json,
            data=dict(request.form) if request.form is not None else None,
            headers={"accept": "application/json", "user-agent": "switchboard", **request.headers},
            timeout=timeout,
        )
        limited = _ends.set(time.monotonic() + seconds)
        try:
            answer = self._client.send(outgoing, stream=True)
            try:
                content = bytearray()
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > self._biggest:
                        raise httpx.ReadError("the answer is too long", request=outgoing)
            finally:
                answer.close()
        finally:
            _ends.reset(limited)
        return _read(answer.status_code, dict(answer.headers), bytes(content))

    def _wait(self, seconds: float, deadline: Deadline) -> bool:
        """Wait, if the deadline leaves time for that and for another exchange."""
        if deadline.left < seconds + 1:
            return False
        self._clock.sleep(seconds)
        return True


def _read(status: int, headers: dict[str, str], content: bytes) -> Response:
    """An answer with its JSON read. A body that claims to be JSON and is not, or a page of HTML, is its text."""
    if not content.strip():
        return Response(status, headers, None)
    try:
        if _depth(content) > DEEPEST_ANSWER:
            raise ValueError("too deep")
        body = json.loads(content, parse_constant=_nothing, parse_float=_finite)
        # Half a surrogate pair is JSON and no text; it could not be written again.
        whole = json.dumps(body, ensure_ascii=False).encode(errors="replace") if b"\\u" in content else None
        return Response(status, headers, body if whole is None else json.loads(whole))
    except (ValueError, RecursionError):
        return Response(status, headers, content.decode(errors="replace"), readable=False)


def _depth(content: bytes) -> int:
    """How deep brackets may nest at the most; brackets within strings count, too."""
    if content.count(b"[") + content.count(b"{") <= DEEPEST_ANSWER:
        return 0
    # One that opens counts 2, and one for each is taken off again: a loop over a page of 32 MB would take seconds.
    steps = content.translate(STEPS, NO_BRACKETS)
    deepest = max(map(sub, accumulate(steps), count(1)))
    return max(deepest, 0)


def _nothing(_: str) -> None:
    """NaN and Infinity are no JSON; what a vendor means by them is no number."""


def _finite(written: str) -> float | None:
    number = float(written)
    return number if math.isfinite(number) else None


def _told(response: Response, otherwise: float | None) -> float | None:
    """Seconds to wait before the same request is sent again; None where that makes no sense."""
    told = response.headers.get("retry-after", "")
    if response.status != 429 and response.status < 500:
        return None
    return float(told) if told.isdecimal() else otherwise


def _unanswered(request: Request, fault: httpx.RequestError) -> Problem:
    outcome = Outcome.NOTHING if request.safe else Outcome.UNKNOWN
    if isinstance(fault, httpx.TimeoutException):
        return Problem(Kind.CRM_TIMEOUT, "The CRM did not answer in time.", outcome=outcome)
    return Problem(Kind.CRM_UNAVAILABLE, "The CRM dropped the connection.", outcome=outcome)
