"""What a runtime's name stands for on this machine."""

import json
import sys
from pathlib import Path

import pytest

from harness.localstack import runtimes

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    file = tmp_path / "runtimes.json"
    file.write_text(json.dumps({"python3.99": "/there/python", "nodejs22.x": ["/usr/bin/node", "client.mjs"]}))
    return file


def test_a_registered_interpreter_runs_the_runtime_interface_client(registered: Path) -> None:
    runtime = runtimes.look_up("python3.99", sys.executable, registered)
    assert runtime.argv("app.handler", "/var/task") == ("/there/python", "-m", "awslambdaric", "app.handler")
    assert runtime.is_exact


def test_a_registered_command_is_run_as_it_is(registered: Path) -> None:
    runtime = runtimes.look_up("nodejs22.x", sys.executable, registered)
    assert runtime.argv("app.handler", "/var/task") == ("/usr/bin/node", "client.mjs")


def test_a_custom_runtime_is_the_packages_own_bootstrap() -> None:
    assert runtimes.look_up("provided.al2023", sys.executable, None).argv("x", "/var/task") == ("/var/task/bootstrap",)


@pytest.mark.parametrize(("name", "is_exact"), [(OWN, True), ("python3.8", False)])
def test_any_other_python_is_the_handlers_own(name: str, is_exact: bool) -> None:
    runtime = runtimes.look_up(name, sys.executable, None)
    assert runtime == runtimes.Runtime(sys.executable, is_exact=is_exact)


def test_what_nothing_here_can_run_is_refused(registered: Path) -> None:
    with pytest.raises(runtimes.RuntimeNotHere, match=r"Runtime java21 cannot be run here: NRT_RUNTIMES names no"):
        runtimes.look_up("java21", sys.executable, registered)


@pytest.mark.parametrize("entry", [7, [], ["node", 3], {"python": "x"}])
def test_a_registration_that_is_neither_is_named(tmp_path: Path, entry: object) -> None:
    file = tmp_path / "runtimes.json"
    file.write_text(json.dumps({"ruby3.4": entry}))
    with pytest.raises(ValueError, match=r"runtimes\.json: ruby3\.4: wants an interpreter or a command"):
        runtimes.look_up("ruby3.4", sys.executable, file)


@pytest.mark.parametrize(
    ("name", "only"),
    [
        ("python3.12", {"PYTHONPATH": "/var/runtime", "PWD": "/var/task", "SHLVL": "0"}),
        (
            "nodejs20.x",
            {
                "NODE_PATH": "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:"
                "/var/runtime/node_modules:/var/runtime:/var/task",
                "PWD": "/var/task",
                "SHLVL": "0",
            },
        ),
        ("provided.al2023", {}),
        ("ruby3.4", {"PWD": "/var/task", "SHLVL": "0"}),
    ],
)
def test_each_runtime_has_the_variables_recorded_of_it(name: str, only: dict[str, str]) -> None:
    found = runtimes.sandbox_variables(name)
    assert {key: value for key, value in found.items() if key not in ("LANG", "LD_LIBRARY_PATH", "PATH")} == only
    assert found["LANG"] == "en_US.UTF-8"
