"""Whether an invoke that has waited too long for the machine is made all the same."""

import subprocess

import pytest

from harness.stack.emulator import emulator_python

# LocalStack's service stands aside: how long it takes to make an environment cannot be asked for from outside.
SCRIPT = """
import time
from types import SimpleNamespace
from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus
from localstack.services.lambda_.invocation.lambda_models import InitializationType
from harness.localstack import assignments

class Environment:
    id, initialization_type, status = "e", InitializationType.on_demand, RuntimeStatus.READY
    def __init__(self):
        self.runtime_executor = SimpleNamespace(is_warm=True, admission=None)
    def reserve(self):
        self.status = RuntimeStatus.INVOKING
    def release(self):
        self.status = RuntimeStatus.READY

one = Environment()
get_environment = assignments.on_demand(None)

def invoke(until_s):
    assignments.WAITS_UNTIL_S.set(until_s)
    service = SimpleNamespace(environments={"v": {"e": one}})
    try:
        with get_environment(service, "v", None, InitializationType.on_demand):
            return "made"
    except TooManyRequestsException:
        return "throttled"

print(invoke(time.monotonic() + 600), invoke(time.monotonic()), one.status.name)
"""


@pytest.mark.embedded_only
def test_an_invoke_whose_environment_comes_too_late_is_throttled_and_leaves_it_to_others() -> None:
    said = subprocess.run([emulator_python(), "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert said.stdout.split() == ["made", "throttled", "READY"], said.stderr
