"""The CI templates are what their systems' own schemas ask for, and every harness command in them is there."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import cli

TEMPLATES = sorted((Path(__file__).parents[3] / "examples" / "ci").glob("*.yml"))
COMMAND = re.compile(r"\.venv/bin/harness\"? (.*)")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_the_commands_of_a_template_exist(template: Path) -> None:
    commands = [found[1] for text in _texts(yaml.safe_load(template.read_text())) for found in COMMAND.finditer(text)]
    names = set()
    for words in (shlex.split(command.partition(">>")[0]) for command in commands):
        command = cli.commands[words[0]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        names.add(words[0])
    assert {"run", "gate"} <= names


def test_there_is_one_for_each_of_the_two() -> None:
    assert [template.name for template in TEMPLATES] == ["github-actions.yml", "gitlab-ci.yml"]


# check-jsonschema brings the schemas that GitHub and GitLab publish inside its package.
SCHEMAS = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


def _lint(template: Path, schema: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, template],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_as_its_official_schema_says(template: Path, tmp_path: Path) -> None:
    done = _lint(template, SCHEMAS[template.name])
    assert done.returncode == 0, done.stdout
    broken = tmp_path / template.name
    broken.write_text(re.sub(r"^( +)(runs-on|script): ?", r"\1\2s: ", template.read_text(), flags=re.MULTILINE))
    assert _lint(broken, SCHEMAS[template.name]).returncode == 1


def test_the_report_is_kept_and_the_summary_is_posted() -> None:
    github, gitlab = (template.read_text() for template in TEMPLATES)
    assert github.count("GITHUB_STEP_SUMMARY") == 2
    assert github.count("upload-artifact") == 2
    assert gitlab.count("junit: ") == 2
    assert "paths: [runs/]" in gitlab
