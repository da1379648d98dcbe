"""What a function is told of the chain of requests that led to it."""

from typing import Any

import pytest

from tests.contract.localstack.conftest import Function

RECORDED = "answer recorded on AWS 2025-11-24 (LocalStack test_lambda_integration_xray.validation.json)"
ROOT = "Root=1-3152b799-8954dae64eda91bc9a23a7e8"


@pytest.mark.documented(RECORDED)
def test_the_callers_trace_goes_on_in_the_function(function: Function) -> None:
    functions = function.aws.client("lambda")

    def add_header(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = f"{ROOT};Parent=7fa8c0f79203be72;Sampled=1"

    functions.meta.events.register("before-send.lambda.Invoke", add_header)
    answer = functions.invoke(FunctionName=function.name, Payload=b'{"do": "context"}')
    assert f'"{ROOT};' in answer["Payload"].read().decode()
    # an invoke without a header begins another trace
    assert not function.invoke(do="context").payload["trace_id"].startswith(ROOT)
