"""Files as a Spark DataFrame with lineage, and a DataFrame as Parquet files.

In: a Spark session, paths, a format and a schema. Out: Parquet files on disk, and how long listing, planning and
writing took. A value that does not fit fails the batch (FAILFAST): Glue has no queue that a single bad file could be
put aside on.

Without grouping every file is a task of its own, as Glue's DynamicFrame reader makes it for compressed files. With
grouping Spark packs files into tasks of up to 128 MB, as `groupFiles: inPartition` does. Source: Glue Developer
Guide, "Reading input files in larger groups".
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Under grouping a file counts for its size and this; without, any two are too large for one task.
GROUPED_OPEN_COST_BYTES, GROUP_BYTES = 4 * 2**20, 128 * 2**20
_ROW_BITS = 33  # monotonically_increasing_id(): the partition's number above, the row's in it below

# An empty field without quotes is NULL, `""` the empty text: Spark takes both for NULL unless they differ here. No text
# in Redshift can be this one.
_NULL = "\0"

_READERS: dict[str, tuple[str, dict[str, str]]] = {
    # RFC 4180: a quote is doubled, line breaks inside quotes; the header must be the schema's.
    "csv": (
        "csv",
        {"header": "true", "quote": '"', "escape": '"', "multiLine": "true", "enforceSchema": "false",
         "nullValue": _NULL, "emptyValue": "", "mode": "FAILFAST"},
    ),
    "jsonl": ("json", {"mode": "FAILFAST"}),
    "parquet": ("parquet", {}),
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What became of a batch of files. Times in seconds; `partitions` are the tasks that read it."""

    parts: tuple[Path, ...]
    partitions: int
    list_s: float
    plan_s: float
    write_s: float


def configure(spark: Any, *, group_files: bool) -> None:
    """Set what reading and writing rely on."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(GROUP_BYTES))
    spark.conf.set("spark.sql.files.openCostInBytes", str(GROUPED_OPEN_COST_BYTES if group_files else GROUP_BYTES))
    # Otherwise Spark opens a task at least for each slot, and groups of equal size.
    spark.conf.set("spark.sql.files.minPartitionNum", "1")


def convert(spark: Any, paths: Sequence[Path], landing: Path, file_format: str, schema: str, target: Path) -> Written:
    """Read files and write them, with their lineage, as Parquet to `target`.

    Raises:
        py4j.protocol.Py4JJavaError: a file is not what the format and the schema ask for; its cause says which.
    """
    from pyspark.sql import functions as f

    reader, options = _READERS[file_format.removesuffix(".gz")]
    began_s = time.monotonic()
    # A name is a name, not a pattern.
    source = spark.read.format(reader).schema(schema).options(**options).option("__globPaths__", "false")
    frame = source.load([f"file://{path}" for path in paths])
    listed_s = time.monotonic()
    partitions = frame._jdf.queryExecution().toRdd().getNumPartitions()
    planned_s = time.monotonic()
    # The name comes percent-encoded; the key is what follows the directory that stands for the bucket.
    key = f.expr(f"substring(url_decode(replace(input_file_name(), '+', '%2B')), {len(f'file://{landing}/') + 1})")
    row = f.monotonically_increasing_id().bitwiseAND((1 << _ROW_BITS) - 1) + f.lit(1)
    frame = (
        frame.withColumn("source_file", key)
        .withColumn("source_row", row.cast("bigint"))
        .withColumn("loaded_at", f.lit(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())).cast("timestamp_ntz"))
    )
    frame.write.mode("error").parquet(f"file://{target}")
    parts = tuple(sorted(target.glob("part-*.parquet")))
    return Written(parts, partitions, listed_s - began_s, planned_s - listed_s, time.monotonic() - planned_s)
