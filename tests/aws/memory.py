"""DynamoDB and Secrets Manager in memory, by moto: no network, one thread."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws
from moto.core.base_backend import BackendDict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "eu-west-1"
TABLES = {"access": ("pk", "sk"), "once": ("pk",), "pods": ("pk", "sk")}


@contextmanager
def aws() -> Generator[None]:
    """AWS in memory, with no way through to the real one."""
    with mock_aws(config={"core": {"passthrough": {"urls": [], "services": []}}}):
        yield


def empty() -> None:
    """Forget everything that lies in it."""
    BackendDict.reset()


def dynamodb() -> "DynamoDBClient":
    """A client, with the tables made as small as they can be."""
    client = boto3.client("dynamodb", region_name=REGION)
    for name, keys in TABLES.items():
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH" if key == "pk" else "RANGE"} for key in keys],
        )
    client.create_table(
        TableName="contacts",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "planned", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "planned", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return client


def secretsmanager() -> "SecretsManagerClient":
    """A client."""
    return boto3.client("secretsmanager", region_name=REGION)
