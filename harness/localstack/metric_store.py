"""CloudWatch's store takes what one call brings in one transaction.

LocalStack opens its database, inserts and commits for each datum: 0.4 ms of CPU each. With many functions and queues
that is more than counting them. In: PutMetricData's data. Out: rows of LocalStack's table of statistic sets; data of
another form are left to LocalStack.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

_INSERT = f"""INSERT INTO {CloudwatchDatabase.TABLE_AGGREGATED_METRICS} (account_id, region, metric_name, namespace,
    timestamp, dimensions, unit, storage_resolution, sample_count, sum, min, max)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_STATISTICS = ("SampleCount", "Sum", "Minimum", "Maximum")
Datum = Mapping[str, Any]


def install() -> None:
    """Replace what LocalStack does for each datum."""
    CloudwatchDatabase.add_metric_data = _together(CloudwatchDatabase.add_metric_data)


def _together(original: Callable[..., None]) -> Callable[..., None]:
    def add_metric_data(
        self: CloudwatchDatabase, account_id: str, region: str, namespace: str, metric_data: Sequence[Datum]
    ) -> None:
        sets = [datum for datum in metric_data if _is_statistic_set(datum)]
        if others := [datum for datum in metric_data if not _is_statistic_set(datum)]:
            original(self, account_id, region, namespace, others)
        rows = [
            (account_id, region, datum["MetricName"], namespace, self._convert_timestamp_to_unix(datum["Timestamp"]),
             self._get_ordered_dimensions_with_separator(datum.get("Dimensions")), datum.get("Unit"),
             datum.get("StorageResolution"), *(datum["StatisticValues"][name] for name in _STATISTICS))
            for datum in sets
        ]  # fmt: skip
        if rows:
            with self.DATABASE_LOCK, closing(sqlite3.connect(self.METRICS_DB)) as database, database:
                database.executemany(_INSERT, rows)

    return add_metric_data


def _is_statistic_set(datum: Datum) -> bool:
    """One as the emulator's own metrics are: with a time, and no values beside its statistics."""
    return bool(datum.get("StatisticValues") and datum.get("Timestamp")) and not (
        datum.get("Values") or datum.get("Value") is not None
    )
