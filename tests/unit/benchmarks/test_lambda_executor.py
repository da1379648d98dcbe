"""How the executor's benchmark says whether a figure keeps its limit."""

import pytest

from benchmarks.lambda_executor import Figure


@pytest.mark.parametrize(("value", "said"), [(9.99, "held"), (10, "held"), (10.01, "MISSED"), (float("nan"), "MISSED")])
def test_a_figure_is_held_up_to_its_limit_and_missed_beyond(value: float, said: str) -> None:
    assert str(Figure(value, 10, "p50 in all")) == f"p50 in all; limit 10: {said}"
