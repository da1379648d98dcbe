import csv
import gzip
import io
import json
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.dataset import FORMATS, Column, Dataset, arrow_schema
from generators.files import compress, decode, decompress, encode, extension
from generators.records import make_table

DatasetMaker = Callable[..., Dataset]


def dataset_of(file_format: str, *columns: Column) -> Dataset:
    return Dataset("t", columns, (columns[0].name,), None, file_format)


def test_what_is_encoded_is_decoded_exactly(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=3, file_index=2, records=5_000, at=at)
    assert decode(encode(table, every_type.format), every_type).equals(table)


def test_no_records_survive_too(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=3, file_index=2, records=0, at=at)
    assert decode(encode(table, every_type.format), every_type).equals(table)


def test_the_same_records_give_the_same_bytes(every_type: Dataset, at: datetime) -> None:
    files = [
        encode(make_table(every_type, seed=3, file_index=2, records=500, at=at), every_type.format) for _ in range(2)
    ]
    assert files[0] == files[1]


# A field must not hold what UTF-8 cannot; csv and json readers agree on everything else, NUL included.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@pytest.mark.parametrize("file_format", FORMATS)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            texts | st.none(),
            st.decimals(-9_999_999, 9_999_999, places=3) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False, width=32) | st.none(),
            st.booleans() | st.none(),
            st.dates(min_value=date(1, 1, 1)) | st.none(),
            st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)) | st.none(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_value_survives(file_format: str, rows: list[tuple[object, ...]]) -> None:
    types = ("bigint", "varchar(max)", "numeric(18,3)", "double precision", "real", "boolean", "date", "timestamp")
    dataset = dataset_of(file_format, *(Column(f"c{at}", text) for at, text in enumerate(types)))
    schema = arrow_schema(dataset)
    columns = zip(*rows, strict=True)
    table = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
    decoded = decode(encode(table, file_format), dataset)
    assert decoded.to_pylist() == table.to_pylist()


def test_csv_keeps_null_and_the_empty_string_apart_and_names_them_as_documented() -> None:
    dataset = dataset_of("csv", Column("a", "varchar(9)"), Column("b", "numeric(6,2)"), Column("c", "boolean"))
    table = pa.table(
        {"a": ["", None, 'x"y'], "b": [Decimal("1.50"), None, None], "c": [True, None, False]},
        schema=arrow_schema(dataset),
    )
    assert encode(table, "csv") == b'a,b,c\n"",1.50,true\n,,\n"x""y",,false\n'
    assert decode(b'a,b,c\n"",1.50,true\n,,\n"x""y",,false\n', dataset).equals(table)


def test_other_readers_agree(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=3, file_index=2, records=800, at=at)
    data = encode(table, every_type.format)
    match every_type.format:
        case "parquet":
            names = pq.read_table(io.BytesIO(data))["name"].to_pylist()
        case "jsonl.gz":
            lines = gzip.decompress(data).decode().removesuffix("\n").split("\n")
            names = [json.loads(line, parse_float=Decimal)["name"] for line in lines]
            prices = [json.loads(line, parse_float=Decimal)["price"] for line in lines]
            assert prices == table["price"].to_pylist()
        case _:
            text = (gzip.decompress(data) if every_type.format == "csv.gz" else data).decode()
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            names = [row["name"] for row in rows]
    expected = table["name"].to_pylist()
    if every_type.format.startswith("csv"):
        expected = [name or "" for name in expected]
    assert names == expected


def test_gzip_files_carry_no_time() -> None:
    data = compress(b"x")
    assert data[4:8] == b"\0\0\0\0"
    assert decompress(data) == b"x"


def test_columns_are_found_by_name() -> None:
    dataset = dataset_of("csv", Column("a", "bigint"), Column("b", "date"))
    assert decode(b"more,b,a\nx,2026-01-02,5\n", dataset).to_pylist() == [{"a": 5, "b": date(2026, 1, 2)}]


@pytest.mark.parametrize(
    ("file_format", "data"),
    [
        ("csv", b"a,b\n1,2026-01-01,extra\n"),
        ("csv", b"a\n1\n"),
        ("csv", b"a,b\n1.5,2026-01-01\n"),
        ("csv", b"a,b\n1,yesterday\n"),
        ("csv", b""),
        ("csv", b'a,b\n1,"2026\n'),
        ("csv", b"\xff\xfe\x00"),
        ("csv.gz", b"a,b\n1,2026-01-01\n"),
        ("csv.gz", compress(b"a,b\n1,2026-01-01\n" * 100)[:-20]),
        ("jsonl.gz", b""),
        ("jsonl.gz", compress(b'{"a": 1, "b": "2026-01-01"}\n{"a": ')),
        ("jsonl.gz", compress(b'{"a": "x", "b": null}\n')),
        ("jsonl.gz", compress(b'{"a": 1, "b": "yesterday"}\n')),
        ("jsonl.gz", compress(b"[1, 2]\n")),
        ("parquet", b"PAR1 and nothing else"),
        ("parquet", b""),
    ],
)
def test_a_malformed_file_is_refused(file_format: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a .* file of t: "):
        decode(data, dataset_of(file_format, Column("a", "bigint"), Column("b", "date")))


def test_a_parquet_file_with_other_columns_or_values_is_refused() -> None:
    dataset = dataset_of("parquet", Column("a", "smallint"))
    for table in (pa.table({"b": [1]}), pa.table({"a": [100_000]}), pa.table({"a": ["x"]})):
        with pytest.raises(ValueError, match="not a parquet file of t"):
            decode(encode(table, "parquet"), dataset)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_refuses_what_it_cannot_hold(value: float) -> None:
    with pytest.raises(ValueError, match="no infinite number"):
        encode(pa.table({"a": [value, None]}), "jsonl.gz")


def test_extensions_are_the_formats() -> None:
    assert [extension(file_format) for file_format in FORMATS] == [".csv.gz", ".jsonl.gz", ".parquet", ".csv"]
    with pytest.raises(ValueError, match="'xls' is not one of"):
        extension("xls")
    with pytest.raises(ValueError, match="'xls' is not one of"):
        encode(pa.table({"a": [1]}), "xls")
