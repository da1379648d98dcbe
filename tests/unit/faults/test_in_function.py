"""Which deliveries break: first ones only, and the same in every run."""

import json
from typing import Any
from urllib.parse import quote_plus

from handler.events import objects_in
from harness.faults.events import event_record
from harness.faults.in_function import is_chosen
from harness.history import FileHistory

KEYS = [f"orders/dt=2026-01-01/orders-{number:06d}.csv.gz" for number in range(60)]


def _message(key: str, receive_count: int) -> dict[str, Any]:
    body = json.dumps({"Records": [{"s3": {"object": {"key": quote_plus(key, safe="/")}}}]})
    return {"messageId": key, "body": body, "attributes": {"ApproximateReceiveCount": str(receive_count)}}


def test_some_first_deliveries_break_and_no_second_one() -> None:
    chosen = [is_chosen(_message(key, 1), 3) for key in KEYS]
    assert 0 < sum(chosen) < len(KEYS)
    assert chosen == [is_chosen(_message(key, 1), 3) for key in KEYS]
    assert not any(is_chosen(_message(key, 2), 3) for key in KEYS)


def test_a_test_event_never_breaks() -> None:
    message = {"body": '{"Event": "s3:TestEvent"}', "attributes": {"ApproximateReceiveCount": "1"}}
    assert not is_chosen(message, 1)


def test_an_event_of_ours_reads_as_one_of_s3() -> None:
    file = FileHistory(0, "orders", "orders/dt=2026-01-01/a+b c%20é.csv", 1, 0.0, acknowledged_s=1.5, size_bytes=7)
    body = json.dumps({"Records": [event_record("landing", file, "us-east-1")]})
    assert [found.key for found in objects_in(body)] == [file.key]
