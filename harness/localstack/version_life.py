"""How a function's version starts, is invoked, changes and goes, where LocalStack differs from AWS.

In: nothing. Out: LocalStack's modules changed in place (see `patches`, which names everything that is replaced).
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import (
    InvalidRuntimeException,
    PackageType,
    TooManyRequestsException,
)
from localstack.services.lambda_.invocation import assignment, execution_environment, lambda_service, version_manager
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion
from localstack.services.lambda_.invocation.logs import LogItem

from harness.localstack import assignments, cloudwatch, invoke_request, provisioned, runtimes, settings
from harness.localstack.environment_rate import EnvironmentRate
from harness.localstack.in_flight import InFlight

PROVISIONED_INIT_LIMIT_S = 130.0
"""Or the function's timeout, whichever is longer (Understanding the Lambda execution environment lifecycle)."""
STARTUP_MARGIN_S = 60.0
"""What LocalStack waits beyond that, for this machine to have room for the process."""


def install() -> None:
    """Replace what differs."""
    in_flight, rate = InFlight(), EnvironmentRate(time.monotonic, settings.read().concurrency_scaling_rate)
    environment = execution_environment.ExecutionEnvironment
    environment._get_startup_timeout_seconds = lambda self: init_limit_s(self.function_version) + STARTUP_MARGIN_S
    environment.invoke = _with_client_context(environment.invoke)
    environment.get_log_group_name = _configured_log_group(environment.get_log_group_name)
    version_manager.LambdaVersionManager.store_logs = _with_init_line(version_manager.LambdaVersionManager.store_logs)
    version_manager.LambdaVersionManager.stop = _after_what_is_in_flight(
        version_manager.LambdaVersionManager.stop, in_flight
    )
    version_manager.LambdaVersionManager.update_provisioned_concurrency_config = provisioned.update
    service = lambda_service.LambdaService
    service.stop = _waiting_for_nothing(service.stop, in_flight)
    service.invoke = invoke_request.checked(service.invoke)
    get_environment = assignment.AssignmentService.get_environment
    if config.LAMBDA_RUNTIME_EXECUTOR == "process":
        get_environment = assignments.on_demand(get_environment)
    assignment.AssignmentService.get_environment = _tracked(get_environment, in_flight)
    assignment.AssignmentService.start_environment = _limited(assignment.AssignmentService.start_environment, rate)


def init_limit_s(version: FunctionVersion) -> float:
    """How long an initialisation ahead of any invoke may take."""
    return max(PROVISIONED_INIT_LIMIT_S, float(version.config.timeout))


def _with_client_context(original: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack does not hand it to its executor; an environment runs one invoke at a time."""

    def invoke(self: execution_environment.ExecutionEnvironment, invocation: Any) -> Any:
        self.runtime_executor.client_context = invoke_request.client_context(invocation.client_context)
        return original(self, invocation)

    return invoke


def _configured_log_group(original: Callable[..., str]) -> Callable[..., str]:
    """LocalStack stores LoggingConfig.LogGroup but logs to the default group all the same."""

    def get_log_group_name(self: execution_environment.ExecutionEnvironment) -> str:
        return (self.function_version.config.logging_config or {}).get("LogGroup") or original(self)

    return get_log_group_name


def _with_init_line(original: Callable[..., None]) -> Callable[..., None]:
    """INIT_START goes to the log, but is not part of the log tail an Invoke returns."""

    def store_logs(self: version_manager.LambdaVersionManager, invocation_result: Any, execution_env: Any) -> None:
        if line := execution_env.runtime_executor.take_init_line():
            group, stream = execution_env.get_log_group_name(), execution_env.get_log_stream_name()
            self.log_handler.add_logs(LogItem(group, stream, line))
        original(self, invocation_result, execution_env)

    return store_logs


def _after_what_is_in_flight(original: Callable[..., None], in_flight: InFlight) -> Callable[..., None]:
    def stop(self: version_manager.LambdaVersionManager) -> None:
        self.shutdown_event.set()
        in_flight.afterwards(self.id, lambda: original(self))

    return stop


def _waiting_for_nothing(original: Callable[..., None], in_flight: InFlight) -> Callable[..., None]:
    def stop(self: lambda_service.LambdaService) -> None:
        assignments.capacity().close()
        in_flight.close()
        original(self)

    return stop


class _Snapshot(dict[str, Any]):
    """A dictionary whose values can be walked while another thread adds one.

    AssignmentService.get_environment walks the environments of a version lazily; with concurrent cold starts it fails
    with "dictionary changed size during iteration".
    """

    def values(self) -> Any:
        return list(super().values())


def _tracked(original: Callable[..., Any], in_flight: InFlight) -> Callable[..., Any]:
    @contextlib.contextmanager
    def get_environment(
        self: assignment.AssignmentService, version_manager_id: str, function_version: Any, provisioning_type: Any
    ) -> Iterator[Any]:
        if version_manager_id not in self.environments:
            self.environments.setdefault(version_manager_id, _Snapshot())
        kind = provisioned.kind_for(provisioning_type, self.environments[version_manager_id].values())
        with (
            in_flight.one_more(version_manager_id),
            original(self, version_manager_id, function_version, kind) as environment,
        ):
            yield environment

    return get_environment


def runtime_of(version: FunctionVersion) -> runtimes.Runtime:
    """What runs a Zip function.

    Raises:
        InvalidRuntimeException: nothing here does.
    """
    configured = settings.read()
    try:
        return runtimes.look_up(version.config.runtime, configured.handler_python, configured.runtimes_file)
    except runtimes.RuntimeNotHere as error:
        raise InvalidRuntimeException(str(error), Type="User") from error


def _limited(original: Callable[..., Any], rate: EnvironmentRate) -> Callable[..., Any]:
    def start_environment(
        self: assignment.AssignmentService, version_manager_id: str, function_version: FunctionVersion
    ) -> Any:
        if function_version.config.package_type != PackageType.Image:
            runtime_of(function_version)
        if not rate.may_start(function_version.id.unqualified_arn()):
            cloudwatch.count_function(function_version.id, "Throttles")
            raise TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded", Type="User")
        return original(self, version_manager_id, function_version)

    return start_environment
