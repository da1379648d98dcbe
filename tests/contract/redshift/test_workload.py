"""Files that queue for one table, at the pipeline's own rate, against queueing theory. Latencies are a model's"""

import contextlib
import json
import os
import random
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from harness.priority import session_niceness
from harness.redshift import LatencyModel, Settings, running

PASSWORD = "Secret-Passw0rd"


def waits_in_theory(arrivals_s: Sequence[float], service_s: float) -> list[float]:
    """How long each customer of a single server waits (Lindley's recursion): exact for these very arrivals."""
    free_s, waits = 0.0, []
    for at_s in arrivals_s:
        begins_s = max(at_s, free_s)
        waits.append(begins_s - at_s)
        free_s = begins_s + service_s
    return waits


def poisson(rate_per_s: float, count: int, seed: int) -> list[float]:
    draw, at_s, found = random.Random(seed), 0.0, []
    for _ in range(count):
        found.append(at_s)
        at_s += draw.expovariate(rate_per_s)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arrivals_s", "service_s"),
    [
        pytest.param([2.4 * number for number in range(18)], 3.0, id="25 a minute, 3 s each: overloaded, 125 %"),
        pytest.param(poisson(1.5, 60, seed=3), 0.5, id="Poisson, 90 a minute, 0.5 s each: 75 %"),
    ],
)
def test_waits_are_those_of_a_single_server(
    postgres: Any, s3_endpoint: str, s3: Any, prefix: str, tmp_path: Path, arrivals_s: list[float], service_s: float
) -> None:
    """Every COPY waits for the one before it: the n-th latency is what theory says of these arrivals."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": pa.array(range(100), pa.int64())}), sink)
    s3.put_object(Bucket="landing", Key=f"{prefix}a.parquet", Body=sink.getvalue().to_pybytes())
    table = f"w_{secrets.token_hex(4)}"
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password=PASSWORD, tls_dir=tmp_path, s3_endpoint=s3_endpoint,
        latency=LatencyModel(copy_base_s=service_s),
    )  # fmt: skip
    with running(settings) as listening, ThreadPoolExecutor(len(arrivals_s)) as threads:

        def connect() -> Any:
            connection = psycopg2.connect(
                host="127.0.0.1", port=listening.port, user="awsuser", password=PASSWORD, dbname="dev"
            )
            connection.autocommit = True
            return connection

        control = connect()
        control.cursor().execute(f"create table {table} (a bigint)")
        connections = [connect() for _ in arrivals_s]
        began_s = time.monotonic() + 0.5

        def copy(connection: Any, at_s: float) -> float:
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))  # open arrivals: their time is the schedule's
            connection.cursor().execute(f"copy {table} from 's3://landing/{prefix}' iam_role 'r' parquet")
            return time.monotonic() - began_s - at_s

        latencies_s = list(threads.map(copy, connections, arrivals_s))
        control.cursor().execute(f"drop table {table}")
        for connection in (*connections, control):
            connection.close()
    expected_s = [wait_s + service_s for wait_s in waits_in_theory(arrivals_s, service_s)]
    mean, mean_expected = sum(latencies_s) / len(latencies_s), sum(expected_s) / len(expected_s)
    print(f"mean latency {mean:.2f} s, theory {mean_expected:.2f} s; longest {max(latencies_s):.2f} s")
    # a single server is never faster than theory; what it is slower by is the machine's own time
    assert all(found >= expected * 0.98 for found, expected in zip(latencies_s, expected_s, strict=True))
    assert max(latencies_s) > 2 * service_s


@pytest.mark.documented("STV_LOCKS")
def test_locks_that_wait_show_in_stv_locks(sql: Any, psycopg: Any, schema: str) -> None:
    sql(f"create table {schema}.waited (a bigint)")
    holder, waiter = psycopg(), psycopg()
    holder.autocommit = False
    holder.cursor().execute(f"insert into {schema}.waited values (1)")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(waiter.cursor().execute, f"insert into {schema}.waited values (2)")
        look = (
            f"select lock_status from stv_locks where table_id = '{schema}.waited'::regclass::oid::integer order by 1"
        )
        while len(found := sql(look)) < 2:
            assert not waiting.done()
        holder.rollback()
        waiting.result(30)
    assert [status.strip() for (status,) in found] == ["Holding write lock", "Waiting for write lock"]


@pytest.mark.parametrize("held_s", [0.0, 1.0])
def test_the_wait_of_a_drivers_copy_for_its_table_is_in_the_query_log(
    postgres: Any, s3: Any, s3_endpoint: str, prefix: str, tmp_path: Path, held_s: float
) -> None:
    """redshift_connector prepares its COPY first, and waits for the table's lock there."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": pa.array([1], pa.int64())}), sink)
    s3.put_object(Bucket="landing", Key=f"{prefix}1.parquet", Body=sink.getvalue().to_pybytes())
    table, log = f"waited_{secrets.token_hex(6)}", tmp_path / "queries.jsonl"
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password=PASSWORD, tls_dir=tmp_path, s3_endpoint=s3_endpoint,
        query_log=log,
    )  # fmt: skip
    with running(settings) as listening, contextlib.ExitStack() as cleanup:
        login = {"host": "127.0.0.1", "port": listening.port, "user": "awsuser", "password": PASSWORD}
        holder = cleanup.enter_context(contextlib.closing(psycopg2.connect(dbname="dev", **login)))
        driver = redshift_connector.connect(database="dev", ssl=False, **login)
        cleanup.callback(driver.close)
        holder.cursor().execute(f"create table {table} (a bigint)")
        holder.commit()
        if held_s:
            holder.cursor().execute(f"insert into {table} values (0)")
        with ThreadPoolExecutor(1) as threads:
            statement = (
                f"copy {table} from 's3://landing/{prefix}' iam_role 'arn:aws:iam::000000000000:role/copy' parquet"
            )
            waiting = threads.submit(driver.cursor().execute, statement)
            time.sleep(held_s)  # the wait is what is measured
            holder.commit()
            waiting.result(30)
        driver.commit()
        holder.cursor().execute(f"drop table {table}")
        holder.commit()
    (waited_s,) = (
        query["lock_wait_s"] for line in log.read_text().splitlines() if "copy " in (query := json.loads(line))["sql"]
    )
    assert (waited_s > 0.5) == (held_s > 0)


