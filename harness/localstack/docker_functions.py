"""Functions from images, run by LocalStack's own Docker executor: each environment is a container of the image itself.

LocalStack's free executor starts containers but refuses images, and fetches the program that runs in them. Its hook
`lambda_start_docker_executor` may name the image; the program is ours (`container_init`), which lives an environment's
life as the executor `process` does. In: LocalStack's calls, the engine that DOCKER_HOST names. Out: an
`InvocationResult`, and a line of the trace.

Selected by LAMBDA_RUNTIME_EXECUTOR=docker-image. A container is made by the first invoke, so no more of them are alive
than NRT_MAX_ENVIRONMENTS says: an idle one goes when another is needed. LocalStack's module needs Python 3.13
(`packages/api.py` writes `Lock | None`), so nothing imports this one unless it is asked for.
"""

import json
import os
import shutil
import tempfile
import threading
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import InvalidParameterValueException, PackageType
from localstack.http import Response
from localstack.services.lambda_ import hooks as lambda_hooks
from localstack.services.lambda_.invocation import docker_runtime_executor
from localstack.services.lambda_.invocation.docker_runtime_executor import (
    DockerRuntimeExecutor,
    LambdaContainerConfiguration,
)
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.container_utils.container_client import BindMount, NoSuchImage
from localstack.utils.container_utils.docker_sdk_client import SdkDockerClient

from harness.localstack import cloudwatch, images, settings
from harness.localstack.capacity import Capacity
from harness.localstack.concurrency import Concurrency
from harness.localstack.executor import logged
from harness.localstack.programs import INTERNAL
from harness.localstack.trace import TraceFile

NAME = "docker-image"
INIT_MODULES = (
    "__init__", "capacity", "container_init", "environment", "launcher", "launcher_process", "outcome", "platform_log",
    "room", "runtime_api", "sandbox_user", "trace",
)  # fmt: skip
"""What `container_init` takes into a container, itself included: standard library only."""
INIT = """#!/usr/bin/env python3
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/var/rapid")
from harness.localstack.container_init import main
main()
"""
FUNCTION_VARIABLE = "NRT_FUNCTION"
EXCHANGE = "/exchange"
LABEL = "nrt-harness.functions-of"
USER = "993:990"
"""Lambda's own, as recorded on AWS (see `sandbox_user`)."""
INIT_MEMORY_MB = 64
"""What a container may use beyond the function's memory: the init is in it, too."""


class DockerImageExecutorPlugin(RuntimeExecutorPlugin):
    """The plugin LocalStack loads when LAMBDA_RUNTIME_EXECUTOR=docker-image."""

    name = NAME

    def load(self, *_args: Any, **_kwargs: Any) -> type[RuntimeExecutor]:
        """The executor's class."""
        install()
        return DockerImageExecutor


class _Shared:
    def __init__(self) -> None:
        configured = settings.read()
        self.images_file = configured.images_file
        self.capacity = Capacity(configured.max_environments)
        self.concurrency = Concurrency()
        self.trace = TraceFile(configured.trace_file) if configured.trace_file else None


@cache
def shared() -> _Shared:
    """Made when the first function is prepared."""
    return _Shared()


@cache
def install() -> None:
    """Have LocalStack's executor talk to the engine without a `docker` command, and copy our init into containers."""
    docker_runtime_executor.CONTAINER_CLIENT = SdkDockerClient()
    # NRT_MAX_ENVIRONMENTS is the bound here; all of it may be reserved
    config.LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY = 0
    directory = _init_directory()
    docker_runtime_executor.get_runtime_client_path = lambda: directory


def _init_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="nrt-init-"))
    directory.chmod(0o755)
    rapid, source = directory / "var" / "rapid", Path(__file__).parent
    package = rapid / "harness" / "localstack"
    package.mkdir(parents=True)
    (rapid / "harness" / "__init__.py").touch()
    for name in INIT_MODULES:
        shutil.copyfile(source / f"{name}.py", package / f"{name}.py")
    (rapid / "init").write_text(INIT)
    (rapid / "init").chmod(0o755)
    return directory


class _Endpoint(ExecutorEndpoint):
    """LocalStack's, which also keeps what our init says beside the log."""

    said: dict[str, Any] | None = None

    def invocation_logs(self, request: Any, invoke_id: str) -> Response:
        """What comes before an invoke's answer."""
        self.said = request.json
        super().invocation_logs(request, invoke_id)
        return Response(status=HTTPStatus.ACCEPTED)


