"""The pytest plugin: another project's tests run scenarios against its pipeline, and assert on the verdict.

In: options, an ini setting, the environment. Out: the fixtures `nrt_stack`, `nrt_pipeline` and `run_scenario`. pytest
loads this module in every session of an environment it is installed in, so it imports nothing but pytest until a
fixture is used.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.stack.endpoints import Endpoints
    from harness.testing.project import Project
    from harness.testing.scenarios import RunScenario, ScenarioRun

STACKS = ("embedded", "compose", "existing")
_RUNS: pytest.StashKey[list[ScenarioRun]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("nrt", "nrt-harness: near-real-time pipelines")
    group.addoption(
        "--nrt-stack", choices=STACKS, default=None,
        help="Where scenarios run: a stack of this session's own (embedded, the default), docker compose, or one that "
        "exists: what the file HARNESS_STATUS names, or `harness up` left here. [env: NRT_STACK]",
    )  # fmt: skip
    group.addoption(
        "--nrt-keep-runs", metavar="DIR", type=Path, default=None,
        help="Keep the run directories (report.html, verdict.json, ledger) in DIR. [default: pytest's temporary one]",
    )  # fmt: skip
    parser.addini("nrt_pipeline", "The pipeline description, relative to the root directory.", default="pipeline.toml")


def _stack_kind(config: pytest.Config) -> str:
    asked: str | None = config.getoption("--nrt-stack") or os.environ.get("NRT_STACK")
    if asked is None:
        return "existing" if os.environ.get("HARNESS_STATUS") else "embedded"
    if asked not in STACKS:
        raise pytest.UsageError(f"NRT_STACK: {asked!r} is not one of {', '.join(STACKS)}")
    return asked


@pytest.fixture(scope="session")
def nrt_pipeline_file(pytestconfig: pytest.Config) -> Path:
    """The pipeline description; a project may override this fixture instead of the ini setting `nrt_pipeline`."""
    named: str = pytestconfig.getini("nrt_pipeline")
    return pytestconfig.rootpath / named


@pytest.fixture(scope="session")
def nrt_stack(
    pytestconfig: pytest.Config, nrt_pipeline_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoints]:
    """A running stack: `aws_endpoint_url`, `redshift` and so on. It ends with the session, unless it was there."""
    from harness.testing.stacks import stack

    logs = tmp_path_factory.mktemp("nrt-stack")
    with stack(_stack_kind(pytestconfig), nrt_pipeline_file, pytestconfig.rootpath, logs) as endpoints:
        yield endpoints


@pytest.fixture
def nrt_pipeline(nrt_stack: Endpoints, nrt_pipeline_file: Path) -> Project:
    """The pipeline on the stack, with empty queues and tables: deliver a file, run the merge, look at the tables."""
    from harness.testing.project import project

    return project(nrt_pipeline_file, nrt_stack)


@pytest.fixture
def run_scenario(
    request: pytest.FixtureRequest, nrt_stack: Endpoints, nrt_pipeline_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunScenario:  # fmt: skip
    """Run a scenario and judge it: `assert run_scenario("steady", rate="100/min").verdict.passed`."""
    from harness.testing.scenarios import RunScenario

    kept: Path | None = request.config.getoption("--nrt-keep-runs")
    directory = kept.resolve() if kept else tmp_path_factory.getbasetemp() / "nrt-runs"
    return RunScenario(nrt_stack, nrt_pipeline_file, directory, request.node.stash.setdefault(_RUNS, []))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the verdict of each scenario that a failed test ran, and have JUnit's report say where the runs are."""
    report = yield
    if call.when == "call":
        for run in item.stash.get(_RUNS, []):
            item.user_properties.append(("nrt_run", str(run.directory)))
            if report.failed:
                report.sections.append(
                    (f"nrt-harness: {run.scenario}", f"{run.verdict}\n\n{run.directory}/report.html")
                )
    return report
