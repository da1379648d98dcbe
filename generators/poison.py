"""Files that cannot be loaded: what source systems send when something went wrong with them.

In: a good table and its data set. Out: the bytes of a broken file. Every kind is one that the pipeline must refuse as a
whole. It knows nothing of schedules and stores.
"""

import gzip
from collections.abc import Callable, Iterator

import pyarrow as pa

from generators.dataset import Dataset
from generators.files import compress, decompress, encode

# More than Redshift's widest varchar holds.
HUGE_TEXT_CHARACTERS = 70_000
ZIP_BOMB_BYTES = 20_000_000


def _cut_short(table: pa.Table, dataset: Dataset) -> bytes:
    data = encode(table, dataset.format)
    return data[: len(data) // 2]


def _footer_cut_off(table: pa.Table, dataset: Dataset) -> bytes:
    return encode(table, dataset.format)[:-8]


def _wrong_columns(table: pa.Table, dataset: Dataset) -> bytes:
    return encode(table.rename_columns([*table.column_names[:-1], "surprise"]), dataset.format)


def _wrong_types(table: pa.Table, dataset: Dataset) -> bytes:
    at = next(number for number, column in enumerate(dataset.columns) if column.parsed.kind != "text")
    words = pa.array(["not a number"] * table.num_rows, pa.string())
    return encode(table.set_column(at, table.column_names[at], words), dataset.format)


def _no_records(table: pa.Table, dataset: Dataset) -> bytes:
    return encode(table.slice(0, 0), dataset.format)


def _zero_bytes(_table: pa.Table, _dataset: Dataset) -> bytes:
    return b""


def _first_text(dataset: Dataset) -> int:
    return next(
        number
        for number, column in enumerate(dataset.columns)
        if column.parsed.kind == "text" and not column.parsed.fixed
    )


def _with_text(table: pa.Table, dataset: Dataset, text: str) -> pa.Table:
    at = _first_text(dataset)
    texts = pa.array([text] + [None] * (table.num_rows - 1), pa.string())
    return table.set_column(at, table.column_names[at], texts)


def _wrong_encoding(table: pa.Table, dataset: Dataset) -> bytes:
    marked = encode(_with_text(table, dataset, "caf\N{LATIN SMALL LETTER E WITH ACUTE}"), dataset.format)
    utf8, latin1 = "caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), b"caf\xe9"
    if dataset.format.endswith(".gz"):
        return compress(decompress(marked).replace(utf8, latin1))
    return marked.replace(utf8, latin1)


def _huge_value(table: pa.Table, dataset: Dataset) -> bytes:
    return encode(_with_text(table, dataset, "x" * HUGE_TEXT_CHARACTERS), dataset.format)


def _zip_bomb(_table: pa.Table, _dataset: Dataset) -> bytes:
    return gzip.compress(bytes(ZIP_BOMB_BYTES), mtime=0)


_ALL, _ZIPPED, _TEXT = ("csv", "csv.gz", "jsonl.gz", "parquet"), ("csv.gz", "jsonl.gz"), ("csv", "csv.gz", "jsonl.gz")
KINDS: dict[str, tuple[tuple[str, ...], Callable[[pa.Table, Dataset], bytes]]] = {
    "cut_short": (_ZIPPED, _cut_short),
    "wrong_columns": (_ALL, _wrong_columns),
    "zero_bytes": (_ALL, _zero_bytes),
    "wrong_types": (_ALL, _wrong_types),
    "no_records": (_ALL, _no_records),
    "wrong_encoding": (_TEXT, _wrong_encoding),
    "huge_value": (_ALL, _huge_value),
    "zip_bomb": (_ZIPPED, _zip_bomb),
    "footer_cut_off": (("parquet",), _footer_cut_off),
}


def kinds_for(file_format: str) -> Iterator[str]:
    """The kinds that there are of a format, in order."""
    return (kind for kind, (formats, _) in KINDS.items() if file_format in formats)


def poison(kind: str, table: pa.Table, dataset: Dataset) -> bytes:
    """A broken file made from a good table of at least one record.

    Raises:
        ValueError: no such kind, or none of this format.
    """
    formats, make = KINDS.get(kind, ((), _zero_bytes))
    if dataset.format not in formats:
        raise ValueError(f"there is no poison {kind!r} of format {dataset.format}")
    return make(table, dataset)
