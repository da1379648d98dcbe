"""The embedded stack: everything on this machine, no Docker.

`embedded()` yields the endpoints of a stack of one's own and ends it afterwards; `start_detached` leaves one running
for `harness up`. Both start a supervisor process, which owns every part of the stack.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from harness.errors import HarnessError
from harness.stack.endpoints import Endpoints, endpoints_from_json

STOP_TIMEOUT_S = 20


def _start(arguments: list[str], stdin: int, stderr: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness.stack.supervisor", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        # Ctrl-C goes to the whole foreground group; the stack must outlive it until the harness has judged
        start_new_session=True,
    )


def _endpoints_of(supervisor: subprocess.Popen[bytes]) -> Endpoints:
    assert supervisor.stdout is not None  # started with a pipe
    line = supervisor.stdout.readline()
    if not line:
        raise HarnessError(f"the stack's supervisor ended with exit code {supervisor.wait()} and said nothing")
    answer = json.loads(line)
    if "error" in answer:
        supervisor.wait()
        raise HarnessError(answer["error"])
    return endpoints_from_json(answer["ready"])


def _arguments(logs: Path | None, aws_port: int | None, redshift_port: int | None) -> list[str]:
    options = {"--logs": logs and logs.resolve(), "--aws-port": aws_port, "--redshift-port": redshift_port}
    return [str(part) for option, value in options.items() if value for part in (option, value)]


@contextmanager
def embedded(
    logs: Path | None = None, aws_port: int | None = None, redshift_port: int | None = None
) -> Iterator[Endpoints]:
    """A stack that lives as long as the block, or as this process, whichever is shorter.

    Raises:
        HarnessError: the stack could not be started.
    """
    supervisor = _start(_arguments(logs, aws_port, redshift_port), subprocess.PIPE)
    try:
        yield _endpoints_of(supervisor)
    finally:
        assert supervisor.stdin is not None
        assert supervisor.stdout is not None
        with suppress(BrokenPipeError):
            supervisor.stdin.close()
        try:
            supervisor.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        supervisor.stdout.close()


def start_detached(aws_port: int | None = None, redshift_port: int | None = None) -> Endpoints:
    """Start a stack that stays until `stop_detached`.

    Raises:
        HarnessError: the stack could not be started.
    """
    # It outlives this command, so it must not hold on to a pipe that somebody reads this command's errors from.
    arguments = [*_arguments(None, aws_port, redshift_port), "--detached"]
    supervisor = _start(arguments, subprocess.DEVNULL, subprocess.DEVNULL)
    assert supervisor.stdout is not None  # started with a pipe
    try:
        return _endpoints_of(supervisor)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise
    finally:
        supervisor.stdout.close()


def is_running(endpoints: Endpoints) -> bool:
    """Whether the supervisor that made these endpoints is still there (and not another process of its number).

    A stack without one (compose) may lose a service and get it back; it is there as long as its directory is.
    """
    if "supervisor" not in endpoints.pids:
        return endpoints.directory.exists()
    try:
        command = psutil.Process(endpoints.pids["supervisor"]).cmdline()
    except psutil.Error:
        return False
    return "harness.stack.supervisor" in command and endpoints.directory.exists()


def stop_detached(endpoints: Endpoints) -> None:
    """End a detached stack and wait until it is gone.

    Raises:
        HarnessError: it would not end.
    """
    if not is_running(endpoints):
        return
    process = psutil.Process(endpoints.pids["supervisor"])
    os.kill(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except psutil.TimeoutExpired as error:
        raise HarnessError(f"the stack (process {process.pid}) did not end within {STOP_TIMEOUT_S} s") from error
