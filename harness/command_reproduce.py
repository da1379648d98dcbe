"""`harness reproduce`: from run directories to the page of published and measured figures."""

from collections.abc import Sequence
from pathlib import Path

import click

from harness import catalogue
from harness.checks import Evidence, default_checks
from harness.compare import runs_in
from harness.cost import comparison, price_list
from harness.cost.batch import BatchJob
from harness.cost.event_driven import Setup
from harness.cost.load import ORIGINAL_FILES_PER_MIN
from harness.cost.measured import load_of
from harness.cost.measured_batch import measured_job
from harness.errors import HarnessError, UsageError
from harness.reproduce.figures import Figures, figures_of
from harness.reproduce.page import Priced, page
from harness.run_directory import RunDirectory, find
from harness.verdict import judge_stored

PRICED_DAYS = 30.0


def reproduce(names: Sequence[str], region: str, out: Path | None) -> None:
    """Write the page to `out`, or to standard output.

    Raises:
        UsageError: something that was named is no run.
        HarnessError: the page cannot be written.
    """
    directories = [directory for name in names for directory in _named(name)]
    evidence = {directory: _evidence(directory) for directory in directories}
    runs = {directory: figures_of(found, directory.path.name) for directory, found in evidence.items()}
    text = page(list(runs.values()), _priced(evidence, runs, region))
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{out}: cannot be written: {error.strerror}") from error
    click.echo(out)


def _named(name: str) -> list[RunDirectory]:
    path = Path(name)
    return runs_in(path) if path.is_dir() else [find(name)]


def _evidence(directory: RunDirectory) -> Evidence:
    scenario = directory.read_facts().scenario
    known = scenario in catalogue.names()
    return judge_stored(directory, catalogue.scenario(scenario).checks if known else default_checks()).evidence


def _priced(evidence: dict[RunDirectory, Evidence], runs: dict[RunDirectory, Figures], region: str) -> Priced | None:
    """The ratio at the original's rate, of the run that is nearest to the true clock, if its memory is known."""
    new = [directory for directory, found in runs.items() if found.design == "event" and found.files]
    old = [directory for directory, found in runs.items() if found.design == "batch"]
    if not new:
        return None
    nearest = min(new, key=lambda directory: runs[directory].facts.time_scale)
    try:
        load = load_of(evidence[nearest], files_per_min=ORIGINAL_FILES_PER_MIN)
    except UsageError as error:
        click.echo(f"harness: no cost: {error}", err=True)
        return None
    job = measured_job(evidence[old[0]], files_per_min=ORIGINAL_FILES_PER_MIN) if old else None
    prices = price_list.load(region)
    return Priced(
        comparison.compare(load, Setup(), job or BatchJob(), prices, PRICED_DAYS), job or BatchJob(), runs[nearest].run
    )
