"""docs/redshift.md is made from the contract tests."""

import re
from pathlib import Path

from harness.redshift.document import TESTS, contract_tests, document

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_tests_say() -> None:
    command = "python -m harness.redshift.document > docs/redshift.md"
    assert (ROOT / "docs" / "redshift.md").read_text() == document(), f"make it again: {command}"


def test_a_new_test_would_be_missed(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""Area."""\n@source("PAGE")\ndef test_that_it_works():\n    pass\n')
    found = [(shown.area, shown.what, shown.page) for shown in contract_tests(tmp_path)]
    assert found == [("Area", "that it works", "PAGE")]
    assert "| that it works | PAGE |" in document(tmp_path)


def cited_tests(folder: Path = TESTS) -> set[str]:
    """The contract tests that name the page they follow."""
    sources = "\n".join(path.read_text() for path in folder.glob("test_*.py"))
    functions = re.findall(r"((?:^@.*\n(?:^(?![@d\n]).*\n)*)*)^def (test_\w+)", sources, re.MULTILINE)
    return {name for marks, name in functions if re.search(r'@(source|pytest\.mark\.documented)\(|"page"', marks)}


def test_what_the_page_says_is_enforced_has_a_test_that_cites_its_page() -> None:
    section = document().partition("## What it enforces")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", section))
    assert len(named) > 20
    assert named - cited_tests() == set()


def test_a_test_without_a_page_is_not_cited(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('@source("P")\ndef test_a():\n    pass\n\n\ndef test_b():\n    pass\n')
    assert cited_tests(tmp_path) == {"test_a"}
