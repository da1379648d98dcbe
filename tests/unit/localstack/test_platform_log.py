"""What Lambda writes to a function's log, as text and as JSON."""

import json
from typing import Any

from harness.localstack import outcome
from harness.localstack.launcher import Exit
from harness.localstack.outcome import Initialisation, Outcome, Status
from harness.localstack.platform_log import LoggedFunction, init_text, log_text, report_line

ARN = "arn:aws:lambda:us-east-1::runtime:abc"


def _function(**changes: Any) -> LoggedFunction:
    return LoggedFunction(**({"name": "f", "version": "7", "memory_mb": 128, "runtime": "python3.12"} | changes))


def _outcome(status: Status = Status.OK, payload: bytes = b"null", **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "status": status,
        "payload": payload,
        "output": "",
        "started_s": 1.0,
        "ended_s": 2.0,
        "duration_ms": 12.3456,
        "cold": False,
        "peak_memory_mb": 40,
    }
    return Outcome(**(fields | changes))


def _kinds(text: str) -> list[str]:
    return [json.loads(line).get("type", "printed") for line in text.splitlines()]


def test_the_report_line_of_a_warm_and_of_a_cold_invoke() -> None:
    assert report_line(_outcome(), "r", 128) == (
        "REPORT RequestId: r\tDuration: 12.35 ms\tBilled Duration: 13 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 40 MB\t\n"
    )
    cold = report_line(_outcome(init_ms=100.2), "r", 128)
    assert "Billed Duration: 113 ms" in cold
    assert cold.endswith("\tInit Duration: 100.20 ms\t\n")


def test_the_report_line_of_a_failure_ends_with_its_status() -> None:
    assert report_line(_outcome(Status.TIMEOUT), "r", 128).endswith("\tStatus: timeout\n")
    crash = {"error_type": "Runtime.ExitError"}
    assert report_line(_outcome(Status.CRASH, **crash), "r", 128).endswith("\tError Type: Runtime.ExitError\n")
    killed = report_line(_outcome(Status.CRASH, over_memory=True, **crash), "r", 128)
    assert killed.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\n")
    broken = report_line(_outcome(Status.INIT_ERROR, error_type="ValueError"), "r", 128)
    assert broken.endswith("\tStatus: error\tError Type: Runtime.Unknown\n")


def test_initialisations_come_before_the_start_and_only_failures_are_reported() -> None:
    tried = (
        Initialisation(False, "first", 10_000.0, 1.0, "timeout"),
        Initialisation(True, "second\n", 12.0, 2.0, "error", "Runtime.ExitError"),
        Initialisation(True, "third\n", 13.0, 3.0),
    )
    assert log_text(_outcome(initialisations=tried, output="run\n"), "r", _function()).splitlines()[:7] == [
        "first",
        "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout",
        "second",
        "INIT_REPORT Init Duration: 12.00 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError",
        "third",
        "START RequestId: r Version: 7",
        "run",
    ]


def test_output_without_a_line_end_does_not_swallow_the_end_line() -> None:
    text = log_text(_outcome(output="no line end"), "r", _function())
    assert text.startswith("START RequestId: r Version: 7\nno line end\nEND RequestId: r\nREPORT")


def test_a_crash_is_named_in_the_log() -> None:
    crash = _outcome(Status.CRASH, outcome.exit_payload("r", Exit(None, 9)), error_type="Runtime.ExitError")
    text = log_text(crash, "r", _function())
    assert "RequestId: r Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n" in text


def test_an_initialisation_names_the_runtime() -> None:
    line = init_text(_function(runtime_arn=ARN), 0.0)
    assert line == f"INIT_START Runtime Version: python:3.12\tRuntime Version ARN: {ARN}\n"


def test_json_events_have_the_documented_fields() -> None:
    function = _function(as_json=True)
    start, printed, report = log_text(_outcome(output="hello\n", init_ms=50.0), "r", function).splitlines()
    assert json.loads(start) == {
        "time": "1970-01-01T00:00:01.000Z", "type": "platform.start", "record": {"requestId": "r", "version": "7"},
    }  # fmt: skip
    assert printed == "hello"
    assert json.loads(report)["record"] == {
        "requestId": "r",
        "metrics": {
            "durationMs": 12.346, "billedDurationMs": 63, "memorySizeMB": 128, "maxMemoryUsedMB": 40,
            "initDurationMs": 50.0,
        },
        "status": "success",
    }  # fmt: skip
    assert json.loads(init_text(function, 0.0))["record"]["runtimeVersion"] == "python:3.12"


def test_the_system_level_decides_which_events_are_logged() -> None:
    timeout = _outcome(Status.TIMEOUT)
    assert _kinds(log_text(_outcome(), "r", _function(as_json=True, system_level="WARN"))) == []
    assert _kinds(log_text(timeout, "r", _function(as_json=True, system_level="WARN"))) == [
        "platform.runtimeDone",
        "platform.report",
    ]
    assert _kinds(log_text(_outcome(), "r", _function(as_json=True, system_level="DEBUG"))) == [
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]


def test_json_initialisations_are_warnings_when_they_fail() -> None:
    failed = Initialisation(False, "loading\n", 5.0, 1.0, "error", "Runtime.Unknown")
    outcome = _outcome(
        Status.INIT_ERROR, error_type="ValueError", initialisations=(failed, Initialisation(True, "", 1.0, 2.0))
    )
    warnings = log_text(outcome, "r", _function(as_json=True, system_level="WARN"))
    assert _kinds(warnings.replace("loading\n", "")) == [
        "platform.initRuntimeDone", "platform.initReport", "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    assert json.loads(warnings.splitlines()[2])["record"] == {
        "initializationType": "on-demand", "phase": "init", "status": "error", "errorType": "Runtime.Unknown",
        "metrics": {"durationMs": 5.0},
    }  # fmt: skip
    everything = log_text(outcome, "r", _function(as_json=True, system_level="DEBUG"))
    assert everything.count("platform.initReport") == 2


def test_without_a_runtime_the_start_of_an_initialisation_is_for_debugging() -> None:
    assert init_text(_function(as_json=True, runtime=""), 0.0) == ""
    assert "initStart" in init_text(_function(as_json=True, runtime="", system_level="DEBUG"), 0.0)


def test_the_application_level_drops_what_says_it_is_below() -> None:
    lines = '{"level":"debug","n":1}\n{"level":"WARNING","n":2}\n{"n":3}\nplain\n{broken\n'
    text = log_text(_outcome(output=lines), "r", _function(as_json=True, application_level="WARN", system_level="WARN"))
    assert text.splitlines() == ['{"level":"WARNING","n":2}', '{"n":3}', "plain", "{broken"]
