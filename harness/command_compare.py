"""`harness compare`: from the command line's words to a comparison and its exit code."""

from collections.abc import Sequence
from pathlib import Path

import click

from harness.compare import compare, measure, runs_in
from harness.compare.text import render
from harness.errors import HarnessError
from harness.run_directory import RunDirectory, find


def compare_runs(base: Sequence[str], head: Sequence[str], text_format: str, report: Path | None) -> int:
    """Print the comparison; `report` gets it as Markdown too. Returns the exit code.

    Raises:
        UsageError: something that was named is no run, or the runs cannot be compared.
        HarnessError: the report cannot be written.
    """
    comparison = compare(*([measure(run) for name in side for run in _runs(name)] for side in (base, head)))
    if report is not None:
        try:
            report.write_text(render(comparison, "markdown"), encoding="utf-8")
        except OSError as error:
            raise HarnessError(f"{report}: cannot be written: {error.strerror}") from error
    click.echo(render(comparison, text_format), nl=False)
    return comparison.exit_code


def _runs(name: str) -> list[RunDirectory]:
    path = Path(name)
    return runs_in(path) if path.is_dir() else [find(name)]
