"""The page the contract tests write."""

from pathlib import Path

from tests.contract.localstack.fidelity import Behaviour, read, words, write


def test_a_column_is_renewed_and_what_was_not_run_stays(tmp_path: Path) -> None:
    page = tmp_path / "fidelity.md"
    first, second = Behaviour("Invoke", "it runs", "a page"), Behaviour("Event source", "it polls", "a page")
    write(page, "embedded", {first: "yes", second: "**no**"})
    write(page, "other", {first: "gap: slow"})
    write(page, "embedded", {second: "yes"})
    columns, rows = read(page)
    assert columns == ["embedded", "other"]
    assert rows == {
        first: {"embedded": "yes", "other": "gap: slow"},
        second: {"embedded": "yes", "other": "not tried"},
    }


def test_a_behaviour_that_is_no_longer_tested_goes(tmp_path: Path) -> None:
    page = tmp_path / "fidelity.md"
    write(page, "embedded", {Behaviour("Invoke", "old", "a page"): "yes"})
    write(page, "embedded", {Behaviour("Invoke", "new", "a page"): "yes"})
    assert [behaviour.what for behaviour in read(page)[1]] == ["new"]


def test_names_become_sentences() -> None:
    assert words("test_a_timeout_kills") == "a timeout kills"
    assert words("test_partial_batch_answer[empty list]") == "partial batch answer (empty list)"


def test_a_test_that_was_left_out_keeps_its_line(tmp_path: Path) -> None:
    page = tmp_path / "fidelity.md"
    quick, slow = Behaviour("Invoke", "quick", "page"), Behaviour("Invoke", "slow", "page")
    write(page, "one", {quick: "yes", slow: "yes"})
    write(page, "one", {quick: "**no**", slow: None})
    assert read(page)[1] == {quick: {"one": "**no**"}, slow: {"one": "yes"}}
