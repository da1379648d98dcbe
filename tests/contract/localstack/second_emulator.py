"""MiniStack, the second emulator that the contract tests are run against, from an environment of its own.

In: `.venv-ministack` (`make setup-dev`). Out: the URL of one that runs, on loopback only and with its state in a
private directory, gone afterwards. It runs functions from a Zip with its own interpreter, without Docker; images need
Docker.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from harness.stack.processes import LOOPBACK, free_port

START_TIMEOUT_S = 60
PYTHON = Path(sys.prefix).parent / ".venv-ministack" / "bin" / "python"


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start it, wait until it says it is ready, and end it."""
    assert PYTHON.exists(), f"{PYTHON} is not there: `make setup-dev` makes it"
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory(prefix="nrt-ministack-") as directory:
        environment = {
            "PATH": os.environ["PATH"], "HOME": directory, "TMPDIR": directory,
            "BIND_HOST": LOOPBACK, "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": url,
            # listeners of further services
            "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local", "DOCKER_HOST": "unix:///nowhere", "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        with Path(directory, "log").open("wb") as log:
            process = subprocess.Popen(
                [PYTHON, "-m", "ministack"], env=environment, cwd=directory, stdout=log, stderr=log
            )
        try:
            _wait(process, f"{url}/_ministack/ready")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"MiniStack ended with {process.returncode} before it was ready"
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise AssertionError(f"MiniStack was not ready after {START_TIMEOUT_S} s")
