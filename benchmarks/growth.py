"""Does the cost of a file stay flat as things grow: types, records a file, time. One JSON line.

    python -m benchmarks.growth types   [--counts 1,4,16,64] [--rate 400] [--seconds 440] [--warm 140] [--windows 5]
    python -m benchmarks.growth records [--counts 100,1000,10000] [--rate 60] [--seconds 60]
    python -m benchmarks.growth soak    [--files 48000] [--rate 600] [--records 1000]

Each point is a run of the whole pipeline on a stack of its own, judged like any other; the cost is CPU, because a busy
machine changes times and not that. `types` gives every type the columns, the handler and the merge of `orders`; what is
spent in the first seconds (`--warm`), in which each type's environments start, is left out, and a point is the median
of the windows of the rest. `records`: the cost of a file is fixed + records × slope, and both are printed, beside the
cost of a record at each point. `soak` looks at the memory, file
descriptors and disk of the stack's processes every few seconds and compares the second quarter of the time with the
last; disk is told beside the database's own size, which is the data.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from harness import interruption, pipeline, sql
from harness.bench import throughput
from harness.bench.cpu import LOAD_AND_PROBES, METER, tree
from harness.bench.throughput import Held, Offer
from harness.command_bench import limited_to_cores
from harness.pipeline import Pipeline
from harness.run_directory import create, machine
from harness.stack.endpoints import Endpoints

ROOT = Path(__file__).resolve().parents[1]
LOOK_EVERY_S = 5.0
NOT_THE_PIPELINES = (*LOAD_AND_PROBES, METER)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def pipeline_of(types: int, directory: Path) -> Path:
    """A pipeline with so many types, each like `orders`; the path of its description."""
    described, ddl = _text(ROOT / "pipeline.toml"), _text(ROOT / "handler/sql/tables.sql")
    head, orders = described[: described.index("[types.orders]")], described[described.index("[types.orders]") :]
    orders = orders[: orders.index("[types.clicks]")]
    tables = [one for one in ddl.split(";") if "stage.orders " in one or "public.orders " in one]
    merge = _text(ROOT / "handler/sql/merge_orders.sql")
    names = [f"kind{number:02d}" for number in range(types)]
    (directory / "sql").mkdir(parents=True)
    (directory / "handler").symlink_to(ROOT / "handler")
    for name in names:
        (directory / "sql" / f"merge_{name}.sql").write_text(merge.replace("orders", name), encoding="utf-8")
    made = [table.replace(".orders ", f".{name} ") for name in names for table in tables]
    (directory / "sql/tables.sql").write_text(";".join(["CREATE SCHEMA IF NOT EXISTS stage", *made, "\n"]), "utf-8")
    head = head.replace("handler/sql/", "sql/")
    path = directory / "pipeline.toml"
    parts = [orders.replace("[types.orders", f"[types.{name}").replace("orders/", f"{name}/")
             .replace(".orders\"", f".{name}\"") for name in names]  # fmt: skip
    path.write_text(head + "".join(parts), encoding="utf-8")
    return path


def pipelines_cpu_ms(per_file: Mapping[str, float]) -> float:
    """What a file costs the pipeline: without the load generator, the harness's own process and its probes."""
    return round(sum(cost for name, cost in per_file.items() if name not in NOT_THE_PIPELINES), 1)


def _point(held: Held, **about: Any) -> dict[str, Any]:
    return about | {
        "verdict": held.verdict,
        "files": held.files["merged"],
        "pipeline_cpu_ms_per_file": pipelines_cpu_ms(held.cpu_ms_per_file),
        "cpu_ms_per_file": held.cpu_ms_per_file,
        "cold_starts": held.cold_starts,
    }


def _run(described: Pipeline, offer: Offer, name: str, watch: "Watch | None" = None) -> Held:
    held = throughput.run(described, offer, create(None, name), watching=watch)
    if interruption.seen():
        raise SystemExit(interruption.EXIT_CODE)
    return held


def by_types(counts: list[int], offer: Offer) -> dict[str, Any]:
    points = []
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="nrt-growth-") as directory:
            described = pipeline.load(pipeline_of(count, Path(directory) / "pipeline"))
            described = limited_to_cores(described, os.cpu_count() or 1)  # as `harness bench throughput` has it
            held = _run(described, offer, f"growth-types-{count}")
        windows = [pipelines_cpu_ms(window) for window in held.cpu_ms_per_file_by_window]
        median_ms = round(median(windows), 1)
        points.append(_point(held, types=count) | {"pipeline_cpu_ms_per_file": median_ms, "windows": windows})
        print(json.dumps(points[-1]), file=sys.stderr, flush=True)  # a later count that fails loses no point
    costs = [point["pipeline_cpu_ms_per_file"] for point in points]
    return {"points": points, "largest_over_smallest": round(max(costs) / min(costs), 3)}


