"""Pods of every CRM through the API: made of every kind of record, counted, refused in each vendor's way, and seen."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from switchboard.crm import registry
from switchboard.crm.wire import dig
from tests.local.story import COMPANY, DEAL
from tests.local.tenant import SAMPLES, Tenant

SEED = {
    "hubspot": ("contacts", "deals", "companies"),
    "salesforce": ("Lead", "Opportunity", "Account", "Contact"),
    "activecampaign": ("contacts", "deals", "companies"),
    "msdynamics": ("contacts", "deals", "companies"),
    "sugarcrm": ("contacts", "deals", "companies"),
    "brevo": ("deals", "companies"),
    "pipedrive": ("deals", "contacts"),
}
"""The seed's table of valid objects."""
PAIRS = [(crm, word) for crm in registry.NAMES for word in registry.load(crm).pods]
each_pair = pytest.mark.parametrize(("crm", "word"), PAIRS)
each_of_the_seed = pytest.mark.parametrize("crm", SEED)

ROLES = {
    "deals": ("company", "contact", "owner"),
    "contacts": ("company", "owner"),
    "companies": ("owner",),
    "leads": ("owner",),
}
MORE = {("insightly", "leads"): 1}
"""A lead there tells its source by an id, and the name of it is read with every lead."""
PLURALS = {"company": "companies", "contact": "contacts", "owner": "users"}
FIELDS = {"company": "description", "contact": "email", "owner": "email"}
"""A field of each that records of others rarely tell."""


def layout(root: str, *mentions: str) -> dict[str, Any]:
    """A template that mentions these."""
    text = " ".join(f"[{name}={{{{ {name} }}}}]" for name in mentions)
    blocks = [{"type": "text", "text": text or "Nothing of the record."}]
    return {"name": root, "title": "A pod", "blocks": blocks}


def make(tenant: Tenant, crm: str, word: str, id: str, template: str, **headers: str) -> Any:
    order = {"crm_type": crm, "crm_object": word, "crm_id": id, "template_id": template}
    return tenant.ask("POST", "/v1/pods", order, headers)


def template(tenant: Tenant, *mentions: str) -> str:
    answer = tenant.ask("POST", "/v1/templates", layout("t", *mentions))
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["id"]


@pytest.fixture
def tidy(tenant: Tenant) -> Iterator[Tenant]:
    """No fake is left with a setting that a test has made."""
    yield tenant
    for vendor in tenant.vendors.values():
        vendor.control("POST", "settings", {"forbidden": []})


def test_the_kinds_of_record_are_those_of_the_seed() -> None:
    assert {crm: tuple(registry.load(crm).pods) for crm in SEED} == SEED
    assert sum(map(len, SEED.values())) == 20


@each_pair
def test_a_pod_of_every_kind_of_record_tells_of_it(tenant: Tenant, crm: str, word: str) -> None:
    plural = registry.load(crm).pods[word]
    root = {"deals": "deal", "companies": "company", "contacts": "contact", "leads": "lead"}[plural]
    id = tenant.story(crm)[plural]
    record = tenant.call("GET", crm, f"{plural}/{id}").json()
    field = (
        next(name for name in ("first_name", "title", "name", "id") if record.get(name)) if root == "lead" else "name"
    )
    answer = make(tenant, crm, word, id, template(tenant, f"{root}.{field}"))
    assert answer.status_code == 200, answer.text
    page = tenant.client.get(answer.json()["data"]["live_url"])
    assert page.status_code == 200
    pod = tenant.ask("GET", f"/v1/pods/{answer.json()['data']['id']}").json()["data"]
    said = {"deal": DEAL["name"], "company": COMPANY["name"], "contact": "Ada Lovelace", "lead": str(record.get(field))}
    said["deal"] = str(record["name"]) if (crm, root) == ("close", "deal") else said["deal"]  # it has none of its own
    assert pod["missing_variables"] == []
    assert said[root] in page.text
    assert "remote_data" not in pod


@each_pair
def test_the_calls_of_a_pod_are_one_and_those_it_mentions(tenant: Tenant, crm: str, word: str) -> None:
    plural, ids = registry.load(crm).pods[word], tenant.story(crm)
    record = tenant.call("GET", crm, f"{plural}/{ids[plural]}").json()
    vendor = tenant.vendors[crm]
    for roles in [(), *((role,) for role in ROLES[plural]), ROLES[plural]]:
        mentions = [f"{role}.{FIELDS[role]}" for role in roles]
        chosen = template(tenant, *mentions)
        before = vendor.asked
        answer = make(tenant, crm, word, ids[plural], chosen)
        asked = vendor.asked - before
        assert answer.status_code == 200, answer.text
        told = {role for role in roles if dig(record, f"{role}.{FIELDS[role]}") is not None}
        named = {role for role in roles if dig(record, f"{role}.id") is not None and PLURALS[role] in ids}
        asked -= MORE.get((crm, plural), 0)
        assert 1 + len(named - told) <= asked <= 1 + len(set(roles) - told), (roles, told, asked)


