"""What AWS refuses of a request to Invoke, and LocalStack takes.

In: the request's parts. Out: nothing, or AWS's error. Sources: "Lambda quotas" (sizes), Invoke (API reference), and the
sentences as AWS answered: of bytes that are no JSON on 2025-11-24 (LocalStack test_lambda.snapshot.json,
test_lambda_invoke_payload_encoding_error), of a word that is none and of sizes in the issues of public projects
(alexcasalboni/aws-lambda-power-tuning 148, awslabs/aws-athena-query-federation 793, ASFHyP3/hyp3 2241).
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from localstack.aws.api.lambda_ import InvalidRequestContentException, InvocationType
from localstack.services.lambda_.invocation.lambda_models import RequestEntityTooLargeException

SYNCHRONOUS_MAX_BYTES = 6 * 1024 * 1024
ASYNCHRONOUS_MAX_BYTES = 1024 * 1024
VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
_BLANK = re.compile(rb"[ \t\r\n]*")
_WORD = re.compile(rb"[A-Za-z_$][\w$]*")


def checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack's own `invoke`, which sees only what AWS would let through."""

    def invoke(self: Any, *arguments: Any, **options: Any) -> Any:
        check(options.get("invocation_type"), options.get("client_context"), options.get("payload"))
        return original(self, *arguments, **options)

    return invoke


def check(invocation_type: str | None, encoded_context: str | None, payload: bytes | None) -> None:
    """Let a request pass.

    Raises:
        InvalidRequestContentException: the client context or the payload is not as it should be.
        RequestEntityTooLargeException: the payload is over the limit.
    """
    _check_size(invocation_type, len(payload or b""))
    try:
        client_context(encoded_context)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestContentException(
            "Client context must be a valid Base64-encoded JSON object.", Type="User"
        ) from error
    if payload and (problem := json_problem(payload)):
        raise InvalidRequestContentException(
            f"Could not parse request body into json: Could not parse payload into json: {problem}", Type="User"
        )


def client_context(encoded: str | None) -> str:
    """The JSON text that the runtime is given for what the caller of Invoke sent in base64.

    Raises:
        ValueError: it is not base64, or no JSON in it.
    """
    if not encoded or encoded == "{}":  # LocalStack's function URLs pass the latter as it is
        return ""
    text = base64.b64decode(encoded, validate=True).decode()
    json.loads(text)
    return text


def _check_size(invocation_type: str | None, size_bytes: int) -> None:
    if invocation_type == InvocationType.Event:
        if size_bytes > ASYNCHRONOUS_MAX_BYTES:
            raise RequestEntityTooLargeException(
                f"{size_bytes} byte payload is too large for the Event invocation type "
                f"(limit {ASYNCHRONOUS_MAX_BYTES} bytes)"
            )
    elif size_bytes > SYNCHRONOUS_MAX_BYTES:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {SYNCHRONOUS_MAX_BYTES} bytes for the InvokeFunction operation"
        )


def json_problem(payload: bytes) -> str | None:
    """Why a payload is no JSON, in the words of AWS's parser where they are known; None when it is."""
    try:
        json.loads(payload, parse_constant=_refuse)
    except ValueError as error:
        at = _BLANK.match(payload).end()  # type: ignore[union-attr]
        return _problem_at(payload, at) or _problem_told(payload, error)
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _problem_at(payload: bytes, at: int) -> str | None:
    """What is wrong with the first value; None when it begins as one may."""
    word = _WORD.match(payload, at)
    if word and word[0] not in (b"null", b"true", b"false"):
        end = word.end()
        if end < len(payload) and (0x80 <= payload[end] < 0xC0 or payload[end] >= 0xF8):
            return f"Invalid UTF-8 start byte 0x{payload[end]:x}\n at {_source(payload, end + 1)}"
        where = _source(payload, min(end + 1, len(payload)))
        return f"Unrecognized token '{word[0].decode()}': was expecting {VALUES}\n at {where}"
    if word or at == len(payload) or payload[at : at + 1] in b'{["-0123456789':
        return None
    code = payload[at]
    shown = f"'{chr(code)}' (code {code})" if 0x20 <= code < 0x7F else f"(CTRL-CHAR, code {code})"
    return f"Unexpected character ({shown}): expected a valid value {VALUES}\n at {_source(payload, at)}"


def _problem_told(payload: bytes, error: ValueError) -> str:
    """In Python's words: AWS's are not known."""
    at = error.pos if isinstance(error, json.JSONDecodeError) else 0
    return f"{error}\n at {_source(payload, at)}"


def _source(payload: bytes, offset: int) -> str:
    before = payload[:offset]
    return SOURCE.format(line=before.count(b"\n") + 1, column=offset - (before.rfind(b"\n") + 1) + 1)
