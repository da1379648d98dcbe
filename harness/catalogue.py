"""The scenarios there are, found by their modules' names."""

import importlib
import pkgutil

import scenarios
from harness.errors import UsageError
from harness.scenario import Scenario


def names() -> list[str]:
    """Every scenario's name, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))


def scenario(name: str) -> Scenario:
    """The scenario of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in names():
        raise UsageError(f"{name!r} is not a scenario; there are {', '.join(names())}")
    found = importlib.import_module(f"scenarios.{name}").scenario
    if not isinstance(found, Scenario):
        raise UsageError(f"scenarios/{name}.py: `scenario` is not a Scenario")
    return found
