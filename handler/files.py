"""Reading a file from S3 into an Arrow table, exactly.

In: an S3 object; a file's bytes, its format and the schema it must have. Out: a table in that schema, or a FileError
that says what is wrong with the file. It knows nothing of events or of the warehouse.

boto3 fetches the bytes: awswrangler's `download` asks for the size first, a request for each file that the event has
answered. Arrow's own readers decode them. awswrangler's `read_csv` and `read_json` hand over to
pandas, which cannot tell an empty text from NULL in a CSV file and reads JSON numbers through binary floating point
(docs/decisions/handler-reading.md has the costs, too).

A CSV file is RFC 4180 with a header line: an empty field without quotes is NULL, `""` is the empty text, and every
other field is taken as it stands. In a JSON lines file a key that is absent or null is NULL.
"""

import csv
import gzip
import zlib
from collections.abc import Callable

import boto3
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from handler import check
from handler.check import FileError


def fetch(bucket: str, key: str, session: boto3.Session) -> bytes:
    """The bytes of an S3 object.

    Raises:
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: it could not be fetched.
    """
    return session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def decode(content: bytes, file_format: str, schema: pa.Schema) -> pa.Table:
    """A file's bytes as a table in `schema` with at least one row.

    Raises:
        FileError: the content is not what the format and the schema ask for.
    """
    if not content:
        raise FileError("the file is empty (0 bytes)")
    table = _decoders[file_format](content, schema)
    if table.num_rows == 0:
        raise FileError("the file holds no records")
    return table


def _unzipped(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise FileError(f"not a whole gzip file: {error}") from error


def _csv(content: bytes, schema: pa.Schema) -> pa.Table:
    check.names(_header(content), schema)
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(content),
            # One block, one thread: a Lambda function of this size has one core, and messages then name the row.
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=len(content) + 1),
            # With one column an empty line is a NULL, not nothing.
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(schema) > 1),
            convert_options=pa.csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true", "True", "TRUE", "t", "1"],
                false_values=["false", "False", "FALSE", "f", "0"],
            ),
        )
    except pa.ArrowException as error:
        raise FileError(f"not the CSV expected{_column_named_in(str(error), _header(content))}: {error}") from error
    return table.select(schema.names)


def _header(content: bytes) -> list[str]:
    try:
        line = content.partition(b"\n")[0].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"the header line is not UTF-8: {error}") from error
    return next(csv.reader([line]), [])


def _column_named_in(message: str, header: list[str]) -> str:
    # Arrow counts columns: "In CSV column #3: …"
    number = message.partition("CSV column #")[2].partition(":")[0]
    return f", column {header[int(number)]}" if number.isdecimal() and int(number) < len(header) else ""


def _json_lines(content: bytes, schema: pa.Schema) -> pa.Table:
    try:
        table = _json_table(content, schema, unexpected="error")
    except pa.ArrowException as error:
        check.names(_json_names(content, schema), schema)
        raise FileError(f"not the JSON lines expected{_column_refused(content, schema)}: {error}") from error
    absent = [
        field.name
        for field in schema
        if table.column(field.name).null_count == table.num_rows and f'"{field.name}"'.encode() not in content
    ]
    check.names([name for name in schema.names if name not in absent], schema)
    return check.conform(table, schema)


def _json_table(content: bytes, schema: pa.Schema, unexpected: str) -> pa.Table:
    # Arrow's JSON reader takes dates for numbers, but it reads their text as timestamps.
    readable = pa.schema([(f.name, pa.timestamp("s") if pa.types.is_date(f.type) else f.type) for f in schema])
    table = pa.json.read_json(
        pa.BufferReader(content),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
        parse_options=pa.json.ParseOptions(explicit_schema=readable, unexpected_field_behavior=unexpected),
    )
    for at, field in enumerate(schema):
        if pa.types.is_date(field.type):
            table = table.set_column(at, field, table.column(at).cast(field.type))
    return table


def _json_names(content: bytes, schema: pa.Schema) -> list[str]:
    try:
        return list(_json_table(content, schema, unexpected="infer").column_names)
    except pa.ArrowException:
        return list(schema.names)


def _column_refused(content: bytes, schema: pa.Schema) -> str:
    # The reader does not always name the column, so ask again for each of them; this costs only broken files.
    refused = []
    for field in schema:
        try:
            _json_table(content, pa.schema([field]), unexpected="ignore")
        except pa.ArrowException:
            refused.append(field.name)
    return f", column {', '.join(refused)}" if 0 < len(refused) < len(schema) else ""


def _parquet(content: bytes, schema: pa.Schema) -> pa.Table:
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(content), coerce_int96_timestamp_unit="us")
        check.names(file.schema_arrow.names, schema)
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"not a whole Parquet file: {error}") from error
    return check.conform(table, schema)


_decoders: dict[str, Callable[[bytes, pa.Schema], pa.Table]] = {
    "csv": _csv,
    "csv.gz": lambda content, schema: _csv(_unzipped(content), schema),
    "jsonl.gz": lambda content, schema: _json_lines(_unzipped(content), schema),
    "parquet": _parquet,
}
