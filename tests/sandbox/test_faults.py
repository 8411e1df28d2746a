"""The twelve kinds of faults, on every CRM."""

import http.client
import time

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.faults import FaultKind
from tests.sandbox.recipes import RECIPES, STATUSES, Recipe, every_crm, every_oauth, token_request

PATIENCE = 0.3


@every_crm
def test_dropped_before_leaves_nothing_but_a_note(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    api.fault("dropped_before", method="POST", route=recipe.noun)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        recipe.create(api)
    assert crm.stored(recipe.noun) == []
    [entry] = crm.get("/_sandbox/requests").json
    assert (entry["fault"], entry["status"]) == ("dropped_before", None)
    assert recipe.create(api).status == recipe.made


@every_crm
def test_dropped_after_stores_the_lead_and_says_nothing(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    api.fault("dropped_after", method="POST", route=recipe.noun)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        recipe.create(api)
    assert len(crm.stored(recipe.noun)) == 1
    assert crm.counts()[f"POST {recipe.noun}"] == 1


@every_crm
@pytest.mark.parametrize("stores", [True, False])
def test_stalled_answers_nothing_in_time(crm: Caller, recipe: Recipe, stores: bool) -> None:
    api = crm.authorised()
    api.fault("stalled", method="POST", route=recipe.noun, seconds=PATIENCE * 2, store=stores)
    with pytest.raises(TimeoutError):
        recipe.create(api, timeout=PATIENCE)
    assert len(crm.stored(recipe.noun)) == int(stores)


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
    api.fault("truncated_json", method="POST", route=recipe.noun)
    reply = recipe.create(api)
    assert reply.status == recipe.made
    assert int(reply.headers["content-length"]) == len(reply.text)
    with pytest.raises(ValueError, match=r"."):
        _ = reply.json
    assert len(crm.stored(recipe.noun)) == 1


@every_crm
@pytest.mark.parametrize("kind", STATUSES)
def test_a_refusal_fault_is_consumed_and_stores_nothing(crm: Caller, recipe: Recipe, kind: str) -> None:
    api = crm.authorised()
    api.fault(kind, method="POST", route=recipe.noun, times=2)
    for _ in range(2):
        assert recipe.create(api).status == recipe.refused(kind)
    assert crm.stored(recipe.noun) == []
    assert crm.get("/_sandbox/faults").json == []
    assert recipe.create(api).status == recipe.made


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
    for name in ("hubspot", "pipedrive", "salesforce"):
        recipe = RECIPES[name]
        api = Caller(sandbox.urls[name]).authorised()
        first = recipe.read_id(recipe.create(api).json)
        api.fault("duplicate", method="POST", route=recipe.noun)
        replies[name] = recipe.create(api)
        if name != "pipedrive":
            assert first in replies[name].text
            assert len(api.stored(recipe.noun)) == 1
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


@every_oauth
def test_the_token_endpoint_can_fail_too(crm: Caller) -> None:
    grant = crm.grant()
    crm.fault("server_error", route="token")
    assert token_request(crm, grant).status == 500
    assert token_request(crm, grant).status == 200
    assert crm.counts() == {"POST token": 2}


@every_crm
def test_a_fault_can_store_before_it_refuses(crm: Caller, recipe: Recipe) -> None:
    crm.fault("bad_gateway_html", route=recipe.noun, store=True)
    assert recipe.create(crm.authorised()).status == 502
    assert len(crm.stored(recipe.noun)) == 1


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
