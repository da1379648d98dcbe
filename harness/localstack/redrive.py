"""What happens to a message that moves between a queue and its dead letter queue.

LocalStack treats both moves as an ordinary put. On AWS a message keeps its first enqueue time when it is dead-lettered,
so its retention goes on ("Using dead-letter queues in Amazon SQS": "the message's expiration is always based on its
original enqueue timestamp", for standard queues), and becomes a new message when it is redriven ("Configure a
dead-letter queue redrive": "all redriven messages are considered new messages with a new messageID and enqueueTime").

In: LocalStack's queues and a message about to be put. Out: the message as AWS would have it.
"""

import time
from collections.abc import Callable
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue, sqs_stores
from localstack.services.sqs.utils import generate_message_id
from localstack.utils.aws.arns import parse_arn

SOURCE = "DeadLetterQueueSourceArn"


def install() -> None:
    """Have both kinds of queue treat moved messages as AWS does."""
    for kind in (StandardQueue, FifoQueue):
        kind.put = _moving(kind.put)


def _moving(original: Callable[..., SqsMessage]) -> Callable[..., SqsMessage]:
    def put(self: SqsQueue, message: dict[str, Any], *arguments: Any, **options: Any) -> SqsMessage:
        source_arn = message.get("Attributes", {}).get(SOURCE)
        if source_arn is None:
            return original(self, message, *arguments, **options)
        if not _is_dead_letter_queue_of(self, source_arn):
            return original(self, _as_new(message), *arguments, **options)
        placed = original(self, message, *arguments, **options)
        placed.arrived_s = placed.created
        if isinstance(self, StandardQueue):
            placed.created = int(message["Attributes"]["SentTimestamp"]) / 1000
        return placed

    return put


def _is_dead_letter_queue_of(queue: SqsQueue, source_arn: str) -> bool:
    arn = parse_arn(source_arn)
    source = sqs_stores[arn["account"]][arn["region"]].queues.get(arn["resource"])
    policy = source.redrive_policy if source else None
    return bool(policy) and policy["deadLetterTargetArn"] == queue.arn


def _as_new(message: dict[str, Any]) -> dict[str, Any]:
    """The redriven message: same content, nothing of its history."""
    forgotten = (SOURCE, "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SequenceNumber")
    attributes = {name: value for name, value in message["Attributes"].items() if name not in forgotten}
    attributes["SentTimestamp"] = str(int(time.time() * 1000))
    return {**message, "MessageId": generate_message_id(), "Attributes": attributes}
