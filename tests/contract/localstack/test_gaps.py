"""What AWS does and the embedded emulator is known not to do; each must fail here, or the gap is closed and goes."""

import platform
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import TARGET, Function, eventually
from tests.contract.localstack.event_source.conftest import Make, emptied

MAKE = Callable[..., Function]
EMBEDDED = TARGET == "embedded"


@pytest.mark.xfail(
    EMBEDDED, strict=True, reason="functions run on this machine's own processor, whatever Architectures says"
)
@pytest.mark.documented("Selecting and configuring an instruction set architecture for your Lambda function")
def test_the_architecture_decides_the_processor(make_function: MAKE) -> None:
    architecture, machine = ("x86_64", "x86_64") if platform.machine() == "aarch64" else ("arm64", "aarch64")
    code = "import platform\ndef handler(event, context):\n    return platform.machine()\n"
    assert make_function(code, Architectures=[architecture]).invoke().payload == machine


@pytest.mark.xfail(EMBEDDED, strict=True, reason="functions see this machine's libraries, not Amazon Linux")
@pytest.mark.documented("Lambda runtimes")
def test_a_function_sees_amazon_linux(make_function: MAKE) -> None:
    code = "def handler(event, context):\n    return open('/etc/os-release').read()\n"
    assert "Amazon Linux" in make_function(code).invoke().payload


@pytest.mark.xfail(EMBEDDED, strict=True, reason="a function that sends to its own queue is invoked for ever")
@pytest.mark.documented("Use Lambda recursive loop detection to prevent infinite loops")
def test_a_recursive_loop_is_stopped(make_function: MAKE, make_queue: Make, make_mapping: Make) -> None:
    queue = make_queue()
    function = make_function(
        "import boto3, os\nSQS = boto3.client('sqs')\n"
        "def handler(event, context):\n"
        "    number = int(event['Records'][0]['body']) + 1\n"
        "    if number < 30:\n"
        "        SQS.send_message(QueueUrl=os.environ['OWN'], MessageBody=str(number))\n"
        "    print(f'loop {number}')\n",
        Environment={"Variables": {"OWN": queue.url}},
    )
    make_mapping(queue, function)
    queue.send("0")
    eventually(lambda: any(line in function.logged() for line in ("loop 16\n", "loop 30\n")))
    emptied(queue)
    assert "loop 30\n" not in function.logged()
