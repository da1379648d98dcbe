"""Text objects to typed tables: CSV, delimited, fixed width and JSON.

In: an object's decompressed bytes. Out: a table with the target's Arrow types and the load errors found; rows with
errors are left out of the table. Source: Database Developer Guide, "Data format parameters" and "COPY
from JSON format".
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from harness.redshift.copy import delimited, jsonfile
from harness.redshift.copy.columns import Column
from harness.redshift.copy.errors import LoadError
from harness.redshift.copy.objects import ObjectReference, ObjectStore, split_url
from harness.redshift.copy.options import Copy
from harness.redshift.copy.values import BadValue, convert


@lru_cache
def _replacing(character: str) -> str:
    """The name of an error handler: one of these for each byte of an invalid character ("ACCEPTINVCHARS")."""
    name = f"redshift_replace_{ord(character)}"

    def replace(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return character * (error.end - error.start), error.end

    codecs.register_error(name, replace)
    return name


@dataclass
class Rows:
    """Rows of one file: per column its fields, per row its line number and raw text; and the lines not understood."""

    fields: list[Sequence[str | None]]
    lines: list[int]
    raw: list[str]
    bad: list[tuple[int, str, BadValue]]


class RecordReader:
    """Reads the files of one COPY."""

    def __init__(self, copy: Copy, columns: list[Column], store: ObjectStore, query_id: int) -> None:
        self._copy, self._columns, self._store, self._query_id = copy, columns, store, query_id
        self._paths: list[str] | None = None

    def read(self, content: bytes, file: str) -> tuple[pa.Table, list[LoadError]]:
        """The file's rows and errors; runs in a thread."""
        text, invalid = self._decode(content)
        rows = self._split(text)
        arrays, errors = [], [_line_error(file, line, raw, bad) for line, raw, bad in (*invalid, *rows.bad)]
        bad_rows: set[int] = set()
        for column, fields in zip(self._columns, rows.fields, strict=True):
            array, bad_fields = convert(fields, column, self._copy)
            arrays.append(array)
            for found in bad_fields:
                bad_rows.add(found.row)
                errors.append(self._field_error(file, rows, column, fields[found.row], found.row, found.bad))
        table = pa.Table.from_arrays(arrays, names=[column.name for column in self._columns])
        if bad_rows:
            table = table.take(pa.array([row for row in range(table.num_rows) if row not in bad_rows], pa.int64()))
        return table, sorted(errors, key=lambda error: (error.line, error.position))

    def _decode(self, content: bytes) -> tuple[str, list[tuple[int, str, BadValue]]]:
        encoding = {"UTF8": "utf-8-sig", "UTF16": "utf-16", "UTF16LE": "utf-16-le", "UTF16BE": "utf-16-be"}.get(
            self._copy.text("ENCODING", "UTF8").upper().replace("-", ""), "latin-1"
        )
        try:
            return content.decode(encoding), []
        except UnicodeDecodeError as error:
            if "ACCEPTINVCHARS" in self._copy.options:
                return content.decode("utf-8", _replacing(self._copy.text("ACCEPTINVCHARS", "?"))), []
            return _without_invalid_lines(content, error)

    def _split(self, text: str) -> Rows:
        if self._copy.format == "JSON":
            fields, lines, raw, bad = jsonfile.rows(text, self._columns, self._copy, self._json_paths())
        else:
            fields, lines, raw, bad = delimited.rows(text, self._columns, self._copy)
        return Rows(fields, lines, raw, bad)

    def _json_paths(self) -> list[str] | None:
        location = self._copy.text("PATHS", "auto")
        if not location.startswith("s3://"):
            return None
        if self._paths is None:
            content = self._store.read(ObjectReference(*split_url(location)), self._query_id)
            self._paths = jsonfile.read_paths(content, len(self._columns))
        return self._paths

    def _field_error(
        self, file: str, rows: Rows, column: Column, field: str | None, row: int, bad: BadValue
    ) -> LoadError:
        raw = rows.raw[row]
        length = str(column.length_bytes or "")
        kind = column.redshift_type.partition("(")[0]
        position = max(raw.find(field), 0) if field else 0
        return LoadError(
            file, rows.lines[row], position, column.name, kind, length, raw, field or "", bad.code, bad.reason
        )


def _line_error(file: str, line: int, raw: str, bad: BadValue) -> LoadError:
    return LoadError(file, line, 0, "", "", "", raw, "", bad.code, bad.reason)


def _without_invalid_lines(content: bytes, error: UnicodeDecodeError) -> tuple[str, list[tuple[int, str, BadValue]]]:
    line = content.count(b"\n", 0, error.start) + 1
    start = content.rfind(b"\n", 0, error.start) + 1
    end = content.find(b"\n", error.start)
    raw = content[start : end if end >= 0 else len(content)].decode(errors="replace")
    shown = content[error.start : error.start + 4].hex(" ")
    bad = BadValue(
        1220, f"String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {shown} (error 4)"
    )
    rest = content[:start] + (content[end + 1 :] if end >= 0 else b"")
    return rest.decode(errors="replace"), [(line, raw, bad)]
