"""The gateway makes the events that API Gateway makes, as far as SAM's own local API and AWS's pages tell."""

import base64
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.local.emulator import FunctionTimeoutError, PayloadTooLargeError, ThrottledError
from tests.local.gateway import Gateway, Request, Response, Routes, event_of, response_of
from tests.local.process import LOOPBACK, ROOT, Process
from tests.local.template import Route

ROUTES = [
    Route("GET", "/things/{id}", "Echo"),
    Route("POST", "/things", "Echo"),
    Route("ANY", "/files/{proxy+}", "Echo"),
]
DEFAULT = Route("ANY", "$default", "Echo")

# SAM's own HTTP API, with a runner that answers the event itself; run by the interpreter that has SAM.
SAM = """
import json, sys
from samcli.lib.providers.provider import Api
from samcli.local.apigw.local_apigw_service import LocalApigwService
from samcli.local.apigw.route import Route
from werkzeug.serving import WSGIRequestHandler, make_server

class Echo:
    def is_debugging(self): return False
    def invoke(self, name, event, stdout, **_): stdout.write_str('{"event": %s}' % event)

class Quiet(WSGIRequestHandler):
    def log(self, *_): pass

api = Api([Route(function_name=f, path=p, methods=[m], event_type=Route.HTTP) for m, p, f in json.loads(sys.argv[1])])
api.binary_media_types_set = {"application/octet-stream"}
service = LocalApigwService(api, Echo(), port=0, host="127.0.0.1")
service.create()
server = make_server("127.0.0.1", 0, service._app, threaded=True, request_handler=Quiet)
print(server.port, flush=True)
server.serve_forever()
"""

Exchange = tuple[str, str, list[tuple[str, str]], bytes]

REQUESTS: dict[str, Exchange] = {
    "repeated query and cookies": (
        "GET",
        "/things/7?a=1&b=x%20y&a=2&empty=",
        [("Cookie", "one=1; two=2"), ("X-Twice", "first"), ("X-Twice", "second")],
        b"",
    ),
    "json": ("POST", "/things", [("Content-Type", "application/json; charset=utf-8")], '{"name": "é"}'.encode()),
    "percent-encoded path parameter": ("GET", "/things/a%20b%C3%A9+c@d", [], b""),
    "greedy path": ("PUT", "/files/a/b/c.txt", [("Content-Type", "text/plain")], b"text"),
    "binary": ("POST", "/things", [("Content-Type", "application/octet-stream")], bytes(range(256))),
}


