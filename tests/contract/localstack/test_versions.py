"""A function's versions: how they start, what they log, and how they go while they are in use."""

import base64
import json
import threading
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import Aws, Function, Queue, Result, archive, eventually
from tests.contract.localstack.processes import is_alive

MAKE = Callable[..., Function]
LIFECYCLE = "Understanding the Lambda execution environment lifecycle"
LOG_FORMAT = "Configuring JSON and plain text log formats"
LOG_LEVEL = "Log-level filtering"
LEVELS = """
import logging
def handler(event, context):
    logging.getLogger().info("an info line")
    logging.getLogger().warning("a warning line")
"""
SLEEPER = """
import boto3, os, time
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["STARTED"], MessageBody="started")
    time.sleep(event["s"])
    return "finished"
"""


@pytest.mark.documented("answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)")
def test_a_function_runs_as_a_user_without_rights(make_function: MAKE) -> None:
    function = make_function(
        "import pwd, os\ndef handler(event, context):\n"
        "    can_write = [path for path in ('/', '/etc', '/usr', '/var/task') if os.access(path, os.W_OK)]\n"
        "    return [pwd.getpwuid(os.getuid()).pw_name, os.getuid() == 0, can_write]\n"
    )
    name, is_root, can_write = function.invoke().payload
    assert name.startswith("sbx_user")
    assert not is_root
    assert can_write == []


@pytest.mark.documented("Lambda quotas")
def test_an_environment_holds_1024_processes_and_threads(make_function: MAKE) -> None:
    function = make_function(
        "import threading\n"
        "def handler(event, context):\n"
        "    end = threading.Event()\n"
        "    started = []\n"
        "    try:\n"
        "        for number in range(1100):\n"
        "            thread = threading.Thread(target=end.wait)\n"
        "            thread.start()\n"
        "            started.append(thread)\n"
        "    except RuntimeError as error:\n"
        "        return [len(started), str(error)]\n"
        "    finally:\n"
        "        end.set()\n"
        "    return len(started)\n",
        MemorySize=1024,
        Timeout=60,
    )
    started, error = function.invoke().payload
    assert error == "can't start new thread"
    assert 900 < started < 1024


@pytest.mark.documented("Invoke (API reference)")
def test_the_client_context_reaches_the_function(make_function: MAKE) -> None:
    function = make_function(
        "def handler(event, context):\n    return context.client_context and context.client_context.custom\n"
    )
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    answer = function.aws.functions.invoke(FunctionName=function.name, ClientContext=context)
    assert answer["Payload"].read() == b'{"a": "b"}'
    assert function.invoke().payload is None
    with pytest.raises(function.aws.functions.exceptions.InvalidRequestContentException):
        function.aws.functions.invoke(FunctionName=function.name, ClientContext="not base64")


@pytest.mark.documented("Sending Lambda function logs to CloudWatch Logs")
def test_an_initialisation_is_logged(function: Function) -> None:
    assert "INIT_START" not in function.invoke(do="echo").log
    eventually(function.logged)
    first, second = function.logged()[:2]
    assert first.startswith("INIT_START Runtime Version: python:3.12")
    assert "\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:" in first
    assert second.startswith("START RequestId: ")


def _events(function: Function, end: str = "platform.report") -> list[dict[str, object]]:
    def events() -> list[dict[str, object]]:
        return [json.loads(line) for line in function.logged() if line.startswith("{")]

    eventually(lambda: [event for event in events() if event.get("type") == end])
    return events()


@pytest.mark.documented(LOG_FORMAT)
def test_with_the_json_format_platform_and_application_log_objects(make_function: MAKE) -> None:
    function = make_function(LEVELS, LoggingConfig={"LogFormat": "JSON"})
    function.invoke()
    events = _events(function)
    assert [event.get("type", event.get("level")) for event in events] == [
        "platform.initStart", "platform.start", "INFO", "WARNING",
        "platform.report",
    ]  # fmt: skip
    assert events[2]["message"] == "an info line"
    report = events[-1]["record"]
    assert isinstance(report, dict)
    assert report["status"] == "success"
    assert {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"} <= set(
        report["metrics"]
    )


@pytest.mark.documented(LOG_LEVEL)
def test_log_levels_filter_the_functions_and_the_platforms_lines(make_function: MAKE) -> None:
    levels = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "DEBUG"}
    function = make_function(LEVELS, LoggingConfig=levels)
    function.invoke()
    events = _events(function)
    assert [event["message"] for event in events if "message" in event] == ["a warning line"]
    assert "platform.runtimeDone" in [event.get("type") for event in events]


@pytest.mark.documented("Configuring CloudWatch log groups")
def test_logs_go_to_the_configured_log_group(make_function: MAKE, aws: Aws) -> None:
    function = make_function(LoggingConfig={"LogGroup": "/contract/shared"})
    function.invoke(do="print", text=f"from {function.name}")

    def found() -> bool:
        groups = aws.logs.describe_log_groups(logGroupNamePrefix="/contract/shared")["logGroups"]
        return bool(groups) and any(
            function.name in event["message"]
            for event in aws.logs.filter_log_events(logGroupName="/contract/shared")["events"]
        )

    eventually(found)
    assert function.logged() == []
    aws.logs.delete_log_group(logGroupName="/contract/shared")


