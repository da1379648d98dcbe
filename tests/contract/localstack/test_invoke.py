"""What a caller of Invoke gets, in success and in every kind of failure."""

import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.localstack.conftest import Aws, Function, archive, eventually

MAKE = Callable[..., Function]
RUNTIME_API = "Using the Lambda runtime API for custom runtimes"
LIFECYCLE = "Understanding the Lambda execution environment lifecycle"
QUOTAS = "Lambda quotas"
PYTHON_HANDLER = "Define Lambda function handler in Python"
CONTEXT = "Using the Lambda context object to retrieve Python function information"
VARIABLES = "Working with Lambda environment variables"
RECORDED = "answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)"


@pytest.mark.documented(PYTHON_HANDLER)
def test_the_event_reaches_the_handler_and_its_return_value_the_caller(function: Function) -> None:
    result = function.invoke(do="echo", text="łódź", number=1.5)
    assert result.error is None
    assert result.payload == {"do": "echo", "text": "łódź", "number": 1.5}
    assert result.version == "$LATEST"


@pytest.mark.documented(CONTEXT)
def test_the_context_describes_the_invoke(function: Function) -> None:
    context = function.invoke(do="context").payload
    assert context["arn"] == function.arn
    assert context["name"] == function.name
    assert context["version"] == "$LATEST"
    assert context["memory_mb"] == "256"
    assert context["log_group"] == f"/aws/lambda/{function.name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context["log_stream"])
    assert 0 < context["remaining_ms"] <= 10_000
    assert re.fullmatch(r"[0-9a-f-]{36}", context["request_id"])


@pytest.mark.documented(VARIABLES)
def test_the_environment_has_the_reserved_variables_and_the_functions_own(make_function: MAKE) -> None:
    function = make_function(Environment={"Variables": {"COLOUR": "blue", "EMPTY": ""}})
    environment = function.invoke(do="context").payload["environment"]
    assert environment["COLOUR"] == "blue"
    assert environment["EMPTY"] == ""
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert environment["_HANDLER"] == "probe.handler"
    assert environment["LAMBDA_TASK_ROOT"] == "/var/task"
    assert environment["TZ"] == ":UTC"


@pytest.mark.documented("Visualize Lambda function invocations using AWS X-Ray")
def test_the_x_ray_header_is_in_the_environment(function: Function) -> None:
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};", function.invoke(do="context").payload["trace_id"])


@pytest.mark.documented(LIFECYCLE)
def test_an_environment_is_used_again(function: Function) -> None:
    first, second = (function.invoke(do="context").payload for _ in range(2))
    assert first["pid"] == second["pid"]
    assert (first["invokes"], second["invokes"]) == (1, 2)
    assert first["log_stream"] == second["log_stream"]


@pytest.mark.documented(LIFECYCLE)
def test_an_environment_is_frozen_between_invokes(function: Function) -> None:
    function.invoke(do="count_in_background")
    before = function.invoke(do="background").payload
    time.sleep(0.5)  # the time in which the counter would move if it could
    assert function.invoke(do="background").payload <= before + 5


@pytest.mark.documented("AWS Lambda function errors in Python")
def test_an_exception_is_an_error_with_its_type_message_and_trace(function: Function) -> None:
    result = function.invoke(do="raise", message="poison")
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "ValueError"
    assert result.payload["errorMessage"] == "poison"
    assert '/var/task/probe.py", line ' in "".join(result.payload["stackTrace"])
    assert "[ERROR] ValueError: poison" in result.log


@pytest.mark.documented(RECORDED)
def test_a_timeout_kills_the_environment(make_function: MAKE) -> None:
    function = make_function(Timeout=1)
    pid = function.invoke(do="context").payload["pid"]
    result = function.invoke(do="sleep", seconds=5)
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(r"RequestId: \S+ Error: Task timed out after 1.00 seconds", result.payload["errorMessage"])
    assert "Task timed out after 1.00 seconds" in result.log
    assert "Status: timeout" in result.log
    assert function.invoke(do="context").payload["pid"] != pid


