"""S3 event notifications to queues: in-process, in the documented shape, delivered as `s3_delivery` says.

LocalStack sends each through boto3 (5 ms of CPU), gives every event the same sequencer and writes a space in a key as
%20 where S3 writes a plus. In: LocalStack's event and the queue it is for. Out: a message in that queue.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from localstack.aws.api import ServiceException
from localstack.services.s3 import notifications

from harness.localstack.s3_delivery import Delivery, Schedule
from harness.localstack.sqs_source import QueueGone, SqsSource

LOG = logging.getLogger(__name__)


class Sequencer:
    """Rising numbers, as long and as written as S3's ("Event message structure": compare as hexadecimal strings)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        """The next one."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 100)
            return f"{self._last:018X}"


def install(delivery: Delivery) -> None:
    """Take LocalStack's place in making and delivering notifications."""
    sequencer = Sequencer()
    notifier = notifications.SqsNotifier
    notifications.BaseNotifier._get_event_payload = staticmethod(
        _as_documented(notifications.BaseNotifier._get_event_payload)
    )
    notifier.notify = _notify
    dispatcher = notifications.NotificationDispatcher
    if delivery != Delivery(seed=delivery.seed):
        dispatcher._submit_notification = _scheduled(dispatcher._submit_notification, Schedule(delivery))
    dispatcher._submit_notification = _sequenced(dispatcher._submit_notification, sequencer)


def _sequenced(original: Callable[..., None], sequencer: Sequencer) -> Callable[..., None]:
    """The number is the event's: it says in which order things happened, however late and often it is delivered."""

    def submit(self: Any, notifier: Any, context: Any, configuration: Any) -> None:
        if not hasattr(context, "sequencer"):
            context.sequencer = sequencer.next()
        original(self, notifier, context, configuration)

    return submit


def _as_documented(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_event_payload(context: Any, *arguments: Any) -> Any:
        payload = original(context, *arguments)
        for record in payload["Records"]:
            item = record["s3"]["object"]
            item["key"] = item["key"].replace("%20", "+")  # "red flower.jpg" is "red+flower.jpg" (the same page)
            if "sequencer" in item:
                item["sequencer"] = context.sequencer
        return payload

    return get_event_payload


def _notify(self: notifications.SqsNotifier, context: Any, configuration: dict[str, Any]) -> None:
    body = json.dumps(self._get_event_payload(context, configuration.get("Id")))
    try:
        SqsSource(configuration["QueueArn"]).send(body, trace_header=context.xray)
    except (QueueGone, ServiceException) as error:
        LOG.error("notification of %s to %s: %s", context.bucket_name, configuration["QueueArn"], error)


def _scheduled(original: Callable[..., None], schedule: Schedule) -> Callable[..., None]:
    def submit(self: Any, notifier: Any, context: Any, configuration: Any) -> None:
        for delay_s in schedule.delays_s():
            timer = threading.Timer(delay_s, original, (self, notifier, context, configuration))
            timer.daemon = True
            timer.start()

    return submit
