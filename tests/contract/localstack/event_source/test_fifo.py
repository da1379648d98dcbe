"""What failures do to the order of a FIFO queue's messages."""

import json

import pytest

from tests.contract.localstack.conftest import eventually
from tests.contract.localstack.event_source.conftest import ERRORS, TELL, Make, Told, emptied

VISIBILITY_S = 6


@pytest.mark.documented("Using Lambda with Amazon SQS: FIFO queues")
def test_a_failed_message_holds_up_its_own_group_only(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    function = make_function(TELL, Timeout=VISIBILITY_S, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue(max_receive_count=1, fifo=True, VisibilityTimeout=str(VISIBILITY_S))
    poison = '{"fail": true}'
    queue.send(poison, "behind it", MessageGroupId="a")
    queue.send("in another group", MessageGroupId="b")
    make_mapping(queue, function)
    told.wait_for(3)
    began = {call["bodies"][0]: call["began"] for call in told.calls}
    assert began["behind it"] - began[poison] >= VISIBILITY_S - 1  # the visibility began with the receive, before that
    assert began["in another group"] < began["behind it"]
    [dead] = eventually(queue.dead_letters.receive)
    assert dead["Body"] == poison


@pytest.mark.documented(ERRORS)
def test_what_failed_of_a_group_comes_back_in_its_order(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    function = make_function(TELL, Timeout=4, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue(fifo=True, VisibilityTimeout="4")
    first = json.dumps({"failures": ["second", "third"]})
    queue.send(first, "second", "third", MessageGroupId="a")
    make_mapping(queue, function, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    told.wait_for(2)
    assert [call["bodies"] for call in told.calls] == [[first, "second", "third"], ["second", "third"]]
    emptied(queue)
