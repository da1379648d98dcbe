"""What one execution environment of a function runs: the command, its variables, its view of the file system.

In: LocalStack's function version and the variables it wants set. Out: a `Program` for `environment`. What an image or a
runtime name stands for is decided in `images` and `runtimes`.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from localstack import config
from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion

from harness.localstack import images, layers, runtimes
from harness.localstack.environment import Program
from harness.localstack.room import View
from harness.localstack.settings import Settings

LOG = logging.getLogger(__name__)

INTERNAL = (
    "LOCALSTACK_CHMOD_PATHS",
    "LOCALSTACK_FUNCTION_ACCOUNT_ID",
    "LOCALSTACK_INIT_LOG_LEVEL",
    "LOCALSTACK_MAX_PAYLOAD_SIZE",
    "LOCALSTACK_POST_INVOKE_WAIT_MS",
    "LOCALSTACK_RUNTIME_ENDPOINT",
    "LOCALSTACK_RUNTIME_ID",
    "LOCALSTACK_USER",
)
"""What LocalStack tells its own init binary; a function does not see it."""
TASK_ROOT = "/var/task"
IMAGES_ARE_AS = "python"
"""An image's handler environment is a Python's."""
PROCESSES_MAX = 1_024
"""AWS: "Lambda quotas", execution processes/threads."""


def processes_max(memory_mb: int) -> int:
    """RLIMIT_NPROC: 742 for 128 MB, as recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json,
    test_runtime_ulimits).

    Linux gives a machine of that much memory as many, so it is taken to grow as there, by four for each MB, up to
    Lambda's quota.
    """
    return min(PROCESSES_MAX, 230 + 4 * memory_mb)


def warn_of_another_python(version: FunctionVersion, settings: Settings) -> None:
    """Say so when a function's Python is not of the version that its runtime names."""
    try:
        runtime = runtimes.look_up(version.config.runtime, settings.handler_python, settings.runtimes_file)
    except runtimes.RuntimeNotHere as error:
        LOG.warning("%s: %s", version.id.function_name, error)
        return
    if runtime.python and not runtime.is_exact:
        LOG.warning(
            "%s: runtime %s is Python %s here (NRT_RUNTIMES can name an interpreter for it)",
            version.id.function_name, version.config.runtime, runtimes.version(runtime.python),
        )  # fmt: skip


def of(version: FunctionVersion, env_vars: dict[str, str], tmp: Path, settings: Settings, has_rooms: bool) -> Program:
    """What to run for a version; `tmp` is a private directory for where `has_rooms` is false.

    Raises:
        RuntimeNotHere: nothing on this machine runs its runtime.
        ImageNotRegistered: no image of that name is known.
    """
    function = version.config
    variables = runtimes.sandbox_variables(function.runtime or IMAGES_ARE_AS)
    if function.package_type == PackageType.Image:
        image = images.look_up(function.image.image_uri, settings.images_file)
        override = function.image_config
        argv = image.argv(override and override.entrypoint, override and override.command)
        root, cwd = image.working_directory, image.directory(override and override.working_directory)
        python = image.python
        variables |= image.environment | {"_HANDLER": argv[-1]}
    else:
        runtime = runtimes.look_up(function.runtime, settings.handler_python, settings.runtimes_file)
        root = cwd = str(function.code.get_unzipped_code_location())
        argv = runtime.argv(function.handler, TASK_ROOT if has_rooms else root)
        python = runtime.python or settings.handler_python
        variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{function.runtime}"
    variables |= {
        name: str(value)
        for name, value in env_vars.items()
        if name not in INTERNAL and not (name == "AWS_EXECUTION_ENV" and value == "AWS_Lambda_rapid")
    }
    if wrapper := variables.get("AWS_LAMBDA_EXEC_WRAPPER"):
        argv = (wrapper, *argv)
    opt = layers.unpack(version)
    added = layers.python_path(opt, mounted=has_rooms)
    if added:
        variables["PYTHONPATH"] = ":".join([*added, *filter(None, [variables.get("PYTHONPATH")])])
    most = int(config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES)
    if not has_rooms:
        variables |= {"LAMBDA_TASK_ROOT": root, "PWD": cwd, "TMPDIR": str(tmp)}
        return Program(argv, variables, cwd, function.memory_size, float(function.timeout), most)
    if Path(cwd).is_relative_to(root):
        cwd = str(Path(TASK_ROOT) / Path(cwd).relative_to(root))
    environment = Path(python).parents[1]
    keep = _below_tmp(
        [str(environment), str(Path(python).resolve().parents[1]), *_linked(environment), *argv, *variables.values()]
    )
    view: View = {
        "tmp_size_mb": function.ephemeral_storage.size,
        "processes_max": processes_max(function.memory_size),
        "binds": {TASK_ROOT: root, **opt},
        "keep": keep,
        "python": python,
    }
    return Program(argv, variables, cwd, function.memory_size, float(function.timeout), most, view)


def _linked(environment: Path) -> list[str]:
    """The directories that a Python environment's packages lie in elsewhere: editable installs."""
    lines = [
        line
        for path_file in environment.glob("lib/python3*/site-packages/*.pth")
        for line in path_file.read_text(errors="replace").splitlines()
    ]
    return [line for line in lines if line.startswith("/")]


def _below_tmp(paths: Iterable[str]) -> list[str]:
    """Which of these are existing files or directories that a private /tmp would hide."""
    return sorted({path for path in paths if path.startswith("/tmp/") and len(path) < 4096 and Path(path).exists()})
