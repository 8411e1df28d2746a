"""The handlers: whatever happens inside, one answer and one line in the log, both with the same trace."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from switchboard import app, models
from switchboard.api.call import Call
from switchboard.api.reply import Reply
from switchboard.crm import registry
from switchboard.crm.problem import Kind, Problem
from switchboard.models.lead import LEAD
from switchboard.ports import Checkpoint, Deadline
from switchboard.sync import running
from switchboard.sync.planning import Message
from tests import worlds
from tests.worlds import ACCOUNT, OAUTH_CREDENTIALS, World, answers

XRAY = "Root=1-6b01ca58-3f1f2a7c0d9e4b5a6c7d8e9f;Parent=53995c3f42cd8ad8;Sampled=1"


class Context:
    """What Lambda tells of an invocation."""

    def __init__(self, milliseconds: int = 29_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def event(
    path: str = "/unified/crm/leads", method: str = "POST", body: str = "", query: str = "", **headers: str
) -> dict[str, Any]:
    """An event of the HTTP API, as far as it matters."""
    return {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method, "path": path}},
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as it would be written."""
    handlers = [each for each in logging.getLogger("switchboard").handlers if isinstance(each, logging.StreamHandler)]
    written = io.StringIO()
    before = [each.setStream(written) for each in handlers]
    yield written
    for each, stream in zip(handlers, before, strict=True):
        if stream is not None:
            each.setStream(stream)


def logged(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def raising(fault: Exception) -> app.Handler:
    def answer(_: Call, __: Deadline) -> Reply:
        raise fault

    return app.handler(answer)


# --- the frame around every answer -----------------------------------------------------------------------------------


def test_an_answer_goes_out_as_an_event() -> None:
    handle = app.handler(lambda call, _: Reply(200, {"a": "b"}, call.path.encode()))
    found = handle(event("/x"), Context())
    assert (found["statusCode"], found["body"], found["isBase64Encoded"]) == (200, "/x", False)
    assert found["headers"]["a"] == "b"


def test_a_problem_goes_out_as_a_refusal(lines: io.StringIO) -> None:
    found = raising(Problem(Kind.NOT_FOUND, "There is none."))(event(), Context())
    assert found["statusCode"] == 404
    assert json.loads(found["body"])["message"] == "There is none."
    assert [line["message"] for line in logged(lines)] == ["call"]


def test_a_fault_of_ours_is_500_with_a_trace_and_no_detail(lines: io.StringIO) -> None:
    found = raising(RuntimeError("marker: the inner secrets"))(event(), Context())
    body = json.loads(found["body"])
    assert (found["statusCode"], body["statusCode"], body["error"]) == (500, 500, "Internal Server Error")
    assert "marker" not in str(found)
    assert "RuntimeError" not in str(found)
    assert "Traceback" not in str(found)
    fault, call = logged(lines)
    assert (fault["level"], fault["message"]) == ("ERROR", "fault")
    assert "RuntimeError" in fault["exception"]
    assert fault["trace_id"] == call["trace_id"] == body["trace_id"]


@pytest.mark.parametrize("path", ["/unified/crm/leads", "/v1/pods", "/v1/contacts"])
def test_a_fault_of_ours_has_the_form_of_its_surface(path: str) -> None:
    body = json.loads(raising(RuntimeError("x"))(event(path), Context())["body"])
    assert body["type"].endswith("#internal-error")
    assert ("success" in body, "statusCode" in body) == (path == "/v1/pods", path.startswith("/unified"))


@pytest.mark.parametrize("answer", [Reply(200), Problem(Kind.NOT_FOUND, "x"), RuntimeError("x")])
def test_the_trace_is_the_same_in_header_body_and_every_line(lines: io.StringIO, answer: Any) -> None:
    handle = app.handler(lambda _, __: answer) if isinstance(answer, Reply) else raising(answer)
    found = handle(event(), Context())
    trace = found["headers"]["x-trace-id"]
    assert len(trace) == 16
    assert int(trace, 16) >= 0
    assert {line["trace_id"] for line in logged(lines)} == {trace}
    if found["body"]:
        assert json.loads(found["body"])["trace_id"] == trace


def test_the_trace_is_the_end_of_x_rays_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY)
    assert app.trace_id() == "0d9e4b5a6c7d8e9f"


@pytest.mark.parametrize("told", ["", "Root=nonsense", "Sampled=0", "Root=1-6b01ca58-XYZ"])
def test_without_one_each_call_has_a_trace_of_its_own(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", told)
    found = {app.trace_id() for _ in range(50)}
    assert len(found) == 50
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in found)


