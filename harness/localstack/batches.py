"""Batches of an SQS event source mapping: how messages are grouped, and what a function's answer says of each.

In: messages as the event shows them (`messageId`, `body`, `attributes` …) and a function's response. Out: batches and
message ids. Pure. Sources: "Using Lambda with Amazon SQS", "Handling errors for an SQS event source in Lambda",
"How event source mappings differ from direct triggers" (batching behaviour).
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

PAYLOAD_SIZE_MAX_BYTES = 6 * 1024 * 1024
"""Lambda's limit for a synchronous invoke; a batch is invoked when it is reached."""
ENVELOPE_SIZE_BYTES = len('{"Records":[]}')

Event = dict[str, Any]


class MalformedAnswer(ValueError):
    """The response cannot be read as a partial batch response: the whole batch counts as failed."""


def failed_items(answer: bytes, message_ids: Collection[str]) -> set[str]:
    """The messages a ReportBatchItemFailures function says have failed.

    "Lambda treats a batch as a complete success if your function returns: an empty batchItemFailures list, a null
    batchItemFailures list, an empty EventResponse, a null EventResponse. [It] treats a batch as a complete failure if
    your function returns: an invalid JSON response, an empty string itemIdentifier, a null itemIdentifier, an
    itemIdentifier with a bad key name." An id that is not of the batch fails it too.

    Raises:
        MalformedAnswer: one of the shapes of a complete failure.
    """
    try:
        response = json.loads(answer) if answer else None
    except ValueError as error:
        raise MalformedAnswer(str(error)) from error
    if not isinstance(response, dict):
        if response:
            raise MalformedAnswer(f"not an object but {type(response).__name__}")
        return set()
    items = response.get("batchItemFailures")
    if not items:
        return set()
    if not isinstance(items, list):
        raise MalformedAnswer("batchItemFailures is not a list")
    return {_item_identifier(item, message_ids) for item in items}


def _item_identifier(item: object, message_ids: Collection[str]) -> str:
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    if not isinstance(identifier, str) or identifier not in message_ids:
        raise MalformedAnswer(f"{item!r} does not name a message of the batch")
    return identifier


def payload(events: Sequence[Event]) -> bytes:
    """The event a function is invoked with."""
    return json.dumps({"Records": events}).encode()


def in_window(event: Event) -> Event:
    """A message as a mapping with a batching window shows it: one without attributes has a null digest of them.

    As recorded on AWS 2025-11-25 (LocalStack test_lambda_integration_sqs.snapshot.json): all mappings with a window do,
    none without one does.
    """
    return {"md5OfMessageAttributes": None} | event


def size_bytes(event: Event) -> int:
    """What one message adds to the payload."""
    return len(json.dumps(event)) + 2


def split_by_size(events: Iterable[Event], most_bytes: int = PAYLOAD_SIZE_MAX_BYTES) -> list[list[Event]]:
    """Cut a batch, in order, so that no payload is over the limit."""
    batches: list[list[Event]] = []
    room = 0
    for event in events:
        needed = size_bytes(event)
        if not batches or needed > room:
            batches.append([])
            room = most_bytes - ENVELOPE_SIZE_BYTES
        batches[-1].append(event)
        room -= needed
    return batches


def split_by_group(events: Iterable[Event]) -> list[list[Event]]:
    """Cut a FIFO batch so that each holds one message group, in order; groups then run side by side."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event["attributes"]["MessageGroupId"], []).append(event)
    return list(groups.values())
