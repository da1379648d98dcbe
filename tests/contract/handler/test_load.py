"""The function as it ships, against the warehouse's own COPY: S3 event in, stage rows out, also for poison files."""

import datetime as dt
import gc
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from generators import files
from generators.records import make_table
from handler import app
from harness import sql
from harness.pipeline import Pipeline
from harness.stack.endpoints import Endpoints, Redshift

# The driver makes its TLS context the way it was done before Python 3.10.
pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")

TYPES = ("orders", "clicks", "payments", "inventory")
AT = dt.datetime(2025, 11, 23, 12, tzinfo=dt.UTC)
LINEAGE = ("source_file", "source_row")


def body(*keys: str) -> str:
    return json.dumps(
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": "landing"}, "object": {"key": key.replace("=", "%3D")}},
                }
                for key in keys
            ]
        }
    )


class Function:
    """One type's function, in this process: the failed message ids of a batch."""

    def __init__(self, pipeline: Pipeline, type_name: str, s3: Any, connection: Any) -> None:
        self.type_name, self.s3, self.connection = type_name, s3, connection
        self.settings = pipeline.types[type_name]
        self.dataset = pipeline.dataset(type_name)
        self.merge_script = sql.statements(pipeline.merge_sql(type_name))

    def table(self, records: int = 100, index: int = 0) -> pa.Table:
        return make_table(self.dataset, seed=1, file_index=index, records=records, at=AT)

    def put(self, name: str, content: bytes | pa.Table) -> str:
        key = f"{self.settings.prefix}dt=2025-11-23/{name}"
        encoded = content if isinstance(content, bytes) else files.encode(content, self.settings.format)
        self.s3.put_object(Bucket="landing", Key=key, Body=encoded)
        return key

    def invoke(self, *bodies: str) -> list[str]:
        batch = [{"messageId": str(at), "body": text} for at, text in enumerate(bodies)]
        return [item["itemIdentifier"] for item in app.handler({"Records": batch}, None)["batchItemFailures"]]

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY loaded_at, source_row")
            found: list[tuple[Any, ...]] = cursor.fetchall()
        self.connection.commit()
        return found

    def staged(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.rows(self.settings.stage_table, *(columns or LINEAGE))

    def merge(self) -> None:
        with self.connection.cursor() as cursor:
            for statement in self.merge_script:
                cursor.execute(statement)
        self.connection.commit()


@pytest.fixture
def function_of(
    connection: Any, s3: Any, redshift: Redshift, default_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Function]]:
    def make(type_name: str) -> Function:
        settings = default_pipeline.types[type_name]
        variables = {
            "DATA_TYPE": type_name,
            "FILE_FORMAT": settings.format,
            "STAGE_TABLE": settings.stage_table,
            "COLUMNS": json.dumps({name: column.type for name, column in settings.columns.items()}),
            "COPY_STAGING_PATH": "s3://landing/_staging/",
            "COPY_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
            "REDSHIFT_HOST": redshift.host,
            "REDSHIFT_PORT": str(redshift.port),
            "REDSHIFT_DATABASE": redshift.database,
            "REDSHIFT_USER": redshift.user,
            "REDSHIFT_PASSWORD": redshift.password,
            "REDSHIFT_CA_FILE": str(redshift.ca_file),
            "SSL_CERT_FILE": "",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        _forget_environment()
        return Function(default_pipeline, type_name, s3, connection)

    yield make
    _forget_environment()


def _forget_environment() -> None:
    if app.environment.cache_info().currsize:
        app.environment().warehouse.disconnect()
    app.environment.cache_clear()


def as_redshift_has_it(table: pa.Table, function: Function) -> list[tuple[Any, ...]]:
    """The table's rows with char(n) padded, which PostgreSQL shows and Redshift's drivers too."""
    columns = []
    for name in table.column_names:
        values, type_ = table.column(name).to_pylist(), function.settings.columns[name].type
        if type_.startswith("char("):
            values = [value if value is None else value.ljust(int(type_[5:-1])) for value in values]
        columns.append(values)
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("type_name", TYPES)
def test_every_value_reaches_the_stage_table_exactly(
    type_name: str, function_of: Callable[[str], Function], capsys: pytest.CaptureFixture[str]
) -> None:
    function = function_of(type_name)
    table = function.table(records=1_000)
    key = function.put("a file+[1]", table)
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    assert function.invoke(body(key.replace("+", "%2B").replace(" ", "+"))) == []
    assert function.staged(*table.column_names) == as_redshift_has_it(table, function)
    assert function.staged() == [(key, number) for number in range(1, 1_001)]
    ((loaded_at,),) = set(function.staged("loaded_at"))
    assert before <= loaded_at <= dt.datetime.now(dt.UTC).replace(tzinfo=None)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["file"], line["rows"]) == ("file_loaded", key, 1_000)


def test_values_at_the_edges_reach_the_final_table_exactly(function_of: Callable[[str], Function]) -> None:
    function = function_of("payments")
    plain = function.table(records=4)
    texts = ["", " NA ", 'a "quote",\r\nand łódź 𝄞\t\\N', None]
    times = [dt.datetime(1900, 1, 1), dt.datetime(2199, 12, 31, 23, 59, 59, 999999), dt.datetime(2025, 1, 1), AT]
    fees = [0.1, -1.7976931348623157e308, 5e-324, None]
    changes: dict[str, list[Any]] = {"note": texts, "booked_at": times, "fee": fees}
    table = plain
    for name, values in changes.items():
        field = plain.schema.field(name)
        naive = [value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value for value in values]
        table = table.set_column(plain.schema.get_field_index(name), field, pa.array(naive, field.type))
    assert function.invoke(body(function.put("edges", table))) == []
    function.merge()
    assert function.rows("public.payments", *table.column_names) == as_redshift_has_it(table, function)


