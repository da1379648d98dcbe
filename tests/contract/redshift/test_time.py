"""Time as Redshift spends it: locks held while a COPY lasts, a limit on concurrent queries. Latencies are a model's."""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.redshift import LatencyModel, Settings, running

PASSWORD = "Secret-Passw0rd"


@pytest.fixture
def slow(postgres: Any, s3_endpoint: str, tmp_path: Path) -> Callable[..., Any]:
    """Starts a gateway with a model of its own; gives a function that opens connections."""

    @contextmanager
    def start(**options: Any) -> Iterator[Callable[[], Any]]:
        settings = Settings(
            postgres=postgres.dsn,
            user="awsuser",
            password=PASSWORD,
            tls_dir=tmp_path,
            s3_endpoint=s3_endpoint,
            **options,
        )
        opened = []

        def connect(application_name: str = "test") -> Any:
            connection = psycopg2.connect(
                application_name=application_name,
                host="127.0.0.1",
                port=listening.port,
                user="awsuser",
                password=PASSWORD,
                dbname="dev",
                sslmode="disable",
            )
            connection.autocommit = True
            opened.append(connection)
            return connection

        with running(settings) as listening:
            yield connect
            for connection in opened:
                connection.close()

    return start


def put_rows(s3: Any, key: str, rows: int) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": pa.array(range(rows), pa.int64())}), sink)
    s3.put_object(Bucket="landing", Key=key, Body=sink.getvalue().to_pybytes())


@pytest.mark.documented("Managing concurrent write operations")
def test_copies_into_one_table_queue_for_its_lock(slow: Any, s3: Any, prefix: str) -> None:
    """Three at once into one table take three times as long as one; into three tables they do not."""
    put_rows(s3, f"{prefix}a.parquet", 100)
    names = [f"q_{secrets.token_hex(4)}" for _ in range(3)]
    with slow(latency=LatencyModel(copy_base_s=0.2, copy_per_row_s=0.001)) as connect, ThreadPoolExecutor(3) as threads:
        control = connect().cursor()
        for name in names:
            control.execute(f"create table {name} (a bigint)")
        cursors = [connect().cursor() for _ in names]

        def copy(cursor: Any, table: str) -> float:
            started = time.monotonic()
            cursor.execute(f"copy {table} from 's3://landing/{prefix}' iam_role 'r' parquet")
            return time.monotonic() - started

        queued = sorted(threads.map(copy, cursors, [names[0]] * 3))
        spread_out = sorted(threads.map(copy, cursors, names))
        for name in names:
            control.execute(f"drop table {name}")
    assert queued[0] >= 0.3
    assert queued[1] >= 0.6
    assert queued[2] >= 0.9
    assert spread_out[0] >= 0.3
    assert sum(spread_out) < sum(queued)


def test_a_queued_copy_does_not_hold_its_tables_lock(slow: Any, s3: Any, prefix: str) -> None:
    """Three at once into one table that wait before their lock wait side by side, not one after the other."""
    put_rows(s3, f"{prefix}a.parquet", 100)
    name = f"q_{secrets.token_hex(4)}"
    with slow(latency=LatencyModel(copy_queue_s=1.0)) as connect, ThreadPoolExecutor(3) as threads:
        control = connect().cursor()
        control.execute(f"create table {name} (a bigint)")
        cursors = [connect().cursor() for _ in range(3)]
        statement = f"copy {name} from 's3://landing/{prefix}' iam_role 'r' parquet"
        started = time.monotonic()
        list(threads.map(lambda cursor: cursor.execute(statement), cursors))
        took_s = time.monotonic() - started
        control.execute(f"drop table {name}")
    assert 1.0 <= took_s < 2.9


