"""The first process of a function's container: it runs the image's command as one execution environment.

In: NRT_FUNCTION and LocalStack's variables; invokes, which LocalStack posts to port 9563. Out: posts to
LOCALSTACK_RUNTIME_ENDPOINT, as LocalStack's own init does (`executor_endpoint.py`): ready, then for each invoke its log
and its response or error. Beside the log goes what the trace wants to know. Standard library only: the image needs
nothing but Python 3.11.
"""

import json
import os
import queue
import shutil
import signal
import sys
import threading
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.localstack.capacity import Capacity
from harness.localstack.environment import INIT_LIMIT_S, Environment, Program
from harness.localstack.launcher import Launcher
from harness.localstack.outcome import Invocation, Outcome, Status
from harness.localstack.platform_log import LoggedFunction, init_text, log_text
from harness.localstack.trace import describe

PORT = 9563
POST_TIMEOUT_S = 30
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def program(function: Mapping[str, Any], variables: Mapping[str, str]) -> Program:
    """What runs in this container; a program that is not there is told of by the first invoke."""
    argv = function["argv"]
    hidden = set(function["hidden"])
    return Program(
        argv=(shutil.which(argv[0]) or argv[0], *argv[1:]),
        environment={name: value for name, value in variables.items() if name not in hidden} | {"_HANDLER": argv[-1]},
        cwd=str(Path.cwd()),
        memory_mb=function["memory_mb"],
        timeout_s=float(function["timeout_s"]),
        response_max_bytes=function["response_max_bytes"],
    )


def _invocation(payload: Mapping[str, str]) -> Invocation:
    return Invocation(
        request_id=payload["invoke-id"],
        payload=payload["payload"].encode(),
        function_arn=payload["invoked-function-arn"],
        trace_id=payload.get("trace-id") or "",
        client_context=payload.get("client-context", ""),
    )


class _Listener(ThreadingHTTPServer):
    """Takes invokes, and leaves them to the main thread."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.invokes: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, _Listener)
        self.server.invokes.put(json.loads(body))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """What LocalStack asks is no part of the container's log."""


def _post(endpoint: str, path: str, body: bytes) -> None:
    request = urllib.request.Request(f"{endpoint}/{path}", body, {"Content-Type": "application/json"}, method="POST")
    with NO_PROXY.open(request, timeout=POST_TIMEOUT_S):
        pass


def _answer(endpoint: str, invocation: Invocation, outcome: Outcome, logged: LoggedFunction) -> None:
    said = {
        "logs": log_text(outcome, invocation.request_id, logged),
        "trace": describe(logged.name, invocation, outcome),
        "init_line": "" if outcome.init_at_s is None else init_text(logged, outcome.init_at_s),
    }
    path = f"invocations/{invocation.request_id}"
    _post(endpoint, f"{path}/logs", json.dumps(said).encode())
    _post(endpoint, f"{path}/{'response' if outcome.status is Status.OK else 'error'}", outcome.payload)


def main() -> None:
    """Serve until SIGTERM: the container goes, and with it whatever runs in it."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    function = json.loads(os.environ["NRT_FUNCTION"])
    endpoint, identifier = os.environ["LOCALSTACK_RUNTIME_ENDPOINT"], os.environ["LOCALSTACK_RUNTIME_ID"]
    kind = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    logged = LoggedFunction(**function["logged"] | {"initialization_type": kind})
    environment = Environment(identifier, program(function, os.environ), Launcher(), Capacity(1), evictable=False)
    listener = _Listener(("0.0.0.0", int(sys.argv[1]) if len(sys.argv) > 1 else PORT))
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    if kind != "on-demand":
        environment.init(max(INIT_LIMIT_S, float(function["timeout_s"])))
    _post(endpoint, f"status/{identifier}/ready", b"{}")
    while True:
        invocation = _invocation(listener.invokes.get())
        _answer(endpoint, invocation, environment.invoke(invocation), logged)