class DockerImageExecutor(DockerRuntimeExecutor):
    """One execution environment as LocalStack sees it: a container, while there is room for it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002
        super().__init__(id=id, function_version=function_version)
        self.executor_endpoint = _Endpoint(self.id)
        self.client_context = ""
        """Of the invoke to come; `version_life` puts it here."""
        self._variables: dict[str, str] = {}
        self._provisioned = False
        self._lock = threading.Lock()
        self._alive = False
        self._stopped = False
        self._init_line = ""

    def start(self, env_vars: dict[str, str]) -> None:
        """Only provisioned concurrency has a container ahead of the first invoke."""
        self._variables = {name: str(value) for name, value in env_vars.items()}
        self._provisioned = env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") != InitializationType.on_demand
        if self._provisioned:
            self._start_container()

    def _start_container(self) -> None:
        shared().capacity.acquire()
        self._alive = True
        # The executor adds to the variables it is given
        super().start(dict(self._variables))

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one event; whatever the container's start takes is no part of the function's time."""
        shared().capacity.busy(self)
        with self._lock:
            if not self._alive:
                self._start_container()
            with shared().concurrency.one_more(self.function_version.id.function_name) as concurrent:
                cloudwatch.count_function(self.function_version.id, "ConcurrentExecutions", concurrent)
                result = super().invoke(payload | {"client-context": self.client_context})
            if not self._provisioned:
                shared().capacity.idle(self)
        self._tell(self.executor_endpoint.said or {})
        return result

    def _tell(self, said: dict[str, Any]) -> None:
        if "trace" not in said:
            return
        traced = said["trace"] | {"function": self.function_version.id.function_name}
        cloudwatch.count_function(self.function_version.id, "Duration", traced["duration_ms"], "Milliseconds")
        self._init_line = self._init_line or said["init_line"]
        if trace := shared().trace:
            trace.append(traced)

    def take_init_line(self) -> str:
        """What the platform writes of an initialisation, once for each."""
        line, self._init_line = self._init_line, ""
        return line

    def hibernate(self) -> None:
        """End the container; the next invoke makes another."""
        with self._lock:
            self._end_container()

    def stop(self) -> None:
        """End the container for good, an invoke in progress included."""
        self._stopped = True
        shared().capacity.gone(self)
        self._end_container()

    def _end_container(self) -> None:
        if self._alive:
            self._alive = False
            super().stop()
            shared().capacity.release()

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """See that the engine has the image.

        Raises:
            InvalidParameterValueException: it has not, or the function is no function from an image.
        """
        if function_version.config.package_type != PackageType.Image:
            raise InvalidParameterValueException("Only functions from images run as containers here.", Type="User")
        _inspect(function_version.config.image.image_uri)


def _inspect(uri: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = docker_runtime_executor.CONTAINER_CLIENT.inspect_image(uri, pull=False)
    except NoSuchImage as error:
        raise InvalidParameterValueException(
            f"Source image {uri} does not exist: the Docker engine has no image of that name.", Type="User"
        ) from error
    return found


@lambda_hooks.start_docker_executor(should_load=lambda: config.LAMBDA_RUNTIME_EXECUTOR == NAME)
def describe(container: LambdaContainerConfiguration, version: FunctionVersion) -> None:
    """Make LocalStack's container one of the function's own image, which our init starts in."""
    function, override = version.config, version.config.image_config
    image = _inspect(function.image.image_uri)["Config"]
    entry_point = (override and override.entrypoint) or image["Entrypoint"] or []
    command = (override and override.command) or image["Cmd"] or []
    directory = override and override.working_directory
    if directory == images.look_up(function.image.image_uri, shared().images_file).working_directory:
        directory = None  # where the code is elsewhere; here it is in the image
    container.image_name = function.image.image_uri
    container.platform = None
    container.workdir = directory or image["WorkingDir"] or "/"
    container.user = USER
    container.cap_drop = ["ALL"]
    container.security_opt = ["no-new-privileges:true"]
    container.mem_limit = f"{function.memory_size + INIT_MEMORY_MB}m"
    container.labels = {LABEL: os.environ["NRT_FUNCTIONS_OF"]}
    container.volumes.add(BindMount(os.environ["NRT_FUNCTIONS_EXCHANGE"], EXCHANGE, read_only=True))
    container.env_vars[FUNCTION_VARIABLE] = json.dumps(
        {
            "argv": [*entry_point, *command],
            "memory_mb": function.memory_size,
            "timeout_s": function.timeout,
            "response_max_bytes": int(config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES),
            "hidden": [*INTERNAL, FUNCTION_VARIABLE],
            "logged": vars(logged(version)),
        }
    )
