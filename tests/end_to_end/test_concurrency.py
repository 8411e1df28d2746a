"""Races on ministack, whose conditional writes have one winner: fifty at once, over processes and over threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.local.inside import Invocation
from tests.local.tenant import Tenant, connect

AT_ONCE = 50

type Answer = tuple[int, str]
"""Status and body."""
type Caller = Callable[[Tenant, str, dict[str, Any], str | None], Answer]


def by_gateway(tenant: Tenant, crm: str, body: dict[str, Any], key: str | None) -> Answer:
    """Over HTTP: eight processes, as Lambda would run them."""
    answer = tenant.create(crm, body, key=key)
    while answer.status_code == 409:  # told to come back
        answer = tenant.create(crm, body, key=key)
    return answer.status_code, answer.text


def by_handler(tenant: Tenant, crm: str, body: dict[str, Any], key: str | None) -> Answer:
    """In this process: as many as there are threads."""
    from functions.create_lead.app import handler

    event = tenant.event(crm, body, key)
    answer = handler(event, Invocation(25))
    while answer["statusCode"] == 409:
        answer = handler(event, Invocation(25))
    return answer["statusCode"], answer["body"]


@pytest.fixture(params=[by_gateway, by_handler], ids=["eight-processes", "fifty-threads"])
def call(request: pytest.FixtureRequest, process: None) -> Caller:
    """Both ways to call."""
    return request.param


def all_at_once(work: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, range(AT_ONCE)))


three_shapes = pytest.mark.parametrize("crm", ["hubspot", "pipedrive", "salesforce"])
"""The races are ours, not the CRM's: three of them, that answer in different ways, are enough."""


@three_shapes
def test_fifty_calls_with_one_key_are_one_post_and_one_answer(tenant: Tenant, crm: str, call: Caller) -> None:
    vendor, body = tenant.vendors[crm], tenant.lead(crm)
    posts = vendor.posts

    answers = all_at_once(lambda _: call(tenant, crm, body, "one-key"))

    assert vendor.posts == posts + 1
    assert len(set(answers)) == 1, "fifty identical bodies"
    assert answers[0][0] == 201


@three_shapes
def test_fifty_calls_on_an_expired_rotating_token_are_one_refresh_and_no_error(
    tenant: Tenant, crm: str, call: Caller
) -> None:
    vendor = tenant.vendors[crm]
    account = connect(tenant.admin, tenant.brand, crm, vendor, expired=True, rotates=True)
    caller = tenant.with_accounts(**{crm: account})
    body = caller.lead(crm)
    refreshes = vendor.control("GET", "counts").get("POST token", 0)

    answers = all_at_once(lambda _: call(caller, crm, body, None))

    assert {status for status, _ in answers} == {201}, [body for status, body in answers if status != 201][:1]
    assert vendor.control("GET", "counts")["POST token"] == refreshes + 1
