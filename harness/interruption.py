"""Ctrl-C and SIGTERM, by which people and CI systems end a command: the same from its first moment to its last.

In: signals. Out: KeyboardInterrupt, or the end of the process while there is nothing yet to clean up. Imports nothing
of ours: what it guards first are the imports.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import NoReturn

WORDS = "harness: interrupted"
NOTHING_TO_JUDGE = "stopped before the run had begun: there is nothing to judge"
EXIT_CODE = 3
"""`harness.errors.ExitCode.INCONCLUSIVE`."""

_seen: list[int] = []


def seen() -> bool:
    """Whether this process was interrupted. An interruption may become another error on its way: a module that is being
    imported tells of it as an import that failed."""
    return bool(_seen)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    _seen.append(number)
    raise KeyboardInterrupt


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, f"{WORDS}\n".encode())
    os._exit(EXIT_CODE)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], NoReturn]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, was in before.items():
        if was is not signal.SIG_IGN:  # a shell has its background jobs ignore Ctrl-C
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
        # Of a KeyboardInterrupt in code that it runs from a string, as where a namedtuple is made in an import, Python
        # remembers that nobody handled it, and at its end dies of SIGINT whatever the exit code, until it runs another.
        exec("")


def ends() -> AbstractContextManager[None]:
    """Nothing has begun that would have to be undone: either signal ends the process at once, as interrupted."""
    return _handled(_end)


def raises() -> AbstractContextManager[None]:
    """Either signal is a KeyboardInterrupt."""
    return _handled(_interrupt)
