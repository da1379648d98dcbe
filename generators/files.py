"""Tables as files and back: csv, csv.gz, jsonl.gz and parquet.

In: an Arrow table and a format. Out: the file's bytes, the same for the same table. `decode` reads files of the same
formats, also ones that were not made here: the accounting uses it as a reader that shares nothing with the pipeline
under test.

The conventions of the files:

- csv: UTF-8, a header line with the column names, comma, `\\n`, text always in double quotes, a quote doubled,
  line breaks inside quotes allowed. **An empty field without quotes is NULL; `""` is the empty string.** Numbers,
  dates and booleans are unquoted: `1234.50`, `2026-01-31`, `true`; timestamps `2026-01-31 23:59:59.000001`, with a `Z`
  where the column is timestamptz. `"NULL"`, `"NaN"` and the like are texts.
- jsonl: UTF-8, one object a line, all columns in order, NULL as `null`, decimals as numbers with all their digits,
  dates and timestamps as strings as in csv.
- parquet: snappy, the data set's Arrow types (timestamps in microseconds).
- .gz: one gzip member, no name and no time in its header.
"""

import io
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pa_parquet
from isal import igzip
from isal.igzip_lib import IsalError

from generators.dataset import FORMATS, Dataset, arrow_schema

_GZIP_LEVEL = 1
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_json_text = json.JSONEncoder(ensure_ascii=False).encode


def extension(file_format: str) -> str:
    """The end of a file's name, with the dot.

    Raises:
        ValueError: no such format.
    """
    if file_format not in FORMATS:
        raise ValueError(f"format {file_format!r} is not one of {', '.join(FORMATS)}")
    return f".{file_format}"


def encode(table: pa.Table, file_format: str) -> bytes:
    """The table as a file; byte-identical for the same table and the same versions of pyarrow and isal.

    Raises:
        ValueError: no such format, or a value that it cannot hold (a float in jsonl that is not finite).
    """
    match file_format:
        case "csv":
            return _to_csv(table)
        case "csv.gz":
            return compress(_to_csv(table))
        case "jsonl.gz":
            return compress(_to_jsonl(table))
        case "parquet":
            return _to_parquet(table)
        case _:
            raise ValueError(f"format {file_format!r} is not one of {', '.join(FORMATS)}")


def decode(data: bytes, dataset: Dataset) -> pa.Table:
    """Read a file with the data set's columns (in its order) and types; nothing is rounded or guessed.

    Columns that the data set does not have are left out; in csv and parquet one that is missing is an error, in jsonl a
    missing member is NULL.

    Raises:
        ValueError: the file is not of the format, or a value is not of its column's type.
    """
    schema = arrow_schema(dataset)
    try:
        match dataset.format:
            case "csv":
                return _from_csv(data, schema)
            case "csv.gz":
                return _from_csv(decompress(data), schema)
            case "jsonl.gz":
                return _from_jsonl(decompress(data), schema)
            case _:
                return _from_parquet(data, schema)
    except (pa.ArrowException, ValueError, OSError, KeyError) as error:
        raise ValueError(f"not a {dataset.format} file of {dataset.name}: {error}") from error


def compress(data: bytes) -> bytes:
    """One gzip member without a time, by isal (4 times as fast as zlib at a like size)."""
    return bytes(igzip.compress(data, compresslevel=_GZIP_LEVEL, mtime=0))


def decompress(data: bytes) -> bytes:
    """The content of a gzip file.

    Raises:
        ValueError: it is cut short or no gzip file.
    """
    if not data:
        raise ValueError("not a gzip file: it is empty")
    try:
        return bytes(igzip.decompress(data))
    except (igzip.BadGzipFile, IsalError, EOFError) as error:  # type: ignore[misc]  # its stub declares an instance
        raise ValueError(f"not a whole gzip file: {error}") from error


def _to_csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    # "needed" quotes every text and no NULL, which keeps the empty string and NULL apart.
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="needed", quoting_header="none"))
    return sink.getvalue()


def _from_csv(data: bytes, schema: pa.Schema) -> pa.Table:
    return pa_csv.read_csv(
        io.BytesIO(data),
        # In one block: with several, Arrow's reader can lose its place in texts with line breaks.
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=schema,
            include_columns=schema.names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _to_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pa_parquet.write_table(table, sink, compression="snappy")
    return sink.getvalue()


def _from_parquet(data: bytes, schema: pa.Schema) -> pa.Table:
    table = pa_parquet.read_table(io.BytesIO(data), use_threads=False)
    return table.select(schema.names).cast(schema)


def _to_jsonl(table: pa.Table) -> bytes:
    combined = table.combine_chunks()
    if not combined.num_rows:
        return b""
    parts: list[pa.Array | pa.Scalar] = []
    opening = "{"
    for name in combined.column_names:
        parts.append(pa.scalar(f"{opening}{json.dumps(name)}:"))
        parts.append(pc.fill_null(_json_values(combined[name].chunk(0)), "null"))
        opening = ","
    lines = pc.binary_join_element_wise(*parts, pa.scalar("}\n"), pa.scalar(""))
    # The lines lie one after the other in the array's data: they are the file.
    offsets, data = lines.buffers()[1:]
    length = int.from_bytes(offsets[4 * len(lines) : 4 * len(lines) + 4].to_pybytes(), "little", signed=True)
    return bytes(data[:length].to_pybytes())


def _json_values(values: pa.Array) -> pa.Array:
    """Each value as JSON text; NULL stays NULL."""
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        return _json_texts(encoded.dictionary).take(encoded.indices)
    if pa.types.is_floating(values.type) and pc.any(pc.invert(pc.is_finite(values))).as_py():
        raise ValueError("JSON has no infinite number and no NaN")
    texts = values.cast(pa.string())
    if pa.types.is_temporal(values.type):
        return pc.binary_join_element_wise('"', texts, '"', "")
    return texts


def _json_texts(texts: pa.Array) -> pa.Array:
    quoted = pc.binary_join_element_wise('"', texts, '"', "")
    awkward = pc.match_substring_regex(texts, _NEEDS_ESCAPE)
    escaped = [_json_text(text) for text in texts.filter(awkward).to_pylist()]
    return pc.replace_with_mask(quoted, awkward, pa.array(escaped, pa.string()))


def _from_jsonl(data: bytes, schema: pa.Schema) -> pa.Table:
    if not data.strip():
        return schema.empty_table()
    # Arrow's JSON reader takes timestamps from strings, but no dates.
    read_schema = pa.schema(
        [(field.name, pa.string() if pa.types.is_date(field.type) else field.type) for field in schema]
    )
    table = pa_json.read_json(
        io.BytesIO(data),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pa_json.ParseOptions(explicit_schema=read_schema, unexpected_field_behavior="ignore"),
    )
    return table.select(schema.names).cast(schema)
