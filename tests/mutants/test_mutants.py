"""Every mutant is convicted by the check that is to convict it; the correct pipeline is acquitted by all of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import catalogue
from harness.checks import Verdict
from harness.errors import UsageError
from harness.pipeline import Pipeline, load
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from tests.mutants import handlers, handlers_with_state, merges, pipelines  # noqa: F401 - they register the mutants
from tests.mutants.mutant import MUTANTS, Mutant, Refused
from tests.mutants.page import PAGE, page
from tests.mutants.trial import AS_THEY_ARE, ROOT, TYPE, run_trial, small_pipeline


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    with embedded(tmp_path_factory.mktemp("stack")) as endpoints:
        yield endpoints


def _marked(mutant: Mutant) -> Any:
    return pytest.param(mutant, id=mutant.name, marks=() if mutant.quick else (pytest.mark.slow,))


def _pipeline_of(mutant: Mutant, directory: Path) -> Pipeline:
    settings: dict[str, Any] = {name: dict(values) for name, values in mutant.settings.items()}
    if mutant.part == "handler":
        settings.setdefault("function", {})["handler"] = f"{mutant.function.__module__}.{mutant.name}"
    if mutant.part == "merge":
        script = directory / "merge_{type}.sql"
        correct = (ROOT / "handler" / "sql" / f"merge_{TYPE}.sql").read_text()
        (directory / f"merge_{TYPE}.sql").write_text(mutant.function(correct))
        settings.setdefault("merge", {})["sql"] = str(script)
    return small_pipeline(**settings)


@pytest.mark.parametrize("mutant", [_marked(mutant) for mutant in MUTANTS])
def test_the_mutant_is_convicted(mutant: Mutant, stack: Endpoints, tmp_path: Path) -> None:
    judgement = run_trial(mutant.scenario, _pipeline_of(mutant, tmp_path), stack, tmp_path / "run")
    results = {result.name: result for result in judgement.results}
    said = "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in judgement.results)
    assert judgement.verdict is Verdict.FAIL, said
    assert results[mutant.check].verdict is Verdict.FAIL, said
    for words in mutant.says:
        assert words in results[mutant.check].detail, said


_ACQUITTED = {(m.scenario, repr(m.settings)): m for m in MUTANTS if m.part != "pipeline"}
_ACQUITTED |= {(m.scenario, "{}"): replace(m, settings={}) for m in MUTANTS if m.part == "pipeline"}
# The correct pipeline goes through `poison` in tests/end_to_end/test_scenarios.py, too.
_QUICK = {m.scenario for m in MUTANTS if m.quick} - {"poison"}


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(
            mutant,
            id=f"{mutant.scenario}{'-in-batches' if mutant.settings else ''}",
            marks=() if mutant.scenario in _QUICK and not mutant.settings else (pytest.mark.slow,),
        )
        for mutant in _ACQUITTED.values()
    ],
)
def test_the_correct_pipeline_is_acquitted(mutant: Mutant, stack: Endpoints, tmp_path: Path) -> None:
    judgement = run_trial(mutant.scenario, small_pipeline(**mutant.settings), stack, tmp_path / "run")
    said = "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in judgement.results)
    assert judgement.verdict is Verdict.PASS, said


_CONVICTS_NOBODY = sorted(
    name
    for name in catalogue.names()
    if catalogue.scenario(name).faults and name not in {mutant.scenario for mutant in MUTANTS} | AS_THEY_ARE
)


@pytest.mark.slow
@pytest.mark.parametrize("name", _CONVICTS_NOBODY)
def test_a_fault_alone_convicts_nobody(name: str, stack: Endpoints, tmp_path: Path) -> None:
    judgement = run_trial(name, small_pipeline(), stack, tmp_path / "run")
    said = "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in judgement.results)
    assert judgement.verdict is Verdict.PASS, said


@pytest.mark.parametrize("refused", pipelines.REFUSED, ids=lambda refused: refused.new.split()[0])
def test_a_description_that_cannot_work_is_refused_in_words(refused: Refused, tmp_path: Path) -> None:
    text = (ROOT / "pipeline.toml").read_text()
    assert refused.old in text
    (tmp_path / "handler").symlink_to(ROOT / "handler")
    (tmp_path / "pipeline.toml").write_text(text.replace(refused.old, refused.new, 1))
    with pytest.raises(UsageError, match=re.escape(refused.says)):
        load(tmp_path / "pipeline.toml")


def test_every_mutant_is_described_in_the_documentation() -> None:
    assert len(MUTANTS) >= 20
    assert all(re.fullmatch(r"[A-Z].*\.", mutant.bug) for mutant in MUTANTS)
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.mutants.page"
