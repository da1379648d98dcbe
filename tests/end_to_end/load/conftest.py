"""A real S3 API to upload to, and the load processes as the harness starts them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from generators.dataset import Column, Dataset
from generators.files import extension
from harness.load.schedule import PlannedFile, PlannedSource, write_datasets, write_schedule

COLUMNS = (
    Column("id", "bigint"),
    Column("name", "varchar(64)", faker="name"),
    Column("price", "numeric(12,2)"),
    Column("seen_at", "timestamp"),
)
DATASETS = {
    name: Dataset(name, COLUMNS, ("id",), "seen_at", file_format)
    for name, file_format in (("orders", "csv.gz"), ("stock", "csv"), ("clicks", "jsonl.gz"), ("bills", "parquet"))
}
BUCKET = "landing"
WAIT_S = 60


def planned(index: int, at_s: float, source: PlannedSource | None = None, records: int = 200) -> PlannedFile:
    dataset = list(DATASETS.values())[index % len(DATASETS)]
    name = f"{dataset.name}-{index:04d}{extension(dataset.format)}"
    return PlannedFile(index, dataset.name, f"{dataset.name}/dt=2026-01-01/{name}", at_s, records, name, source)


@dataclass
class Bench:
    """A schedule on disk, an S3 endpoint, and the processes that were started on them."""

    directory: Path
    endpoint: str
    s3: Any
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def feed(self) -> Path:
        return self.directory / "feed"

    def plan(self, files: list[PlannedFile]) -> None:
        self.feed.mkdir()
        write_schedule(self.directory / "schedule", files)
        write_datasets(self.directory / "datasets", DATASETS.values())

    def start(self, module: str, *arguments: object) -> "subprocess.Popen[str]":
        common = ["--schedule", self.directory / "schedule", "--directory", self.feed]
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, [*common, *arguments])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
        )  # fmt: skip
        self.started.append(process)
        return process

    def start_feeder(self, *arguments: object, seed: int = 1) -> "subprocess.Popen[str]":
        return self.start("harness.load.feeder", "--datasets", self.directory / "datasets", "--seed", seed, *arguments)

    def start_dispatcher(self, start_at_s: float, *arguments: object) -> "subprocess.Popen[str]":
        return self.start(
            "harness.load.dispatch", "--endpoint", self.endpoint, "--bucket", BUCKET, "--start-at", start_at_s,
            *arguments,
        )  # fmt: skip

    def objects(self) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {o["Key"]: self.s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read() for o in listed}


def events_of(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """What a process says until it ends, which must be without an error."""
    output, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, errors
    assert errors == ""
    return [json.loads(line) for line in output.splitlines()]


def next_event(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    event: dict[str, Any] = json.loads(process.stdout.readline())
    return event


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bench(tmp_path: Path, s3_endpoint: str) -> Iterator[Bench]:
    s3 = boto3.client(
        "s3", endpoint_url=s3_endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    s3.create_bucket(Bucket=BUCKET)
    made = Bench(tmp_path, s3_endpoint, s3)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()
    for key in made.objects():
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)
    s3.close()
