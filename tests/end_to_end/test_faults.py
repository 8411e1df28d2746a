"""Twelve things that go wrong, at every CRM, with a key and without one, and with a client that will not wait."""

import json
from collections.abc import Mapping

import pytest

from functions.create_lead.app import handler
from switchboard.admin import Admin
from tests.local import faults
from tests.local.faults import SECONDS, Cell
from tests.local.inside import Invocation
from tests.local.stack import Stack
from tests.local.tenant import Tenant


@pytest.fixture(scope="module")
def cells(stack: Stack, admin: Admin) -> Mapping[tuple[str, str, str], Cell]:
    """The whole grid, which `make faults` prints."""
    return {(each.crm, each.fault, each.client): each for each in faults.grid(stack, admin)}


@pytest.mark.parametrize("client", faults.CLIENTS)
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_no_fault_makes_a_duplicate_or_loses_an_answer(
    cells: Mapping[tuple[str, str, str], Cell], crm: str, fault: str, client: str
) -> None:
    cell = cells[crm, fault, client]
    if cell.skipped:
        pytest.skip(f"{crm}: {cell.skipped}")
    assert cell.wrong is None, cell.told


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
