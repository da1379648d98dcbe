"""What is refused when a mapping with a queue is made or changed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localstack.conftest import Aws, Function
from tests.contract.localstack.event_source.conftest import Make

CREATE = "CreateEventSourceMapping"
ANOTHER = "Unsupported {} parameter for given event source mapping type."
INVALID = "InvalidParameterValueException"


def _refusal(make_mapping: Make, *arguments: Any, **settings: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        make_mapping(*arguments, **settings)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.documented(CREATE)
@pytest.mark.parametrize(
    ("settings", "name", "bound"),
    [
        pytest.param({"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "batchSize", 10_000, id="batch"),
        pytest.param({"MaximumBatchingWindowInSeconds": 301}, "maximumBatchingWindowInSeconds", 300, id="window"),
        pytest.param(
            {"ScalingConfig": {"MaximumConcurrency": 1_001}},
            "scalingConfig.maximumConcurrency",
            1_000,
            id="concurrency",
        ),
    ],
)
def test_a_number_out_of_its_range_is_refused(
    make_queue: Make, make_mapping: Make, teller: Function, settings: dict[str, Any], name: str, bound: int
) -> None:
    code, message = _refusal(make_mapping, make_queue(), teller, **settings)
    assert code == "ValidationException"
    constraint = f"failed to satisfy constraint: Member must have value less than or equal to {bound}"
    assert message == f"1 validation error detected: Value '{bound + 1}' at '{name}' {constraint}"


@pytest.mark.documented(CREATE)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DestinationConfig", {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:elsewhere"}}),
        ("MaximumRetryAttempts", 2),
        ("MaximumRecordAgeInSeconds", 60),
        ("BisectBatchOnFunctionError", True),
        ("ParallelizationFactor", 2),
        ("TumblingWindowInSeconds", 10),
    ],
)
def test_what_only_other_event_sources_have_is_refused(
    make_queue: Make, make_mapping: Make, teller: Function, name: str, value: Any
) -> None:
    refusal = _refusal(make_mapping, make_queue(), teller, **{name: value})
    assert refusal == (INVALID, ANOTHER.format(name))


@pytest.mark.documented(CREATE)
def test_a_queue_has_no_starting_position(make_queue: Make, make_mapping: Make, teller: Function) -> None:
    refusal = _refusal(make_mapping, make_queue(), teller, StartingPosition="LATEST")
    assert refusal == (INVALID, "StartingPosition is not valid for SQS event sources.")


@pytest.mark.documented("Creating and configuring an Amazon SQS event source mapping")
def test_a_fifo_queue_has_no_batching_window(aws: Aws, make_queue: Make, make_mapping: Make, teller: Function) -> None:
    queue = make_queue(fifo=True)
    refusal = _refusal(make_mapping, queue, teller, MaximumBatchingWindowInSeconds=1)
    assert refusal == (INVALID, "Batching window is not supported for FIFO queues")
    mapping = make_mapping(queue, teller)
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match="not supported for FIFO"):
        aws.functions.update_event_source_mapping(UUID=mapping, MaximumBatchingWindowInSeconds=1)


@pytest.mark.documented("Using event filtering with an Amazon SQS event source")
def test_a_mapping_has_at_most_ten_filters(make_queue: Make, make_mapping: Make, teller: Function) -> None:
    queue = make_queue()
    filters = [{"Pattern": f'{{"body": {{"n": [{number}]}}}}'} for number in range(11)]
    code, _ = _refusal(make_mapping, queue, teller, FilterCriteria={"Filters": filters})
    assert code == INVALID
    make_mapping(queue, teller, FilterCriteria={"Filters": filters[:10]})
