"""docs/redshift.md is made from the contract tests."""

from pathlib import Path

from harness.redshift.document import contract_tests, document

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_tests_say() -> None:
    command = "python -m harness.redshift.document > docs/redshift.md"
    assert (ROOT / "docs" / "redshift.md").read_text() == document(), f"make it again: {command}"


def test_a_new_test_would_be_missed(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""Area."""\n@source("PAGE")\ndef test_that_it_works():\n    pass\n')
    found = [(shown.area, shown.what, shown.page) for shown in contract_tests(tmp_path)]
    assert found == [("Area", "that it works", "PAGE")]
    assert "| that it works | PAGE |" in document(tmp_path)