@each_of_the_seed
def test_a_record_that_is_not_there_is_told_by_seven_vendors_in_seven_ways_and_by_us_in_one(
    tenant: Tenant, crm: str
) -> None:
    chosen = template(tenant)
    for word, plural in registry.load(crm).pods.items():
        answer = make(tenant, crm, word, other(tenant.story(crm)[plural]), chosen)
        assert (answer.status_code, answer.json()["error"]) == (404, "CRM record not found"), answer.text
        assert answer.json()["success"] is False
        assert answer.json()["type"].endswith("#crm-not-found")
        assert answer.json()["crm"] == crm


@each_of_the_seed
def test_a_word_that_is_no_id_is_a_400_that_names_the_field_or_not_found(tenant: Tenant, crm: str) -> None:
    chosen = template(tenant)
    for word in registry.load(crm).pods:
        answer = make(tenant, crm, word, "no-id-at-all", chosen)
        if answer.status_code == 400:
            assert answer.json()["error"].startswith("crm_id: is not an id of "), answer.text
            assert answer.json()["errors"][0]["pointer"] == "#/crm_id"
        else:
            assert (answer.status_code, answer.json()["error"]) == (404, "CRM record not found"), answer.text


@each_of_the_seed
def test_a_record_that_the_connected_user_may_not_see_is_forbidden(tidy: Tenant, crm: str) -> None:
    chosen, ids = template(tidy), tidy.story(crm)
    for word, plural in registry.load(crm).pods.items():
        tidy.vendors[crm].control("POST", "settings", {"forbidden": [plural, SAMPLES[crm].noun(plural)]})
        answer = make(tidy, crm, word, ids[plural], chosen)
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"].endswith("#crm-forbidden")
        assert answer.json()["error"] != "Insufficient permissions", "that would be about the key"


TROUBLE = {
    "rate_limited": ((429,), "#crm-rate-limited"),
    "server_error": ((502, 503), "#crm-unavailable"),
    "bad_gateway_html": ((502, 503), "#crm-unavailable"),
    "revoked_token": ((400,), "#needs-reauth"),
    "truncated_json": ((502,), "#crm-unavailable"),
    "dropped_before": ((502,), "#crm-unavailable"),
}


@each_of_the_seed
@pytest.mark.parametrize("fault", TROUBLE)
def test_trouble_with_the_crm_is_told_in_the_same_envelope(tenant: Tenant, crm: str, fault: str) -> None:
    """The sender reads again within its time; what lasts longer is told."""
    word, plural = next(iter(registry.load(crm).pods.items()))
    chosen, id, vendor = template(tenant), tenant.story(crm)[plural], tenant.vendors[crm]
    vendor.control("POST", "faults", {"kind": fault, "method": "GET", "wait": 30, "times": None})
    answer = make(tenant, crm, word, id, chosen)
    statuses, kind = TROUBLE[fault]
    assert answer.status_code in statuses, answer.text
    assert answer.json()["type"].endswith(kind), answer.text
    assert answer.json()["success"] is False
    if answer.status_code == 429:
        assert int(answer.headers["retry-after"]) > 0
    if fault == "revoked_token":
        assert answer.json()["error"] == f"The {crm} integration needs to be reconnected"
    assert tenant.ask("POST", "/v1/pods/search", {}).json()["data"] == []


