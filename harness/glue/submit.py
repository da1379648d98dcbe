"""How a run of the Glue job is started: the command line of `spark-submit`, and the job's environment variables.

In: a pipeline with a `[batch]` section, a stack, paths. Out: values; nothing is started here. What Glue sets as job
properties (workers, driver memory) are options of `spark-submit` here, what it hands to the script are its arguments.
"""

import json
import os
from pathlib import Path

from harness.glue.billing import task_slots
from harness.glue.environment import GlueEnvironment
from harness.merge import MergeJob
from harness.pipeline import COPY_STAGING_PREFIX, BatchSettings, Pipeline
from harness.provision import ROLE_ARN
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, Endpoints
from harness.stack.processes import LOOPBACK

# Spark keeps 300 MB of the heap back for itself and refuses to start on less than half as much again; with this
# reserve a limit may be as low as the question needs.
RESERVED_MEMORY_BYTES = 16 * 2**20
# A driver out of memory is to end, as Glue's is, not to collect garbage for ever; and on a small machine the second
# compiler takes more time from a job of a minute than it gives back.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseParallelGC -XX:+ExitOnOutOfMemoryError"


def batch_of(pipeline: Pipeline) -> BatchSettings:
    """The `[batch]` section of a pipeline that has one."""
    assert pipeline.batch is not None  # asked of batch pipelines only
    return pipeline.batch


def _types(pipeline: Pipeline, merge_job: MergeJob) -> str:
    return json.dumps(
        {
            name: {
                "prefix": settings.prefix,
                "format": settings.format,
                "stage_table": settings.stage_table,
                "columns": {column: described.type for column, described in settings.columns.items()},
                "merge": list(merge_job.statements[name]),
            }
            for name, settings in pipeline.types.items()
        }
    )


def command(glue: GlueEnvironment, pipeline: Pipeline, merge_job: MergeJob, work: Path) -> list[str]:
    """The command line of a run that keeps all it writes below `work`."""
    batch = batch_of(pipeline)
    slots = task_slots(batch)
    settings = {
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        "spark.local.dir": str(work / "spark"),
        "spark.sql.warehouse.dir": str(work / "spark-warehouse"),
        "spark.testing.reservedMemory": str(RESERVED_MEMORY_BYTES),
        "spark.log.level": "WARN",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # what a task has written need not be renamed file by file by the driver
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    }
    options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    arguments = {
        "JOB_NAME": pipeline.name,
        "bucket": pipeline.bucket,
        "types": _types(pipeline, merge_job),
        "temp_prefix": f"{COPY_STAGING_PREFIX}glue/",
        "iam_role": ROLE_ARN,
        "bookmark_state": str(work / "bookmark.json"),
        "max_band_s": str(batch.max_band_s),
        "group_files": str(batch.group_files).lower(),
        "slots": str(slots),
    }
    return [
        str(glue.spark_submit), "--master", f"local[{slots}]", "--driver-memory", f"{batch.driver_memory_mb}m",
        *options, str(pipeline.directory / batch.job),
        *(part for name, value in arguments.items() for part in (f"--{name}", value)),
    ]  # fmt: skip


def environment(glue: GlueEnvironment, pipeline: Pipeline, endpoints: Endpoints, work: Path) -> dict[str, str]:
    """The job's environment variables; the warehouse's password is here, where no list of processes shows it."""
    redshift = endpoints.redshift
    found = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "JAVA_HOME": str(glue.java.resolve().parent.parent),
        "PYSPARK_PYTHON": str(glue.python),
        "PYTHONPATH": str(pipeline.directory),
        "SPARK_LOCAL_IP": LOOPBACK,
        "AWS_ENDPOINT_URL": endpoints.aws_endpoint_url,
        "AWS_DEFAULT_REGION": endpoints.region,
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
        "REDSHIFT_HOST": redshift.host,
        "REDSHIFT_PORT": str(redshift.port),
        "REDSHIFT_DATABASE": redshift.database,
        "REDSHIFT_USER": redshift.user,
        "REDSHIFT_PASSWORD": redshift.password,
    }
    return found | ({"REDSHIFT_CA_FILE": redshift.ca_file} if redshift.ca_file else {})
