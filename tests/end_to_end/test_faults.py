"""Twelve things that go wrong, at every CRM, with a key and without one, and with a client that will not wait."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.create_lead.app import handler
from switchboard.api import once
from tests.local.inside import Invocation
from tests.local.tenant import Tenant

SECONDS = 4.0
"""What the function has; the deadline of the CRM lies below."""


@dataclass(frozen=True)
class Case:
    """A fault, and what the caller is told first. Some faults are mended on the way: then it is the lead."""

    status: int
    type: str = ""
    crm_status: int | None = None
    given: dict[str, Any] | None = None


FAULTS: dict[str, Case] = {
    "refused": Case(201, given={"seconds": 0.3}),
    "dropped_before": Case(504, "outcome-unknown"),
    "dropped_after": Case(504, "outcome-unknown"),
    "stalled": Case(504, "outcome-unknown", given={"seconds": SECONDS}),
    "rate_limited": Case(429, "crm-rate-limited", given={"wait": 2}),
    "rate_limited_silent": Case(429, "crm-rate-limited"),
    "server_error": Case(504, "outcome-unknown", 500),
    "bad_gateway_html": Case(504, "outcome-unknown", 502),
    "truncated_json": Case(504, "outcome-unknown"),
    "revoked_token": Case(201),
    "missing_scope": Case(403, "crm-forbidden", 403),
    "duplicate": Case(409, "crm-conflict"),
}

NO_DUPLICATES = {"pipedrive": "its leads know no duplicates: nothing in its contract refuses one"}
"""CRMs at which a create meets no record in its way, and why."""

AT_ONCE = (409, 429, 502, 503, 504)
"""What known clients send again at once, without a key."""


@dataclass(frozen=True)
class Client:
    """A way to call: with a key or without, and what is sent again."""

    key: str | None
    again: tuple[int, ...]


CLIENTS = {
    "keyed": Client("one-key", (401, 403, 429, 502, 503, 504)),
    "unkeyed": Client(None, (401, 403, 429, 502, 503, 504)),
    "impatient": Client(None, AT_ONCE),
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_makes_a_duplicate_or_loses_an_answer(
    tenant: Tenant, process: None, crm: str, fault: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "duplicate" and crm in NO_DUPLICATES:
        pytest.skip(f"{crm}: {NO_DUPLICATES[crm]}")
    monkeypatch.setattr(once, "BROKEN_SECONDS", 0.5)  # the rule is the same, the test is shorter
    case, vendor = FAULTS[fault], tenant.vendors[crm]
    body = {**tenant.lead(crm), "title": f"{fault}"}
    held = vendor.leads
    vendor.fault(fault, **(case.given or {}))

    event = tenant.event(crm, body, client.key)
    first, last = exchange(lambda seconds: handler(event, Invocation(seconds)), client)

    told = json.loads(first["body"])
    assert first["statusCode"] == case.status, first["body"]
    if case.type:
        assert told["type"].endswith("#" + case.type)
        assert told.get("truto_is_remote_error") or case.type == "outcome-unknown"
        assert case.crm_status is None or told["crm_status"] == case.crm_status
    if first["statusCode"] == 429:
        assert int(first["headers"]["retry-after"]) >= 1
    if last["statusCode"] == 201:
        assert vendor.leads == held + 1
        assert json.loads(last["body"])["id"] in ids(tenant, crm)
    else:  # the CRM's last word, which this client takes for an answer
        assert (last["statusCode"], fault) in ((409, "duplicate"), (403, "missing_scope")), last["body"]
        assert fault != "duplicate" or told["existing_id"]
        assert vendor.leads == held


def exchange(call: Callable[[float], dict[str, Any]], client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first answer, and the last that a client gets who sends it again as often as three times."""
    first = last = call(SECONDS)
    for _ in range(3):
        if last["statusCode"] not in client.again:
            break
        last = call(25)
    return first, last


def ids(tenant: Tenant, crm: str) -> set[str]:
    return {str(record.get("id", record.get("Id"))) for record in tenant.vendors[crm].control("GET", "records/leads")}


def test_a_crm_that_stays_away_is_502_and_nothing_is_kept(tenant: Tenant, process: None, crm: str) -> None:
    body, vendor = tenant.lead(crm), tenant.vendors[crm]
    held = vendor.leads
    vendor.fault("refused", seconds=2.0)

    answer = handler(tenant.event(crm, body, "away"), Invocation(SECONDS))

    assert answer["statusCode"] == 502
    assert json.loads(answer["body"])["type"].endswith("#crm-unavailable")
    while answer["statusCode"] != 201:
        answer = handler(tenant.event(crm, body, "away"), Invocation(SECONDS))
        assert answer["statusCode"] in (201, 502), answer["body"]
    assert vendor.leads == held + 1


def test_while_a_timed_out_crm_may_still_be_at_work_nothing_is_created_again(
    tenant: Tenant, process: None, crm: str
) -> None:
    body, vendor = tenant.lead(crm), tenant.vendors[crm]
    held = vendor.leads
    vendor.fault("stalled", seconds=SECONDS, store=False)

    answers = [handler(tenant.event(crm, body, "slow"), Invocation(SECONDS)) for _ in range(2)]

    assert [answer["statusCode"] for answer in answers] == [504, 504]
    assert int(answers[1]["headers"]["retry-after"]) > 1
    assert vendor.leads == held
