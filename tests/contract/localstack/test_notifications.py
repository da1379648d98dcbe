"""S3 event notifications on a queue."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, Queue, eventually

STRUCTURE = "Event message structure (Amazon S3)"


@pytest.mark.documented(STRUCTURE)
def test_an_upload_is_notified_with_its_size_tag_and_a_rising_sequencer(
    aws: Aws, make_queue: Callable[..., Queue]
) -> None:
    s3, bucket, queue = aws.client("s3"), f"contract-{uuid.uuid4().hex}", make_queue()
    s3.create_bucket(Bucket=bucket)
    configuration = {"Id": "landed", "QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [configuration]},
        SkipDestinationValidation=True,
    )
    tags = [s3.put_object(Bucket=bucket, Key="orders/dt=1/a b.csv", Body=b"x" * size)["ETag"] for size in (3, 4)]
    found: list[dict[str, Any]] = []

    def both() -> bool:
        for message in queue.receive():
            found.extend(json.loads(message["Body"]).get("Records", []))
        return len(found) == 2

    eventually(both, 60)
    found.sort(key=lambda record: record["s3"]["object"]["sequencer"])
    assert [record["s3"]["object"]["size"] for record in found] == [3, 4]
    assert [record["s3"]["object"]["eTag"] for record in found] == [tag.strip('"') for tag in tags]
    assert {record["s3"]["object"]["key"] for record in found} == {"orders/dt%3D1/a+b.csv"}
    assert {record["eventName"] for record in found} == {"ObjectCreated:Put"}
    assert found[0]["s3"]["configurationId"] == "landed"
    assert found[0]["s3"]["bucket"]["name"] == bucket
    assert abs(time.time() - time.mktime(time.strptime(found[0]["eventTime"][:19], "%Y-%m-%dT%H:%M:%S"))) < 86_400
    s3.delete_object(Bucket=bucket, Key="orders/dt=1/a b.csv")
    s3.delete_bucket(Bucket=bucket)
