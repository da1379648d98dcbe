"""What many small files cost a Glue job: time to list, plan and read, and driver memory, against their number.

In: file counts, driver memories, workers. Out: one JSON document on standard output. Each measurement is a run of the
real job (`glue/job.py`) on a stack of its own: files of a few records lie in the bucket, the job loads them. Times of a
busy machine say nothing by themselves: compare the measurements of one call. Needs `make setup-glue` and Java 17.

    python -m benchmarks.glue_small_files --files 200 --files 4000 --driver-memory 1024 --driver-memory 96
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generators.files import encode
from generators.records import make_table
from harness import pipeline as pipelines
from harness.aws import Aws
from harness.emptying import empty
from harness.errors import HarnessError
from harness.glue import environment
from harness.glue.job import BatchJob, BatchRun
from harness.merge import read_job
from harness.pipeline import Pipeline
from harness.plan import FIRST_DAY
from harness.provision import provision
from harness.run_directory import machine
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from harness.timing import scaled

ROOT = Path(__file__).resolve().parents[1]


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", type=Path, default=ROOT / "glue.toml", help="description with a [batch] section")
    parser.add_argument("--files", type=int, action="append", help="how many; may be repeated [default: 20, 200]")
    parser.add_argument("--records", type=int, default=10, help="records in each [default: 10]")
    parser.add_argument("--driver-memory", type=int, action="append", metavar="MB", help="heap; may be repeated")
    parser.add_argument("--workers", type=int, action="append", help="Glue workers, 2 at least; may be repeated")
    parser.add_argument("--group-files", action="store_true", help="pack files into tasks, as groupFiles does")
    return parser.parse_args()


def one_type(pipeline: Pipeline, **batch: Any) -> Pipeline:
    """The pipeline with its first type alone, so that the file count is the only thing that varies."""
    first = next(iter(pipeline.types))
    assert pipeline.batch is not None  # main has looked
    return pipeline.model_copy(
        update={"types": {first: pipeline.types[first]}, "batch": pipeline.batch.model_copy(update=batch)}
    )


def upload(pipeline: Pipeline, aws: Aws, files: int, records: int) -> None:
    """Put `files` files of distinct records."""
    ((name, settings),) = pipeline.types.items()
    dataset = pipeline.dataset(name)
    for index in range(files):
        body = encode(make_table(dataset, seed=1, file_index=index, records=records, at=FIRST_DAY), dataset.format)
        key = f"{settings.prefix}dt=2026-01-01/{name}-{index:06d}.{settings.format}"
        aws.s3.put_object(Bucket=pipeline.bucket, Key=key, Body=body)


def measured(run: BatchRun, pipeline: Pipeline, files: int) -> dict[str, Any]:
    event = run.to_event(pipeline)
    assert pipeline.batch is not None  # one_type keeps it
    (of_type,) = event["types"]
    return {
        "files": files, "workers": pipeline.batch.workers, "driver_memory_limit_mb": pipeline.batch.driver_memory_mb,
        "group_files": pipeline.batch.group_files, "status": run.status, "error": run.error,
        "run_s": round(run.ended_s - run.started_s, 3), "spark_start_s": event["spark_ready_s"],
        **{name: of_type[name] for name in
           ("list_s3_s", "list_requests", "fetch_s", "list_s", "plan_s", "write_s", "partitions", "driver_memory")},
    }  # fmt: skip


def measure(asked_for: argparse.Namespace, endpoints: Endpoints, directory: Path) -> Iterator[dict[str, Any]]:
    given, aws = pipelines.load(asked_for.pipeline), Aws(endpoints)
    if given.batch is None:
        raise HarnessError(f"{asked_for.pipeline}: has no [batch] section")
    memories = asked_for.driver_memory or [given.batch.driver_memory_mb]
    for files in asked_for.files or [20, 200]:
        plain = one_type(given)
        empty(plain, provision(plain, scaled(plain, 1.0), aws), aws)
        upload(plain, aws, files, asked_for.records)
        for workers in asked_for.workers or [given.batch.workers]:
            for memory_mb in memories:
                pipeline = one_type(
                    given, workers=workers, driver_memory_mb=memory_mb, group_files=asked_for.group_files
                )
                # each with a bookmark of its own, so that it finds all the files
                work, runs = directory / f"{files}-{workers}-{memory_mb}", list[BatchRun]()
                work.mkdir()
                BatchJob(environment.find(), pipeline, read_job(pipeline), work, work, runs.append).run(
                    endpoints, 1, 0.0
                )
                found = measured(runs[0], pipeline, files)
                print(json.dumps(found), file=sys.stderr)
                yield found


def main() -> int:
    directory = Path(tempfile.mkdtemp(prefix="glue-files-"))
    directory.chmod(0o711)
    try:
        options = asked()
        environment.find()
        with embedded(directory) as endpoints:
            found = list(measure(options, endpoints, directory))
    except HarnessError as error:
        print(f"glue_small_files: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps({"machine": machine(), "records_per_file": options.records, "measurements": found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
