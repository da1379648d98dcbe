"""A function behind a queue that tells what it was given, for tests of event source mappings."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.localstack.conftest import Function, Queue, eventually

Make = Callable[..., Any]
ERRORS = "Handling errors for an SQS event source in Lambda"
SCALING = "Configuring scaling behavior for SQS event source mappings"

# A function that tells another queue what it was given, then answers as the first record's body says. It can be made to
# wait for a gate, a queue with a message in it.
TELL = """
import json, os, time, boto3
SQS = boto3.client("sqs")
def handler(event, context):
    began = time.time()
    bodies = [record["body"] for record in event["Records"]]
    order = next((json.loads(body) for body in bodies if body.startswith("{")), {})
    time.sleep(order.get("sleep", 0))
    gate = {"QueueUrl": order.get("gate"), "VisibilityTimeout": 0, "WaitTimeSeconds": 1}
    while order.get("gate") and not SQS.receive_message(**gate).get("Messages"):
        pass
    told = {"bodies": bodies, "event": event, "began": began, "ended": time.time()}
    SQS.send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(told))
    if order.get("fail"):
        raise Exception("as asked")
    if "failures" in order:
        ids = {record["body"]: record["messageId"] for record in event["Records"]}
        return {"batchItemFailures": [{"itemIdentifier": ids.get(body, body)} for body in order["failures"]]}
    return order.get("answer")
"""


class Told:
    """What the function has told so far."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.calls: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        while messages := self.queue.receive():
            self.calls += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self.queue.aws.sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=message["ReceiptHandle"])
        return self.calls

    def wait_for(self, calls: int, timeout_s: float = 30) -> list[dict[str, Any]]:
        eventually(lambda: len(self.read()) >= calls, timeout_s)
        return self.calls

    @property
    def bodies(self) -> list[str]:
        return [body for call in self.calls for body in call["bodies"]]


@pytest.fixture
def told(make_queue: Make) -> Told:
    return Told(make_queue())


@pytest.fixture
def teller(make_function: Make, told: Told) -> Function:
    """The function above, initialised."""
    function: Function = make_function(TELL, Environment={"Variables": {"TOLD": told.queue.url}})
    return function


def emptied(queue: Queue) -> None:
    """Wait until a queue has no message left, in flight or not."""
    eventually(lambda: queue.counts() == (0, 0))
