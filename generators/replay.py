"""Replay of real files: what the user's own source systems sent, whole or cut into pieces.

In: a directory `DIR/<type>/**/<file>` and the data sets. Out: sources, each a file or a run of its records, and the
bytes of a piece. Records are never altered: csv and jsonl are cut as bytes, at record ends. It knows nothing of
schedules.
"""

import codecs
import io
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from generators.dataset import Dataset
from generators.files import compress, decompress, extension

_NEWLINE, _RETURN, _QUOTE, _COMMA = b'\n\r",'


@dataclass(frozen=True)
class Source:
    """Records to replay: `records` of them, from `first_row` on. `rows` None is the whole file, sent as it is."""

    type: str
    path: Path
    first_row: int
    rows: int | None
    records: int


def scan(
    directory: Path,
    datasets: Mapping[str, Dataset],
    records_per_file: int | None = None,
    order: Literal["in_order", "resampled"] = "in_order",
    seed: int = 0,
) -> Iterator[Source]:
    """The sources in a directory, in order (by path below the type's folder) or resampled with replacement.

    Every file is looked at before the first source is yielded, so a mistake shows at once. In order each source comes
    once; resampled there is no end. Files and folders whose names begin with a dot are left out.

    Args:
        records_per_file: cut files that hold more into pieces of this many records; the last piece holds the rest.

    Raises:
        ValueError: an unknown type's folder, a file of another format, nothing to replay, a file that cannot be read.
    """
    if records_per_file is not None and records_per_file < 1:
        raise ValueError(f"records_per_file is {records_per_file}; it must be at least 1")
    if order not in ("in_order", "resampled"):
        raise ValueError(f"order {order!r} is not one of in_order, resampled")
    pieces = [
        piece for type_name, path in _files(directory, datasets)
        for piece in _pieces(type_name, path, datasets[type_name].format, records_per_file)
    ]  # fmt: skip
    if order == "in_order":
        return iter(pieces)
    return _resampled(pieces, seed)


def _resampled(pieces: list[Source], seed: int) -> Iterator[Source]:
    picks = random.Random(seed)
    while True:
        yield picks.choice(pieces)


def _files(directory: Path, datasets: Mapping[str, Dataset]) -> list[tuple[str, Path]]:
    if not directory.is_dir():
        raise ValueError(f"{directory}: no such directory")
    found: list[tuple[tuple[str, ...], str, Path]] = []
    for folder in sorted(path for path in directory.iterdir() if not path.name.startswith(".")):
        if not folder.is_dir() or folder.name not in datasets:
            raise ValueError(
                f"{folder}: not the folder of a data type; files go to {directory}/<type>/ with one of the types "
                f"{', '.join(datasets)}"
            )
        ends_in = extension(datasets[folder.name].format)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            below = path.relative_to(folder)
            if any(part.startswith(".") for part in below.parts):
                continue
            if not path.name.endswith(ends_in):
                raise ValueError(f"{path}: the files of {folder.name} are {ends_in[1:]} and must end in {ends_in!r}")
            found.append((below.parts, folder.name, path))
    if not found:
        raise ValueError(f"{directory}: there is no file to replay in it")
    return [(type_name, path) for _, type_name, path in sorted(found)]


def _pieces(type_name: str, path: Path, file_format: str, records_per_file: int | None) -> list[Source]:
    try:
        records = count_records(path.read_bytes(), file_format)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {error}") from error
    if records_per_file is None or records <= records_per_file:
        return [Source(type_name, path, 0, None, records)]
    return [
        Source(type_name, path, first, rows, rows)
        for first in range(0, records, records_per_file)
        for rows in (min(records_per_file, records - first),)
    ]


def count_records(data: bytes, file_format: str) -> int:
    """How many records a file holds, its header not counted.

    Raises:
        ValueError: it is not of the format.
    """
    if file_format == "parquet":
        return int(_parquet_file(data).metadata.num_rows)
    return _lines(data, file_format).records


