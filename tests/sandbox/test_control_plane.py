"""What holds for every CRM: credentials, faults, the journal, the process itself."""

import ast
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Sandbox, vendors
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.faults import FaultKind

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """How a lead is made in one CRM."""

    path: str
    prerequisite: tuple[str, dict[str, Any]] | None
    body: Callable[[Any], dict[str, Any]]
    read_id: Callable[[Any], str]

    def create(self, api: Caller, **options: Any) -> Reply:
        needed = api.plant(*self.prerequisite) if self.prerequisite else None
        return api.post(self.path, self.body(needed), **options)


def hubspot_lead(contact: str) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]
    return {"properties": {"hs_lead_name": "Ada"}, "associations": [{"to": {"id": contact}, "types": types}]}


RECIPES = {
    "hubspot": Recipe(
        "/crm/objects/2026-09/leads", ("contacts", {"firstname": "Ada"}), hubspot_lead, lambda body: body["id"]
    ),
    "salesforce": Recipe(
        "/services/data/v66.0/sobjects/Lead",
        None,
        lambda _: {"LastName": "Lovelace", "Company": "Engines"},
        lambda body: body["id"],
    ),
    "pipedrive": Recipe(
        "/api/v1/leads",
        ("persons", {"name": "Ada Lovelace"}),
        lambda person: {"title": "Ada", "person_id": person},
        lambda body: body["data"]["id"],
    ),
}
every_crm = pytest.mark.parametrize("crm", sorted(RECIPES), indirect=True)


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return RECIPES[request.node.callspec.params["crm"]]


def token_request(crm: Caller, grant: dict[str, Any], **changes: str) -> Reply:
    """Each vendor's way of showing the client: all three at once do no harm."""
    import base64

    form = {name: grant[name] for name in ("client_id", "client_secret", "refresh_token")} | changes
    basic = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    form["grant_type"] = "refresh_token"
    return crm.post(grant["token_path"], form=form, headers={"Authorization": f"Basic {basic}"})


@every_crm
def test_a_lead_is_created_stored_and_counted(crm: Caller, recipe: Recipe) -> None:
    reply = recipe.create(crm.authorised())
    assert reply.status == 201
    assert [row.get("id") or row["Id"] for row in crm.stored("leads")] == [recipe.read_id(reply.json)]
    assert crm.counts() == {"POST leads": 1}


