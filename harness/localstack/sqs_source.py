"""One SQS queue as an event source mapping's pollers use it, without the detour over HTTP.

In: a queue's ARN. Out: messages in the shape of the Lambda event, as soon as they are visible; deletes. Receiving and
deleting go through LocalStack's own SQS provider, so counts, dead-lettering and metrics are exactly its; only the wait
for the next message is ours: it sleeps on the queue's own condition instead of asking again and again.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.api.sqs import QueueDoesNotExist
from localstack.aws.spec import load_service
from localstack.http import Request
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import transform_into_events
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.sqs.constants import HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT
from localstack.services.sqs.models import FifoQueue, SqsQueue, sqs_stores
from localstack.utils.aws.arns import parse_arn

from harness.localstack import api_faults
from harness.localstack.batches import Event

RECEIVE_MAX_MESSAGES = 10
LOOK_AGAIN_S = 5.0
"""How often a waiting poller looks whether its queue is still the one of that name."""

NO_LISTS = {"stringListValues": [], "binaryListValues": []}
"""Every message attribute has them, as recorded on AWS 2025-11-25 (LocalStack
test_lambda_integration_sqs.snapshot.json); SQS itself has no lists."""


class QueueGone(Exception):
    """The queue does not exist (any more)."""


class SqsSource:
    """Receives from and deletes in one queue."""

    def __init__(self, queue_arn: str) -> None:
        arn = parse_arn(queue_arn)
        self.arn = queue_arn
        self.region: str = arn["region"]
        self._account: str = arn["account"]
        self._name: str = arn["resource"]
        self.is_fifo = self._name.endswith(".fifo")

    def visibility_timeout_s(self) -> int:
        """The queue's, now."""
        return int(self._queue().visibility_timeout)

    def wait(self, timeout_s: float, stop: threading.Event) -> bool:
        """Sleep until a message is visible, `wake` is called or the time is over; true if a message is visible.

        Raises:
            QueueGone: there is no such queue.
        """
        deadline = time.monotonic() + timeout_s
        while not stop.is_set():
            visible = _visible(self._queue())
            with visible.not_empty:
                remaining_s = deadline - time.monotonic()
                if not visible._qsize():
                    if remaining_s <= 0:
                        return False
                    visible.not_empty.wait(min(LOOK_AGAIN_S, remaining_s))
                if visible._qsize() and not stop.is_set():
                    return True
                if visible._qsize():
                    visible.not_empty.notify()
        return False

    def wake(self) -> None:
        """Make a waiting poller look at its stop flag."""
        try:
            visible = _visible(self._queue())
        except QueueGone:
            return
        with visible.not_empty:
            visible.not_empty.notify_all()

    def receive(self, most: int) -> list[Event]:
        """Up to `most` messages that are visible now; hides them for the visibility timeout.

        Raises:
            QueueGone: there is no such queue.
            CommonServiceException: a fault is to have SQS refuse the call.
        """
        api_faults.refuse("sqs", "ReceiveMessage", self._name)
        response = self._call(
            lambda provider, context: provider.receive_message(
                context,
                queue_url=self._name,
                max_number_of_messages=min(most, RECEIVE_MAX_MESSAGES),
                wait_time_seconds=0,
                message_system_attribute_names=["All"],
                message_attribute_names=["All"],
            ),
            count=most,
        )
        events: list[Event] = transform_into_events(response.get("Messages") or [])
        return [
            {
                **event,
                "messageAttributes": {name: NO_LISTS | value for name, value in event["messageAttributes"].items()},
                "eventSource": "aws:sqs",
                "eventSourceARN": self.arn,
                "awsRegion": self.region,
            }
            for event in events
        ]

    def delete(self, events: list[Event]) -> None:
        """Delete messages that were received.

        Raises:
            QueueGone: there is no such queue.
            CommonServiceException: a fault is to have SQS refuse the call.
        """
        api_faults.refuse("sqs", "DeleteMessageBatch", self._name)
        entries = [{"Id": str(number), "ReceiptHandle": event["receiptHandle"]} for number, event in enumerate(events)]
        if entries:
            self._call(
                lambda provider, context: provider.delete_message_batch(context, queue_url=self._name, entries=entries),
                count=len(entries),
            )

    def send(self, body: str, trace_header: str | None = None) -> None:
        """Send a message.

        Raises:
            QueueGone: there is no such queue.
        """
        system = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}} if trace_header else {}
        self._call(
            lambda provider, context: provider.send_message(
                context, queue_url=self._name, message_body=body, message_system_attributes=system
            ),
            count=1,
        )

    def _queue(self) -> SqsQueue:
        queue = sqs_stores[self._account][self.region].queues.get(self._name)
        if queue is None:
            raise QueueGone(self.arn)
        return queue

    def _call(self, operation: Callable[[Any, RequestContext], Any], count: int) -> Any:
        headers = {HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT: str(count)} if count > RECEIVE_MAX_MESSAGES else {}
        context = RequestContext(Request(headers=headers))
        context.account_id, context.region, context.service = self._account, self.region, load_service("sqs")
        try:
            return operation(SERVICE_PLUGINS.require("sqs")._provider, context)
        except QueueDoesNotExist as error:
            raise QueueGone(self.arn) from error


def _visible(queue: SqsQueue) -> Any:
    return queue.message_group_queue if isinstance(queue, FifoQueue) else queue.visible
