"""Where every record is after the run, counted in SQL.

In: what was delivered (made again from the seed, or read again from the files that were replayed) and the final
tables. Out: for each file how many of its records are in the final table, missing, altered, superseded by a newer
version or there more than once; for each type what was not expected. Records are matched by key; content is compared
by a checksum that PostgreSQL computes of both sides with the same types, so that neither a text rendering nor a
rounding of ours can hide a difference. Of a record that is there as it was delivered, the file and row that it names as
its source are compared with those it came from. Records never pass through Python one by one, and nothing is left in
the database.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import sql
from harness.errors import HarnessError
from harness.history import Accounted
from harness.pipeline import LINEAGE_COLUMNS, Pipeline, TypeSettings
from harness.stack.endpoints import Endpoints

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import connection as Connection  # noqa: N812


@dataclass(frozen=True)
class DeliveredFile:
    """A file that may be in the tables; `read` makes its records as they were delivered, in the type's columns."""

    index: int
    key: str
    read: "Callable[[], pa.Table]"


@dataclass(frozen=True)
class TypeTotals:
    """What the tables of a type hold besides: `unexpected` rows have a key that nobody delivered, `foreign` ones name a
    source file that nobody delivered."""

    type: str
    final_rows: int
    stage_rows: int
    unexpected: int
    unexpected_from: str | None
    foreign: int = 0
    foreign_from: str | None = None

    def to_event(self) -> dict[str, Any]:
        """The fields of its `accounted_type` event."""
        return dict(self.__dict__)


def _columns(names: Iterable[str], table: str = "") -> str:
    return ", ".join(f'{table}."{name}"' if table else f'"{name}"' for name in names)


def _checksum(settings: TypeSettings, table: str) -> str:
    return f"hashtextextended(ROW({_columns(settings.verified_columns, table)})::text, 0)"


def _prepare(connection: "Connection", type_name: str, settings: TypeSettings) -> None:
    """`incoming` takes one file in the final table's own types; `expected` keeps what identifies a record, `files` the
    numbers that stand there for their keys."""
    keys = _columns(settings.key)
    version = f', "{settings.version}" AS nrt_version' if settings.version else ", NULL::int AS nrt_version"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE {_incoming(type_name)} AS "
            f"SELECT {_columns(settings.columns)} FROM {settings.final_table} WITH NO DATA"
        )
        cursor.execute(
            f"CREATE TEMP TABLE {_expected(type_name)} AS SELECT 0 AS nrt_file, 0 AS nrt_row, {keys}{version}, "
            f"0::bigint AS nrt_checksum FROM {settings.final_table} WITH NO DATA"
        )
        cursor.execute(f"CREATE TEMP TABLE {_files(type_name)} (nrt_file int, nrt_key text)")


def _expected(type_name: str) -> str:
    return f'"nrt_expected_{type_name}"'


def _files(type_name: str) -> str:
    return f'"nrt_files_{type_name}"'


def _incoming(type_name: str) -> str:
    return f'"nrt_incoming_{type_name}"'


def _expect(connection: "Connection", type_name: str, settings: TypeSettings, file: DeliveredFile) -> int:
    """Record what a file delivered; returns its number of records."""
    import pyarrow.csv

    table = file.read()
    text = io.BytesIO()
    # quoted strings and bare nulls: COPY tells an empty string from a missing one
    pyarrow.csv.write_csv(table.select(list(settings.columns)), text)
    text.seek(0)
    version = f'i."{settings.version}"' if settings.version else "NULL"
    incoming = _incoming(type_name)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {incoming}")
        cursor.copy_expert(f"COPY {incoming} FROM STDIN (FORMAT csv, HEADER true)", text)
        # rows lie in the order in which they were copied: that of the file
        cursor.execute(
            f"INSERT INTO {_expected(type_name)} SELECT %s, row_number() OVER (), {_columns(settings.key, 'i')}, "
            f"{version}, {_checksum(settings, 'i')} FROM {incoming} i",
            (file.index,),
        )
        cursor.execute(f"INSERT INTO {_files(type_name)} VALUES (%s, %s)", (file.index, file.key))
    return int(table.num_rows)