@pytest.mark.documented("Lambda function states: updates")
@pytest.mark.parametrize("change", ["configuration", "code"])
def test_an_update_lets_what_is_in_flight_finish(
    make_function: MAKE, make_queue: Callable[..., Queue], change: str
) -> None:
    queue = make_queue()
    function = make_function(SLEEPER, Environment={"Variables": {"STARTED": queue.url}})
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(function.invoke(s=4)))
    thread.start()
    eventually(queue.receive)
    if change == "configuration":
        function.configure(Timeout=20)
    else:
        function.aws.functions.update_function_code(
            FunctionName=function.name, ZipFile=archive(SLEEPER.replace("finished", "changed"))
        )
        function.wait("LastUpdateStatus", "Successful")
        assert function.invoke(s=0).payload == "changed"
    thread.join()
    [result] = results
    assert result.error is None
    assert result.payload == "finished"


@pytest.mark.documented(LIFECYCLE)
def test_a_crash_during_initialisation_is_tried_again_within_the_invoke(make_function: MAKE, tried_before: str) -> None:
    function = make_function(
        f"{tried_before}os.kill(os.getpid(), 11)\ndef handler(event, context):\n    return 'second try'\n"
    )
    assert function.invoke().payload == "second try"


@pytest.mark.slow
@pytest.mark.documented(LIFECYCLE)
def test_provisioned_concurrency_may_initialise_for_longer_than_10_s(make_function: MAKE) -> None:
    function = make_function(
        "import time, os\nBEGAN = time.time()\ntime.sleep(22)\n"
        "def handler(event, context):\n    return time.time() - BEGAN\n",
        Timeout=5,
    )
    version = function.aws.functions.publish_version(FunctionName=function.name)["Version"]
    where = {"FunctionName": function.name, "Qualifier": version}
    eventually(lambda: function.aws.functions.get_function(**where)["Configuration"]["State"] == "Active")
    function.aws.functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **where)
    eventually(lambda: function.aws.functions.get_provisioned_concurrency_config(**where)["Status"] == "READY", 120)
    assert function.invoke(qualifier=version).payload > 22


@pytest.mark.documented("answer recorded on AWS 2026-02-17 (LocalStack test_lambda.snapshot.json, main branch)")
def test_provisioned_concurrency_that_cannot_be_initialised_fails_and_invokes_run_on_demand(
    make_function: MAKE,
) -> None:
    function = make_function(
        "import os, time\nkind = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
        "if kind == 'provisioned-concurrency':\n    time.sleep(2)\n    raise Exception('not provisioned')\n"
        "def handler(event, context):\n    return kind\n"
    )
    version = function.aws.functions.publish_version(FunctionName=function.name)["Version"]
    function.wait("State", "Active", version)
    where = {"FunctionName": function.name, "Qualifier": version}
    function.aws.functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **where)
    assert function.invoke(qualifier=version).payload == "on-demand"

    def config() -> dict[str, object]:
        found: dict[str, object] = function.aws.functions.get_provisioned_concurrency_config(**where)
        return found

    eventually(lambda: config()["Status"] != "IN_PROGRESS")
    assert {name: value for name, value in config().items() if "Concurrent" in name or "Status" in name} == {
        "RequestedProvisionedConcurrentExecutions": 1,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "Status": "FAILED",
        "StatusReason": "FUNCTION_ERROR_INIT_FAILURE",
    }
    assert function.invoke(qualifier=version).payload == "on-demand"


@pytest.mark.documented("Implement Lambda canary deployments using a weighted alias")
def test_an_alias_shares_its_invokes_by_weight(make_function: MAKE) -> None:
    function = make_function("def handler(event, context):\n    return context.function_version\n")
    functions, name = function.aws.functions, function.name
    first = functions.publish_version(FunctionName=name)["Version"]
    function.configure(Description="another")
    second = functions.publish_version(FunctionName=name)["Version"]
    for version in (first, second):
        function.wait("State", "Active", version)
    weights = {"AdditionalVersionWeights": {second: 0.5}}
    functions.create_alias(FunctionName=name, Name="canary", FunctionVersion=first, RoutingConfig=weights)
    results = [function.invoke("canary") for _ in range(40)]
    assert {result.payload for result in results} == {first, second}
    assert all(result.payload == result.version for result in results)


@pytest.mark.embedded_only
@pytest.mark.documented("Understanding the Lambda execution environment lifecycle")
def test_environments_end_with_what_they_ran(make_function: MAKE) -> None:
    function = make_function()
    before: int = function.invoke(do="context").payload["pid"]
    assert is_alive(before)
    function.configure(Description="another")
    eventually(lambda: function.invoke(do="context").payload["pid"] != before)
    eventually(lambda: not is_alive(before))
    after: int = function.invoke(do="context").payload["pid"]
    function.aws.functions.delete_function(FunctionName=function.name)
    eventually(lambda: not is_alive(after))
