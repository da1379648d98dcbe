"""What AWS refuses of an event source mapping with a queue, and LocalStack takes.

In: a request to create or change one. Out: nothing, or AWS's error. Sources: CreateEventSourceMapping and
ProvisionedPollerConfig (API reference: which setting is of which event source, and its range), "Creating and
configuring an Amazon SQS event source mapping", "Using event filtering with an Amazon SQS event source". Sentences are
AWS's where they are known: of a batching window (aws/aws-lambda-dotnet 1758), of a starting position (boto/boto3 1613),
of what only other event sources have (LocalStack test_lambda_api.snapshot.json, 2025-11-27, for DestinationConfig).
"""

from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_ import provider
from localstack.services.lambda_.invocation.lambda_models import ValidationException
from localstack.services.lambda_.provider_utils import get_function_version_from_arn
from localstack.utils.aws.arns import parse_arn

from harness.localstack.sqs_source import SqsSource

POLLERS_MAX = 10_000
"""Lambda API reference and service model of botocore 1.44.5: for SQS 2 to 10,000 (the guide still says 2,000)."""
FILTERS_MAX = 10
"""Five by default, ten when AWS is asked for more (Lambda quotas)."""
OF_OTHER_SOURCES = (
    "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "ParallelizationFactor", "TumblingWindowInSeconds",
)  # fmt: skip
RANGES = {
    "batchSize": (("BatchSize",), 1, 10_000),
    "maximumBatchingWindowInSeconds": (("MaximumBatchingWindowInSeconds",), 0, 300),
    "scalingConfig.maximumConcurrency": (("ScalingConfig", "MaximumConcurrency"), 2, 1_000),
}
"""By the name in AWS's sentence: where the request has it, the least and the most."""


def checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack's own validation, and ours for queues."""

    def validate_event_source_mapping(self: provider.LambdaProvider, context: Any, request: Any) -> Any:
        source_arn = request.get("EventSourceArn", "")
        is_queue = bool(source_arn) and parse_arn(source_arn)["service"] == "sqs"
        if is_queue:
            check(request, is_fifo=source_arn.endswith(".fifo"))
        result = original(self, context, request)
        if is_queue:
            check_visibility(
                SqsSource(source_arn).visibility_timeout_s(), get_function_version_from_arn(result[0]).config.timeout
            )
        return result

    return validate_event_source_mapping


def check(request: Mapping[str, Any], *, is_fifo: bool) -> None:
    """Let the request alone pass, whatever its queue and its function are.

    Raises:
        ValidationException: a number is out of its range.
        InvalidParameterValueException: a setting is not for this queue, or not beside another one.
    """
    for name, (path, least, most) in RANGES.items():
        _check_range(name, _at(request, path), least, most)
    if request.get("StartingPosition"):
        raise _refusal("StartingPosition is not valid for SQS event sources.")
    for name in OF_OTHER_SOURCES:
        if request.get(name):
            raise _refusal(f"Unsupported {name} parameter for given event source mapping type.")
    if is_fifo and request.get("MaximumBatchingWindowInSeconds"):
        raise _refusal("Batching window is not supported for FIFO queues")
    _check_filters((request.get("FilterCriteria") or {}).get("Filters") or ())
    _check_pollers(request)


def check_visibility(visibility_s: int, timeout_s: int) -> None:
    """A queue must not show messages again before the function's timeout has passed.

    Raises:
        InvalidParameterValueException: it would.
    """
    if visibility_s < timeout_s:
        raise _refusal(
            f"Queue visibility timeout: {visibility_s} seconds is less than Function timeout: {timeout_s} seconds"
        )


def _refusal(sentence: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(sentence, Type="User")


def _at(request: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = request
    for name in path:
        found = (found or {}).get(name)
    return found


def _check_range(name: str, value: int | None, least: int, most: int) -> None:
    if value is None or least <= value <= most:
        return
    bound = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
    raise ValidationException(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must have value {bound}"
    )


def _check_filters(filters: Any) -> None:
    """The sentence is ours."""
    if len(filters) > FILTERS_MAX:
        raise _refusal(f"An event source mapping has at most {FILTERS_MAX} filters, not {len(filters)}")


def _check_pollers(request: Mapping[str, Any]) -> None:
    """ "You can't use provisioned mode with the maximum concurrency setting"; 2 to 200 pollers at least and 2 to 10,000
    at most (API reference: ProvisionedPollerConfig). The sentences are ours."""
    provisioned = request.get("ProvisionedPollerConfig")
    if not provisioned:
        return
    fewest, most = provisioned.get("MinimumPollers", 2), provisioned.get("MaximumPollers", 200)
    if (request.get("ScalingConfig") or {}).get("MaximumConcurrency"):
        problem = "ProvisionedPollerConfig and ScalingConfig.MaximumConcurrency cannot be used together"
    elif not 2 <= fewest <= 200:
        problem = f"MinimumPollers {fewest} is not between 2 and 200"
    elif not max(2, fewest) <= most <= POLLERS_MAX:
        problem = f"MaximumPollers {most} is not between MinimumPollers and {POLLERS_MAX}"
    else:
        return
    raise _refusal(problem)
