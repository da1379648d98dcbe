"""Synthetic runs for comparisons: real ledgers of small runs whose times are drawn, from a seed.

In: a seed, the noise between runs, and by how much the handler is slower. Out: run directories. Noise moves a whole
run, as a busy machine does, and each file a little.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.ledger import Event
from harness.run_directory import RunDirectory
from tests.unit.run_fixtures import Run, good_run

FILES = 24
HANDLER_S = 0.4


def drawn_run(seed: int, noise: float, slower: float = 1.0) -> Run:
    """A good run with noise; `noise` is the standard deviation of the logarithm of a run's times."""
    luck = random.Random(seed)
    mood = luck.lognormvariate(0, noise)
    run = good_run(FILES)
    events = tuple(_slowed(event, mood * luck.lognormvariate(0, 0.1) * slower) for event in run.events)
    return replace(run, events=events)


def _slowed(event: Event, factor: float) -> Event:
    if event["event"] != "invocation":
        return event
    took_s = HANDLER_S * factor
    return event | {"end_s": event["start_s"] + took_s, "duration_ms": took_s * 1000}


def store(runs: list[Run], path: Path, turn: int, **facts: Any) -> list[RunDirectory]:
    """Store runs as made in turns with those of another side; `turn` is 0 for the side that began."""
    return [
        run.supposing(started_at=f"2026-01-01T{2 * number + turn:02d}:00:00Z", **facts).store(path / f"run-{number}")
        for number, run in enumerate(runs)
    ]