def exchange(port: int, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Response:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", "api.example.test"), ("User-Agent", "tests"), *headers]:
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        return Response(answer.status, tuple(answer.getheaders()), content)
    finally:
        connection.close()


def port_of(gateway: Gateway) -> int:
    return int(gateway.url.rpartition(":")[2])


def serving(function: Callable[[dict[str, Any]], Any], *, routes: list[Route] | None = None) -> Gateway:
    return Gateway(routes or ROUTES, {"Echo": function})


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    python = ROOT / ".tools" / "sam" / "bin" / "python"
    directory = tmp_path_factory.mktemp("sam")
    routes = json.dumps([[route.method, route.path, route.function] for route in ROUTES])
    process = Process(
        [python, "-c", SAM, routes],
        environment={"HOME": str(directory), "SAM_CLI_TELEMETRY": "0"},
        log=directory / "log",
        pipe=True,
    )
    try:
        yield int(process.first_line())
    finally:
        process.stop()


def as_aws_has_it(event: dict[str, Any]) -> dict[str, Any]:
    """SAM's event with each known difference to AWS's own put right."""
    # Header names are in lower case ("All header names are lowercased"), values joined by a bare comma.
    headers = {name.lower(): value for name, value in event["headers"].items()}
    headers["x-twice"] = headers.get("x-twice", "").replace(", ", ",")
    # Cookies are in their own field; AWS does not repeat them among the headers.
    headers.pop("cookie", None)
    # SAM tells the port of its own server; the AWS one is always 443.
    headers |= {"x-forwarded-port": "443", "x-forwarded-proto": "https"}
    context = event["requestContext"]
    # AWS names the route as it was declared, SAM with the method that was asked.
    if "proxy" in (event["pathParameters"] or {}):
        event["routeKey"] = context["routeKey"] = "ANY /files/{proxy+}"
    # SAM has a fixed text here.
    context["http"]["userAgent"] = headers["user-agent"]
    # SAM knows no other domain.
    context |= {"domainName": "api.example.test", "domainPrefix": "api", "apiId": "local", "accountId": "0" * 12}
    # What a request does not have is absent on AWS; SAM has null, "", [] or {}.
    optional = ("cookies", "queryStringParameters", "pathParameters", "stageVariables", "body")
    event = {name: value for name, value in event.items() if name not in optional or value}
    return event | {"headers": {name: value for name, value in headers.items() if value}}


def without_the_moment(event: dict[str, Any]) -> dict[str, Any]:
    """Left out: SAM's time is that of its start, and it has neither of the two headers that AWS adds."""
    for name in ("requestId", "time", "timeEpoch"):
        assert event["requestContext"].pop(name)
    for name in ("x-forwarded-for", "x-amzn-trace-id"):
        event["headers"].pop(name, None)
    return event


@pytest.mark.local
@pytest.mark.parametrize("name", REQUESTS)
def test_an_event_is_the_one_that_sam_makes(sam: int, name: str) -> None:
    with serving(lambda event: event) as gateway:
        ours = json.loads(exchange(port_of(gateway), *REQUESTS[name]).body)
    theirs = json.loads(exchange(sam, *REQUESTS[name]).body)["event"]
    assert without_the_moment(ours) == without_the_moment(as_aws_has_it(theirs))


def event(method: str = "GET", target: str = "/things/7", *headers: tuple[str, str], body: bytes = b"") -> Any:
    found = Routes([*ROUTES, DEFAULT]).find(method, target.partition("?")[0])
    assert found
    return event_of(Request(method, target, headers, body, source_ip="127.0.0.9"), *found)


def test_an_event_has_the_fields_of_awss_page_and_no_others() -> None:
    made = event("POST", "/things?a=1", ("Host", "x.test:80"), ("Cookie", "a=1"), body=b"b")
    assert list(made) == [
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "requestContext",
        "body",
        "isBase64Encoded",
    ]
    assert made["requestContext"].keys() == {
        *("accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "routeKey", "stage"),
        *("time", "timeEpoch"),
    }
    assert made["requestContext"]["http"] == {
        "method": "POST",
        "path": "/things",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.9",
        "userAgent": "",
    }
    assert made["requestContext"]["timeEpoch"] > 1_700_000_000_000


def test_the_gateway_adds_the_headers_that_aws_adds() -> None:
    headers = event("GET", "/things/7", ("X-Forwarded-For", "10.0.0.1"))["headers"]
    assert headers["x-forwarded-for"] == "10.0.0.1, 127.0.0.9"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert (headers["x-forwarded-port"], headers["x-forwarded-proto"]) == ("443", "https")


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/csv", True),
        ("application/xml", True),
        ("application/x-www-form-urlencoded", False),
        ("application/problem+json", False),
        ("", False),
    ],
)
def test_a_body_is_text_only_for_the_types_that_aws_takes_as_text(content_type: str, text: bool) -> None:
    made = event("POST", "/things", ("content-type", content_type), body=b"{}")
    assert (made["isBase64Encoded"], made["body"]) == ((False, "{}") if text else (True, "e30="))


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/a/b", "GET /a/b", {}),
        ("GET", "/a/c", "GET /a/{id}", {"id": "c"}),
        ("PUT", "/a/c", "ANY /a/{id}", {"id": "c"}),
        ("GET", "/a/c/d", "ANY /a/{rest+}", {"rest": "c/d"}),
        ("GET", "/a/", "$default", {}),
        ("GET", "/z", "$default", {}),
    ],
)
def test_the_most_specific_route_answers(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    routes = Routes([
        DEFAULT,
        Route("ANY", "/a/{rest+}", "Echo"),
        Route("ANY", "/a/{id}", "Echo"),
        Route("GET", "/a/{id}", "Echo"),
        Route("GET", "/a/b", "Echo"),
    ])  # fmt: skip
    found = routes.find(method, path)
    assert found
    assert (found[0].key, found[1]) == (key, parameters)


@pytest.mark.parametrize(
    ("answer", "status", "kind", "body"),
    [
        ({"statusCode": 204}, 204, None, b""),
        ({"statusCode": "201", "body": "made"}, 201, "text/plain; charset=utf-8", b"made"),
        ({"statusCode": 200, "headers": {"Content-Type": "a/b"}, "body": "x"}, 200, "a/b", b"x"),
        (
            {"statusCode": 200, "headers": {"content-type": "a/b"}, "body": "AP8=", "isBase64Encoded": True},
            200,
            "a/b",
            b"\x00\xff",
        ),
        ({"hello": "é"}, 200, "application/json", b'{"hello": "\\u00e9"}'),
        ("Hello", 200, "application/json", b"Hello"),
        (None, 200, "application/json", b"null"),
        ([1], 200, "application/json", b"[1]"),
        ({"statusCode": "many"}, 500, "application/json", b'{"message":"Internal Server Error"}'),
        (
            {"statusCode": 200, "body": {}, "headers": 3},
            500,
            "application/json",
            b'{"message":"Internal Server Error"}',
        ),
        ({"statusCode": 200, "body": {"a": 1}}, 500, "application/json", b'{"message":"Internal Server Error"}'),
    ],
)
def test_an_answer_becomes_the_response_that_aws_makes_of_it(
    answer: Any, status: int, kind: str | None, body: bytes
) -> None:
    response = response_of(answer)
    assert (response.status, dict(response.headers).get("content-type"), response.body) == (status, kind, body)


def test_headers_and_cookies_pass_and_nothing_is_added() -> None:
    answer = {"statusCode": 200, "headers": {"X-Flag": True, "X-Number": 3}, "cookies": ["a=1; Path=/", "b=2"]}
    with serving(lambda _: answer) as gateway:
        response = exchange(port_of(gateway), "GET", "/things/7", [])
    assert response.headers == (
        ("x-flag", "true"),
        ("x-number", "3"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
        ("content-length", "0"),
    )


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("mine"), 500, "Internal Server Error"),
        (FunctionTimeoutError("Task timed out"), 500, "Internal Server Error"),
        (ThrottledError("busy"), 503, "Service Unavailable"),
        (PayloadTooLargeError("7 MB"), 413, "Request Entity Too Large"),
    ],
)
def test_a_function_that_fails_shows_the_caller_only_what_aws_shows(
    tmp_path: Path, error: Exception, status: int, message: str
) -> None:
    def fail(_: dict[str, Any]) -> None:
        raise error

    with Gateway(ROUTES, {"Echo": fail}, log=tmp_path / "log") as gateway:
        response = exchange(port_of(gateway), "GET", "/things/7", [])
    assert (response.status, json.loads(response.body)) == (status, {"message": message})
    assert (status == 500) == (tmp_path / "log").exists()


