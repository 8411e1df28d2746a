"""The only sockets. Time-outs, the retry rule, host pinning and redaction live here, and nowhere else.

What is retried: a connection that was refused, always; a safe request that met a 429 or a 5xx, or that got no answer,
within the deadline. An unsafe request that may have left us, never.
"""

import json

import httpx

from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Clock, Deadline

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 20.0
"""How long one exchange may take, when the deadline leaves that much."""
ATTEMPTS = 3
BIGGEST_ANSWER = 5 * 1024 * 1024
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Sender:
    """Sends requests to vendors over one pool of connections."""

    def __init__(self, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        self._clock = clock
        # Connections may not outlive a freeze of the function: a dead one would make outcomes unknown.
        limits = httpx.Limits(max_connections=64, keepalive_expiry=5)
        transport = transport or httpx.HTTPTransport(limits=limits, trust_env=False)
        self._client = httpx.Client(transport=transport, follow_redirects=False, trust_env=False)

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        """Send one request. Raises `crm-unavailable` or `crm-timeout` with what is certain about its outcome."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._exchange(request, origin, deadline)
            except NOT_SENT as fault:
                if last or not self._wait(0.1 * 2**attempt, deadline):
                    raise Problem(Kind.CRM_UNAVAILABLE, "The CRM could not be reached.") from fault
            except httpx.RequestError as fault:
                if last or not request.safe or not self._wait(0.1 * 2**attempt, deadline):
                    raise _unanswered(request, fault) from fault
            else:
                again = request.safe and response.status in RETRY_STATUSES and not last
                if not again or not self._wait(_told(response, 0.2 * 2**attempt), deadline):
                    return response
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close the connections. A function never does: it is frozen with them open."""
        self._client.close()

    def _exchange(self, request: Request, origin: str, deadline: Deadline) -> Response:
        seconds = deadline(ANSWER_SECONDS)
        if seconds <= 0:
            raise Problem(Kind.CRM_TIMEOUT, "No time was left to ask the CRM.")
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        outgoing = self._client.build_request(
            request.method,
            origin + request.path,
            params=dict(request.query) or None,
            json=request.json,
            data=dict(request.form) if request.form is not None else None,
            headers={"accept": "application/json", "user-agent": "switchboard", **request.headers},
            timeout=timeout,
        )
        ends = self._clock.now() + seconds
        answer = self._client.send(outgoing, stream=True)
        try:
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > BIGGEST_ANSWER or self._clock.now() > ends:
                    raise httpx.ReadTimeout("the answer is too long", request=outgoing)
        finally:
            answer.close()
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
        return Response(status, headers, json.loads(content))
    except ValueError:
        return Response(status, headers, content.decode(errors="replace"), readable=False)


def _told(response: Response, otherwise: float) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else otherwise


def _unanswered(request: Request, fault: httpx.RequestError) -> Problem:
    outcome = Outcome.NOTHING if request.safe else Outcome.UNKNOWN
    if isinstance(fault, httpx.TimeoutException):
        return Problem(Kind.CRM_TIMEOUT, "The CRM did not answer in time.", outcome=outcome)
    return Problem(Kind.CRM_UNAVAILABLE, "The CRM dropped the connection.", outcome=outcome)
