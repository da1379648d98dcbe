"""Scripts cut into statements."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.sql import DatabaseAwayError, connect, statements, told
from harness.stack.endpoints import Redshift


def test_semicolons_in_text_and_comments_do_not_cut(tmp_path: Path) -> None:
    script = tmp_path / "s.sql"
    script.write_text("-- first; of all\nSELECT 'a;b' AS x;\n/* ; */\n;UPDATE t SET a = \"odd;name\"\n")
    assert statements(script) == ["SELECT 'a;b' AS x", 'UPDATE t SET a = "odd;name"']


def test_an_unfinished_string_is_named(tmp_path: Path) -> None:
    script = tmp_path / "s.sql"
    script.write_text("SELECT 'never ends")
    with pytest.raises(UsageError, match=r"s\.sql: "):
        statements(script)


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.sql"):
        statements(tmp_path / "nowhere.sql")


def test_a_database_that_cannot_be_reached_is_one_line() -> None:
    nowhere = Redshift("127.0.0.1", 1, "dev", "nrt", "secret", None)
    with pytest.raises(DatabaseAwayError) as raised, told("accounting for orders", nowhere):
        connect(nowhere, "nrt-test")
    assert str(raised.value).startswith("accounting for orders: no connection to 127.0.0.1:1: ")
    assert "Connection refused" in str(raised.value)
    assert "\n" not in str(raised.value)
