"""Unmodified clients: redshift_connector, awswrangler, psycopg2."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import awswrangler as wr
import pandas as pd
import psycopg2
import pytest
import redshift_connector

IAM_ROLE = "arn:aws:iam::000000000000:role/copy"
Connect = Callable[..., Any]


def test_wrangler_copy_appends(connect: Connect, schema: str, prefix: str) -> None:
    connection = connect()
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    for _ in range(2):
        wr.redshift.copy(
            df=frame, path=f"s3://landing/{prefix}", con=connection, schema=schema, table="t", mode="append",
            iam_role=IAM_ROLE,
        )  # fmt: skip
    cursor = connection.cursor()
    cursor.execute("select count(*), pg_last_copy_count() from t")
    assert cursor.fetchall() == ([6, 3],)


def test_wrangler_copy_from_files_in_one_transaction(connect: Connect, schema: str, prefix: str) -> None:
    connection = connect()
    wr.s3.to_parquet(pd.DataFrame({"a": [1, 2]}), f"s3://landing/{prefix}x.parquet")
    cursor = connection.cursor()
    cursor.execute("create table t (a bigint)")
    connection.commit()
    wr.redshift.copy_from_files(
        f"s3://landing/{prefix}", connection, "t", schema, iam_role=IAM_ROLE, commit_transaction=False
    )
    connection.rollback()
    cursor.execute("select count(*) from t")
    assert cursor.fetchone() == [0]


def test_copy_in_autocommit_mode(connect: Connect, prefix: str) -> None:
    connection = connect()
    connection.autocommit = True
    wr.s3.to_parquet(pd.DataFrame({"a": [1, 2]}), f"s3://landing/{prefix}x.parquet")
    cursor = connection.cursor()
    cursor.execute("create table t (a bigint primary key, b varchar(3) default 'x')")
    for _ in range(2):
        cursor.execute(f"copy t (a) from 's3://landing/{prefix}' iam_role '{IAM_ROLE}' parquet")
    cursor.execute("select a, b from t order by 1")
    assert cursor.fetchall() == ([1, "x"], [1, "x"], [2, "x"], [2, "x"])


def test_a_refused_statement_leaves_the_session_usable(connect: Connect) -> None:
    connection = connect()
    connection.autocommit = True
    cursor = connection.cursor()
    for statement in ("create index i on t (a)", "copy t from stdin", "frobnicate", "select nothing from nowhere"):
        with pytest.raises(redshift_connector.ProgrammingError):
            cursor.execute(statement)
    cursor.execute("select 1")
    assert cursor.fetchone() == [1]


@pytest.mark.documented("Managing concurrent write operations")
def test_a_second_copy_waits_for_the_first_transaction(connect: Connect, prefix: str) -> None:
    first, second = connect(), connect()
    wr.s3.to_parquet(pd.DataFrame({"a": [1, 2]}), f"s3://landing/{prefix}x.parquet")
    copy = f"copy t from 's3://landing/{prefix}' iam_role '{IAM_ROLE}' parquet"
    first.cursor().execute("create table t (a bigint)")
    first.commit()
    first.cursor().execute(copy)
    finished: list[float] = []

    def copy_second() -> None:
        second.cursor().execute(copy)
        finished.append(time.monotonic())
        second.commit()

    thread = Thread(target=copy_second)
    thread.start()
    watcher = connect()
    watcher.autocommit = True
    cursor = watcher.cursor()
    while True:
        cursor.execute("select count(*) from pg_locks where not granted")
        if cursor.fetchone()[0]:
            break
    assert not finished
    released = time.monotonic()
    first.commit()
    thread.join()
    assert finished[0] >= released
    cursor.execute("select count(*) from t")
    assert cursor.fetchone() == [4]


@pytest.mark.documented("Managing concurrent write operations")
@pytest.mark.parametrize("opens", ["psycopg", "connect"], ids=["simple", "extended"])
def test_a_copy_that_waited_reads_what_is_there_when_it_goes_on(
    request: pytest.FixtureRequest, sql: Any, psycopg: Connect, prefix: str, opens: str
) -> None:
    """Two writers of one prefix that take turns by the table's lock each load what they wrote."""
    sql("create table t (a bigint)")
    first = psycopg()
    first.autocommit = False
    first.cursor().execute("lock t")
    second = request.getfixturevalue(opens)()
    second.autocommit = True
    copy = f"copy t from 's3://landing/{prefix}' iam_role '{IAM_ROLE}' parquet"
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(second.cursor().execute, copy)
        while not sql("select 1 from pg_locks where relation = 't'::regclass and not granted"):
            assert not waiting.done()
        wr.s3.to_parquet(pd.DataFrame({"a": [1, 2]}), f"s3://landing/{prefix}x.parquet")
        first.commit()
        waiting.result(30)
    assert sql("select count(*) from t") == [(2,)]


def test_a_wrong_password_is_refused(gateway: Any) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=gateway.host, port=gateway.port, user="awsuser", password="no", dbname="dev")


def test_psycopg2_merges_in_one_transaction(psycopg: Connect) -> None:
    connection = psycopg()
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute("create table s (k int, v int); create table f (k int primary key, v int)")
    cursor.execute("insert into s values (1, 10), (2, 20); insert into f values (1, 1)")
    cursor.execute("merge into f using s on f.k = s.k when matched then update set v = s.v "
                   "when not matched then insert values (s.k, s.v)")  # fmt: skip
    cursor.execute("delete from s using f where s.k = f.k")
    connection.commit()
    cursor.execute("select * from f order by k")
    assert cursor.fetchall() == [(1, 10), (2, 20)]
