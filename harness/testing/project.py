"""A pipeline on a stack, for tests of a single file: deliver it, see it staged, merge, look at the tables.

In: a pipeline description and a stack. Out: a `Project`, with empty queues and tables.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import pipeline as pipelines
from harness import sql
from harness.aws import Aws
from harness.emptying import empty
from harness.errors import HarnessError
from harness.merge import MergeRun, read_job
from harness.pipeline import Pipeline
from harness.plan import FIRST_DAY
from harness.provision import Provisioned, provision
from harness.stack.endpoints import Endpoints
from harness.testing.stacks import fail
from harness.timing import scaled

DELIVERY_POLL_INTERVAL_S = 0.1


@dataclass(frozen=True)
class Project:
    """A provisioned pipeline. `aws` holds boto3 clients, `provisioned` the names of queues and functions."""

    pipeline: Pipeline
    endpoints: Endpoints
    aws: Aws
    provisioned: Provisioned
    # of the trace of invocations, when the queues were emptied
    trace_at_byte: int = 0
    _delivered: Counter[str] = field(default_factory=Counter)

    def deliver(self, type_name: str, name: str, body: bytes) -> str:
        """Put a file where source systems put it; returns its key."""
        key = f"{self.pipeline.types[type_name].prefix}dt={FIRST_DAY.date().isoformat()}/{name}"
        self.aws.s3.put_object(Bucket=self.pipeline.bucket, Key=key, Body=body)
        self._delivered[key] += 1
        return key

    def wait_until_handled(self, timeout_s: float = 60.0) -> None:
        """Return when a function has seen every delivery and no queue has a message, waiting or in flight.

        What was refused is on a dead letter queue then. Empty queues alone would not say it: S3 notifies after it has
        answered.

        Raises:
            TimeoutError: that did not happen in time; says what is left.
        """
        deadline_s = time.monotonic() + timeout_s
        while (unseen := self._unseen()) or any(
            (left := {name: self._left(name) for name in self.pipeline.types}).values()
        ):
            if time.monotonic() > deadline_s:
                said = f"no function has seen {', '.join(unseen)}" if unseen else f"there are messages left: {left}"
                raise TimeoutError(f"after {timeout_s:g} s {said}")
            time.sleep(DELIVERY_POLL_INTERVAL_S)

    def dead_letters(self, type_name: str) -> int:
        """How many messages the dead letter queue of a type has."""
        url = self.provisioned.types[type_name].dead_letter_queue_url
        found = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def merge(self) -> MergeRun:
        """Run the merge job once; a type whose merge failed says so in its `error`."""
        return read_job(self.pipeline).run(self.endpoints, 1, time.time())

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement that the warehouse runs, in Redshift's dialect."""
        with sql.warehouse(self.endpoints, "nrt-test") as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _unseen(self) -> list[str]:
        """The keys that were delivered more often than functions got a message of their own about them."""
        messages: dict[str, set[str]] = {key: set() for key in self._delivered}
        for line in self._trace_lines():
            for message in json.loads(line)["messages"]:
                for key in message["keys"]:
                    messages.get(key, set()).add(message["message_id"])
        return sorted(key for key, times in self._delivered.items() if len(messages[key]) < times)

    def _trace_lines(self) -> list[bytes]:
        if not self.endpoints.trace_file.exists():
            return []
        with self.endpoints.trace_file.open("rb") as file:
            file.seek(self.trace_at_byte)
            return [line for line in file if line.endswith(b"\n")]

    def _left(self, type_name: str) -> int:
        found = self.aws.sqs.get_queue_attributes(
            QueueUrl=self.provisioned.types[type_name].queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(value) for value in found.values())


def project(pipeline_file: Path, endpoints: Endpoints) -> Project:
    """The pipeline, provisioned with its true times and emptied."""
    aws = Aws(endpoints)
    try:
        pipeline = pipelines.load(pipeline_file)
        provisioned = provision(pipeline, scaled(pipeline, 1.0), aws)
        empty(pipeline, provisioned, aws)
    except HarnessError as error:
        fail(error)
    trace = endpoints.trace_file
    return Project(pipeline, endpoints, aws, provisioned, trace.stat().st_size if trace.exists() else 0)
