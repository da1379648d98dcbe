"""Invocations as CloudWatch Logs tell them, in the words of Lambda's platform log."""

import json

from harness.aws_stack.invocations import Invocations, LogLine

REPORT = (
    "REPORT RequestId: r1\tDuration: 250.00 ms\tBilled Duration: 251 ms\tMemory Size: 1024 MB\tMax Memory Used: 180 MB"
)
LOADED = {"event": "file_loaded", "file": "orders/a", "message_id": "m1", "request_id": "r1", "sent_ms": 900,
          "receive_count": 2, "committed_at_s": 1.2}  # fmt: skip


def line(text: str, at_ms: int = 1_000) -> LogLine:
    return LogLine("stream-1", at_ms, text)


def test_an_invocation_is_known_when_its_report_is_there_in_whatever_portions_the_lines_come() -> None:
    reader = Invocations("st-orders")
    assert reader.take([line("START RequestId: r1 Version: $LATEST"), line("not JSON"), line(json.dumps(LOADED))]) == []
    (found,) = reader.take([line("END RequestId: r1"), line(REPORT + "\tInit Duration: 400.00 ms\t", 1_250)])
    assert (found["start_s"], found["end_s"], found["status"]) == (1.0, 1.25, "ok")
    assert (found["cold"], found["init_ms"], found["max_memory_mb"]) == (True, 400.0, 180)
    assert found["messages"] == [{"message_id": "m1", "sent_ms": 900, "receive_count": 2, "keys": ["orders/a"]}]
    assert found["batch_item_failures"] == []
    assert found["log_lines"] == [LOADED]


def test_a_failed_file_fails_its_message() -> None:
    failed = LOADED | {"event": "file_failed"}
    (found,) = Invocations("st-orders").take([line(json.dumps(failed)), line(REPORT, 1_250)])
    assert found["batch_item_failures"] == ["m1"]
    assert found["start_s"] == 1.0  # without START: the report's time less the duration


def test_a_timeout_and_a_crash_are_told_apart() -> None:
    timed_out, crashed = "\tStatus: timeout", "\tStatus: error\tError Type: Runtime.ExitError"
    found = Invocations("st-orders").take([line(REPORT + timed_out), line(REPORT + crashed)])
    assert [(one["status"], one["error_type"]) for one in found] == [
        ("timeout", "Sandbox.Timedout"), ("crash", "Runtime.ExitError"),
    ]  # fmt: skip
