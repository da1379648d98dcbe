"""A comparison in words: Markdown for a pull request, JSON for scripts, JUnit for CI.

In: a `Comparison`. Out: text. Names of runs and details are from outside, and escaped.
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from harness.compare.decide import FALSE_ALARM, MATTERS, WOULD_SHOW, Comparison, Finding, Outcome
from harness.compare.measure import Measured
from harness.report.words import one_line, writable

SCHEMA = 1
FORMATS = ("markdown", "json", "junit")
HEADLINES = {
    Outcome.SAME: "Same: no count rose, and nothing became slower by as much as matters.",
    Outcome.BETTER: "Better, and nothing is worse.",
    Outcome.WORSE: "Worse: the head should not be merged as it is.",
    Outcome.TOO_NOISY: "Too noisy to tell, or not measured: this is not a pass.",
}
WORST_FIRST = (Outcome.WORSE, Outcome.MISSING, Outcome.TOO_NOISY, Outcome.BETTER, Outcome.SAME)
SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#~"})


def render(comparison: Comparison, text_format: str) -> str:
    """The comparison in one of `FORMATS`."""
    match text_format:
        case "json":
            return json.dumps(to_json(comparison), indent=2) + "\n"
        case "junit":
            return _junit(comparison)
    return _markdown(comparison)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """`outcome` is same, better, worse or too_noisy; of a finding it can also be missing."""
    return {
        "schema": SCHEMA,
        "outcome": str(comparison.outcome),
        "scenario": comparison.base[0].facts.scenario,
        "base": [_run(one) for one in comparison.base],
        "head": [_run(one) for one in comparison.head],
        "notes": list(comparison.notes),
        "findings": [_finding(finding) for finding in comparison.findings],
        "method": {"false_alarm": FALSE_ALARM, "matters": MATTERS, "would_show": WOULD_SHOW},
    }


def _run(one: Measured) -> dict[str, str]:
    return {"run": one.run, "path": str(one.path), "verdict": str(one.verdict), "started_at": one.facts.started_at}


def _finding(finding: Finding) -> dict[str, Any]:
    found = finding.ratio
    return {
        "name": finding.name,
        "unit": finding.unit,
        "outcome": str(finding.outcome),
        "decisive": finding.decisive,
        "detail": finding.detail,
        "base": list(finding.base),
        "head": list(finding.head),
        "ratio": None if found is None else {"value": found.value, "low": found.low, "high": found.high},
        "p_corrected": finding.p_corrected,
    }


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """In the order in which to read them."""
    return sorted(findings, key=lambda one: (WORST_FIRST.index(one.outcome), not one.decisive))


def _markdown(comparison: Comparison) -> str:
    facts = comparison.base[0].facts
    lines = [
        f"## {HEADLINES[comparison.outcome]}",
        "",
        f"Scenario {_escaped(facts.scenario)}, {len(comparison.base)} runs of the base against "
        f"{len(comparison.head)} of the head.",
        "",
        *(f"- **{_escaped(one.name)}**: {_escaped(one.detail)}" for one in blamed(comparison)),
        *(f"- Note: {_escaped(note)}" for note in comparison.notes),
        "",
        "| | outcome | base | head | change |",
        "|---|---|--:|--:|---|",
    ]
    for one in worst_first(comparison.findings):
        aside = "" if one.decisive or one.outcome is not Outcome.TOO_NOISY else " (not decisive)"
        words = str(one.outcome).replace("_", " ")
        lines.append(
            f"| {_escaped(one.name)} | {words}{aside} | {mean_of(one.base, one.unit)} | {mean_of(one.head, one.unit)} "
            f"| {_escaped(one.detail)} |"
        )
    lines += [
        "",
        f"A metric is worse when it changed by {MATTERS:.0%} or more and noise does not explain it (false alarms: "
        f"{FALSE_ALARM:.0%} a comparison, over all metrics); it is the same when a change for the worse of "
        f"{WOULD_SHOW:.0%} would have shown. A count is worse when it rose at all.",
    ]
    return "\n".join(lines) + "\n"


def blamed(comparison: Comparison) -> list[Finding]:
    """What the outcome rests on, for better or worse."""
    wanted = {comparison.outcome, Outcome.MISSING} if comparison.exit_code == 3 else {comparison.outcome}
    if comparison.outcome is Outcome.SAME:
        return []
    found = [one for one in comparison.findings if one.outcome in wanted]
    return [one for one in found if one.decisive] if comparison.exit_code == 3 else found


def _escaped(text: str) -> str:
    return one_line(writable(text)).translate(SPECIAL)


def mean_of(values: Sequence[float | None], unit: str) -> str:
    """Of one figure a run; a dash where no run has it."""
    known = [value for value in values if value is not None]
    return f"{fmean(known):,.4g} {unit}".rstrip() if known else "–"


def _junit(comparison: Comparison) -> str:
    """Worse is a failure; what cannot be told is an error where it decides, and skipped where it does not."""
    suite = ET.Element("testsuite", name="nrt-harness compare", tests=str(len(comparison.findings)))
    tally = {"failures": 0, "errors": 0, "skipped": 0}
    for one in comparison.findings:
        case = ET.SubElement(suite, "testcase", classname="compare", name=one_line(writable(one.name)))
        detail = one_line(writable(one.detail))
        if one.outcome is Outcome.WORSE:
            tally["failures"] += 1
            ET.SubElement(case, "failure", message=detail)
        elif one.outcome in (Outcome.TOO_NOISY, Outcome.MISSING):
            tally["errors" if one.decisive else "skipped"] += 1
            ET.SubElement(case, "error" if one.decisive else "skipped", message=detail)
        else:
            ET.SubElement(case, "system-out").text = detail
    suite.attrib.update({name: str(number) for name, number in tally.items()})
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
