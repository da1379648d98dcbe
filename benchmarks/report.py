"""How large a run's report is, how long it takes to write, and how long Chromium takes to open it.

    python -m benchmarks.report [--files 200 5000] [--tries 5]

In: numbers of files; a run directory of each is made from a queueing model (`tests.end_to_end.report.synthetic_run`).
Out, as a Markdown table: the page's size, the seconds to judge and write it, and the milliseconds from asking for it
until its words and tables can be read, until its charts can be drawn (plotly.js is unpacked, and the page answers), how
much CPU the browser took until then, which other work on the machine hardly changes, and, in a window so high that all
charts are near, until all are drawn. Each is the median of several fresh browser contexts, the slowest in brackets. A
blank page shows what is Chromium's own.
"""

import argparse
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, sync_playwright

from harness import report
from harness.checks import default_checks
from harness.verdict import judge_stored
from tests.end_to_end.report import synthetic_run
from tests.end_to_end.web_page import BROWSERS

STORY = "trouble"
WINDOW, HIGH_WINDOW = (1200, 900), (1200, 12_000)
PATIENCE_MS = 120_000
# Milliseconds since the page was asked for: when plotly.js was there, and when it said last that a chart is drawn.
NOTES = """
new MutationObserver(() => { window.drawnAtMs = performance.now(); })
  .observe(document, { subtree: true, attributeFilter: ["data-drawn"] });
let plotly;
Object.defineProperty(window, "Plotly", {
  get: () => plotly,
  set: (it) => { plotly = it; window.readyAtMs = performance.now(); },
});
"""
READY = "() => window.Plotly || !document.body.children.length"
NEAR_DRAWN = """() => [...document.querySelectorAll(".plot")].every((plot) =>
  plot.classList.contains("js-plotly-plot") || plot.getBoundingClientRect().top > innerHeight)"""
TIMES = """() => ({
  read: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  ready: window.readyAtMs || 0, drawn: window.drawnAtMs || 0 })"""


def opened_ms(browser: Browser, url: str, window: tuple[int, int], until: str) -> dict[str, float]:
    """Until the words can be read, the charts can be drawn, and the last chart of this window is drawn."""
    page = browser.new_context(viewport={"width": window[0], "height": window[1]}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(NOTES)
    before_s = _browser_cpu_s()
    page.goto(url)
    page.wait_for_function(until)
    times: dict[str, float] = page.evaluate(TIMES) | {"cpu": (_browser_cpu_s() - before_s) * 1000}
    page.context.close()
    return times


def _browser_cpu_s() -> float:
    """Of all processes of the browser; one that ended meanwhile is not in it."""
    total_s = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "chrom" in process.name():
                total_s += sum(process.cpu_times()[:2])
    return total_s


def _middle(values: list[float]) -> str:
    return f"{median(values):,.0f} ({max(values):,.0f})"


def row(browser: Browser, name: str, url: str, tries: int, about: tuple[str, str]) -> str:
    """A line of the table."""
    near = [opened_ms(browser, url, WINDOW, READY) for _ in range(tries)]
    whole = [opened_ms(browser, url, HIGH_WINDOW, NEAR_DRAWN) for _ in range(tries)]
    cells = [_middle([one[what] for one in near]) for what in ("read", "ready", "cpu")]
    return f"| {' | '.join([name, *about, *cells, _middle([one['drawn'] for one in whole])])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", type=int, default=[200, 5_000])
    parser.add_argument("--tries", type=int, default=5)
    asked = parser.parse_args()
    command = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if command is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory(prefix="nrt-report-") as directory, sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=command, args=sandbox)
        print("| files | size, MB | judge and write, s | can be read, ms | charts can be drawn, ms "
              "| CPU until then, ms | all drawn, ms |\n"
              "|--:|--:|--:|--:|--:|--:|--:|")  # fmt: skip
        blank = Path(directory, "blank.html")
        blank.write_text("<!DOCTYPE html><title>blank</title>")
        print(row(browser, "(a blank page)", blank.as_uri(), asked.tries, ("", "")), flush=True)
        for files in asked.files:
            run = synthetic_run.make(Path(directory, str(files)), STORY, files)
            begun_s = time.monotonic()
            report.write(run, judge_stored(run, default_checks()))
            about = (f"{run.report.stat().st_size / 1e6:.2f}", f"{time.monotonic() - begun_s:.1f}")
            print(row(browser, f"{files:,}", run.report.as_uri(), asked.tries, about), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
