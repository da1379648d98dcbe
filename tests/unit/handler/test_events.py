"""What the function takes from a message."""

import json

import pytest

from handler.events import EventError, S3Object, objects_in


def notification(*keys: str, event_name: str = "ObjectCreated:Put") -> str:
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": event_name,
            "s3": {"bucket": {"name": "landing"}, "object": {"key": key, "size": 1}},
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


def test_every_record_of_a_message_is_an_object() -> None:
    assert objects_in(notification("orders/a.csv.gz", "orders/b.csv.gz")) == (
        S3Object("landing", "orders/a.csv.gz"),
        S3Object("landing", "orders/b.csv.gz"),
    )


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ("orders/dt%3D2025-11-23/a.csv.gz", "orders/dt=2025-11-23/a.csv.gz"),
        ("orders/with+blank%2Bplus.csv.gz", "orders/with blank+plus.csv.gz"),
        ("orders/%C5%82%C3%B3d%C5%BA.csv.gz", "orders/łódź.csv.gz"),
    ],
)
def test_keys_are_decoded(encoded: str, decoded: str) -> None:
    (found,) = objects_in(notification(encoded))
    assert (found.bucket, found.key) == ("landing", decoded)


def test_the_test_event_of_a_new_notification_announces_nothing() -> None:
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "landing", "RequestId": "1", "HostId": "2"}
    assert objects_in(json.dumps(body)) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("hello", "not JSON"),
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no Records"),
        ('{"Records": []}', "no Records"),
        ('{"Records": "x"}', "no Records"),
        ('{"Records": [{"eventSource": "aws:s3"}]}', "'eventName'"),
        ('{"Records": ["x"]}', "not an S3 event"),
        (notification("orders/a", event_name="ObjectRemoved:Delete"), "not a created S3 object"),
        ('{"Records": [{"eventSource": "aws:sns", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"},'
         ' "object": {"key": "k"}}}]}', "aws:sns"),
    ],
)  # fmt: skip
def test_a_body_that_announces_no_created_object_is_an_error(body: str, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        objects_in(body)
