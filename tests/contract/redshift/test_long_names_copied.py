"""COPY and UNLOAD with names of 64 to 127 bytes. Source: Database Developer Guide."""

import io
import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.contract.redshift.test_long_names import FIRST, LONGEST, SECOND

IAM = "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"
Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented


@source("COPY")
def test_copy_knows_columns_by_their_whole_names(s3: Any, sql: Sql, psycopg: Connect, prefix: str) -> None:
    sql(f"create table {FIRST} ({FIRST} int, {SECOND} varchar(2))")
    s3.put_object(Bucket="landing", Key=f"{prefix}a.json", Body=json.dumps({SECOND: "x", FIRST: 1}).encode())
    connection = psycopg()
    connection.cursor().execute(f"copy {FIRST} from 's3://landing/{prefix}a.json' {IAM} json 'auto'")
    assert f"Load into table '{FIRST}' completed, 1 record(s)" in connection.notices[-1]
    sink = io.BytesIO()
    pq.write_table(pa.table({FIRST: pa.array(["y"]), SECOND: pa.array([2], pa.int32())}), sink)
    s3.put_object(Bucket="landing", Key=f"{prefix}b.parquet", Body=sink.getvalue())
    sql(f"copy {FIRST} ({SECOND}, {FIRST}) from 's3://landing/{prefix}b.parquet' {IAM} parquet")
    assert sql(f"select * from {FIRST} order by 1") == [(1, "x"), (2, "y")]
    s3.put_object(Bucket="landing", Key=f"{prefix}c.csv", Body=b"3,long\n")
    with pytest.raises(psycopg2.Error, match=f"Load into table '{FIRST}' failed"):
        sql(f"copy {FIRST} from 's3://landing/{prefix}c.csv' {IAM} csv")
    ((column, table),) = sql(
        "select trim(colname), relname from stl_load_errors e join pg_class c on c.oid = tbl where filename like %s",
        f"s3://landing/{prefix}%",
    )
    assert (column, table) == (SECOND, FIRST)
    tables = sql(
        "select distinct table_name from sys_load_history where data_source like %s", f"s3://landing/{prefix}%"
    )
    assert tables == [(FIRST,)]
    with pytest.raises(psycopg2.errors.UndefinedColumn, match=LONGEST):
        sql(f"copy {FIRST} ({LONGEST}) from 's3://landing/{prefix}c.csv' {IAM} csv")


@source("UNLOAD")
def test_unload_writes_whole_names(s3: Any, sql: Sql, prefix: str) -> None:
    sql(f"create table {FIRST} ({FIRST} int, {SECOND} varchar(2)); insert into {FIRST} values (1, 'x')")
    target = f"to 's3://landing/{prefix}"

    def read(name: str) -> bytes:
        return bytes(s3.get_object(Bucket="landing", Key=prefix + name)["Body"].read())

    sql(f"unload ('select *, 2 as {LONGEST} from {FIRST}') {target}csv' {IAM} csv header parallel off")
    assert read("csv000") == f"{FIRST},{SECOND},{LONGEST}\n1,x,2\n".encode()
    sql(f"unload ('select * from {FIRST}') {target}parquet' {IAM} parquet")
    assert pq.read_table(io.BytesIO(read("parquet0000_part_00.parquet"))).to_pylist() == [{FIRST: 1, SECOND: "x"}]
    sql(f"unload ('select * from {FIRST}') {target}by/' {IAM} json partition by ({SECOND}) parallel off")
    assert json.loads(read(f"by/{SECOND}=x/000")) == {FIRST: 1}
