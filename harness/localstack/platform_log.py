"""What Lambda itself writes to a function's log: INIT_START, INIT_REPORT, START, END and REPORT, as text or as JSON.

In: an invoke's outcome, and the function's LoggingConfig. Out: the lines of one invoke. Pure; knows no LocalStack.
Sources: "Sending Lambda function logs to CloudWatch Logs" (text; the end of a REPORT line as recorded on AWS
2025-11-24, LocalStack test_lambda.snapshot.json), "Understanding the Lambda execution environment lifecycle"
(INIT_REPORT),
"Configuring JSON and plain text log formats" and "Log-level filtering" (JSON: which event has which level), "Lambda
Telemetry API Event schema reference" (its fields).
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.localstack.outcome import Initialisation, Outcome, Status, platform_error_type

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass(frozen=True)
class LoggedFunction:
    """What the platform's lines say of a function, and how its LoggingConfig wants them."""

    name: str
    version: str
    memory_mb: int
    runtime: str = ""
    """Identifier such as `python3.12`; empty for images."""
    runtime_arn: str = ""
    as_json: bool = False
    system_level: str = "INFO"
    application_level: str = "INFO"
    initialization_type: str = "on-demand"
    """Or `provisioned-concurrency`."""


def init_text(function: LoggedFunction, at_s: float) -> str:
    """The line an initialisation begins with."""
    language = function.runtime.rstrip("0123456789.")
    version = f"{language}:{function.runtime.removeprefix(language)}" if function.runtime else ""
    if not function.as_json:
        if not version:
            return "INIT_START Runtime Version: \tRuntime Version ARN: \n"
        return f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {function.runtime_arn}\n"
    record = {
        "initializationType": function.initialization_type,
        "phase": "init",
        "runtimeVersion": version,
        "runtimeVersionArn": function.runtime_arn,
        "functionName": function.name,
        "functionVersion": function.version,
    }
    return _event(function, "INFO" if version else "DEBUG", "platform.initStart", at_s, record)


def log_text(outcome: Outcome, request_id: str, function: LoggedFunction) -> str:
    """Everything CloudWatch Logs gets for one invoke, line by line."""
    if function.as_json:
        return _json_text(outcome, request_id, function)
    lines = []
    for initialisation in outcome.initialisations:
        lines += [_whole_lines(initialisation.output), init_report_line(initialisation)]
    lines += [f"START RequestId: {request_id} Version: {function.version}\n", _whole_lines(outcome.output)]
    if outcome.status is Status.TIMEOUT:
        lines.append(f"RequestId: {request_id} Error: Task timed out after {outcome.duration_ms / 1000:.2f} seconds\n")
    elif outcome.status is Status.CRASH:
        lines.append(json.loads(outcome.payload)["errorMessage"] + f"\n{outcome.error_type}\n")
    lines += [f"END RequestId: {request_id}\n", report_line(outcome, request_id, function.memory_mb)]
    return "".join(lines)


def _whole_lines(output: str) -> str:
    return output if not output or output.endswith("\n") else output + "\n"


def init_report_line(initialisation: Initialisation) -> str:
    """The INIT_REPORT line of an initialisation that failed; one that succeeded has none."""
    if initialisation.status == "success":
        return ""
    parts = [
        f"INIT_REPORT Init Duration: {initialisation.duration_ms:.2f} ms",
        f"Phase: {_phase(initialisation)}",
        f"Status: {initialisation.status}",
    ]
    if initialisation.error_type:
        parts.append(f"Error Type: {initialisation.error_type}")
    return "\t".join(parts) + "\n"


def _phase(initialisation: Initialisation) -> str:
    return "invoke" if initialisation.in_invoke else "init"


