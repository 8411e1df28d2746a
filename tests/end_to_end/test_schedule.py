"""The way of a sync, with nobody's hand in it: ministack's schedule, the planner, the queue, the run, the search."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local.dev import MINUTELY
from tests.local.stack import Stack
from tests.local.tenant import Tenant, operator

FIRED_SECONDS = 85
"""A minute at the most, for the schedule; ministack looks at it every ten seconds; the rest is the sync."""


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: who fires a schedule in a stack that others use syncs their accounts too."""
    logs = tmp_path_factory.mktemp("scheduled")
    with Stack(schedules=True, parameters={"SyncSchedule": MINUTELY}, workers=2, logs=logs) as running:
        yield running


@pytest.fixture
def caller(scheduled: Stack) -> Iterator[Tenant]:
    """A brand with two CRMs."""
    admin = operator(scheduled)
    yield (tenant := Tenant.on(scheduled, admin, ["hubspot", "pipedrive"]))
    tenant.client.close()
    admin.dynamodb.close()
    admin.secretsmanager.close()


def found(tenant: Tenant, email: str) -> list[dict[str, Any]]:
    """Contacts of that address."""
    body = {"filters": [{"field": "email", "operator": "eq", "value": email}]}
    answer = tenant.ask("POST", "/v1/contacts/search", body, {"version": "2026-06-01"})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.5)


def test_a_contact_of_a_crm_is_found_by_a_search_after_the_schedule_has_fired(scheduled: Stack, caller: Tenant) -> None:
    caller.vendors["hubspot"].plant("contacts", firstname="Ada", lastname="Lovelace", email="ada@engines.example")
    caller.vendors["pipedrive"].plant(
        "persons", name="Ada King", emails=[{"value": "ada@engines.example", "primary": True}]
    )
    assert found(caller, "ada@engines.example") == []

    until(lambda: len(found(caller, "ada@engines.example")) == 2, seconds=FIRED_SECONDS)

    contacts = found(caller, "ada@engines.example")
    assert {each["source"]["crm"]: each["last_name"] for each in contacts} == {
        "hubspot": "Lovelace",
        "pipedrive": "King",
    }
    one = caller.ask("GET", f"/v1/contacts/{contacts[0]['id']}", headers={"version": "2026-06-01"})
    assert (one.status_code, one.json()) == (200, contacts[0])
    assert "REPORT" in (scheduled.logs / "PlanSyncs.log").read_text()
