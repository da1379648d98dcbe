"""Scenarios as a test runs them: a call that returns the judged run.

In: a stack, a pipeline description, a scenario by name or value. Out: a `ScenarioRun`, whose `verdict.passed` is what
CI wants to know, and whose texts say why not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness import catalogue
from harness.checks import Verdict
from harness.command_run import facts_of, judged, record, request_of, shaped
from harness.errors import HarnessError, UsageError
from harness.progress import Progress
from harness.quantities import Duration, Rate
from harness.run_directory import create
from harness.scenario import Scenario
from harness.stack.endpoints import Endpoints
from harness.testing.stacks import fail
from harness.verdict import Judgement
from harness.verdict_text import verdict_text

# pytest cuts the texts in `assert` off at 240 characters, and shows two of these in one line.
REPR_CHARS_MAX = 200


@dataclass(frozen=True, repr=False)
class ScenarioVerdict:
    """Pass, fail or inconclusive; a run that cannot tell is not a pass. `str()` is what `harness run` prints."""

    judgement: Judgement

    @property
    def passed(self) -> bool:
        return self.judgement.verdict is Verdict.PASS

    @property
    def failed(self) -> bool:
        return self.judgement.verdict is Verdict.FAIL

    @property
    def inconclusive(self) -> bool:
        return self.judgement.verdict is Verdict.INCONCLUSIVE

    def __str__(self) -> str:
        return verdict_text(self.judgement)

    def __repr__(self) -> str:
        reasons = [f"{one.name}: {one.detail}" for one in self.judgement.results if one.verdict is not Verdict.PASS]
        text = " | ".join([str(self.judgement.verdict).upper(), *reasons])
        return f"<{text if len(text) <= REPR_CHARS_MAX else text[: REPR_CHARS_MAX - 1] + '…'}>"


@dataclass(frozen=True, repr=False)
class ScenarioRun:
    """A run that has ended and was judged; everything that was measured is in `directory`."""

    scenario: str
    verdict: ScenarioVerdict
    directory: Path

    @property
    def json(self) -> dict[str, Any]:
        """What `verdict.json` holds: latencies, throughput, counts of files and records."""
        return self.verdict.judgement.to_json()

    def __repr__(self) -> str:
        return f"<run of {self.scenario} in {self.directory}>"


@dataclass(frozen=True)
class RunScenario:
    """Runs scenarios one after the other; `ended` keeps them, for the report of the test."""

    endpoints: Endpoints
    pipeline_file: Path
    directory: Path
    ended: list[ScenarioRun]

    def __call__(
        self, scenario: str | Scenario, *, rate: str | float | None = None, duration: str | float | None = None,
        time_scale: float | None = None, realtime: bool = False, records: int | None = None, seed: int = 1,
        replay: Path | None = None, resample: bool = False,
    ) -> ScenarioRun:  # fmt: skip
        """Run and judge. The arguments are the options of `harness run`; numbers are files a minute and seconds.

        A harness that could not do its work fails the test with its own words; Ctrl-C ends the session as ever.
        """
        try:
            asked = scenario if isinstance(scenario, Scenario) else catalogue.scenario(scenario)
            request = request_of(
                asked, self.pipeline_file, rate=_quantity(Rate(), rate), duration=_quantity(Duration(), duration),
                time_scale=time_scale, realtime=realtime, records=records, seed=seed, replay=replay, resample=resample,
                before_judging=None,
            )  # fmt: skip
            directory = create(None, asked.name, self.directory)
            request = shaped(request, directory)
            facts = facts_of(request, self.endpoints.stack)
            directory.write_facts(facts)
            record(request, facts, directory, Progress(Console(stderr=True)), self.endpoints)
            judgement = judged(directory, asked.checks)
        except HarnessError as error:
            fail(error)
        run = ScenarioRun(asked.name, ScenarioVerdict(judgement), directory.path)
        self.ended.append(run)
        if judgement.evidence.history.interrupted:
            raise KeyboardInterrupt
        return run


def _quantity(kind: click.ParamType[float], given: str | float | None) -> float | None:
    try:
        return None if given is None else kind.convert(given, None, None)
    except click.BadParameter as error:
        raise UsageError(f"run_scenario: {error.message}") from error
