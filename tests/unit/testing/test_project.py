"""When a delivery counts as handled."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest

from harness import pipeline as pipelines
from harness.testing.project import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


@pytest.fixture
def project(trace: Path) -> Project:
    """A pipeline whose queues say that they are empty."""
    aws = mock.Mock()
    aws.sqs.get_queue_attributes.return_value = {"Attributes": {"ApproximateNumberOfMessages": "0"}}
    types = dict.fromkeys(("orders", "clicks", "payments", "inventory"), mock.Mock())
    return Project(
        pipelines.load(ROOT / "pipeline.toml"),
        cast(Any, SimpleNamespace(trace_file=trace)), aws, cast(Any, SimpleNamespace(types=types)),
    )  # fmt: skip


def _seen(trace: Path, *messages: tuple[str, str]) -> None:
    with trace.open("a") as file:
        for message_id, key in messages:
            file.write(json.dumps({"messages": [{"message_id": message_id, "keys": [key]}]}) + "\n")


def test_empty_queues_are_not_enough(project: Project, trace: Path) -> None:
    key = project.deliver("orders", "one.csv.gz", b"")
    with pytest.raises(TimeoutError, match=r"no function has seen orders/dt=2026-01-01/one\.csv\.gz"):
        project.wait_until_handled(timeout_s=0)
    _seen(trace, ("m1", key))
    project.wait_until_handled(timeout_s=0)


def test_a_file_delivered_twice_is_seen_twice(project: Project, trace: Path) -> None:
    key = project.deliver("orders", "one.csv.gz", b"")
    project.deliver("orders", "one.csv.gz", b"")
    _seen(trace, ("m1", key), ("m1", key))  # one message, received again
    with pytest.raises(TimeoutError):
        project.wait_until_handled(timeout_s=0)
    _seen(trace, ("m2", key))
    project.wait_until_handled(timeout_s=0)


def test_what_was_seen_before_does_not_count(project: Project, trace: Path) -> None:
    _seen(trace, ("m0", "orders/dt=2026-01-01/one.csv.gz"))
    later = dataclasses.replace(project, trace_at_byte=trace.stat().st_size)
    later.deliver("orders", "one.csv.gz", b"")
    with pytest.raises(TimeoutError):
        later.wait_until_handled(timeout_s=0)


def test_messages_that_are_left_are_counted(project: Project) -> None:
    project.aws.sqs.get_queue_attributes.return_value = {"Attributes": {"ApproximateNumberOfMessages": "2"}}
    with pytest.raises(TimeoutError, match=r"there are messages left: .*'orders': 2"):
        project.wait_until_handled(timeout_s=0)
