"""What AWS does and the embedded emulator is known not to do; each must fail here, or the gap is closed and goes."""

import sys
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import TARGET, Function

MAKE = Callable[..., Function]
EMBEDDED = TARGET == "embedded"


@pytest.mark.xfail(EMBEDDED, strict=True, reason="Zip functions run in the handler's own Python, whatever Runtime says")
@pytest.mark.documented("Lambda runtimes")
def test_the_runtime_decides_the_version_of_python(make_function: MAKE) -> None:
    another = 12 if sys.version_info[:2] == (3, 13) else 13
    code = "import sys\ndef handler(event, context):\n    return list(sys.version_info[:2])\n"
    function = make_function(code, Runtime=f"python3.{another}")
    assert function.invoke().payload == [3, another]
