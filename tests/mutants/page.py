"""Writes docs/mutants.md from the mutants themselves: `python -m tests.mutants.page`."""

from pathlib import Path

from tests.mutants import handlers, handlers_with_state, merges, pipelines  # noqa: F401 - they register the mutants
from tests.mutants.mutant import MUTANTS

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
_HEAD = """# Mutants

A green verdict means something only if wrong pipelines are convicted. Each line is a handler, a merge or a pipeline
description with one bug that people have really made; `tests/mutants/` runs each on the embedded stack, and the
correct pipeline through the same scenario, which must be acquitted. Written by `python -m tests.mutants.page`; a test
compares.

| mutant | part | the bug | scenario | convicted by | which says |
|---|---|---|---|---|---|
"""

_REFUSED_HEAD = """
## Refused before a run

Descriptions that AWS would refuse, or that can never work, are a usage error (exit code 2) instead of a verdict. What a
description cannot say at all, such as a queue without a dead letter queue, `harness advise --deployed` finds.

| the bug | in pipeline.toml | the error says |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [
        f"| `{mutant.name}` | {mutant.part} | {mutant.bug} | `{mutant.scenario}` | `{mutant.check}` "
        f"| “… {' … '.join(mutant.says)} …” |\n"
        for mutant in MUTANTS
    ]
    refused = [f"| {one.bug} | `{one.new.strip()}` | “… {one.says} …” |\n" for one in pipelines.REFUSED]
    return _HEAD + "".join(rows) + _REFUSED_HEAD + "".join(refused)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