def test_a_line_says_what_was_asked_and_how_it_ended(lines: io.StringIO) -> None:
    app.handler(lambda _, __: Reply(204))(event("/v1/x", "DELETE", query="secret=marker", cookie="marker"), Context())
    [line] = logged(lines)
    assert (line["method"], line["path"], line["status"]) == ("DELETE", "/v1/x", 204)
    assert line["ms"] >= 0
    assert "marker" not in lines.getvalue()


@pytest.mark.parametrize(("milliseconds", "seconds"), [(29_000, 27.5), (10_000, 8.5), (1_500, 0)])
def test_a_reserve_is_kept_of_the_functions_time(
    monkeypatch: pytest.MonkeyPatch, milliseconds: int, seconds: float
) -> None:
    clock = worlds.HeldClock()
    monkeypatch.setattr(app, "SystemClock", lambda: clock)
    monkeypatch.setattr(app.time, "time", clock.now)
    left: list[float] = []

    def answer(_: Call, deadline: Deadline) -> Reply:
        left.append(deadline.left)
        return Reply(200)

    app.handler(answer)(event(), Context(milliseconds))
    assert left == [seconds]


@pytest.mark.parametrize(
    "body", ['{"\\ud800": 1}', '{"title": "\\ud800"}', '{"title": "x", "remote_data": {"a": "\\ud800"}}']
)
def test_nothing_that_a_caller_can_write_makes_a_handler_fail(served: World, body: str) -> None:
    found = post(served, body)
    assert found["statusCode"] == 400


@pytest.mark.parametrize("status", [420, 477, 499])
def test_nothing_that_a_vendor_can_answer_makes_a_handler_fail(served: World, status: int) -> None:
    served.crm.turns.append(answers(status, {"message": "no"}))
    assert post(served)["statusCode"] // 100 == 4


# --- unknown routes --------------------------------------------------------------------------------------------------


def unknown(path: str, method: str = "GET") -> tuple[dict[str, Any], Any]:
    found = app.unknown_route()(event(path, method), Context())
    return found, json.loads(found["body"])


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/unified/crm/teapots", {"statusCode", "error", "message"}),
        ("/v1/pods/x/y/z", {"success", "error"}),
        ("/v1/teapots", set[str]()),
        ("/", set[str]()),
    ],
)
def test_an_unknown_path_is_404_in_the_form_of_its_surface(path: str, members: set[str]) -> None:
    found, body = unknown(path)
    assert (found["statusCode"], body["status"]) == (404, 404)
    assert {"statusCode", "error", "message", "success"} & set(body) == members
    assert body["instance"] == path


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_path_of_ours_with_another_method_is_405_and_names_those_it_takes(method: str) -> None:
    found, body = unknown("/unified/crm/leads", method)
    assert (found["statusCode"], body["error"]) == (405, "Method Not Allowed")
    assert "POST" in body["message"]


def test_a_405_says_in_its_header_what_is_allowed() -> None:
    # RFC 9110, 15.5.6: the origin server MUST generate an Allow header field.
    found, _ = unknown("/unified/crm/leads")
    assert found["headers"].get("allow") == "GET, POST"
    found, _ = unknown("/unified/crm/stages/7", "PATCH")
    assert found["headers"].get("allow") == "GET, DELETE"


def test_a_path_with_a_slash_behind_it_is_not_told_that_it_takes_what_it_was_given() -> None:
    found, body = unknown("/unified/crm/leads/", "POST")
    assert found["statusCode"] == 404, body["message"]


# --- creating a lead -------------------------------------------------------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world behind the handlers; nothing of it is made from the environment."""
    worlds.install(monkeypatch)
    world = World()
    serve(monkeypatch, world)
    return world


