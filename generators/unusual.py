"""Files that are right and yet not what one tries a reader with: another order of columns, another packing.

In: a good table and its data set. Out: the bytes of a file that holds the same records. Every kind is one that the
pipeline must load. It knows nothing of schedules and stores.
"""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from generators.dataset import Dataset
from generators.files import compress, decompress, encode

ROW_GROUPS = 3


def _other_order(table: pa.Table, dataset: Dataset) -> bytes:
    return encode(table.select(table.column_names[::-1]), dataset.format)


def _two_members(table: pa.Table, dataset: Dataset) -> bytes:
    """Two gzip members one after the other, as `cat` and log shippers make them (RFC 1952, 2.2)."""
    text = decompress(encode(table, dataset.format))
    half = text.find(b"\n", len(text) // 2) + 1
    return compress(text[:half]) + compress(text[half:])


def _row_groups(table: pa.Table, _dataset: Dataset) -> bytes:
    sink = io.BytesIO()
    pa_parquet.write_table(table, sink, row_group_size=max(1, table.num_rows // ROW_GROUPS))
    return sink.getvalue()


_ALL, _ZIPPED = ("csv", "csv.gz", "jsonl.gz", "parquet"), ("csv.gz", "jsonl.gz")
KINDS: dict[str, tuple[tuple[str, ...], Callable[[pa.Table, Dataset], bytes]]] = {
    "other_order": (_ALL, _other_order),
    "two_members": (_ZIPPED, _two_members),
    "row_groups": (("parquet",), _row_groups),
}


def kinds_for(file_format: str) -> tuple[str, ...]:
    """The kinds there are of files of a format."""
    return tuple(kind for kind, (formats, _) in KINDS.items() if file_format in formats)


def unusual(kind: str, table: pa.Table, dataset: Dataset) -> bytes:
    """The table as an unusual file."""
    return KINDS[kind][1](table, dataset)
