"""The template's data resources, as ministack really makes them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.local.delivery import Delivery
from tests.local.ministack import Ministack
from tests.local.process import ROOT
from tests.local.provision import CREDENTIALS, Physical, Provisioned, provision
from tests.local.template import REGION, Template, TemplateError, load_document

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

pytestmark = pytest.mark.local

DOCUMENT = """
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: sk, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: by-sk, KeySchema: [{AttributeName: sk, KeyType: HASH}], Projection: {ProjectionType: ALL}}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Password:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: !Sub "${AWS::StackName}/password"
      GenerateSecretString:
        {SecretStringTemplate: '{"user": "me"}', GenerateStringKey: word, PasswordLength: 40, ExcludePunctuation: true}
  Fixed: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: plain}}
  Jobs: # before the queue that it refers to
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 1
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 2}
  Failed: {Type: AWS::SQS::Queue}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/work
      Handler: app.handler
      Environment:
        Variables:
          TABLE: !Ref Things
          SECRET: !Ref Password
          QUEUE: !Ref Jobs
          ARN: !GetAtt Jobs.Arn
          API: !GetAtt Api.ApiEndpoint
          SELF: !Ref Work
      Events:
        Jobs:
          Type: SQS
          Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
        Past:
          Type: ScheduleV2
          Properties: {ScheduleExpression: "at(2020-01-01T00:00:00)", Input: '{"due": true}'}
