"""Who may call a function's URL: nobody, until the function's policy says so.

In: a call of a URL whose AuthType is NONE. Out: LocalStack's answer, or AWS's refusal, as recorded on AWS 2025-11-24
(LocalStack test_lambda.snapshot.json, test_lambda_permission_url_invocation). Signatures of AWS_IAM are not looked at.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from localstack.aws.api.lambda_ import FunctionUrlAuthType
from localstack.http import Request, Response
from localstack.services.lambda_.invocation.models import lambda_stores

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
ACTION = "lambda:InvokeFunctionUrl"


def checked(original: Callable[..., Response]) -> Callable[..., Response]:
    """LocalStack's own handler of such calls, for those that are allowed."""

    def handle_lambda_url_invocation(
        self: Any, request: Request, api_id: str, region: str, **url_params: str
    ) -> Response:
        if _is_open_to_all(api_id, region):
            return original(self, request, api_id, region, **url_params)
        refusal = Response(json.dumps({"Message": FORBIDDEN}), HTTPStatus.FORBIDDEN, mimetype="application/json")
        refusal.headers["x-amzn-ErrorType"] = "AccessDeniedException"
        return refusal

    return handle_lambda_url_invocation


def _is_open_to_all(api_id: str, region: str) -> bool:
    for account in list(lambda_stores):
        for function in list(lambda_stores[account][region].functions.values()):
            for qualifier, configured in list(function.function_url_configs.items()):
                if configured.url_id.lower() == api_id.lower():
                    if configured.auth_type != FunctionUrlAuthType.NONE:
                        return True
                    granted = function.permissions.get(qualifier)
                    return bool(granted) and any(map(_opens, granted.policy.Statement))
    return True  # there is no such URL: LocalStack says so


def _opens(statement: dict[str, Any]) -> bool:
    return bool(statement["Action"] in (ACTION, "lambda:*") and statement["Principal"] == "*")
