"""What AWS does and the embedded emulator is known not to do; each must fail here, or the gap is closed and goes."""

import platform
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import TARGET, Function

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
