"""What every test of the adapters stands on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.aws import memory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


@pytest.fixture(scope="package")
def _aws() -> Iterator[None]:
    with memory.aws():
        yield


@pytest.fixture
def _empty(_aws: None) -> None:
    memory.empty()


@pytest.fixture
def dynamodb(_empty: None) -> "DynamoDBClient":
    return memory.dynamodb()


@pytest.fixture
def secretsmanager(_empty: None) -> "SecretsManagerClient":
    return memory.secretsmanager()


@pytest.fixture
def sqs(_empty: None) -> "SQSClient":
    return boto3.client("sqs", region_name=memory.REGION)
