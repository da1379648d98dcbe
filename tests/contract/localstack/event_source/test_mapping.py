"""The life of an event source mapping: made, disabled, enabled, deleted."""

import pytest

from tests.contract.localstack.conftest import Aws, Function, Queue, eventually
from tests.contract.localstack.event_source.conftest import Make, Told, emptied


@pytest.mark.documented("CreateEventSourceMapping")
def test_a_visibility_shorter_than_the_functions_timeout_is_refused(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function
) -> None:
    queue = make_queue(VisibilityTimeout="5")
    expected = "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match=expected):
        make_mapping(queue, teller)


@pytest.mark.documented("UpdateEventSourceMapping")
def test_a_disabled_mapping_takes_nothing_and_goes_on_when_enabled(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    mapping = make_mapping(queue, teller)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    eventually(lambda: aws.functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled")
    queue.send("kept")
    assert queue.counts() == (1, 0)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert told.wait_for(1)[0]["bodies"] == ["kept"]
    assert aws.functions.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"


@pytest.fixture
def busy(make_queue: Make, make_mapping: Make, teller: Function) -> tuple[str, Queue]:
    """A mapping with a batch in flight, and its queue."""
    queue = make_queue()
    mapping = make_mapping(queue, teller)
    queue.send('{"sleep": 2}')
    eventually(lambda: queue.counts() == (0, 1))
    return mapping, queue


@pytest.mark.documented("DeleteEventSourceMapping")
def test_deleting_lets_the_batch_in_flight_finish(aws: Aws, busy: tuple[str, Queue], told: Told) -> None:
    mapping, queue = busy
    assert aws.functions.delete_event_source_mapping(UUID=mapping)["State"] == "Deleting"
    told.wait_for(1)
    emptied(queue)


@pytest.mark.documented("UpdateEventSourceMapping")
def test_disabling_lets_the_batch_in_flight_finish(aws: Aws, busy: tuple[str, Queue], told: Told) -> None:
    mapping, queue = busy
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    told.wait_for(1)
    emptied(queue)
    eventually(lambda: aws.functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled")
