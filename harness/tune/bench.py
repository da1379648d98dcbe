"""The real handler at several memory and batch sizes, on a warehouse and a bucket of its own.

In: a pipeline, the sizes, a stack. Out: a `Sample` for each invocation. Each memory size is one execution environment
as the emulator's executor runs it (Lambda's Runtime API, awslambdaric, the handler's own Python), held to its share of
CPU. Sizes take turns, round after round, so that a busy minute of the machine is everybody's.
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from generators.files import encode, extension
from generators.records import make_table
from harness import sql
from harness.aws import Aws
from harness.errors import HarnessError
from harness.localstack.capacity import Capacity
from harness.localstack.environment import Environment, Program
from harness.localstack.launcher import Launcher
from harness.localstack.outcome import Invocation
from harness.pipeline import Pipeline
from harness.provision import function_environment, make_tables
from harness.stack.endpoints import EMULATOR_ACCESS_KEY
from harness.tune.cpu_share import CpuShare, cpu_s, cpu_share, share_of
from harness.tune.points import Sample

DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sizes:
    """What is tried. `repeats` warm invocations of each pair."""

    memories_mb: tuple[int, ...]
    batches: tuple[int, ...]
    repeats: int
    records: int


@dataclass
class _Room:
    """One memory size: its environment, its bound, what it gave."""

    memory_mb: int
    environment: Environment
    share: CpuShare
    watched: "_WatchedLauncher"
    init_s: float = 0.0
    samples: dict[int, list[Sample]] = field(default_factory=dict)


class _WatchedLauncher(Launcher):
    """Tells the bound of each process that starts."""

    def __init__(self, share: CpuShare) -> None:
        super().__init__()
        self._share = share
        self.pid = 0

    def start(self, argv, environment, cwd, room="", view=None):  # type: ignore[no-untyped-def]
        """As `Launcher.start`, inside the bound."""
        child = super().start(self._share.argv(tuple(argv)), environment, cwd, room, view)
        self.pid = child.pid
        self._share.watch(child.pid)
        return child


@dataclass(frozen=True)
class Measured:
    """Of one memory size: initialisation, samples by batch size, and how its share was held."""

    memory_mb: int
    init_s: float
    samples: dict[int, list[Sample]]
    bound: str


def run(
    pipeline: Pipeline, type_name: str, sizes: Sizes, aws: Aws, tell: Callable[[str], None], *, groups: bool = True
) -> list[Measured]:
    """Measure every pair of sizes.

    Raises:
        UsageError: the pipeline's DDL or handler cannot be used.
        HarnessError: an environment did not even start.
    """
    aws.s3.create_bucket(Bucket=pipeline.bucket)
    make_tables(pipeline, aws)
    keys = _upload(pipeline, type_name, sizes, aws)
    with ExitStack() as cleanup:
        rooms = [
            cleanup.enter_context(_room(pipeline, type_name, memory_mb, aws, groups)) for memory_mb in sizes.memories_mb
        ]
        for room in rooms:
            tell(f"{room.memory_mb:,} MB: {share_of(room.memory_mb):.2f} CPU by {room.share.kind}; cold start")
            room.environment.init()
            first = _invoke(room, pipeline, keys[:1])
            room.init_s = first[1]
        for number in range(1, sizes.repeats + 1):
            for batch in sizes.batches:
                tell(f"round {number} of {sizes.repeats}: batches of {batch}")
                for room in rooms:
                    room.samples.setdefault(batch, []).append(_invoke(room, pipeline, keys[:batch])[0])
                    _empty(pipeline, type_name, aws)
        return [Measured(room.memory_mb, room.init_s, room.samples, room.share.kind) for room in rooms]


@contextmanager
def _room(pipeline: Pipeline, type_name: str, memory_mb: int, aws: Aws, groups: bool) -> Iterator[_Room]:
    function = pipeline.function_of(type_name)
    python = function.python or sys.executable
    program = Program(
        argv=(python, "-m", "awslambdaric", function.handler),
        environment=_variables(pipeline, type_name, memory_mb, aws),
        cwd=str(pipeline.directory),
        memory_mb=memory_mb,
        timeout_s=900.0,
    )
    with cpu_share(share_of(memory_mb), groups=groups) as share:
        launcher = _WatchedLauncher(share)
        environment = Environment(uuid.uuid4().hex, program, launcher, Capacity(1), evictable=False)
        try:
            yield _Room(memory_mb, environment, share, launcher)
        finally:
            environment.stop()
            launcher.close()


def _variables(pipeline: Pipeline, type_name: str, memory_mb: int, aws: Aws) -> dict[str, str]:
    name = f"{pipeline.name}-{type_name}"
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(pipeline.directory),
        "LAMBDA_TASK_ROOT": str(pipeline.directory), "TZ": ":UTC", "HOME": "/tmp",
        "AWS_REGION": aws.endpoints.region, "AWS_DEFAULT_REGION": aws.endpoints.region,
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
        "AWS_ENDPOINT_URL": aws.endpoints.aws_endpoint_url, "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb), "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}", "AWS_LAMBDA_LOG_STREAM_NAME": "tune",
        "_HANDLER": pipeline.function_of(type_name).handler,
    } | function_environment(pipeline, type_name, aws)  # fmt: skip


def _upload(pipeline: Pipeline, type_name: str, sizes: Sizes, aws: Aws) -> list[str]:
    dataset, settings = pipeline.dataset(type_name), pipeline.types[type_name]
    keys = []
    for index in range(max(sizes.batches)):
        table = make_table(dataset, seed=1, file_index=index, records=sizes.records, at=DAY)
        key = f"{settings.prefix}dt=2026-01-01/tune-{index:06d}{extension(settings.format)}"
        aws.s3.put_object(Bucket=pipeline.bucket, Key=key, Body=encode(table, settings.format))
        keys.append(key)
    return keys


def _event(pipeline: Pipeline, keys: Sequence[str]) -> bytes:
    records = []
    for key in keys:
        s3 = {"bucket": {"name": pipeline.bucket}, "object": {"key": key, "size": 1}}
        notification = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}
        records.append(
            {
                "messageId": str(uuid.uuid4()), "receiptHandle": "tune", "body": json.dumps(notification),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))},
                "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{pipeline.name}",
            }
        )  # fmt: skip
    return json.dumps({"Records": records}).encode()


def _invoke(room: _Room, pipeline: Pipeline, keys: Sequence[str]) -> tuple[Sample, float]:
    """One invocation, and the initialisation it had to wait for, if any."""
    before_s = cpu_s(room.watched.pid)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{pipeline.name}"
    outcome = room.environment.invoke(Invocation(str(uuid.uuid4()), _event(pipeline, keys), arn))
    used_s = max(0.0, cpu_s(room.watched.pid) - before_s)
    status = str(outcome.status)
    if status == "ok" and json.loads(outcome.payload or b"{}").get("batchItemFailures"):
        status = "files failed"
    if status == "init_error":
        last = outcome.output.strip().splitlines()[-1:] or [outcome.payload.decode(errors="replace")]
        raise HarnessError(f"the handler did not start with {room.memory_mb} MB: {last[0][:300]}")
    return Sample(outcome.duration_ms / 1000, used_s, outcome.peak_memory_mb, status), (outcome.init_ms or 0.0) / 1000


def _empty(pipeline: Pipeline, type_name: str, aws: Aws) -> None:
    """Every invocation finds the same stage table: an empty one."""
    with sql.backend(aws.endpoints, "nrt-tune") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"TRUNCATE {pipeline.types[type_name].stage_table}")
