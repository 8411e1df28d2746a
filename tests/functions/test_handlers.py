"""Each function, loaded from its folder as Lambda does it, on its own event of events/, with a world in memory."""

import gzip
import importlib.util
import json
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from switchboard import app, sender
from switchboard.api import routes
from switchboard.api.call import Call
from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.wire import Request, Response
from switchboard.ports import Account, Checkpoint, Deadline
from tests.worlds import BRAND, World

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
UNSEEN = ("plan_syncs", "run_sync")
"""Those that no caller reaches: a schedule starts one, a queue the other."""
ROUTED = [name for name in FUNCTIONS if name not in UNSEEN]


class Context:
    """What Lambda tells of an invocation."""

    def __init__(self, milliseconds: int = 29_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def load(function: str) -> Any:
    """The handler of a function, from a fresh import of its file."""
    spec = importlib.util.spec_from_file_location(f"function_{function}", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def sample(function: str) -> dict[str, Any]:
    return json.loads((ROOT / "events" / f"{function}.json").read_text())


def hubspot(request: Request, _: str, __: Deadline) -> Response:
    """As much of HubSpot as these events need: what is posted is there."""
    assert request.headers["authorization"] == "Bearer marker-key"
    if request.method == "DELETE":
        return Response(204)
    if request.path.startswith("/crm/pipelines"):
        made = {"id": "777", **(request.json or {}), "stages": [{"id": "777", "label": "Contract sent"}]}
        return Response(
            201 if request.method == "POST" else 200,
            {},
            made if "/default" in request.path else made | {"results": [made]},
        )
    if request.path.endswith(("/search", "/contacts")):
        return Response(200, {}, {"results": []})
    if request.method == "POST":
        bag = {"id": "777", "properties": {**request.json["properties"], "hs_createdate": "2026-11-21T09:30:00Z"}}
        return Response(201, {}, bag)
    return Response(200, {}, {"id": "777", "properties": {"hs_lead_name": "Fifty seats for the Lisbon office"}})


class MemoryQueue:
    """The port `Queue`."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Mapping[str, Any], int]] = []

    def send(self, messages: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        self.waiting += [(message, delay) for message in messages]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> MemoryQueue:
    found = MemoryQueue()
    monkeypatch.setattr(app, "queue", lambda: found)
    return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(found, "crm", hubspot)
    monkeypatch.setattr(app, "services", lambda: found.services)
    monkeypatch.setattr(app, "pods", lambda: found.pods)
    monkeypatch.setattr(app, "contacts", lambda: found.contacts)
    monkeypatch.setattr(app, "tokens", lambda: found.tokens)
    monkeypatch.setattr(app, "SystemClock", lambda: found.clock)
    monkeypatch.setattr(app.time, "time", found.clock.now)
    return found


def prepared(world: World, function: str) -> dict[str, Any]:
    """The event of a function, with a key and an account that this world knows."""
    event = sample(function)
    key = world.issue(scopes=("lead.all", "pipeline.all", "stage.all", "pod.all", "template.all", "contact.all"))
    event["headers"]["authorization"] = f"Bearer {key}"
    for account in parse_qs(event["rawQueryString"]).get("integrated_account_id", []):
        world.access.accounts[BRAND, account] = Account(BRAND, account, "hubspot", "api_key")
        world.secrets.accounts[BRAND, account] = {"api_key": "marker-key"}
    world.access.accounts[BRAND, world.account] = Account(BRAND, world.account, "hubspot", "api_key")
    world.secrets.accounts[BRAND, world.account] = {"api_key": "marker-key"}
    if function not in ("create_pod", "unknown_route"):
        made = json.loads(load("create_pod")(prepared(world, "create_pod"), Context())["body"])["data"]["id"]
        stored = world.pods.pods.pop((BRAND, made))
        world.pods.pods[BRAND, POD] = replace(stored, id=POD)
        world.pods.pages[POD] = world.pods.pages.pop(made)
    return event


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    assert [path.stem for path in sorted((ROOT / "events").glob("*.json"))] == FUNCTIONS


def test_every_route_has_a_function() -> None:
    named = {function for methods in routes.ROUTES.values() for function in methods.values()}
    assert named <= set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_imports_and_one_statement(function: str) -> None:
    lines = (ROOT / "functions" / function / "app.py").read_text().splitlines()
    assert len(lines) <= 12
    code = [line for line in lines[1:] if line and not line.startswith(("from ", "import "))]
    assert len(code) == 1


@pytest.mark.parametrize("function", ROUTED)
def test_an_event_is_one_of_payload_2_for_a_route_of_ours_and_holds_no_real_key(function: str) -> None:
    event = sample(function)
    assert event["version"] == "2.0"
    call = Call.of(event, "t")
    assert event["requestContext"]["http"]["path"] == call.path
    path = event["routeKey"].rpartition(" ")[2]
    assert path.format(**event.get("pathParameters", {})) in (call.path, "$default")
    assert routes.ROUTES.get(path, {}).get(call.method, "unknown_route") == function
    assert ("REPLACE" in event["headers"].get("authorization", "")) is (function != "view_pod")


EXPECTED = {
    **{f"create_{name}": 201 for name in ("lead", "pipeline", "stage")},
    **dict.fromkeys(("list_records", "get_record", "delete_record", "list_capabilities"), 200),
    **dict.fromkeys(("create_pod", "refresh_pod", "manage_pods", "preview_template", "view_pod"), 200),
    "search_contacts": 200,
    "manage_templates": 201,
    "unknown_route": 404,
}
PUBLIC = ("unknown_route", "view_pod")
POD = "6b01ca58a1b2c3d4e5f60718"
"""The pod of the samples."""


@pytest.mark.parametrize("function", ROUTED)
def test_a_function_answers_its_event(world: World, function: str) -> None:
    found = load(function)(prepared(world, function), Context())
    assert found["statusCode"] == EXPECTED[function], found["body"]
    assert found["headers"]["x-trace-id"]
    assert isinstance(found["body"], str)
    if function == "view_pod":
        assert gzip.decompress(b64decode(found["body"])).startswith(b"<!")
    else:
        json.loads(found["body"])


def test_a_lead_comes_back_with_its_id(world: World) -> None:
    found = load("create_lead")(prepared(world, "create_lead"), Context())
    body = json.loads(found["body"])
    assert (body["id"], body["title"]) == ("777", "Fifty seats for the Lisbon office")
    assert "marker-key" not in str(found)


@pytest.mark.parametrize("function", [name for name in ROUTED if name not in PUBLIC])
def test_a_function_behind_a_route_asks_for_a_key_first(world: World, function: str) -> None:
    event = sample(function)
    assert load(function)(event, Context())["statusCode"] == 401
    assert world.journal.lines == []


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name.startswith("create_")])
def test_an_encoded_body_is_the_same_body(world: World, function: str) -> None:
    from base64 import b64encode

    event = prepared(world, function)
    event |= {"body": b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert load(function)(event, Context())["statusCode"] == EXPECTED[function]


def due(world: World, brand: str, account: str) -> None:
    """An account of HubSpot whose contacts are to be synced now."""
    world.access.accounts[brand, account] = Account(brand, account, "hubspot", "api_key")
    world.secrets.accounts[brand, account] = {"api_key": "marker-key"}
    assert world.contacts.move(Checkpoint(brand, account, "hubspot", due_at=world.clock.now()))


def test_the_event_of_the_schedule_puts_into_the_queue_what_the_event_of_the_queue_holds(
    world: World, queue: MemoryQueue
) -> None:
    [record] = sample("run_sync")["Records"]
    message = json.loads(record["body"])
    due(world, message["brand"], message["account"])
    assert load("plan_syncs")(sample("plan_syncs"), Context()) == {"queued": 1}
    [(sent, delay)] = queue.waiting
    assert ({name: value for name, value in sent.items() if name != "due_at"}, delay) == (message, 0)
    assert sent["due_at"] > time.time()
    assert load("plan_syncs")(sample("plan_syncs"), Context()) == {"queued": 0}


def test_the_event_of_the_queue_is_a_turn_at_its_account(
    world: World, queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "Sender", lambda *_, **__: hubspot)
    message = json.loads(sample("run_sync")["Records"][0]["body"])
    brand, account = message["brand"], message["account"]
    due(world, brand, account)
    began = world.clock.now()
    assert load("run_sync")(sample("run_sync"), Context(300_000)) == {"batchItemFailures": []}
    moved = world.contacts.points[brand, account]
    assert moved.synced_at == began
    assert moved.due_at > world.clock.now()
    assert queue.waiting == []


def test_leads_are_offered_by_the_crm_of_the_sample() -> None:
    assert isinstance(registry.load("hubspot").resources["leads"], Resource)
