"""The port `Queue` on SQS."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from switchboard.aws.queue import BATCH, LONGEST, SyncQueue, UnsentError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGES = [{"brand": "acme01", "account": f"é-{n}"} for n in range(2 * BATCH + 3)]


@pytest.fixture
def queue(sqs: "SQSClient") -> SyncQueue:
    return SyncQueue(sqs, sqs.create_queue(QueueName="syncs")["QueueUrl"])


def waiting(queue: SyncQueue) -> list[Any]:
    """What can be seen in the queue; it is out of sight then."""
    found: list[Any] = []
    while told := queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages", []):
        found += [json.loads(message.get("Body", "")) for message in told]
    return found


def count(queue: SyncQueue, name: str) -> int:
    told = queue.client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
    return int(told[f"ApproximateNumberOfMessages{name}"])  # type: ignore[literal-required]


def test_all_messages_are_put_in_however_many(queue: SyncQueue) -> None:
    queue.send(MESSAGES)
    assert sorted(waiting(queue), key=MESSAGES.index) == MESSAGES


def test_no_message_is_no_request(queue: SyncQueue) -> None:
    SyncQueue(queue.client, "no-such-queue").send([])
    assert waiting(queue) == []


def test_a_message_with_a_delay_is_not_seen_before(queue: SyncQueue) -> None:
    queue.send(MESSAGES[:1], delay=60)
    assert waiting(queue) == []
    assert count(queue, "Delayed") == 1


def test_a_delay_is_no_longer_than_sqs_takes() -> None:
    stub = Stub()
    SyncQueue(stub, "url").send(MESSAGES[:2], delay=24 * 3600)  # type: ignore[arg-type]
    assert [entry["DelaySeconds"] for entry in stub.entries] == [LONGEST, LONGEST]


class Stub:
    """SQS, which refuses some of a batch."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.refused = refused
        self.entries: list[Any] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        self.entries += Entries
        failed = [{"Id": each["Id"], "Code": "Busy"} for each in Entries if each["Id"] in self.refused]
        return {"Failed": failed} if failed else {}


def test_messages_that_sqs_did_not_take_are_not_passed_over_in_silence() -> None:
    with pytest.raises(UnsentError, match="1 messages were not taken: Busy"):
        SyncQueue(Stub(("1",)), "url").send(MESSAGES[:3])  # type: ignore[arg-type]


def test_a_queue_that_is_not_there_is_an_error(sqs: "SQSClient") -> None:
    with pytest.raises(ClientError):
        SyncQueue(sqs, "https://sqs.eu-west-1.amazonaws.com/123456789012/none").send(MESSAGES[:1])
