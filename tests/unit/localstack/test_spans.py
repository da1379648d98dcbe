"""Spans of thread time."""

import time

from harness.localstack.spans import Spans


def _burn(seconds: float) -> None:
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def test_what_an_inner_span_takes_is_not_counted_in_the_outer_one() -> None:
    spans = Spans()
    inner = spans.spanning(lambda: "inner", lambda: _burn(0.04))

    def work() -> None:
        _burn(0.01)
        inner()

    spans.spanning(lambda: "outer", work)()
    found = spans.totals_s()
    assert found["inner"] > 3 * found["outer"] > 0


def test_the_name_may_come_from_what_the_work_has_found() -> None:
    spans, told = Spans(), {"name": "unknown"}
    spans.spanning(lambda _told: told["name"], lambda found: found.update(name="s3"))(told)
    assert list(spans.totals_s()) == ["s3"]


def test_work_that_raises_is_counted_too() -> None:
    spans = Spans()

    def fail() -> None:
        raise KeyError

    try:
        spans.spanning(lambda: "failed", fail)()
    except KeyError:
        assert "failed" in spans.totals_s()
    else:
        raise AssertionError("it was to raise")
