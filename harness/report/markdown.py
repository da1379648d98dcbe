"""A short summary in Markdown, for a CI job summary or a pull request.

In: a judgement. Out: Markdown. Text from the run is escaped: it may neither format, nor link, nor mention, nor bring
HTML with it.
"""

import re

from harness.checks import CheckResult, Verdict
from harness.report import story
from harness.report.words import count, one_line, seconds, writable
from harness.verdict import Judgement

MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
MENTION = re.compile(r"([@:])")


def summary(judgement: Judgement, run: str) -> str:
    """The verdict, what happened, the checks, and the percentiles."""
    facts, figures = judgement.evidence.facts, judgement.to_json()
    lines = [
        f"## {MARKS[judgement.verdict]} {_safe(facts.scenario)} on {_safe(facts.pipeline)}: {judgement.verdict}",
        "",
        f"**{_safe(story.headline(judgement))}**",
        "",
        *(f"- {_safe(said)}" for said in story.findings(judgement)),
        "",
        "| check | verdict | |",
        "|---|---|---|",
        *(_check_row(result) for result in judgement.results),
        "",
        "| latency | p50 | p95 | p99 | max |",
        "|---|--:|--:|--:|--:|",
        _latency_row("end to end", figures["latency_s"]["end_to_end"]),
        *(_latency_row(stage.replace("_", " "), found) for stage, found in figures["latency_s"]["stages"].items()),
        "",
        f"{count(figures['files']['merged'])} of {count(figures['files']['scheduled'])} files merged · SLA "
        f"{seconds(facts.sla_s)} · time scale {facts.time_scale:g} · seed {facts.seed} · run {_safe(run)}",
        *((f"\nlatency model of the warehouse: {_safe(facts.warehouse_model)}",) if facts.warehouse_model else ()),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _check_row(result: CheckResult) -> str:
    return f"| {_safe(result.name)} | {MARKS[result.verdict]} {result.verdict} | {_safe(result.detail)} |"


def _latency_row(title: str, found: dict[str, float] | None) -> str:
    cells = (seconds((found or {}).get(column)) for column in ("p50", "p95", "p99", "max"))
    return f"| {title} | {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """One line that Markdown shows as it is."""
    escaped = SPECIAL.sub(r"\\\1", one_line(writable(text)))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # an invisible joint keeps @name and https: from becoming mentions and links
    return MENTION.sub("\\1\N{WORD JOINER}", escaped) if "@" in escaped or "://" in escaped else escaped
