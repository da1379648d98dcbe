"""What the harness's container runs: `serve` by default, `worker`, otherwise the `harness` command with its arguments.

`serve` makes the pipeline on the stack and runs its merge job on its interval, so that whatever is put into the bucket
ends in the final tables; beside it Locust's web page offers a scenario, with the Pipeline tab and the live view. While
a scenario runs against the stack, the schedule is the scenario's, and this one rests. `worker` is a Locust worker of
that page.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from harness import container_use
from harness.errors import HarnessError, UsageError

SERVING = Path("/tmp/serving")
WEB_PORT, MASTER_PORT = 8089, 5557
LOOK_EVERY_S = 2.0
LOCUST_GRACE_S = 8.0
EXCHANGE = Path("/exchange")


def _locust(*arguments: str) -> list[str]:
    """The command line of Locust for the scenario that NRT_SCENARIO names: of the catalogue, or a file of /pipeline."""
    import scenarios

    named = os.environ.get("NRT_SCENARIO", "steady")
    candidates = (Path(scenarios.__path__[0]) / f"{named}.py", Path(os.environ["NRT_PIPELINE"]).parent / named)
    file = next((path for path in candidates if path.is_file()), None)
    if file is None:
        raise UsageError(f"NRT_SCENARIO: {named!r} is neither one of `harness list` nor a file beside pipeline.toml")
    return [sys.executable, "-m", "locust", "-f", str(file), *arguments]


def _serve_page() -> "subprocess.Popen[bytes]":
    # One worker of its own: further ones, in containers of theirs, share the schedule with it.
    return subprocess.Popen(
        _locust("--web-host", "0.0.0.0", "--web-port", str(WEB_PORT), "--processes", "1",
                "--master-bind-host", "0.0.0.0", "--master-bind-port", str(MASTER_PORT))
    )  # fmt: skip


def serve() -> int:
    """Provision, offer the page, and merge until SIGTERM (0), or until the page ends by itself (1)."""
    from harness.stack.directories import private_directory

    with private_directory() as directory, container_use.told(EXCHANGE, "harness"):
        return _serve(directory)


def _serve(directory: Path) -> int:
    from harness import pipeline as pipelines
    from harness.aws import Aws
    from harness.merge import MergeRun, keep_merging, read_job
    from harness.outages import emulator_session
    from harness.provision import provision
    from harness.stack.compose import endpoints_inside, is_in_use
    from harness.timing import scaled

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    pipeline, endpoints = pipelines.load(Path(os.environ["NRT_PIPELINE"])), endpoints_inside(directory)
    timing, job = scaled(pipeline, 1.0), read_job(pipeline)
    session = emulator_session(endpoints)
    if not is_in_use(endpoints):
        provision(pipeline, timing, Aws(endpoints))
    page = _serve_page()
    SERVING.touch()
    print(f"{pipeline.name}: provisioned; merging every {timing.merge_every_s:g} s", flush=True)

    def look_after() -> None:
        """An emulator that was started anew has no functions: make them again. A run does so itself."""
        known = session
        while not stop.wait(LOOK_EVERY_S):
            if page.poll() is not None:
                print(f"Locust ended with exit code {page.returncode}", file=sys.stderr, flush=True)
                stop.set()
            try:
                found = emulator_session(endpoints)
                if found != known and not is_in_use(endpoints):
                    provision(pipeline, timing, Aws(endpoints))
                    print("the emulator was started anew: provisioned again", flush=True)
                known = found
            except HarnessError as error:
                print(f"the stack is away: {error}", file=sys.stderr, flush=True)

    def merge(number: int, due_s: float) -> MergeRun:
        try:
            if not is_in_use(endpoints):
                return job.run(endpoints, number, due_s)
            print("a scenario is running: its own schedule merges", flush=True)
        except HarnessError as error:
            print(f"merge {number}: {error}", file=sys.stderr, flush=True)
        return MergeRun(number, due_s, time.time(), time.time(), 0.0, ())

    def tell(run: MergeRun) -> None:
        for merged in run.types:
            rows = sum(statement["rows"] for statement in merged.rows)
            print(f"merge {run.run}: {merged.type}: {merged.error or f'{rows} rows'}", flush=True)

    threading.Thread(target=look_after, name="look-after", daemon=True).start()
    keep_merging(merge, timing.merge_every_s, time.time() + timing.merge_every_s, tell, stop)
    ended_by_itself = page.poll() is not None
    page.terminate()
    try:
        page.wait(LOCUST_GRACE_S)
    except subprocess.TimeoutExpired:
        page.kill()
        page.wait()
    return int(ended_by_itself)


def work() -> NoReturn:
    """Become a Locust worker of the harness service."""
    name = f"worker-{socket.gethostname()}"
    subprocess.Popen([sys.executable, "-m", "harness.container_use", str(EXCHANGE), name])
    command = _locust("--worker", "--master-host", "harness", "--master-port", str(MASTER_PORT))
    os.execv(command[0], command)


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
    if sys.argv[1:] in (["serve"], ["worker"]):
        try:
            sys.exit(serve() if sys.argv[1] == "serve" else work())
        except HarnessError as error:
            sys.exit(f"harness: {error}")
    from harness.__main__ import main as harness

    sys.argv[0] = "harness"  # what its help calls itself
    if sys.argv[1:2] == ["run"] and not {"-h", "--help"} & set(sys.argv):
        try:
            _check_runs()
        except HarnessError as error:
            print(f"harness: {error}", file=sys.stderr)
            sys.exit(error.exit_code)
    with container_use.told(EXCHANGE, f"run-{socket.gethostname()}"):
        harness()


if __name__ == "__main__":
    main()
