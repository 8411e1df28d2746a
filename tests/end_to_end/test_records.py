"""Leads, pipelines and stages of every CRM through the API: made, read, listed, removed, and made once only."""

from typing import Any
from urllib.parse import quote

import pytest

from switchboard import models
from switchboard.crm import registry
from switchboard.crm.catalog import Unsupported
from switchboard.models.schema import VERBS, verbs
from tests.local.tenant import SAMPLES, Tenant

EVERY = [(name, plural) for name in registry.NAMES for plural in models.MODULES if "create" in verbs(plural)]
REFUSED = [each for each in EVERY if isinstance(registry.load(each[0]).offer(each[1], "create"), Unsupported)]
MADE = [each for each in EVERY if each not in REFUSED]

each_made = pytest.mark.parametrize(("crm", "plural"), MADE)


def listed(tenant: Tenant, crm: str, plural: str, **params: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    found, query = list[dict[str, Any]](), {"limit": "100", **params}
    while True:
        answer = tenant.call("GET", crm, plural, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["result"]
        if page["next_cursor"] is None:
            return found
        assert page["result"]
        query["next_cursor"] = page["next_cursor"]


@each_made
def test_a_record_is_made_read_listed_and_removed(tenant: Tenant, crm: str, plural: str) -> None:
    declared = registry.load(crm)
    verbs = {verb for verb in VERBS if not isinstance(declared.offer(plural, verb), Unsupported)}
    made = tenant.create(crm, tenant.sample(crm, plural), plural=plural)
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    path = f"{plural}/{quote(id, safe='')}"
    if "get" in verbs:
        read = tenant.call("GET", crm, path)
        assert read.status_code == 200, read.text
        kept = {name: value for name, value in made.json().items() if name != "remote_data"}
        assert {name: read.json().get(name) for name in kept} == kept
    if "list" in verbs:
        assert id in [each["id"] for each in listed(tenant, crm, plural)]
    if "delete" in verbs:
        removed = tenant.call("DELETE", crm, path)
        assert (removed.status_code, removed.json()) == (200, {"id": id})
        assert tenant.call("GET", crm, path).status_code == 404
        assert id not in [each["id"] for each in listed(tenant, crm, plural)]


@pytest.mark.parametrize(("crm", "plural"), REFUSED)
def test_what_a_crm_cannot_make_is_refused_with_its_reason_and_nothing_is_sent(
    tenant: Tenant, crm: str, plural: str
) -> None:
    arrived = len(tenant.vendors[crm].control("GET", "requests"))
    answer = tenant.create(crm, {"name": "Engines"}, plural=plural)
    assert answer.status_code == 400
    told, offer = answer.json(), registry.load(crm).offer(plural, "create")
    assert told["type"].endswith("#unsupported-by-crm")
    assert isinstance(offer, Unsupported)
    assert offer.why in told["detail"]
    assert all(registry.load(name).title in told["detail"] for name, other in MADE if other == plural)
    assert len(tenant.vendors[crm].control("GET", "requests")) == arrived


@pytest.mark.parametrize(("crm", "plural"), [each for each in MADE if each[1] != "leads"])
def test_a_create_whose_answer_is_lost_is_found_again(tenant: Tenant, crm: str, plural: str) -> None:
    """The fault is armed at the request that made the last one: the only one that is not safe."""
    vendor = tenant.vendors[crm]
    assert tenant.create(crm, tenant.sample(crm, plural), plural=plural).status_code == 201
    written = [each for each in vendor.control("GET", "requests") if each["method"] in ("POST", "PATCH", "PUT")]
    vendor.control(
        "POST", "faults", {"kind": "dropped_after", "method": written[-1]["method"], "route": written[-1]["route"]}
    )
    body = tenant.sample(crm, plural)
    held = len(listed(tenant, crm, plural))

    answers = [tenant.create(crm, body, plural=plural, key=f"lost-{crm}-{plural}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [504, 201], [answer.text for answer in answers]
    found = listed(tenant, crm, plural)
    assert len(found) == held + 1
    assert answers[1].json()["id"] in [each["id"] for each in found if each["name"] == body["name"]]


def test_every_crm_has_a_sample() -> None:
    assert set(SAMPLES) == set(registry.NAMES)
