"""What AWS does and the embedded emulator is known not to do; each must fail here, or the gap is closed and goes."""

from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import TARGET, Function, eventually

MAKE = Callable[..., Function]
EMBEDDED = TARGET == "embedded"


@pytest.mark.xfail(EMBEDDED, strict=True, reason="functions run as the emulator's user")
@pytest.mark.documented("answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)")
def test_a_function_runs_as_a_user_without_rights(make_function: MAKE) -> None:
    function = make_function("import pwd, os\ndef handler(event, context):\n    return pwd.getpwuid(os.getuid())[0]\n")
    assert function.invoke().payload.startswith("sbx_user")


@pytest.mark.xfail(EMBEDDED, strict=True, reason="Zip functions run in the handler's own Python, whatever Runtime says")
@pytest.mark.documented("Lambda runtimes")
def test_the_runtime_decides_the_version_of_python(make_function: MAKE) -> None:
    function = make_function(
        "import sys\ndef handler(event, context):\n    return list(sys.version_info[:2])\n", Runtime="python3.13"
    )
    assert function.invoke().payload == [3, 13]


@pytest.mark.xfail(EMBEDDED, strict=True, reason="platform lines are text only, and there is no INIT_START")
@pytest.mark.documented("Sending Lambda function logs to CloudWatch Logs")
def test_an_initialisation_is_logged(function: Function) -> None:
    function.invoke(do="echo")
    eventually(function.logged)
    assert any(line.startswith("INIT_START Runtime Version: python:3.12") for line in function.logged())


@pytest.mark.xfail(EMBEDDED, strict=True, reason="LocalStack does not hand the client context to its executor")
@pytest.mark.documented("Invoke (API reference)")
def test_the_client_context_reaches_the_function(make_function: MAKE) -> None:
    source = "def handler(event, context):\n    return context.client_context and context.client_context.custom\n"
    function = make_function(source)
    answer = function.aws.functions.invoke(FunctionName=function.name, ClientContext="eyJjdXN0b20iOiB7ImEiOiAiYiJ9fQ==")
    assert answer["Payload"].read() == b'{"a": "b"}'
