"""Who may call a function's URL."""

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Callable

import pytest

from tests.contract.localstack.conftest import Aws, Function

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


def _call(aws: Aws, url: str) -> tuple[int, dict[str, str]]:
    """Status and body; an emulator is asked at its own address, as names below its domain need not resolve here."""
    host = urllib.parse.urlsplit(url).netloc
    connection: http.client.HTTPConnection
    if aws.url:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(aws.url).netloc, timeout=30)
    else:
        connection = http.client.HTTPSConnection(host, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", "/", body="{}", headers={"Host": host, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.mark.documented("answer recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json)")
def test_a_url_is_forbidden_until_the_policy_allows_it(aws: Aws, make_function: Callable[..., Function]) -> None:
    function = make_function("def handler(event, context):\n    return {'said': event['body']}\n")
    url = aws.functions.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
    assert _call(aws, url) == (403, {"Message": FORBIDDEN})
    aws.functions.add_permission(
        FunctionName=function.name, StatementId="all", Action="lambda:InvokeFunctionUrl", Principal="*",
        FunctionUrlAuthType="NONE",
    )  # fmt: skip
    assert _call(aws, url) == (200, {"said": "{}"})
    aws.functions.remove_permission(FunctionName=function.name, StatementId="all")
    assert _call(aws, url)[0] == 403
