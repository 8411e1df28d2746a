"""The queue of syncs on SQS: the port `Queue`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10
"""So many messages SQS takes at once."""
LONGEST = 900
"""SQS delays no message longer, in seconds."""


class UnsentError(RuntimeError):
    """SQS did not take all messages."""


@dataclass(frozen=True, slots=True)
class SyncQueue:
    """Messages to whoever runs syncs."""

    client: "SQSClient"
    url: str

    def send(self, messages: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        """Put messages in, ten in one request."""
        wait = min(delay, LONGEST)
        for batch in batched(messages, BATCH, strict=False):
            entries: Any = [
                {"Id": str(place), "MessageBody": json.dumps(message), "DelaySeconds": wait}
                for place, message in enumerate(batch)
            ]
            told = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            if failed := told.get("Failed"):
                raise UnsentError(f"{len(failed)} messages were not taken: {failed[0].get('Code')}")
