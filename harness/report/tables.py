"""The tables of a report on its times and facts: percentiles, slowest files, merge runs, what is real and scaled.

In: the evidence of a run. Out: `Table`s of plain text, to be escaped by whoever writes them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks import Evidence
from harness.history import MergeRun
from harness.report import breakdown
from harness.report.words import count, one_line, percent, seconds, writable
from harness.statistics import PERCENTILES, summary
from harness.verdict import STAGES_OF

MERGES_MAX = 200
UNITS = {"cpus": "CPUs", "memory_gib": "GiB of memory"}
CHANGES = ("update", "insert", "merge", "delete")


@dataclass(frozen=True)
class Column:
    """`numeric` is set flush right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    """`type` hides the row when the type filter is at another; `bad` marks it, beyond its words."""

    cells: tuple[str, ...]
    type: str | None = None
    bad: bool = False


@dataclass(frozen=True)
class Table:
    """`note` says what was left out, if anything."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""


def text(value: object) -> str:
    """A value from the run as one printable line."""
    return one_line(writable(str(value)))


def columns_of(texts: Sequence[str], numbers: Sequence[str]) -> tuple[Column, ...]:
    """Columns of text, and after them columns of numbers."""
    return (*(Column(title) for title in texts), *(Column(title, numeric=True) for title in numbers))


def percentiles(evidence: Evidence) -> Table:
    """Of each stage, as verdict.json has them, and end to end per type."""
    rows = []
    for name in evidence.facts.types:
        mine = [file.end_to_end_s for file in evidence.files if file.type == name and file.end_to_end_s is not None]
        late = any(value > evidence.facts.sla_s for value in mine)
        rows.append(_summary_row(f"end to end, {text(name)}", mine, name, late))
    everyone = [file.end_to_end_s for file in evidence.files if file.end_to_end_s is not None]
    rows.insert(
        0, _summary_row("end to end, all types", everyone, None, any(v > evidence.facts.sla_s for v in everyone))
    )
    stages = [file.stage_latencies_s() for file in evidence.files]
    for stage in STAGES_OF[evidence.facts.design]:
        rows.append(_summary_row(stage.replace("_", " "), [one[stage] for one in stages if stage in one], None, False))
    return Table("Percentiles of each stage", columns_of(["stage"], ["files", "p50", "p95", "p99", "max"]), tuple(rows))


def _summary_row(title: str, values: Sequence[float], name: str | None, bad: bool) -> Row:
    found = summary(values) or {}
    figures = (seconds(found.get(column)) for column in (*(f"p{rank}" for rank in PERCENTILES), "max"))
    return Row((title, count(len(values)), *figures), name, bad)


def slowest(evidence: Evidence) -> Table:
    """The ten slowest files of the chart, by name: of all, and of each type."""
    breakdowns = breakdown.of_run(evidence.history)
    rows = [
        _slow_row(number, one, evidence.facts.sla_s)
        for number, one in enumerate(reversed(breakdowns[-breakdown.WORST :]), start=1)
    ]
    numbers = [Column(title, numeric=True) for title in ("end to end", "attempts")]
    columns = (Column(""), *numbers, Column("most of the time went into"), Column("file"))
    return Table("The ten slowest files", columns, tuple(rows))


def _slow_row(number: int, one: breakdown.Breakdown, sla_s: float) -> Row:
    end_to_end_s = one.file.end_to_end_s or 0.0
    longest_s = one.parts_s[one.longest]
    most = (
        f"{text(breakdown.label(one.longest))}, {seconds(longest_s)} ({percent(longest_s / max(end_to_end_s, 1e-9))})"
    )
    cells = (f"#{number}", seconds(end_to_end_s), count(len(one.file.attempts)), most, text(one.file.key))
    return Row(cells, one.file.type, end_to_end_s > sla_s)


def merges(evidence: Evidence) -> Table:
    """Each run of the merge job."""
    start_s = evidence.history.start_at_s or 0.0
    found = evidence.history.merges
    rows = [_merge_row(merge, start_s) for merge in found[:MERGES_MAX]]
    note = f"{len(found) - MERGES_MAX:,} more are not listed." if len(found) > MERGES_MAX else ""
    columns = (*columns_of(["run"], ["due", "delayed", "took"]), Column("rows, by type"))
    return Table("Runs of the merge job", columns, tuple(rows), note)


def _merge_row(merge: MergeRun, start_s: float) -> Row:
    delayed = seconds(merge.delayed_s) if merge.delayed_s > 0 else "on time"
    took = seconds(merge.ended_s - merge.started_s)
    done = "; ".join(_merged_type(entry) for entry in merge.types)
    cells = (f"{merge.number}", f"{merge.due_s - start_s:.1f} s", delayed, took, done)
    return Row(cells, None, bool(merge.errors))


def _merged_type(entry: dict[str, Any]) -> str:
    if entry["error"]:
        return text(f"{entry['type']}: {entry['error']}")
    rows = Counter[str]()
    for step in entry["rows"]:
        verb = step["statement"].partition(" ")[0].lower()
        if verb in CHANGES:
            # a driver that does not know how many says -1
            rows[verb] += max(0, step["rows"])
    done = ", ".join(f"{verb} {number:,}" for verb, number in rows.items() if number)
    return text(f"{entry['type']}: {done or 'nothing to do'}")


def facts(evidence: Evidence) -> Table:
    """The scenario, the pipeline's limits, versions and the machine."""
    known = evidence.facts
    machine = ", ".join(f"{value} {UNITS.get(name, '')}".strip() for name, value in known.machine.items())
    pairs = {
        "scenario": known.scenario,
        "question": known.question,
        "pipeline": f"{known.pipeline}: {', '.join(known.types)}",
        "files": f"{known.files_scheduled:,} in {seconds(known.duration_s)}, {known.records_scheduled:,} records",
        **known.described,
        "stack": known.stack,
        "seed": known.seed,
        "started": known.started_at,
        "machine": machine,
        **{f"version of {name}": version for name, version in known.versions.items()},
    }
    rows = tuple(Row((name, text(value))) for name, value in pairs.items())
    return Table("Scenario, pipeline, versions and machine", columns_of(["what", "in this run"], []), rows)


