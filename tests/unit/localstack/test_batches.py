"""How batches are cut, and what answers mean."""

import json
from typing import Any

import pytest

from harness.localstack import batches
from harness.localstack.batches import MalformedAnswer

IDS = {"one", "two"}


@pytest.mark.parametrize(
    "answer",
    [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}', b'""', b'{"other": 1}'],
)
def test_these_answers_are_a_complete_success(answer: bytes) -> None:
    assert batches.failed_items(answer, IDS) == set()


def test_named_items_have_failed() -> None:
    assert batches.failed_items(b'{"batchItemFailures": [{"itemIdentifier": "two"}]}', IDS) == {"two"}


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b'"text"',
        b"[1]",
        b'{"batchItemFailures": "one"}',
        b'{"batchItemFailures": ["one"]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemId": "one"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "one"}, {"itemIdentifier": 2}]}',
    ],
)
def test_these_answers_fail_the_whole_batch(answer: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        batches.failed_items(answer, IDS)


def _event(body: str, group: str = "g") -> dict[str, Any]:
    return {"messageId": body[:8], "body": body, "attributes": {"MessageGroupId": group}}


def test_no_payload_is_over_the_limit_and_nothing_is_lost_or_reordered() -> None:
    events = [_event("x" * size + str(size)) for size in (10, 900, 40, 990, 500, 480, 1)]
    cut = batches.split_by_size(events, most_bytes=1_200)
    assert [event for batch in cut for event in batch] == events
    assert len(cut) > 1
    assert all(len(batches.payload(batch)) <= 1_200 for batch in cut)


def test_a_message_that_fills_a_payload_goes_alone() -> None:
    events = [_event("a"), _event("x" * 5_000), _event("b")]
    assert [len(batch) for batch in batches.split_by_size(events, most_bytes=1_000)] == [1, 1, 1]


def test_groups_are_kept_apart_and_in_order() -> None:
    events = [_event("1", "a"), _event("2", "b"), _event("3", "a")]
    cut = batches.split_by_group(events)
    assert [[event["body"] for event in batch] for batch in cut] == [["1", "3"], ["2"]]


def test_the_payload_is_the_event() -> None:
    assert json.loads(batches.payload([_event("1")])) == {"Records": [_event("1")]}
