"""A run on AWS begins with empty tables and queues: S3's test events are waited for, anything else is told of."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.aws_stack import adopted
from harness.errors import UsageError
from harness.provision import Provisioned, TypeResources

PROVISIONED = Provisioned({"orders": TypeResources("queue", "arn", "dead-letters", "function", "mapping")})
ON_AWS = cast(Any, SimpleNamespace(stack="mine", may_empty=False))


def start(monkeypatch: pytest.MonkeyPatch, rows: list[str], looks: dict[str, list[list[str]]]) -> None:
    """`looks` is what each look at a queue finds; the last one stays."""

    def messages(urls: Mapping[str, str], _aws: object) -> list[str]:
        found = looks[urls["orders"]]
        return found.pop(0) if len(found) > 1 else found[0]

    monkeypatch.setattr(adopted, "_rows", lambda *_: rows)
    monkeypatch.setattr(adopted, "_messages", messages)
    monkeypatch.setattr(adopted, "TEST_EVENTS_WITHIN_S", 0.05)
    monkeypatch.setattr(adopted, "LOOK_EVERY_S", 0.0)
    adopted.start_empty(cast(Any, None), PROVISIONED, cast(Any, None), ON_AWS)


def test_test_events_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {"queue": [["1 messages of orders"], ["1 messages of orders"], []], "dead-letters": [[]]}
    start(monkeypatch, [], looks)
    assert looks["queue"] == [[]]


def test_messages_that_nobody_takes_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"the stack mine is not empty \(2 messages of orders\)"):
        start(monkeypatch, [], {"queue": [["2 messages of orders"]], "dead-letters": [[]]})


def test_rows_and_dead_letters_are_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {"queue": [["never looked at"]], "dead-letters": [["1 messages of orders"]]}
    with pytest.raises(UsageError, match=r"\(3 rows in stage.orders, 1 messages of orders\)"):
        start(monkeypatch, ["3 rows in stage.orders"], looks)
