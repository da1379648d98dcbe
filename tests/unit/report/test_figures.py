"""The charts are valid plotly, show what was measured, and take no orders from the run's texts."""

import json
from typing import Any

import plotly.graph_objects
import pytest

from harness.report.figures import figures
from harness.report.scene import ALL, Figure
from tests.unit.run_fixtures import START_S, Run, dead_letter, good_run, invocation, key_of

GOOD = good_run()
HOSTILE = "<a href='javascript:alert(1)'>x</a><b>%{y}"
RUNS = {
    "good": GOOD,
    "one file": good_run(1),
    "nothing merged": GOOD.without("merged"),
    "nothing uploaded": GOOD.without("uploaded").without("invocation").without("merged").without("sample"),
    "no samples": GOOD.without("sample"),
    "no stage rows": GOOD.changing("sample", {}, stage_rows=None, oldest_age_s=None),
    "dead letter": GOOD.without("merged", type="clicks").adding(dead_letter(1)),
    "fault": GOOD.adding({"event": "fault", "name": HOSTILE, "action": "inject", "at_s": START_S + 1}),
}


def _traces(figure: Figure, group: str) -> list[dict[str, Any]]:
    return [trace for trace in figure.traces if group in trace["meta"]["groups"]]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_plotly_takes_every_figure(run: Run) -> None:
    for figure in figures(run.evidence).values():
        plotly.graph_objects.Figure(data=list(figure.traces), layout=figure.layout)
        json.dumps([figure.traces, figure.layout], allow_nan=False)
        assert figure.title
        assert figure.summary.endswith(".")


def test_a_run_without_a_load_has_no_charts() -> None:
    assert figures(GOOD.without("load_started").evidence) == {}


def test_every_file_is_a_dot_and_each_type_can_be_seen_alone() -> None:
    latency = figures(GOOD.evidence)["latency"]
    assert sum(len(trace["x"]) for trace in _traces(latency, ALL)) == 4
    assert [trace["name"] for trace in _traces(latency, "clicks")] == ["clicks"]
    assert _traces(latency, "clicks")[0]["y"] == [4.0, 6.0]


def test_files_that_never_arrived_are_told_apart() -> None:
    latency = figures(RUNS["dead letter"].evidence)["latency"]
    lost = [trace for trace in latency.traces if "never" in trace["name"]]
    assert [len(trace["x"]) for trace in lost] == [2]
    assert lost[0]["customdata"][0] == [key_of(1), "on a dead letter queue"]
    assert "2 files never reached a final table" in latency.summary


def test_bars_add_up_to_the_latency_of_their_file() -> None:
    bars = _traces(figures(GOOD.evidence)["breakdown"], ALL)
    slowest = bars[0]["y"].index("#1 clicks")
    assert sum(bar["x"][slowest] for bar in bars) == pytest.approx(6.0, abs=0.01)


def test_the_percentile_plot_ends_at_the_maximum() -> None:
    assert _traces(figures(GOOD.evidence)["distribution"], ALL)[0]["y"][-1] == 6.0


def test_arrivals_count_every_stage() -> None:
    arrivals = _traces(figures(GOOD.without("merged", type="clicks").evidence)["arrivals"], ALL)
    assert {trace["name"]: trace["y"][-1] for trace in arrivals} == {"due": 4, "uploaded": 4, "staged": 4, "merged": 2}


def test_panels_hold_what_was_sampled_and_what_ran() -> None:
    waiting = figures(GOOD.evidence)["waiting"]
    titles = [note["text"] for note in waiting.layout["annotations"]]
    assert titles == [
        "files waiting for their first invocation", "messages waiting", "messages in flight",
        "age of the oldest file not queryable yet, s", "executions at once", "execution environments in use",
        "rows in stage tables",
    ]  # fmt: skip
    without = figures(RUNS["no stage rows"].evidence)["waiting"]
    assert [note["text"] for note in without.layout["annotations"]] == [*titles[:3], *titles[4:6]]


def test_files_that_waited_between_two_samples_are_counted() -> None:
    jam = GOOD
    for index in range(4):
        message = [{**invocation(index)["messages"][0], "sent_ms": int((START_S + index) * 1000)}]
        times = {"start_s": START_S + 4 + index / 10, "end_s": START_S + 4.6 + index / 10}
        jam = jam.changing("invocation", {"request_id": f"request-{index}"}, messages=message, **times)
    waiting = figures(jam.without("sample").evidence)["waiting"]
    waits = [trace for trace in waiting.traces if trace["yaxis"] == "y"]
    assert [max(trace["y"]) for trace in waits] == [2, 2]
    assert "At most 4 files waited" in figures(jam.evidence)["waiting"].summary


def test_merge_runs_and_faults_are_shaded() -> None:
    shapes = figures(RUNS["fault"].evidence)["latency"].layout["shapes"]
    shaded = [(shape["x0"], shape["x1"]) for shape in shapes if shape["type"] == "rect"]
    assert shaded == [(5.0, 7.0), (1.0, 7.0)]


def test_texts_of_the_run_are_no_markup() -> None:
    index = 0
    run = GOOD.changing("planned", {"index": index}, key=HOSTILE).changing("merged", {"type": "orders"}, keys=[HOSTILE])
    run = run.adding({"event": "fault", "name": HOSTILE, "action": "inject", "at_s": START_S + 1})
    drawn = json.dumps([[figure.traces, figure.layout] for figure in figures(run.evidence).values()])
    assert "javascript:alert" in drawn
    assert "<a" not in drawn
    assert "<b>" not in drawn
