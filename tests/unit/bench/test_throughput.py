"""When a rate counts as held, and when not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import command_bench, interruption
from harness import pipeline as pipelines
from harness.bench import cpu, floor, throughput
from harness.bench.floor import Floor
from harness.bench.throughput import Held, Offer, verdict_of
from harness.checks import Verdict
from harness.command_bench import cpu_table, limited_to_cores, throughput_bound
from harness.history import Attempt, FileHistory, History

HELD = Held(
    rate_per_min=600.0,
    duration_s=30.0,
    verdict="pass",
    files={},
    loaded_per_min=600.0,
    backlog_files={"middle_third": 10.0, "last_third": 12.0, "most": 20.0},
    end_to_end_s={"p50": 8.0, "p99": 20.0},
    start_lag_ms={"p99": 3.0},
    cold_starts=4,
    cpu_ms_per_file={"handler": 60.0, "gateway": 20.0},
    cpu_ms_per_file_by_window=({"handler": 60.0, "gateway": 20.0},),
    cores_used=1.5,
    load_share=0.08,
    making_ms_per_file=11.1,
    checks={"nothing_lost": "pass: all there"},
    run="run",
)


def test_a_run_that_passed_with_a_flat_backlog_holds_the_rate() -> None:
    assert verdict_of(HELD) == (Verdict.PASS, ())


def test_a_growing_backlog_is_no_pass() -> None:
    growing = replace(HELD, backlog_files={"middle_third": 10.0, "last_third": 90.0, "most": 120.0})
    verdict, reasons = verdict_of(growing)
    assert verdict is Verdict.FAIL
    assert "backlog grows" in reasons[0]


def test_a_slow_p99_is_no_pass() -> None:
    assert verdict_of(replace(HELD, end_to_end_s={"p99": 45.0}))[0] is Verdict.FAIL
    assert verdict_of(replace(HELD, end_to_end_s=None))[0] is Verdict.FAIL


def test_what_was_not_measured_is_no_pass() -> None:
    assert verdict_of(replace(HELD, backlog_files={}))[0] is Verdict.INCONCLUSIVE


def test_a_loss_stays_a_failure_and_is_named() -> None:
    verdict, reasons = verdict_of(replace(HELD, verdict="fail", checks={"nothing_lost": "fail: one file"}))
    assert (verdict, reasons) == (Verdict.FAIL, ("nothing_lost fail: one file",))


def _file(index: int, acknowledged_s: float, loaded_s: float) -> FileHistory:
    file = FileHistory(index, "orders", f"k{index}", 1, 0.0)
    file.acknowledged_s = acknowledged_s
    file.attempts.append(Attempt("r", "f", False, acknowledged_s, loaded_s, "ok", True, 1, "m", None))
    return file


@pytest.mark.parametrize(("seconds_each", "grows"), [(0.5, False), (2.0, True)])
def test_the_backlog_is_counted_from_the_files_own_stamps(seconds_each: float, grows: bool) -> None:
    history = History(start_at_s=100.0)
    for index in range(60):  # one a second, served one after the other
        at_s = 100.0 + index
        history.files[f"k{index}"] = _file(index, at_s, max(at_s, 100.0 + index * seconds_each) + 0.2)
    found = throughput.backlog(history, Offer(60.0, 60.0, None))
    assert (found["last_third"] > found["middle_third"] + 5) is grows


def test_a_window_costs_what_was_spent_and_loaded_in_it() -> None:
    meter = cpu.Meter(cpu.Sources({}, Path("none")), [(at_s, {"handler": at_s * 0.5}) for at_s in (0.0, 10.0, 20.0)])
    loaded = [1.0, 2.0, 11.0, 12.0, 13.0, 14.0]
    assert throughput.cpu_ms_per_file(meter, loaded, 0.0, 10.0) == {"handler": 2500.0}
    assert throughput.cpu_ms_per_file(meter, loaded, 10.0, 20.0) == {"handler": 1250.0}


def test_the_table_names_every_component_and_the_total() -> None:
    text = "\n".join(cpu_table(HELD.cpu_ms_per_file))
    assert "handler" in text
    assert "75.0%" in text
    assert "80.0" in text


def test_the_bound_is_what_all_cores_together_could_do() -> None:
    assert throughput_bound(60.0) == throughput_bound(120.0) * 2


@pytest.mark.parametrize("interrupted", [False, True])
def test_after_an_interruption_nothing_more_is_begun(
    interrupted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def measure(*_: object) -> Floor:
        begun.append("floor")
        return Floor(4, 2, 900.0, {})

    monkeypatch.setattr(interruption, "seen", lambda: interrupted)
    monkeypatch.setattr(throughput, "run", lambda *_args, **_options: HELD)
    monkeypatch.setattr(floor, "measure", measure)
    code = command_bench.bench_throughput(
        pipeline_file=Path("pipeline.toml"), rate=600.0, duration=30.0, records=None, maximum_concurrency=None,
        compare=(), without_floor=False, out=tmp_path / "run", as_json=True,
    )  # fmt: skip
    assert begun == ([] if interrupted else ["floor"])
    assert (code, json.loads(capsys.readouterr().out)["pipeline"]["loaded_per_min"]) == (0, 600.0)


def test_a_type_has_no_more_invocations_at_once_than_there_are_cores() -> None:
    described = pipelines.load(Path("pipeline.toml"))

    def limited(cores: int) -> set[int | None]:
        limited = limited_to_cores(described, cores)
        return {limited.queue_of(name).maximum_concurrency for name in limited.types}

    assert limited(1) == {2}  # AWS takes no less
    assert limited(3) == {3}
    assert limited(64) == {4}  # the pipeline's own
