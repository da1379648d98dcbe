"""Refusals of S3, SQS and Lambda on demand, in the shape in which AWS refuses.

In: `PUT /_localstack/nrt/faults` with {"rules": [a `Rule`, …]}, which replaces the rules there are. Out: error answers
instead of the operation, serialised by the service's own protocol; `GET` tells how many calls each rule saw and
refused. Whether the n-th call that a rule sees is refused comes from its seed alone. What the harness itself asks for
is left alone: its clients say who they are in the User-Agent.
"""

import json
import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.chain import HandlerChain
from localstack.aws.handlers import serve_custom_service_request_handlers
from localstack.http import Request, Resource, Response
from localstack.services.internal import get_internal_apis

PATH = "/_localstack/nrt/faults"
HARNESS_USER_AGENT = "nrt-harness"


@dataclass(frozen=True)
class Rule:
    """`rate` of the calls of one operation are refused with this error. `resource` narrows it to those whose key, queue
    or function begins with it."""

    service: str
    operation: str
    code: str
    message: str
    status: int
    rate: float
    seed: int = 1
    resource: str = ""


@dataclass
class _State:
    """A rule at work."""

    rule: Rule
    dice: random.Random
    seen: int = 0
    refused: int = 0

    def is_for(self, service: str, operation: str, resource: str) -> bool:
        rule = self.rule
        return (rule.service, rule.operation) == (service, operation) and resource.startswith(rule.resource)


def _new(rule: Rule) -> _State:
    return _State(rule, random.Random(f"{rule.seed} {rule.operation}"))


@dataclass
class _Rules:
    states: list[_State] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def replace(self, rules: list[Rule]) -> None:
        """Put these rules in place of those there are; one that stays goes on where it was."""
        with self.lock:
            kept = {state.rule: state for state in self.states}
            self.states = [kept.get(rule) or _new(rule) for rule in rules]

    def counts(self) -> list[dict[str, Any]]:
        with self.lock:
            return [asdict(state.rule) | {"seen": state.seen, "refused": state.refused} for state in self.states]

    def refusal(self, service: str, operation: str, resource: str) -> Rule | None:
        """The rule that refuses this call, if one does."""
        with self.lock:
            for state in self.states:
                if state.is_for(service, operation, resource):
                    state.seen += 1
                    if state.dice.random() < state.rule.rate:
                        state.refused += 1
                        return state.rule
        return None


_rules = _Rules()


def refuse(service: str, operation: str, resource: str) -> None:
    """Raise the error of the rule that refuses this call, if one does.

    Raises:
        CommonServiceException: as AWS would answer.
    """
    if _rules.states and (rule := _rules.refusal(service, operation, resource)):
        raise CommonServiceException(rule.code, rule.message, rule.status)


class _Faults:
    """The address under which rules are set and counted."""

    def on_get(self, _request: Request) -> Response:
        return _json({"rules": _rules.counts()})

    def on_put(self, request: Request) -> Response:
        try:
            rules = [Rule(**rule) for rule in json.loads(request.get_data())["rules"]]
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, status=400)
        _rules.replace(rules)
        return _json({})


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")


def _refuse_request(_chain: HandlerChain, context: RequestContext, _response: Response) -> None:
    if not _rules.states or context.service is None or context.operation is None:
        return
    if HARNESS_USER_AGENT in context.request.headers.get("User-Agent", ""):
        return
    refuse(context.service.service_name, context.operation.name, _resource_of(context.service_request or {}))


def _resource_of(request: Any) -> str:
    """The S3 key, the queue's name or the function's name that a request is about."""
    return str(request.get("Key") or request.get("QueueUrl", "").rpartition("/")[2] or request.get("FunctionName", ""))


def install() -> None:
    """Put the handler into LocalStack's chain, and the address beside its own."""
    serve_custom_service_request_handlers.append(_refuse_request)
    get_internal_apis().add(Resource(PATH, _Faults()))
