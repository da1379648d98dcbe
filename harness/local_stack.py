"""The stack that `harness up` leaves running in this directory: `.harness/stack.json` says where it is."""

import json
from pathlib import Path
from typing import Any

from harness import pipeline as pipelines
from harness.aws import Aws
from harness.errors import HarnessError
from harness.provision import provision
from harness.provisioned_advice import Deployed, deployed_of
from harness.stack.embedded import is_running, start_detached, stop_detached
from harness.stack.endpoints import Endpoints, endpoints_from_json
from harness.timing import scaled

STATUS_FILE = Path(".harness") / "stack.json"


def running() -> Endpoints | None:
    """The stack that is up in this directory, if any."""
    found = status()
    return None if found is None else endpoints_from_json(found)


def status() -> dict[str, Any] | None:
    """What `harness status --json` prints; None when nothing is up."""
    try:
        stored: dict[str, Any] = json.loads(STATUS_FILE.read_text())
    except FileNotFoundError:
        return None
    except (OSError, json.JSONDecodeError) as error:
        raise HarnessError(f"{STATUS_FILE}: {error}; end its stack by hand and remove it") from error
    if is_running(endpoints_from_json(stored)):
        return stored
    STATUS_FILE.unlink()  # its stack is gone
    return None


def up(pipeline_file: Path, aws_port: int | None, redshift_port: int | None) -> dict[str, Any]:
    """Start a stack and provision the pipeline, or bring the pipeline up to date on the one that is up.

    Raises:
        UsageError: the pipeline description cannot be used.
        HarnessError: the stack could not be started.
    """
    pipeline = pipelines.load(pipeline_file)
    endpoints = running()
    started_here = endpoints is None
    if endpoints is None:
        _check_writable()
        endpoints = start_detached(aws_port, redshift_port)
    elif aws_port or redshift_port:
        raise HarnessError("a stack is up already, on ports of its own: `harness down` ends it")
    try:
        provision(pipeline, scaled(pipeline, 1.0), Aws(endpoints))
    except BaseException:
        if started_here:
            stop_detached(endpoints)
        raise
    found = endpoints.to_json() | {"pipeline": str(pipeline_file.resolve())}
    STATUS_FILE.touch(mode=0o600)
    STATUS_FILE.write_text(json.dumps(found, indent=2))
    return found


def _check_writable() -> None:
    try:
        STATUS_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"{STATUS_FILE.parent}: {error.strerror}: run from a directory you may write to") from error


def deployed(pipeline: pipelines.Pipeline) -> list[Deployed]:
    """What the stack that is up has of a pipeline.

    Raises:
        HarnessError: none is up, or it does not have all of it.
    """
    endpoints = running()
    if endpoints is None:
        raise HarnessError("nothing is up; `harness up` starts a stack")
    return deployed_of(pipeline, Aws(endpoints))


def down() -> bool:
    """End the stack that is up; whether there was one."""
    endpoints = running()
    if endpoints is None:
        return False
    stop_detached(endpoints)
    STATUS_FILE.unlink(missing_ok=True)
    return True


def describe(found: dict[str, Any]) -> str:
    """How to connect, for people; the password is in `harness status --json`."""
    redshift = found["redshift"]
    return "\n".join(
        [
            f"stack     {found['stack']} (processes {', '.join(str(pid) for pid in found['pids'].values())})",
            f"pipeline  {found['pipeline']}",
            f"aws       {found['aws_endpoint_url']} (region {found['region']}, any access key)",
            f"redshift  {redshift['host']}:{redshift['port']} database {redshift['database']} user {redshift['user']}",
            *([f"data api  {found['data_api_url']}"] if found.get("data_api_url") else []),
        ]
    )
