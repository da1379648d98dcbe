"""Recursive loops are stopped after 16 invocations, unless the function's configuration allows them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, Function, Queue, eventually

MAKE = Callable[..., Any]
source = pytest.mark.documented("Use Lambda recursive loop detection to prevent infinite loops")
MOST = 16

# Sends itself the next number by its own queue, up to 20.
BY_QUEUE = """
import boto3, os
SQS = boto3.client("sqs")
def handler(event, context):
    number = int(event["Records"][0]["body"]) + 1
    SQS.send_message(QueueUrl=os.environ["TOLD"], MessageBody=str(number))
    if number < 20:
        SQS.send_message(QueueUrl=os.environ["OWN"], MessageBody=str(number))
"""
# Puts another object into the bucket that its queue hears of, up to the 20th.
BY_BUCKET = """
import boto3, json, os
from botocore.config import Config
SQS, S3 = boto3.client("sqs"), boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
def handler(event, context):
    for record in json.loads(event["Records"][0]["body"]).get("Records", []):
        number = int(record["s3"]["object"]["key"]) + 1
        SQS.send_message(QueueUrl=os.environ["TOLD"], MessageBody=str(number))
        if number < 20:
            S3.put_object(Bucket=record["s3"]["bucket"]["name"], Key=str(number), Body=b"")
"""
# Invokes itself, and answers how deep it got.
BY_INVOKE = """
import boto3, json
from botocore.config import Config
LAMBDA = boto3.client("lambda", config=Config(read_timeout=60, retries={"total_max_attempts": 1}))
def handler(event, context):
    again = json.dumps({"number": event["number"] + 1, "type": event["type"]})
    if event["number"] >= 20:
        return event["number"]
    try:
        answer = LAMBDA.invoke(FunctionName=context.function_name, InvocationType=event["type"], Payload=again)
    except LAMBDA.exceptions.RecursiveInvocationException as error:
        return {"stopped_at": event["number"], "message": str(error)}
    return json.loads(answer["Payload"].read() or b"null")
"""


def _loop(
    make_function: MAKE, make_queue: MAKE, make_mapping: MAKE, **attributes: str
) -> tuple[Function, Queue, Queue]:
    """A function that sends to its own queue, that queue, and the queue in which it counts."""
    told, queue = make_queue(), make_queue(max_receive_count=1, **attributes)
    variables = {"OWN": queue.url, "TOLD": told.url}
    function = make_function(BY_QUEUE, Environment={"Variables": variables})
    make_mapping(queue, function)
    return function, queue, told


def _told(queue: Queue) -> int:
    return sum(queue.counts())


@source
def test_a_message_of_a_loop_is_dead_lettered_after_16_invocations(
    make_function: MAKE, make_queue: MAKE, make_mapping: MAKE
) -> None:
    _, queue, told = _loop(make_function, make_queue, make_mapping, VisibilityTimeout="10")
    assert queue.dead_letters is not None
    queue.send("0")
    eventually(lambda: queue.dead_letters and queue.dead_letters.counts()[0], 60)
    assert [message["Body"] for message in queue.dead_letters.receive()] == [str(MOST)]
    assert _told(told) == MOST


@source
def test_a_loop_by_a_bucket_is_stopped_too(aws: Aws, make_function: MAKE, make_queue: MAKE, make_mapping: MAKE) -> None:
    told, queue = make_queue(), make_queue(max_receive_count=1, VisibilityTimeout="10")
    assert queue.dead_letters is not None
    make_mapping(queue, make_function(BY_BUCKET, Environment={"Variables": {"TOLD": told.url}}))
    s3, bucket = aws.client("s3"), f"contract-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, SkipDestinationValidation=True,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]},
    )  # fmt: skip
    s3.put_object(Bucket=bucket, Key="0", Body=b"")
    eventually(lambda: queue.dead_letters.counts()[0], 60)
    (message,) = queue.dead_letters.receive()
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == str(MOST)
    assert _told(told) == MOST


@source
def test_a_loop_goes_on_where_the_function_allows_it(
    aws: Aws, make_function: MAKE, make_queue: MAKE, make_mapping: MAKE
) -> None:
    function, queue, told = _loop(make_function, make_queue, make_mapping)
    aws.functions.put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
    queue.send("0")
    eventually(lambda: _told(told) == 20, 60)


@source
def test_messages_that_are_no_loop_are_not_counted(make_function: MAKE, make_queue: MAKE, make_mapping: MAKE) -> None:
    _, queue, told = _loop(make_function, make_queue, make_mapping)
    queue.send(*["19"] * 20)
    eventually(lambda: _told(told) == 20, 60)


@source
def test_an_invoke_of_a_loop_is_refused(make_function: MAKE) -> None:
    function = make_function(BY_INVOKE, Timeout=60)
    answer = function.invoke(number=1, type="RequestResponse").payload
    assert answer["stopped_at"] == MOST
    assert "recursive loop" in answer["message"]


@source
def test_an_asynchronous_event_of_a_loop_is_dead_lettered(make_function: MAKE, make_queue: MAKE) -> None:
    dead = make_queue()
    function = make_function(BY_INVOKE, DeadLetterConfig={"TargetArn": dead.arn})
    function.invoke(number=1, type="Event")
    eventually(lambda: dead.counts()[0], 60)
    assert [json.loads(message["Body"])["number"] for message in dead.receive()] == [MOST + 1]
