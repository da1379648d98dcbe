"""UNLOAD to S3. Source: Database Developer Guide, "UNLOAD"."""

import bz2
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

IAM = "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"
Sql = Callable[..., list[tuple[Any, ...]]]
Files = Callable[[], dict[str, bytes]]


@pytest.fixture
def files(s3: Any, prefix: str) -> Files:
    """The objects under the test's prefix, by their names behind it."""

    def read() -> dict[str, bytes]:
        listed = s3.list_objects_v2(Bucket="landing", Prefix=prefix).get("Contents", ())
        keys = [item["Key"] for item in listed]
        return {key.removeprefix(prefix): s3.get_object(Bucket="landing", Key=key)["Body"].read() for key in keys}

    return read


@pytest.fixture
def unload(sql: Sql, prefix: str) -> Callable[..., None]:
    """Unloads three rows, or what else a query gives."""
    sql("create table t (id int, name varchar(20), ok bool, price decimal(8, 2))")
    sql("insert into t values (1, 'a|b', true, 1.5), (2, null, false, null), (3, 'say \"x\"', null, 3)")

    def run(options: str, query: str = "select id, name from t order by id", target: str = "") -> None:
        quoted = query.replace("'", "''")
        sql(f"unload ('{quoted}') to 's3://landing/{prefix}{target}' {IAM} {options}")

    return run


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("UNLOAD", "", {"0000_part_00": b"1|a|b\n2|\n3|say \"x\"\n"}),
    ("UNLOAD: PARALLEL", "parallel off", {"000": b"1|a|b\n2|\n3|say \"x\"\n"}),
    ("UNLOAD: HEADER", "header parallel false delimiter ','", {"000": b"id,name\n1,a|b\n2,\n3,say \"x\"\n"}),
    ("UNLOAD: ESCAPE", "escape parallel off", {"000": b"1|a\\|b\n2|\n3|say \\\"x\\\"\n"}),
    ("UNLOAD: ADDQUOTES", "addquotes null as 'nix' parallel off",
     {"000": b"\"1\"|\"a|b\"\n\"2\"|nix\n\"3\"|\"say \"x\"\"\n"}),
    ("UNLOAD: FIXEDWIDTH", "fixedwidth 'id:3,name:4' parallel off", {"000": b"1  a|b \n2      \n3  say \n"}),
    ("UNLOAD: CSV", "format as csv parallel off", {"000": b"1,a|b\n2,\n3,\"say \"\"x\"\"\"\n"}),
    ("UNLOAD: CSV", "csv delimiter '|' header parallel off", {"000": b"id|name\n1|\"a|b\"\n2|\n3|\"say \"\"x\"\"\"\n"}),
    ("UNLOAD: JSON", "json parallel off", {"000": b"{\"id\":1,\"name\":\"a|b\"}\n{\"id\":2,\"name\":null}\n"
                                                  b"{\"id\":3,\"name\":\"say \\\"x\\\"\"}\n"}),
    ("UNLOAD: EXTENSION", "csv extension 'csv' parallel off", {"000.csv": b"1,a|b\n2,\n3,\"say \"\"x\"\"\"\n"}),
])  # fmt: skip
def test_text_formats(
    unload: Callable[..., None], files: Files, page: str, expression: str, expected: dict[str, bytes]
) -> None:
    unload(expression)
    assert files() == expected, page


def unzstd(raw: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(raw), "zstd").read())


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("UNLOAD: GZIP", "gzip", ("0000_part_00.gz", gzip.decompress)),
    ("UNLOAD: BZIP2", "bzip2", ("0000_part_00.bz2", bz2.decompress)),
    ("UNLOAD: ZSTD", "zstd", ("0000_part_00.zst", unzstd)),
])  # fmt: skip
def test_compression(
    unload: Callable[..., None], files: Files, page: str, expression: str, expected: tuple[str, Any]
) -> None:
    unload(expression)
    ((name, content),) = files().items()
    assert name == expected[0], page
    assert expected[1](content) == b'1|a|b\n2|\n3|say "x"\n'


@pytest.mark.documented("UNLOAD: PARQUET")
def test_parquet(unload: Callable[..., None], files: Files) -> None:
    unload("parquet", "select * from t order by id")
    ((name, content),) = files().items()
    assert name == "0000_part_00.parquet"
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.types == [pa.int32(), pa.string(), pa.bool_(), pa.decimal128(8, 2)]
    assert table.column("name").to_pylist() == ["a|b", None, 'say "x"']


@pytest.mark.documented("UNLOAD: JSON")
def test_json_values(unload: Callable[..., None], files: Files) -> None:
    unload("json", "select ok, price from t order by id")
    lines = [json.loads(line) for line in files()["0000_part_00"].splitlines()]
    assert lines == [{"ok": "t", "price": 1.5}, {"ok": "f", "price": None}, {"ok": None, "price": 3.0}]
    unload("json allowoverwrite", "select id from t where id > 5", target="none/")
    assert list(files()) == ["0000_part_00"]


