"""What a run changes in its pipeline reaches the functions, queues and the warehouse's model of every type."""

from pathlib import Path

import pytest

from harness import pipeline as pipelines
from harness.errors import UsageError
from harness.overrides import overridden
from harness.timing import scaled

PIPELINE = pipelines.load(Path(__file__).parents[2] / "pipeline.toml")


def test_nothing_is_changed_unless_it_is_asked_for() -> None:
    assert overridden(PIPELINE, None, None) == PIPELINE


def test_time_in_the_function_is_the_warehouses_to_model_and_known_to_the_timing() -> None:
    changed = overridden(PIPELINE, 25.0, 12)
    assert changed.warehouse.model.copy_queue_s == 25
    assert {changed.queue_of(name).maximum_concurrency for name in changed.types} == {12}
    # six times 25 s and its own work, not six times the 10 s of the settings, however far the run is compressed
    assert set(scaled(changed, 60).visibility_timeout_s.values()) == {240}
    assert PIPELINE.warehouse.model.copy_queue_s == 0


def test_a_time_that_the_timeout_would_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--function-s 50: types\.orders: the function's timeout_s 60"):
        overridden(PIPELINE, 50.0, None)
