"""Each rule speaks up where it should, names the setting, and is silent on the default pipeline."""

from pathlib import Path
from typing import Any

import pytest

from harness import pipeline as pipelines
from harness.advice import Measured, advise, measured_in
from harness.history import History
from harness.pipeline import FunctionSettings, MergeSettings, Pipeline, QueueSettings
from tests.unit.run_fixtures import good_run

DEFAULT = pipelines.load(Path(__file__).parents[3] / "pipeline.toml")
NOTHING = Measured()


def _with(queue: dict[str, Any] | None = None, merge_every_s: float = 900, timeout_s: int = 60) -> Pipeline:
    given = {"maximum_concurrency": 4, "visibility_timeout_s": 360} | (queue or {})
    return DEFAULT.model_copy(
        update={
            "queue": QueueSettings(**given),
            "function": FunctionSettings(timeout_s=timeout_s),
            "merge": MergeSettings(every_s=merge_every_s, sql=DEFAULT.merge.sql),
        }
    )


def test_the_default_pipeline_needs_no_advice() -> None:
    assert advise(DEFAULT, NOTHING) == []


def test_a_run_shows_its_longest_merge_its_copies_and_its_rates() -> None:
    measured = measured_in(good_run(5).history)
    assert measured.merge_max_s == 2.0
    assert measured.lock_s == 0.25
    assert measured.files_per_min == {"orders": 45.0, "clicks": 30.0}
    assert measured_in(History()) == Measured()


@pytest.mark.parametrize(
    ("pipeline", "measured"),
    [
        (_with({"visibility_timeout_s": 360}), NOTHING),
        (_with({"visibility_timeout_s": 370, "batch_size": 20, "batch_window_s": 10}), NOTHING),
        (_with({"dead_letter_retention_s": 345_601}), NOTHING),
        (_with({"max_receive_count": 2}), NOTHING),
        (_with({"max_receive_count": 100}), NOTHING),
        (_with({"retention_s": 1_081}), NOTHING),
        (_with(merge_every_s=1700), Measured(merge_max_s=99)),
        (_with({"maximum_concurrency": 11}), Measured(lock_s=1.0)),
        (_with(), Measured(lock_s=2.5, files_per_min={"orders": 23})),
        (_with({"maximum_concurrency": 125}), NOTHING),
    ],
    ids=str,
)
def test_what_is_just_enough_is_left_alone(pipeline: Pipeline, measured: Measured) -> None:
    assert advise(pipeline, measured) == []


@pytest.mark.parametrize(
    ("pipeline", "measured", "setting", "says"),
    [
        (_with({"visibility_timeout_s": 359}), NOTHING, "visibility_timeout_s", "360 s"),
        (_with({"batch_size": 20, "batch_window_s": 10}), NOTHING, "visibility_timeout_s", "370 s"),
        (_with({"dead_letter_retention_s": 345_600}), NOTHING, "dead_letter_retention_s", "345600 s"),
        (_with({"max_receive_count": 1}), NOTHING, "max_receive_count", "at least 5"),
        (_with({"max_receive_count": 1000}), NOTHING, "max_receive_count", "100 h"),
        (_with({"retention_s": 900}), NOTHING, "retention_s", "1080 s"),
        (_with(merge_every_s=1800), NOTHING, "merge.every_s", "1800 s"),
        (_with(merge_every_s=1700), Measured(merge_max_s=120), "merge.every_s", "120 s"),
        (_with({"maximum_concurrency": 40}), Measured(lock_s=1.0), "maximum_concurrency", "10 invocations"),
        (_with(), Measured(lock_s=2.5, files_per_min={"orders": 25}), "arrival rate", "1.0 times"),
        (_with({"maximum_concurrency": 126}), NOTHING, "maximum_concurrency", "504 connections"),
        (_with({"maximum_concurrency": None}), NOTHING, "maximum_concurrency", "without a limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_asks_for_trouble_is_named(pipeline: Pipeline, measured: Measured, setting: str, says: str) -> None:
    found = [advice for advice in advise(pipeline, measured) if setting in advice.setting]
    assert found, advise(pipeline, measured)
    assert says in found[0].text
    assert all(advice.source for advice in found)
