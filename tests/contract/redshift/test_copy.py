"""COPY from S3. Source: Database Developer Guide, "COPY"."""

import io
from collections.abc import Callable
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

IAM = "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"
Sql = Callable[..., list[tuple[Any, ...]]]


def put_parquet(s3: Any, key: str, **columns: Any) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    s3.put_object(Bucket="landing", Key=key, Body=sink.getvalue())


def put(s3: Any, key: str, body: bytes | str) -> None:
    s3.put_object(Bucket="landing", Key=key, Body=body)


def test_parquet_loads_every_object_with_the_prefix(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", x=pa.array([1, 2], pa.int64()), y=["one", None])
    put_parquet(s3, f"{prefix}b.parquet", x=pa.array([3], pa.int64()), y=["trë"])
    sql("create table t (x bigint, y varchar(10))")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} format as parquet")
    assert sql("select * from t order by x") == [(1, "one"), (2, None), (3, "trë")]
    assert sql("select pg_last_copy_count()") == [(3,)]


def test_a_copy_that_fails_loads_nothing(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", x=pa.array([1, 2], pa.int64()))
    put_parquet(s3, f"{prefix}b.parquet", x=["no number"])
    sql("create table t (x bigint)")
    with pytest.raises(psycopg2.Error, match="Spectrum Scan Error"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    assert sql("select count(*) from t") == [(0,)]


def test_csv_with_quotes_header_and_nulls(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", 'id,name\n1,"a ""quoted"", name"\n2,\\N\n3,\n')
    sql("create table t (id int, name varchar(40))")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv ignoreheader 1")
    assert sql("select * from t order by id") == [(1, 'a "quoted", name'), (2, None), (3, "")]


def test_load_errors_survive_the_rollback(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1,fine\ntwo,bad\n")
    sql("create table t (id int, name varchar(40))")
    with pytest.raises(psycopg2.Error, match="stl_load_errors"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} csv")
    rows = sql(
        "select line_number, trim(colname), err_code, trim(raw_field_value), trim(raw_line) from stl_load_errors "
        "where filename like %s", f"%{prefix}%",
    )  # fmt: skip
    assert rows == [(2, "id", 1207, "two", "two,bad")]