def _counts_by_file(connection: "Connection", type_name: str, settings: TypeSettings) -> dict[int, dict[str, int]]:
    """Of each key the newest delivered version counts; older ones are superseded."""
    keys, using = _columns(settings.key), f"USING ({_columns(settings.key)})"
    row = "min(f.source_row)" if "source_row" in _lineage_columns(connection, settings) else "NULL::bigint"
    is_whole = "nrt_newness = 1 AND nrt_copies = 1 AND nrt_low = nrt_checksum AND nrt_from IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH final AS (
                SELECT {keys}, count(*) AS nrt_copies, min({_checksum(settings, "f")}) AS nrt_low,
                       max({_checksum(settings, "f")}) AS nrt_high, min(named.nrt_file) AS nrt_from,
                       {row} AS nrt_from_row
                FROM {settings.final_table} f LEFT JOIN {_files(type_name)} named ON named.nrt_key = f.source_file
                GROUP BY {keys}
            ), matched AS (
                SELECT e.nrt_file, e.nrt_row, e.nrt_checksum, final.nrt_copies, final.nrt_low, final.nrt_high,
                       final.nrt_from, final.nrt_from_row,
                       row_number() OVER (
                           PARTITION BY {keys}
                           ORDER BY e.nrt_version DESC NULLS LAST, (e.nrt_checksum = final.nrt_low) DESC NULLS LAST,
                                    (e.nrt_file = final.nrt_from) DESC NULLS LAST,
                                    (e.nrt_row = final.nrt_from_row) DESC NULLS LAST, e.nrt_file DESC
                       ) AS nrt_newness
                FROM {_expected(type_name)} e LEFT JOIN final {using}
            )
            SELECT nrt_file, count(*),
                   count(*) FILTER (WHERE nrt_newness = 1 AND nrt_copies IS NOT NULL),
                   count(*) FILTER (WHERE nrt_newness = 1 AND nrt_copies IS NULL),
                   count(*) FILTER (WHERE nrt_newness = 1 AND (nrt_low <> nrt_checksum OR nrt_high <> nrt_checksum)),
                   count(*) FILTER (WHERE nrt_newness > 1),
                   coalesce(sum(nrt_copies - 1) FILTER (WHERE nrt_newness = 1), 0),
                   count(*) FILTER (WHERE {is_whole} AND nrt_from <> nrt_file),
                   count(*) FILTER (WHERE {is_whole} AND nrt_from = nrt_file AND nrt_from_row <> nrt_row)
            FROM matched GROUP BY nrt_file
            """
        )
        return {row[0]: dict(zip(_COUNTS, map(int, row[1:]), strict=True)) for row in cursor}


_COUNTS = (
    "expected", "merged", "missing", "altered", "superseded", "duplicated", "from_other_file", "from_other_row",
)  # fmt: skip


def _lineage_columns(connection: "Connection", settings: TypeSettings) -> set[str]:
    """Which of the lineage columns the final table has; `source_file` it must have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attname = ANY(%s)",
            (settings.final_table, list(LINEAGE_COLUMNS)),
        )
        return {name for (name,) in cursor.fetchall()}


def _load_times(connection: "Connection", settings: TypeSettings) -> dict[str, tuple[float, float]]:
    """The first and last `loaded_at` that the rows of each file have, read as UTC."""
    if "loaded_at" not in _lineage_columns(connection, settings):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_file, date_part('epoch', min(loaded_at)), date_part('epoch', max(loaded_at)) "
            f"FROM {settings.final_table} WHERE loaded_at IS NOT NULL GROUP BY source_file"
        )
        return {key: (float(first_s), float(last_s)) for key, first_s, last_s in cursor.fetchall()}


def _staged_rows(connection: "Connection", settings: TypeSettings) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT source_file, count(*) FROM {settings.stage_table} GROUP BY source_file")
        return {key: int(count) for key, count in cursor.fetchall()}


def _foreign(connection: "Connection", settings: TypeSettings, files: list[DeliveredFile]) -> tuple[int, str | None]:
    """Rows whose lineage leads nowhere, and where it pretends to lead."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(rows), 0), min(source_file) FROM (SELECT source_file, count(*) AS rows "
            f"FROM {settings.final_table} GROUP BY source_file) AS found "
            "WHERE source_file IS NULL OR source_file <> ALL(%s)",
            ([file.key for file in files],),
        )
        count, source = cursor.fetchone() or (0, None)
    return int(count), source


def _totals(connection: "Connection", type_name: str, settings: TypeSettings, files: list[DeliveredFile]) -> TypeTotals:
    same_key = " AND ".join(f'e."{name}" = f."{name}"' for name in settings.key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT count(*) FROM {settings.final_table}), (SELECT count(*) FROM {settings.stage_table}), "
            f"count(*), min(f.source_file) FROM {settings.final_table} f "
            f"WHERE NOT EXISTS (SELECT FROM {_expected(type_name)} e WHERE {same_key})"
        )
        row = cursor.fetchone()
    if row is None:
        raise HarnessError(f"{settings.final_table}: counting gave no row")
    final_rows, stage_rows, unexpected, unexpected_from = row
    return TypeTotals(
        type_name, final_rows, stage_rows, unexpected, unexpected_from, *_foreign(connection, settings, files)
    )


def account(
    pipeline: Pipeline, type_name: str, files: list[DeliveredFile], endpoints: Endpoints
) -> Iterator[tuple[DeliveredFile, Accounted] | TypeTotals]:
    """Count one type: yields each file's account, then the type's totals.

    Raises:
        DatabaseAwayError: the database went away meanwhile.
        HarnessError: the tables could not be read, or a file not be read again.
    """
    settings = pipeline.types[type_name]
    with sql.told(f"accounting for {type_name}", endpoints.postgres), sql.backend(endpoints) as connection:
        _prepare(connection, type_name, settings)
        for file in files:
            _expect(connection, type_name, settings, file)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {_expected(type_name)}; ANALYZE {_files(type_name)}")
        counts = _counts_by_file(connection, type_name, settings)
        staged, times_s = _staged_rows(connection, settings), _load_times(connection, settings)
        for file in files:
            first_s, last_s = times_s.get(file.key, (None, None))
            yield file, Accounted(
                **counts.get(file.index, dict.fromkeys(_COUNTS, 0)), in_stage=staged.get(file.key, 0),
                loaded_first_s=first_s, loaded_last_s=last_s,
            )  # fmt: skip
        yield _totals(connection, type_name, settings, files)
