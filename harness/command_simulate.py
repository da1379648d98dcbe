"""`harness simulate`: from a run to what a model of it says of another rate or other settings."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

import click

from harness.checks import Evidence
from harness.cli.options import print_json
from harness.cost import price_list
from harness.cost.event_driven import Setup, bill
from harness.cost.measured import load_of
from harness.errors import UsageError
from harness.run_directory import find
from harness.simulate.calibration import Calibration
from harness.simulate.model import Outcome, Settings, simulate
from harness.simulate.recommend import WINDOW_S, Candidate, arrivals_at, recommend
from harness.simulate.validation import ERROR_MAX, Error, StoredRun, load, others, settings_of, validate
from harness.statistics import summary

MODEL = (
    "a model, calibrated from one run on one machine: it knows how the parts make each other wait, not what else a "
    "machine or AWS may do"
)
CANDIDATES_SHOWN = 8
HELD_OUT_MAX = 3
FILES_MAX = 2_000_000


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; None where the run or its pipeline's own settings decide."""

    rate_per_min: float | None
    hours: float
    maximum_concurrency: int | None
    batch_size: int | None
    merge_every_s: float | None
    sla_s: float | None
    seed: int


def simulate_run(
    run_name: str, wanted: Wanted, against: tuple[str, ...], *, recommending: bool, region: str, as_json: bool
) -> int:
    """Print what the model says, its own error always with it; returns the exit code.

    Raises:
        UsageError: the run has too little to learn from, or the simulation would be too long.
    """
    run = load(find(run_name))
    held_out = [load(find(name)) for name in against] or others(run)[-HELD_OUT_MAX:]
    errors, calibration = validate(run, held_out), run.calibration()
    sla_s = wanted.sla_s or run.facts.sla_s * run.facts.time_scale
    rate = wanted.rate_per_min or run.rate_per_min
    settings = _settings(run, wanted)
    result: dict[str, Any] = {
        "model": MODEL,
        "calibrated_from": {"run": run.name, "files": calibration.files, "rate_per_min": round(run.rate_per_min, 1)},
        "validation": [error.to_json() for error in errors],
        "forecast": _forecast(calibration, rate, wanted, settings, sla_s),
    }
    if recommending:
        price, why_not = _pricing(run, rate, region)
        found = recommend(calibration, rate, sla_s, price)
        result["recommendation"] = {
            "rate_per_min": rate, "sla_s": sla_s, "region": region, "not_priced": why_not,
            "best": _candidate_json(found[0]) if found[0].holds else None,
            "candidates": [_candidate_json(one) for one in found[:CANDIDATES_SHOWN]],
        }  # fmt: skip
    print_json(result) if as_json else click.echo("\n".join(_text(result, errors)))
    return 0


def _settings(run: StoredRun, wanted: Wanted) -> Settings:
    own = settings_of(run)
    return Settings(
        merge_every_s=wanted.merge_every_s or own.merge_every_s * run.facts.time_scale,
        batch_size=wanted.batch_size or own.batch_size,
        batch_window_s=(WINDOW_S if wanted.batch_size > 1 else 0.0) if wanted.batch_size else own.batch_window_s,
        maximum_concurrency=wanted.maximum_concurrency or own.maximum_concurrency,
    )


def _forecast(
    calibration: Calibration, rate_per_min: float, wanted: Wanted, settings: Settings, sla_s: float
) -> dict[str, Any]:
    if rate_per_min * wanted.hours * 60 > FILES_MAX:
        raise UsageError(
            f"--hours {wanted.hours:g} at this rate are more than {FILES_MAX:,} files: ask for fewer hours"
        )
    began_s = time.perf_counter()
    arrivals = arrivals_at(calibration, rate_per_min, wanted.hours * 3600)
    if not arrivals:
        raise UsageError(f"no file arrives within {wanted.hours:g} hours at this rate")
    outcome = simulate(calibration, settings, arrivals, wanted.seed)
    taken_s = time.perf_counter() - began_s
    merged = [latency_s for latency_s in outcome.latencies_s if latency_s is not None]
    return {
        "rate_per_min": rate_per_min,
        "hours": wanted.hours,
        "settings": asdict(settings),
        "files": len(arrivals),
        "not_merged": len(arrivals) - len(merged),
        "end_to_end_s": summary(merged, digits=1),
        "sla_s": sla_s,
        "sla_met": len(merged) == len(arrivals) and max(merged) <= sla_s,
        "most_concurrent": outcome.most_concurrent,
        "merge_s": summary(outcome.merge_s, digits=2),
        "simulated_in_s": round(taken_s, 2),
    }