def cut(path: Path, file_format: str, first_row: int, rows: int) -> bytes:
    """A file of the same format with `rows` of the records, from number `first_row` on; a csv header stays.

    csv and jsonl records keep their bytes; parquet keeps its schema and its values.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not of the format, or has too few records.
    """
    content = _content(path, file_format, path.stat().st_mtime_ns)
    records = content.records if isinstance(content, _Lines) else content.num_rows
    if first_row < 0 or rows < 0 or first_row + rows > records:
        raise ValueError(f"{path}: records {first_row} to {first_row + rows} are not within its {records}")
    if isinstance(content, _Lines):
        piece = content.piece(first_row, rows)
        return compress(piece) if file_format.endswith(".gz") else piece
    sink = io.BytesIO()
    pa_parquet.write_table(content.slice(first_row, rows), sink, compression="snappy")
    return sink.getvalue()


@dataclass(frozen=True, eq=False)
class _Lines:
    """The text of a file and where its records end; the first `header_lines` of them are no records."""

    text: bytes
    ends: npt.NDArray[np.int64]
    header_lines: int

    @property
    def records(self) -> int:
        return len(self.ends) - self.header_lines

    def piece(self, first_row: int, rows: int) -> bytes:
        first = self.header_lines + first_row
        return (
            self.text[: self._end_of(self.header_lines)] + self.text[self._end_of(first) : self._end_of(first + rows)]
        )

    def _end_of(self, lines: int) -> int:
        return int(self.ends[lines - 1]) if lines else 0


@lru_cache(maxsize=4)
def _content(path: Path, file_format: str, _mtime_ns: int) -> "_Lines | pa.Table":
    """A file's content, kept because a big file is cut into one piece after the other."""
    data = path.read_bytes()
    return _parquet_file(data).read() if file_format == "parquet" else _lines(data, file_format)


def _parquet_file(data: bytes) -> pa_parquet.ParquetFile:
    try:
        return pa_parquet.ParquetFile(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"not a parquet file: {error}") from error


def _lines(data: bytes, file_format: str) -> _Lines:
    text = decompress(data) if file_format.endswith(".gz") else data
    is_csv = file_format.startswith("csv")
    if is_csv and not text.strip():
        raise ValueError("an empty csv file has no header")
    return _Lines(text, _record_ends(text, _quotes(text) if is_csv else None), header_lines=int(is_csv))


def _quotes(text: bytes) -> npt.NDArray[np.int64]:
    """Where a csv text's quotes are, each opening one followed by its closing one (a doubled one does both)."""
    characters = np.frombuffer(text, dtype=np.uint8)
    quotes = np.flatnonzero(characters == _QUOTE)
    if len(quotes) % 2:
        raise ValueError("a quote is opened and never closed")
    opening = quotes[::2][quotes[::2] > (3 if text.startswith(codecs.BOM_UTF8) else 0)]
    astray = opening[~np.isin(characters[opening - 1], (_NEWLINE, _QUOTE, _COMMA))]
    if len(astray):
        raise ValueError(f"the quote at byte {astray[0]} is within an unquoted field, which RFC 4180 forbids")
    return quotes


def _record_ends(text: bytes, quotes: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """The offset after each record's line end. A line break between quotes ends none; empty lines are no records."""
    characters = np.frombuffer(text, dtype=np.uint8)
    line_ends = np.flatnonzero(characters == _NEWLINE)
    if quotes is not None:
        line_ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
    ends: npt.NDArray[np.int64] = line_ends.astype(np.int64) + 1
    if len(text) > (ends[-1] if len(ends) else 0):  # the last line has no end
        ends = np.append(ends, np.int64(len(text)))
    if not len(ends):
        return ends
    begins = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    lengths, first = ends - begins, characters[begins]
    is_empty = ((lengths == 1) & (first == _NEWLINE)) | ((lengths == 2) & (first == _RETURN))
    kept: npt.NDArray[np.int64] = ends[~is_empty]
    return kept
