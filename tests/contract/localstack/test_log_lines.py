"""What the platform writes to a function's log when an initialisation or an invoke fails."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.localstack.conftest import Function, eventually

MAKE = Callable[..., Function]
LIFECYCLE = "Understanding the Lambda execution environment lifecycle"
MEMORY = "Troubleshoot execution issues in Lambda: memory"
LOG_LEVEL = "Log-level filtering"
RECORDED = "answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)"
BROKEN = "print('loading')\nraise ValueError('broken')"


def _lines(function: Function) -> list[str]:
    """The whole log of one invoke, when it is all there."""
    eventually(lambda: any(line.startswith("REPORT") for line in function.logged()))
    return function.logged()


@pytest.mark.documented(RECORDED)
def test_a_report_without_a_status_ends_with_a_tab(function: Function) -> None:
    function.invoke(do="echo")
    assert _lines(function)[-1].endswith(" ms\t\n")


@pytest.mark.documented(MEMORY)
def test_a_report_names_a_lack_of_memory(function: Function) -> None:
    function.invoke(do="allocate", mb=400, seconds=2)
    assert _lines(function)[-1].endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\n")


@pytest.mark.documented("Sending Lambda function logs to CloudWatch Logs")
def test_what_is_printed_while_the_module_loads_comes_before_start(make_function: MAKE) -> None:
    function = make_function("print('loading')\ndef handler(event, context):\n    print('running')\n")
    function.invoke()
    kinds = [line.split()[0] for line in _lines(function)]
    assert kinds == ["INIT_START", "loading", "START", "running", "END", "REPORT"]


@pytest.mark.documented(LIFECYCLE)
def test_a_failed_initialisation_is_reported_for_each_try(make_function: MAKE) -> None:
    function = make_function(BROKEN)
    function.invoke()
    lines = _lines(function)
    reports = [line for line in lines if line.startswith("INIT_REPORT")]
    error = "Status: error\tError Type: Runtime.Unknown\n"
    assert [re.sub(r"[\d.]+ ms", "N ms", line) for line in reports] == [
        f"INIT_REPORT Init Duration: N ms\tPhase: init\t{error}",
        f"INIT_REPORT Init Duration: N ms\tPhase: invoke\t{error}",
    ]
    assert lines.count("loading\n") == 2
    assert lines.index(reports[-1]) < [line.split()[0] for line in lines].index("START")
    assert lines[-1].endswith(f"\t{error}")


@pytest.mark.documented(LIFECYCLE)
def test_a_second_try_that_succeeds_has_no_report_of_its_own(make_function: MAKE, tried_before: str) -> None:
    function = make_function(f"{tried_before}os._exit(3)\ndef handler(event, context):\n    return 1\n")
    assert function.invoke().payload == 1
    lines = _lines(function)
    [report] = [line for line in lines if line.startswith("INIT_REPORT")]
    assert report.endswith(" ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n")
    assert "Init Duration" not in lines[-1]


@pytest.mark.documented(LIFECYCLE)
@pytest.mark.slow
def test_an_initialisation_over_10_s_is_reported_as_timed_out(make_function: MAKE) -> None:
    source = "import time\ntime.sleep(11)\ndef handler(event, context):\n    return 'late'\n"
    function = make_function(source, Timeout=30)
    assert function.invoke().payload == "late"
    [report] = [line for line in _lines(function) if line.startswith("INIT_REPORT")]
    assert re.fullmatch(r"INIT_REPORT Init Duration: (9|10)\d{3}\.\d\d ms\tPhase: init\tStatus: timeout\n", report)


def _initialisations(function: Function) -> list[dict[str, Any]]:
    eventually(lambda: any('"platform.report"' in line for line in function.logged()))
    events = [json.loads(line) for line in function.logged() if line.startswith('{"time"')]
    return [event for event in events if event["type"].startswith("platform.init")]


@pytest.mark.documented(LOG_LEVEL)
@pytest.mark.parametrize(
    ("level", "source", "expected"),
    [
        pytest.param("INFO", "def handler(event, context):\n    return 1", ["initStart"], id="INFO, success"),
        pytest.param(
            "DEBUG",
            "def handler(event, context):\n    return 1",
            ["initStart", "initRuntimeDone", "initReport"],
            id="DEBUG, success",
        ),
        pytest.param("WARN", BROKEN, ["initRuntimeDone", "initReport"] * 2, id="WARN, failure"),
    ],
)
def test_json_events_of_initialisations_have_their_levels(
    make_function: MAKE, level: str, source: str, expected: list[str]
) -> None:
    function = make_function(source, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level})
    function.invoke()
    events = _initialisations(function)
    assert [event["type"].removeprefix("platform.") for event in events] == expected
    for event in events:
        if event["type"] == "platform.initReport":
            assert event["record"]["initializationType"] == "on-demand"
            assert event["record"]["metrics"]["durationMs"] > 0
            assert event["record"].get("errorType") == ("Runtime.Unknown" if level == "WARN" else None)
