"""One JSON line per invocation, for whoever accounts for a run afterwards (NRT_TRACE_FILE).

In: an invocation and its outcome. Out: lines appended to one file by one writer, flushed each. Knows SQS events and S3
notifications well enough to name the messages and keys; knows nothing of LocalStack.
"""

import json
import threading
import urllib.parse
from pathlib import Path
from typing import Any

from harness.localstack.outcome import Invocation, Outcome


class TraceFile:
    """An append-only file of invocations."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def record(self, function: str, invocation: Invocation, outcome: Outcome) -> None:
        """Append one invocation."""
        self.append(describe(function, invocation, outcome))

    def append(self, described: dict[str, Any]) -> None:
        """Append what `describe` made, here or elsewhere."""
        line = json.dumps(described, separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()


def describe(function: str, invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    """The line's content."""
    return {
        "function": function,
        "request_id": invocation.request_id,
        "environment_id": outcome.environment_id,
        "cold": outcome.cold,
        "start_s": outcome.started_s,
        "end_s": outcome.ended_s,
        "status": str(outcome.status),
        "error_type": outcome.error_type,
        "init_ms": outcome.init_ms,
        "duration_ms": outcome.duration_ms,
        "max_memory_mb": outcome.peak_memory_mb,
        "host_wait_ms": outcome.host_wait_ms,
        "messages": _messages(invocation.payload),
        "batch_item_failures": _failures(outcome.payload),
        "log_lines": _json_lines(outcome.printed),
    }


def _messages(payload: bytes) -> list[dict[str, Any]]:
    event = _loads(payload)
    records = event.get("Records") if isinstance(event, dict) else None
    found = []
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and record.get("eventSource") == "aws:sqs":
            attributes = record.get("attributes", {})
            found.append(
                {
                    "message_id": record["messageId"],
                    "sent_ms": int(attributes.get("SentTimestamp", 0)),
                    "receive_count": int(attributes.get("ApproximateReceiveCount", 0)),
                    "keys": _keys(record.get("body", "")),
                }
            )
    return found


def _keys(body: str) -> list[str]:
    notification = _loads(body)
    records = notification.get("Records") if isinstance(notification, dict) else None
    keys = []
    for record in records if isinstance(records, list) else ():
        key = record.get("s3", {}).get("object", {}).get("key") if isinstance(record, dict) else None
        if isinstance(key, str):
            keys.append(urllib.parse.unquote_plus(key))
    return keys


def _failures(payload: bytes) -> list[str]:
    answer = _loads(payload) if b"batchItemFailures" in payload else None
    items = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    found = [item.get("itemIdentifier") for item in items or () if isinstance(item, dict)]
    return [identifier for identifier in found if isinstance(identifier, str)]


def _json_lines(output: str) -> list[dict[str, Any]]:
    found = []
    for line in output.splitlines():
        content = _loads(line) if line.startswith("{") else None
        if isinstance(content, dict):
            found.append(content)
    return found


def _loads(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
