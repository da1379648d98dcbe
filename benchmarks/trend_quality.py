"""How often a history is read rightly, by the harness and by apache-otava: histories simulated from recorded runs.

    python -m benchmarks.trend_quality RUN [RUN ...] [--noise 0.03 0.05 0.08] [--before 12] [--after 3 8] [--trials 200]

In: recorded runs of one version; `make setup-otava`. Out, as a Markdown table: in how many histories of equal runs each
judge finds a change, and in how many it names a handler that takes a fifth longer since the run after `--before`, at
most two runs off.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.gate_quality import Trials, slower
from harness import change_points, trend
from harness.compare import Measured, measure, runs_in

NEAR_RUNS = 2
History = list[dict[str, Any]]
Found = set[int]


def history(drawing: Trials, before: int, after: int) -> History:
    """Lines of a history whose last `after` runs have the slower handler."""
    runs = [drawing.drawn(turn, 0) for turn in range(before + after)]
    return [trend.line(slower(one) if turn >= before else one, "") for turn, one in enumerate(runs)]


def seen_by_harness(histories: list[History]) -> list[Found]:
    """Of each history, the numbers of the runs since which it says that something changed."""
    return [_numbers(lines, trend.changes(lines)) for lines in histories]


def seen_by_otava(histories: list[History]) -> list[Found]:
    """The same by otava, which is asked once for all of them: starting it takes longer than what it does."""
    every = {
        (at, name): values for at, one in enumerate(histories) for name, values in change_points.series(one).items()
    }
    points = change_points.points({f"{at} {name}": values for (at, name), values in every.items()})
    of = [{name: points[f"{at} {name}"] for (its, name) in every if its == at} for at in range(len(histories))]
    return [_numbers(lines, change_points.changes(lines, found)) for lines, found in zip(histories, of, strict=True)]


def _numbers(lines: History, changes: Sequence[trend.Change]) -> Found:
    number = {line["run"]: at for at, line in enumerate(lines)}
    return {number[one.since] for one in changes}


def row(recorded: list[Measured], noise: float, before: int, after: int, trials: int) -> str:
    """A line of the table."""
    drawing = Trials(recorded, noise, before + after, seed=round(noise * 1000) * 100 + after)
    equal = [history(drawing, before + after, 0) for _ in range(trials)]
    stepped = [history(drawing, before, after) for _ in range(trials)]
    cells = [f"{noise:.0%}" if noise else "as recorded", f"{before} + {after}"]
    for seen in (seen_by_harness, seen_by_otava):
        alarms = sum(bool(found) for found in seen(equal))
        named = sum(any(abs(at - before) <= NEAR_RUNS for at in found) for found in seen(stepped))
        cells += [f"{alarms / trials:.1%}", f"{named / trials:.1%}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--noise", nargs="+", type=float, default=[0.03, 0.05, 0.08])
    parser.add_argument("--before", type=int, default=12)
    parser.add_argument("--after", nargs="+", type=int, default=[3, 8])
    parser.add_argument("--trials", type=int, default=200)
    asked = parser.parse_args()
    recorded = [one for path in asked.runs for run in runs_in(path) if (one := measure(run)).problem is None]
    if not recorded:
        raise SystemExit("none of these runs can be judged: record some with this version of the harness")
    print(f"{len(recorded)} recorded runs, {asked.trials} histories of either kind a row\n")
    print("| noise | runs before + after | harness: false alarm | named | otava: false alarm | named |\n"
          "|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    for noise in asked.noise:
        for after in asked.after:
            print(row(recorded, noise, asked.before, after, asked.trials), flush=True)


if __name__ == "__main__":
    main()
