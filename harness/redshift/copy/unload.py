"""UNLOAD: a query's result to objects in S3, read inside the client's own backend session.

In: an `Unload`. Out: objects named as Redshift names them, and a manifest. The stand-in has one slice, so PARALLEL ON
writes one sequence of files. Source: Database Developer Guide, "UNLOAD".
"""

import asyncio
import bz2
import csv
import gzip
import io
import json
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from harness.redshift import messages as wire
from harness.redshift.backend import Backend
from harness.redshift.copy.delimited import fixed_widths
from harness.redshift.copy.jsonfile import Number, dump
from harness.redshift.copy.load import Loaded
from harness.redshift.copy.objects import ObjectStore, s3_refusal, split_url
from harness.redshift.copy.unload_options import Unload
from harness.redshift.messages import Refusal
from harness.redshift.querylog import Record
from harness.redshift.statements import plan_script

_ARROW = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 700: pa.float32(), 701: pa.float64(),
    1082: pa.date32(), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
_NUMERIC_OID = 1700
_NUMERIC_DEFAULT = pa.decimal128(38, 10)
_COMPRESSION_EXTENSION = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst"}
NOT_EMPTY = (
    "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually removing "
    "the target files in S3, or using the ALLOWOVERWRITE option."
)


@dataclass(frozen=True)
class _Output:
    """One object to write: its folder (column=value/…) and file behind the prefix, content and rows."""

    folder: str
    file: str
    content: bytes
    rows: int

    @property
    def name(self) -> str:
        return self.folder + self.file


class Unloader:
    """Runs UNLOAD statements; shared by all sessions."""

    def __init__(self, store: ObjectStore, threads: ThreadPoolExecutor) -> None:
        self._store, self._threads = store, threads

    async def unload(self, unload: Unload, backend: Backend, record: Record, *, keeps_capitals: bool) -> Loaded:
        """Write the query's result; keeps_capitals: of names in quotes in the query, as the session has it.

        Raises:
            Refusal: the target is not empty, or S3 refuses.
            BackendError, Skipped: PostgreSQL refused the query.
        """
        plans = plan_script(unload.query, keeps_capitals=keeps_capitals)
        if len(plans) != 1 or plans[0].kind not in ("SELECT", "WITH"):
            raise Refusal("42601", "UNLOAD needs one SELECT")
        if plans[0].refusal:
            raise plans[0].refusal
        backend.names.learn(plans[0].names)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._require_empty_target, unload, record.query_id)
        schema = _schema(await backend.describe(plans[0].sql))
        text = io.BytesIO()
        rows = await backend.copy_out(f"COPY ({plans[0].sql}) TO STDOUT (FORMAT csv)", text.write)
        size_bytes = await loop.run_in_executor(self._threads, self._write, unload, schema, text.getvalue(), record)
        words = f"UNLOAD completed, {rows} record(s) unloaded successfully."
        return Loaded(rows, size_bytes, wire.notice("INFO", "00000", words) + wire.message(b"C", wire.text("UNLOAD")))

    def _require_empty_target(self, unload: Unload, query_id: int) -> None:
        if unload.options.keys() & {"ALLOWOVERWRITE", "CLEANPATH"}:
            return
        bucket, prefix = split_url(unload.target)
        try:
            if self._store.client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"):
                raise Refusal("XX000", NOT_EMPTY)
        except (ClientError, BotoCoreError) as error:
            raise s3_refusal(error, query_id) from error

    def _clean(self, bucket: str, prefix: str) -> None:
        s3 = self._store.client
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=item["Key"])

    def _write(self, unload: Unload, schema: pa.Schema, text: bytes, record: Record) -> int:
        bucket, prefix = split_url(unload.target)
        outputs = _outputs(unload, schema, text)
        try:
            if "CLEANPATH" in unload.options:  # of the folders that get files only, if there are folders
                for folder in {output.folder for output in outputs} if unload.partition else {""}:
                    self._clean(bucket, prefix + folder)
            for output in outputs:
                self._store.client.put_object(Bucket=bucket, Key=prefix + output.name, Body=output.content)
            if unload.manifest:
                body = _manifest(unload, schema, outputs)
                self._store.client.put_object(Bucket=bucket, Key=prefix + "manifest", Body=body)
        except (ClientError, BotoCoreError) as error:
            raise s3_refusal(error, record.query_id) from error
        return sum(len(output.content) for output in outputs)


