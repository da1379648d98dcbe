"""The gateway against PostgreSQL alone: COPY, relay, connect and large results, in one run on one backend.

In: nothing. Out: a table on stdout. Gateway, PostgreSQL and S3 (moto) are processes of their own, as in a run, so their
CPU can be told apart. Needs the development requirements. Wall times of a busy machine say nothing: compare the columns
of one run only, or the CPU. Run it: `python benchmarks/redshift.py`.
"""

import io
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pgpq
import psutil
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import redshift_connector

from harness.stack import postgres, warehouse
from harness.stack.endpoints import REGION, Redshift
from harness.stack.processes import LOOPBACK, Child, free_port, is_listening, spawn

ROWS = 10_000
REPEATS = 15
CONNECTIONS = 8
RESULT_ROWS = 1_000_000
DESCRIBED = 500
TYPES = ["bigint"] * 4 + ["varchar(64)"] * 4 + ["numeric(12,2)", "timestamp"]


def table() -> pa.Table:
    """10,000 rows of ten columns: four integers, four strings, a decimal and a timestamp."""
    numbers = range(ROWS)
    columns: dict[str, Any] = {f"i{column}": pa.array(numbers) for column in range(4)}
    columns |= {f"s{column}": [f"value {row} of {column}" for row in numbers] for column in range(4)}
    columns["n"] = pa.array([Decimal(row).scaleb(-2) for row in numbers], pa.decimal128(12, 2))
    columns["t"] = pa.array([1_700_000_000_000_000 + row for row in numbers], pa.timestamp("us"))
    return pa.table(columns)


def timed_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def cpu_ms(child: Child) -> float:
    """CPU time of a process and its descendants, ended ones included."""
    process = psutil.Process(child.pid)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for descendant in process.children(recursive=True):
        times = descendant.cpu_times()
        total += times.user + times.system
    return total * 1_000


def copy_direct(cursor: Any, rows: pa.Table) -> None:
    """The same rows from memory straight into PostgreSQL, in its binary format."""
    encoder = pgpq.ArrowToPostgresBinaryEncoder(rows.schema)
    parts = [bytes(encoder.write_header()), *map(encoder.write_batch, rows.to_batches()), bytes(encoder.finish())]
    cursor.copy_expert("copy direct from stdin binary", io.BytesIO(b"".join(parts)))


@dataclass(frozen=True)
class Bench:
    """A gateway, what is behind it, and ways in."""

    gateway: Child
    backend: Child
    s3: Child
    connect: Callable[..., Any]
    driver: Callable[[int], Any]  # redshift_connector, by the version of the protocol it asks for
    direct: Any

    def run(self) -> None:
        """Measure and print."""
        self._large_result()  # before the COPYs: what they freed could hide its memory
        rows = table()
        cursors = [self.connect().cursor() for _ in range(CONNECTIONS)]
        ddl = ", ".join(f"{name} {kind}" for name, kind in zip(rows.column_names, TYPES, strict=True))
        for number in range(CONNECTIONS):
            cursors[0].execute(f"create table bench_{number} ({ddl})")
        self.direct.execute(f"create table direct ({ddl})")

        def copy(number: int) -> None:
            cursors[number].execute(f"copy bench_{number} from 's3://bench/rows' iam_role 'r' format parquet")

        print(f"first COPY                {timed_ms(lambda: copy(0)):8.1f} ms")
        through, alone = [], []
        for _ in range(REPEATS):  # in turns, so that both see the same machine
            through.append(timed_ms(lambda: copy(0)))
            alone.append(timed_ms(lambda: copy_direct(self.direct, rows)))
        ratio = median(through) / median(alone)
        print(
            f"COPY of {ROWS:,} x 10      {median(through):8.1f} ms, {ratio:.2f} x binary COPY ({median(alone):.1f} ms)"
        )
        self._many(copy)
        self._relay(self.connect(tls=False).cursor(), "         ")
        self._relay(cursors[0], " with TLS")
        self._describe()
        print(f"connect with TLS          {median(timed_ms(self.connect) for _ in range(REPEATS)):8.1f} ms")

    def _many(self, copy: Callable[[int], None]) -> None:
        def repeatedly(number: int) -> None:
            for _ in range(REPEATS):
                copy(number)

        children = {"gateway": self.gateway, "PostgreSQL": self.backend, "S3": self.s3}
        before = {name: cpu_ms(child) for name, child in children.items()}
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            many_ms = timed_ms(lambda: list(threads.map(repeatedly, range(CONNECTIONS))))
        count = CONNECTIONS * REPEATS
        spent = {name: (cpu_ms(child) - before[name]) / count for name, child in children.items()}
        shown = ", ".join(f"{name} {each:.1f}" for name, each in spent.items())
        print(f"COPY/s, {CONNECTIONS} tables          {count / many_ms * 1_000:8.1f}    ms of CPU a COPY: {shown}")

    def _relay(self, cursor: Any, how: str) -> None:
        relayed, plain = [], []
        before = cpu_ms(self.gateway)
        for _ in range(1_000):
            relayed.append(timed_ms(lambda: cursor.execute("select 1")))
            plain.append(timed_ms(lambda: self.direct.execute("select 1")))
        each = (cpu_ms(self.gateway) - before) / 1_000
        print(f"select 1{how}         {median(relayed):8.3f} ms, PostgreSQL alone {median(plain):.3f} ms; "
              f"gateway's CPU {each:.3f} ms")  # fmt: skip

    def _describe(self) -> None:
        """A query that is prepared, described and run by its driver: what the later versions' look-ups add."""
        cursors = {version: self.driver(version).cursor() for version in (0, 1, 2)}
        for query in ("select i0, s0 from bench_0 where i0 = -1", "select n * 2, n / 3 from bench_0 where i0 = -1"):
            shown = []
            for version, cursor in cursors.items():
                cursor.execute(query)
                before, took = cpu_ms(self.gateway), []
                for number in range(DESCRIBED):  # each text is new, so that no statement is prepared already
                    took.append(timed_ms(lambda: cursor.execute(f"{query} /* {number} */")))  # noqa: B023
                each = (cpu_ms(self.gateway) - before) / DESCRIBED
                shown.append(f"version {version} {median(took):.2f} ms (fastest {min(took):.2f}; CPU {each:.2f})")
            print(f"{query.partition(' from')[0]}, described: {', '.join(shown)}")

    def _large_result(self) -> None:
        """A result of a million rows: how far the gateway's memory rises meanwhile."""
        cursor, process = self.connect().cursor(), psutil.Process(self.gateway.pid)
        before = peak = process.memory_info().rss
        query = f"select i, 'value ' || i from generate_series(1, {RESULT_ROWS}) i"
        with ThreadPoolExecutor(1) as thread:
            fetching = thread.submit(timed_ms, lambda: cursor.execute(query))
            while not fetching.done():
                peak = max(peak, process.memory_info().rss)
                time.sleep(0.01)
        print(f"{RESULT_ROWS:,} rows            {fetching.result():6.0f} ms, gateway's memory at most "
              f"{(peak - before) / 2**20:.1f} MiB above its {before / 2**20:.0f}")  # fmt: skip


