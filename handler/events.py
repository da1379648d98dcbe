"""From an SQS message to the S3 objects it announces.

In: one record of a Lambda SQS event. Out: the objects to load. It knows the shape of S3 event notifications (Amazon S3
User Guide, "Event message structure") and nothing of files or tables.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class EventError(ValueError):
    """The message does not announce S3 objects to load."""


@dataclass(frozen=True)
class S3Object:
    """An object as S3 names it: the key is decoded."""

    bucket: str
    key: str


def objects_in(body: str) -> tuple[S3Object, ...]:
    """The objects a message body announces, in its order; none for the test event of a new notification.

    S3 sends `s3:TestEvent` once when a notification is configured, and percent-encodes keys with `+` for a blank.

    Raises:
        EventError: the body is not an S3 event notification, or announces something other than a created object.
    """
    try:
        message = json.loads(body)
    except ValueError as error:
        raise EventError(f"the message body is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise EventError("the message body is not an S3 event notification: it is not a JSON object")
    if message.get("Event") == "s3:TestEvent":
        return ()
    records = message.get("Records")
    if not isinstance(records, list) or not records:
        raise EventError("the message body is not an S3 event notification: it has no Records")
    return tuple(_object_in(record) for record in records)


def _object_in(record: Any) -> S3Object:
    try:
        source, name = record["eventSource"], record["eventName"]
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
    except (KeyError, TypeError) as error:
        raise EventError(f"the message holds a record that is not an S3 event: {error!r} is missing") from error
    if source != "aws:s3" or not str(name).startswith("ObjectCreated:"):
        raise EventError(f"the message announces {source} {name}, not a created S3 object")
    return S3Object(str(bucket), unquote_plus(str(key)))
