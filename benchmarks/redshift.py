"""The gateway against PostgreSQL alone: COPY, relay and connect, in one run on one backend.

In: nothing. Out: a table on stdout. Needs the development requirements (moto serves S3). Figures of a busy machine say
nothing: compare the columns of one run only. Run it: `python benchmarks/redshift.py`.
"""

import io
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pgpq
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

from harness.redshift import Settings, running
from harness.stack import postgres
from harness.stack.processes import LOOPBACK, free_port

ROWS = 10_000
REPEATS = 15
CONNECTIONS = 8


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


def direct_copy(cursor: Any, rows: pa.Table) -> None:
    encoder = pgpq.ArrowToPostgresBinaryEncoder(rows.schema)
    parts = [bytes(encoder.write_header()), *map(encoder.write_batch, rows.to_batches()), bytes(encoder.finish())]
    cursor.copy_expert("copy bench_8 from stdin binary", io.BytesIO(b"".join(parts)))


def measure(direct: Any, connect: Callable[[], Any]) -> None:
    rows = table()
    cursors = [connect().cursor() for _ in range(CONNECTIONS)]
    types = ["bigint"] * 4 + ["varchar(64)"] * 4 + ["numeric(12,2)", "timestamp"]
    ddl = ", ".join(f"{name} {kind}" for name, kind in zip(rows.column_names, types, strict=True))
    for number in range(CONNECTIONS + 1):
        cursors[0].execute(f"create table bench_{number} ({ddl})")

    def copy(number: int) -> None:
        cursors[number].execute(f"copy bench_{number} from 's3://bench/rows' iam_role 'r' format parquet")

    first = timed_ms(lambda: copy(0))
    through = [timed_ms(lambda: copy(0)) for _ in range(REPEATS)]
    alone = [timed_ms(lambda: direct_copy(direct, rows)) for _ in range(REPEATS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        many_ms = timed_ms(lambda: list(threads.map(lambda n: [copy(n) for _ in range(REPEATS)], range(CONNECTIONS))))
    relayed, plain = (
        median(timed_ms(lambda c=cursor: c.execute("select 1")) for _ in range(500)) for cursor in (cursors[0], direct)
    )
    print(f"first COPY                {first:8.1f} ms")
    print(f"COPY of {ROWS:,} x 10      {median(through):8.1f} ms, PostgreSQL alone {median(alone):.1f} ms")
    print(f"COPY/s, {CONNECTIONS} tables          {CONNECTIONS * REPEATS / many_ms * 1_000:8.1f}")
    print(f"select 1                  {relayed:8.3f} ms, PostgreSQL alone {plain:.3f} ms")
    print(f"connect with TLS          {median(timed_ms(connect) for _ in range(REPEATS)):8.1f} ms")


def main() -> None:
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    directory = Path(tempfile.mkdtemp(prefix="nrt-bench-"))
    directory.chmod(0o711)
    port, password = free_port(), secrets.token_urlsafe()
    server = postgres.start(directory / "postgres", directory, port, password)
    moto = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    moto.start()
    try:
        postgres.wait(server, port, password)
        host, s3_port = moto.get_host_and_port()
        s3 = boto3.client("s3", endpoint_url=f"http://{host}:{s3_port}")
        s3.create_bucket(Bucket="bench")
        sink = io.BytesIO()
        pq.write_table(table(), sink)
        s3.put_object(Bucket="bench", Key="rows.parquet", Body=sink.getvalue())
        dsn = f"postgresql://{postgres.SUPERUSER}:{password}@{LOOPBACK}:{port}/{postgres.DATABASE}"
        settings = Settings(dsn, "awsuser", password, directory / "tls", f"http://{host}:{s3_port}")
        with running(settings) as gateway:

            def connect() -> Any:
                connection = psycopg2.connect(
                    host=gateway.host, port=gateway.port, user="awsuser", password=password, dbname=postgres.DATABASE,
                    sslmode="verify-full", sslrootcert=str(gateway.ca_file),
                )  # fmt: skip
                connection.autocommit = True
                return connection

            direct = psycopg2.connect(dsn)
            direct.autocommit = True
            measure(direct.cursor(), connect)
            direct.close()
    finally:
        moto.stop()
        server.end(signal.SIGQUIT)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
