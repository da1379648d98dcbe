"""MiniStack in the emulator's place: how many files a minute come through its queues and its functions.

In: a pipeline, a rate, a duration. Out: files loaded a minute, as for the pipeline itself. It is the real handler with
the packages of the harness's environment, but all else is MiniStack's own: S3, SQS, the poller, and functions from a
Zip in warm processes of its interpreter, which is the same version of Python. The Zip is empty; PYTHONPATH leads to the
handler. The warehouse is the same stand-in, without merges and probes. MiniStack has an environment of its own
(`make setup-dev`), in which it runs without Docker.
"""

import io
import json
import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil

from generators.files import encode
from generators.records import make_table
from harness.aws import Aws
from harness.bench.parts import end, warehouse_alone
from harness.errors import HarnessError, UsageError
from harness.pipeline import Pipeline
from harness.provision import ROLE_ARN, function_environment, make_tables, notify_queues, resource_name
from harness.queries import COPY_INTO
from harness.stack.processes import LOOPBACK, free_port, spawn

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 5
DRAIN_TIMEOUT_S = 300.0
LOOK_EVERY_S = 0.5
FILES_OF_A_TYPE = 4
UPLOADERS = 8


@dataclass(frozen=True)
class Loaded:
    """What came through: `loaded_per_min` counts what was loaded while files were offered."""

    files: int
    loaded: int
    loaded_per_min: float
    all_loaded_after_s: float | None

    def to_json(self) -> dict[str, Any]:
        """As it stands in the benchmark's JSON."""
        return asdict(self)


def python() -> Path:
    """The interpreter of MiniStack's environment, beside the harness's own.

    Raises:
        HarnessError: it was not set up.
    """
    found = Path(sys.prefix).parent / ".venv-ministack" / "bin" / "python"
    if not found.exists():
        raise HarnessError(f"{found} is not there: `make setup-dev` makes MiniStack's environment")
    return found


@contextmanager
def running() -> Iterator[str]:
    """MiniStack on loopback, its state in a private directory that goes with it; its URL, once it is ready.

    Raises:
        HarnessError: it was not set up, or did not start.
    """
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory(prefix="nrt-ministack-") as directory:
        environment = {
            "PATH": os.environ["PATH"], "HOME": directory, "TMPDIR": directory,
            "BIND_HOST": LOOPBACK, "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": url,
            # listeners of further services
            "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local", "DOCKER_HOST": "unix:///nowhere", "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        child = spawn(
            "MiniStack", [python(), "-m", "ministack"], Path(directory, "log"),
            environment=environment, directory=Path(directory),
        )  # fmt: skip
        try:
            child.wait_until(lambda: _answers(f"{url}/_ministack/ready"), START_TIMEOUT_S)
            yield url
        finally:
            functions = psutil.Process(child.pid).children(recursive=True) if child.is_alive() else []
            end(child, signal.SIGTERM)
            psutil.wait_procs(functions, STOP_TIMEOUT_S)  # they end when nobody writes to them any more


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _zip() -> bytes:
    """A Zip that holds nothing of use: the handler is found by PYTHONPATH."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("README", "the handler is on PYTHONPATH")
    return data.getvalue()


def _provision(pipeline: Pipeline, aws: Aws) -> None:
    """Queues, functions, mappings and notifications as the pipeline has them, with functions from a Zip."""
    make_tables(pipeline, aws)
    arns = {}
    for name in pipeline.types:
        queue, function, resource = pipeline.queue_of(name), pipeline.function_of(name), resource_name(pipeline, name)
        visibility = str(6 * function.timeout_s)
        url = aws.sqs.create_queue(QueueName=resource, Attributes={"VisibilityTimeout": visibility})["QueueUrl"]
        arns[name] = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        packages = {"PYTHONPATH": os.pathsep.join([str(pipeline.directory.resolve()), *filter(None, sys.path)])}
        runtime: Any = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        aws.functions.create_function(
            FunctionName=resource, Runtime=runtime, Role=ROLE_ARN,
            Handler=function.handler, Code={"ZipFile": _zip()}, Timeout=function.timeout_s,
            MemorySize=function.memory_mb,
            Environment={"Variables": function_environment(pipeline, name, aws) | packages},
        )  # fmt: skip
        aws.functions.get_waiter("function_active_v2").wait(FunctionName=resource, WaiterConfig={"Delay": 1})
        scaling: Any = {"MaximumConcurrency": queue.maximum_concurrency} if queue.maximum_concurrency else {}
        aws.functions.create_event_source_mapping(
            FunctionName=resource, EventSourceArn=arns[name], BatchSize=queue.batch_size, ScalingConfig=scaling,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )  # fmt: skip
    aws.s3.create_bucket(Bucket=pipeline.bucket)
    notify_queues(pipeline, aws, arns)


def _files(pipeline: Pipeline, records: int) -> list[tuple[str, bytes]]:
    """A few files of every type, by the prefix of their keys, in turns."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = []
    for index in range(FILES_OF_A_TYPE):
        for name, settings in pipeline.types.items():
            dataset = pipeline.dataset(name)
            table = make_table(dataset, seed=1, file_index=index, records=records, at=at)
            made.append((settings.prefix, encode(table, dataset.format)))
    return made


def _upload(pipeline: Pipeline, aws: Aws, offered: list[tuple[str, bytes]], rate_per_min: float) -> float:
    """Upload on schedule, whatever becomes of them; when the first one was due."""
    start_s = time.time() + 1.0
    with ThreadPoolExecutor(UPLOADERS, "ministack-upload") as threads:
        uploads = []
        for number, (prefix, body) in enumerate(offered):
            time.sleep(max(0.0, start_s + number * 60 / rate_per_min - time.time()))
            key = f"{prefix}ministack-{number:06d}"
            uploads.append(threads.submit(aws.s3.put_object, Bucket=pipeline.bucket, Key=key, Body=body))
        for upload in uploads:
            upload.result()
    return start_s


def _copies(log: Path) -> list[float]:
    """When each COPY that loaded something ended."""
    ended = []
    for line in log.read_text(encoding="utf-8").splitlines():
        query = json.loads(line)
        if COPY_INTO.match(query["sql"]) and not query["error"] and query["rows"]:
            ended.append(float(query["end_s"]))
    return sorted(ended)


def measure(pipeline: Pipeline, rate_per_min: float, duration_s: float, records: int | None = None) -> Loaded:
    """Offer files and count what the warehouse was given meanwhile.

    Raises:
        UsageError: the handler has an interpreter of its own, which MiniStack does not run.
        HarnessError: a part would not start.
    """
    if own := [name for name in pipeline.types if pipeline.function_of(name).python]:
        raise UsageError(f"types.{own[0]} has a Python of its own: MiniStack runs functions with the harness's only")
    files = int(rate_per_min * duration_s / 60)
    offered = list(islice(cycle(_files(pipeline, records or pipeline.records_per_file)), files))
    with running() as url, warehouse_alone(url) as (endpoints, _):
        aws = Aws(endpoints)
        _provision(pipeline, aws)
        start_s = _upload(pipeline, aws, offered, rate_per_min)
        deadline_s = time.monotonic() + DRAIN_TIMEOUT_S
        while len(ended := _copies(endpoints.query_log)) < files and time.monotonic() < deadline_s:
            time.sleep(LOOK_EVERY_S)
    within = sum(end_s <= start_s + duration_s for end_s in ended)
    after_s = round(ended[-1] - start_s, 1) if len(ended) >= files else None
    return Loaded(files, len(ended), round(within / duration_s * 60, 1), after_s)
