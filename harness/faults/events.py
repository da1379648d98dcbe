"""Faults of S3's event notifications: delivered twice, late, in another order, several in one message, or none in it.

S3 delivers events at least once and in no order (Amazon S3 User Guide, "Amazon S3 Event Notifications"). The fault
takes the bucket's notifications off and sends them itself, in the shape S3 sends them, for every file that the bucket
has acknowledged.
"""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from harness.faults.site import Site
from harness.history import FileHistory

LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Events:
    """`copies` messages for each event: the first two at once, the others after the last upload. `together` events
    share a message. With `held_back` all are sent after the last upload, in an order drawn from `seed`."""

    copies: int = 1
    together: int = 1
    held_back: bool = False
    seed: int = 1

    @property
    def name(self) -> str:
        parts = [f"{self.copies} messages an event"] if self.copies > 1 else []
        parts += [f"{self.together} events a message"] if self.together > 1 else []
        parts += ["late and out of order"] if self.held_back else []
        return f"event notifications: {', '.join(parts) or 'sent by the harness'}"

    def inject(self, site: Site) -> Callable[[], str | None]:
        before: Any = site.aws.s3.get_bucket_notification_configuration(Bucket=site.pipeline.bucket)
        before.pop("ResponseMetadata", None)
        site.aws.s3.put_bucket_notification_configuration(Bucket=site.pipeline.bucket, NotificationConfiguration={})
        sender = _Sender(self, site)
        thread = threading.Thread(target=sender.keep_sending, name="events")
        thread.start()

        def heal() -> str | None:
            sender.stop.set()
            thread.join()
            sender.send_the_rest()
            site.aws.s3.put_bucket_notification_configuration(
                Bucket=site.pipeline.bucket, NotificationConfiguration=before
            )
            return f"sent {sender.messages:,} messages for {len(sender.seen):,} files" if sender.messages else None

        return heal


@dataclass(frozen=True)
class TestEvents:
    """S3's test message on every queue, as it sends one when a bucket's notifications are set up (Amazon S3 User Guide,
    "Event message structure"): it has no `Records`, and the function has to take it for done."""

    __test__ = False  # not one of pytest's, for all its name

    @property
    def name(self) -> str:
        return "S3's test event on every queue"

    def inject(self, site: Site) -> Callable[[], str | None]:
        body = json.dumps(
            {
                "Service": "Amazon S3",
                "Event": "s3:TestEvent",
                "Time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "Bucket": site.pipeline.bucket,
                "RequestId": "5582815E1AEA5ADF",
                "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
            }
        )
        sent = {
            site.aws.sqs.send_message(QueueUrl=resources.queue_url, MessageBody=body)["MessageId"]
            for resources in site.provisioned.types.values()
        }

        def heal() -> str | None:
            site.wait_until_handled()
            invocations = list(site.history.invocations)
            took = {message["message_id"] for event in invocations for message in event["messages"]} & sent
            return f"{len(took)} functions got one" if took == sent else None

        return heal


@dataclass
class _Sender:
    fault: Events
    site: Site
    stop: threading.Event = field(default_factory=threading.Event)
    seen: set[str] = field(default_factory=set)
    messages: int = 0
    _pending: dict[str, list[FileHistory]] = field(default_factory=dict)
    _later: list[FileHistory] = field(default_factory=list)

    def keep_sending(self) -> None:
        while not self.stop.wait(LOOK_EVERY_S):
            self._send_new()

    def send_the_rest(self) -> None:
        self._send_new()
        for files in self._pending.values():
            if files:
                self._send(files)
        random.Random(self.fault.seed).shuffle(self._later)
        for file in self._later:
            self._send([file])

    def _send_new(self) -> None:
        new = [
            file
            for file in list(self.site.history.files.values())
            if file.acknowledged_s is not None and file.key not in self.seen
        ]
        for file in new:
            self.seen.add(file.key)
            if self.fault.held_back:
                self._later += [file] * self.fault.copies
                continue
            self._later += [file] * (self.fault.copies - 2)
            pending = self._pending.setdefault(file.type, [])
            pending.append(file)
            if len(pending) >= self.fault.together:
                for _ in range(min(self.fault.copies, 2)):
                    self._send(pending)
                pending.clear()

    def _send(self, files: list[FileHistory]) -> None:
        records = [event_record(self.site.pipeline.bucket, file, self.site.aws.endpoints.region) for file in files]
        self.site.aws.sqs.send_message(
            QueueUrl=self.site.provisioned.types[files[0].type].queue_url, MessageBody=json.dumps({"Records": records})
        )
        self.messages += 1


def event_record(bucket: str, file: FileHistory, region: str) -> dict[str, Any]:
    """One event as S3 sends it (Amazon S3 User Guide, "Event message structure"): the key is percent-encoded."""
    at = datetime.fromtimestamp(file.acknowledged_s or 0, UTC).isoformat(timespec="milliseconds")
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": at.replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(file.key, safe="/"), "size": file.size_bytes},
        },
    }
