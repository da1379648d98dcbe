"""`harness export`: a run as Parquet tables, for whoever wants to ask more than the report answers.

In: a run directory. Out: one Parquet file a table, described column by column in docs/ledger.md. Times are UTC
timestamps with microseconds, durations carry their unit in their name, what was not seen is null. Every table has the
column `run`, so that the files of several runs can be read as one. It draws no conclusions.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness import queries
from harness.errors import HarnessError
from harness.export_tables import TABLES, Exported
from harness.history import fold
from harness.ledger import read
from harness.report.words import writable
from harness.run_directory import RunDirectory


def export(directory: RunDirectory, out: Path) -> list[Path]:
    """Write every table into `out`, over those of an earlier export; returns the files.

    A ledger that is not whole is exported as far as it goes; the metadata key `ledger_defects` of each file says so.

    Raises:
        UsageError: it is not a run directory.
        HarnessError: a file cannot be written.
    """
    facts, reading = directory.read_facts(), read(directory.ledger)
    exported = Exported(directory.path.resolve().name, fold(reading.events), tuple(queries.read(directory.path)))
    metadata = {"run": json.dumps(asdict(facts)), "ledger_defects": json.dumps(reading.defects)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        return [
            _write(out / f"{name}.parquet", table.schema.with_metadata(metadata), list(table.rows(exported)))
            for name, table in TABLES.items()
        ]
    except OSError as error:
        raise HarnessError(f"{out}: cannot be written: {error.strerror}") from error


def _write(path: Path, schema: pa.Schema, rows: Sequence[dict[str, Any]]) -> Path:
    # a file name that is not UTF-8 holds what Parquet cannot
    writable_rows = [{name: _writable(value) for name, value in row.items()} for row in rows]
    pq.write_table(pa.Table.from_pylist(writable_rows, schema=schema), path, compression="zstd")
    return path


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    return [_writable(item) for item in value] if isinstance(value, list) else value
