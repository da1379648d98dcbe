"""Invoking a function from inside the emulator, without the detour over HTTP.

In: a function ARN and a payload. Out: what the function answered. Everything Lambda's Invoke does below the HTTP layer
happens: concurrency, versions and aliases, logs and metrics.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from localstack.aws.api import ServiceException
from localstack.aws.api.lambda_ import InvocationType, TooManyRequestsException
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.strings import long_uid
from localstack.utils.xray.trace_header import TraceHeader

from harness.localstack import assignments, lineage


class Throttled(Exception):
    """No concurrency was left for the invoke."""


class NotInvoked(Exception):
    """The function cannot be invoked: it is gone, pending or failed."""


@dataclass(frozen=True)
class Answer:
    """A function's answer."""

    payload: bytes
    is_error: bool


def invoke(
    function_arn: str, payload: bytes, trace_headers: Iterable[str | None] = (), waits_until_s: float = math.inf
) -> Answer:
    """Invoke synchronously; `trace_headers` are those of the messages in the payload, whose chains of requests go on.

    waits_until_s: how long to wait for this machine to have a place for it, on `time.monotonic`'s clock.

    Raises:
        Throttled: the function's or the account's concurrency is used up, or this machine's was until then.
        NotInvoked: any other reason it was not run.
    """
    name, qualifier, account, region = function_locators_from_arn(function_arn)
    service = SERVICE_PLUGINS.require("lambda")._provider.lambda_service
    header = TraceHeader(lineage=lineage.write(lineage.of_headers(trace_headers)))
    patience = assignments.WAITS_UNTIL_S.set(waits_until_s)
    try:
        result = service.invoke(
            function_name=name,
            qualifier=qualifier,
            region=region,
            account_id=account,
            invocation_type=InvocationType.RequestResponse,
            client_context=None,
            request_id=long_uid(),
            payload=payload,
            trace_context={"aws_trace_header": header.ensure_root_exists()},
        )
    except TooManyRequestsException as error:
        raise Throttled(str(error)) from error
    except ServiceException as error:
        raise NotInvoked(str(error)) from error
    finally:
        assignments.WAITS_UNTIL_S.reset(patience)
    return Answer(result.payload or b"", result.is_error)