"""


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    with Ministack(logs=tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.fixture(scope="module")
def made(ministack: Ministack) -> Provisioned:
    template = Template(load_document(DOCUMENT), directory=Path("/project"), stack_name="test")
    return provision(template, ministack.url, given={"Api": Physical("api", {"ApiEndpoint": "http://here"})})


def client(ministack: Ministack, service: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=ministack.url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_ministack_listens_on_loopback_alone(ministack: Ministack) -> None:
    port = f"{int(ministack.url.rpartition(':')[2]):04X}"
    sockets = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    local = [line.split()[1] for line in sockets.splitlines() if line.split()[3] == "0A"]  # 0A is LISTEN
    assert [address for address in local if address.endswith(f":{port}")] == [f"0100007F:{port}"]


def test_a_table_has_its_keys_its_index_and_its_time_to_live(ministack: Ministack, made: Provisioned) -> None:
    dynamodb: DynamoDBClient = client(ministack, "dynamodb")
    table = dynamodb.describe_table(TableName=made.physical["Things"].ref).get("Table", {})
    assert table.get("KeySchema") == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert [index.get("IndexName") for index in table.get("GlobalSecondaryIndexes", [])] == ["by-sk"]
    assert made.physical["Things"].attributes["Arn"] == table.get("TableArn")
    assert made.physical["Things"].attributes["StreamArn"] == table.get("LatestStreamArn")
    time_to_live = dynamodb.describe_time_to_live(TableName="test-Things")["TimeToLiveDescription"]
    assert time_to_live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


def test_a_secret_is_generated_as_the_template_asks_and_its_ref_is_its_arn(
    ministack: Ministack, made: Provisioned
) -> None:
    secrets: SecretsManagerClient = client(ministack, "secretsmanager")
    by_name = secrets.get_secret_value(SecretId="test/password")
    assert by_name["ARN"] == made.physical["Password"].ref
    value = json.loads(by_name["SecretString"])
    assert value["user"] == "me"
    assert len(value["word"]) == 40
    assert value["word"].isalnum()
    assert secrets.get_secret_value(SecretId=made.physical["Fixed"].ref)["SecretString"] == "plain"


def test_a_queue_knows_its_dead_letter_queue_and_a_fifo_its_ending(ministack: Ministack, made: Provisioned) -> None:
    sqs: SQSClient = client(ministack, "sqs")
    answer = sqs.get_queue_attributes(QueueUrl=made.physical["Jobs"].ref, AttributeNames=["All"])
    attributes: dict[Any, str] = dict(answer["Attributes"])
    assert attributes["VisibilityTimeout"] == "1"
    assert attributes["QueueArn"] == made.physical["Jobs"].attributes["Arn"]
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == made.physical["Failed"].attributes["Arn"]
    assert made.physical["Ordered"].ref.endswith("/test-Ordered.fifo")


def test_a_functions_environment_names_what_was_made(made: Provisioned) -> None:
    assert made.environment["Work"] == {
        "TABLE": "test-Things",
        "SECRET": made.physical["Password"].ref,
        "QUEUE": made.physical["Jobs"].ref,
        "ARN": "arn:aws:sqs:us-east-1:000000000000:test-Jobs",
        "API": "http://here",
        "SELF": "test-Work",
    }


def test_messages_reach_the_function_and_a_failed_one_comes_again_then_dies(
    ministack: Ministack, made: Provisioned
) -> None:
    sqs: SQSClient = client(ministack, "sqs")
    events: list[dict[str, Any]] = []

    def work(event: dict[str, Any]) -> Any:
        events.append(event)
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in bad]}

    feeds = [feed for feed in made.feeds if not feed.is_schedule]
    queue, failed = made.physical["Jobs"].ref, made.physical["Failed"].ref
    for body in ("good", "bad"):
        sqs.send_message(
            QueueUrl=queue, MessageBody=body, MessageAttributes={"Who": {"DataType": "String", "StringValue": "me"}}
        )
    with Delivery(feeds, {"Work": work}, ministack.url):
        until(lambda: "Messages" in sqs.receive_message(QueueUrl=failed), seconds=10)
    bodies = [record["body"] for event in events for record in event["Records"]]
    assert sorted(bodies) == ["bad", "bad", "good"]
    record = events[0]["Records"][0]
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", made.environment["Work"]["ARN"])
    assert record["messageAttributes"]["Who"]["stringValue"] == "me"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_schedule_that_is_due_starts_its_function_with_its_input(ministack: Ministack, made: Provisioned) -> None:
    events: list[Any] = []
    with Delivery([feed for feed in made.feeds if feed.is_schedule], {"Work": events.append}, ministack.url):
        until(lambda: bool(events), seconds=15)  # ministack looks every ten seconds
    assert events == [{"due": True}]


def test_a_message_with_a_delay_is_delivered_when_it_is_over_and_not_before(
    ministack: Ministack, made: Provisioned
) -> None:
    sqs: SQSClient = client(ministack, "sqs")
    arrived: list[float] = []
    sqs.send_message_batch(
        QueueUrl=made.physical["Jobs"].ref, Entries=[{"Id": "0", "MessageBody": "late", "DelaySeconds": 2}]
    )
    sent = time.monotonic()
    feeds = [feed for feed in made.feeds if not feed.is_schedule]
    with Delivery(feeds, {"Work": lambda _: arrived.append(time.monotonic())}, ministack.url):
        until(lambda: bool(arrived), seconds=10)
    assert arrived[0] - sent > 1.5


def test_batches_are_delivered_side_by_side_as_far_as_there_are_workers(
    ministack: Ministack, made: Provisioned
) -> None:
    sqs: SQSClient = client(ministack, "sqs")
    met, bodies = threading.Barrier(3, timeout=10), list[str]()

    def work(event: dict[str, Any]) -> None:
        met.wait()  # fails unless three are here at once
        bodies.extend(record["body"] for record in event["Records"])

    [feed] = [replace(feed, batch_size=1) for feed in made.feeds if not feed.is_schedule]
    for body in "abc":
        sqs.send_message(QueueUrl=feed.queue_url, MessageBody=body)
    with Delivery([feed], {"Work": work}, ministack.url, workers=3):
        until(lambda: len(bodies) == 3, seconds=10)
    assert sorted(bodies) == ["a", "b", "c"]


def test_delivery_ends_although_a_function_is_still_at_work(ministack: Ministack, made: Provisioned) -> None:
    sqs: SQSClient = client(ministack, "sqs")
    busy, done = threading.Event(), threading.Event()

    def work(_: dict[str, Any]) -> None:
        busy.set()
        done.wait(30)

    [feed] = [feed for feed in made.feeds if not feed.is_schedule]
    sqs.send_message(QueueUrl=feed.queue_url, MessageBody="long")
    delivery = Delivery([feed], {"Work": work}, ministack.url)
    assert busy.wait(10)
    began = time.monotonic()
    delivery.close()
    assert time.monotonic() - began < 5
    done.set()


def test_a_schedule_that_is_not_to_fire_is_there_and_disabled(ministack: Ministack) -> None:
    template = Template(load_document(DOCUMENT), directory=Path("/project"), stack_name="still")
    provision(template, ministack.url, given={"Api": Physical("api", {"ApiEndpoint": "http://here"})}, schedules=False)
    scheduler: EventBridgeSchedulerClient = client(ministack, "scheduler")
    states = {name: scheduler.get_schedule(Name=f"{name}-Work-Past").get("State") for name in ("test", "still")}
    assert states == {"test": "ENABLED", "still": "DISABLED"}


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        ("{Type: AWS::S3::Bucket}", "does not know AWS::S3::Bucket"),
        ("{Type: AWS::SQS::Queue, Properties: {Colour: red}}", "does not know Colour"),
        ("{Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Logs}}", "is not made locally, yet something needs"),
        ("{Type: AWS::SQS::Queue, Properties: {QueueName: !Ref New}}", "refer to each other: New > New"),
    ],
)
def test_what_cannot_be_made_is_an_error(ministack: Ministack, resource: str, complaint: str) -> None:
    document = load_document(f"Resources: {{Logs: {{Type: AWS::Logs::LogGroup}}, New: {resource}}}")
    with pytest.raises(TemplateError, match=complaint):
        provision(Template(document, directory=Path("/project")), ministack.url)


def test_the_projects_own_template_can_be_made(ministack: Ministack) -> None:
    ours = Template.load(ROOT / "template.yaml", parameters={"Stage": "local"}, stack_name="ours")
    made = provision(ours, ministack.url)
    dynamodb: DynamoDBClient = client(ministack, "dynamodb")
    names = {name for name in dynamodb.list_tables()["TableNames"] if name.startswith("ours-")}
    assert names == {made.physical[table.name].ref for table in ours.tables}
    assert made.environment.keys() == ours.functions.keys()
