"""What a person sees while a run goes on: a live table on a terminal, a plain line every few seconds elsewhere.

In: the live history. Out: text on standard error. It never writes to standard output, which is for results.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table

from harness.history import History
from harness.run_directory import RunFacts

LINE_EVERY_S = 5.0
REFRESH_PER_S = 4


@dataclass(frozen=True)
class Snapshot:
    """The figures of one moment, counted in files."""

    scheduled: int
    uploaded: int
    queued: int
    in_flight: int
    staged: int
    merged: int
    dead_lettered: int
    oldest_age_s: float | None
    sla_headroom_s: float | None


def snapshot(history: History, sla_s: float, now_s: float) -> Snapshot:
    """Count the files at each stage, and how much of the SLA the oldest unfinished one has left."""
    files = history.files.values()
    delivered = [file for file in files if file.acknowledged_s is not None]
    handled = sum(file.success is not None for file in delivered)
    merged = sum(file.merged_s is not None for file in delivered)
    dead_lettered = sum(file.dead_letter is not None for file in files)
    in_flight = sum(queue["in_flight"] for queue in history.samples[-1]["queues"].values()) if history.samples else 0
    waiting = [file.intended_s for file in delivered if not file.is_settled and file.intended_s is not None]
    oldest_age_s = now_s - min(waiting) if waiting else None
    return Snapshot(
        scheduled=len(history.files),
        uploaded=len(delivered),
        queued=max(0, len(delivered) - handled - dead_lettered - in_flight),
        in_flight=in_flight,
        staged=max(0, handled - merged),
        merged=merged,
        dead_lettered=dead_lettered,
        oldest_age_s=oldest_age_s,
        sla_headroom_s=None if oldest_age_s is None else sla_s - oldest_age_s,
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


class Progress:
    """Shows phases and figures; `phase` and `tick` are all that a run needs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._phase = ""
        self._line_due_s = 0.0

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the live table on the terminal for as long as the block lasts."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=REFRESH_PER_S, transient=True) as self._live:
            yield
        self._live = None

    def phase(self, text: str) -> None:
        """Say what begins now."""
        self._phase = text
        self._console.print(f"harness: {text}", highlight=False, markup=False, soft_wrap=True)

    def tick(self, history: History, facts: RunFacts) -> None:
        """Show how far it is; call it as often as you like."""
        now_s = time.monotonic()
        if self._live is None and now_s < self._line_due_s:
            return
        figures = snapshot(history, facts.sla_s, time.time())
        if self._live is not None:
            self._live.update(self._table(figures, facts))
        else:
            self._line_due_s = now_s + LINE_EVERY_S
            self._console.print(_line(figures), highlight=False, markup=False, soft_wrap=True)

    def _table(self, figures: Snapshot, facts: RunFacts) -> Table:
        table = Table(title=f"{facts.scenario}: {self._phase}", title_justify="left", expand=False)
        for heading in (
            "uploaded",
            "queued",
            "in flight",
            "staged",
            "merged",
            "dead-lettered",
            "oldest",
            "SLA headroom",
        ):
            table.add_column(heading, justify="right")
        headroom = figures.sla_headroom_s
        style = "green" if headroom is None or headroom > facts.sla_s / 4 else "yellow" if headroom > 0 else "red"
        table.add_row(
            f"{figures.uploaded}/{figures.scheduled}", str(figures.queued), str(figures.in_flight), str(figures.staged),
            str(figures.merged), str(figures.dead_lettered), _seconds(figures.oldest_age_s),
            f"[{style}]{_seconds(headroom)}[/]",
        )  # fmt: skip
        return table


def _line(figures: Snapshot) -> str:
    return (
        f"harness: uploaded {figures.uploaded}/{figures.scheduled}, queued {figures.queued}, in flight "
        f"{figures.in_flight}, staged {figures.staged}, merged {figures.merged}, dead-lettered "
        f"{figures.dead_lettered}, oldest {_seconds(figures.oldest_age_s)}, headroom {_seconds(figures.sla_headroom_s)}"
    )
