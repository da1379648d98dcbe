"""docs/reproduction.md: each published figure of the original, its measured neighbours, and why they differ.

In: figures of runs, and the cost comparison. Out: Markdown. Nothing in it is typed by hand, so it can be made again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.cost.batch import BatchJob
from harness.cost.comparison import PUBLISHED_RATIO, Comparison
from harness.cost.load import ORIGINAL_FILES_PER_MIN, ORIGINAL_FUNCTION_S, ORIGINAL_RECORDS_PER_FILE
from harness.report.words import count, listed, percent, seconds
from harness.reproduce.figures import Figures, Spread

INTRODUCTION = """# The original's figures, measured again

Made by `make reproduction`, or from runs that are there by `harness reproduce RUN... --out docs/reproduction.md`. The
original is the pipeline that this harness was made for: an event-driven design that replaced a half-hourly Glue job.
What its authors published stands on the left of each table; what runs of this harness have shown stands beside it.

Times are restated for the true clock: in a compressed run the merge schedule and the SLA were divided by the time
scale, and what was measured was not. What a file waited for the schedule is multiplied back, everything else stays as
it was. A run in real time needs no restating.
"""


@dataclass(frozen=True)
class Priced:
    """The cost model's ratio, and of which run."""

    comparison: Comparison
    job: BatchJob
    run: str


@dataclass(frozen=True)
class _Row:
    name: str
    published: str
    cell: Callable[[Figures], str]
    reason: str


def page(runs: Sequence[Figures], priced: Priced | None) -> str:
    """The whole page; runs of the event-driven design by time scale, then those of the job."""
    new = sorted((one for one in runs if one.design == "event"), key=lambda one: one.facts.time_scale)
    old = sorted((one for one in runs if one.design == "batch"), key=lambda one: one.facts.time_scale)
    parts = [INTRODUCTION, *_warnings([*new, *old])]
    if new:
        parts += ["## The event-driven design\n", _table(new, NEW_ROWS), _reasons(new, NEW_ROWS)]
    if len(new) > 1:
        parts += ["## What compression changed\n", _compression(new)]
    if old:
        parts += ["## The half-hourly Glue job\n", _table(old, OLD_ROWS), _reasons(old, OLD_ROWS)]
    if priced is not None:
        parts += ["## Cost\n", _cost(priced)]
    parts += ["## Runs\n", _runs([*new, *old])]
    return "\n".join(parts)


def _warnings(runs: Sequence[Figures]) -> list[str]:
    """What a reader has to know before the figures: runs that are too small to be the original's."""
    said = []
    if not any(_at_published_load(one) for one in runs):
        said.append(
            "**None of these runs has the published load**: they show that the page is made, not that the original's "
            "figures hold. `make reproduction` makes those that do.\n"
        )
    short = [one for one in runs if one.facts.duration_s < one.facts.merge_every_s]
    if short:
        said.append(
            f"{listed([one.run for one in short])}: shorter than one interval of the schedule, so all files wait for "
            "the same merge and the middle says nothing of other arrival times.\n"
        )
    return said


def _at_published_load(one: Figures) -> bool:
    per_file = one.records / max(1, one.files)
    return one.files_per_min >= 0.95 * ORIGINAL_FILES_PER_MIN and per_file >= 0.95 * ORIGINAL_RECORDS_PER_FILE


def _spread(found: Spread | None) -> str:
    if found is None:
        return "not measured"
    return f"{seconds(found.p50_s)} · {seconds(found.p99_s)} · {seconds(found.worst_s)}"


def _share(found: float | None) -> str:
    return "not measured" if found is None else percent(found)


def _concurrency(one: Figures) -> str:
    if one.concurrency_mean is None or one.concurrency_max is None:
        return "not measured"
    return f"{one.concurrency_mean:.1f} on average, {one.concurrency_max} at most"


def _between(one: Figures) -> str:
    if one.within_15_min is None or one.within_20_min is None:
        return "not measured"
    return f"{one.within_20_min - one.within_15_min:.0%}"


NEW_ROWS = (
    _Row("load", "100 files/min × 10,000 records",
         lambda one: f"{one.files_per_min:.1f} files/min × {one.records / max(1, one.files):,.0f} = "
         f"{count(one.records)}",
         "What was offered; less than the published load where a run was made to be small."),
    _Row("a file in the function, p50 · p99 · worst", "about 25 s", lambda one: _spread(one.function),
         "Where `--function-s` was given, the wait before COPY's lock is a model that stands for Redshift and the "
         "network; the "
         "rest is this machine. Without it, it is the stand-in's own time, which is far shorter than Redshift's."),
    _Row("functions at once", f"about {ORIGINAL_FILES_PER_MIN / 60 * ORIGINAL_FUNCTION_S:.0f} (Little's law: rate × "
    f"25 s)",
         _concurrency, "Rate × mean time in the function. A peak above it is a burst after a cold start."),
    _Row("a merge, p50 · p99 · worst", "1 to 2 min every 15 min",
         lambda one: f"{_spread(one.merge)} every {seconds(one.interval_s)}",
         "PostgreSQL on this machine over the rows of one interval of this run, one type after the other. A "
         "compressed run "
         "merges fewer rows at a time."),
    _Row("queryable after, p50 · p99 · worst", "15 to 20 min", lambda one: _spread(one.available),
         "A file waits between nothing and a whole interval of 15 min for the merge: half of them wait less than 7.5 "
         "min. The "
         "published figure is what to count on, near the worst; the middle is earlier."),
    _Row("queryable within 15 min", "not published", lambda one: _share(one.within_15_min),
         "The share whose wait for the merge, time in the function and merge together stay below it."),
    _Row("queryable after 15 to 20 min", "what to count on", _between,
         "Only files that just missed a merge, and waited for a whole interval, are in this window."),
    _Row("queryable within 20 min", "all, as published", lambda one: _share(one.within_20_min),
         "More than 20 min takes a merge that is late, or a file that failed at first."),
    _Row("later than 30 min", "none", lambda one: count(one.late), "Restated; see what compression changed for the "
    "run's own SLA."),
    _Row("records lost · doubled · files dead-lettered", "none",
         lambda one: f"{count(one.lost)} · {count(one.doubled)} · {count(one.dead_lettered)}",
         "Counted in the final tables, record by record."),
)  # fmt: skip

