"""`harness compare`, `gate` and `trend`: from the command line's words to a result and its exit code."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from harness import change_points, trend
from harness.compare import Comparison, compare, measure, runs_in
from harness.compare.text import render
from harness.errors import ExitCode, HarnessError, UsageError
from harness.gate import Versions, gate, runner
from harness.report.comparison import page
from harness.run_directory import RunDirectory, find


def compare_runs(base: Sequence[str], head: Sequence[str], text_format: str, report: Path | None) -> int:
    """Print the comparison; `report` gets it too, as a page when its name ends in .html, else as Markdown.

    Returns the exit code.

    Raises:
        UsageError: something that was named is no run, or the runs cannot be compared.
        HarnessError: the report cannot be written.
    """
    comparison = compare(*([measure(run) for name in side for run in _runs(name)] for side in (base, head)))
    if report is not None:
        try:
            report.write_text(_page_or_markdown(comparison, report), encoding="utf-8")
        except OSError as error:
            raise HarnessError(f"{report}: cannot be written: {error.strerror}") from error
    click.echo(render(comparison, text_format), nl=False)
    return comparison.exit_code


def _page_or_markdown(comparison: Comparison, report: Path) -> str:
    return page(comparison) if report.suffix == ".html" else render(comparison, "markdown")


def gate_versions(
    base: str, head: str | None, scenario: str, repeat: int, pipeline_file: Path, out: Path | None,
    text_format: str, options: tuple[str, ...],
) -> int:  # fmt: skip
    """Run both versions, print the comparison and leave it beside the runs. Returns the exit code.

    Raises:
        UsageError: a version, its pipeline or an option cannot be used.
        HarnessError: the harness itself failed.
    """
    out = out or Path("runs") / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-gate-{scenario}"
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out}: there is something in it already; name another directory with --out")
    if pipeline_file.is_absolute():
        raise UsageError(f"{pipeline_file}: name the pipeline as it is inside the repository")
    comparison = gate(Versions(Path.cwd(), base, head, pipeline_file), out, repeat, runner(scenario, options))
    for name, its_format in (("compare.md", "markdown"), ("compare.json", "json"), ("junit.xml", "junit")):
        (out / name).write_text(render(comparison, its_format), encoding="utf-8")
    (out / "compare.html").write_text(page(comparison), encoding="utf-8")
    click.echo(render(comparison, text_format), nl=False)
    return comparison.exit_code


def show_trend(history: Path, runs: Sequence[str], label: str, recent: int, as_json: bool) -> int:
    """Add runs to a history and print what changed in it, with apache-otava's second look. Returns the exit code,
    which is the harness's own judgement alone.

    Raises:
        UsageError: something that was named is no run, or the history cannot be used.
        HarnessError: the history cannot be written.
    """
    trend.add(history, [trend.line(measure(run), label) for name in runs for run in _runs(name)])
    lines = trend.read(history)
    found = trend.changes(lines)
    second = change_points.opinion(lines)
    _tell(lines, [*found, *second.changes], second.why_not, as_json)
    if any(one.worse and one.since in {line["run"] for line in lines[-recent:]} for one in found):
        return ExitCode.FAIL
    if len(lines) < 2 * trend.SIDE_MIN:
        click.echo(f"{len(lines)} of {2 * trend.SIDE_MIN} runs that a change of a latency needs to be seen", err=True)
        return ExitCode.INCONCLUSIVE
    if not as_json and not found and not second.changes:
        click.echo(f"nothing changed in {len(lines)} runs")
    return ExitCode.PASS


def _tell(lines: Sequence[Any], changes: Sequence[trend.Change], otava_why_not: str | None, as_json: bool) -> None:
    told = sorted(changes, key=lambda one: (one.started_at, one.name, one.judge))
    if as_json:
        otava = {"looked": otava_why_not is None, "why_not": otava_why_not}
        whole = {"schema": trend.SCHEMA, "runs": len(lines), "otava": otava, "changes": [asdict(one) for one in told]}
        click.echo(json.dumps(whole))
        return
    for one in told:
        whose = "" if one.judge == "harness" else f", says {one.judge}"
        which = "worse" if one.worse else "better"
        click.echo(f"{one.started_at}  {one.since}  {which}  {one.name}: {one.detail}{whose}")
    if otava_why_not:
        click.echo(otava_why_not, err=True)


def _runs(name: str) -> list[RunDirectory]:
    path = Path(name)
    return runs_in(path) if path.is_dir() else [find(name)]
