"""The process that a stack lives in: `python -m harness.stack.supervisor`.

It starts PostgreSQL, the Redshift stand-in and the emulator, prints one JSON line when all are ready, and ends them
all when its standard input closes (the harness that started it is gone, however it went), on SIGTERM or SIGINT, or
when one of them ends by itself. It then removes its private directory. Errors are one JSON line too.
"""

import argparse
import json
import os
import secrets
import select
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from harness.errors import ExitCode, HarnessError
from harness.stack import emulator, postgres, warehouse
from harness.stack.directories import private_directory
from harness.stack.endpoints import REGION, Endpoints, Redshift
from harness.stack.parts import Parts, Requests, listening
from harness.stack.processes import (
    LOOPBACK,
    become_subreaper,
    end_all_descendants,
    free_port,
    require_free_disk,
    require_port,
)

FREE_DISK_NEEDED_BYTES = 1_000_000_000
WATCH_INTERVAL_S = 0.5
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _Ended(Exception):
    """Somebody asked this stack to end."""


def _end_on_signal(number: int, _frame: FrameType | None) -> None:
    for further in _ENDING_SIGNALS:
        signal.signal(further, signal.SIG_IGN)  # the clean-up is not to be interrupted
    raise _Ended(signal.Signals(number).name)


def bring_up(directory: Path, logs: Path, aws_port: int, redshift_port: int, parts: Parts) -> Endpoints:
    """Start everything below `directory`, the slowest first; `parts` takes each part as it starts."""
    images_file, trace_file = directory / "images.json", directory / "invocations.jsonl"
    query_log = directory / "queries.jsonl"
    images_file.write_text("{}")
    postgres_port, postgres_password = free_port(), secrets.token_urlsafe(24)
    redshift_password = secrets.token_urlsafe(24)
    backend = Redshift(LOOPBACK, postgres_port, postgres.DATABASE, postgres.SUPERUSER, postgres_password, None)
    aws_endpoint_url = f"http://{LOOPBACK}:{aws_port}"
    said: list[tuple[Redshift, str]] = []
    data_api_port = free_port()
    parts.add(
        "emulator",
        lambda: emulator.start(directory / "emulator", logs, aws_port, images_file, trace_file),
        lambda child: emulator.wait(child, aws_port),
    )
    parts.add(
        "redshift",
        lambda: warehouse.start(
            directory / "redshift",
            logs,
            redshift_port,
            redshift_password,
            backend,
            aws_endpoint_url,
            query_log,
            data_api_port,
        ),
        lambda child: said.append(warehouse.wait(child, redshift_password)),
    )
    parts.start("emulator")
    parts.children["postgres"] = server = postgres.start(directory / "postgres", logs, postgres_port, postgres_password)
    postgres.wait(server, postgres_port, postgres_password)
    parts.start("redshift")
    parts.wait("redshift")
    parts.wait("emulator")
    redshift, data_api_url = said[-1]
    return Endpoints(
        stack="embedded",
        aws_endpoint_url=aws_endpoint_url,
        region=REGION,
        redshift=redshift,
        postgres=backend,
        directory=directory,
        trace_file=trace_file,
        query_log=query_log,
        images_file=images_file,
        pids={"supervisor": os.getpid()} | parts.pids,
        data_api_url=data_api_url,
    )


def _watch(parts: Parts, requests: Requests, lifeline: int | None) -> None:
    """Return when the lifeline closes; raise HarnessError when a part ends that nobody asked to."""
    while True:
        watched = [requests.fileno()] if lifeline is None else [requests.fileno(), lifeline]
        readable, _, _ = select.select(watched, [], [], WATCH_INTERVAL_S)
        if lifeline in readable and lifeline is not None and not os.read(lifeline, 1024):
            return
        if requests.fileno() in readable:
            requests.answer_one(parts)
        parts.require_alive()


def _end(parts: Parts) -> None:
    """End everything at once: nothing in the private directory is of use afterwards."""
    for child in parts.children.values():
        if child.is_alive():
            child.process.send_signal(signal.SIGQUIT if child.name == "postgres" else signal.SIGKILL)
    for child in parts.children.values():
        child.end(signal.SIGKILL)
    end_all_descendants()


def _say(message: dict[str, object]) -> None:
    with suppress(BrokenPipeError):  # whoever started this may be gone by now
        print(json.dumps(message), flush=True)


def main() -> int:
    """Run one stack until it is asked to end; exit 4 with `{"error": …}` when it could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, help="where the parts of the stack write their logs")
    parser.add_argument("--aws-port", type=int)
    parser.add_argument("--redshift-port", type=int)
    parser.add_argument("--detached", action="store_true", help="live until SIGTERM, not until standard input closes")
    options = parser.parse_args()
    for number in _ENDING_SIGNALS:
        signal.signal(number, _end_on_signal)
    become_subreaper()
    parts = Parts()
    try:
        with ExitStack() as cleanup:
            aws_port = require_port(options.aws_port, "--aws-port") if options.aws_port else free_port()
            redshift_port = (
                require_port(options.redshift_port, "--redshift-port") if options.redshift_port else free_port()
            )
            directory = cleanup.enter_context(private_directory())
            if os.geteuid() == 0:
                directory.chmod(0o711)  # the warehouse's user walks through it to its own part
            require_free_disk(directory, FREE_DISK_NEEDED_BYTES)
            cleanup.callback(_end, parts)
            logs = options.logs or directory / "logs"
            logs.mkdir(parents=True, exist_ok=True)
            endpoints = bring_up(directory, logs, aws_port, redshift_port, parts)
            status = directory / "status.json"
            status.touch(mode=0o600)
            status.write_text(json.dumps(endpoints.to_json()))
            requests = cleanup.enter_context(listening(directory))
            _say({"ready": endpoints.to_json()})
            _watch(parts, requests, None if options.detached else sys.stdin.fileno())
    except _Ended:
        return ExitCode.PASS
    except (HarnessError, OSError) as error:
        _say({"error": str(error)})
        return ExitCode.HARNESS_FAILED
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
