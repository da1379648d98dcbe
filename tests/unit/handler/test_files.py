"""Files are read exactly, or refused with a reason that names what is wrong."""

import csv
import datetime as dt
import gzip
import io
import json
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.check import FileError
from handler.columns import schema_of
from handler.files import decode

SCHEMA = schema_of(
    {
        "id": "bigint",
        "small": "integer",
        "amount": "numeric(20,4)",
        "ratio": "double precision",
        "text": "varchar(256)",
        "flag": "boolean",
        "day": "date",
        "at": "timestamp",
    }
)
FORMATS = ("csv", "csv.gz", "jsonl.gz", "parquet")
Row = dict[str, object]
ROW: Row = {
    "id": 9007199254740993,
    "small": -2147483648,
    "amount": Decimal("1234567890123456.7891"),
    "ratio": 0.1,
    "text": "plain",
    "flag": True,
    "day": dt.date(2025, 11, 23),
    "at": dt.datetime(2025, 11, 23, 10, 11, 12, 123456),
}
NULLS: Row = {**dict.fromkeys(ROW), "id": 1}
AWKWARD_TEXTS = (
    "NA", "null", "NULL", "NaN", "None", "0012", "1.50", "true", "2025-11-23", " leading", "trailing ", "\ttab", "",
    'say "hi"', '"', "a,b", "line\nbreak", "line\r\nbreak", "cr\rhere", "łódź ☃ 𝄞", "a\\b", "\\N", "#", "'",
)  # fmt: skip


