"""The report in a real browser: it draws, it filters, it fits a phone, and hostile texts do nothing.

Needs Chromium; without one these tests are skipped, and say so.
"""

import re
from pathlib import Path

import pytest

from harness import report
from harness.checks import default_checks
from harness.run_directory import RunDirectory
from harness.verdict import judge_stored
from tests.end_to_end.report import synthetic_run
from tests.end_to_end.web_page import Browser
from tests.unit.run_fixtures import START_S, dead_letter, good_run, key_of

CHARTS = 6
SIZE_BYTES_MAX = 5_000_000
PRINTED_PX_MAX = 720  # a page is some 960 pixels high, and the chart's title and words are on the same one
PHONE_WIDTH_PX = 500  # Chromium makes no narrower window; the layout of phones begins at 640

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def _write(directory: RunDirectory) -> Path:
    report.write(directory, judge_stored(directory, default_checks()))
    return directory.report


def _with_script(page: Path, script: str) -> Path:
    """A copy of the page without its policy, and with a script that looks at it."""
    text, dropped = POLICY.subn("", page.read_text(encoding="utf-8"))
    assert dropped == 1
    copy = page.with_name("probed.html")
    copy.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    return copy


def _said(dom: str, name: str) -> str:
    found = re.search(rf'<html[^>]* data-{name}="([^"]*)"', dom)
    assert found, f"the page said nothing of {name}"
    return found[1]


@pytest.mark.parametrize("story", synthetic_run.STORIES)
def test_all_charts_are_drawn_and_the_browser_has_nothing_to_say(browser: Browser, story: str, tmp_path: Path) -> None:
    dom, console = browser.open(_write(synthetic_run.make(tmp_path / "run", story)).as_uri())
    assert console == []
    assert _said(dom, "drawn") == str(CHARTS)
    assert len(re.findall(r'class="plot [^"]*js-plotly-plot', dom)) == CHARTS
    assert 'id="no-charts" class="note" role="status" hidden=""' in dom


PRINT = """
const wait = setInterval(() => {
  const said = document.documentElement.dataset;
  if (Number(said.drawn) !== 6) return;
  clearInterval(wait);
  const heights = () => [...document.querySelectorAll(".plot .main-svg:first-child")].map((plot) => plot.clientHeight);
  said.shown = Math.max(...heights());
  dispatchEvent(new Event("beforeprint"));
  setTimeout(() => { said.printed = Math.max(...heights()); }, 1000);
}, 50);
"""


def test_no_printed_chart_is_higher_than_a_page_has_room_for(browser: Browser, tmp_path: Path) -> None:
    page = _write(synthetic_run.make(tmp_path / "run", "trouble"))
    dom, console = browser.open(_with_script(page, PRINT).as_uri())
    assert console == []
    assert int(_said(dom, "shown")) > PRINTED_PX_MAX
    assert int(_said(dom, "printed")) <= PRINTED_PX_MAX


FILTER = """
const wait = setInterval(() => {
  const said = document.documentElement.dataset;
  if (Number(said.drawn) !== 6) return;
  clearInterval(wait);
  said.width = document.documentElement.scrollWidth;
  document.querySelector("input[value=orders]").click();
  setTimeout(() => {
    said.traces = document.getElementById("plot-latency").data.map((trace) => trace.name).join();
    const rows = [...document.querySelectorAll("tr[data-type]")].filter((row) => row.offsetParent);
    said.rows = [...new Set(rows.map((row) => row.dataset.type))].join();
    said.buttons = [...document.querySelectorAll(".modebar-btn")].map((button) => button.dataset.title).join();
  }, 1000);
}, 50);
"""


def test_the_filter_shows_one_type_and_a_phone_need_not_scroll_sideways(browser: Browser, tmp_path: Path) -> None:
    page = _write(synthetic_run.make(tmp_path / "run", "trouble"))
    dom, console = browser.open(_with_script(page, FILTER).as_uri(), PHONE_WIDTH_PX)
    assert console == []
    assert _said(dom, "traces") == "orders,orders: never merged"
    assert _said(dom, "rows") == "orders"
    assert int(_said(dom, "width")) <= PHONE_WIDTH_PX
    # plotly's own choice of buttons would offer to send the chart to a server
    assert set(_said(dom, "buttons").split(",")) == {
        "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes", "Download plot as a PNG",
    }  # fmt: skip


DEED = "document.documentElement.dataset.harmed = 1"
PAYLOAD = (
    f'</script><script>{DEED}</script><img src=x onerror=\'{DEED}\'>" onmouseover="{DEED}" '
    f"<a href=\"https://evil.test\">x</a><svg onload='{DEED}'>"
)
HOVER = """
const wait = setInterval(() => {
  if (Number(document.documentElement.dataset.drawn) !== 6) return;
  clearInterval(wait);
  const plot = document.getElementById("plot-latency");
  Plotly.Fx.hover(plot, plot.data.map((trace, index) => ({ curveNumber: index, pointNumber: 0 })));
  setTimeout(() => {
    document.querySelectorAll("th, td, li, text, tspan").forEach((element) => {
      element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    });
    if (document.querySelector('a:not([href^="#"])')) document.documentElement.dataset.harmed = 2;
    document.documentElement.dataset.hovered = document.querySelectorAll(".hovertext").length;
  }, 500);
}, 50);
"""


def test_hostile_texts_do_nothing_even_without_the_policy(browser: Browser, tmp_path: Path) -> None:
    run = (
        good_run().changing("planned", {"index": 0}, key=PAYLOAD).changing("merged", {"type": "orders"}, keys=[PAYLOAD])
    )
    said = {"event": "file_failed", "file": key_of(1), "error": PAYLOAD}
    taken = {"event": "file_loaded", "file": key_of(2), "committed_at_s": START_S + 2.5, "phase_ms": {PAYLOAD: 9}}
    run = run.changing("invocation", {"request_id": "request-1"}, log_lines=[said])
    run = run.changing("invocation", {"request_id": "request-2"}, log_lines=[taken])
    run = run.adding(
        dead_letter(1, reason=PAYLOAD),
        {"event": "fault", "name": PAYLOAD, "action": "inject", "at_s": START_S + 1},
        {"event": "problem", "text": PAYLOAD},
    ).supposing(scenario=PAYLOAD)
    dom, _ = browser.open(_with_script(_write(run.store(tmp_path / "run")), HOVER).as_uri())
    assert int(_said(dom, "hovered")) > 0
    assert "data-harmed" not in dom


def test_five_thousand_files_fit_into_the_size_that_was_promised(tmp_path: Path) -> None:
    page = _write(synthetic_run.make(tmp_path / "run", "trouble", files=5_000))
    assert page.stat().st_size < SIZE_BYTES_MAX
