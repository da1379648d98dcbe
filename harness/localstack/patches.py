"""Every place where a piece of LocalStack is replaced at run time, with the reason.

In: nothing. Out: LocalStack's modules changed in place. Written against 4.13.1; each replacement keeps the signature of
what it replaces.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from localstack.aws.api.lambda_ import InvalidParameterValueException, TooManyRequestsException
from localstack.services.lambda_ import provider, urlrouter
from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory
from localstack.services.lambda_.invocation import counting_service, logs, version_manager
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, ImageCode, VersionIdentifier
from localstack.services.sqs import provider as sqs_provider
from localstack.services.sqs.models import sqs_stores
from localstack.utils.aws.arns import parse_arn

from harness.localstack import (
    cloudwatch,
    function_url,
    images,
    log_writer,
    recursion,
    redrive,
    s3_events,
    settings,
    version_life,
)


def for_executor() -> None:
    """What functions as processes need."""
    provider.create_image_code = _create_image_code
    logs.LogHandler.run_log_loop = log_writer.run_log_loop
    version_manager.record_cw_metric_invocation = _count_invocation
    version_manager.record_cw_metric_error = _count_error
    counting_service.CountingService.get_invocation_lease = _counting_throttles(
        counting_service.CountingService.get_invocation_lease
    )
    router = urlrouter.FunctionUrlRouter
    router.handle_lambda_url_invocation = function_url.checked(router.handle_lambda_url_invocation)
    version_life.install()
    recursion.install()


def for_poller() -> None:
    """Our worker for SQS mappings, and the check AWS makes when one is created."""
    sqs_provider.CloudwatchDispatcher.dispatch_sqs_metric = _count_queue_metric
    sqs_provider.CloudwatchPublishWorker.publish_approximate_cloudwatch_metrics = _with_ages(
        sqs_provider.CloudwatchPublishWorker.publish_approximate_cloudwatch_metrics
    )
    redrive.install()
    s3_events.install(settings.read().s3_events)
    EsmWorkerFactory.get_esm_worker = _choosing_worker(EsmWorkerFactory.get_esm_worker)
    lambda_provider = provider.LambdaProvider
    lambda_provider.validate_event_source_mapping = _checking_sqs_source(lambda_provider.validate_event_source_mapping)


def _create_image_code(image_uri: str) -> ImageCode:
    """LocalStack asks Docker for the image's digest; ours are registered in a file."""
    try:
        image = images.look_up(image_uri, settings.read().images_file)
    except images.ImageNotRegistered as error:
        raise InvalidParameterValueException(str(error), Type="User") from error
    return ImageCode(image_uri=image_uri, code_sha256=image.digest, repository_type="ECR")


def _count_invocation(function_name: str, account_id: str, region_name: str) -> None:
    """LocalStack calls CloudWatch for each; we count (see `metrics`)."""
    cloudwatch.count_function(VersionIdentifier(function_name, "", region_name, account_id), "Invocations")


def _count_error(function_name: str, account_id: str, region_name: str) -> None:
    function = VersionIdentifier(function_name, "", region_name, account_id)
    cloudwatch.count_function(function, "Invocations")
    cloudwatch.count_function(function, "Errors")


def _counting_throttles(original: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack publishes no Throttles metric, and takes the account's limit for the function's (Invoke: Reason)."""

    @contextlib.contextmanager
    def get_invocation_lease(self: Any, function: Any, function_version: FunctionVersion) -> Iterator[Any]:
        lease = original(self, function, function_version)
        try:
            initialization_type = lease.__enter__()
        except TooManyRequestsException as refusal:
            if function is None or function.reserved_concurrent_executions is None:
                refusal.Reason = "ConcurrentInvocationLimitExceeded"  # type: ignore[assignment] - a string at run time
            cloudwatch.count_function(function_version.id, "Throttles")
            raise
        with contextlib.ExitStack() as stack:
            stack.push(lease.__exit__)
            yield initialization_type

    return get_invocation_lease


def _count_queue_metric(
    _self: Any, account_id: str, region: str, queue_name: str, metric: str, value: float = 1, unit: str = "Count"
) -> None:
    cloudwatch.count_queue(account_id, region, queue_name, metric, value, unit)


def _with_ages(original: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack's list of queue metrics lacks ApproximateAgeOfOldestMessage (a TODO there)."""

    def publish_approximate_cloudwatch_metrics(self: sqs_provider.CloudwatchPublishWorker) -> None:
        original(self)
        now_s = time.time()
        for account, region, store in sqs_stores.iter_stores():
            for queue in list(store.queues.values()):
                age_s = cloudwatch.oldest_message_age_s(queue, now_s)
                cloudwatch.count_queue(account, region, queue.name, "ApproximateAgeOfOldestMessage", age_s, "Seconds")

    return publish_approximate_cloudwatch_metrics


def _choosing_worker(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_esm_worker(self: EsmWorkerFactory) -> Any:
        from harness.localstack.poller import SqsEventSourceWorker

        source_arn = self.esm_config.get("EventSourceArn", "")
        if source_arn and parse_arn(source_arn)["service"] == "sqs":
            return SqsEventSourceWorker(self.esm_config, self.enabled)
        return original(self)

    return get_esm_worker


def _checking_sqs_source(original: Callable[..., Any]) -> Callable[..., Any]:
    # imported here: it needs SQS's own modules, as the worker does
    from harness.localstack import event_source_request

    return event_source_request.checked(original)
