"""What CloudWatch takes in one call, whatever form it has."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.contract.localstack.conftest import Aws


@pytest.mark.documented("PutMetricData: a value, values with counts or a statistic set; one call brings up to 1,000")
def test_values_and_statistic_sets_of_one_call_add_up(aws: Aws) -> None:
    namespace, now = f"test/{uuid4().hex}", datetime.now(UTC)
    statistics = {"SampleCount": 3, "Sum": 30, "Minimum": 5, "Maximum": 20}
    aws.metrics.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": "taken", "Value": 1, "Unit": "Count", "Timestamp": now},
        {"MetricName": "taken", "Values": [2, 4], "Counts": [1, 2], "Unit": "Count", "Timestamp": now},
        {"MetricName": "taken", "StatisticValues": statistics, "Unit": "Count", "Timestamp": now},
        {"MetricName": "taken", "StatisticValues": statistics, "Unit": "Count"},
        {"MetricName": "taken", "StatisticValues": statistics, "Unit": "Count", "Timestamp": now,
         "Dimensions": [{"Name": "Queue", "Value": "other"}]},
    ])  # fmt: skip

    def found(*dimensions: dict[str, str]) -> dict[str, float]:
        [point] = aws.metrics.get_metric_statistics(
            Namespace=namespace, MetricName="taken", Dimensions=list(dimensions), Period=86_400,
            Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
            StartTime=now - timedelta(hours=12), EndTime=now + timedelta(hours=12),
        )["Datapoints"]  # fmt: skip
        return {name: point[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")}

    assert found() == {"SampleCount": 10, "Sum": 71, "Minimum": 1, "Maximum": 20}
    assert found({"Name": "Queue", "Value": "other"}) == statistics
