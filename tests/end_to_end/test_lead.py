"""Creating a lead, through real sockets all the way."""

import json
import re
from typing import Any

import httpx
import pytest

from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from tests.local.stack import Stack
from tests.local.tenant import SAMPLES, Tenant, connect


def test_a_lead_is_made_and_answered_as_the_crm_holds_it(tenant: Tenant, crm: str) -> None:
    body = tenant.lead(crm)

    answer = tenant.create(crm, body)

    assert answer.status_code == 201, answer.text
    made, sample = answer.json(), tenant.vendors[crm].sample
    assert made[sample.told] == body[sample.mark]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", made["created_at"])
    assert any(made["id"] in map(str, record.values()) for record in stored(tenant, crm))


def stored(tenant: Tenant, crm: str) -> list[dict[str, Any]]:
    vendor = tenant.vendors[crm]
    return vendor.control("GET", f"records/{vendor.sample.noun('leads')}")


def test_an_unkeyed_create_sent_twice_is_two_leads_unless_the_crm_minds(tenant: Tenant, crm: str) -> None:
    body, vendor = tenant.lead(crm), tenant.vendors[crm]
    held, unique = vendor.leads, vendor.sample.unique

    answers = [tenant.create(crm, body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409 if unique else 201]
    assert vendor.leads == held + (1 if unique else 2)


def test_what_the_crm_has_no_place_for_is_named_and_not_sent(tenant: Tenant, crm: str) -> None:
    leads = registry.load(crm).resources["leads"]
    assert isinstance(leads, Resource)
    homeless = next(name for name in ("industry", "lead_type") if leads.table.row(name) is None)

    answer = tenant.create(crm, {**tenant.lead(crm), homeless: "looms"})

    assert answer.status_code == 201, answer.text
    assert answer.headers["switchboard-ignored-fields"] == homeless
    assert "looms" not in json.dumps(tenant.vendors[crm].control("GET", "requests"))


def test_a_refusal_of_the_crm_keeps_its_words_status_and_request_id(tenant: Tenant) -> None:
    answer = tenant.create("hubspot", {**tenant.lead("hubspot"), "lead_type": "NO_SUCH_TYPE"})

    body = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["truto_is_remote_error"] is True
    assert body["raw_response"]["category"] == "VALIDATION_ERROR"
    assert body["crm_request_id"] == body["raw_response"]["correlationId"]
    assert body["trace_id"] == answer.headers["x-trace-id"]


def test_a_definitive_refusal_is_replayed_to_the_letter(tenant: Tenant) -> None:
    body = {**tenant.lead("hubspot"), "lead_type": "NO_SUCH_TYPE"}
    posts = tenant.vendors["hubspot"].posts

    first, again = (tenant.create("hubspot", body, key="refused") for _ in range(2))

    assert (first.status_code, again.content) == (400, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert tenant.vendors["hubspot"].posts == posts + 1


def test_another_brands_account_is_the_404_of_one_that_never_was(stack: Stack, tenant: Tenant, crm: str) -> None:
    other = Tenant.on(stack, tenant.admin, [crm])
    body = tenant.lead(crm)
    never = tenant.with_accounts(**{crm: NEVER})
    foreign = tenant.with_accounts(**other.accounts)

    answers = [caller.create(crm, body) for caller in (never, foreign)]

    other.client.close()
    assert [answer.status_code for answer in answers] == [404, 404]
    first, second = ({name: value for name, value in answer.json().items() if name != "trace_id"} for answer in answers)
    assert first == second


NEVER = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"


def needs_oauth(crm: str) -> None:
    if SAMPLES[crm].kind != "oauth2":
        pytest.skip(f"{crm} has API keys, which do not expire")


def test_an_expired_token_is_renewed_on_the_way(tenant: Tenant, crm: str) -> None:
    needs_oauth(crm)
    account = connect(tenant.admin, tenant.brand, crm, tenant.vendors[crm], expired=True)

    answer = tenant.with_accounts(**{crm: account}).create(crm, tenant.lead(crm))

    assert answer.status_code == 201, answer.text


def test_a_dead_grant_makes_the_account_need_reauth_and_a_reconnect_mends_it(tenant: Tenant, crm: str) -> None:
    needs_oauth(crm)
    vendor = tenant.vendors[crm]
    granted = vendor.grant(expired=True)
    tenant.admin.set_app(crm, granted["client_id"], granted["client_secret"])
    dead = {"access_token": granted["access_token"], "refresh_token": "dead", "expires_at": 1}
    account = tenant.accounts[crm]
    tenant.admin.reconnect_account(tenant.brand, account, dead)
    body, posts = tenant.lead(crm), vendor.posts

    answers = [tenant.create(crm, body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["type"].endswith("#needs-reauth")
    assert all(answer.json()["truto_is_remote_error"] for answer in answers)
    assert vendor.posts == posts, "nothing was created with a dead token"
    [listed] = [each for each in tenant.admin.list_accounts(tenant.brand) if each["id"] == account]
    assert listed["status"] == "needs_reauth"

    alive = vendor.grant()
    tenant.admin.set_app(crm, alive["client_id"], alive["client_secret"])
    tokens = {name: alive[name] for name in ("access_token", "refresh_token")}
    tenant.admin.reconnect_account(tenant.brand, account, tokens)


@pytest.mark.parametrize(
    ("method", "path", "status", "surface"),
    [
        ("PUT", "/unified/crm/leads", 405, "statusCode"),
        ("POST", "/unified/crm/no-such-thing", 404, "statusCode"),
        ("POST", "/v1/pods/no/such/thing", 404, "success"),
        ("GET", "/nowhere", 404, "type"),
    ],
)
def test_what_no_route_takes_is_refused_in_the_form_of_its_surface(
    stack: Stack, method: str, path: str, status: int, surface: str
) -> None:
    answer = httpx.request(method, stack.url + path, trust_env=False)

    assert answer.status_code == status
    assert surface in answer.json()
    assert answer.json()["status"] == status


def test_nothing_secret_is_in_a_log(stack: Stack, tenant: Tenant, crm: str) -> None:
    tenant.create(crm, tenant.lead(crm))
    tenant.create(crm, {"title": "x"})
    tenant.create(crm, tenant.lead(crm), secret=tenant.key.secret[:-1] + "!")

    logs = "".join(path.read_text(errors="replace") for path in stack.logs.glob("*.log") if "sandbox" not in path.name)

    assert '"message":"call"' in logs, "there is a log to look at"
    credentials = tenant.admin.secretsmanager.get_secret_value(
        SecretId=f"{tenant.admin.prefix}/accounts/{tenant.brand}/{tenant.accounts[crm]}"
    )
    for secret in (tenant.key.secret, *map(str, json.loads(credentials["SecretString"]).values())):
        assert secret not in logs