@every_crm
def test_the_journal_says_what_arrived_and_keeps_no_secret(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant()
    token_request(crm, grant)
    recipe.create(crm.authorised(), query={"trace": "1"})
    token, lead = crm.get("/_sandbox/requests").json
    assert (lead["n"], lead["method"], lead["path"], lead["status"]) == (2, "POST", recipe.path, 201)
    assert lead["query"] == {"trace": "1"}
    assert token["body"]["grant_type"] == "refresh_token"
    for secret in ("client_secret", "refresh_token", "access_token", "client_id"):
        assert grant[secret] not in json.dumps([token, lead])


@every_crm
def test_without_a_token_nothing_is_stored(crm: Caller, recipe: Recipe) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic eDp5"}):
        assert recipe.create(crm, headers=headers).status == 401
    assert crm.stored("leads") == []


@every_crm
def test_an_expired_token_is_refused_and_refreshing_helps(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant(expired=True)
    stale = {"Authorization": f"Bearer {grant['access_token']}"}
    assert recipe.create(crm, headers=stale).status == 401
    fresh = token_request(crm, grant).json["access_token"]
    assert recipe.create(crm, headers={"Authorization": f"Bearer {fresh}"}).status == 201


@every_crm
def test_an_access_token_lives_as_long_as_the_grant_says(crm: Caller) -> None:
    grant = crm.grant(expires_in=100)
    assert grant["expires_at"] == pytest.approx(time.time() + 100, abs=5)


@every_crm
def test_a_grant_that_rotates_gives_a_new_refresh_token_and_the_old_one_dies(crm: Caller) -> None:
    grant = crm.grant(rotates=True)
    first = token_request(crm, grant).json
    assert first["refresh_token"] != grant["refresh_token"]
    assert token_request(crm, grant).status == 400
    assert token_request(crm, grant, refresh_token=first["refresh_token"]).status == 200


@every_crm
def test_a_grant_that_does_not_rotate_keeps_its_refresh_token(crm: Caller) -> None:
    grant = crm.grant()
    for _ in range(2):
        reply = token_request(crm, grant)
        assert reply.status == 200
        assert reply.json.get("refresh_token", grant["refresh_token"]) == grant["refresh_token"]


@every_crm
@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_a_wrong_client_or_refresh_token_is_400(crm: Caller, wrong: str) -> None:
    assert token_request(crm, crm.grant(), **{wrong: "wrong"}).status == 400


@every_crm
def test_a_revoked_grant_neither_works_nor_refreshes(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant()
    crm.post("/_sandbox/grants/revoke", {"token": grant["access_token"]})
    assert recipe.create(crm, headers={"Authorization": f"Bearer {grant['access_token']}"}).status == 401
    assert token_request(crm, grant).status == 400


@every_crm
def test_a_token_without_the_scope_is_403(crm: Caller, recipe: Recipe) -> None:
    assert recipe.create(crm.authorised(scopes=[])).status == 403


def test_api_keys_work_where_the_vendor_has_them(sandbox: Sandbox) -> None:
    hubspot, pipedrive = Caller(sandbox.urls["hubspot"]), Caller(sandbox.urls["pipedrive"])
    key = hubspot.grant(kind="api_key")["api_key"]
    assert key.startswith("pat-")
    assert RECIPES["hubspot"].create(hubspot, headers={"Authorization": f"Bearer {key}"}).status == 201
    key = pipedrive.grant(kind="api_key")["api_key"]
    assert RECIPES["pipedrive"].create(pipedrive, headers={"x-api-token": key}).status == 201
    pipedrive.post("/_sandbox/grants/revoke", {"token": key})
    assert RECIPES["pipedrive"].create(pipedrive, headers={"x-api-token": key}).status == 401
    assert Caller(sandbox.urls["salesforce"]).post("/_sandbox/grants", {"kind": "api_key"}).status == 400


# Faults.

PATIENCE = 0.3


@every_crm
def test_dropped_before_leaves_nothing_but_a_note(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    api.fault("dropped_before", method="POST", route="leads")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        recipe.create(api)
    assert crm.stored("leads") == []
    [entry] = crm.get("/_sandbox/requests").json
    assert (entry["fault"], entry["status"]) == ("dropped_before", None)
    assert recipe.create(api).status == 201


@every_crm
def test_dropped_after_stores_the_lead_and_says_nothing(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    api.fault("dropped_after", method="POST", route="leads")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        recipe.create(api)
    assert len(crm.stored("leads")) == 1
    assert crm.counts()["POST leads"] == 1


@every_crm
@pytest.mark.parametrize("stores", [True, False])
def test_stalled_answers_nothing_in_time(crm: Caller, recipe: Recipe, stores: bool) -> None:
    api = crm.authorised()
    api.fault("stalled", method="POST", route="leads", seconds=PATIENCE * 2, store=stores)
    with pytest.raises(TimeoutError):
        recipe.create(api, timeout=PATIENCE)
    assert len(crm.stored("leads")) == int(stores)


@every_crm
def test_refused_closes_the_port_and_opens_it_again(crm: Caller) -> None:
    crm.fault("refused", seconds=PATIENCE)
    time.sleep(PATIENCE / 3)
    with pytest.raises(ConnectionRefusedError):
        crm.get("/_sandbox/health")
    time.sleep(PATIENCE)
    assert crm.get("/_sandbox/health").status == 200


@every_crm
def test_truncated_json_is_stored_and_unreadable(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    api.fault("truncated_json", method="POST", route="leads")
    reply = recipe.create(api)
    assert reply.status == 201
    assert int(reply.headers["content-length"]) == len(reply.text)
    with pytest.raises(ValueError, match=r"."):
        _ = reply.json
    assert len(crm.stored("leads")) == 1


STATUSES = {
    "rate_limited": {"hubspot": 429, "salesforce": 403, "pipedrive": 429},
    "rate_limited_silent": {"hubspot": 429, "salesforce": 403, "pipedrive": 429},
    "server_error": dict.fromkeys(RECIPES, 500),
    "bad_gateway_html": dict.fromkeys(RECIPES, 502),
    "revoked_token": dict.fromkeys(RECIPES, 401),
    "missing_scope": dict.fromkeys(RECIPES, 403),
}


@every_crm
@pytest.mark.parametrize("kind", STATUSES)
def test_a_refusal_fault_is_consumed_and_stores_nothing(crm: Caller, recipe: Recipe, kind: str) -> None:
    api = crm.authorised()
    api.fault(kind, method="POST", route="leads", times=2)
    for _ in range(2):
        assert recipe.create(api).status == STATUSES[kind][crm_name(crm)]
    assert crm.stored("leads") == []
    assert crm.get("/_sandbox/faults").json == []
    assert recipe.create(api).status == 201


def crm_name(crm: Caller) -> str:
    return crm.get("/_sandbox/health").json["name"]


def test_a_rate_limit_tells_its_wait_in_the_vendors_own_header(sandbox: Sandbox) -> None:
    hubspot, pipedrive = Caller(sandbox.urls["hubspot"]), Caller(sandbox.urls["pipedrive"])
    for crm, header, told in (
        (hubspot, "x-hubspot-ratelimit-interval-milliseconds", "7000"),
        (pipedrive, "x-ratelimit-reset", "7"),
    ):
        crm.fault("rate_limited", wait=7)
        crm.fault("rate_limited_silent")
        assert crm.get("/").headers[header] == told
        silent = crm.get("/")
        assert silent.status == 429
        assert header not in silent.headers


def test_a_duplicate_names_the_existing_record_where_the_vendor_has_such_an_answer(sandbox: Sandbox) -> None:
    replies: dict[str, Reply] = {}
    for name, recipe in RECIPES.items():
        api = Caller(sandbox.urls[name]).authorised()
        first = recipe.read_id(recipe.create(api).json)
        api.fault("duplicate", method="POST", route="leads")
        replies[name] = recipe.create(api)
        if name != "pipedrive":
            assert first in replies[name].text
            assert len(api.stored("leads")) == 1
    assert replies["hubspot"].status == 409
    assert f"Existing ID: {Caller(sandbox.urls['hubspot']).stored('leads')[0]['id']}" in replies["hubspot"].text
    assert replies["salesforce"].json[0]["errorCode"] == "DUPLICATES_DETECTED"
    assert replies["pipedrive"].status == 201  # no conflict is known there: it is there twice, silently
    assert len(Caller(sandbox.urls["pipedrive"]).stored("leads")) == 3


def test_faults_hit_the_route_they_name_in_the_order_they_came(sandbox: Sandbox) -> None:
    api = Caller(sandbox.urls["salesforce"]).authorised()
    api.fault("server_error", method="POST", route="leads")
    api.fault("bad_gateway_html", route="lead*", times=None)
    assert api.get("/services/data/v66.0/limits").status == 200
    assert RECIPES["salesforce"].create(api).status == 500
    assert [RECIPES["salesforce"].create(api).status for _ in range(3)] == [502, 502, 502]
    assert len(api.get("/_sandbox/faults").json) == 1
    api.delete("/_sandbox/faults")
    assert RECIPES["salesforce"].create(api).status == 201


@every_crm
def test_the_token_endpoint_can_fail_too(crm: Caller) -> None:
    grant = crm.grant()
    crm.fault("server_error", route="token")
    assert token_request(crm, grant).status == 500
    assert token_request(crm, grant).status == 200
    assert crm.counts() == {"POST token": 2}


@every_crm
def test_a_fault_can_store_before_it_refuses(crm: Caller, recipe: Recipe) -> None:
    crm.fault("bad_gateway_html", route="leads", store=True)
    assert recipe.create(crm.authorised()).status == 502
    assert len(crm.stored("leads")) == 1


@every_crm
def test_the_control_plane_explains_what_it_cannot_do(crm: Caller) -> None:
    for path, body in (
        ("faults", {"kind": "gremlins"}),
        ("faults", {"kind": "stalled", "minutes": 3}),
        ("grants", {"kind": "kerberos"}),
        ("grants", {"colour": "red"}),
        ("records/unicorns", {}),
        ("settings", {"gravity": 1}),
    ):
        reply = crm.post(f"/_sandbox/{path}", body)
        assert reply.status == 400, path
        assert reply.json["error"]
    assert crm.get("/_sandbox/nothing").status == 404
    assert crm.counts() == {}


def test_there_are_twelve_kinds_of_faults() -> None:
    assert len(FaultKind) == 12


# Transport.


@every_crm
def test_fifty_leads_at_once_are_fifty_leads(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: recipe.create(api), range(50)))
    assert {reply.status for reply in replies} == {201}
    assert len({recipe.read_id(reply.json) for reply in replies}) == 50
    assert len(crm.stored("leads")) == 50


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(sandbox.urls["hubspot"].rsplit(":", 1)[1]), timeout=5)
    for _ in range(3):
        connection.request("GET", "/_sandbox/health")
        assert connection.getresponse().read()
    connection.close()


def test_chunked_bodies_are_read_and_what_is_no_http_is_400(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["hubspot"].rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/_sandbox/grants", iter([b'{"expires_in"', b": 5}"]), encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Content-Length", "many")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_the_process_prints_one_line_of_urls_and_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "tests.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parents[1], text=True) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        assert sorted(urls) == list(vendors.names())
        assert Caller(urls["hubspot"]).get("/_sandbox/health").json["name"] == "hubspot"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout.read() == ""


def test_a_chosen_port_is_used() -> None:
    with Sandbox(("hubspot",)) as first:
        port = int(first.urls["hubspot"].rsplit(":", 1)[1])
    with Sandbox(("hubspot",), ports={"hubspot": port}) as second:
        assert second.urls == {"hubspot": f"http://127.0.0.1:{port}"}
        assert second["hubspot"].name == "hubspot"


def test_the_sandbox_never_imports_what_it_tests() -> None:
    for file in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "switchboard" for name in names), file
