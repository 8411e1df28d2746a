"""What holds for every CRM: credentials, planted records, and what the control plane tells."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.caller import Caller, Reply
from tests.sandbox.recipes import RECIPES, Recipe, every_crm, every_oauth, token_request

HERE = Path(__file__).parent


@every_crm
def test_a_lead_is_created_stored_and_counted(crm: Caller, recipe: Recipe) -> None:
    reply = recipe.create(crm.authorised())
    assert reply.status == recipe.made
    [row] = crm.stored(recipe.noun)
    assert str(recipe.read_id(reply.json)) in {str(value) for value in row.values()}
    assert crm.counts() == {f"POST {recipe.noun}": 1}


@every_crm
def test_the_journal_says_what_arrived_and_keeps_no_secret(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant(kind=recipe.kind)
    recipe.create(crm, headers=recipe.sign(grant), query={"trace": "1"})
    [lead] = crm.get("/_sandbox/requests").json
    assert (lead["n"], lead["method"], lead["path"], lead["status"]) == (1, "POST", recipe.path, recipe.made)
    assert lead["query"] == {"trace": "1"}
    for secret in ("client_secret", "refresh_token", "access_token", "api_key"):
        assert grant.get(secret, "no such secret") not in json.dumps(lead)


@every_oauth
def test_the_journal_keeps_no_secret_of_a_refresh(crm: Caller) -> None:
    grant = crm.grant()
    token_request(crm, grant)
    [token] = crm.get("/_sandbox/requests").json
    assert token["body"]["grant_type"] == "refresh_token"
    for secret in ("client_secret", "refresh_token", "access_token", "client_id"):
        assert grant[secret] not in json.dumps(token)


@every_crm
def test_without_a_token_nothing_is_stored(crm: Caller, recipe: Recipe) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic eDp5"}):
        assert recipe.create(crm, headers=headers).status == recipe.refused("revoked_token")
    assert crm.stored(recipe.noun) == []


@every_oauth
def test_an_expired_token_is_refused_and_refreshing_helps(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant(expired=True)
    assert recipe.create(crm, headers=recipe.sign(grant)).status == 401
    fresh = token_request(crm, grant).json
    assert recipe.create(crm, headers=recipe.sign(grant | fresh)).status == recipe.made


@every_oauth
def test_an_access_token_lives_as_long_as_the_grant_says(crm: Caller) -> None:
    grant = crm.grant(expires_in=100)
    assert grant["expires_at"] == pytest.approx(time.time() + 100, abs=5)


@every_oauth
def test_a_grant_that_rotates_gives_a_new_refresh_token_and_the_old_one_dies(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant(rotates=True)
    first = token_request(crm, grant).json
    assert first["refresh_token"] != grant["refresh_token"]
    assert token_was_given(token_request(crm, grant)) is recipe.always_rotates
    assert token_was_given(token_request(crm, grant, refresh_token=first["refresh_token"]))


@every_oauth
def test_a_grant_that_does_not_rotate_keeps_its_refresh_token(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant(rotates=False)
    for _ in range(2):
        reply = token_request(crm, grant)
        assert reply.status == 200
        kept = reply.json.get("refresh_token", grant["refresh_token"]) == grant["refresh_token"]
        assert kept is not recipe.always_rotates


@every_oauth
@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_a_wrong_client_or_refresh_token_gets_no_token(crm: Caller, wrong: str) -> None:
    """Most vendors refuse with 400 or 401, Zoho with a 200 that holds an error."""
    assert not token_was_given(token_request(crm, crm.grant(), **{wrong: "wrong"}))


def token_was_given(reply: Reply) -> bool:
    return reply.status == 200 and "access_token" in reply.json


@every_oauth
def test_a_revoked_grant_neither_works_nor_refreshes(crm: Caller, recipe: Recipe) -> None:
    grant = crm.grant()
    crm.post("/_sandbox/grants/revoke", {"token": grant["access_token"]})
    assert recipe.create(crm, headers=recipe.sign(grant)).status == 401
    assert not token_was_given(token_request(crm, grant))


@every_crm
def test_a_token_without_the_scope_is_403(crm: Caller, recipe: Recipe) -> None:
    assert recipe.create(crm.authorised(scopes=[])).status == recipe.refused("missing_scope")


def test_api_keys_work_where_the_vendor_has_them(sandbox: Sandbox) -> None:
    hubspot, pipedrive = Caller(sandbox.urls["hubspot"]), Caller(sandbox.urls["pipedrive"])
    key = hubspot.grant(kind="api_key")["api_key"]
    assert key.startswith("pat-")
    assert RECIPES["hubspot"].create(hubspot, headers={"Authorization": f"Bearer {key}"}).status == 201
    key = pipedrive.grant(kind="api_key")["api_key"]
    assert RECIPES["pipedrive"].create(pipedrive, headers={"x-api-token": key}).status == 201
    pipedrive.post("/_sandbox/grants/revoke", {"token": key})
    assert RECIPES["pipedrive"].create(pipedrive, headers={"x-api-token": key}).status == 401
    assert Caller(sandbox.urls["salesforce"]).post("/_sandbox/grants", {"kind": "api_key"}).status == 400


def test_many_records_are_planted_at_once(sandbox: Sandbox) -> None:
    crm = Caller(sandbox.urls["hubspot"])
    planted = crm.post("/_sandbox/records/contacts", [{"firstname": str(number)} for number in range(500)])
    assert len(set(planted.json["ids"])) == 500
    assert len(crm.stored("contacts")) == 500


def test_a_fake_is_loaded_without_the_others() -> None:
    check = "import sys; from tests.sandbox import vendors; vendors.load('pipedrive'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=HERE.parents[1], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[3] for name in done.stdout.split() if name.startswith("tests.sandbox.vendors.")}
    assert loaded == {"pipedrive"}