def test_a_path_without_a_route_is_not_found() -> None:
    with serving(lambda event: event) as gateway:
        response = exchange(port_of(gateway), "DELETE", "/things", [])
    assert (response.status, response.body) == (404, b'{"message":"Not Found"}')


def test_ten_megabytes_pass_and_a_byte_more_does_not() -> None:
    limit = 10 * 1024 * 1024
    headers = [("Content-Type", "text/plain"), ("Expect", "100-continue")]
    with serving(lambda event: len(event["body"])) as gateway:
        passed = exchange(port_of(gateway), "POST", "/things", headers, b"x" * limit)
        announced = exchange(port_of(gateway), "POST", "/things", [*headers, ("Content-Length", str(limit + 1))])
    assert (passed.status, passed.body) == (200, str(limit).encode())
    assert (announced.status, announced.body) == (413, b'{"message":"Request Entity Too Large"}')


def test_a_chunked_body_is_put_together() -> None:
    with (
        serving(lambda event: base64.b64decode(event["body"]).decode()) as gateway,
        socket.create_connection((LOOPBACK, port_of(gateway)), 5) as client,
    ):
        client.sendall(
            b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nabcde")


def test_a_length_that_is_no_number_is_a_bad_request() -> None:
    with serving(lambda event: event) as gateway:
        assert exchange(port_of(gateway), "POST", "/things", [("Content-Length", "many")]).status == 400


def test_fifty_clients_at_once_each_get_their_own_answer_on_a_kept_connection() -> None:
    def client(number: int) -> set[str]:
        connection = http.client.HTTPConnection(LOOPBACK, port_of(gateway), timeout=10)
        answers: set[str] = set()
        for _ in range(10):
            connection.request("GET", f"/things/{number}")
            answers.add(connection.getresponse().read().decode())
        connection.close()
        return answers

    with serving(lambda event: event["pathParameters"]["id"]) as gateway, ThreadPoolExecutor(50) as clients:
        assert list(clients.map(client, range(50))) == [{str(number)} for number in range(50)]


def test_a_head_request_has_headers_and_no_body() -> None:
    with serving(lambda _: {"statusCode": 200, "body": "four"}, routes=[DEFAULT]) as gateway:
        response = exchange(port_of(gateway), "HEAD", "/", [])
    assert (response.body, dict(response.headers)["content-length"]) == (b"", "4")