def times(evidence: Evidence) -> Table:
    """Which times of the run are real and which are scaled."""
    known, scale = evidence.facts, evidence.facts.time_scale
    scaled = [
        ("SLA", known.sla_s),
        ("interval of the batch job" if known.design == "batch" else "merge interval", known.merge_every_s),
        ("time allowed to drain", known.drain_within_s),
    ]
    rows = [
        Row((name, "scaled" if scale != 1 else "real", seconds(here_s), seconds(here_s * scale)))
        for name, here_s in scaled
    ]
    alike: dict[float, list[str]] = {}
    for name, here_s in known.visibility_timeout_s.items():
        alike.setdefault(here_s, []).append(name)
    for timeout_s, names in alike.items():
        whose = "" if len(alike) == 1 else f", {text(', '.join(names))}"
        kind = "scaled, but never below six times the function's worst case" if scale != 1 else "real"
        rows.append(Row((f"visibility timeout{whose}", kind, seconds(timeout_s), "–")))
    measured = "start lag, upload, notification, cold start, handler, COPY, merge"
    if known.design == "batch":
        measured = "start lag, upload, every run of the batch job from Spark's start to its merge"
    rows.append(Row((measured, "real: measured on this machine, never scaled", "as measured", "–")))
    rows.append(Row(("arrival rate", "real", "as offered", "–")))
    if known.warehouse_model:
        rows.append(Row((f"COPY and commit: {text(known.warehouse_model)}", "a model", "held by the stand-in", "–")))
    return Table(
        "What is real and what is scaled", columns_of(["time", "kind"], ["in this run", "stands for"]), tuple(rows)
    )
