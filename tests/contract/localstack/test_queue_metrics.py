"""What SQS publishes of its queues to CloudWatch."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, eventually

Make = Callable[..., Any]


SENT, RECEIVED, DELETED = "NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"
OF_CALLS = {SENT, RECEIVED, DELETED, "NumberOfEmptyReceives", "SentMessageSize"}
OF_STATE = {
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesVisible",
}


@pytest.mark.documented("Available CloudWatch metrics for Amazon SQS")
def test_a_queues_metrics_are_published(aws: Aws, make_queue: Make) -> None:
    queue = make_queue()
    queue.send("waiting", "taken")
    [message, *_] = queue.receive()
    aws.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
    queue.receive()
    dimension = {"Name": "QueueName", "Value": queue.arn.rpartition(":")[2]}

    def seen() -> set[str]:
        found = aws.metrics.list_metrics(Namespace="AWS/SQS", Dimensions=[dimension])["Metrics"]
        return {metric["MetricName"] for metric in found}

    eventually(lambda: seen() >= OF_CALLS | OF_STATE, 150)

    def total(name: str, statistic: str) -> float:
        now = datetime.now(UTC)
        values = aws.metrics.get_metric_statistics(
            Namespace="AWS/SQS", MetricName=name, Dimensions=[dimension], Period=3600, Statistics=[statistic],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
        )["Datapoints"]  # fmt: skip
        return float(sum(value[statistic] for value in values))

    eventually(lambda: total(SENT, "Sum") == 2 and total(DELETED, "Sum") == 1)
    assert total(RECEIVED, "Sum") >= 1
    assert total("ApproximateAgeOfOldestMessage", "Maximum") > 0
