"""The Redshift stand-in's gateway as a process of the stack.

In: the PostgreSQL behind it and the S3 endpoint that COPY reads from. Out: a listening gateway and its CA file.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, REGION, Redshift
from harness.stack.postgres import NICENESS
from harness.stack.processes import LOOPBACK, Child, spawn

DATABASE = "dev"
USER = "awsuser"


def start(
    directory: Path,
    logs: Path,
    port: int,
    password: str,
    postgres: Redshift,
    s3_endpoint: str,
    query_log: Path,
    data_api_port: int = 0,
) -> Child:
    """Start the gateway; passwords go by environment, so that no process list shows them."""
    directory.mkdir(mode=0o700, exist_ok=True)  # there already when it starts again
    return spawn(
        "redshift",
        [sys.executable, "-m", "harness.redshift", "--port", str(port),
         "--postgres", f"postgresql://{postgres.user}@{postgres.host}:{postgres.port}/{postgres.database}",
         "--s3-endpoint", s3_endpoint, "--tls-dir", directory / "tls", "--query-log", query_log, "--user", USER,
         "--data-api-port", str(data_api_port), "--backend-niceness", str(NICENESS)],
        logs / "redshift.log",
        environment=os.environ | {
            "REDSHIFT_PASSWORD": password,
            "PGPASSWORD": postgres.password,
            "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
        },
        stdout=subprocess.PIPE,
    )  # fmt: skip


def wait(gateway: Child, password: str) -> tuple[Redshift, str]:
    """Return how clients connect and the Data API's endpoint URL, once the gateway says that it listens.

    Raises:
        HarnessError: it ended before it was ready.
    """
    assert gateway.process.stdout is not None  # spawned with a pipe
    with gateway.process.stdout as said:
        line = said.readline()
    if not line:
        gateway.process.wait()
        raise HarnessError(f"the Redshift gateway did not start: {gateway.last_lines()}")
    ready = json.loads(line)
    return Redshift(LOOPBACK, ready["port"], DATABASE, USER, password, ready.get("ca_file")), ready["data_api_url"]