def _pricing(
    run: StoredRun, rate_per_min: float, region: str
) -> tuple[Callable[[Settings, Outcome, int], float | None], str | None]:
    """What settings cost a day in `harness cost`'s model, or why they cannot be priced."""
    try:
        measured = load_of(Evidence(run.facts, run.history, ()), None, rate_per_min)
        prices = price_list.load(region)
        bill(measured, Setup(), prices, 1.0)
    except UsageError as error:
        return (lambda *_: None), str(error)

    def price(settings: Settings, outcome: Outcome, files: int) -> float:
        changed = replace(
            measured,
            function_s_per_file=outcome.function_s / files,
            invocations_per_file=outcome.invocations / files,
            merge_every_s=settings.merge_every_s,
            merge_s=fmean(outcome.merge_s) if outcome.merge_s else measured.merge_s,
        )
        return bill(changed, Setup(), prices, 1.0).total_usd

    return price, None


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return asdict(candidate)


def _text(result: dict[str, Any], errors: tuple[Error, ...]) -> list[str]:
    source, forecast = result["calibrated_from"], result["forecast"]
    lines = [
        f"MODEL calibrated from {source['run']} ({source['files']} files at {source['rate_per_min']:g}/min)",
        f"  {result['model']}",
        "",
        "How far it is off (predicted / measured seconds, end to end)",
        *(_error_line(error) for error in errors),
        "",
        f"Forecast: {forecast['files']:,} files at {forecast['rate_per_min']:g}/min over {forecast['hours']:g} h, "
        f"{_named(forecast['settings'])} (simulated in {forecast['simulated_in_s']:g} s)",
        f"  end to end   {_seconds(forecast['end_to_end_s'])}",
        f"  merge job    {_seconds(forecast['merge_s'])}",
        f"  at once      {forecast['most_concurrent']} invocations at most",
        f"  SLA          {'held' if forecast['sla_met'] else 'NOT held'}: {forecast['sla_s']:g} s"
        + (f"; {forecast['not_merged']:,} files were not merged in time" if forecast["not_merged"] else ""),
    ]
    return lines + _recommendation_lines(result.get("recommendation"))


def _error_line(error: Error) -> str:
    figures = ", ".join(
        f"{name} {error.predicted_s[name]:.1f}/{error.measured_s[name]:.1f} ({error.error[name]:+.0%})"
        for name in error.measured_s
    )
    kind = "held out" if error.held_out else "its own second half, for want of a held-out run (--against RUN)"
    verdict = "within" if error.worst <= ERROR_MAX else "NOT within"
    return f"  {error.against} at {error.rate_per_min:g}/min, {kind}: {figures}: {verdict} {ERROR_MAX:.0%}"


def _recommendation_lines(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    title = f"Settings for {found['rate_per_min']:g} files/min within {found['sla_s']:g} s"
    lines = ["", f"{title}, cheapest first" if found["not_priced"] is None else title]
    if found["not_priced"]:
        lines.append(f"  not priced: {found['not_priced']}")
    if found["best"] is None:
        lines.append("  none of those tried holds it; the nearest:")
    for number, one in enumerate(found["candidates"]):
        usd = "" if one["usd_per_day"] is None else f", ${one['usd_per_day']:,.2f} a day in {found['region']} (a model)"
        mark = "→" if number == 0 and found["best"] else " "
        worst = "not all merged" if one["worst_s"] is None else f"slowest {one['worst_s']:g} s"
        lines.append(f"  {mark} {_named(one['settings'])}: p99 {one['p99_s']:g} s, {worst}{usd}")
    return lines


def _named(settings: dict[str, Any]) -> str:
    most = settings["maximum_concurrency"]
    return (
        f"MaximumConcurrency {'unset' if most is None else most}, batch size {settings['batch_size']}, "
        f"merge every {settings['merge_every_s']:g} s"
    )


def _seconds(found: dict[str, float] | None) -> str:
    return "–" if found is None else ", ".join(f"{name} {value:g} s" for name, value in found.items())
