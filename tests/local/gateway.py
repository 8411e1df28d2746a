"""An HTTP API of API Gateway, local: finds the route, makes the payload format 2.0 event, maps the answer back.

AWS: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
What that page leaves open follows observations on AWS that the comments name. Not emulated: throttling, CORS,
authorizers, access logs.
"""

import base64
import binascii
import contextlib
import json
import re
import socketserver
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from tests.local.emulator import InvocationError, PayloadTooLargeError, ThrottledError
from tests.local.process import LOOPBACK
from tests.local.template import ACCOUNT, Route

Invoke = Callable[[dict[str, Any]], Any]

BODY_LIMIT = 10 * 1024 * 1024
API_ID = "local"

# Which bodies arrive as text is not documented. Seen on AWS (github.com/ministackorg/ministack/pull/766): these and
# text/*; all others come in base64, a form and a body without a type among them.
TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}

# A connection's own headers end at the gateway; a length is counted anew.
NOT_PASSED_ON = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came in: nothing decoded, nothing joined."""

    method: str
    target: str  # path and query
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    source_ip: str = LOOPBACK
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """Decoded: an HTTP API decodes even rawPath, which is raw for a Function URL only
        (github.com/honojs/hono/issues/2156, github.com/middleapi/standard-server/pull/93)."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def message(cls, status: HTTPStatus, text: str | None = None) -> Self:
        """What API Gateway says by itself."""
        body = json.dumps({"message": text or status.phrase}, separators=(",", ":")).encode()
        return cls(status, (("content-type", "application/json"),), body)


class Routes:
    """Which function answers what: literal segments before variables, a whole match before {proxy+}, then $default."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._default = next((route for route in routes if route.path == "$default"), None)
        self._patterns = [
            (route, re.compile(_pattern(route.path)))
            for route in sorted(routes, key=_precedence)
            if route.path != "$default"
        ]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route, pattern in self._patterns:
            if route.method in (method, "ANY") and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return (self._default, {}) if self._default else None


def _pattern(path: str) -> str:
    def segment(part: str) -> str:
        if variable := re.fullmatch(r"\{(\w+)(\+?)\}", part):
            return f"(?P<{variable[1]}>{'.+' if variable[2] else '[^/]+'})"
        return re.escape(part)

    return "/".join(segment(part) for part in path.split("/"))


def _precedence(route: Route) -> tuple[Any, ...]:
    segments = route.path.split("/")
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in segments]
    return (2 in kinds, kinds, route.method == "ANY")


def event_of(request: Request, route: Route, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """The event in payload format 2.0. What a request does not have is left out of it, not null."""
    now = time.time()
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.lower(), []).append(value)
    cookies = [cookie.strip() for line in headers.pop("cookie", []) for cookie in line.split(";") if cookie.strip()]
    domain = ",".join(headers.get("host", [LOOPBACK])).partition(":")[0]
    headers.setdefault("x-amzn-trace-id", [f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}"])
    headers["x-forwarded-for"] = [", ".join([*headers.get("x-forwarded-for", []), request.source_ip])]
    headers["x-forwarded-port"], headers["x-forwarded-proto"] = ["443"], ["https"]
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": {name: ",".join(values) for name, values in headers.items()},
        **({"queryStringParameters": {name: ",".join(values) for name, values in query.items()}} if query else {}),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": ",".join(headers.get("user-agent", [])),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        **({"pathParameters": dict(path_parameters)} if path_parameters else {}),
        **_body(request.body, ",".join(headers.get("content-type", []))),
    }


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    if not body:
        return {"isBase64Encoded": False}
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT_TYPES:
        return {"body": body.decode(errors="replace"), "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def response_of(answer: Any) -> Response:
    """A handler's return value as an HTTP response; without a statusCode it is itself the body of a 200."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(200, (("content-type", "application/json"),), text.encode())
    try:
        return _written_out(answer)
    except (TypeError, ValueError, AttributeError, binascii.Error):
        return Response.message(HTTPStatus.INTERNAL_SERVER_ERROR)


def _written_out(answer: dict[str, Any]) -> Response:
    headers = {str(name).lower(): _text(value) for name, value in (answer.get("headers") or {}).items()}
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise TypeError("body is not a string")
    if body:
        headers.setdefault("content-type", "text/plain; charset=utf-8")
    return Response(
        int(answer["statusCode"]),
        (
            *((name, value) for name, value in headers.items() if name not in NOT_PASSED_ON),
            *(("set-cookie", cookie) for cookie in answer.get("cookies") or ()),
        ),
        base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode(),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Gateway:
    """The HTTP API on a socket of 127.0.0.1; functions are called by logical id, each by whatever can take an event."""

    def __init__(
        self, routes: Sequence[Route], functions: Mapping[str, Invoke], *, port: int = 0, log: Path | None = None
    ) -> None:
        self._routes = Routes(routes)
        self._functions = functions
        self._log = log
        gateway = self

        class Handler(_Handler):
            def respond(self, request: Request) -> Response:
                return gateway.respond(request)

        self._server = _Server((LOOPBACK, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="gateway", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def respond(self, request: Request) -> Response:
        if not (found := self._routes.find(request.method, request.path)):
            return Response.message(HTTPStatus.NOT_FOUND)
        route, path_parameters = found
        try:
            return response_of(self._functions[route.function](event_of(request, route, path_parameters)))
        except PayloadTooLargeError:
            return Response.message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        except ThrottledError:
            return Response.message(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # a function that raised, exited or ran out of time: API Gateway does not say which
            self._report(route, error)
            return Response.message(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _report(self, route: Route, error: Exception) -> None:
        known = isinstance(error, InvocationError)
        text = str(error) if known else "".join(traceback.format_exception(error))
        line = f"{route.key} > {route.function}: {text}"
        if not self._log:
            print(line, file=sys.stderr)
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as file:
            print(line, file=file)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    # http.server's own server asks DNS for the host's name; this one does not.
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection open must not hold up the end
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):  # a client may leave when it likes
            super().handle_error(request, client_address)


class _TooLargeError(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as they do in front of AWS
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per response

    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def _serve(self) -> None:
        try:
            body = self._read()
        except _TooLargeError:
            self.close_connection = True  # the rest of the body is still on its way
            response = Response.message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        except (ValueError, OSError):
            self.close_connection = True
            response = Response.message(HTTPStatus.BAD_REQUEST)
        else:
            source = str(self.client_address[0])
            headers = self.headers.items()
            response = self.respond(
                Request(self.command, self.path, headers, body, source, self.request_version)
            )  # fmt: skip
        with contextlib.suppress(ConnectionError):
            self._write(response)

    def _read(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_LIMIT:
            raise _TooLargeError
        return self.rfile.read(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(1024).partition(b";")[0], 16):
            if len(body) + size > BODY_LIMIT:
                raise _TooLargeError
            body += self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(1024).strip():
            """A trailer: read past it."""
        return bytes(body)

    def _write(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the functions' logs say more."""


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler._serve)