def field(value: object) -> str:
    """A CSV field as the generators write it: NULL is empty, text is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)


def encoded(rows: list[Row], file_format: str) -> bytes:
    if file_format == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink)
        return sink.getvalue()
    if file_format.startswith("csv"):
        lines = [",".join(SCHEMA.names), *(",".join(field(row[name]) for name in SCHEMA.names) for row in rows)]
        content = ("\n".join(lines) + "\n").encode()
    else:
        # Decimals as JSON numbers with all their digits, which json.dumps cannot write.
        texts = [json.dumps(row, default=lambda value: f"<{value}>", ensure_ascii=False) for row in rows]
        content = "\n".join(
            re.sub(r'"<(-?[0-9.]+)>"', r"\1", text).replace('"<', '"').replace('>"', '"') for text in texts
        ).encode()
    return gzip.compress(content) if file_format.endswith(".gz") else content


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_type_and_null_is_read_exactly(file_format: str) -> None:
    table = decode(encoded([ROW, NULLS], file_format), file_format, SCHEMA)
    assert table.schema == SCHEMA
    assert table.to_pylist() == [ROW, NULLS]


@pytest.mark.parametrize("file_format", FORMATS)
def test_awkward_text_is_read_as_it_stands(file_format: str) -> None:
    rows = [{**ROW, "text": text} for text in AWKWARD_TEXTS]
    table = decode(encoded(rows, file_format), file_format, SCHEMA)
    assert table.column("text").to_pylist() == list(AWKWARD_TEXTS)


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.decimals(min_value=-(10**15), max_value=10**15, places=4),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.text(st.characters(exclude_characters="<>", exclude_categories=("Cs",))),
            st.none() | st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_all_formats_read_the_same(values: list[tuple[object, ...]]) -> None:
    rows = [{**NULLS, **dict(zip(("id", "amount", "ratio", "text", "at"), row, strict=True))} for row in values]
    for file_format in FORMATS:
        assert decode(encoded(rows, file_format), file_format, SCHEMA).to_pylist() == rows


def test_an_empty_csv_field_is_null_and_two_quotes_are_the_empty_text() -> None:
    schema = schema_of({"id": "bigint", "text": "varchar(8)"})
    table = decode(b'id,text\n1,\n2,""\n', "csv", schema)
    assert table.column("text").to_pylist() == [None, ""]


def test_text_without_quotes_is_read_as_it_stands() -> None:
    schema = schema_of({"id": "bigint", "text": "varchar(8)"})
    table = decode(b"id,text\n1,NA\n2, null\n3,0012\n", "csv", schema)
    assert table.column("text").to_pylist() == ["NA", " null", "0012"]


def test_a_line_of_one_column_may_be_null() -> None:
    assert decode(b"id\n1\n\n3\n", "csv", schema_of({"id": "bigint"})).column("id").to_pylist() == [1, None, 3]


def test_csv_columns_are_taken_by_name() -> None:
    schema = schema_of({"a": "bigint", "b": "varchar(8)"})
    assert decode(b'b,a\r\n"x",1\r\n', "csv", schema).to_pylist() == [{"a": 1, "b": "x"}]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert decode("\ufeffa\n1\n".encode(), "csv", schema_of({"a": "bigint"})).to_pylist() == [{"a": 1}]


def test_an_absent_json_key_is_null() -> None:
    schema = schema_of({"a": "bigint", "b": "bigint"})
    content = gzip.compress(b'{"a": 1}\n{"a": 2, "b": 3}\n')
    assert decode(content, "jsonl.gz", schema).column("b").to_pylist() == [None, 3]


def test_parquet_types_that_hold_the_same_values_are_converted() -> None:
    found = pa.table(
        {
            "id": pa.array([1], pa.int16()),
            "small": pa.array([2], pa.int64()),
            "amount": pa.array([Decimal("1.5")], pa.decimal128(5, 1)),
            "ratio": pa.array([0.5], pa.float32()),
            "text": pa.array(["x"], pa.large_string()).dictionary_encode(),
            "flag": pa.array([None], pa.null()),
            "day": pa.array([dt.date(2025, 1, 1)], pa.date64()),
            "at": pa.array([dt.datetime(2025, 1, 1)], pa.timestamp("ms")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(found, sink)
    table = decode(sink.getvalue(), "parquet", SCHEMA)
    assert table.schema == SCHEMA
    assert table.column("amount").to_pylist() == [Decimal("1.5000")]


def test_timestamps_of_spark_keep_their_microseconds_and_years() -> None:
    # Spark and awswrangler write INT96; as nanoseconds it would end in the year 2262.
    schema = schema_of({"at": "timestamp"})
    values = [dt.datetime(2025, 11, 23, 1, 2, 3, 123456), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)]
    sink = io.BytesIO()
    pq.write_table(pa.table({"at": pa.array(values, pa.timestamp("us"))}), sink, use_deprecated_int96_timestamps=True)
    assert decode(sink.getvalue(), "parquet", schema).column("at").to_pylist() == values


def refusal(content: bytes, file_format: str, schema: pa.Schema = SCHEMA) -> str:
    with pytest.raises(FileError) as caught:
        decode(content, file_format, schema)
    return str(caught.value)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_of_no_bytes_is_refused(file_format: str) -> None:
    assert "0 bytes" in refusal(b"", file_format)


@pytest.mark.parametrize("file_format", ["csv", "csv.gz", "parquet"])
def test_a_file_without_records_is_refused(file_format: str) -> None:
    assert "no records" in refusal(encoded([], file_format), file_format)


def test_json_lines_without_records_are_refused() -> None:
    assert "JSON" in refusal(gzip.compress(b""), "jsonl.gz")


@pytest.mark.parametrize("file_format", ["csv.gz", "jsonl.gz", "parquet"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_file_is_refused(file_format: str, share: float) -> None:
    content = encoded([ROW] * 500, file_format)
    assert "not a whole" in refusal(content[: int(len(content) * share)], file_format)


def test_a_csv_file_cut_within_a_row_is_refused() -> None:
    content = encoded([ROW] * 5, "csv")
    assert "Expected 8 columns" in refusal(content[:-40], "csv")


@pytest.mark.parametrize("file_format", FORMATS)
def test_another_format_under_the_right_name_is_refused(file_format: str) -> None:
    for other in FORMATS:
        if other != file_format:
            refusal(encoded([ROW], other), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_missing_column_is_named(file_format: str) -> None:
    wider = pa.schema([*SCHEMA, pa.field("more", pa.int64())])
    assert "missing: more" in refusal(encoded([ROW], file_format), file_format, wider)


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_unexpected_column_is_named(file_format: str) -> None:
    narrower = pa.schema([column for column in SCHEMA if column.name != "ratio"])
    assert "ratio" in refusal(encoded([ROW], file_format), file_format, narrower)


def test_a_column_that_is_there_twice_is_named() -> None:
    assert "more than once: a" in refusal(b"a,a\n1,2\n", "csv", schema_of({"a": "bigint"}))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "12x"),
        ("id", "1.5"),
        ("small", "2147483648"),
        ("amount", "1.23456"),
        ("amount", "many"),
        ("ratio", "0,5"),
        ("flag", "maybe"),
        ("day", "2025-13-01"),
        ("at", "yesterday"),
    ],
)
def test_a_value_of_the_wrong_type_names_its_column(column: str, value: str) -> None:
    rows: list[Row] = [ROW, {**ROW, column: value}]
    assert f"column {column}" in refusal(encoded(rows, "csv"), "csv")
    assert f"column {column}" in refusal(encoded(rows, "jsonl.gz"), "jsonl.gz")


def test_a_parquet_column_of_the_wrong_type_is_named() -> None:
    found = pa.Table.from_pylist([ROW], schema=SCHEMA).set_column(0, "id", pa.array(["1"]))
    sink = io.BytesIO()
    pq.write_table(found, sink)
    assert refusal(sink.getvalue(), "parquet") == "columns differ: id: string where int64 is expected"


def test_a_parquet_value_that_does_not_fit_names_its_column() -> None:
    found = pa.Table.from_pylist([ROW], schema=SCHEMA).set_column(1, "small", pa.array([2**40]))
    sink = io.BytesIO()
    pq.write_table(found, sink)
    assert "small: " in refusal(sink.getvalue(), "parquet")


def test_text_that_is_not_utf8_is_refused() -> None:
    schema = schema_of({"a": "varchar(9)"})
    latin = "łódź".encode("iso-8859-2")
    assert "UTF8" in refusal(b"a\n" + latin + b"\n", "csv", schema)
    assert "UTF8" in refusal(gzip.compress(b'{"a": "' + latin + b'"}\n'), "jsonl.gz", schema)
    sink = io.BytesIO()
    broken = pa.StringArray.from_buffers(1, pa.array([0, len(latin)], pa.int32()).buffers()[1], pa.py_buffer(latin))
    pq.write_table(pa.table({"a": broken}), sink)
    assert "UTF8" in refusal(sink.getvalue(), "parquet", schema)


def test_a_file_in_utf16_is_refused() -> None:
    assert "header" in refusal("a\n1\n".encode("utf-16"), "csv", schema_of({"a": "bigint"}))


def test_the_standard_library_writes_what_is_read() -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=csv.QUOTE_NONNUMERIC).writerows([["id", "text"], *enumerate(AWKWARD_TEXTS)])
    table = decode(sink.getvalue().encode(), "csv", schema_of({"id": "bigint", "text": "varchar(64)"}))
    assert table.column("text").to_pylist() == list(AWKWARD_TEXTS)