def serve(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(app, "services", lambda: world.services)
    monkeypatch.setattr(app, "tokens", lambda: world.tokens)
    monkeypatch.setattr(app, "SystemClock", lambda: world.clock)
    monkeypatch.setattr(app.time, "time", world.clock.now)


def post(world: World, body: str = '{"title": "A lead"}', **headers: str) -> dict[str, Any]:
    given = {"authorization": f"Bearer {world.key}", "content_type": "application/json", **headers}
    query = f"integrated_account_id={ACCOUNT}"
    return app.unified_create(LEAD)(event(body=body, query=query, **given), Context())


def test_a_lead_is_created_through_the_handler(served: World) -> None:
    found = post(served)
    assert (found["statusCode"], json.loads(found["body"])["id"]) == (201, "1")


def test_the_line_names_brand_key_account_crm_and_the_calls_it_cost(served: World, lines: io.StringIO) -> None:
    post(served)
    [line] = logged(lines)
    assert (line["brand"], line["account"], line["crm"], line["crm_calls"]) == ("acme01", ACCOUNT, "acme", 1)
    assert line["key_id"] not in ("", served.key)


def test_a_replay_has_a_trace_of_its_own_and_costs_no_call(served: World, lines: io.StringIO) -> None:
    first, again = (post(served, idempotency_key="k") for _ in range(2))
    assert first["body"] == again["body"]
    assert first["headers"]["x-trace-id"] != again["headers"]["x-trace-id"]
    assert [line["crm_calls"] for line in logged(lines)] == [1, 0]


def test_no_secret_and_no_word_of_a_record_is_in_any_line(monkeypatch: pytest.MonkeyPatch, lines: io.StringIO) -> None:
    worlds.install(monkeypatch)
    secrets: dict[str, Any] = {**OAUTH_CREDENTIALS, "access_token": "marker-access", "refresh_token": "marker-refresh"}
    turns = [
        answers(201, {"id": "1", "title": "marker-record"}),
        answers(400, {"message": "marker-vendor marker-access"}),
        answers(401, {"message": "marker-vendor"}),
        answers(500, "marker-vendor", readable=False),
        worlds.drops(stored=True),
        worlds.refuses_connection(),
        lambda *_: 1 / 0,
    ]
    replies: list[str] = []
    for turn in turns:
        world = World(credentials=secrets)
        serve(monkeypatch, world)
        world.crm.turns.append(turn)  # type: ignore[arg-type]
        body = json.dumps({"title": "marker-record", "remote_data": {"x": "marker-body"}})
        found = post(world, body, idempotency_key="marker-idempotency", cookie="marker-cookie")
        replies.append(str(found))
        assert world.key not in lines.getvalue()
        assert world.key not in str(found)
    assert len(logged(lines)) == len(turns) + 1  # one fault of ours, with its traceback
    assert "marker" not in lines.getvalue()
    assert "marker-access" not in "".join(replies)
    assert "marker-refresh" not in "".join(replies)
    assert "our-client-secret" not in "".join(replies)


# --- syncs -----------------------------------------------------------------------------------------------------------


def batch(*accounts: str) -> dict[str, Any]:
    """An event of the queue: a message for each account, which is its id too."""
    return {
        "Records": [
            {
                "messageId": account,
                "receiptHandle": "handle",
                "body": json.dumps({"brand": "acme01", "account": account}),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for account in accounts
        ]
    }


@pytest.fixture
def turns(served: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Message, float]]:
    """Turns that were taken, each with the seconds that it had. One at `bad` fails; each takes ten seconds."""
    taken: list[tuple[Message, float]] = []

    def run(message: Message, _: running.Means, deadline: Deadline) -> None:
        taken.append((message, deadline.left))
        served.clock.pass_(10)
        if message.account.startswith("bad"):
            raise RuntimeError("marker: what is wrong with it")

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(app, "contacts", lambda: served.contacts)
    monkeypatch.setattr(app, "queue", lambda: None)
    return taken


def test_every_message_of_a_batch_is_a_turn(turns: list[tuple[Message, float]]) -> None:
    assert app.run_sync()(batch("a-1", "a-2"), Context(300_000)) == {"batchItemFailures": []}
    assert [message for message, _ in turns] == [Message("acme01", "a-1"), Message("acme01", "a-2")]


def test_a_message_that_failed_goes_back_and_the_others_of_its_batch_do_not(
    turns: list[tuple[Message, float]], lines: io.StringIO
) -> None:
    told = app.run_sync()(batch("a-1", "bad-2", "a-3"), Context(300_000))
    assert told == {"batchItemFailures": [{"itemIdentifier": "bad-2"}]}
    assert [message.account for message, _ in turns] == ["a-1", "bad-2", "a-3"]
    [fault] = logged(lines)
    assert (fault["level"], fault["message"], fault["message_id"]) == ("ERROR", "fault", "bad-2")


def test_a_batch_that_failed_as_a_whole_goes_back_message_by_message(turns: list[tuple[Message, float]]) -> None:
    told = app.run_sync()(batch("bad-1", "bad-2"), Context(300_000))
    assert told == {"batchItemFailures": [{"itemIdentifier": "bad-1"}, {"itemIdentifier": "bad-2"}]}
    assert len(turns) == 2


def test_what_failed_once_is_not_held_against_the_next_batch(turns: list[tuple[Message, float]]) -> None:
    handle = app.run_sync()
    handle(batch("bad-1"), Context(300_000))
    assert handle(batch("a-2"), Context(300_000)) == {"batchItemFailures": []}
    assert len(turns) == 2


def test_nobody_takes_the_time_of_those_who_come_after_and_what_is_left_over_is_theirs(
    turns: list[tuple[Message, float]],
) -> None:
    app.run_sync()(batch("a-1", "a-2", "a-3"), Context(300_000))
    whole = 300 - app.RESERVE_SECONDS
    assert [left for _, left in turns] == [whole / 3, (whole - 10) / 2, whole - 20]


class Sent:
    """The port `Queue`, as far as the planner uses it."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, messages: list[Any]) -> None:
        self.messages += messages


def test_the_planner_says_how_many_it_has_put_into_the_queue(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Sent()
    for account in ("a-1", "a-2"):
        served.contacts.move(Checkpoint("acme01", account, "acme", due_at=served.clock.now()))
    monkeypatch.setattr(app, "queue", lambda: queue)
    assert app.plan_syncs()({}, Context()) == {"queued": 2}
    assert [each["account"] for each in queue.messages] == ["a-1", "a-2"]


# --- the world of a process ------------------------------------------------------------------------------------------


def test_a_crm_is_looked_for_elsewhere_in_the_local_stage_only() -> None:
    found = {"hubspot": "http://127.0.0.1:1", "zendesk_sell": "http://127.0.0.1:2"}
    urls = {"SWITCHBOARD_ORIGINS": json.dumps(found)}
    assert app.origins({"SWITCHBOARD_STAGE": "local", "PATH": "/", **urls}) == found
    assert app.origins({"SWITCHBOARD_STAGE": "local"}) == {}
    for stage in ("dev", "staging", "prod", "LOCAL", ""):
        assert app.origins({"SWITCHBOARD_STAGE": stage, **urls}) == {}
    assert app.origins(urls) == {}


def test_the_world_is_made_when_the_function_starts_where_lambda_says_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(app, "services", lambda: made.append(1))
    app.unified_create(LEAD)
    assert made == []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "create_lead")
    app.unified_create(LEAD)
    assert made == [1]


def test_an_unknown_route_needs_no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError

    monkeypatch.setattr(app, "services", never)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "unknown_route")
    assert unknown("/x")[0]["statusCode"] == 404


def loaded(function: str) -> set[str]:
    """The modules that a function has when it has started, as Lambda starts it but for the world."""
    code = "import app, sys; print(*sys.modules)"
    folder = Path(__file__).resolve().parents[1] / "functions" / function
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=20
    )
    return set(told.stdout.split())


@pytest.mark.parametrize(
    ("function", "others"),
    [
        ("unknown_route", {"pydantic", "switchboard.api.unified", "switchboard.talks.tokens"}),
        ("list_capabilities", {"switchboard.api.reading", "switchboard.api.creation", "switchboard.talks.tokens"}),
        ("create_lead", {"switchboard.api.reading", "switchboard.api.capabilities", "switchboard.models.stage"}),
        ("get_record", {"switchboard.api.capabilities"}),
        ("search_contacts", {"switchboard.sync.running", "switchboard.talks.tokens", "switchboard.api.unified"}),
        ("plan_syncs", {"switchboard.sync.running", "switchboard.talks.tokens", "switchboard.search.finding"}),
        ("run_sync", {"switchboard.api.unified", "switchboard.api.records.contacts", "switchboard.search.finding"}),
    ],
)
def test_a_function_starts_with_its_own_parts_only(function: str, others: set[str]) -> None:
    found = loaded(function)
    assert "switchboard.app" in found
    assert not others & found


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: app.unified_read("get"), {f"switchboard.models.{name}" for name in ("lead", "pipeline", "stage")}),
        (app.unified_capabilities, {f"switchboard.crm.vendors.{name}" for name in registry.NAMES}),
    ],
)
def test_what_every_call_will_need_is_there_when_the_function_has_started(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], wanted: set[str]
) -> None:
    monkeypatch.setattr(app, "services", lambda: None)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "it")
    asked: list[str] = []

    def noted(name: str) -> Any:
        asked.append(name)
        return import_module(name)

    monkeypatch.setattr(models, "import_module", noted)
    monkeypatch.setattr(registry, "import_module", noted)
    registry.load.cache_clear()
    make()
    assert wanted <= set(asked)


def test_the_system_clock_tells_the_time_and_waits() -> None:
    clock = app.SystemClock()
    before = clock.now()
    clock.sleep(0)
    assert clock.now() >= before > 1_700_000_000