def _schema(description: bytes) -> pa.Schema:
    """The columns of a RowDescription as Arrow fields."""
    (count,) = struct.unpack_from("!H", description)
    at, fields = 2, []
    for _ in range(count):
        name, at = wire.read_text(description, at)
        _, _, oid, _, modifier, _ = struct.unpack_from("!IhIhih", description, at)
        at += 18
        kind = _ARROW.get(oid, pa.string())
        if oid == _NUMERIC_OID:
            known = modifier > 4
            kind = pa.decimal128((modifier - 4) >> 16, (modifier - 4) & 0xFFFF) if known else _NUMERIC_DEFAULT
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _read(text: bytes, schema: pa.Schema, *, as_text: bool) -> pa.Table:
    if not text:
        return schema.empty_table()
    types = {field.name: pa.string() if as_text else field.type for field in schema}
    return pyarrow.csv.read_csv(
        pa.BufferReader(text),
        read_options=pyarrow.csv.ReadOptions(column_names=schema.names, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip


def _outputs(unload: Unload, schema: pa.Schema, text: bytes) -> list[_Output]:
    table = _read(text, schema, as_text=unload.format in ("TEXT", "CSV"))
    if unload.format == "JSON" and not table.num_rows:
        return []  # "does not write Amazon S3 objects"
    outputs = []
    for folder, part in _partitions(table, unload):
        for number, piece in enumerate(_pieces(part, unload)):
            name = f"0000_part_{number:02}" if unload.parallel else f"{number:03}"
            outputs.append(_Output(folder, name + _extension(unload), _encode(piece, unload), _counted(piece, unload)))
    return outputs


def _counted(piece: pa.Table, unload: Unload) -> int:
    """A file's rows as the manifest counts them: its header too."""
    return int(piece.num_rows) + ("HEADER" in unload.options)


def _partitions(table: pa.Table, unload: Unload) -> list[tuple[str, pa.Table]]:
    """The rows by the values of the partition columns, which name the folder (column=value/)."""
    if not unload.partition:
        return [("", table)]
    missing = [name for name in unload.partition if name not in table.column_names]
    if missing:
        raise Refusal("42703", f'partition column "{missing[0]}" is not in the query\'s result')
    rows: dict[tuple[str, ...], list[int]] = {}
    columns = [table.column(name).to_pylist() for name in unload.partition]
    for index, values in enumerate(zip(*columns, strict=True)):
        rows.setdefault(tuple("__HIVE_DEFAULT_PARTITION__" if v is None else str(v) for v in values), []).append(index)
    if len(set(unload.partition)) == table.num_columns and not unload.include_partition:
        raise Refusal("42601", "PARTITION BY needs a column of the result that is not one of its own")
    kept = table if unload.include_partition else table.drop_columns(list(unload.partition))
    return [
        ("".join(f"{name}={value}/" for name, value in zip(unload.partition, values, strict=True)), kept.take(indexes))
        for values, indexes in rows.items()
    ]


def _pieces(table: pa.Table, unload: Unload) -> list[pa.Table]:
    count = max(1, -(-table.nbytes // unload.max_file_size_bytes))
    size = max(1, -(-table.num_rows // count))
    return [table.slice(at, size) for at in range(0, max(table.num_rows, 1), size)]


def _extension(unload: Unload) -> str:
    if "EXTENSION" in unload.options:
        return "." + unload.text("EXTENSION", "").lstrip(".")
    compression = next((_COMPRESSION_EXTENSION[name] for name in _COMPRESSION_EXTENSION if name in unload.options), "")
    return ".parquet" if unload.format == "PARQUET" else compression


def _encode(table: pa.Table, unload: Unload) -> bytes:
    if unload.format == "PARQUET":
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return sink.getvalue()
    if unload.format == "JSON":
        content = "".join(dump(_as_json(row)) + "\n" for row in table.to_pylist()).encode()
    else:
        content = (_as_csv if unload.format == "CSV" else _as_text)(table, unload).encode()
    if "GZIP" in unload.options:
        return gzip.compress(content, mtime=0)
    if "BZIP2" in unload.options:
        return bz2.compress(content)
    return pa.compress(content, "zstd", asbytes=True) if "ZSTD" in unload.options else content


def _as_json(row: dict[str, object]) -> dict[str, object]:
    """A row of a JSON file: "boolean values are unloaded as t or f"; numbers as they are, all else as text."""

    def shown(value: object) -> object:
        if isinstance(value, bool):
            return "t" if value else "f"
        return value if value is None or isinstance(value, int | float) else str(value)

    return {name: Number(value) if isinstance(value, Decimal) else shown(value) for name, value in row.items()}


def _as_csv(table: pa.Table, unload: Unload) -> str:
    text, null = io.StringIO(), unload.text("NULL", "")
    writer = csv.writer(text, delimiter=unload.text("DELIMITER", ","), lineterminator="\n")
    if "HEADER" in unload.options:
        writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([null if value is None else value for value in row.values()])
    return text.getvalue()


def _as_text(table: pa.Table, unload: Unload) -> str:
    delimiter, null = unload.text("DELIMITER", "|"), unload.text("NULL", "")
    escape, quote = "ESCAPE" in unload.options, "ADDQUOTES" in unload.options
    if "FIXEDWIDTH" in unload.options:
        widths = fixed_widths(unload.text("FIXEDWIDTH", ""), table.num_columns)
        rows = (zip(row.values(), widths, strict=True) for row in table.to_pylist())
        return "".join(
            "".join((null if value is None else value)[:width].ljust(width) for value, width in row) + "\n"
            for row in rows
        )

    def field(value: str | None) -> str:
        if value is None:
            return null
        if escape:
            for character in ("\\", delimiter, "\n", "\r", '"', "'"):
                value = value.replace(character, "\\" + character)
        return f'"{value}"' if quote else value

    lines = [delimiter.join(map(field, table.column_names))] if "HEADER" in unload.options else []
    lines += [delimiter.join(map(field, row.values())) for row in table.to_pylist()]
    return "".join(line + "\n" for line in lines)


def _manifest(unload: Unload, schema: pa.Schema, outputs: list[_Output]) -> bytes:
    entries: list[dict[str, object]] = []
    for output in outputs:
        meta: dict[str, object] = {"content_length": len(output.content)}
        if unload.manifest == "VERBOSE":
            meta["record_count"] = output.rows
        entries.append({"url": unload.target + output.name, "meta": meta})
    document: dict[str, object] = {"entries": entries}
    if unload.manifest == "VERBOSE":
        document["schema"] = {"elements": [{"name": field.name, "type": {"base": str(field.type)}} for field in schema]}
        document["meta"] = {
            "content_length": sum(len(output.content) for output in outputs),
            "record_count": sum(output.rows for output in outputs),
        }
        document["author"] = {"name": "Amazon Redshift", "version": "1.0.0"}
    return json.dumps(document, indent=2).encode()
