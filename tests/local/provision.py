"""The data resources of template.yaml, made in ministack: tables, secrets, queues and schedules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.local.template import ACCOUNT, REGION, Physical, Resource, Schedule, Template, TemplateError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}

# What runs, watches or permits, but holds nothing: the local stack has its own gateway and emulator, and no IAM.
NOT_NEEDED_LOCALLY = frozenset({
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
})  # fmt: skip

# Properties that are sent as they stand, and those that change nothing on one machine. Any other is an error.
TABLE_SENT = {
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
}
TABLE_LEFT_OUT = {
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "TableClass",
    "Tags",
}
QUEUE_SENT = {
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
}
QUEUE_LEFT_OUT = {
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "Tags",
}
SECRET_LEFT_OUT = {"Description", "KmsKeyId", "ReplicaRegions", "Tags"}
SCHEDULE_LEFT_OUT = {
    "DeadLetterConfig",
    "Description",
    "GroupName",
    "Name",
    "OmitName",
    "PermissionsBoundary",
    "RetryPolicy",
    "RoleArn",
    "FlexibleTimeWindow",
}


@dataclass(frozen=True)
class Feed:
    """A queue whose messages start a function; a schedule is one too, by way of a queue of its own."""

    function: str
    queue_url: str
    queue_arn: str
    batch_size: int = 1
    reports_failures: bool = False
    is_schedule: bool = False
    concurrency: int = 1  # so many batches at once at the most


@dataclass(frozen=True)
class Provisioned:
    environment: Mapping[str, Mapping[str, str]]  # by function; what its template entry says, resolved
    feeds: tuple[Feed, ...]
    physical: Mapping[str, Physical]  # by logical id


def provision(
    template: Template, endpoint: str, *, given: Mapping[str, Physical] | None = None, schedules: bool = True
) -> Provisioned:
    """Make what the template declares; given answers for resources that something else made (the gateway's API).

    schedules: whether they fire; if not, they are there all the same, and disabled.
    """
    return _Provisioner(template, endpoint, given or {}, schedules).run()


class _Provisioner:
    """Makes each resource when it is first referred to, so that a queue finds its dead-letter queue made."""

    def __init__(self, template: Template, endpoint: str, given: Mapping[str, Physical], schedules: bool) -> None:
        self._template = template
        self._schedules = schedules
        self._made: dict[str, Physical] = {**self._functions(template), **given}
        self._making: list[str] = []
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        once = Config(retries={"total_max_attempts": 1})
        self._dynamodb: DynamoDBClient = session.client("dynamodb", endpoint_url=endpoint, config=once)
        self._secrets: SecretsManagerClient = session.client("secretsmanager", endpoint_url=endpoint, config=once)
        self._sqs: SQSClient = session.client("sqs", endpoint_url=endpoint, config=once)
        self._scheduler: EventBridgeSchedulerClient = session.client("scheduler", endpoint_url=endpoint, config=once)
        self._makers = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::SQS::Queue": self._queue,
            "AWS::SecretsManager::Secret": self._secret,
        }

    @staticmethod
    def _functions(template: Template) -> dict[str, Physical]:
        names = {name: f"{template.stack_name}-{name}" for name in template.functions}
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
        return {name: Physical(physical, {"Arn": arn + physical}) for name, physical in names.items()}

    def run(self) -> Provisioned:
        for resource in self._template.resources.values():
            if resource.type in self._makers:
                self._look_up(resource.name)
            elif resource.type not in NOT_NEEDED_LOCALLY | {"AWS::Scheduler::Schedule"}:
                raise TemplateError(f"{resource.name}: the local stack does not know {resource.type}")
        feeds = (*self._queue_feeds(), *(self._schedule(schedule) for schedule in self._template.schedules))
        environment = {
            function.name: {name: str(self._resolve(value)) for name, value in function.environment.items()}
            for function in self._template.functions.values()
        }
        return Provisioned(environment, feeds, self._made)

    def _resolve(self, value: Any) -> Any:
        return self._template.resolve(value, self._look_up)

    def _look_up(self, name: str) -> Physical:
        if name in self._made:
            return self._made[name]
        resource = self._template.resources[name]
        if name in self._making:
            raise TemplateError(f"resources refer to each other: {' > '.join([*self._making, name])}")
        if resource.type not in self._makers:
            raise TemplateError(f"{name} ({resource.type}) is not made locally, yet something needs its name")
        self._making.append(name)
        self._made[name] = self._makers[resource.type](resource)
        self._making.pop()
        return self._made[name]

    def _properties(self, resource: Resource, left_out: set[str]) -> dict[str, Any]:
        return self._resolve({name: value for name, value in resource.properties.items() if name not in left_out})

    def _table(self, resource: Resource) -> Physical:
        properties = self._properties(resource, TABLE_LEFT_OUT)
        name = properties.pop("TableName", f"{self._template.stack_name}-{resource.name}")
        time_to_live = properties.pop("TimeToLiveSpecification", None)
        _only(TABLE_SENT, properties, resource.name)
        if "StreamSpecification" in properties:  # CloudFormation's has no switch, DynamoDB's does
            properties["StreamSpecification"] |= {"StreamEnabled": True}
        made = self._dynamodb.create_table(TableName=name, **properties)["TableDescription"]
        if time_to_live:
            self._dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=time_to_live)
        return Physical(name, {"Arn": made.get("TableArn", ""), "StreamArn": made.get("LatestStreamArn", "")})

    def _secret(self, resource: Resource) -> Physical:
        properties = self._properties(resource, SECRET_LEFT_OUT)
        name = properties.pop("Name", f"{self._template.stack_name}-{resource.name}")
        generate = properties.pop("GenerateSecretString", None)
        text = self._generated(generate) if generate is not None else properties.pop("SecretString")
        _only(set(), properties, resource.name)
        arn = self._secrets.create_secret(Name=name, SecretString=text)["ARN"]
        return Physical(arn, {"Id": arn})

    def _generated(self, how: dict[str, Any]) -> str:
        template, key = how.pop("SecretStringTemplate", None), how.pop("GenerateStringKey", None)
        password = self._secrets.get_random_password(**how)["RandomPassword"]
        return json.dumps({**json.loads(template), key: password}) if template else password

    def _queue(self, resource: Resource) -> Physical:
        properties = self._properties(resource, QUEUE_LEFT_OUT)
        ending = ".fifo" if properties.get("FifoQueue") else ""
        name = properties.pop("QueueName", f"{self._template.stack_name}-{resource.name}{ending}")
        _only(QUEUE_SENT, properties, resource.name)
        return self._make_queue(name, properties)

    def _make_queue(self, name: str, properties: Mapping[str, Any]) -> Physical:
        attributes: Any = {
            key: json.dumps(value) if isinstance(value, dict | bool) else str(value)
            for key, value in properties.items()
        }
        url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        return Physical(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def _queue_feeds(self) -> list[Feed]:
        urls = {self._made[queue.name].attributes["Arn"]: self._made[queue.name].ref for queue in self._template.queues}
        feeds: list[Feed] = []
        for event in self._template.queue_events:
            arn = self._resolve(event.queue)
            if event.enabled:
                feed = Feed(event.function, urls[arn], arn, event.batch_size, event.reports_failures)
                feeds.append(replace(feed, concurrency=event.concurrency))
        return feeds

    def _schedule(self, schedule: Schedule) -> Feed:
        """ministack fires the schedule into a queue of its own, and delivery starts the function from there:
        the function runs under the emulator, which ministack cannot reach."""
        properties = dict(schedule.properties)
        target = properties.pop("Target", {"Input": properties.pop("Input", None)})
        properties = self._resolve({key: value for key, value in properties.items() if key not in SCHEDULE_LEFT_OUT})
        _only({"ScheduleExpression", "ScheduleExpressionTimezone", "State"}, properties, schedule.name)
        if not self._schedules:
            properties["State"] = "DISABLED"
        queue = self._make_queue(f"schedule-{schedule.name}", {})
        arn = queue.attributes["Arn"]
        sent: Any = {"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/local"}
        if (given := self._resolve(target.get("Input"))) is not None:
            sent["Input"] = given
        self._scheduler.create_schedule(
            Name=schedule.name, FlexibleTimeWindow={"Mode": "OFF"}, Target=sent, **properties
        )
        return Feed(schedule.function, queue.ref, arn, is_schedule=True)


def _only(known: set[str], properties: Mapping[str, Any], name: str) -> None:
    if unknown := properties.keys() - known:
        raise TemplateError(f"{name}: the local stack does not know {', '.join(sorted(unknown))}")
