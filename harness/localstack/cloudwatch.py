"""The emulator's own metrics: which there are, and how they reach its CloudWatch.

In: what the executor, the poller and LocalStack's SQS provider count. Out: `AWS/Lambda` and `AWS/SQS` metrics, with
the names and units of "Types of metrics for Lambda functions" and "Available CloudWatch metrics for Amazon SQS".
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.lambda_models import VersionIdentifier
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue
from localstack.utils.bootstrap import is_api_enabled

from harness.localstack.metrics import Metric, MetricBuffer, Statistics

LOG = logging.getLogger(__name__)

DATA_MAX_PER_CALL = 1_000
"""PutMetricData takes no more at once (AWS: PutMetricData)."""


@cache
def buffer() -> MetricBuffer:
    """The one buffer of this emulator."""
    return MetricBuffer(_publish)


def count_function(function: VersionIdentifier, name: str, value: float = 1.0, unit: str = "Count") -> None:
    """Record a value of a function's metric."""
    dimension = ("FunctionName", function.function_name)
    buffer().add(Metric(function.account, function.region, "AWS/Lambda", name, dimension, unit), value)


def count_queue(account: str, region: str, queue: str, name: str, value: float = 1.0, unit: str = "Count") -> None:
    """Record a value of a queue's metric."""
    buffer().add(Metric(account, region, "AWS/SQS", name, ("QueueName", queue), unit), value)


def oldest_message_age_s(queue: SqsQueue, now_s: float) -> float:
    """ApproximateAgeOfOldestMessage: of the messages not deleted, since they came to this queue.

    "For dead-letter queues, the value of ApproximateAgeOfOldestMessage is the longest time that a message has been in
    the queue", counted from the move, not from when it was first sent.
    """
    arrived_s = [getattr(message, "arrived_s", message.created) for message in _messages(queue) if not message.deleted]
    return max(0.0, now_s - min(arrived_s)) if arrived_s else 0.0


def _messages(queue: SqsQueue) -> list[SqsMessage]:
    with queue.mutex:
        if isinstance(queue, FifoQueue):
            visible = [message for group in queue.message_groups.values() for message in group.messages]
        else:
            visible = list(queue.visible.queue)
        return [*visible, *queue.inflight, *queue.delayed]


def _publish(pending: Mapping[Metric, Statistics]) -> None:
    if not is_api_enabled("cloudwatch"):
        return
    calls: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for metric, statistics in pending.items():
        calls[metric.account, metric.region, metric.namespace].append(_datum(metric, statistics))
    for (account, region, namespace), data in calls.items():
        client = connect_to(aws_access_key_id=account, region_name=region).cloudwatch
        for start in range(0, len(data), DATA_MAX_PER_CALL):
            try:
                client.put_metric_data(Namespace=namespace, MetricData=data[start : start + DATA_MAX_PER_CALL])
            except (BotoCoreError, ClientError) as error:
                LOG.info("metrics of %s were not taken: %s", namespace, error)


def _datum(metric: Metric, statistics: Statistics) -> dict[str, Any]:
    name, value = metric.dimension
    return {
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value}],
        "Unit": metric.unit,
        "Timestamp": datetime.fromtimestamp(statistics.since_s, UTC),
        "StatisticValues": {
            "SampleCount": statistics.count,
            "Sum": statistics.total,
            "Minimum": statistics.least,
            "Maximum": statistics.most,
        },
    }
