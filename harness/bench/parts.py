"""The Redshift stand-in alone: PostgreSQL, the gateway, and the least that an S3 can be; no emulator.

In: nothing, or another S3's URL. Out: endpoints and the processes behind them, for as long as the block lasts.
"""

import json
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.stack import postgres, warehouse
from harness.stack.endpoints import REGION, Endpoints, Redshift
from harness.stack.processes import LOOPBACK, Child, free_port, spawn


@contextmanager
def warehouse_alone(s3_endpoint_url: str | None = None) -> Iterator[tuple[Endpoints, dict[str, Child]]]:
    """PostgreSQL, the gateway and, unless there is another S3, an object store, in a directory of their own."""
    with ExitStack() as cleanup:
        directory = Path(tempfile.mkdtemp(prefix="nrt-bench-"))
        cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o711)  # the warehouse's user walks through it
        parts: dict[str, Child] = {}
        if s3_endpoint_url is None:
            parts["object store"] = _object_store(directory)
            cleanup.callback(end, parts["object store"], signal.SIGKILL)
        port, password = free_port(), secrets.token_urlsafe(24)
        server = postgres.start(directory / "postgres", directory, port, password)
        cleanup.callback(end, server, signal.SIGQUIT)
        postgres.wait(server, port, password)
        backend = Redshift(LOOPBACK, port, postgres.DATABASE, postgres.SUPERUSER, password, None)
        url = s3_endpoint_url or _url_of(parts["object store"])
        redshift_password, log = secrets.token_urlsafe(24), directory / "queries.jsonl"
        gateway = warehouse.start(directory / "redshift", directory, free_port(), redshift_password, backend, url, log)
        cleanup.callback(end, gateway, signal.SIGKILL)
        redshift, _ = warehouse.wait(gateway, redshift_password)
        parts |= {"postgresql": server, "gateway": gateway}
        pids = {name: child.pid for name, child in parts.items()}
        yield Endpoints("floor", url, REGION, redshift, backend, directory, directory / "trace", log, None, pids), parts


def _object_store(directory: Path) -> Child:
    return spawn(
        "object store", [sys.executable, "-m", "harness.bench.object_store"], directory / "store.log",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _url_of(store: Child) -> str:
    assert store.process.stdout is not None  # spawned with a pipe
    return f"http://{LOOPBACK}:{json.loads(store.process.stdout.readline())['port']}"


def end(child: Child, number: int) -> None:
    """End a process and close its pipes."""
    child.end(signal.Signals(number))
    for pipe in (child.process.stdin, child.process.stdout):
        if pipe is not None:
            pipe.close()
