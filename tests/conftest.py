"""What tests of every kind share: real servers, started once for those who ask."""

import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from harness.stack import postgres
from harness.stack.endpoints import Endpoints, Redshift
from harness.stack.processes import LOOPBACK, free_port

# Machines are shared and noisy: how long one example takes says nothing about the code.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture(scope="session")
def postgres_only() -> Iterator[Endpoints]:
    """The PostgreSQL of a stack without the rest of it; both databases of the endpoints are the same one."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-test-"))
    directory.chmod(0o711)
    port, password = free_port(), secrets.token_urlsafe()
    server = postgres.start(directory / "postgres", directory, port, password)
    try:
        postgres.wait(server, port, password)
        database = Redshift(LOOPBACK, port, postgres.DATABASE, postgres.SUPERUSER, password, None)
        yield Endpoints(
            stack="postgres", aws_endpoint_url="", region="", redshift=database, postgres=database,
            directory=directory, trace_file=directory / "trace", query_log=directory / "queries",
            images_file=directory / "images", pids={},
        )  # fmt: skip
    finally:
        server.end(signal.SIGQUIT)
        shutil.rmtree(directory)
