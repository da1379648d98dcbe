"""docs/fidelity.md against the tests that write it."""

from pathlib import Path

import pytest

from tests.contract.localstack.conftest import PAGE, behaviour_of
from tests.contract.localstack.fidelity import Behaviour, read


def _without_line(behaviours: set[Behaviour], page: set[Behaviour]) -> list[str]:
    return sorted(behaviour.what for behaviour in behaviours - page)


def test_every_behaviour_has_its_line(request: pytest.FixtureRequest) -> None:
    here = Path(__file__).parent
    tested = {
        behaviour_of(item)
        for item in request.session.items
        if here in item.path.parents and item.get_closest_marker("documented")
    }
    missing = _without_line(tested, set(read(PAGE)[1]))
    assert not missing, "run the contract tests with NRT_FIDELITY=embedded, and once more against MiniStack"


def test_a_behaviour_without_a_line_is_named() -> None:
    known, new = Behaviour("Invoke", "old", "page"), Behaviour("Invoke", "new", "page")
    assert _without_line({known, new}, {known}) == ["new"]
