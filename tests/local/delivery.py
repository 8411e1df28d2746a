"""Queues and schedules to functions: what Lambda's event source mappings and EventBridge Scheduler do on AWS."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.local.provision import CREDENTIALS, Feed
from tests.local.template import REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

Invoke = Callable[[Any], Any]

CLOSING_SECONDS = 2.0
"""So long what is under way may go on when all ends; a function that still runs then is stopped with its pool."""


class Delivery:
    """One polling thread per feed, and as many more as batches may be under way at once.

    A message that its function failed stays in the queue and comes again. workers: the most copies of one function.
    """

    def __init__(
        self, feeds: Sequence[Feed], functions: Mapping[str, Invoke], endpoint: str, *, workers: int = 1
    ) -> None:
        self._functions = functions
        self._workers = workers
        self._closing = threading.Event()
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._sqs: SQSClient = session.client("sqs", endpoint_url=endpoint)
        self._threads = [
            threading.Thread(target=self._poll, args=(feed,), name=f"delivery-{feed.function}", daemon=True)
            for feed in feeds
        ]
        for thread in self._threads:
            thread.start()

    def _poll(self, feed: Feed) -> None:
        most = min(feed.concurrency, self._workers)
        free = threading.Semaphore(most)
        batches = ThreadPoolExecutor(most, thread_name_prefix=f"delivery-{feed.function}")

        def deliver(messages: Sequence["MessageTypeDef"]) -> None:
            try:
                self._deliver(feed, messages)
            except (BotoCoreError, ClientError):
                pass  # ministack is stopping, or busy: the visibility timeout brings the batch back
            finally:
                free.release()

        while not self._closing.is_set():
            if not free.acquire(timeout=0.2):
                continue
            if messages := self._received(feed):
                batches.submit(deliver, messages)
            else:
                free.release()
        batches.shutdown()

    def _received(self, feed: Feed) -> Sequence["MessageTypeDef"]:
        try:
            return self._sqs.receive_message(
                QueueUrl=feed.queue_url,
                MaxNumberOfMessages=min(feed.batch_size, 10),
                WaitTimeSeconds=1,  # short, so that closing need not wait for long
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
        except (BotoCoreError, ClientError):
            self._closing.wait(0.2)
            return []

    def _deliver(self, feed: Feed, messages: Sequence["MessageTypeDef"]) -> None:
        invoke = self._functions[feed.function]
        try:
            answer = invoke(
                json.loads(messages[0].get("Body", "{}")) if feed.is_schedule else sqs_event(feed, messages)
            )
        except Exception:
            return  # the function's log has it; the visibility timeout brings the batch back
        failed = failures(answer) if feed.reports_failures else set[str]()
        for message in messages:
            if message.get("MessageId") not in failed:
                self._sqs.delete_message(QueueUrl=feed.queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))

    def close(self) -> None:
        self._closing.set()
        until = time.monotonic() + CLOSING_SECONDS
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
        self._sqs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sqs_event(feed: Feed, messages: Sequence["MessageTypeDef"]) -> dict[str, Any]:
    """The event that Lambda makes of received messages."""
    return {
        "Records": [
            {
                "messageId": message.get("MessageId"),
                "receiptHandle": message.get("ReceiptHandle"),
                "body": message.get("Body"),
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {
                    name: {
                        "stringValue": attribute.get("StringValue"),
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": attribute["DataType"],
                    }
                    for name, attribute in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message.get("MD5OfBody"),
                "eventSource": "aws:sqs",
                "eventSourceARN": feed.queue_arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def failures(answer: Any) -> set[str]:
    """The messages that a handler with ReportBatchItemFailures gave back."""
    return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}
