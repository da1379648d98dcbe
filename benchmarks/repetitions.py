"""How often the correct pipeline is convicted: scenarios run again and again, each time with another seed.

In: names of scenarios. Out: a JSON line for each on stdout: how many repetitions ended with which verdict, and what the
others than pass said. A `fail` is a false conviction; `late` counts the inconclusive ones whose only reason was this
machine: it began uploads too late, or others had its CPU while functions timed out. The trials are those of
`tests/mutants`: one data type and few files on a stack that they share. Run it:
`python -m benchmarks.repetitions smoke poison duplicate_events warehouse_outage handler_crash --repetitions 20`.
"""

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from harness.checks import Verdict
from harness.evidence import starvation
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from harness.verdict import Judgement
from tests.mutants.trial import run_trial, small_pipeline


def outcome_of(judgement: Judgement) -> tuple[str, list[str]]:
    """The verdict, or `late`; and the sentence of each check that did not pass."""
    not_passed = [result for result in judgement.results if result.verdict is not Verdict.PASS]
    said = [f"{result.name}: {result.detail}" for result in not_passed]
    only_late = {one.name for one in not_passed} == {"offered_rate_held"}
    is_late = judgement.verdict is Verdict.INCONCLUSIVE and (only_late or starvation(judgement.evidence) is not None)
    return ("late" if is_late else str(judgement.verdict)), said


def repeat(name: str, repetitions: int, endpoints: Endpoints, directory: Path) -> dict[str, Any]:
    """Run one scenario so often, with the seeds 1, 2 and so on."""
    counts: Counter[str] = Counter({"pass": 0, "fail": 0, "inconclusive": 0, "late": 0})
    others: dict[int, list[str]] = {}
    for seed in range(1, repetitions + 1):
        outcome, said = outcome_of(run_trial(name, small_pipeline(), endpoints, directory / f"{name}-{seed}", seed))
        counts[outcome] += 1
        if outcome != "pass":
            others[seed] = said
    return {"scenario": name, "repetitions": repetitions, **counts, "said": others}


def main() -> None:
    """Repeat each scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="+")
    parser.add_argument("--repetitions", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nrt-repetitions-") as directory, embedded(Path(directory)) as endpoints:
        for name in options.scenarios:
            print(json.dumps(repeat(name, options.repetitions, endpoints, Path(directory))), flush=True)


if __name__ == "__main__":
    main()
