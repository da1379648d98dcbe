"""A stack with a proxy in front of some of its endpoints, and the way to tell that proxy what to break.

In: a stack's endpoints and the names of those that faults of the network are to be in front of: `aws`, `redshift`. Out:
the endpoints as the pipeline and its sources are to see them. The proxy is a process of its own, there only while a
scenario with such faults runs; the harness's own probes go past it.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.faults.proxy import LOOPBACK
from harness.stack.endpoints import Endpoints
from harness.stack.processes import Child, spawn

Name = Literal["aws", "redshift"]


@dataclass(frozen=True)
class Control:
    """Tells a proxy what to do; one command at a time."""

    child: Child
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, **command: Any) -> dict[str, Any]:
        """The proxy's answer to a command.

        Raises:
            HarnessError: it refused it, or is gone.
        """
        assert self.child.process.stdin is not None  # spawned with pipes
        assert self.child.process.stdout is not None
        with self._lock:
            try:
                self.child.process.stdin.write(json.dumps(command).encode() + b"\n")
                self.child.process.stdin.flush()
                line = self.child.process.stdout.readline()
            except BrokenPipeError:
                line = b""
        if not line:
            raise HarnessError(f"the fault proxy ended: {self.child.last_lines()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise HarnessError(f"the fault proxy: {answer['error']}")
        return answer


@contextmanager
def proxied(names: frozenset[Name], endpoints: Endpoints, logs: Path) -> Iterator[tuple[Endpoints, Control]]:
    """The endpoints with a proxy in front of `names`, and its control.

    Raises:
        HarnessError: the proxy did not start, or functions run where they could not reach it.
    """
    if endpoints.inside:
        raise HarnessError("faults of the network need functions on this machine: use the embedded stack")
    behind = {"aws": _address(endpoints.aws_endpoint_url), "redshift": _of(endpoints)}
    child = spawn(
        "proxy",
        [sys.executable, "-m", "harness.faults.proxy", *(f"{name}={behind[name]}" for name in sorted(names))],
        logs / "proxy.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        control = Control(child)
        yield _seen_through(control, names, endpoints), control
    finally:
        for pipe in (child.process.stdin, child.process.stdout):
            if pipe is not None:
                pipe.close()
        child.end()


def _seen_through(control: Control, names: frozenset[Name], endpoints: Endpoints) -> Endpoints:
    if "redshift" in names:
        port = control.tell(listen="redshift")["port"]
        endpoints = replace(endpoints, redshift=replace(endpoints.redshift, host=LOOPBACK, port=port))
    if "aws" in names:
        port = control.tell(listen="aws")["port"]
        endpoints = replace(endpoints, aws_endpoint_url=f"http://{LOOPBACK}:{port}")
    return endpoints


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


def _of(endpoints: Endpoints) -> str:
    return f"{endpoints.redshift.host}:{endpoints.redshift.port}"
