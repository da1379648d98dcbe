"""What a mutant is: a handler, a merge or a pipeline description with one realistic bug, and what must convict it.

In: the decorator on each mutant. Out: values of `Mutant`, which the trials run and docs/mutants.md lists. The handlers
are imported inside a function's environment, so this knows nothing of the harness.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Part = Literal["handler", "merge", "pipeline"]
_Bug = TypeVar("_Bug", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mutant:
    """One bug. `says` are parts of the sentence that convicts it; `quick` ones run in every `make test`."""

    part: Part
    function: Callable[..., Any]
    scenario: str
    check: str
    says: tuple[str, ...]
    quick: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def bug(self) -> str:
        """The bug in one sentence: the first line of its docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


@dataclass(frozen=True)
class Refused:
    """A bug in pipeline.toml that is found before anything runs: `old` is replaced by `new`, the error holds `says`."""

    bug: str
    old: str
    new: str
    says: str


MUTANTS: list[Mutant] = []


def mutant(
    part: Part, scenario: str, check: str, *says: str, quick: bool = False, **settings: Any
) -> Callable[[_Bug], _Bug]:
    """Register the decorated function as a mutant; `settings` change the pipeline, as `queue={"batch_size": 5}`."""

    def register(function: _Bug) -> _Bug:
        MUTANTS.append(Mutant(part, function, scenario, check, says, quick, settings))
        return function

    return register
