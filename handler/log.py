"""Structured logs: one JSON object per line on stdout, which Lambda sends to CloudWatch Logs.

In: an event's name and its fields. Out: the line. It must not know what the fields mean.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager


def event(name: str, **fields: object) -> None:
    """Print one log line: `{"event": name, …fields}`. Values JSON does not know are written as their text."""
    # One write and one flush: a line must not be cut in two when the environment is killed.
    print(json.dumps({"event": name, **fields}, default=str), flush=True)


class Phases:
    """How long each phase of a file's load took."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time the block takes to phase `name`, also when it raises."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started_s

    def as_ms(self) -> dict[str, float]:
        """Milliseconds by phase, in the order in which the phases began to be recorded."""
        return {name: round(seconds * 1000, 3) for name, seconds in self._seconds.items()}
