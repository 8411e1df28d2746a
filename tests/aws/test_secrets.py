"""The port `Secrets` on Secrets Manager."""

import json
from typing import TYPE_CHECKING

import pytest

from switchboard.aws.secrets import SecretStore
from switchboard.crm.problem import Kind, Outcome, Problem

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NAME = "switchboard/test/accounts/acme01/account-1"


@pytest.fixture
def store(secretsmanager: "SecretsManagerClient") -> SecretStore:
    secretsmanager.create_secret(Name=NAME, SecretString='{"access_token": "a", "expires_at": 7}')
    secretsmanager.create_secret(Name="switchboard/test/apps/acme", SecretString='{"client_id": "c"}')
    return SecretStore(lambda: secretsmanager, "switchboard/test")


def test_the_credentials_of_an_account_are_read(store: SecretStore) -> None:
    assert store.account("acme01", "account-1") == {"access_token": "a", "expires_at": 7}


def test_the_credentials_of_an_account_are_read_as_they_stand_now(
    store: SecretStore, secretsmanager: "SecretsManagerClient"
) -> None:
    store.account("acme01", "account-1")
    secretsmanager.put_secret_value(SecretId=NAME, SecretString='{"access_token": "b"}')
    assert store.account("acme01", "account-1") == {"access_token": "b"}


def test_what_is_kept_is_what_is_read(store: SecretStore) -> None:
    store.keep("acme01", "account-1", {"access_token": "é", "refresh_token": "r"})
    assert store.account("acme01", "account-1") == {"access_token": "é", "refresh_token": "r"}


def test_keeping_makes_no_second_secret(store: SecretStore, secretsmanager: "SecretsManagerClient") -> None:
    store.keep("acme01", "account-1", {"access_token": "b"})
    assert len(secretsmanager.list_secrets()["SecretList"]) == 2
    assert json.loads(secretsmanager.get_secret_value(SecretId=NAME)["SecretString"]) == {"access_token": "b"}


@pytest.mark.parametrize(("brand", "id"), [("acme01", "account-2"), ("other1", "account-1")])
def test_credentials_that_are_not_there_are_those_of_an_account_to_be_connected_again(
    store: SecretStore, brand: str, id: str
) -> None:
    with pytest.raises(Problem) as raised:
        store.account(brand, id)
    assert (raised.value.kind, raised.value.outcome) == (Kind.NEEDS_REAUTH, Outcome.NOTHING)
    assert "switchboard/test" not in raised.value.detail


def test_an_app_is_read_anew_for_an_operator_may_have_renewed_it(
    store: SecretStore, secretsmanager: "SecretsManagerClient"
) -> None:
    assert store.app("acme") == {"client_id": "c"}
    secretsmanager.put_secret_value(SecretId="switchboard/test/apps/acme", SecretString='{"client_id": "d"}')
    assert store.app("acme") == {"client_id": "d"}


def test_an_app_that_is_missing_is_no_fault_of_the_account(store: SecretStore) -> None:
    # Nobody can mend it by connecting the account again: our own OAuth app was never set up.
    with pytest.raises(Problem) as raised:
        store.app("nope")
    assert raised.value.kind is Kind.CRM_UNAVAILABLE


def test_the_client_is_made_when_it_is_first_needed(secretsmanager: "SecretsManagerClient") -> None:
    made: list[int] = []

    def connect() -> "SecretsManagerClient":
        made.append(1)
        return secretsmanager

    store = SecretStore(connect, "switchboard/test")
    assert made == []
    with pytest.raises(Problem):
        store.account("a", "b")
    assert made == [1]


def test_nothing_of_a_secret_shows_in_the_stores_own_words(store: SecretStore) -> None:
    store.app("acme")
    store.account("acme01", "account-1")
    assert "access_token" not in repr(store)
