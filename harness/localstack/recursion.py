"""Recursive loops: a function that a chain of requests has invoked 16 times is not invoked by it again.

In: what LocalStack invokes. Out: invocations that carry on the count of their chain, or are stopped: Invoke is refused,
an asynchronous event goes to the dead letter queue and the failure destination, and a message stays in its queue until
its redrive policy moves it. Functions whose recursion configuration is Allow are not stopped. Sources: "Use Lambda
recursive loop detection to prevent infinite loops", Invoke (API reference), and the AWS Compute Blog, "Detecting and
stopping recursive loops in AWS Lambda functions".
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from localstack.aws.api.lambda_ import InvocationType, RecursiveInvocationException, RecursiveLoop
from localstack.services.lambda_.api_utils import function_locators_from_arn, unqualified_lambda_arn
from localstack.services.lambda_.invocation import event_manager, lambda_service
from localstack.services.lambda_.invocation.lambda_models import InvocationResult, VersionIdentifier
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.utils.xray.trace_header import TraceHeader

from harness.localstack import cloudwatch, lineage

LOG = logging.getLogger(__name__)

INVOCATIONS_MAX = 16
"""Lambda stops the next invocation after "approximately 16 times"."""
MESSAGE = (
    "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and "
    "stopped your function's invocation."
)
"""RecursiveInvocationException in the API reference of Invoke."""


def install() -> None:
    """Count, and stop, what is invoked by the API and asynchronously; SQS is the poller's."""
    service, manager = lambda_service.LambdaService, event_manager.LambdaEventManager
    service.invoke = _counting(service.invoke)
    manager.enqueue_event = _stopping(manager.enqueue_event)


def stops(trace_header: str | None, function_arn: str) -> bool:
    """Whether a message with this trace header may not invoke the function any more; each is counted that may not."""
    if not trace_header:
        return False
    name, _, account, region = function_locators_from_arn(function_arn)
    counts = lineage.of_headers([trace_header])
    return _is_over(lineage.with_one_more(counts, unqualified_lambda_arn(name, account, region)), name, account, region)


def _is_over(counts: lineage.Counts, name: str, account: str, region: str) -> bool:
    """Whether the invocation that these counts include is one too many."""
    if counts[lineage.key(unqualified_lambda_arn(name, account, region))] < INVOCATIONS_MAX:
        return False
    function = lambda_stores[account][region].functions.get(name)
    if function is None or function.recursive_loop == RecursiveLoop.Allow:
        return False
    LOG.warning("function %s is invoked in a recursive loop: stopped after %d invocations", name, INVOCATIONS_MAX)
    cloudwatch.count_function(VersionIdentifier(name, "", region, account), "RecursiveInvocationsDropped")
    return True


def _counting(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(self: Any, *arguments: Any, **options: Any) -> Any:
        name, account, region = (options[part] for part in ("function_name", "account_id", "region"))
        context = options.get("trace_context") or {}
        before = context.get("aws_trace_header") or TraceHeader().ensure_root_exists()
        counts = lineage.with_one_more(lineage.read(before.lineage), unqualified_lambda_arn(name, account, region))
        is_event = options.get("invocation_type") == InvocationType.Event
        if not is_event and _is_over(counts, name, account, region):
            raise RecursiveInvocationException(MESSAGE, Type="User")
        header = TraceHeader(before.root, before.parent, before.sampled, before.data, lineage.write(counts))
        return original(self, *arguments, **options | {"trace_context": {**context, "aws_trace_header": header}})

    return invoke


def _stopping(original: Callable[..., Any]) -> Callable[..., Any]:
    def enqueue_event(self: event_manager.LambdaEventManager, invocation: Any) -> None:
        name, _, account, region = function_locators_from_arn(invocation.invoked_arn)
        if not _is_over(lineage.read(invocation.trace_context["aws_trace_header"].lineage), name, account, region):
            original(self, invocation)
            return
        version = self.version_manager
        settings = version.function.event_invoke_configs.get(version.function_version.id.qualifier)
        answer = json.dumps({"errorMessage": MESSAGE, "errorType": RecursiveInvocationException.code}).encode()
        result = InvocationResult(invocation.request_id, answer, is_error=True, logs=None)
        event = event_manager.SQSInvocation(invocation)
        if self.poller:
            # how the destination's record calls the condition is not published: a model
            self.poller.process_failure_destination(event, result, settings, "RecursiveInvocation")
            self.poller.process_dead_letter_queue(event, result)

    return enqueue_event
