"""What `sam build` made, run as Lambda runs it: the runtime's own packages, the layer, the function, the emulator."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.dev import event_of
from tests.local.emulator import Code
from tests.local.process import ROOT
from tests.local.stack import Stack
from tests.local.tenant import Tenant, operator

BUILT = ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not (BUILT / "template.yaml").exists():
        pytest.skip("there is no bundle: make build")
    logs: Path = tmp_path_factory.mktemp("bundle")
    with Stack(code=Code.built, workers=1, logs=logs) as stack:
        yield stack


def test_the_event_for_sam_local_invoke_creates_a_lead_with_the_built_bundle(bundle: Stack) -> None:
    tenant = Tenant.on(bundle, operator(bundle), ["hubspot"])
    held = tenant.vendors["hubspot"].leads

    answer = bundle.functions["CreateLead"].invoke(event_of(tenant))

    assert isinstance(answer, dict)
    assert answer["statusCode"] == 201, answer["body"]
    assert json.loads(answer["body"])["id"]
    assert tenant.vendors["hubspot"].leads == held + 1
    tenant.client.close()
    tenant.admin.dynamodb.close()
    tenant.admin.secretsmanager.close()


def test_a_pod_is_made_and_seen_with_the_built_bundle(bundle: Stack) -> None:
    """What pages are made of is no Python, and has to be in the layer all the same."""
    tenant = Tenant.on(bundle, operator(bundle), ["hubspot"])
    order = {
        "crm_type": "hubspot",
        "crm_object": "deals",
        "crm_id": tenant.story("hubspot")["deals"],
        "template_id": "deal-room",
    }

    answer = tenant.ask("POST", "/v1/pods", order)

    assert answer.status_code == 200, answer.text
    page = tenant.client.get(answer.json()["data"]["live_url"])
    assert (page.status_code, "Analytical Engines" in page.text) == (200, True)
    assert tenant.client.get(answer.json()["data"]["edit_url"]).status_code == 200
    tenant.client.close()
    tenant.admin.dynamodb.close()
    tenant.admin.secretsmanager.close()


def test_the_event_for_an_unknown_route_is_refused_by_the_built_bundle(bundle: Stack) -> None:
    event = json.loads((ROOT / "events" / "unknown_route.json").read_text())

    answer = bundle.functions["UnknownRoute"].invoke(event)

    assert isinstance(answer, dict)
    assert answer["statusCode"] in (404, 405)


def test_a_sync_is_planned_and_run_and_its_contact_found_with_the_built_bundle(bundle: Stack) -> None:
    """The events of the schedule and of the queue, and a search; the schedule itself is off here."""
    tenant = Tenant.on(bundle, operator(bundle), ["hubspot"])
    tenant.vendors["hubspot"].plant("contacts", firstname="Ada", lastname="Lovelace", email="bundle@engines.example")
    search = {"filters": [{"field": "email", "operator": "eq", "value": "bundle@engines.example"}]}
    event = json.loads((ROOT / "events" / "plan_syncs.json").read_text())

    planned = bundle.functions["PlanSyncs"].invoke(event)

    assert isinstance(planned, dict)
    assert planned["queued"] >= 1
    until = time.monotonic() + 30
    while not (found := tenant.ask("POST", "/v1/contacts/search", search, {"version": "2026-06-01"}).json()["data"]):
        assert time.monotonic() < until, "the queue has started nobody"
        time.sleep(0.2)
    assert [each["last_name"] for each in found] == ["Lovelace"]
    tenant.client.close()
    tenant.admin.dynamodb.close()
    tenant.admin.secretsmanager.close()


def test_a_message_of_nobody_is_done_with_by_the_built_bundle(bundle: Stack) -> None:
    event = json.loads((ROOT / "events" / "run_sync.json").read_text())
    assert bundle.functions["RunSync"].invoke(event) == {"batchItemFailures": []}


def test_the_layer_holds_our_package_its_dependencies_and_no_boto3(bundle: Stack) -> None:
    held = {path.name for path in (BUILT / "Layer" / "python").iterdir()}

    assert {"switchboard", "httpx", "pydantic", "aws_lambda_powertools"} <= held
    assert held.isdisjoint({"boto3", "botocore", "tests", "aws_xray_sdk"})
