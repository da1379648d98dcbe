"""`harness bench`: what the pipeline sustains on this machine, said with the figures it rests on."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness import interruption
from harness import pipeline as pipelines
from harness.bench import cpu, floor, ministack, throughput
from harness.bench.throughput import Held, Offer
from harness.checks import Verdict
from harness.cli.options import print_json
from harness.errors import ExitCode
from harness.handler_import import check_handlers
from harness.overrides import overridden
from harness.pipeline import Pipeline
from harness.run_directory import create, machine

FLOOR_FILES = 400
STOCK_DURATION_S = 45.0
MAXIMUM_CONCURRENCY_MIN = 2  # the least that an event source mapping takes
_EXIT_CODES = {
    Verdict.PASS: ExitCode.PASS, Verdict.FAIL: ExitCode.FAIL, Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE
}  # fmt: skip


def bench_throughput(
    *, pipeline_file: Path, rate: float, duration: float, records: int | None, maximum_concurrency: int | None,
    compare: tuple[str, ...], without_floor: bool, out: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Run the benchmark and print it; returns the exit code.

    Raises:
        UsageError: the pipeline cannot be used.
        HarnessError: the harness itself failed.
    """
    described = pipelines.load(pipeline_file)
    pipeline = (
        limited_to_cores(described, os.cpu_count() or 1)
        if maximum_concurrency is None
        else overridden(described, None, maximum_concurrency)
    )
    check_handlers(pipeline, pipeline_file)
    offer = Offer(rate, duration, records)
    held = throughput.run(pipeline, offer, create(out, "bench-throughput"))
    if interruption.seen():  # what was measured is told, and nothing more is begun
        without_floor, compare = True, ()
    verdict, reasons = throughput.verdict_of(held)
    result: dict[str, Any] = {
        "benchmark": "throughput", "machine": machine(), "verdict": str(verdict), "reasons": list(reasons),
        "pipeline": held.to_json(),
    }  # fmt: skip
    if not without_floor:
        click.echo("harness: measuring the floor: the handler and COPY alone", err=True)
        result["floor"] = (measured := floor.measure(pipeline, FLOOR_FILES, records)).to_json()
        result["share_of_floor"] = round(held.loaded_per_min / measured.files_per_min, 3)
    if "stock-poller" in compare:
        stock_offer = replace(offer, duration_s=min(offer.duration_s, STOCK_DURATION_S))
        stock = throughput.run(pipeline, stock_offer, create(None, "bench-stock-poller"), poller="stock")
        result["stock_poller"] = stock.to_json()
        result["times_stock_poller"] = round(held.loaded_per_min / max(stock.loaded_per_min, 0.1), 2)
    if "ministack" in compare:
        click.echo("harness: offering the same to MiniStack in the emulator's place", err=True)
        seconds = min(offer.duration_s, STOCK_DURATION_S)
        other = ministack.measure(pipeline, rate, seconds, records)
        result["ministack"] = other.to_json()
        result["times_ministack"] = round(held.loaded_per_min / max(other.loaded_per_min, 0.1), 2)
    print_json(result) if as_json else click.echo(_text(result, held))
    return _EXIT_CODES[verdict]


def limited_to_cores(pipeline: Pipeline, cores: int) -> Pipeline:
    """The pipeline with a MaximumConcurrency of at most `cores` for each type: more invocations at once only start more
    environments."""
    most = max(MAXIMUM_CONCURRENCY_MIN, cores)
    types = {}
    for name, settings in pipeline.types.items():
        limit = min(pipeline.queue_of(name).maximum_concurrency or most, most)
        queue = settings.queue.model_copy(update={"maximum_concurrency": limit})
        types[name] = settings.model_copy(update={"queue": queue})
    return pipeline.model_copy(update={"types": types})


def _text(result: Mapping[str, Any], held: Held) -> str:
    lines = [
        f"{result['verdict'].upper()}  {held.rate_per_min:g} files/min for {held.duration_s:g} s, merge every "
        f"{throughput.MERGE_EVERY_S:g} s, on {result['machine']['cpus']} cores",
        *(f"  ✗ {reason}" for reason in result["reasons"]),
        "",
        f"  loaded       {held.loaded_per_min:g} files/min while offering; {held.files['merged']} of "
        f"{held.files['scheduled']} files merged, {held.files['lost']} lost, {held.files['duplicated']} doubled",
        f"  backlog      {_backlog(held)}",
        f"  end to end   {_percentiles(held.end_to_end_s, 's')}",
        f"  start lag    {_percentiles(held.start_lag_ms, 'ms')}",
    ]
    if "floor" in result:
        lines.append(
            f"  floor        {result['floor']['files_per_min']:g} files/min with the handler and COPY alone in "
            f"{result['floor']['processes']} processes: the pipeline does {result['share_of_floor']:.0%} of it"
        )
    if "stock_poller" in result:
        lines.append(
            f"  stock poller {result['stock_poller']['loaded_per_min']:g} files/min, LocalStack's own with the same "
            f"executor: the pipeline does {result['times_stock_poller']:g} times that"
        )
    if "ministack" in result:
        other = result["ministack"]
        lines.append(
            f"  ministack    {other['loaded_per_min']:g} files/min by its own S3, queues and functions, no merge; "
            f"{other['loaded']} of {other['files']} in the end: the pipeline does "
            f"{result['times_ministack']:g} times that"
        )
    return "\n".join([*lines, "", *cpu_table(held.cpu_ms_per_file), *_cpu_notes(held), f"\n{held.run}"])


def _backlog(held: Held) -> str:
    if not held.backlog_files:
        return "not measured"
    found = held.backlog_files
    return (
        f"{found['middle_third']:g} files in the middle third, {found['last_third']:g} in the last, "
        f"{found['most']:g} at most"
    )


def _percentiles(found: Mapping[str, float] | None, unit: str) -> str:
    if not found:
        return "not measured"
    return ", ".join(f"{name} {value:.1f} {unit}" for name, value in found.items())


def cpu_table(per_file: Mapping[str, float]) -> list[str]:
    """One line a component, the largest first."""
    total = sum(per_file.values()) or 1.0
    rows = sorted(per_file.items(), key=lambda item: -item[1])
    return [
        f"  {'CPU of a file':<32} {'ms':>8} {'share':>7}",
        *(f"  {name:<32} {value:>8.1f} {value / total:>7.1%}" for name, value in rows),
        f"  {'total':<32} {total:>8.1f}",
    ]


def _cpu_notes(held: Held) -> list[str]:
    total_ms = sum(held.cpu_ms_per_file.values())
    reachable = f"  {held.cores_used:.2f} cores used"
    if total_ms:
        reachable += f"; at this cost {throughput_bound(total_ms):.0f} files/min would take all of this machine"
    reachable += f"; {held.cold_starts} cold starts are in it"
    making = (
        f"  making a file took {held.making_ms_per_file:.1f} ms, before the first upload where there is room for all"
    )
    return ["", reachable, f"  load and probes: {held.load_share:.1%} ({', '.join(cpu.LOAD_AND_PROBES)})", making]


def throughput_bound(cpu_ms_per_file: float) -> float:
    """Files a minute at which this machine's cores are all busy."""
    return float(machine()["cpus"]) * 60_000 / cpu_ms_per_file
