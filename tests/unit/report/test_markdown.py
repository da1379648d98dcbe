"""The summary for a CI job says it short, and shows the run's texts without obeying them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import CheckResult, Verdict, default_checks
from harness.report import markdown
from harness.verdict import Judgement
from tests.unit.run_fixtures import good_run

GOOD = good_run()


def _with_detail(detail: str) -> str:
    return markdown.summary(
        Judgement(Verdict.FAIL, (CheckResult("a_check", Verdict.FAIL, detail),), GOOD.evidence), "run"
    )


def test_a_good_run() -> None:
    text = markdown.summary(GOOD.judged_by(*default_checks()), "20231114T221320-smoke")
    assert text.startswith("## ✅ smoke on default: pass\n")
    assert "| nothing\\_lost | ✅ pass |" in text
    assert "| end to end | 4 s | 6 s | 6 s | 6 s |" in text
    assert "4 of 4 files merged · SLA 30 s · time scale 60 · seed 7 · run 20231114T221320-smoke" in text


def test_what_was_not_measured_is_a_dash() -> None:
    text = markdown.summary(GOOD.without("merged").judged_by(*default_checks()), "run")
    assert "| end to end | – | – | – | – |" in text


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[click](javascript:alert(1))", "![x](http://a.test/p.png)",
     "a | b | c", "`code`", "@everyone look", "see https://a.test", "line\n## headline", "**bold** _it_ ~~no~~"],
)  # fmt: skip
def test_hostile_text_stays_text(hostile: str) -> None:
    rows = [line for line in _with_detail(hostile).splitlines() if line.startswith("| a\\_check")]
    assert len(rows) == 1
    (row,) = rows
    for live in ("<script", "<img", "](", " | b", " `", "@e", "://a", "**", " _", "~~", "\\n#"):
        assert live not in row.replace("| a\\_check | ❌ fail |", "")


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_stays_on_its_line_and_can_be_written(detail: str) -> None:
    plain, text = _with_detail("plain"), _with_detail(detail)
    assert len(text.split("\n")) == len(plain.split("\n"))
    assert "<" not in text
    text.encode("utf-8")
