"""docs/reference/ says what the code says."""

from pathlib import Path

import click
import pytest

from harness import reference

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def stale(directory: Path) -> list[str]:
    """Which generated pages differ from what the code would write now."""
    return [
        name
        for name, text in reference.pages().items()
        if not (directory / name).is_file() or (directory / name).read_text() != text
    ]


def test_the_reference_is_up_to_date() -> None:
    assert not stale(REFERENCE), "run `make reference` and commit what it wrote"


def test_a_new_option_makes_the_reference_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    command = reference.cli.commands["list"]
    monkeypatch.setattr(command, "params", [*command.params, click.Option(["--new"], help="Not written down yet.")])
    assert stale(REFERENCE) == ["cli.md"]


def test_every_command_is_in_it() -> None:
    page = reference.cli_page()
    assert all(f"## harness {name}\n" in page for name in reference.cli.commands)
