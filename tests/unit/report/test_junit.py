"""CI reads fail as a failure and inconclusive as an error, whatever text the run brings."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import Check, CheckResult, Verdict, default_checks
from harness.report import junit
from harness.verdict import Judgement
from tests.unit.run_fixtures import Run, dead_letter, good_run

GOOD_RUN = good_run()
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def _suite(judgement: Judgement) -> ElementTree.Element:
    suite = ElementTree.fromstring(junit.document(judgement)).find("testsuite")
    assert suite is not None
    return suite


def _result(verdict: Verdict, detail: str = "because") -> Judgement:
    return Judgement(verdict, (CheckResult("a_check", verdict, detail),), GOOD_RUN.evidence)


def test_a_passing_run_is_one_case_a_check() -> None:
    suite = _suite(GOOD_RUN.judged_by(*default_checks()))
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names == [check.name for check in default_checks()]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(names)), "0", "0")
    assert suite.get("time") == "8.000"
    assert not list(suite.iter("failure")) + list(suite.iter("error")) + list(suite.iter("skipped"))


@pytest.mark.parametrize(("verdict", "tag"), [(Verdict.FAIL, "failure"), (Verdict.INCONCLUSIVE, "error")])
def test_what_is_no_pass_is_never_read_as_one(verdict: Verdict, tag: str) -> None:
    suite = _suite(_result(verdict))
    (problem,) = suite.iter(tag)
    assert problem.get("message") == problem.text == "because"
    assert (suite.get("failures"), suite.get("errors")) == (str(int(tag == "failure")), str(int(tag == "error")))


@pytest.mark.parametrize(
    "run",
    [GOOD_RUN.with_defects("line 3 is not an event"), GOOD_RUN.without("run_finished")],
    ids=["defects", "cut short"],
)
def test_an_incomplete_run_is_an_error_even_if_its_checks_pass(run: Run) -> None:
    always = Check("always", lambda _: (Verdict.PASS, "fine"))
    suite = _suite(run.judged_by(always))
    assert suite.get("errors") == "1"
    assert [case.get("name") for case in suite.iter("testcase")] == ["always", "verdict"]


def test_a_run_without_checks_is_an_error() -> None:
    assert _suite(GOOD_RUN.judged_by()).get("errors") == "1"


@given(ANY_TEXT)
def test_any_text_gives_a_document_that_parses(text: str) -> None:
    (problem,) = _suite(_result(Verdict.FAIL, text)).iter("failure")
    assert problem.get("message") == (problem.text or "")
    junit.document(_result(Verdict.FAIL, text)).encode("utf-8")


def test_control_characters_are_spelled_out() -> None:
    (problem,) = _suite(_result(Verdict.FAIL, "a\x1b[31m\x00b\ud800]]>")).iter("failure")
    assert problem.text == "a\\x1b[31m\\x00b\\ud800]]>"


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    judgement = GOOD_RUN.adding(dead_letter(1)).judged_by(*default_checks())
    junit.write(judgement, tmp_path / "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(list(root.iter("failure"))) == 1
