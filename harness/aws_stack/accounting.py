"""Where every record is after a run on AWS, counted in Redshift's own dialect.

In and out as in `harness.accounting`. What was delivered goes through the bucket as Parquet and COPY into a temporary
table, because Redshift takes nothing from a client's pipe, and has no checksum of a row: columns are compared one by
one, in the final table's own types. Nothing is left in the warehouse or the bucket.
"""

import io
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from generators.dataset import arrow_schema
from harness import sql
from harness.accounting import DeliveredFile, TypeTotals
from harness.aws import Aws
from harness.history import Accounted
from harness.pipeline import COPY_STAGING_PREFIX, Pipeline, TypeSettings
from harness.stack.endpoints import Endpoints

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

COUNTED = (
    "expected", "merged", "missing", "altered", "superseded", "duplicated", "from_other_file", "from_other_row",
)  # fmt: skip
LINEAGE_COLUMNS = ("source_row", "loaded_at")


def account(
    pipeline: Pipeline, type_name: str, files: list[DeliveredFile], endpoints: Endpoints
) -> Iterator[tuple[DeliveredFile, Accounted] | TypeTotals]:
    """Count one type: yields each file's account, then the type's totals.

    Raises:
        DatabaseAwayError: the warehouse went away meanwhile.
        HarnessError: the tables could not be read, or a file not be read again.
    """
    on_aws, settings = endpoints.on_aws, pipeline.types[type_name]
    assert on_aws is not None
    with (
        sql.told(f"accounting for {type_name}", endpoints.redshift),
        sql.warehouse(endpoints, "nrt-accounting") as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        expected = f'"nrt_expected_{type_name}"'
        cursor.execute(
            f"CREATE TEMP TABLE {expected} AS SELECT CAST(0 AS INTEGER) AS nrt_file, "
            f"CAST(0 AS INTEGER) AS nrt_row, CAST('' AS VARCHAR(1024)) AS nrt_key, {_columns(settings.columns)} "
            f"FROM {settings.final_table} WHERE 1 = 0"
        )
        if files:
            with _delivered(pipeline, type_name, files, Aws(endpoints)) as prefix:
                cursor.execute(
                    f"COPY {expected} FROM 's3://{on_aws.bucket}/{prefix}' IAM_ROLE '{on_aws.copy_role}' "
                    "FORMAT AS PARQUET"
                )
        lineage = _lineage_columns(cursor, settings.final_table)
        counts = _counts_by_file(cursor, expected, settings, lineage)
        times_s = _load_times(cursor, settings.final_table) if "loaded_at" in lineage else {}
        cursor.execute(f"SELECT source_file, COUNT(*) FROM {settings.stage_table} GROUP BY source_file")
        staged = {key: int(count) for key, count in cursor.fetchall()}
        for file in files:
            found = counts.get(file.index, dict.fromkeys(COUNTED, 0))
            first_s, last_s = times_s.get(file.key, (None, None))
            yield (
                file,
                Accounted(**found, in_stage=staged.get(file.key, 0), loaded_first_s=first_s, loaded_last_s=last_s),
            )
        yield _totals(cursor, expected, type_name, settings, files)


@contextmanager
def _delivered(pipeline: Pipeline, type_name: str, files: list[DeliveredFile], aws: Aws) -> Iterator[str]:
    """What was delivered, as Parquet below a prefix that only COPY looks at, for the length of the block."""
    import pyarrow as pa
    import pyarrow.parquet

    schema = arrow_schema(pipeline.dataset(type_name))
    prefix, keys = f"{COPY_STAGING_PREFIX}nrt-accounting/{uuid.uuid4()}/", []
    try:
        for file in files:
            table = file.read().select(schema.names).cast(schema)
            count = table.num_rows
            table = table.add_column(0, "nrt_key", pa.repeat(pa.scalar(file.key), count))
            table = table.add_column(0, "nrt_row", pa.array(range(1, count + 1), pa.int32()))
            table = table.add_column(0, "nrt_file", pa.repeat(pa.scalar(file.index, pa.int32()), count))
            content = io.BytesIO()
            pyarrow.parquet.write_table(table, content, compression="snappy")
            key = f"{prefix}{file.index:08d}.parquet"
            aws.s3.put_object(Bucket=pipeline.bucket, Key=key, Body=content.getvalue())
            keys.append(key)
        yield prefix
    finally:
        for key in keys:
            aws.s3.delete_object(Bucket=pipeline.bucket, Key=key)


def _columns(names: Iterable[str], table: str = "") -> str:
    return ", ".join(f'{table}."{name}"' if table else f'"{name}"' for name in names)


def _same(names: tuple[str, ...]) -> str:
    return " AND ".join(f'(e."{name}" = f."{name}" OR (e."{name}" IS NULL AND f."{name}" IS NULL))' for name in names)


def _counts_by_file(
    cursor: "Cursor", expected: str, settings: TypeSettings, lineage: set[str]
) -> dict[int, dict[str, int]]:
    """Of each key the newest delivered version counts; older ones are superseded."""
    key = settings.key[0]
    keys, own = _columns(settings.key, "e"), _columns(settings.key)
    version = f'e."{settings.version}"' if settings.version else "CAST(NULL AS INTEGER)"
    row = "MIN(f.source_row)" if "source_row" in lineage else "CAST(NULL AS BIGINT)"
    is_whole = "nrt_newness = 1 AND nrt_copies = 1 AND nrt_same = 1 AND nrt_named = 1"
    cursor.execute(
        f"""
        WITH named AS (
            SELECT DISTINCT nrt_key FROM {expected}
        ), joined AS (
            SELECT e.nrt_file, e.nrt_row, {keys}, {version} AS nrt_version, COUNT(f."{key}") AS nrt_copies,
                   SUM(CASE WHEN f."{key}" IS NOT NULL AND {_same(settings.verified_columns)} THEN 1 ELSE 0 END)
                       AS nrt_same,
                   COUNT(named.nrt_key) AS nrt_named,
                   SUM(CASE WHEN f.source_file = e.nrt_key THEN 1 ELSE 0 END) AS nrt_here,
                   {row} AS nrt_from_row
            FROM {expected} e LEFT JOIN {settings.final_table} f ON {_same_key(settings)}
                 LEFT JOIN named ON named.nrt_key = f.source_file
            GROUP BY e.nrt_file, e.nrt_row, {keys}{f", {version}" if settings.version else ""}
        ), ranked AS (
            SELECT nrt_file, nrt_row, nrt_copies, nrt_same, nrt_named, nrt_here, nrt_from_row,
                   ROW_NUMBER() OVER (
                       PARTITION BY {own}
                       ORDER BY nrt_version DESC NULLS LAST, CASE WHEN nrt_same > 0 THEN 0 ELSE 1 END,
                                nrt_here DESC, CASE WHEN nrt_from_row = nrt_row THEN 0 ELSE 1 END, nrt_file DESC
                   ) AS nrt_newness
            FROM joined
        )
        SELECT nrt_file, COUNT(*),
               {_how_many("nrt_newness = 1 AND nrt_copies > 0")},
               {_how_many("nrt_newness = 1 AND nrt_copies = 0")},
               {_how_many("nrt_newness = 1 AND nrt_same < nrt_copies")},
               {_how_many("nrt_newness > 1")},
               SUM(CASE WHEN nrt_newness = 1 AND nrt_copies > 1 THEN nrt_copies - 1 ELSE 0 END),
               {_how_many(f"{is_whole} AND nrt_here = 0")},
               {_how_many(f"{is_whole} AND nrt_here = 1 AND nrt_from_row <> nrt_row")}
        FROM ranked GROUP BY nrt_file
        """
    )
    return {row[0]: {name: int(value) for name, value in zip(COUNTED, row[1:], strict=True)} for row in cursor}


def _how_many(condition: str) -> str:
    return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def _same_key(settings: TypeSettings) -> str:
    return " AND ".join(f'e."{name}" = f."{name}"' for name in settings.key)


def _lineage_columns(cursor: "Cursor", table: str) -> set[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "AND column_name IN %s",
        (*sql.split_table(table), LINEAGE_COLUMNS),
    )
    return {name for (name,) in cursor.fetchall()}


def _load_times(cursor: "Cursor", table: str) -> dict[str, tuple[float, float]]:
    """The first and last `loaded_at` that the rows of each file have, read as UTC."""
    cursor.execute(
        "SELECT source_file, date_part('epoch', min(loaded_at)), date_part('epoch', max(loaded_at)) "
        f"FROM {table} WHERE loaded_at IS NOT NULL GROUP BY source_file"
    )
    return {key: (float(first_s), float(last_s)) for key, first_s, last_s in cursor.fetchall()}


def _totals(
    cursor: "Cursor", expected: str, type_name: str, settings: TypeSettings, files: list[DeliveredFile]
) -> TypeTotals:
    own = _columns(settings.key)
    final_rows, _ = _count(cursor, settings.final_table)
    stage_rows, _ = _count(cursor, settings.stage_table)
    unexpected, unexpected_from = _count(
        cursor,
        f"{settings.final_table} f LEFT JOIN (SELECT DISTINCT {own} FROM {expected}) e ON {_same_key(settings)} "
        f'WHERE e."{settings.key[0]}" IS NULL',
        "f.source_file",
    )
    elsewhere = "OR source_file NOT IN %s" if files else "OR source_file IS NOT NULL"
    foreign, foreign_from = _count(
        cursor, f"{settings.final_table} WHERE source_file IS NULL {elsewhere}", "source_file",
        (tuple(file.key for file in files),) if files else (),
    )  # fmt: skip
    return TypeTotals(type_name, final_rows, stage_rows, unexpected, unexpected_from, foreign, foreign_from)


def _count(
    cursor: "Cursor", what: str, example: str = "NULL", values: tuple[object, ...] = ()
) -> tuple[int, str | None]:
    cursor.execute(f"SELECT COUNT(*), MIN({example}) FROM {what}", values or None)
    count, found = cursor.fetchone() or (0, None)
    return int(count), found