OLD_ROWS = (
    _Row("load", "100 files/min × 10,000 records",
         lambda one: f"{one.files_per_min:.1f} files/min × {one.records / max(1, one.files):,.0f} = "
         f"{count(one.records)}",
         "What was offered."),
    _Row("runs of the job · failed", "fails or lags on many small files",
         lambda one: f"{count(one.batch_runs)} · {count(one.batch_failed)}",
         "Whether a run fails depends on how many files meet how much driver memory; here the memory is that of "
         "glue.toml."),
    _Row("queryable after, p50 · p99 · worst", "misses 30 min", lambda one: _spread(one.available),
         "A file waits for the next half hour, then for the whole job: nothing of a run is queryable before its end."),
    _Row("later than 30 min", "some", lambda one: f"{count(one.late)} of {count(one.files)}",
         "Restated for the true clock: the wait for the schedule times the time scale, the job's own time as "
         "measured."),
    _Row("records lost · doubled", "not published", lambda one: f"{count(one.lost)} · {count(one.doubled)}",
         "Counted in the final tables, record by record."),
)  # fmt: skip


def _heading(one: Figures) -> str:
    scale = one.facts.time_scale
    return "real time" if scale == 1 else f"time scale {scale:g}"


def _table(runs: Sequence[Figures], rows: Sequence[_Row]) -> str:
    lines = [f"| | published | {' | '.join(_heading(one) for one in runs)} |", f"|---|---|{'---|' * len(runs)}"]
    lines += [f"| {row.name} | {row.published} | {' | '.join(row.cell(one) for one in runs)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _reasons(runs: Sequence[Figures], rows: Sequence[_Row]) -> str:
    modelled = {one.facts.warehouse_model for one in runs if one.facts.warehouse_model}
    lines = [f"- **{row.name}**: {row.reason}" for row in rows]
    lines += [f"- **model of the warehouse** in these runs: {said}." for said in sorted(modelled)]
    return "Why they differ:\n\n" + "\n".join(lines) + "\n"


def _compression(runs: Sequence[Figures]) -> str:
    lines = ["| | merge every | SLA of the run | queryable after, as measured | worst, share of the SLA | restated |",
             "|---|--:|--:|---|--:|---|"]  # fmt: skip
    for one in runs:
        worst = "–" if one.as_measured is None else f"{one.as_measured.worst_s / one.facts.sla_s:.0%}"
        lines.append(
            f"| {_heading(one)} | {seconds(one.facts.merge_every_s)} | {seconds(one.facts.sla_s)} | "
            f"{_spread(one.as_measured)} | {worst} | {_spread(one.available)} |"
        )
    lines += [
        "",
        "Service times are never scaled, so their share of the SLA grows with the time scale: 25 s in the function "
        "are 1.4 % of 30 min, "
        "14 % of the 3 min that are left of it at time scale 10, and 83 % of the 30 s at 60. A compressed run is "
        "therefore "
        "stricter than the true clock on everything but the merge, whose rows are fewer.",
    ]
    return "\n".join(lines) + "\n"


def _cost(priced: Priced) -> str:
    found, job = priced.comparison, priced.job
    return "\n".join(
        [
            f"| | published | model, from {priced.run} |",
            "|---|---|---|",
            f"| new / old, without what both have | about {PUBLISHED_RATIO:g} | {found.own_ratio:.2f} |",
            f"| new / old, with landing files and warehouse | not published | {found.whole_ratio:.2f} |",
            f"| new design, {found.new.days:g} days | not published | ${found.new.own_usd:,.2f} |",
            f"| old design, {found.old.days:g} days | not published | ${found.old.own_usd:,.2f} |",
            "",
            f"The old job: {job.dpus:g} DPUs for {job.run_s / 60:.1f} min every {job.every_s / 60:g} min "
            f"({job.origin}). A ratio of "
            f"{PUBLISHED_RATIO:g} would take runs of {found.old_minutes_for_tenth:,.0f} min on as many DPUs, or "
            f"{found.function_s_for_tenth:.2f} s a file in the function. The authors publish neither the function's "
            f"memory nor the "
            "job's size and time, which decide this ratio. A model with list prices: [cost.md](cost.md).",
        ]
    ) + "\n"  # fmt: skip


def _runs(runs: Sequence[Figures]) -> str:
    lines = ["| run | scenario | day | files | machine | versions |", "|---|---|---|--:|---|---|"]
    for one in runs:
        machine, versions = one.facts.machine, one.facts.versions
        lines.append(
            f"| {one.run} | {one.facts.scenario}, {_heading(one)} | {one.facts.started_at[:10]} | {count(one.files)} | "
            f"{machine.get('cpus')} CPUs, {machine.get('memory_gib')} GiB, {machine.get('architecture')} | "
            f"Python {versions.get('python')}, harness {versions.get('nrt-harness')} |"
        )
    return "\n".join(lines) + "\n"
