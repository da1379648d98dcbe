"""Every page that the harness makes, for people with a keyboard or a screen reader: axe has nothing serious to say."""

from pathlib import Path
from typing import Any

from harness import report
from harness.checks import default_checks
from harness.compare import compare, measure
from harness.live import live_view
from harness.report import comparison, side_by_side
from harness.verdict import judge_stored
from tests.end_to_end.report import synthetic_run
from tests.end_to_end.test_live import GOING_ON
from tests.end_to_end.web_page import Browser
from tests.unit.compare.histories import drawn_run, store
from tests.unit.glue.test_runs import FILES, failed_batch
from tests.unit.glue.test_side_by_side import beside
from tests.unit.run_fixtures import FACTS, dead_letter, good_run

SERIOUS = {"serious", "critical"}


def _page(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def _compared(path: Path) -> str:
    """The address of the page of a comparison whose head is slower, and has a dead letter."""
    path.mkdir()
    base = store([drawn_run(seed, 0.03) for seed in range(3)], path / "base", 0)
    head = store([drawn_run(seed, 0.03, 1.3).adding(dead_letter(1)) for seed in range(3)], path / "head", 1)
    sides = ([measure(one) for one in side] for side in (base, head))
    return _page(path / "compare.html", comparison.page(compare(*sides)))


def _serious(looked: dict[str, Any]) -> dict[str, list[str]]:
    """Colour scheme -> axe's findings that keep people out."""
    return {
        scheme: [f"{one['id']}: {one['nodes']}" for one in findings if one["impact"] in SERIOUS]
        for scheme, findings in looked["findings"].items()
    }


def _reached(looked: dict[str, Any]) -> set[str]:
    """The names of what the Tab key reaches, all of which are shown to have it."""
    assert all(tab["outlined"] and tab["name"].strip() for tab in looked["tabs"]), looked["tabs"]
    return {tab["name"].strip() for tab in looked["tabs"]}


def test_the_report_and_a_page_on_which_there_is_something_to_say(browser: Browser, tmp_path: Path) -> None:
    run = synthetic_run.make(tmp_path / "run", "trouble", files=60)
    report.write(run, judge_stored(run, default_checks()))
    pale = "<html><body><input><p style='color:#bbb;background:#fff'>pale</p></body></html>"
    looked, found_out = browser.look(run.report.as_uri(), _page(tmp_path / "pale.html", pale))
    assert {one.partition(":")[0] for one in _serious(found_out)["light"]} >= {"label", "color-contrast"}
    assert _serious(looked) == {"light": [], "dark": []}
    assert looked["tabs"][0]["name"].strip() == "Skip to the checks"
    assert _reached(looked) >= {
        "all types", "Zoom in", "The ten slowest files", "Dead letters", "What the parts mean",
    }  # fmt: skip
    assert looked["chosen"] == "orders"


def test_the_comparison_of_versions_and_that_of_designs(browser: Browser, tmp_path: Path) -> None:
    designs = side_by_side.page(beside(good_run(FILES), failed_batch()), "a run")
    worse, beside_each_other = browser.look(_compared(tmp_path / "worse"), _page(tmp_path / "designs.html", designs))
    assert [_serious(one) for one in (worse, beside_each_other)] == [{"light": [], "dark": []}] * 2
    assert _reached(worse) >= {"Zoom in", "Every count and metric", "Runs"}


def test_the_live_view(browser: Browser) -> None:
    with live_view(GOING_ON.history, FACTS, "run-1") as url:
        (looked,) = browser.look(url)
    assert _serious(looked) == {"light": [], "dark": []}
    assert _reached(looked) >= {"all types", "Zoom in"}
    assert looked["chosen"] == FACTS.types[0]
