"""The pytest plugin, in sessions of its own: the example project, and projects that have nothing to do with it."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.embedded import embedded, is_running
from harness.stack.endpoints import Endpoints
from tests.end_to_end.conftest import ROOT

EXAMPLE = ROOT / "examples" / "pytest_project"
TIMEOUT_S = 280
QUICK = "one_basket or everyday_rate"


def run_pytest(
    directory: Path, *arguments: str | Path, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """`python -m pytest ARGUMENTS` in a project's directory."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NRT_STACK", "HARNESS_STATUS")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=directory, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=kept | (environment or {}),
    )  # fmt: skip


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture(scope="module")
def there_already() -> Iterator[Endpoints]:
    with embedded() as endpoints:
        yield endpoints


def status_of(endpoints: Endpoints) -> dict[str, str]:
    return {"HARNESS_STATUS": str(endpoints.directory / "status.json")}


def test_the_example_passes_on_a_stack_of_its_own(example: Path, tmp_path: Path) -> None:
    runs, junit = tmp_path / "runs", tmp_path / "junit.xml"
    done = run_pytest(example, "-k", QUICK, "--nrt-keep-runs", runs, "--junit-xml", junit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    (run,) = runs.iterdir()
    assert json.loads((run / "verdict.json").read_text())["verdict"] == "pass"
    assert (run / "report.html").is_file()
    properties = {found.get("name"): found.get("value") for found in ET.parse(junit).iter("property")}
    assert properties == {"nrt_run": str(run)}


def test_a_broken_handler_fails_the_example_and_the_reason_can_be_read(example: Path, there_already: Endpoints) -> None:
    loader = example / "shop_loader.py"
    text = loader.read_text()
    assert "read(bucket, key)\n" in text
    loader.write_text(text.replace("read(bucket, key)\n", "read(bucket, key).slice(1)\n"))
    done = run_pytest(example, "-k", "everyday_rate", environment=status_of(there_already))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "assert run.verdict.passed" in done.stdout
    short = next(line for line in done.stdout.splitlines() if "where False = <FAIL" in line)
    assert "nothing_lost: 10 files lost records" in short
    assert "--- nrt-harness: steady ---" in done.stdout
    assert "✗ nothing_lost       10 files lost records: baskets/dt=2026-01-01/baskets-000000.jsonl.gz" in done.stdout
    assert "1 of 1,000 records are not in the final table" in done.stdout
    assert "report.html" in done.stdout


def test_a_stack_that_was_there_is_used_and_stays(example: Path, there_already: Endpoints) -> None:
    (example / "tests" / "test_where.py").write_text(
        f"def test_where(nrt_stack):\n    assert nrt_stack.aws_endpoint_url == {there_already.aws_endpoint_url!r}\n"
    )
    done = run_pytest(example, "-k", "where or one_basket", environment=status_of(there_already))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert is_running(there_already)


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        (["--nrt-stack", "existing"], {}, "stack.json: No such file or directory: start a stack with `harness up`"),
        (
            [],
            {"HARNESS_STATUS": "pipeline.toml"},
            "not the status of a stack: start a stack with `harness up`",
        ),
        ([], {"NRT_STACK": "moon"}, "NRT_STACK: 'moon' is not one of embedded, compose, existing"),
        (["-o", "nrt_pipeline=nowhere.toml", "--nrt-stack", "compose"], {}, "nowhere.toml: no such file"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    example: Path, options: list[str], environment: dict[str, str], words: str
) -> None:
    done = run_pytest(example, "-k", "one_basket", *options, environment=environment)
    assert done.returncode in (1, 4), done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "harness/testing" not in done.stdout


def test_a_wrong_argument_names_itself(example: Path, there_already: Endpoints) -> None:
    (example / "tests" / "test_wrong.py").write_text(
        "def test_rate(run_scenario):\n    run_scenario('steady', rate='fast')\n"
        "def test_name(run_scenario):\n    run_scenario('moon')\n"
    )
    done = run_pytest(example, "-k", "rate and not everyday or name", environment=status_of(there_already))
    assert done.returncode == 1
    assert "run_scenario: 'fast' is not a rate of files such as 100/min" in done.stdout
    assert "'moon' is not a scenario; there are" in done.stdout


UNRELATED = """
import sys

def test_nothing_else_was_imported():
    ours = {name for name in sys.modules if name.partition(".")[0] in ("harness", "generators", "scenarios")}
    assert ours == {"harness", "harness.pytest_plugin"}
    assert not {"boto3", "botocore", "pydantic", "pyarrow", "pandas", "click", "rich"} & set(sys.modules)
"""


@pytest.mark.parametrize("conftest", ["", 'pytest_plugins = ["harness.pytest_plugin"]\n'])
def test_unrelated_sessions_are_left_alone(tmp_path: Path, conftest: str) -> None:
    (tmp_path / "test_unrelated.py").write_text(UNRELATED)
    (tmp_path / "conftest.py").write_text(conftest)
    done = run_pytest(tmp_path, "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "warning" not in done.stdout
    options = run_pytest(tmp_path, "--help").stdout
    assert options.count("--nrt-stack") == 1