@pytest.mark.documented("UNLOAD: PARTITION BY")
@pytest.mark.parametrize(("target", "include"), [("x", ""), ("x/", ""), ("x/", " include")])
def test_partitions_are_folders(unload: Callable[..., None], files: Files, target: str, include: str) -> None:
    unload(f"parquet partition by (id){include}", "select id, price from t where id > 1", target)
    found = files()
    assert sorted(found) == ["x/id=2/0000_part_00.parquet", "x/id=3/0000_part_00.parquet"]
    names = pq.ParquetFile(io.BytesIO(found["x/id=2/0000_part_00.parquet"])).schema_arrow.names
    assert names == (["id", "price"] if include else ["price"])


@pytest.mark.documented("UNLOAD: PARTITION BY")
def test_null_has_hives_default_partition(unload: Callable[..., None], files: Files) -> None:
    unload("csv partition by (name, id)", "select id, name, 7 from t where name is null")
    assert files() == {"name=__HIVE_DEFAULT_PARTITION__/id=2/0000_part_00": b"7\n"}


@pytest.mark.documented("UNLOAD: MANIFEST")
def test_manifest(unload: Callable[..., None], files: Files, prefix: str) -> None:
    unload("manifest", target="m_")
    found = files()
    (entry,) = json.loads(found["m_manifest"])["entries"]
    assert entry["url"] == f"s3://landing/{prefix}m_0000_part_00"
    unload("manifest verbose header", target="v/")
    document = json.loads(files()["v/manifest"])
    assert [element["name"] for element in document["schema"]["elements"]] == ["id", "name"]
    assert document["meta"]["record_count"] == 4  # "the row count includes the header line"
    assert document["entries"][0]["meta"]["content_length"] == len(files()["v/0000_part_00"])
    assert document["author"]["name"] == "Amazon Redshift"


@pytest.mark.documented("UNLOAD: ALLOWOVERWRITE")
def test_a_target_that_is_not_empty(unload: Callable[..., None], files: Files) -> None:
    unload("")
    with pytest.raises(psycopg2.InternalError, match="not empty"):
        unload("")
    unload("allowoverwrite", "select 7")
    assert files() == {"0000_part_00": b"7\n"}


@pytest.mark.documented("UNLOAD: CLEANPATH")
def test_cleanpath(s3: Any, unload: Callable[..., None], files: Files, prefix: str) -> None:
    for name in ("a/old", "a/id=1/old", "a/id=9/old", "b/old"):
        s3.put_object(Bucket="landing", Key=prefix + name, Body=b"")
    unload("csv cleanpath partition by (id)", "select id, price from t where id = 1", "a/")
    assert sorted(files()) == ["a/id=1/0000_part_00", "a/id=9/old", "a/old", "b/old"]
    unload("csv cleanpath", target="a/")
    assert sorted(files()) == ["a/0000_part_00", "b/old"]


@pytest.mark.documented("UNLOAD: MAXFILESIZE")
def test_maxfilesize_cuts_files(sql: Sql, unload: Callable[..., None], files: Files) -> None:
    sql("create table big as select repeat('x', 1000)::varchar(1000) as a from generate_series(1, 11000)")
    unload("maxfilesize 5 mb parallel off", "select a from big")
    found = files()
    assert sorted(found) == ["000", "001", "002"]
    assert all(len(content) <= 5 << 20 for content in found.values())
    assert sum(map(len, found.values())) == 11_000 * 1_001


@pytest.mark.documented("UNLOAD")
@pytest.mark.parametrize("options", [
    "parquet gzip", "parquet delimiter ','", "parquet header", "parquet escape", "parquet addquotes",
    "parquet null as 'x'", "parquet fixedwidth 'a:1'", "csv fixedwidth 'id:1,name:1'", "csv addquotes",
    "json header", "json delimiter ','", "json null as 'x'", "json escape", "json addquotes",
    "fixedwidth 'id:1,name:1' header", "fixedwidth 'id:1,name:1' delimiter ','", "cleanpath allowoverwrite",
    "gzip bzip2", "maxfilesize 4 mb", "maxfilesize 7 gb", "partition by (nowhere)", "partition by (id, name)",
    "partition by ('id')", "fixedwidth 'id:1'", "frobnicate", "kms_key_id 'k'", "credentials 'aws_iam_role=r'",
])  # fmt: skip
def test_what_unload_refuses(unload: Callable[..., None], files: Files, options: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        unload(options)
    assert caught.value.pgcode in ("42601", "0A000", "22023", "42703")
    assert files() == {}


@pytest.mark.documented("UNLOAD: usage notes")
@pytest.mark.parametrize(
    "query", ["select id from t limit 1", "insert into t values (4)", "select id from t; select 1"]
)
def test_queries_that_unload_refuses(unload: Callable[..., None], query: str) -> None:
    with pytest.raises(psycopg2.Error):
        unload("", query)


@pytest.mark.documented("UNLOAD: usage notes")
def test_a_limit_within_and_doubled_quotes(unload: Callable[..., None], files: Files) -> None:
    unload("", "select name || '!' from t where id in (select id from t order by id limit 1)")
    assert files() == {"0000_part_00": b"a|b!\n"}
