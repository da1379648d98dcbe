"""Whether the load keeps its schedule, and what it costs: start lag and CPU at a rate, as one JSON line.

    python -m benchmarks.load [--rate 1000] [--seconds 20] [--rounds 5] [--pipeline pipeline.toml] [--endpoint URL]

Feeder and dispatcher run as in a real run, against a sink that acknowledges every PUT (or an S3 endpoint with the
pipeline's bucket). CPU is counted from the moment both are ready, so that imports are not in it. Medians over the
rounds; `cpu_share` is of the whole machine.
"""

import argparse
import json
import operator
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from generators.arrivals import constant
from generators.files import extension
from harness.load.schedule import PlannedFile, write_datasets, write_schedule
from harness.pipeline import Pipeline, load
from harness.plan import mixed_types

AHEAD_FILES = 64
HEAD_START_S = 0.5


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _acknowledge(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("ETag", '"sink"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_HEAD = _acknowledge  # noqa: N815 - the names http.server asks for

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _serve(ready: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    ready.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def _sink() -> Iterator[str]:
    ours, theirs = Pipe()
    process = Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}"
    process.terminate()
    process.join()


def schedule_of(
    pipeline: Pipeline, rate_per_min: float, duration_s: float, records: int | None = None
) -> list[PlannedFile]:
    """Evenly spaced files, the types mixed by their shares."""
    files = []
    for index, (at_s, name) in enumerate(
        zip(constant(rate_per_min).times(duration_s), mixed_types(pipeline), strict=False)
    ):
        settings = pipeline.types[name]
        file = f"{name}-{index:06d}{extension(settings.format)}"
        key = f"{settings.prefix}dt=2026-01-01/{file}"
        files.append(PlannedFile(index, name, key, at_s, records or pipeline.records_per_file, file))
    return files


def _start(module: str, *arguments: object) -> "subprocess.Popen[str]":
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} | os.environ
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Watched:
    """A load process, its events, and its CPU time between its first and its last one."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.events: list[dict[str, Any]] = []
        self.began, self._process = threading.Event(), process
        self.cpu_s = 0.0
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        watched, first_s = psutil.Process(self._process.pid), 0.0
        for line in self._process.stdout:
            self.events.append(json.loads(line))
            if not self.began.is_set():
                first_s = _cpu_s(watched)
                self.began.set()
            self.cpu_s = _cpu_s(watched) - first_s if watched.is_running() else self.cpu_s

    def finish(self) -> None:
        self._thread.join()
        if self._process.wait() != 0:
            raise SystemExit(f"{self._process.args!r} ended with exit code {self._process.returncode}")


def _round(pipeline: Pipeline, url: str, rate_per_min: float, duration_s: float) -> dict[str, float]:
    files = schedule_of(pipeline, rate_per_min, duration_s)
    with tempfile.TemporaryDirectory(prefix="nrt-bench-") as temporary:
        directory = Path(temporary)
        feed = directory / "feed"
        feed.mkdir()
        write_schedule(directory / "schedule", files)
        write_datasets(directory / "datasets", [pipeline.dataset(name) for name in pipeline.types])
        common = ("--schedule", directory / "schedule", "--directory", feed)
        feeder = _Watched(
            _start("harness.load.feeder", *common, "--datasets", directory / "datasets", "--seed", 1,
                   "--ahead-files", AHEAD_FILES)
        )  # fmt: skip
        feeder.began.wait()
        dispatcher = _Watched(
            _start("harness.load.dispatch", *common, "--endpoint", url, "--bucket", pipeline.bucket,
                   "--start-in", HEAD_START_S)
        )  # fmt: skip
        dispatcher.finish()
        feeder.finish()
    uploads = [event for event in dispatcher.events if event["event"] == "uploaded"]
    lags_ms = sorted((event["started_s"] - event["intended_s"]) * 1000 for event in uploads)
    started_s = sorted(map(operator.itemgetter("started_s"), uploads))
    machine_s = duration_s * (psutil.cpu_count() or 1)
    return {
        "uploaded_share": len(uploads) / len(files),
        "offered_per_min": (len(uploads) - 1) / (started_s[-1] - started_s[0]) * 60,
        "start_lag_ms_p50": lags_ms[len(lags_ms) // 2],
        "start_lag_ms_p99": lags_ms[int(len(lags_ms) * 0.99)],
        "start_lag_ms_max": lags_ms[-1],
        "feeder_cpu_ms_per_file": feeder.cpu_s * 1000 / len(files),
        "dispatcher_cpu_ms_per_file": dispatcher.cpu_s * 1000 / len(files),
        "cpu_share": (feeder.cpu_s + dispatcher.cpu_s) / machine_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Start lag and CPU of the load processes.")
    parser.add_argument("--rate", type=float, default=1_000, help="files a minute")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pipeline", type=Path, default=Path("pipeline.toml"))
    parser.add_argument("--endpoint", help="an S3 endpoint in place of the sink")
    options = parser.parse_args()
    pipeline = load(options.pipeline)
    with _sink() as url:
        rounds = [
            _round(pipeline, options.endpoint or url, options.rate, options.seconds) for _ in range(options.rounds)
        ]
    medians = {key: round(statistics.median(one[key] for one in rounds), 4) for key in rounds[0]}
    target = "endpoint" if options.endpoint else "sink"
    print(json.dumps({"benchmark": "load", "rate_per_min": options.rate, "seconds": options.seconds,
                      "rounds": options.rounds, "target": target, **medians}))  # fmt: skip


if __name__ == "__main__":
    main()
