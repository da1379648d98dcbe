"""The stack of a test session: its own, a compose project, or one that is there already.

In: its kind, a pipeline description. Out: endpoints for as long as the block lasts.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from harness import local_stack
from harness import pipeline as pipelines
from harness.errors import HarnessError
from harness.stack.compose import compose
from harness.stack.compose_project import COMPOSE_FILE, PORTS, SERVICES
from harness.stack.embedded import embedded, is_running
from harness.stack.endpoints import Endpoints, read_endpoints
from harness.stack.processes import free_port


def fail(error: HarnessError) -> NoReturn:
    """End the test with what the harness has to say, in place of a trace of its inside."""
    pytest.fail(f"nrt-harness could not do its work, which says nothing of the pipeline: {error}", pytrace=False)


@contextmanager
def stack(kind: str, pipeline_file: Path, root: Path, logs: Path) -> Iterator[Endpoints]:
    """A stack of this kind; one that was there before stays."""
    with ExitStack() as cleanup:
        try:
            match kind:
                case "embedded":
                    endpoints = cleanup.enter_context(embedded(logs))
                case "compose":
                    endpoints = cleanup.enter_context(_compose(pipeline_file))
                case _:
                    endpoints = _existing(root)
        except HarnessError as error:
            fail(error)
        yield endpoints


def _existing(root: Path) -> Endpoints:
    """What the file HARNESS_STATUS names (`harness status --json` writes one), or what `harness up` left in `root`."""
    named = os.environ.get("HARNESS_STATUS")
    status = Path(named) if named else root / local_stack.STATUS_FILE
    try:
        endpoints = read_endpoints(status)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not the status of a stack"
        raise HarnessError(
            f"{status}: {reason}: start a stack with `harness up` in {root}, or have HARNESS_STATUS name a file with "
            "what `harness status --json` prints"
        ) from error
    if not is_running(endpoints):
        raise HarnessError(f"{status}: its stack is not running any more: start one with `harness up`")
    return endpoints


@contextmanager
def _compose(pipeline_file: Path) -> Iterator[Endpoints]:
    try:
        from testcontainers.compose import DockerCompose
    except ImportError as error:
        raise HarnessError("--nrt-stack compose needs testcontainers: `pip install nrt-harness[compose]`") from error
    pipeline = pipelines.load(pipeline_file)
    # A project of this session's own: other name, other ports.
    variables = {port.variable: str(free_port()) for port in PORTS.values()}
    variables |= {
        "COMPOSE_PROJECT_NAME": f"nrt-pytest-{os.getpid()}",
        "NRT_PIPELINE_DIRECTORY": str(pipeline.directory),
    }
    with ExitStack() as cleanup:
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        for name, value in variables.items():
            patch.setenv(name, value)
        project = DockerCompose(str(COMPOSE_FILE.parent), build=True, wait=True, pull=False, services=[*SERVICES])
        try:
            cleanup.enter_context(project)
        except OSError as error:
            raise HarnessError(f"docker: {error.strerror}: --nrt-stack compose needs Docker with Compose v2") from error
        yield cleanup.enter_context(compose(pipeline, print))
