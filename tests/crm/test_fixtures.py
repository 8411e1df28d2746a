"""Every exchange that was recorded from a CRM is told apart as its fact sheet says."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from switchboard.crm import registry
from switchboard.crm.auth import OAuth2
from switchboard.crm.problem import Outcome, Problem
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import SHARED, document, files
from tests.crm.voices import voice
from tests.talk import script

FOLDER = SHARED / "fixtures"

FILES = [(name, file) for name in registry.NAMES for file in files(f"fixtures/{name}")]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recorded exchanges: {FOLDER} is absent")
each_exchange = pytest.mark.parametrize(
    ("crm", "file"), FILES, ids=[f"{name}/{file.stem}" for name, file in FILES] or None
)


@dataclass(frozen=True)
class Exchange:
    request: Request
    response: Response | None
    is_token: bool


def exchange(file: Path) -> Exchange:
    recorded: dict[str, Any] = json.loads(file.read_text())
    asked: dict[str, Any] = recorded.get("request") or {"method": "GET", "path": "/"}
    told = recorded["response"] or {}
    request = Request(asked["method"], asked["path"], safe=asked["method"] == "GET")
    response = None
    if told.get("status") is not None:
        # Documentation may name headers without a value; an empty text is no body.
        told_headers = (told.get("headers") or {}).items()
        headers = {name.lower(): value for name, value in told_headers if value is not None}
        body = None if told["body"] == "" else told["body"]
        response = Response(told["status"], headers, body, readable=not isinstance(body, str))
    is_token = recorded["operation"].startswith("oauth") or asked["path"].endswith("/token")
    return Exchange(request, response, is_token)


def problem_of(crm: str, file: Path) -> Problem | None:
    """What our dialect makes of a recorded answer."""
    found, declared = exchange(file), registry.load(crm)
    assert found.response
    try:
        if found.is_token:
            scheme = next(each for each in declared.auth.values() if isinstance(each, OAuth2))
            app = {"client_id": "i", "client_secret": "s"}
            script(found.response).hold(scheme.refresh({"refresh_token": "r"}, app))
        else:
            declared.dialect.check(found.request, found.response)
    except Problem as problem:
        return problem
    return None


def refusal(crm: str, name: str) -> Problem:
    file = FOLDER / crm / f"{name}.json"
    problem = problem_of(crm, file)
    assert problem
    return problem


@each_exchange
def test_a_recorded_answer_is_what_the_fact_sheet_says(crm: str, file: Path) -> None:
    if exchange(file).response is None:
        pytest.skip("a request only, or an answer of which no status is known")
    problem = problem_of(crm, file)
    assert (problem and problem.kind) == voice(crm).kinds.get(file.stem)


@each_exchange
def test_a_recorded_refusal_keeps_the_vendors_words(crm: str, file: Path) -> None:
    found = exchange(file)
    if found.response is None or file.stem not in voice(crm).kinds or found.is_token:
        return
    problem = refusal(crm, file.stem)
    assert problem.remote
    assert problem.remote.status == found.response.status
    assert problem.remote.body == found.response.body
    assert problem.outcome in ((Outcome.NOTHING,) if found.request.safe else (Outcome.REFUSED, Outcome.UNKNOWN))


@pytest.mark.parametrize("crm", registry.NAMES)
def test_every_refusal_in_the_table_was_recorded(crm: str) -> None:
    recorded = {file.stem for name, file in FILES if name == crm}
    assert set(voice(crm).kinds) <= recorded


@each_exchange
def test_the_headers_of_a_recorded_answer_are_read(crm: str, file: Path) -> None:
    response = exchange(file).response
    if response is None:
        return
    dialect = registry.load(crm).dialect
    rate, forwarded = dialect.rate(response), dialect.forward(response)
    assert (rate is not None) == any("limit" in name for name in response.headers)
    assert "content-type" not in forwarded
    assert "location" not in forwarded


@each_exchange
def test_any_recorded_body_is_read_as_far_as_it_goes(crm: str, file: Path) -> None:
    response = exchange(file).response
    for case in CASES.values():
        if case.crm.name == crm and response:
            json.dumps(case.crm.dialect.item(case.resource, response.body))


@pytest.mark.parametrize(
    ("crm", "name", "existing"),
    [
        ("hubspot", "contact.create.conflict.409", "37765128953"),
        ("hubspot", "contacts.batch-create.conflict.409", None),
        ("salesforce", "contact.create.duplicates-detected.400", "0038M0000016Wv8QAE"),
    ],
)
def test_the_record_in_the_way_is_named(crm: str, name: str, existing: str | None) -> None:
    remote = refusal(crm, name).remote
    assert remote
    assert remote.existing_id == existing


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("error.rate-limit.daily.429", None),
        ("error.rate-limit.secondly-search.429", 1),
        ("error.rate-limit.ten-secondly.429", 10),
    ],
)
def test_hubspot_says_by_its_policy_how_long_to_wait(name: str, seconds: int | None) -> None:
    assert refusal("hubspot", name).retry_after == seconds


@pytest.mark.parametrize(
    ("crm", "name", "fields"),
    [
        ("salesforce", "error.required-field-missing.400", ["Name"]),
        ("salesforce", "error.restricted-picklist.400", ["Job_Category__c"]),
        ("salesforce", "record.write.field-not-writeable.400", ["MasterRecordId"]),
        ("salesforce", "record.write.success-false.200", []),
    ],
)
def test_the_fields_that_were_refused_are_named(crm: str, name: str, fields: list[str]) -> None:
    assert [fault.field for fault in refusal(crm, name).faults] == fields


def test_hubspot_names_each_refused_property() -> None:
    fields = {fault.field for fault in refusal("hubspot", "contacts.batch-create.invalid-properties.400").faults}
    assert fields == {"first000name", "last000name"}


def test_hubspot_names_the_scopes_that_are_missing() -> None:
    insight = refusal("hubspot", "error.missing-scopes.403").insight
    assert insight["forbidden_error"]["value"] == {"missing_scopes": ["custom-object-read"]}


@pytest.mark.parametrize(
    ("crm", "name", "code"),
    [
        ("hubspot", "error.expired-token.401", "EXPIRED_AUTHENTICATION"),
        ("hubspot", "error.rate-limit.daily.429", "RATE_LIMIT"),
        ("salesforce", "error.request-limit.403", "REQUEST_LIMIT_EXCEEDED"),
        ("salesforce", "record.write.success-false.200", "MALFORMED_ID"),
        ("pipedrive", "deal.create.plan-limit.403", "feature_capping_deals_limit"),
    ],
)
def test_the_vendors_code_is_kept(crm: str, name: str, code: str) -> None:
    remote = refusal(crm, name).remote
    assert remote
    assert remote.code == code


def test_a_pipedrive_refresh_is_read() -> None:
    declared = registry.load("pipedrive")
    scheme = declared.auth["oauth2"]
    response = exchange(FOLDER / "pipedrive/oauth.refresh.success.200.json").response
    assert isinstance(scheme, OAuth2)
    assert response
    app = {"client_id": "i", "client_secret": "s"}
    token = script(response).hold(scheme.refresh({"refresh_token": "r"}, app))
    assert (token.access_token, token.refresh_token, token.expires_in) == ("ACCESS_TOKEN", "REFRESH_TOKEN", 3600)


def read(case: str, name: str) -> list[dict[str, Any]]:
    """The unified records in a recorded answer."""
    found, body = CASES[case], document(f"fixtures/{case.partition('-')[0]}/{name}.json")["response"]["body"]
    listed = body.get("records") or body.get("data")
    bodies = listed if isinstance(listed, list) else [body]
    return [found.crm.dialect.item(found.resource, each) for each in bodies]


PIPEDRIVE_LEAD = {
    "id": "1bce0200-5044-11f1-8f4f-d7944c9e4f3a",
    "title": "Updated Lead Title from Nango",
    "owner": {"id": "25760681"},
    "contact": {"id": "1"},
    "account": {"id": "1"},
    "lead_source": "API",
    "created_at": "2026-05-15T09:54:47.968Z",
    "updated_at": "2026-05-15T10:11:08.288Z",
}


def test_a_recorded_pipedrive_lead_is_read() -> None:
    assert read("pipedrive-leads", "lead.get.200") == [PIPEDRIVE_LEAD]
    assert read("pipedrive-leads", "lead.update.200") == [PIPEDRIVE_LEAD]
    [made] = read("pipedrive-leads", "lead.create.201")
    assert made == {
        "id": "c750ba60-5048-11f1-bc07-9325c0fa40f5",
        "title": "Test Lead",
        "owner": {"id": "25760681"},
        "contact": {"id": "1"},
        "lead_source": "API",
        "created_at": "2026-05-15T10:28:13.702Z",
        "updated_at": "2026-05-15T10:28:13.702Z",
    }


def test_a_recorded_pipedrive_list_is_read() -> None:
    first, second = read("pipedrive-leads", "leads.list.200")
    assert (first["title"], second) == ("Acme Corp Expansion Opportunity", PIPEDRIVE_LEAD)


def test_a_recorded_salesforce_list_is_read() -> None:
    first, *_ = read("salesforce-leads", "leads.query.200")
    assert first == {"first_name": "Bertha", "addresses": [{"city": "Tallahassee"}]}


def test_the_pipedrive_lead_we_create_is_the_one_that_was_recorded() -> None:
    case, recorded = CASES["pipedrive-leads"], document("fixtures/pipedrive/lead.create.201.json")
    partner = script(Response(201, {}, recorded["response"]["body"]))
    answer = partner.hold(
        case.crm.dialect.create(case.resource, case.draft({"title": "Test Lead", "contact": {"id": "1"}}))
    )
    [request] = partner.requests
    assert (request.method, request.path) == (recorded["request"]["method"], recorded["request"]["path"])
    assert request.json == recorded["request"]["body"]
    assert answer.item["id"] == "c750ba60-5048-11f1-bc07-9325c0fa40f5"


def test_the_hubspot_lead_we_create_is_the_one_that_the_vendor_shows() -> None:
    case, shown = CASES["hubspot-leads"], document("fixtures/hubspot/lead.create.request-only.json")["request"]
    item = {
        "title": "Jane Doe",
        "lead_type": "NEW BUSINESS",
        "contact": {"id": "YOUR_CONTACT_ID"},
        "account": {"id": "YOUR_COMPANY_ID"},
    }
    draft = case.draft(item, {"properties": {"hs_lead_label": "WARM"}})
    partner = case.answers("1")
    partner.hold(case.crm.dialect.create(case.resource, draft))
    [request] = partner.unsafe
    assert request.path == shown["path"].replace("/crm/v3/objects/", "/crm/objects/2026-09/")
    assert request.json["properties"] == shown["body"]["properties"]
    # The vendor's example has no company; the contract asks for one.
    assert [link for link in request.json["associations"] if link in shown["body"]["associations"]] == shown["body"][
        "associations"
    ]
    [company] = [link for link in request.json["associations"] if link not in shown["body"]["associations"]]
    assert company["to"] == {"id": "YOUR_COMPANY_ID"}
    assert company["types"] == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 580}]
