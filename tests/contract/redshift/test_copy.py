"""COPY from S3"""

import bz2
import datetime as dt
import gzip
import io
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.orc as orc
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


@pytest.mark.documented("COPY from columnar data formats")
def test_parquet_loads_every_object_with_the_prefix(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", x=pa.array([1, 2], pa.int64()), y=["one", None])
    put_parquet(s3, f"{prefix}b.parquet", x=pa.array([3], pa.int64()), y=["trë"])
    sql("create table t (x bigint, y varchar(10))")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} format as parquet")
    assert sql("select * from t order by x") == [(1, "one"), (2, None), (3, "trë")]
    assert sql("select pg_last_copy_count()") == [(3,)]


@pytest.mark.documented("COPY")
def test_a_copy_that_fails_loads_nothing(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", x=pa.array([1, 2], pa.int64()))
    put_parquet(s3, f"{prefix}b.parquet", x=["no number"])
    sql("create table t (x bigint)")
    with pytest.raises(psycopg2.Error, match="Spectrum Scan Error"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    assert sql("select count(*) from t") == [(0,)]


@pytest.mark.documented("Data format parameters")
def test_csv_with_quotes_header_and_nulls(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", 'id,name\n1,"a ""quoted"", name"\n2,\\N\n3,\n')
    sql("create table t (id int, name varchar(40))")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv ignoreheader 1")
    assert sql("select * from t order by id") == [(1, 'a "quoted", name'), (2, None), (3, "")]


@pytest.mark.documented("STL_LOAD_ERRORS")
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


@pytest.mark.documented("COPY from columnar data formats")
@pytest.mark.parametrize(("ddl", "column", "message"), [
    ("a int", pa.array([1], pa.int64()), "incompatible Parquet schema"),
    ("a bigint", pa.array([1], pa.int32()), "incompatible Parquet schema"),
    ("a bigint", pa.array([1.5]), "incompatible Parquet schema"),
    ("a varchar(9)", pa.array([1]), "incompatible Parquet schema"),
    ("a timestamp", pa.array(["2024-01-01"]), "incompatible Parquet schema"),
    ("a numeric(12,2)", pa.array([Decimal("1.234")]), "incompatible Parquet schema"),
    ("a numeric(2,1)", pa.array([Decimal("123.4")]), "incompatible Parquet schema"),
    ("a varchar(3)", pa.array(["éé"]), "longer than the length defined in the table"),
    ("a bigint, b int", pa.array([1]), "Unmatched number of columns"),
])  # fmt: skip
def test_parquet_must_fit(s3: Any, sql: Sql, prefix: str, ddl: str, column: Any, message: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", a=column)
    sql(f"create table t ({ddl})")
    with pytest.raises(psycopg2.InternalError, match="Spectrum Scan Error") as caught:
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    assert message in caught.value.diag.message_detail
    code = 15001 if "longer" in message else 15007
    assert re.search(rf"code:\s+{code}\b", caught.value.diag.message_detail)
    assert sql("select count(*) from t") == [(0,)]


@pytest.mark.documented("COPY from columnar data formats")
def test_parquet_types_arrive(s3: Any, sql: Sql, prefix: str) -> None:
    moment = dt.datetime(1969, 7, 20, 20, 17, 40, 123456)
    put_parquet(
        s3, f"{prefix}a.parquet", a=pa.array([-7], pa.int16()), b=pa.array([2**31 - 1], pa.int32()), c=[2**62],
        d=pa.array([1.5], pa.float32()), e=[0.1], f=[True], g=[dt.date(1900, 1, 2)],
        h=pa.array([moment], pa.timestamp("us")),
        i=pa.array([moment], pa.timestamp("us", "UTC")), j=[Decimal("-12345.67")], k=["€"], m=["eur"],
        n=pa.array([None], pa.string()),
    )  # fmt: skip
    sql("create table t (a smallint, b int, c bigint, d real, e float, f bool, g date, h timestamp, i timestamptz, "
        "j numeric(12,2), k varchar(3), m char(3), n varchar(1))")  # fmt: skip
    sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    assert sql("select * from t") == [(
        -7, 2**31 - 1, 2**62, 1.5, 0.1, True, dt.date(1900, 1, 2), moment, moment.replace(tzinfo=dt.UTC),
        Decimal("-12345.67"), "€", "eur", None,
    )]  # fmt: skip


@pytest.mark.documented("COPY from columnar data formats")
@pytest.mark.parametrize("option", [
    "maxerror 5", "gzip", "bzip2", "zstd", "delimiter ','", "fixedwidth 'a:1'", "ignoreheader 1", "acceptanydate",
    "null as 'x'", "emptyasnull", "blanksasnull", "dateformat 'auto'", "timeformat 'auto'", "truncatecolumns",
    "trimblanks", "quote '!'", "escape", "removequotes", "roundec", "noload", "compupdate off", "ignoreallerrors",
    "encoding 'utf16'", "ignoreblanklines", "comprows 1",
])  # fmt: skip
def test_options_not_for_columnar_formats(sql: Sql, option: str) -> None:
    sql("create table t (a int)")
    with pytest.raises(psycopg2.Error, match="not supported for PARQUET"):
        sql(f"copy t from 's3://landing/x' {IAM} {option} parquet")


@pytest.mark.documented("COPY from columnar data formats")
def test_orc_and_fillrecord(s3: Any, sql: Sql, prefix: str) -> None:
    sink = io.BytesIO()
    orc.write_table(pa.table({"a": pa.array([1, 2], pa.int32())}), sink)
    put(s3, f"{prefix}a.orc", sink.getvalue())
    sql("create table t (a int, b varchar(3))")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} format as orc fillrecord")
    assert sql("select * from t order by a") == [(1, None), (2, None)]


@pytest.mark.documented("COPY from columnar data formats")
def test_nested_parquet_into_super(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", a=[{"x": [1, 2]}])
    sql("create table t (a super)")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet serializetojson")
    assert sql("select a -> 'x' ->> 1 from t") == [("2",)]


@pytest.mark.documented("Loading semistructured data into Amazon Redshift")
def test_any_parquet_column_into_super_needs_serializetojson(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}a.parquet", a=['{"x": 1}'], b=[7], c=[Decimal("1.5")], d=[dt.date(2024, 3, 1)])
    sql("create table t (a super, b super, c super, d super)")
    with pytest.raises(psycopg2.InternalError, match="Spectrum Scan Error"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet serializetojson")
    (row,) = sql("select * from t")
    assert list(map(json.loads, row)) == ['{"x": 1}', 7, 1.5, "2024-03-01"]


@pytest.mark.documented("COPY from columnar data formats")
def test_empty_objects_beside_parquet_are_passed_over(s3: Any, sql: Sql, prefix: str) -> None:
    put_parquet(s3, f"{prefix}b.parquet", a=[1])
    put(s3, f"{prefix}_SUCCESS", b"")
    put(s3, f"{prefix}c.parquet", b"")
    sql("create table t (a bigint)")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    assert sql("select * from t") == [(1,)]
    put(s3, f"{prefix}c.parquet", b"no parquet")
    with pytest.raises(psycopg2.InternalError, match="Spectrum Scan Error"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")


@pytest.mark.documented("Using a manifest to specify data files")
def test_manifest(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1\n")
    put(s3, f"{prefix}b.csv", "2\n")
    url = f"s3://landing/{prefix}"
    entries = [{"url": f"{url}b.csv", "mandatory": True}, {"url": f"{url}missing.csv"}]
    put(s3, f"{prefix}list", json.dumps({"entries": entries}))
    sql("create table t (a int)")
    sql(f"copy t from '{url}list' {IAM} csv manifest")
    assert sql("select a from t") == [(2,)]
    put(s3, f"{prefix}list", json.dumps({"entries": [*entries, {"url": f"{url}missing.csv", "mandatory": True}]}))
    with pytest.raises(psycopg2.InternalError, match="S3ServiceException"):
        sql(f"copy t from '{url}list' {IAM} csv manifest")
    put(s3, f"{prefix}list", json.dumps({"entries": [{"url": f"{url}missing.csv"}]}))
    with pytest.raises(psycopg2.InternalError, match="Problem reading manifest file"):
        sql(f"copy t from '{url}list' {IAM} csv manifest")
    assert sql("select count(*) from t") == [(1,)]


DATE, TIME = dt.date(2024, 3, 1), dt.datetime(2024, 3, 1, 10, 20, 30)


@pytest.mark.parametrize(("page", "expression", "expected", "ddl", "body"), [
    ("DELIMITER", "", [(1, "x"), (2, "")], "a int, b varchar(5)", "1|x\n2|\n"),
    ("DELIMITER", "delimiter '\\t'", [(1, "x")], "a int, b varchar(5)", "1\tx\n"),
    ("EMPTYASNULL", "csv emptyasnull", [(None, None)], "a int, b varchar(5)", ",\n"),
    ("BLANKSASNULL", "csv blanksasnull", [(None, None)], "a int, b varchar(5)", " ,  \n"),
    ("TRIMBLANKS", "csv trimblanks", [("x",)], "a varchar(5)", "x   \n"),
    ("NULL AS", "csv null as 'nix'", [(None,), ("x",)], "a varchar(5)", "nix\nx\n"),
    ("TRUNCATECOLUMNS", "csv truncatecolumns", [("éa",)], "a varchar(3)", "éabc\n"),
    ("FILLRECORD", "csv fillrecord", [(1, None, "")], "a int, b int, c varchar(3)", "1\n"),
    ("FIXEDWIDTH", "fixedwidth 'a:3,b:2'", [(12, "xy")], "a int, b varchar(2)", " 12xy\n"),
    ("FIXEDWIDTH", "fixedwidth 'b:2,a:3'", [(1, "xyz")], "a int, b varchar(3)", " 1xyz\n"),
    ("DELIMITER", "delimiter '|~|'", [(1, "x")], "a int, b varchar(5)", "1|~|x\n"),
    ("DELIMITER", "delimiter '\\\\037'", [(1, "x")], "a int, b varchar(5)", "1\x1fx\n"),
    ("IGNOREBLANKLINES", "csv ignoreblanklines", [(1,), (2,)], "a int", "1\n\n2\n"),
    ("ESCAPE", "escape delimiter '|'", [("a|b", "c\nd")], "a varchar(5), b varchar(5)", "a\\|b|c\\\nd\n"),
    ("REMOVEQUOTES", "removequotes delimiter ','", [("a,b", "c")], "a varchar(5), b varchar(5)", "\"a,b\",'c'\n"),
    ("QUOTE AS", "csv quote as '!'", [("a,b",)], "a varchar(5)", "!a,b!\n"),
    ("IGNOREHEADER", "csv ignoreheader 2", [(3,)], "a int", "x\ny\n3\n"),
    ("DATEFORMAT", "csv dateformat 'DD.MM.YYYY'", [(DATE,)], "a date", "01.03.2024\n"),
    ("DATEFORMAT", "csv dateformat 'auto'", [(DATE,)], "a date", '"March 1, 2024"\n'),
    ("TIMEFORMAT", "csv timeformat 'MM.DD.YYYY HH:MI:SS'", [(TIME,)], "a timestamp", "03.01.2024 10:20:30\n"),
    ("TIMEFORMAT", "csv timeformat 'epochsecs'", [(TIME,)], "a timestamp", "1709288430\n"),
    ("TIMEFORMAT", "csv timeformat 'epochmillisecs'", [(TIME,)], "a timestamp", "1709288430000\n"),
    ("TIMEFORMAT", "csv timeformat 'auto'", [(TIME,)], "a timestamp", "2024-03-01T10:20:30\n"),
    ("ACCEPTANYDATE", "csv acceptanydate", [(None,)], "a date", "nonsense\n"),
    ("ACCEPTINVCHARS", "csv acceptinvchars '^'", [("a^b",)], "a varchar(5)", b"a\xffb\n"),
    ("ACCEPTINVCHARS", "csv acceptinvchars", [("a???b�",)], "a varchar(9)", b"a\xf0\x90\x8db\xef\xbf\xbd\n"),
    ("ROUNDEC", "csv roundec", [(Decimal("1.24"),)], "a numeric(4,2)", "1.235\n"),
    ("ROUNDEC", "csv", [(Decimal("1.23"),)], "a numeric(4,2)", "1.239\n"),
    ("GZIP", "csv gzip", [(1,)], "a int", gzip.compress(b"1\n")),
    ("BZIP2", "csv bzip2", [(1,)], "a int", bz2.compress(b"1\n")),
    ("ZSTD", "csv zstd", [(1,)], "a int", pa.compress(b"1\n", "zstd", asbytes=True)),
    ("Boolean type", "csv", [(True,), (False,), (None,)], "a bool, b int", "yes,\n0,\n,\n"),
    ("COPY from JSON format", "json 'auto'", [(1, "x", None)], "a int, b varchar(5), c int",
     '{"b": "x", "a": 1, "z": 2}'),
    ("COPY from JSON format", "json 'auto'", [(1,), (2,)], "a int", '{"a":\n1} {"a": 2}'),
    ("COPY from JSON format", "json 'auto ignorecase'", [(1,)], "a int", '{"A": 1}'),
    ("COPY from JSON format", "json 'auto'", [('{"x":[1.10]}',)], "a varchar(20)", '{"a": {"x": [1.10]}}'),
    ("COPY from JSON format", "json 'auto'", [('{"x":1}',)], "a super", '{"a": {"x": 1}}'),
])  # fmt: skip
def test_text_options(
    s3: Any, sql: Sql, prefix: str, page: str, expression: str, expected: list[Any], ddl: str, body: str | bytes
) -> None:
    put(s3, f"{prefix}a", body)
    sql(f"create table t ({ddl})")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} {expression}")
    assert [row[: len(expected[0])] for row in sql("select * from t")] == expected, page


@pytest.mark.documented("COPY from JSON format")
def test_json_paths(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}paths.json", json.dumps({"jsonpaths": ["$.id", "$['who'][1].name"]}))
    put(s3, f"{prefix}data/a.json", '{"id": 7, "who": [0, {"name": "n"}]}')
    sql("create table t (a int, b varchar(5))")
    sql(f"copy t from 's3://landing/{prefix}data/' {IAM} json 's3://landing/{prefix}paths.json'")
    assert sql("select * from t") == [(7, "n")]


@pytest.mark.documented("Column mapping options")
def test_column_list_defaults_and_identity(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "x,1\n")
    sql("create table t (id int identity(1, 1), a int, b varchar(3), c varchar(3) default 'd')")
    sql(f"copy t (b, a) from 's3://landing/{prefix}' {IAM} csv")
    assert sql("select * from t") == [(1, 1, "x", "d")]
    with pytest.raises(psycopg2.Error, match="EXPLICIT_IDS"):
        sql(f"copy t (id, a) from 's3://landing/{prefix}' {IAM} csv")


@pytest.mark.documented("MAXERROR")
def test_maxerror_leaves_bad_rows_out(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1\nx\n3\n4,4\n")
    sql("create table t (a int)")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv maxerror 3")
    assert sql("select a from t order by a") == [(1,), (3,)]
    for count in (0, 1, 2):  # "the error_count number of errors or greater"
        with pytest.raises(psycopg2.InternalError, match="stl_load_errors"):
            sql(f"copy t from 's3://landing/{prefix}' {IAM} csv maxerror {count}")
    assert sql("select count(*) from t") == [(2,)]
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv ignoreallerrors")
    assert sql("select count(*) from t") == [(4,)]


@pytest.mark.documented("COPY parameter reference")
@pytest.mark.parametrize("options", [
    "csv fixedwidth 'a:1'", "csv removequotes", "csv escape", "csv quote '!!'", "delimiter ',' fixedwidth 'a:1'",
    "quote '!'", "json 'auto' delimiter ','", "json 'auto' null as 'x'", "json 'auto' fillrecord",
    "json 'auto' ignoreblanklines", "json 'auto' escape", "json 'auto' removequotes", "json 'auto' fixedwidth 'a:1'",
    "csv gzip zstd", "csv maxerror 1 ignoreallerrors", "csv maxerror 100001", "csv acceptinvchars '??'",
    "csv maxerror few", "csv frobnicate", "csv credentials 'aws_iam_role=r'", "csv access_key_id 'a'",
    "csv lzop", "csv encrypted", "fixedwidth 'a:1,b:2'", "fixedwidth 'a'",
])  # fmt: skip
def test_options_that_do_not_go_together(s3: Any, sql: Sql, prefix: str, options: str) -> None:
    put(s3, f"{prefix}a", "1\n")
    sql("create table t (a int)")
    with pytest.raises(psycopg2.Error) as caught:
        sql(f"copy t from 's3://landing/{prefix}' {IAM} {options}")
    assert caught.value.pgcode in ("42601", "0A000", "22023")


@pytest.mark.documented("Authorization parameters")
@pytest.mark.parametrize("authorization", [
    "iam_role default", "iam_role 'arn:aws:iam::000000000000:role/a,arn:aws:iam::000000000000:role/b'",
    "credentials 'aws_access_key_id=a;aws_secret_access_key=b;token=c'", "with credentials as 'aws_iam_role=r'",
    "access_key_id 'a' secret_access_key 'b' session_token 'c'",
])  # fmt: skip
def test_forms_of_authorization(s3: Any, sql: Sql, prefix: str, authorization: str) -> None:
    put(s3, f"{prefix}a", "1\n")
    sql("create table t (a int)")
    sql(f"copy t from 's3://landing/{prefix}' {authorization} region 'us-east-1' compupdate off statupdate false")
    assert sql("select a from t") == [(1,)]


@pytest.mark.documented("EXPLICIT_IDS")
def test_explicit_ids(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "7,1\n")
    sql("create table t (id int identity(1, 1), a int)")
    sql(f"copy t (id, a) from 's3://landing/{prefix}' {IAM} csv explicit_ids")
    assert sql("select * from t") == [(7, 1)]


@pytest.mark.documented("STATUPDATE")
def test_statistics_of_a_table_that_was_empty(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1\n2\n")
    analyzed = "select count(*) from pg_statistic where starelid = 't'::regclass"
    for option, expected in (("statupdate off", 0), ("", 1)):
        sql("drop table if exists t; create table t (a int)")
        sql(f"copy t from 's3://landing/{prefix}' {IAM} csv {option}")
        assert sql(analyzed) == [(expected,)]
    sql("drop table t; create table t (a int); insert into t values (1)")
    for option, expected in (("", 0), ("statupdate on", 1)):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} csv {option}")
        assert sql(analyzed) == [(expected,)]


@pytest.mark.documented("NOLOAD")
def test_noload_checks_only(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1\n")
    sql("create table t (a int)")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv noload")
    assert sql("select count(*) from t") == [(0,)]


@pytest.mark.documented("Load error reference")
@pytest.mark.parametrize(("ddl", "body", "code", "reason"), [
    ("a int", "1x\n", 1207, "Invalid digit, Value 'x', Pos 1, Type: Integer"),
    ("a smallint", "40000\n", 1207, "Overflow for Short (value 40000)"),
    ("a varchar(2)", "abc\n", 1204, "String length exceeds DDL length"),
    ("a date", "2024-13-01\n", 1205, "month must be in 1..12"),
    ("a timestamp", "yesterday\n", 1206, "Invalid timestamp format or value [YYYY-MM-DD HH:MI:SS]"),
    ("a int", "1,2\n", 1202, "Extra column(s) found"),
    ("a int not null, b int", ",1\n", 1213, "Missing data for not-null field"),
    ("a varchar(9)", b"\xff\n", 1220,
     "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ff 0a (error 4)"),
])  # fmt: skip
def test_load_errors(s3: Any, sql: Sql, prefix: str, ddl: str, body: str | bytes, code: int, reason: str) -> None:
    put(s3, f"{prefix}a.csv", body)
    sql(f"create table t ({ddl})")
    with pytest.raises(psycopg2.InternalError, match="stl_load_errors"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} csv")
    where = "where position(%s in {}) > 0"
    found = sql(f"select err_code, trim(err_reason) from stl_load_errors {where.format('filename')}", prefix)
    assert found == [(code, reason)]
    assert sql(f"select error_code from sys_load_error_detail {where.format('file_name')}", prefix) == [(code,)]
    assert sql(f"select status from sys_load_history {where.format('data_source')}", prefix) == [("aborted",)]


@pytest.mark.documented("STL_LOAD_COMMITS")
def test_history_of_a_load(s3: Any, sql: Sql, prefix: str) -> None:
    put(s3, f"{prefix}a.csv", "1\n2\n")
    sql("create table t (a int)")
    sql(f"copy t from 's3://landing/{prefix}' {IAM} csv")
    found = sql("select trim(filename), lines_scanned from stl_load_commits where query = pg_last_copy_id()")
    assert found == [(f"s3://landing/{prefix}a.csv", 2)]
    rows = sql("select status, loaded_rows, source_file_count from sys_load_history where query_id = pg_last_copy_id()")
    assert rows == [("completed", 2, 1)]


@pytest.mark.documented("SYS_QUERY_HISTORY")
def test_query_history_and_log(sql: Sql, query_log: Any) -> None:
    sql("create table history_probe (a int)")
    with pytest.raises(psycopg2.Error):
        sql("select no_such_column from history_probe")
    probes = "position('from history_probe' in query_text) > 0 and position('sys_query' in query_text) = 0"
    rows = sql(f"select query_type, status from sys_query_history where {probes}")
    assert rows == [("SELECT", "failed")]
    logged = [json.loads(line) for line in query_log.read_text().splitlines()]
    mine = [record for record in logged if "history_probe" in record["sql"] and record["kind"] == "SELECT"]
    assert "no_such_column" in mine[0]["error"]
    assert mine[0]["end_s"] >= mine[0]["at_s"]


@pytest.mark.documented("Authorization parameters")
def test_secrets_are_not_logged(sql: Sql, query_log: Any) -> None:
    sql("create table t (a int)")
    with pytest.raises(psycopg2.Error):
        sql("copy t from 's3://landing/none-here' access_key_id 'AKIA' secret_access_key 'topsecret' csv")
    with pytest.raises(psycopg2.Error, match="authorization"):
        sql("copy t from 's3://landing/none-here' csv")
    assert "topsecret" not in query_log.read_text()
