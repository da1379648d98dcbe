"""The ledger: everything that happened in a run, one JSON line an event, only ever appended.

In: events from the one process that writes. Out: `ledger.jsonl`, and the same events read back. Each line carries a
running number, and the last line of a finished run says how many there are, so a line that is taken away, added or
cut short is noticed. What an event means is the business of `harness.history`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Event = dict[str, Any]
FINISHED = "run_finished"


class Ledger:
    """Appends events to a file; safe to call from several threads of its one process.

    `listener` sees every event in the order in which it was written.
    """

    def __init__(self, path: Path, listener: Callable[[Event], None], clock: Callable[[], float] = time.time) -> None:
        # A file name that is not UTF-8 holds surrogates; written as JSON escapes they come back as they were.
        self._file = path.open("x", encoding="utf-8", errors="backslashreplace")
        self._listener = listener
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0

    def append(self, event: str, **fields: Any) -> None:
        """Write one event; it is on its way to the disk when this returns."""
        with self._lock:
            self._count += 1
            line = {"n": self._count, "at_s": round(self._clock(), 6), "event": event, **fields}
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()
            self._listener(line)

    def finish(self, **fields: Any) -> None:
        """Write the last line, which says how many lines there are, and close the file."""
        self.append(FINISHED, events=self._count + 1, **fields)
        self._file.close()


@dataclass(frozen=True)
class Reading:
    """The events of a stored ledger, and what is wrong with it: nothing, for a run that ended in order."""

    events: tuple[Event, ...]
    defects: tuple[str, ...]


def read(path: Path) -> Reading:
    """Read a ledger, however it ended; a broken last line, or no ledger at all, is a defect, not an error."""
    events: list[Event] = []
    defects: list[str] = []
    if not path.is_file():
        return Reading((), (f"{path.name} is not there",))
    line = "\n"
    for number, line in enumerate(_lines(path), start=1):
        try:
            event = json.loads(line)
            is_event = isinstance(event, dict) and isinstance(event.get("event"), str) and isinstance(event["n"], int)
        except (json.JSONDecodeError, KeyError):
            is_event = False
        if not is_event:
            defects.append(f"line {number} is not an event")
            continue
        expected = events[-1]["n"] + 1 if events else 1
        if event["n"] != expected:
            defects.append(f"line {number} is event {event['n']}, but event {expected} was due")
        events.append(event)
    if not line.endswith("\n"):
        defects.append("its last line is cut short")
    if not events or events[-1]["event"] != FINISHED:
        defects.append("the run did not finish: its last line is missing")
    elif events[-1]["events"] != len(events):
        defects.append(f"{len(events)} events of {events[-1]['events']} are there")
    return Reading(tuple(events), tuple(defects))


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from file
