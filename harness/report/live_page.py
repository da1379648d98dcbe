"""The page of a run that is going on: the report's charts, and figures that take their place every few seconds.

In: a history that still grows, and the facts of its run. Out: the text of the page, and of its updates. There is no
verdict in it: that needs the whole run.
"""

import json
from dataclasses import replace
from typing import Any

from harness.checks import Evidence
from harness.history import History
from harness.progress import snapshot
from harness.report import html, scene
from harness.report.figures import figures
from harness.report.words import seconds, writable
from harness.run_directory import RunFacts

UPDATE_EVERY_MS = 3_000


def page(history: History, facts: RunFacts, run: str, now_s: float) -> str:
    """The whole page, as of `now_s` in epoch seconds; it asks for `live.json` every few seconds."""
    history = _held(history)
    drawn = figures(Evidence(facts, history, ()), now_s)
    return html.chart_page(
        "live.html",
        drawn,
        run=run,
        facts=facts,
        tiles=_tiles(history, facts, now_s),
        shades={"merge": scene.MERGE_SHADE, "fault": scene.FAULT_SHADE},
        has_faults=bool(history.faults),
        groups=[scene.ALL, *facts.types],
        every_ms=UPDATE_EVERY_MS,
    )


def update(history: History, facts: RunFacts, now_s: float) -> str:
    """What takes the place of the page's figures, as JSON."""
    history = _held(history)
    drawn = figures(Evidence(facts, history, ()), now_s)
    news: dict[str, Any] = {
        "phase": phase(history),
        "tiles": _tiles(history, facts, now_s),
        "figures": html.chart_data(drawn),
    }
    return writable(json.dumps(news, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def _held(history: History) -> History:
    """The history with its collections as they are now, so that none grows while it is looked through.

    Copying one is a single step for other threads. The files themselves go on; they only ever get further.
    """
    return replace(
        history, files=dict(history.files), merges=list(history.merges), samples=list(history.samples),
        invocations=list(history.invocations), dead_letters=list(history.dead_letters), faults=list(history.faults),
    )  # fmt: skip


def phase(history: History) -> str:
    """What a run that is going on is at, in a sentence."""
    if history.start_at_s is None:
        return "The load has not started yet."
    if history.finished:
        return "The run has ended."
    if history.drained is not None:
        return "Accounting for every record."
    offered = all(file.upload_outcome != "none" for file in history.files.values())
    return "Every file was offered; the pipeline is draining." if offered else "The load is going on."


def _tiles(history: History, facts: RunFacts, now_s: float) -> list[tuple[str, str, bool]]:
    """Label, figure, and whether it is bad."""
    now = snapshot(history, facts.sla_s, now_s)
    left_s = now.sla_headroom_s
    late = left_s is not None and left_s < 0
    headroom = "–" if left_s is None else f"−{seconds(-left_s)}" if late else seconds(left_s)
    return [
        ("uploaded", f"{now.uploaded:,} of {now.scheduled:,}", False),
        ("queued", f"{now.queued:,}", False),
        ("in flight", f"{now.in_flight:,}", False),
        ("staged", f"{now.staged:,}", False),
        ("in final tables", f"{now.merged:,}", False),
        ("dead letters", f"{now.dead_lettered:,}", now.dead_lettered > 0),
        ("oldest file", seconds(now.oldest_age_s), False),
        ("its SLA headroom", headroom, late),
    ]
