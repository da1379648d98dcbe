"""What the `process` executor and the SQS poller add to a function's own time.

In: nothing; it starts an emulator of its own. Out: a table on stdout: warm invoke overhead (API call to API answer,
less the handler's time), cold start over the bare interpreter importing the same handler, memory of idle environments,
time from a message sent to its function started, and 1,000 messages one by one; each with the limit it is to keep and
whether it did.

    python -m benchmarks.lambda_executor [--idle 100]
"""

import argparse
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from harness.stack import emulator
from harness.stack.processes import LOOPBACK, free_port

ROLE = "arn:aws:iam::000000000000:role/benchmark"
HANDLER = (
    "import time\n"
    "def handler(event, context):\n"
    "    seconds = event.get('sleep', 0.001) if isinstance(event, dict) else 0.001\n"
    "    time.sleep(seconds)\n"
)
WARM_INVOKES = 200
COLD_STARTS = 10
IDLE_MESSAGES = 30
BURST_MESSAGES = 1_000
BURST_ENVIRONMENTS = 90
WARM_LIMIT_MS, COLD_LIMIT_MS, LATENCY_LIMIT_MS, BURST_LIMIT_S, IDLE_LIMIT_MB = 10, 150, 60, 15, 60


class Bench:
    """One emulator and the clients of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        port = free_port()
        (directory / "logs").mkdir()
        self.trace = directory / "trace.jsonl"
        images = directory / "images.json"
        images.write_text("{}")
        self.emulator = emulator.start(directory / "emulator", directory / "logs", port, images, self.trace)
        emulator.wait(self.emulator, port)
        url = f"http://{LOOPBACK}:{port}"
        self.functions = self._client("lambda", url)
        self.sqs = self._client("sqs", url)

    @staticmethod
    def _client(service: str, url: str) -> Any:
        settings = Config(retries={"max_attempts": 0}, max_pool_connections=200)
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=url, region_name="us-east-1", config=settings, aws_access_key_id="test",
            aws_secret_access_key="test",
        )  # fmt: skip

    def make_function(self, name: str) -> None:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as content:
            content.writestr("code.py", HANDLER)
        self.functions.create_function(
            FunctionName=name, Role=ROLE, Runtime="python3.12", Handler="code.handler", MemorySize=512,
            Timeout=30, Code={"ZipFile": package.getvalue()},
        )  # fmt: skip
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def invoke(self, name: str, **event: float) -> float:
        """Milliseconds from call to answer."""
        began = time.perf_counter()
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        answer["Payload"].read()
        assert "FunctionError" not in answer
        return (time.perf_counter() - began) * 1000

    def traced(self, function: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.trace.read_text().splitlines()]
        return [line for line in lines if line["function"] == function]


@dataclass(frozen=True)
class Figure:
    """One row of the table: what was measured, and what may be at most, in the same unit."""

    value: float
    limit: float
    text: str

    def __str__(self) -> str:
        return f"{self.text}; limit {self.limit:g}: {'held' if self.value <= self.limit else 'MISSED'}"


def _p50(values_ms: list[float], limit_ms: float) -> Figure:
    ordered = sorted(values_ms)
    median, p90 = statistics.median(ordered), ordered[int(len(ordered) * 0.9)]
    return Figure(median, limit_ms, f"p50 {median:.1f} ms, p90 {p90:.1f} ms")


def warm_overhead(bench: Bench) -> Figure:
    bench.make_function("warm")
    bench.invoke("warm")
    took_ms = [bench.invoke("warm") for _ in range(WARM_INVOKES)]
    own_ms = [line["duration_ms"] for line in bench.traced("warm")][1:]
    return _p50([whole - own for whole, own in zip(took_ms, own_ms, strict=True)], WARM_LIMIT_MS)


def cold_start(bench: Bench) -> Figure:
    over_ms = []
    for number in range(COLD_STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import awslambdaric.bootstrap"], check=True)
        bare_ms = (time.perf_counter() - began) * 1000
        bench.make_function(f"cold-{number}")
        bench.invoke(f"cold-{number}")
        [line] = bench.traced(f"cold-{number}")
        over_ms.append(line["init_ms"] - bare_ms)
    return _p50(over_ms, COLD_LIMIT_MS)


def idle_memory(bench: Bench, count: int) -> Figure:
    emulator_process = psutil.Process(bench.emulator.pid)
    before_mb = emulator_process.memory_info().rss / 2**20
    bench.make_function("idle")
    threads = [threading.Thread(target=bench.invoke, args=("idle",), kwargs={"sleep": 5}) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    emulator_mb = emulator_process.memory_info().rss / 2**20 - before_mb
    environments = [
        child for child in emulator_process.children(recursive=True) if "code.handler" in " ".join(child.cmdline())
    ]
    own_mb = sum(child.memory_full_info().uss for child in environments) / 2**20
    each_mb, beside_mb = own_mb / len(environments), emulator_mb / count
    text = f"{len(environments)} alive: {each_mb:.1f} MB each, and {beside_mb:.1f} MB each in the emulator"
    return Figure(each_mb + beside_mb, IDLE_LIMIT_MB, text)


def _queue(bench: Bench, name: str) -> str:
    url: str = bench.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    names = ["QueueArn"]
    arn = bench.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]["QueueArn"]
    bench.make_function(name)
    bench.invoke(name)
    mapping = bench.functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=1)
    _until(lambda: bench.functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled")
    return url


def _until(question: Callable[[], bool]) -> None:
    while not question():
        time.sleep(0.01)


def idle_latency(bench: Bench) -> Figure:
    url = _queue(bench, "lonely")
    for number in range(IDLE_MESSAGES):
        bench.sqs.send_message(QueueUrl=url, MessageBody="one")
        _until(lambda wanted=number + 2: len(bench.traced("lonely")) >= wanted)  # type: ignore[misc]
    lines = bench.traced("lonely")[1:]
    return _p50([line["start_s"] * 1000 - line["messages"][0]["sent_ms"] for line in lines], LATENCY_LIMIT_MS)


def burst(bench: Bench) -> Figure:
    url = _queue(bench, "burst")
    began = time.perf_counter()
    for start in range(0, BURST_MESSAGES, 10):
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(start, start + 10)]
        bench.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    _until(lambda: len(bench.traced("burst")) > BURST_MESSAGES)
    took_s = time.perf_counter() - began
    return Figure(took_s, BURST_LIMIT_S, f"{took_s:.1f} s, sending included")


def main() -> None:
    """Run every measurement and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--idle", type=int, default=50, help="idle environments to keep (default 50)")
    options = parser.parse_args()
    # by default as many as fit the machine with handlers of the usual size, which these are not
    os.environ["NRT_MAX_ENVIRONMENTS"] = str(max(options.idle, BURST_ENVIRONMENTS) + 1)
    directory = Path(tempfile.mkdtemp(prefix="nrt-benchmark-"))
    bench = Bench(directory)
    try:
        print("warm invoke overhead:           ", warm_overhead(bench), flush=True)
        print("cold start over bare import:    ", cold_start(bench), flush=True)
        print("message sent to function start: ", idle_latency(bench), flush=True)
        print("1,000 messages, batches of one: ", burst(bench), flush=True)
        print("idle environments:              ", idle_memory(bench, options.idle), flush=True)
    finally:
        bench.emulator.end(signal.SIGTERM, grace_s=15)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
