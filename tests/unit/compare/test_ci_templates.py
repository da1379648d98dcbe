"""The CI templates: YAML, and every harness command in them is one that there is."""

import re
import shlex
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
