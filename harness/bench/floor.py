"""What this machine could do at best: the same files through the handler's own code and COPY, and nothing else.

In: a pipeline. Out: files a minute and CPU a file. No emulator, no queue, no load generator, no merge: as many
processes as cores call the handler one file after the other, against the Redshift stand-in and the least that an S3
can be.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.files import encode
from generators.records import make_table
from harness import sql
from harness.aws import Aws
from harness.bench.cpu import tree
from harness.bench.parts import end, warehouse_alone
from harness.errors import HarnessError, UsageError
from harness.pipeline import Pipeline
from harness.provision import function_environment
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, Endpoints
from harness.stack.processes import Child, spawn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FILES_OF_A_TYPE = 4


@dataclass(frozen=True)
class Floor:
    """`cpu_ms_per_file` is by part: handler, gateway, postgresql, object store."""

    files: int
    processes: int
    files_per_min: float
    cpu_ms_per_file: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As it stands in the benchmark's JSON."""
        return asdict(self)


def _environment(endpoints: Endpoints) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoints.aws_endpoint_url,
        "AWS_REGION": endpoints.region,
        "AWS_DEFAULT_REGION": endpoints.region,
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
    }


def _event(bucket: str, key: str) -> dict[str, Any]:
    body = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                         "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}  # fmt: skip
    return {"Records": [{"messageId": "1", "body": json.dumps(body)}]}


def _put_files(pipeline: Pipeline, s3: "S3Client", records: int) -> dict[str, list[dict[str, Any]]]:
    """Files of every type on S3; the events that tell of them."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    events: dict[str, list[dict[str, Any]]] = {}
    for name, settings in pipeline.types.items():
        dataset, events[name] = pipeline.dataset(name), []
        for index in range(FILES_OF_A_TYPE):
            table = make_table(dataset, seed=1, file_index=index, records=records, at=at)
            key = f"{settings.prefix}floor-{index}"
            s3.put_object(Bucket=pipeline.bucket, Key=key, Body=encode(table, dataset.format))
            events[name].append(_event(pipeline.bucket, key))
    return events


def _start_worker(work: dict[str, Any], pipeline: Pipeline, logs: Path) -> Child:
    return spawn(
        f"floor worker {work['first']}",
        [pipeline.function.python or sys.executable, "-m", "harness.bench.floor_worker", json.dumps(work)],
        logs / "worker.log",
        # the handler's own threads would only get into each other's way
        environment=os.environ | {"PYTHONPATH": os.pathsep.join([str(pipeline.directory), *sys.path])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _answer_of(worker: Child) -> dict[str, Any]:
    assert worker.process.stdout is not None  # spawned with a pipe
    line = worker.process.stdout.readline()
    if not line:
        worker.process.wait()
        raise HarnessError(f"{worker.name} ended: {worker.last_lines()}")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _seconds(parts: dict[str, Child]) -> dict[str, float]:
    return {name: sum(process.own_s + process.reaped_s for process in tree(child.pid)) for name, child in parts.items()}


def measure(pipeline: Pipeline, files: int, records: int | None = None) -> Floor:
    """Load `files` files, all processes together.

    Raises:
        UsageError: the pipeline's handler is not one whose environment can be changed.
        HarnessError: a part would not start, or the handler failed.
    """
    handler = pipeline.function.handler
    if handler != "handler.app.handler":
        raise UsageError(f"function.handler {handler}: the floor is known for this project's own handler only")
    processes = len(os.sched_getaffinity(0))
    each = max(1, files // processes)
    with warehouse_alone() as (endpoints, parts), ExitStack() as cleanup:
        with sql.warehouse(endpoints) as connection, connection.cursor() as cursor:
            for statement in sql.statements(pipeline.ddl):
                cursor.execute(statement)
            connection.commit()
        aws = Aws(endpoints)
        events = _put_files(pipeline, aws.s3, records or pipeline.records_per_file)
        types = [
            {"environment": _environment(endpoints) | function_environment(pipeline, name, aws), "events": events[name]}
            for name in pipeline.types
        ]
        workers = []
        for number in range(processes):
            work = {"handler": handler, "types": types, "first": number % len(types)}
            workers.append(worker := _start_worker(work, pipeline, endpoints.directory))
            cleanup.callback(end, worker, signal.SIGKILL)
        for worker in workers:
            _answer_of(worker)
        before = _seconds(parts)
        for worker in workers:
            assert worker.process.stdin is not None  # spawned with a pipe
            worker.process.stdin.write(f"{each}\n".encode())
            worker.process.stdin.flush()
        done = [_answer_of(worker) for worker in workers]
        spent = {name: seconds - before[name] for name, seconds in _seconds(parts).items()}
        spent["handler"] = sum(one["cpu_s"] for one in done)
    loaded = sum(one["files"] for one in done)
    rate_per_min = sum(one["files"] / one["seconds"] for one in done) * 60
    cpu_ms = {name: round(seconds / loaded * 1000, 2) for name, seconds in spent.items()}
    return Floor(loaded, processes, round(rate_per_min, 1), cpu_ms)