def by_records(counts: list[int], offer: Offer, described: Pipeline) -> dict[str, Any]:
    points = []
    for count in counts:
        one = Offer(offer.rate_per_min, offer.duration_s, count)
        point = _point(_run(described, one, f"growth-records-{count}"), records=count)
        points.append(point | {"cpu_us_per_record": round(point["pipeline_cpu_ms_per_file"] * 1000 / count, 2)})
    slope, fixed = np.polyfit(counts, [point["pipeline_cpu_ms_per_file"] for point in points], 1)
    return {
        "points": points,
        "fixed_ms_per_file": round(float(fixed), 1),
        "us_per_record": round(float(slope) * 1000, 3),
    }


def _look(endpoints: Endpoints) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("emulator", "redshift", "postgres"):
        memory_kb = descriptors = 0
        for process in tree(endpoints.pids[name]):
            with suppress(OSError):
                status = _text(Path(f"/proc/{process.pid}/smaps_rollup"))
                memory_kb += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Pss:"))
                descriptors += len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        found |= {f"{name}_mb": memory_kb / 1024, f"{name}_descriptors": float(descriptors)}
    used = sum(path.stat().st_size for path in endpoints.directory.glob("emulator/**/*") if path.is_file())
    found["emulator_disk_mb"] = used / 1e6
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        row = cursor.fetchone()
        found["database_mb"] = (row[0] if row else 0) / 1e6
    found["disk_mb"] = (shutil.disk_usage(endpoints.directory).used) / 1e6
    return found


class Watch:
    """What the stack's processes hold, every few seconds."""

    def __init__(self) -> None:
        self.looks: list[dict[str, float]] = []

    @contextmanager
    def __call__(self, endpoints: Endpoints) -> Iterator[None]:
        stop = threading.Event()

        def keep_looking() -> None:
            while not stop.wait(LOOK_EVERY_S):
                with suppress(FileNotFoundError, ProcessLookupError):
                    self.looks.append(_look(endpoints))

        thread = threading.Thread(target=keep_looking, name="growth-watch")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def growth(self) -> dict[str, Any]:
        """The mean of the second quarter of the time, of the last, and their ratio."""
        quarter = len(self.looks) // 4
        if not quarter:
            return {}
        second, last = self.looks[quarter : 2 * quarter], self.looks[3 * quarter :]
        found = {}
        for name in second[0]:
            before, after = mean(look[name] for look in second), mean(look[name] for look in last)
            found[name] = {"second_quarter": round(before, 1), "last_quarter": round(after, 1),
                           "ratio": round(after / before, 3) if before else None}  # fmt: skip
        return found


def soak(files: int, rate: float, records: int, described: Pipeline) -> dict[str, Any]:
    watch = Watch()
    offer = Offer(rate, files / rate * 60, records)
    held = _run(described, offer, "growth-soak", watch)
    return {"point": _point(held, records=records), "backlog_files": held.backlog_files, "checks": held.checks,
            "growth": watch.growth()}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["types", "records", "soak"])
    parser.add_argument("--counts", help="with commas")
    parser.add_argument("--rate", type=float, help="files a minute")
    parser.add_argument("--seconds", type=float, help="how long files are offered at each point")
    parser.add_argument("--warm", type=float, default=140.0, help="seconds of types whose CPU does not count")
    parser.add_argument("--windows", type=int, default=5, help="of the seconds of types that count")
    parser.add_argument("--files", type=int, default=48_000)
    parser.add_argument("--records", type=int, help="records in a file")
    options = parser.parse_args()
    described = pipeline.load(ROOT / "pipeline.toml")
    if options.what == "types":
        counts = [int(one) for one in (options.counts or "1,4,16,64").split(",")]
        seconds = options.seconds or 440.0
        offer = Offer(options.rate or 400.0, seconds, options.records, warm_s=options.warm, windows=options.windows)
        found = by_types(counts, offer)
    elif options.what == "records":
        counts = [int(one) for one in (options.counts or "100,1000,10000").split(",")]
        found = by_records(counts, Offer(options.rate or 60.0, options.seconds or 60.0, None), described)
    else:
        found = soak(options.files, options.rate or 600.0, options.records or 1_000, described)
    print(json.dumps({"benchmark": f"growth_{options.what}", "machine": machine(), **found}))


if __name__ == "__main__":
    with interruption.raises():  # its directories go, however it ends
        main()
