"""How long accounting takes, and how much memory and disk, as the number of records grows.

In: numbers of files of 10,000 records. Out: a table on stdout: CPU seconds of this process and of PostgreSQL, elapsed
seconds, the highest memory of both, the size of the database. The final table is filled in SQL from one made file,
whose key is shifted for each further one; accounting then reads every file again, as it does after a run. Compare lines
of one run only. Run it: `python -m benchmarks.accounting 100 200 400`; 10,000 files are 100 million records.
"""

import argparse
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.compute as pc

from generators.records import make_table
from harness import sql
from harness.accounting import DeliveredFile, TypeTotals, account
from harness.pipeline import Pipeline, load
from harness.stack import postgres
from harness.stack.endpoints import Endpoints, Redshift
from harness.stack.processes import LOOPBACK, free_port

RECORDS = 10_000
TYPE = "orders"
FINAL, STAGE, TEMPLATE = "public.orders", "stage.orders", "public.template"
SAMPLE_EVERY_S = 0.2
MIB = 2**20


@dataclass
class Peak:
    """The highest memory seen so far, in bytes: private memory, as PostgreSQL's processes share their buffers."""

    harness: int = 0
    postgres: int = 0


@contextmanager
def _server() -> Iterator[Endpoints]:
    directory = Path(tempfile.mkdtemp(prefix="nrt-bench-"))
    directory.chmod(0o711)
    port, password = free_port(), secrets.token_urlsafe()
    server = postgres.start(directory / "postgres", directory, port, password)
    try:
        postgres.wait(server, port, password)
        database = Redshift(LOOPBACK, port, postgres.DATABASE, postgres.SUPERUSER, password, None)
        yield Endpoints(
            stack="postgres", aws_endpoint_url="", region="", redshift=database, postgres=database,
            directory=directory, trace_file=directory / "trace", query_log=directory / "queries",
            images_file=None, pids={"postgres": server.pid},
        )  # fmt: skip
    finally:
        server.end(signal.SIGQUIT, 60)
        shutil.rmtree(directory)


def _file(template: pa.Table, index: int) -> pa.Table:
    at = template.column_names.index("order_id")
    return template.set_column(at, "order_id", pc.add(template["order_id"], index * RECORDS))


def _fill(endpoints: Endpoints, pipeline: Pipeline, template: pa.Table, files: int) -> None:
    import io

    import pyarrow.csv

    settings = pipeline.types[TYPE]
    columns = ", ".join(f'"{name}" {column.type}' for name, column in settings.columns.items())
    others = ", ".join(f'"{name}"' for name in settings.columns if name != "order_id")
    text = io.BytesIO()
    pyarrow.csv.write_csv(template.select(list(settings.columns)), text)
    text.seek(0)
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS stage; DROP TABLE IF EXISTS {FINAL}, {STAGE}, {TEMPLATE}")
        cursor.execute(f"CREATE TABLE {TEMPLATE} ({columns}, source_row bigserial)")
        for table in (STAGE, FINAL):
            cursor.execute(
                f"CREATE TABLE {table} ({columns}, source_file varchar(1024), source_row bigint, loaded_at timestamp)"
            )
        cursor.copy_expert(
            f"COPY {TEMPLATE} ({', '.join(settings.columns)}) FROM STDIN (FORMAT csv, HEADER true)", text
        )
        cursor.execute(
            f"INSERT INTO {FINAL} (order_id, {others}, source_file, source_row, loaded_at) "
            f"SELECT order_id + file * {RECORDS}, {others}, 'f' || file, source_row, now() AT TIME ZONE 'UTC' "
            f"FROM generate_series(0, {files - 1}) AS file, {TEMPLATE}"
        )


@contextmanager
def _watched(endpoints: Endpoints, peak: Peak) -> Iterator[None]:
    """Looks at memory until the block ends, however it does."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(endpoints, peak, stop))
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(endpoints: Endpoints, peak: Peak, stop: threading.Event) -> None:
    server = psutil.Process(endpoints.pids["postgres"])
    while not stop.wait(SAMPLE_EVERY_S):
        peak.harness = max(peak.harness, psutil.Process().memory_info().rss)
        try:
            used = sum(one.memory_info().rss - one.memory_info().shared for one in server.children())
        except psutil.NoSuchProcess:
            continue
        peak.postgres = max(peak.postgres, used)


def _cpu_s(endpoints: Endpoints) -> float:
    """Of PostgreSQL's processes that are there now; the session that counts is one of them until it ends."""
    server = psutil.Process(endpoints.pids["postgres"])
    return sum(one.cpu_times().user + one.cpu_times().system for one in server.children())


def _size_mib(endpoints: Endpoints) -> float:
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        row = cursor.fetchone()
    return row[0] / MIB if row else 0.0


def measure(endpoints: Endpoints, pipeline: Pipeline, files: int) -> str:
    """Account for so many files and say what that took."""
    dataset = pipeline.dataset(TYPE)
    template = make_table(dataset, seed=1, file_index=0, records=RECORDS, at=datetime(2026, 1, 1, tzinfo=UTC))
    _fill(endpoints, pipeline, template, files)
    delivered = [DeliveredFile(index, f"f{index}", partial(_file, template, index)) for index in range(files)]
    peak, merged, cpu_s = Peak(), 0, 0.0
    with _watched(endpoints, peak):
        began_s, own_s = time.monotonic(), time.process_time()
        for result in account(pipeline, TYPE, delivered, endpoints):
            if isinstance(result, TypeTotals):
                assert result.unexpected == result.foreign == 0, result
                cpu_s = _cpu_s(endpoints)
            else:
                merged += result[1].merged
                assert result[1].from_other_file == result[1].from_other_row == result[1].altered == 0, result
        took_s, own_s = time.monotonic() - began_s, time.process_time() - own_s
    assert merged == files * RECORDS, merged
    return (
        f"{files * RECORDS / 1e6:>8.2f} {took_s:>9.1f} {own_s:>11.1f} {cpu_s:>12.1f} {peak.harness / MIB:>12.0f} "
        f"{peak.postgres / MIB:>13.0f} {_size_mib(endpoints):>13.0f}"
    )


def main() -> None:
    """Measure each number of files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=int, nargs="+", help="how many files of 10,000 records")
    options = parser.parse_args()
    pipeline = load(Path(__file__).parents[1] / "pipeline.toml")
    print("millions elapsed_s harness_cpu postgres_cpu harness_mib postgres_mib database_mib")
    with _server() as endpoints:
        for files in options.files:
            print(measure(endpoints, pipeline, files), flush=True)


if __name__ == "__main__":
    main()
