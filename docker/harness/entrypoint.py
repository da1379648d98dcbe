"""What the harness's container runs: `serve` by default, otherwise the `harness` command with its arguments.

`serve` makes the pipeline on the stack and runs its merge job on its interval, so that whatever is put into the bucket
ends in the final tables. While a scenario runs against the stack, the schedule is the scenario's, and this one rests.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from harness.errors import HarnessError

SERVING = Path("/tmp/serving")


def serve() -> None:
    """Provision and merge until SIGTERM."""
    from harness import pipeline as pipelines
    from harness.aws import Aws
    from harness.merge import MergeRun, keep_merging, read_job
    from harness.provision import provision
    from harness.stack.compose import endpoints_inside, is_in_use
    from harness.timing import scaled

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    pipeline, endpoints = pipelines.load(Path(os.environ["NRT_PIPELINE"])), endpoints_inside()
    timing, job = scaled(pipeline, 1.0), read_job(pipeline)
    if not is_in_use(endpoints):
        provision(pipeline, timing, Aws(endpoints))
    SERVING.touch()
    print(f"{pipeline.name}: provisioned; merging every {timing.merge_every_s:g} s", flush=True)

    def merge(number: int, due_s: float) -> MergeRun:
        if is_in_use(endpoints):
            print("a scenario is running: its own schedule merges", flush=True)
            return MergeRun(number, due_s, time.time(), time.time(), 0.0, ())
        return job.run(endpoints, number, due_s)

    def tell(run: MergeRun) -> None:
        for merged in run.types:
            rows = sum(statement["rows"] for statement in merged.rows)
            print(f"merge {run.run}: {merged.type}: {merged.error or f'{rows} rows'}", flush=True)

    keep_merging(merge, timing.merge_every_s, time.time() + timing.merge_every_s, tell, stop)


def _check_runs() -> None:
    if not os.access("runs", os.W_OK):
        owner = Path("runs").stat()
        raise HarnessError(
            f"runs/ belongs to user {owner.st_uid}, and this container runs as user {os.getuid()}: "
            f"set NRT_USER={owner.st_uid}:{owner.st_gid}"
        )


def main() -> None:
    """The container's entry point."""
    SERVING.unlink(missing_ok=True)
    if sys.argv[1:] == ["serve"]:
        try:
            serve()
        except HarnessError as error:
            sys.exit(f"harness: {error}")
        return
    from harness.cli import main as harness

    if sys.argv[1:2] == ["run"] and not {"-h", "--help"} & set(sys.argv):
        try:
            _check_runs()
        except HarnessError as error:
            print(f"harness: {error}", file=sys.stderr)
            sys.exit(error.exit_code)
    harness()


if __name__ == "__main__":
    main()
