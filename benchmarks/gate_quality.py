"""How often the gate is right: comparisons simulated from recorded runs.

    python -m benchmarks.gate_quality RUN [RUN ...] [--noise 0.03 0.05 0.08 0.15] [--repeat 5 7] [--trials 400]

In: recorded runs of one version. Each simulated run is one of them, drawn at random, times noise: a logarithm that is
normal with the given standard deviation, half of whose variance all figures of a run share, as a machine's mood. With
several runs `--noise 0` leaves only what really lay between them. Out, as a Markdown table: of equal versions and of a
head whose handler takes a fifth longer, how many comparisons end how; and, of heads with one lost record or one dead
letter in one run, how many are convicted.
"""

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.compare import Measured, Outcome, compare, measure, runs_in

SLOWER = 1.2
# What a slower handler lengthens; end-to-end latency hardly, for a file waits for the next merge anyhow.
HANDLER = ("handler p50", "handler p95", "handler p99", "billed time per file", "handler CPU per invocation")
COUNTED = {"records lost": {"records lost": 1, "files lost": 1}, "dead letters": {"dead letters": 1}}

Change = Callable[[Measured], Measured]


def slower(one: Measured) -> Measured:
    """The run if its handler took a fifth longer."""
    scaled: dict[str, float | None] = {}
    for name in HANDLER:
        if (value := one.metrics.get(name)) is not None:
            scaled[name] = value * SLOWER
    return replace(one, metrics=one.metrics | scaled)


def same(one: Measured) -> Measured:
    """The run as it was."""
    return one


class Trials:
    """Draws comparisons; the same seed draws the same."""

    def __init__(self, recorded: list[Measured], noise: float, repeat: int, seed: int) -> None:
        self._recorded, self._noise, self._repeat, self._luck = recorded, noise, repeat, random.Random(seed)

    def outcome(self, change: Change, counted: dict[str, int] | None = None) -> Outcome:
        """Of one comparison; `counted` is what one run of the head counts besides."""
        base = [self.drawn(turn, 0) for turn in range(self._repeat)]
        head = [change(self.drawn(turn, 1)) for turn in range(self._repeat)]
        if counted:
            head[-1] = replace(head[-1], counts=head[-1].counts | counted)
        return compare(base, head).outcome

    def drawn(self, turn: int, side: int) -> Measured:
        """A run of one side, the turn-th of it."""
        one = self._luck.choice(self._recorded)
        mood = self._luck.gauss(0, 1)
        metrics = {
            name: value if value is None or name == "handler memory" else value * self._factor(mood)
            for name, value in one.metrics.items()
        }
        # in turns, each a run of its own
        facts = replace(one.facts, started_at=f"2026-01-01T{2 * turn + side:02d}:00:00Z")
        return replace(one, metrics=metrics, facts=facts, path=Path(f"{turn}-{side}"), run=f"{turn}-{side}")

    def _factor(self, mood: float) -> float:
        return math.exp(self._noise * math.sqrt(0.5) * (mood + self._luck.gauss(0, 1)))


def noise_between(recorded: list[Measured], metric: str) -> float | None:
    """The standard deviation of a figure's logarithm between recorded runs."""
    values = [math.log(value) for one in recorded if (value := one.metrics.get(metric))]
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _share(outcomes: Counter[Outcome], outcome: Outcome) -> str:
    return f"{outcomes[outcome] / outcomes.total():.1%}"


def _row(recorded: list[Measured], noise: float, repeat: int, trials: int) -> str:
    drawing = Trials(recorded, noise, repeat, seed=round(noise * 1000) * 100 + repeat)
    cells = [f"{noise:.0%}" if noise else "as recorded", f"{repeat}"]
    for change in (same, slower):
        outcomes = Counter(drawing.outcome(change) for _ in range(trials))
        order = (Outcome.SAME, Outcome.TOO_NOISY, Outcome.WORSE)
        cells += [_share(outcomes, one) for one in (order if change is same else reversed(order))]
    for counted in COUNTED.values():
        few = max(20, trials // 10)
        cells.append(f"{sum(drawing.outcome(same, counted) is Outcome.WORSE for _ in range(few))} of {few}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--noise", nargs="+", type=float, default=[0.03, 0.05, 0.08, 0.15])
    parser.add_argument("--repeat", nargs="+", type=int, default=[5, 7])
    parser.add_argument("--trials", type=int, default=400)
    asked = parser.parse_args()
    recorded = [measure(run) for path in asked.runs for run in runs_in(path)]
    recorded = [one for one in recorded if one.problem is None]
    if not recorded:
        raise SystemExit("none of these runs can be judged: record some with this version of the harness")
    for metric in ("handler p50", "billed time per file", "end_to_end p50", "merge p50"):
        if (noise := noise_between(recorded, metric)) is not None:
            print(f"{metric}: {noise:.1%} between {len(recorded)} recorded runs")
    print("\n| noise | runs of each side | equal: same | too noisy | worse | slower: worse | too noisy | same "
          "| a lost record | a dead letter |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    for noise in asked.noise:
        for repeat in asked.repeat:
            print(_row(recorded, noise, repeat, asked.trials), flush=True)


if __name__ == "__main__":
    main()