@contextmanager
def running() -> Iterator[Bench]:
    """PostgreSQL, S3 and the gateway as processes, with one object of rows in a bucket."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    directory = Path(tempfile.mkdtemp(prefix="nrt-bench-"))
    directory.chmod(0o711)
    port, s3_port, password = free_port(), free_port(), secrets.token_urlsafe()
    children = []
    try:
        backend = postgres.start(directory / "postgres", directory, port, password)
        children.append((backend, signal.SIGQUIT))
        moto = spawn(
            "moto", [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(s3_port)], directory / "s3"
        )
        children.append((moto, signal.SIGTERM))
        postgres.wait(backend, port, password)
        moto.wait_until(lambda: is_listening(s3_port), 30)
        endpoint = f"http://{LOOPBACK}:{s3_port}"
        _fill(boto3.client("s3", endpoint_url=endpoint))
        server = Redshift(LOOPBACK, port, postgres.DATABASE, postgres.SUPERUSER, password, None)
        gateway = warehouse.start(
            directory / "redshift", directory, free_port(), password, server, endpoint, directory / "log"
        )
        children.append((gateway, signal.SIGTERM))
        listening, _ = warehouse.wait(gateway, password)

        def connect(to: Redshift = listening, *, tls: bool = True) -> Any:
            said: Any = {"sslmode": "verify-full", "sslrootcert": str(to.ca_file)} if to.ca_file and tls else {}
            connection = psycopg2.connect(
                host=to.host, port=to.port, user=to.user, password=password, dbname=to.database,
                **{"sslmode": "disable"} | said,
            )  # fmt: skip
            connection.autocommit = True
            return connection

        def driver(version: int) -> Any:
            connection = redshift_connector.connect(
                host=listening.host, port=listening.port, user=listening.user, password=password,
                database=listening.database, ssl=False, sslmode="verify-ca", client_protocol_version=version,
            )  # fmt: skip
            connection.autocommit = True
            return connection

        yield Bench(gateway, backend, moto, connect, driver, connect(server).cursor())
    finally:
        for child, number in reversed(children):
            child.end(number)
        shutil.rmtree(directory)


def _fill(s3: Any) -> None:
    s3.create_bucket(Bucket="bench")
    sink = io.BytesIO()
    pq.write_table(table(), sink)
    s3.put_object(Bucket="bench", Key="rows.parquet", Body=sink.getvalue())


if __name__ == "__main__":
    with running() as bench:
        bench.run()
