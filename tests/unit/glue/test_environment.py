"""What is missing on this machine is one line that says what to do, and exit code 4."""

from pathlib import Path

import pytest

from harness.errors import ExitCode, HarnessError
from harness.glue import environment


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that is there as far as files say."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.with_name("spark-submit").touch()
    monkeypatch.setenv("NRT_GLUE_PYTHON", str(python))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return python


def java(tmp_path: Path, says: str) -> Path:
    """A `java` that tells this version."""
    program = tmp_path / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    return program


def refusal() -> HarnessError:
    with pytest.raises(HarnessError) as caught:
        environment.find()
    assert caught.value.exit_code == ExitCode.HARNESS_FAILED
    assert "\n" not in str(caught.value)
    return caught.value


def test_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRT_GLUE_PYTHON", str(tmp_path / "python"))
    assert "`make setup-glue` makes" in str(refusal())


@pytest.mark.usefixtures("python")
def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "needs Java 17, and there is no java in PATH: install it" in str(refusal())


@pytest.mark.usefixtures("python")
def test_another_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = java(tmp_path, 'openjdk version "21.0.2" 2024-01-16')
    monkeypatch.setenv("JAVA_HOME", str(program.parent.parent))
    assert f"needs Java 17, and {program} says" in str(refusal())


def test_java_17(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = java(tmp_path, 'openjdk version "17.0.15" 2025-04-15')
    monkeypatch.setenv("JAVA_HOME", str(program.parent.parent))
    assert environment.find() == environment.GlueEnvironment(python, python.with_name("spark-submit"), program)
