"""Requests and answers as botocore's own description of each service says they are.

In: the body of a request; the value of an answer. Out: checked parameters; bytes. So a shape is written down nowhere
here: what boto3 can send is what can be read, and a mistake in it is a ValidationException. Knows no operation.
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from harness.redshift.data_api.errors import ApiError, validation_error

REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@cache
def service(name: str) -> ServiceModel:
    """botocore's model of a service; reading it takes some milliseconds, once."""
    return botocore.session.get_session().get_service_model(name)


def read_json(body: bytes, operation: OperationModel) -> dict[str, Any]:
    """The parameters of a JSON 1.1 request.

    Raises:
        ApiError: SerializationException if it is no JSON object, ValidationException if it breaks the service's model.
    """
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"the body is no JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise ApiError("SerializationException", "the body is no JSON object")
    return _checked(parameters, operation)


def read_query(body: bytes, operation: OperationModel) -> dict[str, Any]:
    """The parameters of a Query request; lists are of texts, as no operation here has others."""
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    shape, parameters = _structure(operation.input_shape), dict[str, Any]()
    for name, value in fields.items():
        name, _, item = name.partition(".")
        member = shape.members.get(name)
        if member is not None and item:
            parameters.setdefault(name, []).append(value)
        elif member is not None:
            parameters[name] = _from_text(member, value)
    return _checked(parameters, operation)


def _from_text(shape: Shape, value: str) -> Any:
    if shape.type_name == "integer":
        return int(value) if re.fullmatch(r"-?\d{1,18}", value) else value
    if shape.type_name == "boolean":
        return value.lower() == "true"
    if shape.type_name == "list" and not value:
        return []  # how an SDK sends an empty list
    return value


def _structure(shape: Any) -> StructureShape:
    assert isinstance(shape, StructureShape)
    return shape


def _checked(parameters: dict[str, Any], operation: OperationModel) -> dict[str, Any]:
    shape = _structure(operation.input_shape)
    known = {name: value for name, value in parameters.items() if name in shape.members and value is not None}
    report = ParamValidator().validate(known, shape)
    if report.has_errors():
        raise validation_error(report.generate_report())
    problems = list(_broken_constraints(known, shape, ""))
    if problems:
        found = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise validation_error(found + "; ".join(problems))
    return known


def _broken_constraints(value: Any, shape: Shape, where: str) -> "list[str]":
    """What botocore leaves to the service: patterns, enumerations and greatest lengths."""
    if isinstance(shape, StructureShape):
        return [
            problem
            for name, member in shape.members.items()
            if isinstance(value, Mapping) and value.get(name) is not None
            for problem in _broken_constraints(value[name], member, f"{where}.{name}" if where else name)
        ]
    if isinstance(shape, ListShape):
        nested = [problem for item in value for problem in _broken_constraints(item, shape.member, where)]
        return [*_broken_limits(len(value), len(value), shape, where), *nested]
    if shape.type_name == "string":
        return _broken_text(value, shape, where)
    if shape.type_name in ("integer", "long"):
        return _broken_limits(value, value, shape, where)
    return []


def _broken_text(value: str, shape: Shape, where: str) -> list[str]:
    said = f"Value '{value[:100]}' at '{where}' failed to satisfy constraint: Member must satisfy "
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        return [f"{said}enum value set: [{', '.join(allowed)}]"]
    if pattern and not re.fullmatch(pattern, value):
        return [f"{said}regular expression pattern: {pattern}"]
    return _broken_limits(len(value), value[:100], shape, where)


def _broken_limits(size: int, value: object, shape: Shape, where: str) -> list[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    said = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must"
    if least is not None and size < least:
        return [f"{said} be at least {least}"]
    return [f"{said} be at most {most}"] if most is not None and size > most else []


def write_json(answer: Mapping[str, Any]) -> bytes:
    """An answer in JSON 1.1: what is None is left out, times are seconds, bytes are base64."""
    return json.dumps(_without_none(answer), default=_as_json, ensure_ascii=False).encode()


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(member) for name, member in value.items() if member is not None}
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")


def write_query(answer: Mapping[str, Any], operation: OperationModel) -> bytes:
    """An answer of the Query protocol: XML with one element a member, and one for each item of a list."""
    root = ElementTree.Element(f"{operation.name}Response", xmlns=operation.service_model.metadata["xmlNamespace"])
    result = ElementTree.SubElement(root, f"{operation.name}Result")
    _add_members(result, answer, _structure(operation.output_shape))
    ElementTree.SubElement(ElementTree.SubElement(root, "ResponseMetadata"), "RequestId").text = REQUEST_ID
    return bytes(ElementTree.tostring(root))


def _add_members(parent: ElementTree.Element, value: Mapping[str, Any], shape: StructureShape) -> None:
    for name, member in value.items():
        _fill(ElementTree.SubElement(parent, name), member, shape.members[name])


def _fill(element: ElementTree.Element, value: Any, shape: Shape) -> None:
    if isinstance(shape, StructureShape):
        _add_members(element, value, shape)
    elif isinstance(shape, ListShape):
        for item in value:
            _fill(ElementTree.SubElement(element, shape.member.serialization.get("name", "member")), item, shape.member)
    elif isinstance(value, datetime):
        element.text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    else:
        element.text = str(value)


def write_query_error(error: ApiError) -> bytes:
    root = ElementTree.Element("ErrorResponse")
    parts = ElementTree.SubElement(root, "Error")
    for name, value in (("Type", "Sender"), ("Code", error.code), ("Message", error.message)):
        ElementTree.SubElement(parts, name).text = value
    ElementTree.SubElement(root, "RequestId").text = REQUEST_ID
    return bytes(ElementTree.tostring(root))
