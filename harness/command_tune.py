"""`harness tune memory`: from the command line's words to a recommended memory and batch size."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from harness import pipeline as pipelines
from harness.aws import Aws
from harness.cli.options import print_json
from harness.cost import price_list
from harness.errors import ExitCode, HarnessError, UsageError
from harness.handler_import import check_handlers
from harness.run_directory import machine
from harness.stack.embedded import embedded
from harness.tune import bench, points, show
from harness.tune.cpu_share import FULL_CPU_MB, share_of

TERMINAL_WIDTH_MIN = 150


def tune_memory(
    pipeline_file: Path, type_name: str | None, sizes: bench.Sizes, *, region: str, architecture: str,
    within_s: float | None, report: str | None, out: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Measure, print, recommend; returns the exit code: 1 when no point will do.

    Raises:
        UsageError: the pipeline, the type or the region cannot be used.
        HarnessError: the stack or the handler did not start.
    """
    pipeline = pipelines.load(pipeline_file)
    chosen = type_name or next(iter(pipeline.types))
    if chosen not in pipeline.types:
        raise UsageError(f"--type {chosen!r} is not one of {', '.join(pipeline.types)}")
    prices = price_list.load(region)
    check_handlers(pipeline, pipeline_file)
    progress = Console(stderr=True)

    def tell(text: str) -> None:
        progress.print(f"harness: {text}", highlight=False)

    tell("starting the embedded stack")
    with tempfile.TemporaryDirectory(prefix="nrt-tune-") as logs, embedded(Path(logs)) as endpoints:
        measured = bench.run(pipeline, chosen, sizes, Aws(endpoints), tell)
    found = [
        points.point(one.memory_mb, batch, share_of(one.memory_mb), one.init_s, samples, prices, architecture)
        for one in measured
        for batch, samples in one.samples.items()
    ]
    choice, notes = points.choose(found, within_s), _notes(chosen, sizes, measured[0].bound)
    if as_json:
        print_json(
            {"type": chosen, "records": sizes.records, "repeats": sizes.repeats, "bound": measured[0].bound,
             "machine": machine(), "load_average": os.getloadavg()[0], "points": [asdict(one) for one in found],
             "recommended": asdict(choice.recommended) if choice else None, "why": choice.why if choice else None}
        )  # fmt: skip
    else:
        show.table(Console(width=max(TERMINAL_WIDTH_MIN, Console().width)), found, choice, notes)
    if report == "html":
        path = out or Path(f"tune-{chosen}.html")
        try:
            path.write_text(show.page(f"Memory for {pipeline.name}-{chosen}", found, choice, notes), encoding="utf-8")
        except OSError as error:
            raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
        click.echo(path, err=as_json)
    return ExitCode.PASS if choice else ExitCode.FAIL


def _notes(type_name: str, sizes: bench.Sizes, bound: str) -> list[str]:
    cpus = len(os.sched_getaffinity(0))
    notes = [
        f"{type_name}, {sizes.records:,} records a file, {sizes.repeats} warm invocations a point, medians; "
        f"CPU held by {bound}: {FULL_CPU_MB:,} MB is one CPU of this machine ({cpus}, load {os.getloadavg()[0]:.1f})",
        "cost is Lambda's alone, without cold starts; latency is from the invocation's start to its end; waiting for a "
        "batch to fill comes on top. The warehouse is the stand-in: where Redshift makes the handler wait longer, "
        "smaller sizes gain.",
    ]
    if any(share_of(size) > cpus for size in sizes.memories_mb):
        notes.append(f"sizes above {FULL_CPU_MB * cpus:,} MB have more CPUs on Lambda than this machine has")
    return notes