class TestThePage:
    @pytest.fixture
    def pod(self, tenant: Tenant) -> Mapping[str, str]:
        answer = make(tenant, "hubspot", "deals", tenant.story("hubspot")["deals"], "deal-room")
        return answer.json()["data"]

    def test_it_needs_no_key_runs_nothing_and_is_not_to_be_found(self, tenant: Tenant, pod: Mapping[str, str]) -> None:
        page = tenant.client.get(pod["live_url"])
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.headers["x-robots-tag"].startswith("noindex")
        assert "<script" not in page.text
        assert page.headers["cache-control"] == "public, max-age=30"
        assert len(page.content) < 100 * 1024

    def test_who_has_it_is_not_sent_it_again(self, tenant: Tenant, pod: Mapping[str, str]) -> None:
        etag = tenant.client.get(pod["live_url"]).headers["etag"]
        again = tenant.client.get(pod["live_url"], headers={"if-none-match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert tenant.client.get(pod["live_url"], headers={"if-none-match": '"other"'}).status_code == 200

    def test_it_is_compressed_for_who_can_read_that(self, tenant: Tenant, pod: Mapping[str, str]) -> None:
        plain = tenant.client.get(pod["live_url"], headers={"accept-encoding": "identity"})
        packed = tenant.client.get(pod["live_url"], headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.text == plain.text
        assert int(packed.headers["content-length"]) < len(plain.content) / 2

    def test_a_pod_that_was_deleted_is_a_page_that_says_so(self, tenant: Tenant, pod: Mapping[str, str]) -> None:
        assert tenant.ask("DELETE", f"/v1/pods/{pod['id']}").status_code == 204
        for link in (pod["live_url"], pod["edit_url"]):
            gone = tenant.client.get(link)
            assert gone.status_code == 404
            assert gone.headers["content-type"] == "text/html; charset=utf-8"
            assert "content-security-policy" in gone.headers

    @pytest.mark.parametrize("id", ["6b01ca58a1b2c3d4e5f60718", "x", "6B01CA58A1B2C3D4E5F60718", "%2e%2e"])
    def test_an_id_that_no_pod_has_is_the_same_page(self, tenant: Tenant, id: str) -> None:
        assert tenant.client.get(f"{tenant.url}/pods/{id}/live").status_code == 404

    def test_what_the_edit_page_is_made_of_is_there_for_ever(self, tenant: Tenant, pod: Mapping[str, str]) -> None:
        shell = tenant.client.get(pod["edit_url"])
        assert "default-src 'none'" in shell.headers["content-security-policy"]
        files = re.findall(r"/pods/assets/[^\"]+", shell.text)
        assert len(files) == 2
        for file in files:
            asset = tenant.client.get(tenant.url + file)
            assert asset.status_code == 200
            assert asset.headers["cache-control"].endswith("immutable")
            assert asset.headers["x-content-type-options"] == "nosniff"
        assert tenant.client.get(f"{tenant.url}/pods/assets/none.js").status_code == 404


def other(id: str) -> str:
    """An id of the same form that no record has."""
    if id.isdecimal():
        return f"{id}77"
    turned = id.translate(str.maketrans("123456789abcdefABCDEF", "987654321fedcbaFEDCBA"))
    return turned[:15] if len(id) == 18 else turned  # the last three of eighteen are a checksum


def test_a_pod_shows_what_was_and_a_refresh_what_is(tenant: Tenant) -> None:
    ids, vendor = tenant.story("pipedrive"), tenant.vendors["pipedrive"]
    chosen = template(tenant, "deal.name")
    made = make(tenant, "pipedrive", "deals", ids["deals"], chosen).json()["data"]
    grant = vendor.grant()
    changed = tenant.client.patch(
        f"{vendor.url}/api/v2/deals/{ids['deals']}",
        json={"title": "Engine no. 3"},
        headers={"authorization": f"Bearer {grant['access_token']}"},
    )
    assert changed.status_code == 200, changed.text
    assert "Engine no. 2" in tenant.client.get(made["live_url"]).text
    refreshed = tenant.ask("POST", f"/v1/pods/{made['id']}/refresh")
    assert refreshed.status_code == 200, refreshed.text
    assert "Engine no. 3" in tenant.client.get(made["live_url"]).text


def test_one_key_sent_six_times_at_once_makes_one_pod(tenant: Tenant) -> None:
    id, chosen = tenant.story("hubspot")["deals"], template(tenant, "deal.name")
    with ThreadPoolExecutor(6) as pool:
        jobs = [
            pool.submit(make, tenant, "hubspot", "deals", id, chosen, **{"idempotency-key": "once"}) for _ in range(6)
        ]
        answers = [job.result() for job in jobs]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(tenant.ask("POST", "/v1/pods/search", {}).json()["data"]) == 1


def test_two_changes_at_once_one_wins_and_the_other_is_told(tenant: Tenant) -> None:
    made = make(tenant, "hubspot", "deals", tenant.story("hubspot")["deals"], "deal-room").json()["data"]

    def change(number: int) -> int:
        body = {"variables": {"company.name": f"Number {number}"}}
        return tenant.ask("PATCH", f"/v1/pods/{made['id']}", body, {"if-match": '"1"'}).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(change, range(6)))
    assert statuses == [200] + [412] * 5
    assert tenant.ask("GET", f"/v1/pods/{made['id']}").json()["data"]["version"] == 2
