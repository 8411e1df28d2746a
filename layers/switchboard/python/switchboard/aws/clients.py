"""The AWS clients, each made when it is first needed and then kept. Endpoints and credentials are boto3's to find."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=50,
)
"""Waits are short: a function has less than half a minute for everything."""


@cache
def dynamodb() -> "DynamoDBClient":
    """The client of the tables."""
    return boto3.client("dynamodb", config=CONFIG)


@cache
def secretsmanager() -> "SecretsManagerClient":
    """The client of the secrets."""
    return boto3.client("secretsmanager", config=CONFIG)


@cache
def sqs() -> "SQSClient":
    """The client of the queue."""
    return boto3.client("sqs", config=CONFIG)
