"""The platform's texts, the registered images, the trace, the metrics and the settings."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.localstack import images, outcome, settings, trace
from harness.localstack.launcher import Exit
from harness.localstack.metrics import Metric, MetricBuffer, Statistics
from harness.localstack.outcome import Invocation, Outcome, Status


def _outcome(status: Status = Status.OK, payload: bytes = b"null", **changes: object) -> Outcome:
    fields = {
        "status": status,
        "payload": payload,
        "output": "",
        "started_s": 1.0,
        "ended_s": 2.0,
        "duration_ms": 12.3456,
        "cold": False,
        "peak_memory_mb": 40,
    }
    return Outcome(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (Exit(0, None), "Runtime exited without providing a reason"),
        (Exit(3, None), "Runtime exited with error: exit status 3"),
        (Exit(None, 9), "Runtime exited with error: signal: killed"),
        (Exit(None, 11), "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_exit_reasons(ended: Exit, reason: str) -> None:
    assert outcome.exit_reason(ended) == reason


def test_images_are_found_read_anew_and_overridden(tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    with pytest.raises(images.ImageNotRegistered):
        images.look_up("a:1", file)
    file.write_text(json.dumps({"a:1": {"python": "/p/bin/python", "working_directory": "/w", "command": ["m.f"]}}))
    image = images.look_up("a:1", file)
    assert image.argv(None, None) == ("/p/bin/python", "-m", "awslambdaric", "m.f")
    assert image.argv(["/usr/bin/python3", "-X", "dev"], ["m.g"]) == ("/p/bin/python", "-X", "dev", "m.g")
    assert image.directory(None) == "/w"
    assert image.directory("/var/task/sub") == "/w/sub"
    assert image.directory("/elsewhere") == "/elsewhere"
    file.write_text(json.dumps({"a:1": {"python": "/p/bin/python"}}))
    with pytest.raises(ValueError, match="wants python and working_directory"):
        images.look_up("a:1", file)


def test_a_trace_line_names_messages_keys_failures_and_log_lines() -> None:
    notification = {"Records": [{"s3": {"object": {"key": "orders/dt%3D2026-01-01/a+b.csv"}}}]}
    record = {
        "eventSource": "aws:sqs",
        "messageId": "m",
        "body": json.dumps(notification),
        "attributes": {"SentTimestamp": "1700", "ApproximateReceiveCount": "2"},
    }
    invocation = Invocation("r", json.dumps({"Records": [record]}).encode(), "arn")
    answer = b'{"batchItemFailures": [{"itemIdentifier": "m"}]}'
    line = trace.describe("f", invocation, _outcome(payload=answer, output='text\n{"event": "x"}\n{broken\n'))
    keys = ["orders/dt=2026-01-01/a b.csv"]
    assert line["messages"] == [{"message_id": "m", "sent_ms": 1700, "receive_count": 2, "keys": keys}]
    assert line["batch_item_failures"] == ["m"]
    assert line["log_lines"] == [{"event": "x"}]
    assert line["status"] == "ok"


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'{"Records": 1}', b'{"Records": [1]}', b"\xff"])
def test_any_event_can_be_traced(payload: bytes) -> None:
    assert trace.describe("f", Invocation("r", payload, "arn"), _outcome())["messages"] == []


def test_metrics_are_published_together() -> None:
    published: list[Mapping[Metric, Statistics]] = []
    done = threading.Event()

    def publish(pending: Mapping[Metric, Statistics]) -> None:
        published.append(pending)
        done.set()

    buffer = MetricBuffer(publish, every_s=3_600)
    metric = Metric("0", "us-east-1", "AWS/Lambda", "Duration", ("FunctionName", "f"))
    for value in (3.0, 1.0, 2.0):
        buffer.add(metric, value)
    buffer.flush()
    buffer.flush()
    [only] = published
    statistics = only[metric]
    assert (statistics.count, statistics.total, statistics.least, statistics.most) == (3, 6.0, 1.0, 3.0)


def test_nothing_is_published_once_the_emulator_ends() -> None:
    published: list[Mapping[Metric, Statistics]] = []
    begun, may_end = threading.Event(), threading.Event()

    def publish(pending: Mapping[Metric, Statistics]) -> None:
        begun.set()
        may_end.wait(60)
        published.append(pending)

    buffer = MetricBuffer(publish, every_s=0)
    metric = Metric("0", "us-east-1", "AWS/Lambda", "Invocations", ("FunctionName", "f"))
    buffer.add(metric)
    assert begun.wait(60)
    closing = threading.Thread(target=buffer.close)
    closing.start()
    assert closing.is_alive()
    may_end.set()
    closing.join(60)
    assert len(published) == 1
    buffer.add(metric)
    buffer.flush()
    assert len(published) == 1


def test_settings_are_checked() -> None:
    assert settings.read({"NRT_MAX_ENVIRONMENTS": "7"}).max_environments == 7
    assert settings.read({}).max_environments >= settings.FEWEST_ENVIRONMENTS
    with pytest.raises(ValueError, match="NRT_MAX_ENVIRONMENTS: '-1'"):
        settings.read({"NRT_MAX_ENVIRONMENTS": "-1"})
    assert settings.read({"NRT_MAX_STARTS": "3"}).max_starts == 3
    assert settings.read({}).max_starts >= 4
    with pytest.raises(ValueError, match="NRT_MAX_STARTS: 'few'"):
        settings.read({"NRT_MAX_STARTS": "few"})
    assert settings.read({"NRT_CONCURRENCY_SCALING_RATE": "5"}).concurrency_scaling_rate == 5
    assert settings.read({}).concurrency_scaling_rate == 1_000
    with pytest.raises(ValueError, match="NRT_CONCURRENCY_SCALING_RATE: '0'"):
        settings.read({"NRT_CONCURRENCY_SCALING_RATE": "0"})


def test_no_more_environments_than_files_may_be_open_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _kind: (256, 1_112))
    assert settings.read({"NRT_MAX_ENVIRONMENTS": "100"}).max_environments == 100
    with pytest.raises(ValueError, match="NRT_MAX_ENVIRONMENTS: 101 need more than the 1112 open files"):
        settings.read({"NRT_MAX_ENVIRONMENTS": "101"})
    assert settings.read({}).max_environments <= 100
    monkeypatch.setattr("resource.getrlimit", lambda _kind: (256, 256))
    assert settings.read({}).max_environments == 1
