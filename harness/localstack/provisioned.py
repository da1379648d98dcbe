"""Provisioned concurrency whose initialisation fails, or is not over yet.

In: LocalStack's version manager. Out: its configuration's status, and which kind of environment an invoke gets. As
recorded on AWS (LocalStack test_lambda.snapshot.json of its main branch, test_provisioned_concurrency_init_failure):
FAILED for the reason FUNCTION_ERROR_INIT_FAILURE, and invokes on demand until environments are ready. AWS tries six
times; here it is tried once.
"""

import concurrent.futures
from collections.abc import Iterable
from typing import Any

from localstack.aws.api import ServiceException
from localstack.aws.api.lambda_ import ProvisionedConcurrencyStatusEnum
from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus
from localstack.services.lambda_.invocation.lambda_models import InitializationType, ProvisionedConcurrencyState
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.utils.threads import start_thread

FAILURE = "FUNCTION_ERROR_INIT_FAILURE"


class InitialisationFailed(Exception):
    """A provisioned environment did not become ready."""


def update(self: LambdaVersionManager, provisioned_concurrent_executions: int) -> concurrent.futures.Future[None]:
    """What LocalStack's `update_provisioned_concurrency_config` does, which calls every outcome READY."""
    wanted = provisioned_concurrent_executions
    with self.provisioned_state_lock:
        state = self.provisioned_state
        if state and state.status == ProvisionedConcurrencyStatusEnum.IN_PROGRESS:
            raise ServiceException("Updating provisioned concurrency while an update is IN_PROGRESS is not supported.")
        self.provisioned_state = state or ProvisionedConcurrencyState()

    def scale(*_args: Any, **_options: Any) -> None:
        futures = self.assignment_service.scale_provisioned_concurrency(self.id, self.function_version, wanted)
        concurrent.futures.wait(futures)
        # the first are the new environments' starts, the others the ends of those before
        failed = sum(future.exception() is not None for future in futures[:wanted])
        with self.provisioned_state_lock:
            self.provisioned_state = _state(wanted, failed) if wanted else None

    self.provisioning_thread = start_thread(scale)
    result: concurrent.futures.Future[None] = self.provisioning_thread.result_future
    return result


def _state(wanted: int, failed: int) -> ProvisionedConcurrencyState:
    status = ProvisionedConcurrencyStatusEnum.FAILED if failed else ProvisionedConcurrencyStatusEnum.READY
    return ProvisionedConcurrencyState(
        allocated=wanted - failed, available=wanted - failed, status=status, status_reason=FAILURE if failed else None
    )


def kind_for(asked: InitializationType, environments: Iterable[Any]) -> InitializationType:
    """What an invoke runs on: on demand while no provisioned environment is ready for it."""
    ready = any(one.initialization_type == asked and one.status == RuntimeStatus.READY for one in environments)
    return asked if ready else InitializationType.on_demand
