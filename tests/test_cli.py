"""The operator's commands: what is typed, what is printed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from switchboard import cli
from switchboard.api import keys
from switchboard.aws import clients
from tests.aws import memory

ENVIRONMENT = {
    "SWITCHBOARD_ACCESS_TABLE": "access",
    "SWITCHBOARD_CONTACTS_TABLE": "contacts",
    "SWITCHBOARD_SECRETS": "switchboard/test",
}


@pytest.fixture(scope="module")
def _aws() -> Iterator[None]:
    with memory.aws():
        yield


@pytest.fixture(autouse=True)
def _clients(_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.empty()
    dynamodb, secretsmanager = memory.dynamodb(), memory.secretsmanager()
    monkeypatch.setattr(clients, "dynamodb", lambda: dynamodb)
    monkeypatch.setattr(clients, "secretsmanager", lambda: secretsmanager)


def run(*typed: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, typed, input=given, env=ENVIRONMENT)


def said(*typed: str, given: str | None = None) -> Any:
    """What a command prints, as JSON."""
    result = run(*typed, given=given)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def refused(*typed: str, given: str | None = None) -> str:
    """What a command that fails prints; a traceback is no way to say it."""
    result = run(*typed, given=given)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result.output


@pytest.fixture
def brand() -> str:
    return said("create-brand", "Acme")["brand"]


@pytest.fixture
def user(brand: str) -> str:
    return said("create-user", brand, "ada@example.com", "--role", "manager")["user"]


def test_from_nothing_to_a_key_and_an_account(brand: str, user: str) -> None:
    issued = said("issue-key", brand, user, "lead.write", "deal.read", "--name", "demo")
    assert keys.brand_of(issued["key"]) == brand
    listed = said("list-keys", brand)["keys"]
    assert [(each["key_id"], each["name"], each["role"]) for each in listed] == [(issued["id"], "demo", "manager")]
    assert listed[0]["scopes"] == ["deal.read", "lead.write"]
    account = said("connect-account", brand, "hubspot", given='{"api_key": "marker"}')["integrated_account_id"]
    accounts = said("list-accounts", brand)["accounts"]
    assert [(each["id"], each["crm"]) for each in accounts] == [(account, "hubspot")]


def test_a_key_is_printed_once_and_never_again(brand: str, user: str) -> None:
    key = said("issue-key", brand, user, "lead.read")["key"]
    assert key not in run("list-keys", brand).output


def test_credentials_are_never_printed(brand: str) -> None:
    typed = run("connect-account", brand, "hubspot", given='{"api_key": "marker"}')
    app = run("set-app", "hubspot", given='{"client_id": "c", "client_secret": "marker"}')
    assert (typed.exit_code, app.exit_code) == (0, 0)
    assert "marker" not in typed.output + app.output + run("list-accounts", brand).output


def test_credentials_are_not_taken_from_the_command_line_where_a_shell_would_remember_them(brand: str) -> None:
    assert refused("connect-account", brand, "hubspot", '{"api_key": "marker"}')


def test_a_key_is_revoked_and_deleted(brand: str, user: str) -> None:
    issued = said("issue-key", brand, user, "lead.read")
    assert run("revoke-key", brand, issued["id"]).exit_code == 0
    assert said("list-keys", brand)["keys"][0]["revoked_at"]
    assert run("delete-key", brand, issued["id"]).exit_code == 0
    assert said("list-keys", brand)["keys"] == []


def test_a_role_is_changed(brand: str, user: str) -> None:
    said("issue-key", brand, user, "lead.read")
    assert run("set-role", brand, user, "viewer").exit_code == 0
    assert said("list-keys", brand)["keys"][0]["role"] == "viewer"


def test_an_account_may_have_a_host_of_its_own(brand: str) -> None:
    given = '{"access_token": "a", "refresh_token": "r"}'
    said("connect-account", brand, "salesforce", "--origin", "https://acme.my.salesforce.com", given=given)
    assert said("list-accounts", brand)["accounts"][0]["origin"] == "https://acme.my.salesforce.com"


def test_what_else_a_crm_wants_to_know_is_given_by_name(brand: str) -> None:
    given, host = '{"username": "u", "api_key": "marker"}', ("--origin", "https://us-east.api.pipelinersales.com")
    said("connect-account", brand, "pipeliner", *host, "--setting", "space=acme_1", given=given)
    for wrong in ((), ("--setting", "space="), ("--setting", "colour=red")):
        assert "settings" in refused("connect-account", brand, "pipeliner", *host, *wrong, given=given)


@pytest.fixture
def account(brand: str) -> str:
    return said("connect-account", brand, "hubspot", given='{"api_key": "marker"}')["integrated_account_id"]


def test_syncs_are_listed_and_asked_for(brand: str, account: str) -> None:
    [listed] = said("list-syncs", brand)["syncs"]
    assert (listed["account"], listed["crm"], listed["stage"]) == (account, "hubspot", "changes")
    assert run("sync-now", brand, account).exit_code == 0
    assert said("list-syncs", brand)["syncs"][0]["due_at"] > listed["due_at"]


def test_an_account_is_disconnected_when_that_is_confirmed(brand: str, account: str) -> None:
    assert refused("disconnect-account", brand, account, given="n\n")
    assert said("list-accounts", brand)["accounts"] != []
    assert run("disconnect-account", brand, account, "--yes").exit_code == 0
    assert said("list-accounts", brand)["accounts"] == []
    assert [each["stage"] for each in said("list-syncs", brand)["syncs"]] == ["purge"]


def test_custom_fields_become_searchable(brand: str, account: str) -> None:
    assert run("set-searchable", brand, account, "c_tier", "Shoe size").exit_code == 0
    [listed] = said("list-accounts", brand)["accounts"]
    assert json.loads(listed["searchable"]) == ["c_tier", "Shoe size"]
    assert run("set-searchable", brand, account).exit_code == 0
    assert json.loads(said("list-accounts", brand)["accounts"][0]["searchable"]) == []


def test_members_see_all_or_their_own(brand: str) -> None:
    assert run("set-members-see", brand, "own").exit_code == 0
    assert "all" in refused("set-members-see", brand, "some")


def test_syncs_need_the_table_of_contacts(brand: str) -> None:
    assert "table of contacts" in refused("--contacts", "", "list-syncs", brand)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        (["create-user", "nobody", "ada@example.com"], "brand"),
        (["create-user", "BRAND", "ada@example.com", "--role", "king"], "role"),
        (["set-role", "BRAND", "USER", "king"], "role"),
        (["set-role", "BRAND", "nobody", "viewer"], "user"),
        (["issue-key", "BRAND", "USER", "lead.fly"], "lead.fly"),
        (["issue-key", "BRAND", "nobody", "lead.read"], "user"),
        (["issue-key", "BRAND", "USER"], "SCOPES"),
        (["revoke-key", "BRAND", "nope"], "key"),
        (["delete-key", "BRAND", "nope"], "key"),
        (["sync-now", "BRAND", "nope"], "account"),
        (["set-searchable", "BRAND", "nope", "c_tier"], "account"),
        (["disconnect-account", "BRAND", "nope", "--yes"], "account"),
        (["set-members-see", "nobody", "own"], "brand"),
        (["teapot"], "teapot"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(brand: str, user: str, typed: list[str], word: str) -> None:
    known = {"BRAND": brand, "USER": user}
    assert word in refused(*(known.get(each, each) for each in typed))


@pytest.mark.parametrize(
    ("typed", "given", "word"),
    [
        (["connect-account", "BRAND", "teapot"], '{"api_key": "k"}', "crm"),
        (["connect-account", "BRAND", "hubspot"], "{}", "credentials"),
        (["connect-account", "BRAND", "hubspot", "--origin", "https://evil.example"], '{"api_key": "k"}', "origin"),
        (["connect-account", "BRAND", "hubspot"], "not json", "JSON"),
        (["connect-account", "BRAND", "hubspot"], "[]", "object"),
        (["set-app", "hubspot"], "not json", "JSON"),
        (["set-app", "hubspot"], '{"client_id": "c"}', "client_secret"),
    ],
)
def test_input_that_cannot_be_used_is_said_in_a_sentence(brand: str, typed: list[str], given: str, word: str) -> None:
    assert word in refused(*(brand if each == "BRAND" else each for each in typed), given=given)


def test_the_stack_has_to_be_named() -> None:
    bare = dict.fromkeys(ENVIRONMENT, "")
    result = CliRunner().invoke(cli.main, ["list-keys", "x"], env=bare)
    assert result.exit_code == 2
    assert "--table" in result.output


def test_every_command_says_what_it_does() -> None:
    assert isinstance(cli.main.help, str)
    assert [name for name, command in cli.main.commands.items() if not command.help] == []
