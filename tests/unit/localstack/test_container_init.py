"""The first process of a function's container, against a server that stands where LocalStack does."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from harness.stack.processes import free_port

ROOT = Path(__file__).parents[3]
HANDLER = """
import os
def handler(event, context):
    print("said")
    if event == "fail":
        raise ValueError("asked to")
    return {"event": event, "hidden": sorted(n for n in os.environ if n.startswith(("NRT_FUNCTION", "LOCALSTACK_"))),
            "request_id": context.aws_request_id}
"""
WAIT_S = 60


class Told(BaseHTTPRequestHandler):
    posts: SimpleQueue[tuple[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.put((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


class Init:
    """A running init, and what it has told so far."""

    def __init__(self, posts: "SimpleQueue[tuple[str, Any]]", port: int, process: "subprocess.Popen[bytes]") -> None:
        self._posts, self._port, self.process = posts, port, process

    def told(self) -> tuple[str, Any]:
        return self._posts.get(timeout=WAIT_S)

    def invoke(self, request_id: str, event: object) -> None:
        payload = {"invoke-id": request_id, "invoked-function-arn": "arn", "payload": json.dumps(event)}
        urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", json.dumps(payload).encode()).close()


@pytest.fixture
def init(tmp_path: Path) -> Iterator[Init]:
    (tmp_path / "app.py").write_text(HANDLER)
    server, port = ThreadingHTTPServer(("127.0.0.1", 0), Told), free_port()
    server.posts = SimpleQueue()  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    function = {
        "argv": [sys.executable, "-m", "awslambdaric", "app.handler"], "memory_mb": 512, "timeout_s": 20,
        "response_max_bytes": 1 << 20,
        "hidden": ["NRT_FUNCTION", "LOCALSTACK_RUNTIME_ID", "LOCALSTACK_RUNTIME_ENDPOINT"],
        "logged": {"name": "f", "version": "1", "memory_mb": 512},
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", "from harness.localstack.container_init import main; main()", str(port)],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT), "NRT_FUNCTION": json.dumps(function), "LOCALSTACK_RUNTIME_ID": "one",
            "LOCALSTACK_RUNTIME_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}/x",
        },
    )  # fmt: skip
    yield Init(server.posts, port, process)  # type: ignore[attr-defined]
    process.terminate()
    assert process.wait(WAIT_S) == 0
    server.shutdown()
    server.server_close()


def test_an_invoke_is_answered_and_told_of_and_an_error_is_an_error(init: Init) -> None:
    assert init.told()[0] == "/x/status/one/ready"
    init.invoke("r1", "go")
    path, said = init.told()
    assert path == "/x/invocations/r1/logs"
    assert "said\n" in said["logs"]
    assert "REPORT RequestId: r1" in said["logs"]
    assert "Init Duration" in said["logs"]
    assert said["init_line"].startswith("INIT_START")
    assert (said["trace"]["status"], said["trace"]["cold"]) == ("ok", True)
    assert init.told() == ("/x/invocations/r1/response", {"event": "go", "hidden": [], "request_id": "r1"})
    init.invoke("r2", "fail")
    path, said = init.told()
    assert said["init_line"] == ""
    assert (said["trace"]["status"], said["trace"]["cold"]) == ("error", False)
    path, error = init.told()
    assert path == "/x/invocations/r2/error"
    assert error["errorType"] == "ValueError"
