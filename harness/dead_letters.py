"""Dead letter queues: what is on them, without taking it away."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Long enough to read a queue to its end, so that no message is seen twice on the way.
PEEK_VISIBILITY_S = 60
RECEIVE_MAX = 10


@dataclass(frozen=True)
class DeadLetter:
    """One message on a dead letter queue. `keys` are the decoded S3 keys it tells of."""

    message_id: str
    keys: tuple[str, ...]
    receive_count: int
    sent_ms: int
    body: str


def keys_of(body: str) -> tuple[str, ...]:
    """The decoded keys in an S3 event notification; none if it is not one."""
    try:
        records: Any = json.loads(body).get("Records", [])
        return tuple(unquote_plus(record["s3"]["object"]["key"]) for record in records)
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError):
        return ()


def peek(sqs: "SQSClient", queue_url: str) -> list[DeadLetter]:
    """Every message that is visible on a queue; they are visible again afterwards."""
    received = list(_receive_all(sqs, queue_url))
    for start in range(0, len(received), RECEIVE_MAX):
        sqs.change_message_visibility_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, (_, receipt) in enumerate(received[start : start + RECEIVE_MAX])
            ],
        )
    return [letter for letter, _ in received]


def take_one(sqs: "SQSClient", queue_url: str) -> tuple[DeadLetter, str] | None:
    """A visible message and the receipt to delete it by, within `PEEK_VISIBILITY_S`; None when there is none."""
    messages = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=1,
        VisibilityTimeout=PEEK_VISIBILITY_S,
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    return (_letter(messages[0]), messages[0]["ReceiptHandle"]) if messages else None


def _letter(message: "MessageTypeDef") -> DeadLetter:
    attributes = message["Attributes"]
    return DeadLetter(
        message["MessageId"],
        keys_of(message["Body"]),
        int(attributes["ApproximateReceiveCount"]),
        int(attributes["SentTimestamp"]),
        message["Body"],
    )


def _receive_all(sqs: "SQSClient", queue_url: str) -> Iterator[tuple[DeadLetter, str]]:
    while messages := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=RECEIVE_MAX,
        VisibilityTimeout=PEEK_VISIBILITY_S,
        MessageSystemAttributeNames=["All"],
    ).get("Messages", []):
        for message in messages:
            yield _letter(message), message["ReceiptHandle"]
