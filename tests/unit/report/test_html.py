"""The page is one file, whole without scripts, and shows the run's texts without obeying them."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from harness import report
from harness.checks import default_checks
from harness.errors import UsageError
from harness.report import html
from harness.run_directory import RunDirectory
from tests.unit.run_fixtures import START_S, Run, dead_letter, good_run, key_of

GOOD = good_run()
PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\" onmouseover=\"alert(1)\" x=\"",
    "' autofocus onfocus='alert(1)",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "a\ud800\x00\x1b[31m\u202eb",
]  # fmt: skip


class Page(HTMLParser):
    """The elements of a page, the text in them, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.lasttag == "script":
            self.scripts[-1] += data
        else:
            self.words.append(data)


def _page(run: Run) -> str:
    return html.page(run.judged_by(*default_checks()), "a run")


def _with_text(text: str) -> Run:
    """A run in which this text is wherever text from outside can be."""
    run = GOOD.changing("planned", {"index": 0}, key=text).changing("merged", {"type": "orders"}, keys=[text])
    said = {"event": "file_failed", "file": key_of(1), "error": text}
    run = run.changing("invocation", {"request_id": "request-1"}, log_lines=[said], status="error", error_type=text)
    phases = {
        "event": "file_loaded",
        "file": key_of(2),
        "rows": 1,
        "committed_at_s": START_S + 2.5,
        "phase_ms": {text: 9},
    }
    run = run.changing("invocation", {"request_id": "request-2"}, log_lines=[phases])
    broken = [{"type": text, "started_s": 1.0, "committed_s": None, "rows": [], "error": text}]
    run = run.changing("merge_run", {}, types=broken).adding(
        dead_letter(1, reason=text, message_id=text),
        {"event": "problem", "text": text},
        {"event": "fault", "name": text, "action": "inject", "at_s": START_S + 1},
    )
    facts = {"scenario": text, "question": text, "stack": text, "versions": {text: text}, "machine": {text: text}}
    return run.supposing(types=("orders", "clicks", text), **facts)


def _figures(page: Page) -> dict[str, Any]:
    return dict(json.loads(page.scripts[0]))


def test_words_and_tables_are_there_without_scripts() -> None:
    text = _page(GOOD)
    words = " ".join(" ".join(Page(text).words).split())
    assert "PASS It held." in words
    assert "All 4 delivered files (400 records) came through" in words
    assert "slowest file 6 s SLA 30 s 80 % of the SLA left" in words
    assert key_of(2) in words
    for title in ("Checks", "Every record accounted for", "Dead letters", "Merge job", "Can this run be trusted?"):
        assert title in words


def test_nothing_is_loaded_from_anywhere() -> None:
    page = Page(_page(GOOD))
    assert not {name for name, _ in page.attributes} & {"src", "action", "srcset", "data"}
    # links lead within the page, to what is there
    anchors = {value for name, value in page.attributes if name == "id"}
    assert {(value or "")[:1] for name, value in page.attributes if name == "href"} == {"#"}
    assert {(value or "")[1:] for name, value in page.attributes if name == "href"} <= anchors
    assert not {"link", "iframe", "object", "base", "form"} & set(page.tags)
    assert "@import" not in _page(GOOD)
    assert "url(" not in _page(GOOD)


def test_the_policy_names_the_two_scripts_and_no_other() -> None:
    text = _page(GOOD)
    policy = next(value for name, value in Page(text).attributes if name == "content" and "script-src" in (value or ""))
    assert policy is not None
    scripts = re.findall(r"'sha256-([^']+)'", policy)
    inline = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert scripts == [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (*inline, get_plotlyjs())
    ]
    assert policy.startswith("default-src 'none'; ")


def test_plotly_travels_inside() -> None:
    page = Page(_page(GOOD))
    assert gzip.decompress(base64.b64decode(page.scripts[1])).decode() == get_plotlyjs()
    assert set(_figures(page)) == {"latency", "breakdown", "distribution", "arrivals", "waiting", "start_lag"}


def test_the_same_run_gives_the_same_page() -> None:
    assert _page(GOOD) == _page(good_run())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text(payload: str) -> None:
    plain, hostile = Page(_page(_with_text("plain"))), Page(_page(_with_text(payload)))
    assert hostile.tags == plain.tags
    assert {name for name, _ in hostile.attributes} <= {name for name, _ in plain.attributes} | {"class"}
    assert _figures(hostile).keys() == _figures(plain).keys()


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_no_text_changes_the_page_s_structure(text: str) -> None:
    written = _page(_with_text(text))
    assert Page(written).tags == Page(_page(_with_text("plain"))).tags
    written.encode("utf-8")


@pytest.mark.parametrize(
    "run",
    [
        GOOD.without("load_started"),
        GOOD.without("uploaded").without("invocation").without("merged").without("sample"),
        GOOD.without("merged"),
        GOOD.without("accounted").without("accounted_type").without("run_finished"),
        Run(GOOD.facts, (), ("ledger.jsonl is not there",)),
        good_run(1).supposing(types=("orders",)),
        GOOD.supposing(time_scale=1.0),
    ],
    ids=["no load", "no uploads", "no merges", "not counted", "no ledger", "one file", "real time"],
)
def test_a_run_that_ended_early_has_a_report_too(run: Run) -> None:
    page = Page(_page(run))
    assert "html" in page.tags


def test_the_share_of_the_cpu_that_others_took_is_told_where_it_is_known() -> None:
    use = {"event": "machine_use", "elapsed_s": 9.0, "own_share": 0.1, "others_share": 0.8}
    assert "Other programs took 80 % of the machine's CPU." in " ".join(Page(_page(GOOD.adding(use))).words)
    assert "Other programs took" not in " ".join(Page(_page(GOOD)).words)


def test_the_worst_checks_come_first() -> None:
    words = " ".join(Page(_page(GOOD.changing("accounted", {"index": 0}, altered=1))).words)
    assert words.index("nothing altered") < words.index("nothing lost")


@pytest.mark.parametrize("report_format", report.FORMATS)
def test_each_format_can_be_rendered(report_format: str, tmp_path: Path) -> None:
    text = report.render(RunDirectory(tmp_path), GOOD.judged_by(*default_checks()), report_format)
    starts = {"html": "<!DOCTYPE html>", "markdown": "## ", "json": "{", "junit": "<?xml"}
    assert text.startswith(starts[report_format])


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'pdf' is not one of html, markdown, json, junit"):
        report.render(RunDirectory(tmp_path), GOOD.judged_by(), "pdf")


def test_the_report_is_written_into_the_run_s_directory(tmp_path: Path) -> None:
    directory = GOOD.store(tmp_path / "run")
    report.write(directory, GOOD.judged_by(*default_checks()))
    assert directory.report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
