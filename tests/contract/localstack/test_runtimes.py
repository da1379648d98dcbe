"""What runs a function: its runtime, and what the runtime finds around it."""

import json
import sys
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import HANDLERS, TARGET, Aws, Function, other_pythons

MAKE = Callable[..., Function]
VERSION = "import sys\ndef handler(event, context):\n    return list(sys.version_info[:2])\n"
LIMITS = """
import resource
def handler(event, context):
    return {name: list(resource.getrlimit(getattr(resource, name))) for name in dir(resource) if name[:7] == "RLIMIT_"}
"""
RECORDED = "answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)"


@pytest.mark.documented("Lambda runtimes")
def test_the_runtime_decides_the_version_of_python(make_function: MAKE) -> None:
    here = other_pythons() if TARGET == "embedded" else {"python3.12": "", "python3.13": ""}
    if not here:
        pytest.skip("this machine has one Python only")
    # all of them: an emulator that runs everything with one Python is right about that one
    found = {runtime: make_function(VERSION, Runtime=runtime).invoke().payload for runtime in here}
    assert found == {runtime: [3, int(runtime.partition(".")[2])] for runtime in here}


@pytest.mark.embedded_only
@pytest.mark.documented("Lambda runtimes")
def test_a_runtime_that_is_registered_runs_and_one_that_is_not_is_refused(make_function: MAKE, aws: Aws) -> None:
    assert make_function(VERSION, Runtime="ruby3.4").invoke().payload == list(sys.version_info[:2])
    with pytest.raises(aws.functions.exceptions.InvalidRuntimeException, match="java21 cannot be run here"):
        make_function(VERSION, Runtime="java21").invoke()


@pytest.mark.documented("Building a custom runtime for AWS Lambda")
def test_a_custom_runtime_is_the_packages_bootstrap(make_function: MAKE) -> None:
    bootstrap = f"#!{sys.executable}\n" + (HANDLERS / "minimal_client.py").read_text()
    files = {"bootstrap": bootstrap, "probe.py": "def handler(event, context):\n    return event['number'] + 1\n"}
    function = make_function(files=files, Runtime="provided.al2023")
    assert function.invoke(number=1).payload == 2
    assert function.invoke(number=2).payload == 3


@pytest.mark.documented(RECORDED)
def test_the_limits_of_a_process(make_function: MAKE) -> None:
    limits = make_function(LIMITS, MemorySize=128).invoke().payload
    assert limits["RLIMIT_NOFILE"] == [1_024, 1_024]
    assert limits["RLIMIT_NPROC"] == [742, 742]
    assert limits["RLIMIT_CORE"] == [10_737_418_240, 10_737_418_240]
    assert limits["RLIMIT_MEMLOCK"] == [65_536, 65_536]
    assert limits["RLIMIT_STACK"] == [8_388_608, -1]
    assert {json.dumps(limits[f"RLIMIT_{kind}"]) for kind in ("AS", "CPU", "DATA", "FSIZE", "RSS")} == {"[-1, -1]"}