@pytest.mark.documented(RECORDED)
@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"do": "exit", "code": 0}, "Runtime exited without providing a reason"),
        ({"do": "sys_exit", "code": 0}, "Runtime exited without providing a reason"),
        ({"do": "exit", "code": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "segfault"}, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_the_end_of_the_process_is_an_exit_error(function: Function, action: dict[str, object], reason: str) -> None:
    result = function.invoke(**action)
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(f" Error: {reason}")
    assert function.invoke(do="echo").error is None


@pytest.mark.documented("Troubleshoot execution issues in Lambda: memory")
def test_more_memory_than_configured_is_a_kill(function: Function) -> None:
    result = function.invoke(do="allocate", mb=400, seconds=2)
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert "Max Memory Used: 256 MB" in result.log


@pytest.mark.documented("Configure Lambda function memory")
def test_what_a_function_starts_uses_its_memory_too(function: Function) -> None:
    within = function.invoke(do="allocate_in_child", mb=100)
    assert within.payload == 0
    [used_mb] = re.findall(r"Max Memory Used: (\d+) MB", within.log)
    assert int(used_mb) > 100
    assert function.invoke(do="allocate_in_child", mb=400, seconds=5).payload["errorType"] == "Runtime.ExitError"


@pytest.mark.documented(PYTHON_HANDLER)
def test_a_result_that_is_not_json_is_a_marshal_error(function: Function) -> None:
    assert function.invoke(do="unserialisable").payload["errorType"] == "Runtime.MarshalError"


@pytest.mark.documented(PYTHON_HANDLER)
def test_endless_recursion_is_an_error_of_the_handler(function: Function) -> None:
    assert function.invoke(do="recurse").payload["errorType"] == "RecursionError"


@pytest.mark.documented(RECORDED)
def test_a_stack_overflow_is_a_segmentation_fault(function: Function) -> None:
    result = function.invoke(do="overflow_stack")
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Runtime exited with error: signal: segmentation fault")


@pytest.mark.documented(QUOTAS)
def test_a_response_over_6_mb_is_refused(function: Function) -> None:
    result = function.invoke(do="big", size_bytes=7 * 2**20)
    assert result.payload == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert function.invoke(do="big", size_bytes=5 * 2**20).error is None


def in_tmp(function: Function) -> list[str]:
    """What a function sees in its /tmp, but for a checkout of this project that lies there and stays reachable."""
    names: list[str] = function.invoke(do="list_tmp").payload
    return [name for name in names if Path("/tmp", name) not in Path(__file__).parents]


@pytest.mark.documented(QUOTAS)
def test_tmp_is_private_and_kept_and_limited(make_function: MAKE) -> None:
    function = make_function(Timeout=20)
    assert in_tmp(function) == []
    function.invoke(do="write_tmp", name="kept")
    assert in_tmp(function) == ["kept"]
    full = function.invoke(do="fill_tmp", mb=600)
    assert full.payload["errorType"] == "OSError"
    assert "No space left on device" in full.payload["errorMessage"]


@pytest.mark.documented("Configure ephemeral storage for Lambda functions")
@pytest.mark.parametrize("size_mb", [512, 1_536])
def test_tmp_is_as_large_as_the_ephemeral_storage(make_function: MAKE, size_mb: int) -> None:
    assert make_function(EphemeralStorage={"Size": size_mb}).invoke(do="tmp_size_mb").payload == size_mb


@pytest.mark.documented(QUOTAS)
def test_an_environment_may_open_1024_files(function: Function) -> None:
    assert function.invoke(do="open_files_max").payload == 1_024


@pytest.mark.documented("AWS Lambda execution environment: the code directory is read-only")
def test_the_code_cannot_be_written(function: Function) -> None:
    refusal = function.invoke(do="write_code").payload
    assert refusal["errorType"] == "OSError"
    assert "Read-only file system" in refusal["errorMessage"]


@pytest.mark.documented(LIFECYCLE)
def test_tmp_outlives_a_reset(function: Function) -> None:
    function.invoke(do="write_tmp", name="kept")
    function.invoke(do="exit", code=1)
    assert in_tmp(function) == ["kept"]


@pytest.mark.documented(RECORDED)
def test_an_error_while_the_module_loads_is_reported_without_request_id(make_function: MAKE) -> None:
    result = make_function("raise Exception('Runtime startup fails')").invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Exception"
    assert result.payload["errorMessage"] == "Runtime startup fails"
    assert result.payload["requestId"] == ""


@pytest.mark.documented(LIFECYCLE)
def test_a_failed_init_is_tried_again_by_the_next_invoke(make_function: MAKE, tried_before: str) -> None:
    function = make_function(
        f"{tried_before}raise Exception('first')\ndef handler(event, context):\n    return 'second'\n"
    )
    assert function.invoke().payload == "second"


@pytest.mark.documented(PYTHON_HANDLER)
def test_a_handler_that_is_not_there_is_named(make_function: MAKE) -> None:
    absent = make_function(Handler="probe.absent").invoke()
    assert absent.payload["errorType"] == "Runtime.HandlerNotFound"
    module = make_function(Handler="nowhere.handler").invoke()
    assert module.payload["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.documented(LIFECYCLE)
@pytest.mark.slow
def test_an_init_over_10_s_goes_on_within_the_invoke(make_function: MAKE) -> None:
    source = "import time\ntime.sleep(11)\ndef handler(event, context):\n    return 'late'\n"
    assert make_function(source, Timeout=20).invoke().payload == "late"
    assert make_function(source, Timeout=5).invoke().payload["errorType"] == "Sandbox.Timedout"


@pytest.mark.documented(RECORDED)
def test_a_wrapper_that_is_not_there_is_exit_status_127(make_function: MAKE) -> None:
    result = make_function(Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/idontexist.sh"}}).invoke()
    assert result.payload["errorMessage"].endswith("Runtime exited with error: exit status 127")


@pytest.mark.documented("Sending Lambda function logs to CloudWatch Logs")
def test_logs_have_start_output_end_and_report(function: Function) -> None:
    result = function.invoke(do="print", text="a line of the function")
    assert re.search(r"^START RequestId: \S{36} Version: \$LATEST\n", result.log)
    assert re.search(
        r"\nEND RequestId: \S{36}\nREPORT RequestId: \S{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n$",
        result.log,
    )
    eventually(lambda: "a line of the function\n" in function.logged())
    assert "Init Duration" not in function.invoke(do="echo").log


@pytest.mark.documented("Deploy Python Lambda functions with .zip file archives")
def test_changed_code_is_run(make_function: MAKE) -> None:
    function = make_function("def handler(event, context):\n    return 1\n")
    assert function.invoke().payload == 1

    changed = archive("def handler(event, context):\n    return 2\n")
    function.aws.functions.update_function_code(FunctionName=function.name, ZipFile=changed)
    function.wait("LastUpdateStatus", "Successful")
    assert function.invoke().payload == 2


@pytest.mark.documented("Manage Lambda function versions; Create an alias for a Lambda function")
def test_versions_stay_as_published_and_aliases_point_at_them(make_function: MAKE) -> None:
    function = make_function("import os\ndef handler(event, context):\n    return os.environ.get('STEP')\n")
    function.configure(Environment={"Variables": {"STEP": "one"}})
    version = function.aws.functions.publish_version(FunctionName=function.name)["Version"]
    function.aws.functions.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    function.configure(Environment={"Variables": {"STEP": "two"}})
    eventually(lambda: function.invoke(qualifier=version).payload == "one")
    assert function.invoke(qualifier="live").payload == "one"
    assert function.invoke(qualifier="live").version == version
    assert function.invoke().payload == "two"


@pytest.mark.documented("Configuring reserved concurrency for a function")
def test_reserved_concurrency_throttles(function: Function) -> None:
    throttled = function.aws.functions.exceptions.TooManyRequestsException
    function.aws.functions.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(throttled) as refusal:
        function.invoke(do="echo")
    assert refusal.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    function.aws.functions.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    assert function.invoke(do="echo").error is None


@pytest.mark.documented("Understanding Lambda function scaling: reserved concurrency")
def test_an_account_has_1000_and_100_of_them_stay_unreserved(function: Function) -> None:
    limits = function.aws.functions.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == 1_000
    reserve = function.aws.functions.put_function_concurrency
    with pytest.raises(function.aws.functions.exceptions.InvalidParameterValueException, match="minimum value of"):
        reserve(FunctionName=function.name, ReservedConcurrentExecutions=901)
    reserve(FunctionName=function.name, ReservedConcurrentExecutions=900)
    limits = function.aws.functions.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 100


@pytest.mark.documented("Configuring provisioned concurrency for a function")
def test_provisioned_concurrency_is_initialised_before_the_invoke(make_function: MAKE) -> None:
    function = make_function(
        "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    )
    version = function.aws.functions.publish_version(FunctionName=function.name)["Version"]
    function.wait("State", "Active", version)
    where = {"FunctionName": function.name, "Qualifier": version}
    function.aws.functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **where)
    eventually(lambda: function.aws.functions.get_provisioned_concurrency_config(**where)["Status"] == "READY")
    assert function.invoke(qualifier=version).payload == "provisioned-concurrency"


@pytest.mark.embedded_only
@pytest.mark.documented("Create a Lambda function using a container image")
def test_an_image_function_runs_the_registered_handler(make_function: MAKE) -> None:
    function = make_function(image="probe:1")
    context = function.invoke(do="context").payload
    assert context["cwd"] == "/var/task"
    assert context["environment"]["_HANDLER"] == "probe.handler"
    overridden = make_function(image="probe:1", ImageConfig={"Command": ["probe.absent"]})
    assert overridden.invoke().payload["errorType"] == "Runtime.HandlerNotFound"
    elsewhere = {"WorkingDirectory": "/usr", "EntryPoint": ["/lambda-entrypoint.sh"], "Command": ["json.loads"]}
    moved = make_function(image="probe:1", ImageConfig=elsewhere).invoke()
    assert moved.payload["errorType"] == "TypeError"  # json.loads was the handler, and took no event


@pytest.mark.embedded_only
@pytest.mark.documented("Create a Lambda function using a container image")
def test_an_unknown_image_is_refused(make_function: MAKE) -> None:
    with pytest.raises(Exception, match="Source image nowhere:1 does not exist"):
        make_function(image="nowhere:1")


@pytest.mark.documented("Types of metrics for Lambda functions")
def test_metrics_of_invokes(function: Function) -> None:
    function.invoke(do="echo")
    function.invoke(do="raise")

    def seen() -> set[str]:
        dimension = {"Name": "FunctionName", "Value": function.name}
        found = function.aws.metrics.list_metrics(Namespace="AWS/Lambda", Dimensions=[dimension])["Metrics"]
        return {metric["MetricName"] for metric in found}

    eventually(lambda: seen() >= {"Invocations", "Errors", "Duration", "ConcurrentExecutions"}, 120)


@pytest.mark.embedded_only
@pytest.mark.documented("the invocation trace is ours, not AWS's")
def test_the_trace_has_one_line_per_invoke(function: Function) -> None:
    function.invoke(do="print", text='{"event": "file_loaded"}')
    assert function.aws.directory is not None
    lines = [json.loads(line) for line in (function.aws.directory / "trace.jsonl").read_text().splitlines()]
    [line] = [line for line in lines if line["function"] == function.name]
    assert line["status"] == "ok"
    assert line["cold"] is True
    assert line["init_ms"] > 0
    assert line["log_lines"] == [{"event": "file_loaded"}]


@pytest.mark.documented("Packaging your layer content; Adding layers to functions")
def test_layers_are_below_opt_and_on_the_path_the_last_one_winning(aws: Aws, make_function: MAKE) -> None:
    versions = []
    for number in (1, 2):
        name = f"contract-{uuid.uuid4().hex[:12]}"
        content = archive(f"NUMBER = {number}\n", f"python/layered{number}.py", "python/shared.py")
        answer = aws.functions.publish_layer_version(LayerName=name, Content={"ZipFile": content})
        versions.append(answer["LayerVersionArn"])
    function = make_function(
        "import layered1, layered2, shared\n"
        "def handler(event, context):\n    return [layered1.NUMBER, layered2.NUMBER, shared.NUMBER, shared.__file__]\n",
        Layers=versions,
    )
    assert function.invoke().payload == [1, 2, 2, "/opt/python/shared.py"]
