"""LocalStack's Lambda runtime executor `process`: functions as local processes, without Docker.

In: LocalStack's calls for one execution environment (start, invoke, stop). Out: an `InvocationResult` with payload and
log text. It only translates: what an environment does is in `environment`, what an image is in `images`.
"""

import logging
import os
import resource
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import LogFormat, PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from harness.localstack import assignments, cloudwatch, images, layers, programs, provisioned, settings, version_life
from harness.localstack.capacity import AT_ONCE
from harness.localstack.concurrency import Concurrency
from harness.localstack.environment import Environment
from harness.localstack.launcher import Launcher
from harness.localstack.outcome import Invocation, Outcome
from harness.localstack.platform_log import LoggedFunction, init_text, log_text
from harness.localstack.trace import TraceFile

LOG = logging.getLogger(__name__)


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """The plugin LocalStack loads when LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *_args: Any, **_kwargs: Any) -> type[RuntimeExecutor]:
        """The executor's class."""
        return ProcessRuntimeExecutor


class _Shared:
    """What all environments of one emulator share."""

    def __init__(self) -> None:
        self.settings = settings.read()
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # before the launcher starts, which holds some as well
        self.launcher = Launcher()
        self.capacity = assignments.capacity()
        self.concurrency = Concurrency()
        self.trace = TraceFile(self.settings.trace_file) if self.settings.trace_file else None
        self.has_rooms = self.settings.private_tmp and self.launcher.has_rooms()
        if not self.has_rooms:
            LOG.warning("functions share this machine's /tmp and have no /var/task: mounting is not permitted here")


@cache
def shared() -> _Shared:
    """Made when the first function is prepared."""
    return _Shared()


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment as LocalStack sees it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002
        super().__init__(id=id, function_version=function_version)
        self._environment: Environment | None = None
        self._tmp: Path | None = None
        self._logged = logged(function_version)
        self._last_log = ""
        self._init_line = ""
        self.client_context = ""
        self.admission = AT_ONCE
        """Both of the invoke to come; `version_life` and `assignments` put them here."""

    @property
    def is_warm(self) -> bool:
        """Whether an invoke now would need no start."""
        return self._environment is not None and self._environment.is_warm

    def start(self, env_vars: dict[str, str]) -> None:
        """Make the environment.

        Only provisioned concurrency initialises ahead of the invoke. On demand the first invoke does, so that waiting
        for this machine to have room is not taken for a slow start-up, which LocalStack gives up after 20 s.
        """
        self._tmp = Path(tempfile.mkdtemp(prefix=f"lambda-{self.id[:8]}-"))
        is_provisioned = env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") != InitializationType.on_demand
        self._logged = logged(self.function_version, "provisioned-concurrency" if is_provisioned else "on-demand")
        program = programs.of(self.function_version, env_vars, self._tmp, shared().settings, shared().has_rooms)
        self._environment = Environment(
            self.id, program, shared().launcher, shared().capacity, evictable=not is_provisioned
        )
        if is_provisioned:
            self._init_line = init_text(self._logged, time.time())
            if not self._environment.init(version_life.init_limit_s(self.function_version)):
                raise provisioned.InitialisationFailed(self.function_version.qualified_arn)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one event."""
        assert self._environment is not None
        invocation = Invocation(
            request_id=payload["invoke-id"],
            payload=payload["payload"].encode(),
            function_arn=payload["invoked-function-arn"],
            trace_id=payload.get("trace-id", ""),
            client_context=self.client_context,
        )
        with shared().concurrency.one_more(self.function_version.id.function_name) as concurrent:
            cloudwatch.count_function(self.function_version.id, "ConcurrentExecutions", concurrent)
            outcome = self._environment.invoke(invocation, self.admission)
        cloudwatch.count_function(self.function_version.id, "Duration", outcome.duration_ms, "Milliseconds")
        if trace := shared().trace:
            trace.record(self.function_version.id.function_name, invocation, outcome)
        return self._result(invocation, outcome)

    def _result(self, invocation: Invocation, outcome: Outcome) -> InvocationResult:
        if outcome.init_at_s is not None and not self._init_line:
            self._init_line = init_text(self._logged, outcome.init_at_s)
        self._last_log = log_text(outcome, invocation.request_id, self._logged)
        return InvocationResult(
            request_id=invocation.request_id,
            payload=outcome.payload,
            is_error=outcome.status != "ok",
            logs=self._last_log,
        )

    def take_init_line(self) -> str:
        """What the platform writes of an initialisation, once for each."""
        line, self._init_line = self._init_line, ""
        return line

    def stop(self) -> None:
        """End the environment for good."""
        if self._environment:
            self._environment.stop()
        if self._tmp:
            shutil.rmtree(self._tmp, ignore_errors=True)

    def get_address(self) -> str:
        """Where it can be reached: it listens nowhere."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """The emulator's host, as the function reaches it."""
        host = str(config.GATEWAY_LISTEN[0].host)
        return "127.0.0.1" if host in ("0.0.0.0", "") else host

    def get_runtime_endpoint(self) -> str:
        """LocalStack's own call-back address; our runtime uses the Runtime API instead."""
        return (
            f"http://{self.get_endpoint_from_executor()}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"
        )

    def get_logs(self) -> str:
        """What the last invoke wrote."""
        return self._last_log

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack a Zip function; see that an Image function's image is registered."""
        if function_version.config.package_type == PackageType.Image:
            images.look_up(function_version.config.image.image_uri, shared().settings.images_file)
        elif function_version.config.code:
            function_version.config.code.prepare_for_execution()
            layers.unpack(function_version)
            programs.warn_of_another_python(function_version, shared().settings)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Remove what was unpacked for this version alone."""
        layers.discard(function_version)

    @classmethod
    def validate_environment(cls) -> bool:
        """Whether functions can run here."""
        return os.access(shared().settings.handler_python, os.X_OK)


def logged(version: FunctionVersion, initialization_type: str = "on-demand") -> LoggedFunction:
    """What the platform's lines say of a version."""
    function, logging_config = version.config, version.config.logging_config or {}
    return LoggedFunction(
        name=version.id.function_name,
        version=version.id.qualifier,
        memory_mb=function.memory_size,
        runtime=function.runtime or "",
        runtime_arn=(function.runtime_version_config or {}).get("RuntimeVersionArn", ""),
        as_json=logging_config.get("LogFormat") == LogFormat.JSON,
        system_level=logging_config.get("SystemLogLevel", "INFO"),
        application_level=logging_config.get("ApplicationLogLevel", "INFO"),
        initialization_type=initialization_type,
    )
