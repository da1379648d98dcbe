"""Invocations of functions on AWS, read from CloudWatch Logs: what the executor's trace is on the other stacks.

In: what Lambda's platform and the handler logged. Out: the ledger's `invocation` events. Lambda writes START, END and
REPORT ("Understanding the REPORT line", AWS Lambda Developer Guide: Duration, Init Duration, Max Memory Used, Status,
Error Type); the handler names the messages and files in lines of its own. Logs arrive some seconds after the fact.
"""

import json
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.aws import Aws
from harness.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LOOK_EVERY_S = 2.0
# Events can become readable later than younger ones of other streams: each look reads so far back.
OVERLAP_MS = 60_000
_PLATFORM = re.compile(r"^(START|REPORT) RequestId: (\S+)")
_FIELD = re.compile(r"\t(Duration|Init Duration|Max Memory Used|Status|Error Type): ([^\t\n]+)")
_STATUS = {"timeout": "timeout", "error": "crash", "failure": "error"}


@dataclass(frozen=True)
class LogLine:
    """One event of a log group."""

    stream: str
    at_ms: int
    text: str


@dataclass
class _Unfinished:
    started_ms: int | None = None
    said: list[dict[str, Any]] = field(default_factory=list)


class Invocations:
    """Makes invocations of a function's log lines, in whatever portions they come."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._unfinished: dict[str, _Unfinished] = {}

    def take(self, lines: Iterable[LogLine]) -> list[dict[str, Any]]:
        """The fields of the `invocation` events that these lines complete."""
        found = []
        for line in lines:
            if platform := _PLATFORM.match(line.text):
                kind, request_id = platform.groups()
                if kind == "START":
                    self._of(request_id).started_ms = line.at_ms
                else:
                    found.append(self._finished(request_id, line))
            elif (said := _json(line.text)) and (request_id := said.get("request_id")):
                self._of(request_id).said.append(said)
        return found

    def _of(self, request_id: str) -> _Unfinished:
        return self._unfinished.setdefault(request_id, _Unfinished())

    def _finished(self, request_id: str, report: LogLine) -> dict[str, Any]:
        values = dict(_FIELD.findall(report.text))
        begun = self._unfinished.pop(request_id, _Unfinished())
        duration_ms = float(values["Duration"].split()[0])
        start_s = (report.at_ms - duration_ms if begun.started_ms is None else begun.started_ms) / 1000
        init = values.get("Init Duration")
        status = _STATUS.get(values.get("Status", ""), "ok")
        return {
            "function": self._function,
            "request_id": request_id,
            "environment_id": report.stream,
            "cold": init is not None,
            "start_s": start_s,
            "end_s": start_s + duration_ms / 1000,
            "status": status,
            "error_type": values.get("Error Type") or ("Sandbox.Timedout" if status == "timeout" else None),
            "init_ms": float(init.split()[0]) if init else None,
            "duration_ms": duration_ms,
            "max_memory_mb": int(values.get("Max Memory Used", "0").split()[0]),
            "host_wait_ms": 0.0,
            "messages": _messages(begun.said),
            "batch_item_failures": sorted(
                {said["message_id"] for said in begun.said if said.get("event") in ("file_failed", "message_failed")}
            ),
            "log_lines": begun.said,
        }


def _messages(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that the handler spoke of; one that it never came to is not known here."""
    messages: dict[str, dict[str, Any]] = {}
    for line in said:
        if "message_id" not in line:
            continue
        message = messages.setdefault(
            line["message_id"],
            {
                "message_id": line["message_id"],
                "sent_ms": line.get("sent_ms"),
                "receive_count": line.get("receive_count", 0),
                "keys": [],
            },
        )
        if "file" in line:
            message["keys"].append(line["file"])
    return list(messages.values())


def _json(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def keep_reading(aws: Aws, functions: Iterable[str], ledger: Ledger, stop: threading.Event) -> None:
    """Append every invocation from now on to the ledger, until `stop`; reads once more before it returns."""
    began_ms = int(time.time() * 1000)
    readers = [_Reader(aws.logs, f"/aws/lambda/{name}", Invocations(name), began_ms) for name in functions]
    stopping = False
    while not stopping:
        stopping = stop.wait(LOOK_EVERY_S)
        for reader in readers:
            for invocation in reader.look():
                ledger.append("invocation", **invocation)


@dataclass
class _Reader:
    logs: "CloudWatchLogsClient"
    group: str
    invocations: Invocations
    from_ms: int
    _seen: set[str] = field(default_factory=set)

    def look(self) -> list[dict[str, Any]]:
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group, startTime=self.from_ms)
        events = [event for page in pages for event in page["events"] if event["eventId"] not in self._seen]
        self._seen.update(event["eventId"] for event in events)
        if events:
            self.from_ms = max(self.from_ms, max(event["timestamp"] for event in events) - OVERLAP_MS)
        return self.invocations.take(
            LogLine(event["logStreamName"], event["timestamp"], event["message"].rstrip("\n")) for event in events
        )
