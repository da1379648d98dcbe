"""awswrangler, unmodified: every mode and overwrite method of its Redshift module."""

from collections.abc import Callable
from typing import Any

import awswrangler as wr
import pandas as pd
import pytest

IAM_ROLE = "arn:aws:iam::000000000000:role/copy"
Connect = Callable[..., Any]
FRAME = pd.DataFrame({"id": [1, 2], "name": ["a", "é"]})
MORE = pd.DataFrame({"id": [2, 3], "name": ["b", "c"]})


def rows(connection: Any, sql: str = "select * from t order by 1, 2") -> list[list[Any]]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return [list(row) for row in cursor.fetchall()]


@pytest.mark.parametrize("method", ["drop", "cascade", "truncate", "delete"])
def test_to_sql_overwrites(connect: Connect, schema: str, method: str) -> None:
    connection = connect()
    wr.redshift.to_sql(FRAME, connection, "t", schema, index=False)
    wr.redshift.to_sql(MORE, connection, "t", schema, mode="overwrite", overwrite_method=method, index=False)
    assert rows(connection) == [[2, "b"], [3, "c"]]


def test_to_sql_upserts_by_primary_key(connect: Connect, schema: str) -> None:
    connection = connect()
    for frame in (FRAME, MORE):
        wr.redshift.to_sql(
            frame, connection, "t", schema, mode="upsert", primary_keys=["id"], index=False, diststyle="KEY",
            distkey="id", sortkey=["id"], lock=True,
        )  # fmt: skip
    assert rows(connection) == [[1, "a"], [2, "b"], [3, "c"]]


def test_to_sql_finds_the_primary_key_of_an_existing_table(connect: Connect, schema: str) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("create table t (id bigint not null, name varchar(16), primary key (id))")
    connection.commit()
    for frame in (FRAME, MORE):
        wr.redshift.to_sql(frame, connection, "t", schema, mode="upsert", index=False)
    assert rows(connection) == [[1, "a"], [2, "b"], [3, "c"]]


def test_to_sql_adds_new_columns(connect: Connect, schema: str) -> None:
    connection = connect()
    wr.redshift.to_sql(FRAME, connection, "t", schema, index=False)
    wider = MORE.assign(score=1.5)
    wr.redshift.to_sql(wider, connection, "t", schema, index=False, add_new_columns=True, use_column_names=True)
    assert rows(connection) == [[1, "a", None], [2, "b", 1.5], [2, "é", None], [3, "c", 1.5]]


@pytest.mark.parametrize("method", ["drop", "cascade", "truncate", "delete"])
def test_copy_overwrites(connect: Connect, schema: str, prefix: str, method: str) -> None:
    connection = connect()
    for frame in (FRAME, MORE):
        wr.redshift.copy(
            frame, f"s3://landing/{prefix}", connection, "t", schema, iam_role=IAM_ROLE, mode="overwrite",
            overwrite_method=method, lock=frame is MORE, varchar_lengths={"name": 16},
        )  # fmt: skip
    assert rows(connection) == [[2, "b"], [3, "c"]]


def test_copy_upserts(connect: Connect, schema: str, prefix: str) -> None:
    connection = connect()
    for frame in (FRAME, MORE):
        wr.redshift.copy(
            frame, f"s3://landing/{prefix}", connection, "t", schema, iam_role=IAM_ROLE, mode="upsert",
            primary_keys=["id"], sortstyle="COMPOUND", sortkey=["id"],
        )  # fmt: skip
    assert rows(connection) == [[1, "a"], [2, "b"], [3, "c"]]


def test_copy_from_csv_files_with_a_manifest(s3: Any, connect: Connect, schema: str, prefix: str) -> None:
    connection = connect()
    s3.put_object(Bucket="landing", Key=f"{prefix}one.csv", Body=b"1,a\n")
    wr.redshift.copy_from_files(
        f"s3://landing/{prefix}", connection, "t", schema, iam_role=IAM_ROLE, data_format="csv",
        redshift_column_types={"id": "BIGINT", "name": "VARCHAR(10)"}, sql_copy_extra_params=["STATUPDATE ON"],
    )  # fmt: skip
    assert rows(connection) == [[1, "a"]]


def test_read_sql_and_unload(connect: Connect, schema: str, prefix: str) -> None:
    connection = connect()
    wr.redshift.to_sql(FRAME, connection, "t", schema, index=False)
    read = wr.redshift.read_sql_query("select * from t order by id", connection)
    assert read["name"].tolist() == ["a", "é"]
    assert wr.redshift.read_sql_table("t", connection, schema=schema)["id"].sum() == 3
    unloaded = wr.redshift.unload("select * from t", f"s3://landing/{prefix}", connection, iam_role=IAM_ROLE)
    assert sorted(unloaded["name"]) == ["a", "é"]


@pytest.mark.parametrize("unload_format", ["PARQUET", "CSV"])
def test_unload_to_files(s3: Any, connect: Connect, schema: str, prefix: str, unload_format: str) -> None:
    connection = connect()
    wr.redshift.to_sql(FRAME, connection, "t", schema, index=False)
    wr.redshift.unload_to_files(
        "select id, name, 'x''y' as quoted from t", f"s3://landing/{prefix}", connection, iam_role=IAM_ROLE,
        unload_format=unload_format, partition_cols=["id"] if unload_format == "PARQUET" else None, manifest=True,
    )  # fmt: skip
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="landing", Prefix=prefix)["Contents"]]
    assert f"{prefix}manifest" in keys
    assert len(keys) == (3 if unload_format == "PARQUET" else 2)
