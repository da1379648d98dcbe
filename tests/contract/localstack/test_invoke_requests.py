"""What Invoke refuses, and how large an event may be."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localstack.conftest import Function, eventually

QUOTAS = "Lambda quotas"
RECORDED = "answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)"
VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
MB = 1024 * 1024


def _refusal(function: Function, payload: bytes, **settings: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        function.aws.functions.invoke(FunctionName=function.name, Payload=payload, **settings)
    answer: dict[str, Any] = refused.value.response
    return answer


@pytest.mark.documented(RECORDED)
@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87", id="not UTF-8"),
        pytest.param(
            b"\x99\xeb,j\x07\xa1zYh",
            f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value {VALUES}",
            id="no character",
        ),
        pytest.param(b"test data", f"Unrecognized token 'test': was expecting {VALUES}", id="a word"),
        pytest.param(b'{"a": 1', "", id="cut off"),
    ],
)
def test_a_payload_that_is_not_json_is_refused(function: Function, payload: bytes, problem: str) -> None:
    refusal = _refusal(function, payload)
    assert refusal["Error"]["Code"] == "InvalidRequestContentException"
    start = "Could not parse request body into json: Could not parse payload into json: "
    assert refusal["Error"]["Message"].startswith(start + problem)
    assert "line: 1, column: " in refusal["Error"]["Message"]
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.documented("Invoke (API reference)")
@pytest.mark.parametrize("payload", [b"null", b" [1]", b'"text"', b"1.5"], ids=["null", "list", "text", "number"])
def test_any_json_value_is_an_event(function: Function, payload: bytes) -> None:
    function.aws.functions.update_function_configuration(FunctionName=function.name, Handler="probe._echo")
    function.wait("LastUpdateStatus", "Successful")
    answer = function.aws.functions.invoke(FunctionName=function.name, Payload=payload)
    assert answer["Payload"].read().strip() == payload.strip()


@pytest.mark.documented(QUOTAS)
def test_a_request_over_6_mb_is_refused(function: Function) -> None:
    refusal = _refusal(function, b'"' + b"x" * 6 * MB + b'"')
    assert refusal["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refusal["Error"]["Message"] == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.documented(QUOTAS)
def test_an_asynchronous_event_is_of_1_mb_at_most(function: Function) -> None:
    size = MB - len('{"do": "print", "text": ""}') - 10
    event = b'{"do": "print", "text": "%s"}' % (b"x" * size)
    function.aws.functions.invoke(FunctionName=function.name, Payload=event, InvocationType="Event")
    eventually(lambda: any(line.startswith("REPORT") for line in function.logged()))
    refusal = _refusal(function, event + b" " * 40, InvocationType="Event")
    assert refusal["Error"]["Code"] == "RequestEntityTooLargeException"
    size_bytes = len(event) + 40
    assert (
        refusal["Error"]["Message"]
        == f"{size_bytes} byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    )