def test_the_same_file_twice_is_merged_once(function_of: Callable[[str], Function]) -> None:
    function = function_of("orders")
    key = function.put("a", function.table())
    assert function.invoke(body(key), body(key)) == []
    assert len(function.staged()) == 200
    function.merge()
    assert function.invoke(body(key)) == []
    function.merge()
    assert function.rows("public.orders", *LINEAGE) == [(key, number) for number in range(1, 101)]
    assert function.staged() == []


def poison(function: Function) -> dict[str, bytes]:
    """Broken files of the function's type, by what is wrong with them."""
    table, file_format = function.table(), function.settings.format
    whole = files.encode(table, file_format)
    last = table.column_names[-1]
    first_text = next(field.name for field in table.schema if pa.types.is_string(field.type))
    numbers = table.set_column(0, table.column_names[0], pa.array(["wrong"] * table.num_rows))
    wide = pa.array(["x" * 700] * table.num_rows)
    version = str(function.settings.version)
    return {
        "zero_bytes": b"",
        "truncated": whole[: len(whole) // 2] if file_format != "csv" else whole[: len(whole) // 2].rpartition(b",")[0],
        "no_records": files.encode(table.slice(0, 0), file_format),
        "missing_column": files.encode(table.drop_columns([last]), file_format),
        "extra_column": files.encode(table.append_column("surplus", pa.array(range(table.num_rows))), file_format),
        "wrong_type": files.encode(numbers, file_format) if function.type_name == "payments" else b"\x00\x01\x02",
        "too_long": files.encode(table.set_column(table.column_names.index(first_text), first_text, wide), file_format),
        "no_version": files.encode(
            table.set_column(
                table.column_names.index(version), version, pa.nulls(table.num_rows, table.schema.field(version).type)
            ),
            file_format,
        ),
        "text": b"this is not what it says it is\n",
        "gzipped_text": gzip.compress("łódź".encode("iso-8859-2")),
    }


@pytest.mark.parametrize("type_name", TYPES)
def test_a_poison_file_fails_alone_and_leaves_nothing(
    type_name: str, function_of: Callable[[str], Function], capsys: pytest.CaptureFixture[str]
) -> None:
    function = function_of(type_name)
    good = [function.put("good-1", function.table()), function.put("good-2", function.table(index=1))]
    broken = {what: function.put(what, content) for what, content in poison(function).items()}
    failed = function.invoke(body(good[0]), *map(body, broken.values()), body(good[1]))
    lines = {line["file"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    loaded = {what for what, key in broken.items() if lines[key]["event"] == "file_loaded"}
    assert loaded == set()
    assert failed == [str(at) for at in range(1, len(broken) + 1)]
    assert {file for file, _ in function.staged()} == set(good)
    assert len(function.staged()) == 200
    for key in broken.values():
        assert lines[key]["error"]
        assert "\n" not in lines[key]["error"]


def test_nothing_is_left_where_copy_is_staged(function_of: Callable[[str], Function]) -> None:
    function = function_of("orders")
    too_long = function.table().set_column(2, "status", pa.array(["x" * 17] * 100))
    keys = [function.put("good", function.table()), function.put("refused-by-copy", too_long)]
    assert function.invoke(*map(body, keys)) == ["1"]
    assert "Contents" not in function.s3.list_objects_v2(Bucket="landing", Prefix="_staging/")


def test_times_far_from_now_reach_the_stage_table_exactly(function_of: Callable[[str], Function]) -> None:
    function = function_of("clicks")
    times = [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)]
    plain = function.table(records=2)
    at = plain.schema.get_field_index("clicked_at")
    table = plain.set_column(at, plain.schema.field(at), pa.array(times, pa.timestamp("us")))
    assert function.invoke(body(function.put("far", table))) == []
    assert [time for (time,) in function.staged("clicked_at")] == times


@pytest.fixture
def sockets_collected() -> Iterator[None]:
    """redshift_connector leaves the socket of a connection that broke to the garbage collector: not in a later test."""
    yield
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <(_io.BufferedRWPair|ssl.SSLSocket)")
@pytest.mark.usefixtures("sockets_collected")
def test_a_connection_that_died_is_replaced(
    function_of: Callable[[str], Function], postgres_only: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    function = function_of("orders")
    first, second = function.put("a", function.table()), function.put("b", function.table(index=1))
    assert function.invoke(body(first)) == []
    with sql.backend(postgres_only) as backend, backend.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'nrt-handler'"
        )
        assert cursor.fetchone() == (1,)
    assert function.invoke(body(second)) == []
    assert {file for file, _ in function.staged()} == {first, second}
    # awswrangler logs the driver's error, whose traceback holds the connection
    caplog.clear()


def test_one_file_is_one_transaction(function_of: Callable[[str], Function], redshift: Redshift) -> None:
    """What one file's COPY commits is visible at once, and only as a whole."""
    function = function_of("clicks")
    key = function.put("a", function.table(records=2_000))
    watching = sql.connect(redshift, "nrt-test-watch")
    try:
        assert function.invoke(body(key)) == []
        with watching.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM stage.clicks")
            assert cursor.fetchone() == (2_000,)
    finally:
        watching.close()
