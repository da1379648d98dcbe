"""Every place where a piece of LocalStack is replaced at run time, with the reason.

In: nothing. Out: LocalStack's modules changed in place. Written against 4.13.1; each replacement keeps the signature of
what it replaces.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_ import provider
from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory
from localstack.services.lambda_.invocation import assignment
from localstack.services.lambda_.invocation.lambda_models import ImageCode
from localstack.services.lambda_.provider_utils import get_function_version_from_arn
from localstack.utils.aws.arns import parse_arn

from harness.localstack import images, settings


def for_executor() -> None:
    """What functions as processes need."""
    provider.create_image_code = _create_image_code
    assignment.AssignmentService.get_environment = _snapshotting(assignment.AssignmentService.get_environment)


def for_poller() -> None:
    """Our worker for SQS mappings, and the check AWS makes when one is created."""
    EsmWorkerFactory.get_esm_worker = _choosing_worker(EsmWorkerFactory.get_esm_worker)
    provider.LambdaProvider.validate_event_source_mapping = _checking_visibility(
        provider.LambdaProvider.validate_event_source_mapping
    )


def _create_image_code(image_uri: str) -> ImageCode:
    """LocalStack asks Docker for the image's digest; ours are registered in a file."""
    try:
        image = images.look_up(image_uri, settings.read().images_file)
    except images.ImageNotRegistered as error:
        raise InvalidParameterValueException(str(error), Type="User") from error
    return ImageCode(image_uri=image_uri, code_sha256=image.digest, repository_type="ECR")


class _Snapshot(dict[str, Any]):
    """A dictionary whose values can be walked while another thread adds one.

    AssignmentService.get_environment walks the environments of a version lazily; with concurrent cold starts it fails
    with "dictionary changed size during iteration".
    """

    def values(self) -> Any:
        return list(super().values())


def _snapshotting(original: Callable[..., Any]) -> Callable[..., Any]:
    @contextlib.contextmanager
    def get_environment(
        self: assignment.AssignmentService, version_manager_id: str, function_version: Any, provisioning_type: Any
    ) -> Iterator[Any]:
        if version_manager_id not in self.environments:
            self.environments.setdefault(version_manager_id, _Snapshot())
        with original(self, version_manager_id, function_version, provisioning_type) as environment:
            yield environment

    return get_environment


def _choosing_worker(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_esm_worker(self: EsmWorkerFactory) -> Any:
        from harness.localstack.poller import SqsEventSourceWorker

        source_arn = self.esm_config.get("EventSourceArn", "")
        if source_arn and parse_arn(source_arn)["service"] == "sqs":
            return SqsEventSourceWorker(self.esm_config, self.enabled)
        return original(self)

    return get_esm_worker


def _checking_visibility(original: Callable[..., Any]) -> Callable[..., Any]:
    """AWS refuses a mapping whose queue shows messages again before the function's timeout has passed."""

    def validate_event_source_mapping(self: provider.LambdaProvider, context: Any, request: Any) -> Any:
        from harness.localstack.sqs_source import SqsSource

        result = original(self, context, request)
        source_arn = request.get("EventSourceArn", "")
        if source_arn and parse_arn(source_arn)["service"] == "sqs":
            visibility_s = SqsSource(source_arn).visibility_timeout_s()
            timeout_s = get_function_version_from_arn(result[0]).config.timeout
            if visibility_s < timeout_s:
                raise InvalidParameterValueException(
                    f"Queue visibility timeout: {visibility_s} seconds "
                    f"is less than Function timeout: {timeout_s} seconds",
                    Type="User",
                )
        return result

    return validate_event_source_mapping
