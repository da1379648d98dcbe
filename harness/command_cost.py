"""`harness cost`: from the command line's words to a priced load."""

from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from harness import catalogue, pipeline
from harness.checks import Evidence, default_checks
from harness.cli.options import print_json
from harness.cost import comparison, price_list, terminal, words
from harness.cost.batch import DEFAULT_DPUS, BatchJob, job_of
from harness.cost.event_driven import Setup
from harness.cost.load import (
    MINUTES_PER_DAY,
    ORIGINAL_FILES_PER_MIN,
    ORIGINAL_FUNCTION_S,
    ORIGINAL_MERGE_S,
    Load,
    assumed,
)
from harness.cost.measured import load_of
from harness.cost.measured_batch import measured_job
from harness.errors import HarnessError, UsageError
from harness.run_directory import find
from harness.verdict import judge_stored

TERMINAL_WIDTH_MIN = 150


@dataclass(frozen=True)
class Words:
    """The options that say what is priced; None where the run or the original's figures decide."""

    rate: float | None
    memory: int | None
    function_s: float | None
    merge_s: float | None


@dataclass(frozen=True)
class OldDesign:
    """The options that say what the half-hourly job is like; a run of it, or assumptions."""

    run: str | None
    dpus: float | None
    minutes: float | None

    def job(self, load: Load) -> BatchJob:
        """The job at the load's rate.

        Raises:
            UsageError: the run is none of this design, or both a run and minutes are given.
        """
        if self.run is None:
            return job_of(self.dpus or DEFAULT_DPUS, self.minutes)
        if self.minutes is not None:
            raise UsageError("--batch-run says how long the job takes: give it or --batch-minutes")
        job = measured_job(_evidence(self.run), files_per_min=load.files_per_day / MINUTES_PER_DAY, dpus=self.dpus)
        if job is None:
            raise UsageError(f"--batch-run {self.run}: no run of a batch job that loaded a file is in it")
        return job


def price(
    what: str, given: Words, setup: Setup, old: OldDesign, *, region: str, days: float, prices_file: Path | None,
    free_tier: bool, as_json: bool, html: Path | None,
) -> None:  # fmt: skip
    """Print what a run or a pipeline would cost.

    Raises:
        UsageError: it is neither, or a price is not known.
        HarnessError: the page cannot be written.
    """
    load, prices = load_named(what, given), price_list.load(region, prices_file)
    job = old.job(load)
    found = comparison.compare(load, setup, job, prices, days)
    variants = comparison.sensitivity(load, setup, prices)
    bill = found.new.after_free_tier(prices) if free_tier else found.new
    if html is not None:
        from harness.cost import chart

        try:
            html.write_text(chart.page(load.origin, found, variants), encoding="utf-8")
        except OSError as error:
            raise HarnessError(f"{html}: cannot be written: {error.strerror}") from error
    if as_json:
        print_json(
            {"model": words.MODEL, "load": load.__dict__, "setup": setup.__dict__, "batch_job": job.__dict__,
             "event_driven": words.bill_json(bill), "batch": words.bill_json(found.old),
             "comparison": words.comparison_json(found), "sensitivity": [words.variant_json(one) for one in variants]}
        )  # fmt: skip
        return
    console = Console(width=max(TERMINAL_WIDTH_MIN, Console().width), highlight=False)
    terminal.show_load(console, load)
    terminal.show_bill(console, bill)
    terminal.show_bill(console, found.old)
    terminal.show_comparison(console, found, job, load)
    terminal.show_sensitivity(console, variants)
    terminal.show_sources(console, bill, found.old)
    if html is not None:
        click.echo(html)


def load_named(what: str, given: Words) -> Load:
    """The load of a run, or the one that a pipeline is assumed to have.

    Raises:
        UsageError: it is neither.
    """
    path = Path(what)
    if path.suffix == ".toml":
        load = assumed(
            pipeline.load(path), given.rate or ORIGINAL_FILES_PER_MIN, given.function_s or ORIGINAL_FUNCTION_S,
            given.merge_s or ORIGINAL_MERGE_S, copy_s=1.0,
        )  # fmt: skip
        return _changed(load, memory_mb=given.memory)
    try:
        evidence = _evidence(what)
    except UsageError as error:
        raise UsageError(
            f"{what}: neither a run (its directory, its id in runs/, or `last`) nor a .toml file"
        ) from error
    load = load_of(evidence, given.memory, given.rate)
    return _changed(load, function_s_per_file=given.function_s, merge_s=given.merge_s)


def _evidence(run: str) -> Evidence:
    directory = find(run)
    scenario = directory.read_facts().scenario
    known = scenario in catalogue.names()
    return judge_stored(directory, catalogue.scenario(scenario).checks if known else default_checks()).evidence


def _changed(load: Load, **values: float | None) -> Load:
    changes = {name: value for name, value in values.items() if value is not None}
    if not changes:
        return load
    named = ", ".join(f"{name} as given" for name in changes)
    return replace(load, origin=f"{load.origin}; {named}", **changes)  # type: ignore[arg-type]