def report_line(outcome: Outcome, request_id: str, memory_mb: int) -> str:
    """The REPORT line. Since August 2025 the init phase is billed for every kind of function (AWS: Lambda pricing)."""
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Billed Duration: {_billed_ms(outcome)} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {outcome.peak_memory_mb} MB",
    ]
    if outcome.init_ms is not None:
        parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
    if outcome.status is Status.TIMEOUT:
        parts.append("Status: timeout")
    elif outcome.status in (Status.CRASH, Status.INIT_ERROR):
        parts += ["Status: error", f"Error Type: {_reported_error(outcome)}"]
    else:
        parts.append("")  # each field ends with a tab, but for a status
    return "\t".join(parts) + "\n"


def _reported_error(outcome: Outcome) -> str:
    """Of a kill for memory the caller is told Runtime.ExitError, and the log Runtime.OutOfMemory."""
    return "Runtime.OutOfMemory" if outcome.over_memory else platform_error_type(outcome.error_type)


def _billed_ms(outcome: Outcome) -> int:
    return math.ceil(outcome.duration_ms + (outcome.init_ms or 0.0))


def _json_text(outcome: Outcome, request_id: str, function: LoggedFunction) -> str:
    status: dict[str, Any] = {"status": {Status.OK: "success", Status.TIMEOUT: "timeout"}.get(outcome.status, "error")}
    if status["status"] == "error":
        status["errorType"] = _reported_error(outcome) if outcome.status is not Status.ERROR else outcome.error_type
    metrics = {
        "durationMs": round(outcome.duration_ms, 3),
        "billedDurationMs": _billed_ms(outcome),
        "memorySizeMB": function.memory_mb,
        "maxMemoryUsedMB": outcome.peak_memory_mb,
    }
    if outcome.init_ms is not None:
        metrics["initDurationMs"] = round(outcome.init_ms, 3)
    succeeded = outcome.status is Status.OK
    done = {"requestId": request_id, **status, "metrics": {"durationMs": round(outcome.duration_ms, 3)}}
    return "".join(
        [
            *(_json_initialisation(initialisation, function) for initialisation in outcome.initialisations),
            _event(
                function, "INFO", "platform.start", outcome.started_s,
                {"requestId": request_id, "version": function.version},
            ),
            *_printed(outcome.output, function),
            _event(function, "DEBUG" if succeeded else "WARN", "platform.runtimeDone", outcome.ended_s, done),
            _event(
                function, "INFO" if succeeded else "WARN", "platform.report", outcome.ended_s,
                {"requestId": request_id, "metrics": metrics, **status},
            ),
        ]
    )  # fmt: skip


def _json_initialisation(initialisation: Initialisation, function: LoggedFunction) -> str:
    level = "DEBUG" if initialisation.status == "success" else "WARN"
    done: dict[str, Any] = {
        "initializationType": function.initialization_type,
        "phase": _phase(initialisation),
        "status": initialisation.status,
    }
    if initialisation.error_type:
        done["errorType"] = initialisation.error_type
    report = done | {"metrics": {"durationMs": round(initialisation.duration_ms, 3)}}
    return "".join(
        [
            *_printed(initialisation.output, function),
            _event(function, level, "platform.initRuntimeDone", initialisation.ended_s, done),
            _event(function, level, "platform.initReport", initialisation.ended_s, report),
        ]
    )


def _printed(output: str, function: LoggedFunction) -> list[str]:
    lines = _whole_lines(output).splitlines(keepends=True)
    return [line for line in lines if _is_wanted(line, function.application_level)]


def _event(function: LoggedFunction, level: str, kind: str, at_s: float, record: dict[str, Any]) -> str:
    """One system log event; nothing if it is below the function's SystemLogLevel."""
    if LEVELS.index(level) < LEVELS.index(function.system_level):
        return ""
    time = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return json.dumps({"time": time, "type": kind, "record": record}, separators=(",", ":")) + "\n"


def _is_wanted(line: str, least: str) -> bool:
    """Whether a line is at or above ApplicationLogLevel; only a JSON object that names its level can be below."""
    if not line.startswith("{"):
        return True
    try:
        level = json.loads(line).get("level")
    except ValueError:
        return True
    name = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(str(level).upper(), str(level).upper())
    return name not in LEVELS or LEVELS.index(name) >= LEVELS.index(least)
