"""How long one waits: `harness --help`, `up`, `down`, and a smoke run beyond its own schedule. One JSON line.

    python -m benchmarks.start [--rounds 5]

Medians over the rounds, which follow a first one that is left out: it warms the machine's caches. `up` and `down` run
in a directory of their own, so that no stack that is up is touched. CPU is that of the command itself: on a busy
machine it says more than the time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from harness import catalogue
from harness.run_directory import machine

ROOT = Path(__file__).resolve().parents[1]


def _timed(arguments: list[str], directory: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=directory, check=False, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"harness {' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began_s, cpu_s


def _round(directory: Path, number: int) -> dict[str, float]:
    pipeline = ["--pipeline", str(ROOT / "pipeline.toml")]
    help_s, help_cpu_s = _timed(["--help"], directory)
    up_s, _ = _timed(["up", *pipeline], directory)
    try:
        list_s, _ = _timed(["status"], directory)
    finally:
        down_s, _ = _timed(["down"], directory)
    run_s, _ = _timed(["run", "smoke", *pipeline, "--out", str(directory / f"run-{number}")], directory)
    smoke = catalogue.scenario("smoke")
    return {"help_ms": help_s * 1000, "help_cpu_ms": help_cpu_s * 1000, "up_s": up_s, "status_s": list_s,
            "down_s": down_s, "smoke_beyond_its_schedule_s": run_s - smoke.duration_s}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nrt-start-") as temporary:
        rounds = [_round(Path(temporary), number) for number in range(options.rounds + 1)][1:]
    medians = {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}
    print(json.dumps({"benchmark": "start", "machine": machine(), "rounds": options.rounds,
                      "load_average": round(os.getloadavg()[0], 1), **medians}))  # fmt: skip


if __name__ == "__main__":
    main()