@pytest.mark.documented("Implementing manual WLM")
def test_slots_limit_what_runs_at_once(slow: Any, s3: Any, prefix: str) -> None:
    put_rows(s3, f"{prefix}a.parquet", 1)
    names = [f"q_{secrets.token_hex(4)}" for _ in range(2)]
    with slow(latency=LatencyModel(copy_base_s=0.2), wlm_slots=1) as connect, ThreadPoolExecutor(2) as threads:
        control = connect().cursor()
        for name in names:
            control.execute(f"create table {name} (a bigint)")
        cursors = [connect().cursor() for _ in names]
        started = time.monotonic()
        statements = [f"copy {name} from 's3://landing/{prefix}' iam_role 'r' parquet" for name in names]
        list(threads.map(lambda cursor, statement: cursor.execute(statement), cursors, statements))
        assert time.monotonic() - started >= 0.4
        for name in names:
            control.execute(f"drop table {name}")
        with pytest.raises(psycopg2.errors.UndefinedTable):
            control.execute(f"select * from {names[0]}")
        control.execute("select 1")


def test_the_model_repeats_with_its_seed() -> None:
    from harness.redshift.latency import Latency

    model = LatencyModel(copy_base_s=3, spread=0.3, seed=7)
    first, second = Latency(model), Latency(model)
    drawn = [first.copy_s(10) for _ in range(5)]
    assert drawn == [second.copy_s(10) for _ in range(5)]
    assert len(set(drawn)) == 5


def test_the_model_is_changed_for_all_sessions_while_the_gateway_runs(slow: Any, s3: Any, prefix: str) -> None:
    put_rows(s3, f"{prefix}a.parquet", 1)
    name = f"q_{secrets.token_hex(4)}"
    with slow() as connect:
        first, second = connect().cursor(), connect().cursor()
        first.execute(f"create table {name} (a bigint)")

        def copy_s() -> float:
            started = time.monotonic()
            first.execute(f"copy {name} from 's3://landing/{prefix}' iam_role 'r' parquet")
            return time.monotonic() - started

        second.execute("alter system set model.copy_base_s = 2")
        assert copy_s() >= 2
        second.execute("ALTER SYSTEM SET model.copy_base_s TO 0")
        assert copy_s() < 2
        first.execute(f"drop table {name}")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("alter system set model.copy_minutes = 1", psycopg2.errors.UndefinedObject),
        ("alter system set model.copy_base_s = -1", psycopg2.errors.InvalidParameterValue),
        ("alter system set model.copy_base_s = inf", psycopg2.errors.InvalidParameterValue),
        ("alter system set model.wlm_slots = 1.5", psycopg2.errors.InvalidParameterValue),
        ("alter system set shared_buffers = 1", psycopg2.errors.FeatureNotSupported),
    ],
)
def test_a_setting_that_the_model_does_not_have_is_refused(
    sql: Callable[..., object], statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        sql(statement)


def test_more_slots_let_the_waiting_run(slow: Any) -> None:
    """One slot is taken by a statement that waits for a lock; the next runs when there is a second slot."""
    name = f"q_{secrets.token_hex(4)}"
    with slow(wlm_slots=1) as connect, ThreadPoolExecutor(2) as threads:
        control, holder, waiter, other = (connect() for _ in range(4))
        control.cursor().execute(f"create table {name} (a bigint)")
        holder.autocommit = False
        holder.cursor().execute(f"lock {name}")
        queued = threads.submit(lambda: waiter.cursor().execute(f"select * from {name}"))
        behind = threads.submit(lambda: other.cursor().execute("select 1"))
        assert not behind.done()
        control.cursor().execute("alter system set model.wlm_slots = 2")
        behind.result(20)
        assert not queued.done()
        holder.rollback()
        queued.result(20)
        control.cursor().execute(f"drop table {name}")


def test_a_connection_beyond_the_limit_is_refused_until_another_ends(slow: Any) -> None:
    """Whoever sets the model gets in all the same: otherwise nobody could lift the limit of a full warehouse."""
    with slow() as connect:
        first = connect()
        first.cursor().execute("alter system set model.max_connections = 2")
        second = connect()
        with pytest.raises(psycopg2.OperationalError, match='connection limit "2" exceeded for non-bootstrap users'):
            connect()
        connect(application_name="nrt-model").close()
        second.close()
        deadline = time.monotonic() + 20
        while True:
            try:
                connect()
                break
            except psycopg2.OperationalError:
                assert time.monotonic() < deadline
        first.cursor().execute("alter system set model.max_connections = 0")
        connect()
