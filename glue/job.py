"""The Glue job: `spark-submit glue/job.py --JOB_NAME … --types …`.

In: everything that the landing bucket holds, and the bookmark of the last run that committed. Out: the new files'
rows in the final tables, the bookmark moved on, and one JSON line an event on standard output, as the handler logs.
One run loads every type, one after the other, each in a transaction of its own; if one fails the run fails, and since
only a whole run moves the bookmark, the next one takes the same files again, and those that came meanwhile.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from glue import frame, lake, warehouse
from glue.bookmark import FoundObject, new_objects, next_bookmark
from glue.columns import spark_schema
from glue.service import Job, getResolvedOptions

ARGUMENTS = (
    "JOB_NAME", "bucket", "types", "temp_prefix", "iam_role", "bookmark_state", "max_band_s", "group_files", "slots",
)  # fmt: skip
MB = 2**20


def say(event: str, **fields: Any) -> None:
    """One JSON line on standard output."""
    print(json.dumps({"event": event, "at_s": round(time.time(), 6), **fields}, ensure_ascii=False), flush=True)


@dataclass(frozen=True)
class Run:
    """What a job run works with; `types` is name -> {prefix, format, stage_table, columns, merge}."""

    spark: Any
    s3: Any
    arguments: dict[str, str]
    types: dict[str, dict[str, Any]]
    job: Job
    work: Path

    @property
    def slots(self) -> int:
        return int(self.arguments["slots"])

    @property
    def bucket(self) -> str:
        return self.arguments["bucket"]


def session(group_files: bool) -> Any:
    """The Spark session that Glue, or spark-submit, has configured.

    Raises:
        py4j.protocol.Py4JError: Spark could not be started.
    """
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    frame.configure(spark, group_files=group_files)
    return spark


def driver_memory(spark: Any) -> dict[str, float]:
    """What is alive on the driver's heap after a collection, and its limit, in MB."""
    runtime = spark._jvm.java.lang.Runtime.getRuntime()
    runtime.gc()
    return {
        "live_mb": round((runtime.totalMemory() - runtime.freeMemory()) / MB, 1),
        "limit_mb": round(runtime.maxMemory() / MB, 1),
    }


def load_type(run: Run, name: str, new: list[FoundObject]) -> None:
    """Take the new files of a type to its final table.

    Raises:
        py4j.protocol.Py4JJavaError: Spark could not read a file.
        redshift_connector.Error, botocore.exceptions.ClientError: the warehouse or S3 refused.
    """
    settings = run.types[name]
    manifest, prefix = None, f"{run.arguments['temp_prefix']}{name}/{time.time_ns()}/"
    landing, target = run.work / "landing" / name, run.work / "parquet" / name
    if new:
        began_s = time.monotonic()
        paths = lake.fetch(run.s3, run.bucket, new, landing, run.slots)
        fetched_s = time.monotonic() - began_s
        written = frame.convert(
            run.spark, paths, landing, settings["format"], spark_schema(settings["columns"]), target
        )
        manifest = lake.stage(run.s3, run.bucket, prefix, written.parts, run.slots)
        say(
            "converted", type=name, files=len(paths), partitions=written.partitions, fetch_s=round(fetched_s, 3),
            list_s=round(written.list_s, 3), plan_s=round(written.plan_s, 3), write_s=round(written.write_s, 3),
            driver_memory=driver_memory(run.spark),
        )  # fmt: skip
    connection = warehouse.connect(os.environ)
    try:
        loaded = warehouse.load(
            connection, settings["stage_table"], manifest, run.arguments["iam_role"], settings["merge"]
        )
    finally:
        connection.close()
    say(
        "committed", type=name, copy_started_s=loaded.began_s, merge_started_s=loaded.copied_s,
        committed_s=loaded.committed_s, rows=loaded.rows,
    )  # fmt: skip
    lake.remove(run.s3, run.bucket, prefix)
    shutil.rmtree(landing, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)


def load_new(run: Run) -> None:
    """List, load every type, move the bookmark."""
    band_s = float(run.arguments["max_band_s"])
    listed_at_s, objects = time.time(), list[FoundObject]()
    new = dict[str, list[FoundObject]]()
    for name, settings in run.types.items():
        began_s = time.monotonic()
        listing = lake.list_objects(run.s3, run.bucket, settings["prefix"])
        objects += listing.objects
        new[name] = new_objects(listing.objects, run.job.bookmark, band_s)
        say(
            "listed", type=name, objects=len(listing.objects), requests=listing.requests,
            keys=[found.key for found in new[name]], took_s=round(time.monotonic() - began_s, 3),
        )  # fmt: skip
    for name in run.types:
        load_type(run, name, new[name])
    run.job.commit(next_bookmark(objects, listed_at_s, band_s))
    say("bookmark_moved", until_s=listed_at_s)


def main(argv: list[str]) -> int:
    """One job run; what ends it is on standard output, and its trace on standard error."""
    arguments = getResolvedOptions(argv, ARGUMENTS)
    job = Job(Path(arguments["bookmark_state"]))
    job.init(arguments["JOB_NAME"])
    say("job_started", name=job.name)
    spark = session(arguments["group_files"] == "true")
    say("spark_ready", version=spark.version)
    slots = int(arguments["slots"])
    s3 = boto3.client("s3", config=Config(max_pool_connections=slots, s3={"addressing_style": "path"}))
    with tempfile.TemporaryDirectory(prefix="glue-") as work:
        run = Run(spark, s3, arguments, json.loads(arguments["types"]), job, Path(work).resolve())
        try:
            load_new(run)
        except Exception as error:
            say("job_failed", error=" ".join(str(error).split())[:1000], error_type=type(error).__name__)
            raise
    say("job_ended")
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
