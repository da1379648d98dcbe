"""`junit.xml`: the checks as test cases, for CI.

In: a judgement. Out: the document. A check that fails is a failure, one that cannot tell an error: most CI reads a
skipped test as a pass, and that it must never be.
"""

from pathlib import Path
from xml.etree import ElementTree

from harness.checks import CheckResult, Verdict
from harness.report.words import one_line, writable
from harness.verdict import Judgement

CASES = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error"}


def document(judgement: Judgement) -> str:
    """The XML; times are seconds of the load and its draining, which all checks look at."""
    facts, history = judgement.evidence.facts, judgement.evidence.history
    results = [*judgement.results, *_verdict_beyond_checks(judgement)]
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(f"harness.{facts.scenario}"),
        tests=str(len(results)),
        failures=str(sum(result.verdict is Verdict.FAIL for result in results)),
        errors=str(sum(result.verdict is Verdict.INCONCLUSIVE for result in results)),
        skipped="0",
        time=f"{facts.duration_s + (history.drain_s or 0.0):.3f}",
        timestamp=_clean(facts.started_at),
    )
    properties = ElementTree.SubElement(suite, "properties")
    told = {
        "verdict": judgement.verdict,
        "pipeline": facts.pipeline,
        "seed": facts.seed,
        "time_scale": facts.time_scale,
    }
    for name, value in told.items():
        ElementTree.SubElement(properties, "property", name=name, value=_clean(str(value)))
    for result in results:
        _case(suite, result, facts.scenario)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def write(judgement: Judgement, path: Path) -> None:
    """Write the document to a file."""
    path.write_text(document(judgement), encoding="utf-8")


def _verdict_beyond_checks(judgement: Judgement) -> list[CheckResult]:
    """The verdict as a case of its own, when no check says as much: a run that was cut short, or had no checks."""
    if judgement.verdict is Verdict.PASS or any(one.verdict is judgement.verdict for one in judgement.results):
        return []
    detail = "the run did not go to its end, or its ledger is not whole, or nothing was checked"
    return [CheckResult("verdict", judgement.verdict, detail)]


def _case(suite: ElementTree.Element, result: CheckResult, scenario: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_clean(f"harness.{scenario}"), name=_clean(result.name), time="0.000"
    )
    detail = _clean(result.detail)
    if result.verdict in CASES:
        problem = ElementTree.SubElement(case, CASES[result.verdict], type=str(result.verdict), message=detail)
        problem.text = detail
    else:
        ElementTree.SubElement(case, "system-out").text = detail


def _clean(text: str) -> str:
    """XML 1.0 has no way to write most control characters, nor U+FFFE and U+FFFF: they are spelled out."""
    return one_line(writable(text))
