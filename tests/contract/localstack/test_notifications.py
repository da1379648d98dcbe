"""S3 event notifications on a queue."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from harness.localstack import s3_delivery
from tests.contract.localstack.conftest import Aws, Queue, embedded, eventually

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


@pytest.mark.documented("Configuring event notifications using object key name filtering (Amazon S3)")
def test_each_queue_is_notified_of_the_keys_that_its_filter_names(aws: Aws, make_queue: Callable[..., Queue]) -> None:
    """As a pipeline has it: a bucket for all types, a queue for each. Special characters are percent-encoded."""
    s3, bucket = aws.client("s3"), f"contract-{uuid.uuid4().hex}"
    orders, clicks = make_queue(), make_queue()
    s3.create_bucket(Bucket=bucket)
    rules = {
        orders.arn: [{"Name": "prefix", "Value": "orders/dt%3D"}],
        clicks.arn: [{"Name": "prefix", "Value": "clicks/"}, {"Name": "suffix", "Value": ".jsonl.gz"}],
    }
    configurations = [
        {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rule}}}
        for arn, rule in rules.items()
    ]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": configurations},
        SkipDestinationValidation=True,
    )
    others = ("orders/readme", "clicks/dt=1/a.csv", "other/dt=1/a.jsonl.gz")
    keys = (*others, "clicks/dt=1/a.jsonl.gz", "orders/dt=1/a.csv")  # those that are notified come last
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    found: dict[str, list[str]] = {orders.arn: [], clicks.arn: []}

    def one_each() -> bool:
        for queue in (orders, clicks):
            for message in queue.receive():
                records = json.loads(message["Body"]).get("Records", [])
                found[queue.arn] += [record["s3"]["object"]["key"] for record in records]
        return all(found.values())

    eventually(one_each, 60)
    assert found == {orders.arn: ["orders/dt%3D1/a.csv"], clicks.arn: ["clicks/dt%3D1/a.jsonl.gz"]}
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.slow
@pytest.mark.embedded_only
@pytest.mark.documented("Amazon S3 Event Notifications: delivered at least once")
def test_notifications_come_late_twice_and_in_another_order_as_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    text, objects = "delay_s=0..0.2,duplicate=0.4,reorder=0.4,seed=7", 20
    monkeypatch.setenv("NRT_S3_EVENTS", text)
    schedule = s3_delivery.Schedule(s3_delivery.parse(text))
    expected = Counter({f"{number}": len(schedule.delays_s()) for number in range(objects)})
    assert sum(expected.values()) > objects
    with embedded() as aws:
        s3, sqs = aws.client("s3"), aws.sqs
        url = sqs.create_queue(QueueName="late")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        s3.create_bucket(Bucket="late")
        s3.put_bucket_notification_configuration(
            Bucket="late", SkipDestinationValidation=True,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
        )  # fmt: skip
        for number in range(objects):
            s3.put_object(Bucket="late", Key=f"{number}", Body=b"x")
        queue, found = Queue(aws, url, arn), list[dict[str, Any]]()

        def all_there() -> bool:
            bodies = [json.loads(message["Body"]) for message in queue.receive()]
            found.extend(record["s3"]["object"] for body in bodies for record in body["Records"])
            return len(found) >= sum(expected.values())

        eventually(all_there, 60)
        assert Counter(item["key"] for item in found) == expected
        keys = [item["key"] for item in found]
        assert keys != sorted(keys, key=int)
        # an event keeps its number, so that who receives it can tell the order in which things happened
        numbers = {item["key"]: item["sequencer"] for item in found}
        assert all(numbers[item["key"]] == item["sequencer"] for item in found)
        assert sorted(numbers, key=lambda key: numbers[key]) == sorted(numbers, key=int)