def test_the_wait_for_a_slot_shows_in_the_query_history(postgres: Any, s3_endpoint: str, tmp_path: Path) -> None:
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password=PASSWORD, tls_dir=tmp_path, s3_endpoint=s3_endpoint, wlm_slots=1
    )
    mark = secrets.token_hex(6)
    with running(settings) as listening:
        connections = [
            psycopg2.connect(host="127.0.0.1", port=listening.port, user="awsuser", password=PASSWORD, dbname="dev")
            for _ in range(2)
        ]
        for connection in connections:
            connection.autocommit = True
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda one: one.cursor().execute(f"select pg_sleep(0.5), '{mark}'"), connections))
        cursor = connections[0].cursor()
        cursor.execute(f"select queue_time from sys_query_history where query_text like '%sleep%{mark}%' order by 1")
        first, second = (queued for (queued,) in cursor.fetchall())
        for connection in connections:
            connection.close()
    assert first < second
    assert second > 100_000


@pytest.mark.parametrize("niceness", [None, -5])
def test_sessions_are_as_urgent_as_the_gateway_is_told(
    postgres: Any, s3_endpoint: str, tmp_path: Path, niceness: int | None
) -> None:
    """Each process of PostgreSQL's leads a session of its own, so the server's niceness says nothing to the kernel."""
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password=PASSWORD, tls_dir=tmp_path, s3_endpoint=s3_endpoint,
        backend_niceness=niceness,
    )  # fmt: skip
    heard = niceness is not None and os.geteuid() == 0
    with (
        running(settings) as listening,
        contextlib.closing(
            psycopg2.connect(host="127.0.0.1", port=listening.port, user="awsuser", password=PASSWORD, dbname="dev")
        ) as connection,
    ):
        pid = connection.info.backend_pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == (niceness if heard else os.getpriority(os.PRIO_PROCESS, 0))
        assert session_niceness(pid) in {None, niceness if heard else 0}
