"""What is done, and in which order, so that a run starts empty."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import emptying, sql
from harness import pipeline as pipelines
from harness.errors import HarnessError
from harness.provision import Provisioned, TypeResources

PIPELINE = pipelines.load(Path(__file__).parents[2] / "pipeline.toml")


class FakeAws:
    """Queues whose messages are dealt with one look after the other; says what was asked of it."""

    endpoints = None

    def __init__(self, visible: int, taken: list[int]) -> None:
        self.done: list[str] = []
        self.taken = taken
        self.visible = visible
        self.state = "Enabled"
        self.sqs = SimpleNamespace(get_queue_attributes=self._look, purge_queue=self._purge)
        self.functions = SimpleNamespace(update_event_source_mapping=self._switch, get_event_source_mapping=self._state)

    def _look(self, **_asked: object) -> dict[str, Any]:
        taken = self.taken.pop(0) if len(self.taken) > 1 else self.taken[0]
        self.done.append(f"{taken} taken")
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(self.visible),
                "ApproximateNumberOfMessagesNotVisible": str(taken),
            }
        }

    def _purge(self, QueueUrl: str) -> None:  # noqa: N803 - as boto3 spells it
        self.done.append(f"purge {QueueUrl}")

    def _switch(self, UUID: str, Enabled: bool) -> None:  # noqa: N803
        self.state = "Enabled" if Enabled else "Disabled"
        self.done.append(f"{UUID} {self.state}")

    def _state(self, **_asked: object) -> dict[str, str]:
        return {"State": self.state}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time goes by while one sleeps, and not otherwise."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(emptying, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    return now


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Empties a pipeline of one type on a fake AWS; gives what was done and said."""

    def run(aws: FakeAws) -> tuple[list[str], list[str]]:
        @contextmanager
        def warehouse(*_arguments: object) -> Iterator[Any]:
            cursor = SimpleNamespace(execute=lambda statement: aws.done.append(statement.split()[0]))

            @contextmanager
            def opened() -> Iterator[Any]:
                yield cursor

            yield SimpleNamespace(cursor=opened)

        monkeypatch.setattr(sql, "warehouse", warehouse)
        said: list[str] = []
        resources = {"orders": TypeResources("queue", "arn", "dead-letters", "function", "mapping")}
        emptying.empty(PIPELINE, Provisioned(resources), aws, said.append)  # type: ignore[arg-type]
        return aws.done, said

    return run


def test_where_nothing_is_going_on_nothing_is_stopped_or_waited_for(emptied: Any, clock: list[float]) -> None:
    done, said = emptied(FakeAws(0, [0]))
    assert done == ["0 taken", "purge queue", "purge dead-letters", *["TRUNCATE"] * 8]
    assert (said, clock) == ([], [0.0])


def test_what_functions_are_at_is_waited_for_while_they_get_no_more(emptied: Any) -> None:
    done, said = emptied(FakeAws(5, [2, 2, 1, 0]))
    assert done[:5] == ["2 taken", "mapping Disabled", "2 taken", "1 taken", "0 taken"]
    assert done[5:7] == ["purge queue", "purge dead-letters"]
    assert done[-2:] == ["TRUNCATE", "mapping Enabled"]
    assert said == ["waiting for functions of an earlier run, 70 s at most"]


def test_queued_messages_alone_are_not_handed_out_any_more(emptied: Any) -> None:
    done, said = emptied(FakeAws(5, [0]))
    assert done[:3] == ["0 taken", "mapping Disabled", "0 taken"]
    assert said == []


def test_no_function_outlives_its_timeout_so_nobody_waits_longer(emptied: Any, clock: list[float]) -> None:
    """The message of one that crashed stays taken for minutes."""
    done, _ = emptied(FakeAws(0, [1]))
    assert PIPELINE.function_of("orders").timeout_s + emptying.INIT_S <= clock[0] < 71
    assert done[-1] == "mapping Enabled"


def test_an_event_source_that_cannot_be_switched_is_said(emptied: Any) -> None:
    aws = FakeAws(1, [0])
    aws.functions.get_event_source_mapping = lambda **_asked: {"State": "Updating"}
    with pytest.raises(HarnessError, match="the event source of orders is Updating, not "):
        emptied(aws)
