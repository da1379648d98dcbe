"""Which environment an invoke gets: one of its function's that is free, else a start of its own once the machine can.

LocalStack gives an invoke a new environment as soon as none is free, and it waits for that one however long it takes to
start. On a machine that starts a few at a time, a thousand messages then make a thousand cold starts, one after the
other, while environments that are ready end unused. In: an invoke's version. Out: its environment, reserved.
"""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import cache
from typing import Any

from localstack.aws.api.lambda_ import ServiceException, TooManyRequestsException
from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import (
    ExecutionEnvironment,
    InvalidStatusException,
    RuntimeStatus,
)
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType

from harness.localstack import settings
from harness.localstack.capacity import Admission, Capacity, Closed, TooLate, Turn

LOG = logging.getLogger(__name__)


WAITS_UNTIL_S: ContextVar[float] = ContextVar("waits_until_s", default=math.inf)
"""How long the invoke that is made in this context waits for the machine, on `time.monotonic`'s clock."""


@cache
def capacity() -> Capacity:
    """What this machine may hold and start, for all environments of one emulator."""
    configured = settings.read()
    return Capacity(configured.max_environments, configured.max_starts)


def on_demand(original: Callable[..., Any]) -> Callable[..., Any]:
    """AssignmentService.get_environment, which serves on-demand invokes so."""

    @contextlib.contextmanager
    def get_environment(
        self: AssignmentService, version_manager_id: str, function_version: FunctionVersion, kind: InitializationType
    ) -> Iterator[ExecutionEnvironment]:
        if kind != InitializationType.on_demand:
            with original(self, version_manager_id, function_version, kind) as reserved:
                yield reserved
            return
        began = time.monotonic()
        reserved, turn = _reserve(self, version_manager_id, function_version)
        try:
            if time.monotonic() >= WAITS_UNTIL_S.get():  # what it was given was long in coming
                reserved.release()
                raise _too_late()
            reserved.runtime_executor.admission = Admission(turn, time.monotonic() - began)
            with _given_back(self, reserved):
                yield reserved
        finally:
            if turn:
                turn.over()
            capacity().freed(version_manager_id)

    return get_environment


def _reserve(
    service: AssignmentService, version_manager_id: str, version: FunctionVersion
) -> tuple[ExecutionEnvironment, Turn | None]:
    environments = service.environments[version_manager_id]

    def has_own() -> bool:
        return any(one.runtime_executor.is_warm for one in _on_demand(environments.values()))

    def is_free() -> bool:
        return any(map(_is_free, _on_demand(environments.values())))

    if not capacity().waits(version_manager_id) and (free := _take(environments.values(), warm=True)):
        return free, None
    waited_before = False
    while True:
        try:
            turn = capacity().turn_unless_freed(
                version_manager_id, has_own, is_free, first=waited_before, until_s=WAITS_UNTIL_S.get()
            )
        except Closed as closed:
            raise ServiceException("the emulator ends") from closed
        except TooLate as too_late:
            raise _too_late() from too_late
        if free := _take(environments.values(), warm=True):
            if turn:
                turn.over()
            return free, None
        if turn:
            break
        waited_before = True
    try:
        if not (cold := _take(environments.values(), warm=False)):
            cold = service.start_environment(version_manager_id, version)
            environments[cold.id] = cold
            cold.reserve()
    except BaseException:
        turn.over()
        raise
    return cold, turn


def _too_late() -> TooManyRequestsException:
    return TooManyRequestsException("this machine had no place for it in time", Type="User")


def _on_demand(environments: Iterable[ExecutionEnvironment]) -> Iterator[ExecutionEnvironment]:
    return (one for one in environments if one.initialization_type == InitializationType.on_demand)


def _is_free(one: ExecutionEnvironment, *, warm: bool = True) -> bool:
    return one.status == RuntimeStatus.READY and one.runtime_executor.is_warm is warm


def _take(environments: Iterable[ExecutionEnvironment], *, warm: bool) -> ExecutionEnvironment | None:
    """One that is ready, reserved; with its process, or without."""
    for one in _on_demand(environments):
        if _is_free(one, warm=warm):
            with contextlib.suppress(InvalidStatusException):  # somebody was faster
                one.reserve()
                return one
    return None


@contextlib.contextmanager
def _given_back(service: AssignmentService, reserved: ExecutionEnvironment) -> Iterator[None]:
    """As LocalStack does it: ready for the next invoke, or stopped if this one failed to be made."""
    try:
        yield
        reserved.release()
    except InvalidStatusException:
        LOG.exception("environment %s", reserved.id)
    except Exception:
        service.stop_environment(reserved)
        raise
