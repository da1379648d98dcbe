"""What a killed emulator had acknowledged is there again when the next one makes bucket and queues (NRT_JOURNAL)."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness.stack import emulator
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, REGION
from harness.stack.processes import free_port

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NRT_JOURNAL", str(tmp_path / "journal"))
    return tmp_path


@contextmanager
def emulated(directory: Path) -> Iterator[tuple[Any, Any]]:
    """S3 and SQS of an emulator that is killed at the end of the block."""
    port, images = free_port(), directory / "images.json"
    images.write_text("{}")
    child = emulator.start(directory / "emulator", directory, port, images, directory / "trace")
    try:
        emulator.wait(child, port)
        clients = [
            boto3.client(
                service, endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION,
                aws_access_key_id=EMULATOR_ACCESS_KEY, aws_secret_access_key=EMULATOR_ACCESS_KEY,
            )
            for service in ("s3", "sqs")
        ]  # fmt: skip
        yield clients[0], clients[1]
        for client in clients:
            client.close()
    finally:
        child.end(signal.SIGKILL)


def notified(s3: Any, sqs: Any) -> str:
    """Have the bucket notify a queue of its objects; the queue's address."""
    url: str = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="landing", NotificationConfiguration=configuration)
    sqs.purge_queue(QueueUrl=url)  # S3's test event
    return url


def keys_of_events(sqs: Any, url: str) -> list[str]:
    return sorted(
        record["s3"]["object"]["key"] for body in bodies(sqs, url) for record in json.loads(body).get("Records", [])
    )


def bodies(sqs: Any, url: str, **options: Any) -> list[str]:
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **options).get("Messages", []):
        found += [message["Body"] for message in messages]
    return sorted(found)


def test_objects_and_messages_survive_a_kill_and_what_was_deleted_does_not(directory: Path) -> None:
    with emulated(directory) as (s3, sqs):
        s3.create_bucket(Bucket="landing")
        for key in ("kept", "replaced", "deleted", "deleted-too"):
            s3.put_object(Bucket="landing", Key=key, Body=key.encode())
        s3.put_object(Bucket="landing", Key="replaced", Body=b"by this")
        s3.delete_object(Bucket="landing", Key="deleted")
        s3.delete_objects(Bucket="landing", Delete={"Objects": [{"Key": "deleted-too"}]})
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("source", "purged", "removed")}
        for name, url in urls.items():
            for number in range(3):
                sqs.send_message(QueueUrl=url, MessageBody=f"{name} {number}")
        taken = sqs.receive_message(QueueUrl=urls["source"], MaxNumberOfMessages=2)["Messages"]
        sqs.delete_message(QueueUrl=urls["source"], ReceiptHandle=taken[0]["ReceiptHandle"])
        sqs.purge_queue(QueueUrl=urls["purged"])
        sqs.delete_queue(QueueUrl=urls["removed"])
    left = sorted({f"source {number}" for number in range(3)} - {taken[0]["Body"]})
    with emulated(directory) as (s3, sqs):
        s3.create_bucket(Bucket="landing")
        found = {one["Key"] for one in s3.list_objects_v2(Bucket="landing")["Contents"]}
        assert found == {"kept", "replaced"}
        assert s3.get_object(Bucket="landing", Key="kept")["Body"].read() == b"kept"
        assert s3.get_object(Bucket="landing", Key="replaced")["Body"].read() == b"by this"
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("source", "purged", "removed")}
        received = sqs.receive_message(
            QueueUrl=urls["source"], MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"],
            VisibilityTimeout=0,
        )["Messages"]  # fmt: skip
        counts = {message["Body"]: int(message["Attributes"]["ApproximateReceiveCount"]) for message in received}
        # the one in flight is visible again, and has been received twice now
        assert counts == {body: 2 if body == taken[1]["Body"] else 1 for body in left}
        assert bodies(sqs, urls["purged"]) == []
        assert bodies(sqs, urls["removed"]) == []


def test_a_dead_letter_is_kept_where_it_is_and_a_second_life_is_kept_too(directory: Path) -> None:
    with emulated(directory) as (_, sqs):
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 1}}'
        source = sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        sqs.send_message(QueueUrl=source, MessageBody="broken")
        assert bodies(sqs, source, VisibilityTimeout=0) == ["broken"]
    for _life in range(2):
        with emulated(directory) as (_, sqs):
            dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
            source = sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": policy})["QueueUrl"]
            assert bodies(sqs, source) == []
            received = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"]
            assert [message["Body"] for message in received] == ["broken"]


def test_an_upload_that_was_answered_has_notified_its_queue(directory: Path) -> None:
    keys = [f"file-{number:02}" for number in range(40)]
    with emulated(directory) as (s3, sqs):
        s3.create_bucket(Bucket="landing")
        notified(s3, sqs)
        with ThreadPoolExecutor(8) as uploads:
            list(uploads.map(lambda key: s3.put_object(Bucket="landing", Key=key, Body=b"x"), keys))
    with emulated(directory) as (_, sqs):
        assert keys_of_events(sqs, sqs.create_queue(QueueName="events")["QueueUrl"]) == keys


def test_a_bucket_notifies_as_before_and_one_that_was_deleted_does_not(directory: Path) -> None:
    with emulated(directory) as (s3, sqs):
        for bucket in ("deleted", "landing"):
            s3.create_bucket(Bucket=bucket)
        notified(s3, sqs)
        configuration = s3.get_bucket_notification_configuration(Bucket="landing")["QueueConfigurations"]
        s3.put_bucket_notification_configuration(
            Bucket="deleted", NotificationConfiguration={"QueueConfigurations": configuration}
        )
        s3.delete_bucket(Bucket="deleted")
    with emulated(directory) as (s3, sqs):
        url = sqs.create_queue(QueueName="events")["QueueUrl"]
        for bucket in ("deleted", "landing"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key=f"in-{bucket}", Body=b"x")
        assert keys_of_events(sqs, url) == ["in-landing"]
