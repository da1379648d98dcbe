"""Do several Locust workers offer one schedule without gaps, at 10,000 files a minute and more? One JSON line.

    python -m benchmarks.offered [--rate 10000] [--seconds 20] [--workers 2] [--records 20] [--endpoint URL]

Each worker, and each of as many feeders, takes its share of the same schedule (`--share K/N`), as it would on a machine
of its own; they upload to the floor's object store, or to an S3 endpoint that has the pipeline's bucket. Files are
small: what is measured is the offering. A gap is a file that was not uploaded, or an index missing between two workers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load import schedule_of
from harness import pipeline
from harness.load.schedule import write_datasets, write_schedule
from harness.run_directory import machine
from harness.statistics import summary

ROOT = Path(__file__).resolve().parents[1]
AHEAD_FILES = 4_000
HEAD_START_S = 8.0


@contextmanager
def _store() -> Iterator[str]:
    command = [sys.executable, "-m", "harness.bench.object_store"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        assert process.stdin is not None
        process.stdin.close()


class _Worker:
    """A load process, what it says, and its CPU."""

    def __init__(self, module: str, *arguments: object) -> None:
        environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} | os.environ
        self.events: list[dict[str, Any]] = []
        self.cpu_s = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)], stdout=subprocess.PIPE, text=True, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        watched = psutil.Process(self._process.pid)
        for line in self._process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == "finished" and watched.is_running():
                times = watched.cpu_times()
                self.cpu_s = times.user + times.system

    def finish(self) -> None:
        self._thread.join()
        if self._process.wait() != 0:
            raise SystemExit(f"{self._process.args!r} ended with exit code {self._process.returncode}")

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._thread.join()
        self._process.wait()


def measure(rate: float, seconds: float, workers: int, records: int, endpoint: str | None) -> dict[str, Any]:
    described = pipeline.load(ROOT / "pipeline.toml")
    files = schedule_of(described, rate, seconds, records)
    with tempfile.TemporaryDirectory(prefix="nrt-bench-") as temporary, ExitStack() as cleanup:
        directory = Path(temporary)
        url = endpoint or cleanup.enter_context(_store())
        (feed := directory / "feed").mkdir()
        write_schedule(directory / "schedule", files)
        write_datasets(directory / "datasets", [described.dataset(name) for name in described.types])
        common = ("--schedule", directory / "schedule", "--directory", feed)
        feeders, dispatchers = [], []
        for number in range(workers):
            share = ("--share", f"{number}/{workers}")
            feeders.append(_Worker("harness.load.feeder", *common, *share, "--datasets", directory / "datasets",
                                   "--seed", 1, "--ahead-files", AHEAD_FILES // workers))  # fmt: skip
            cleanup.callback(feeders[-1].end)
        start_at_s = time.time() + HEAD_START_S
        for number in range(workers):
            share = ("--share", f"{number}/{workers}")
            dispatchers.append(_Worker("harness.load.dispatch", *common, *share, "--endpoint", url, "--bucket",
                                       described.bucket, "--start-at", start_at_s))  # fmt: skip
            cleanup.callback(dispatchers[-1].end)
        for worker in (*dispatchers, *feeders):
            worker.finish()
    return _found(files, dispatchers, feeders)


def _found(files: list[Any], dispatchers: list[_Worker], feeders: list[_Worker]) -> dict[str, Any]:
    uploads = [event for worker in dispatchers for event in worker.events if event["event"] == "uploaded"]
    started_s = sorted(event["started_s"] for event in uploads)
    missing = {file.index for file in files} - {event["index"] for event in uploads}
    lags_ms = [(event["started_s"] - event["intended_s"]) * 1000 for event in uploads]
    longest_s = max((after - before for before, after in pairwise(started_s)), default=0.0)
    span_s = started_s[-1] - started_s[0] if len(started_s) > 1 else float("nan")
    return {
        "files": len(files),
        "uploaded": len(uploads),
        "missing": len(missing),
        "twice": len(uploads) - len({event["index"] for event in uploads}),
        "offered_per_min": round((len(uploads) - 1) / span_s * 60, 1),
        "longest_pause_ms": round(longest_s * 1000, 1),
        "start_lag_ms": summary(lags_ms, digits=2),
        "dispatcher_cpu_ms_per_file": round(sum(worker.cpu_s for worker in dispatchers) * 1000 / len(files), 2),
        "feeder_cpu_ms_per_file": round(sum(worker.cpu_s for worker in feeders) * 1000 / len(files), 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10_000, help="files a minute, all workers together")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--records", type=int, default=20)
    parser.add_argument("--endpoint", help="an S3 endpoint in place of the object store")
    options = parser.parse_args()
    found = measure(options.rate, options.seconds, options.workers, options.records, options.endpoint)
    print(json.dumps({"benchmark": "offered", "machine": machine(), "rate_per_min": options.rate,
                      "workers": options.workers, **found}))  # fmt: skip


if __name__ == "__main__":
    main()
