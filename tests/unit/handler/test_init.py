"""`harness init` writes a pipeline that is valid as it stands, and never overwrites."""

from pathlib import Path

import pytest

from harness import pipeline
from harness.errors import UsageError
from harness.handler_import import check_handlers
from harness.init import TEMPLATES, init
from harness.sql import statements


def test_what_is_written_is_a_valid_pipeline(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "mine"
    written = init(directory)
    assert [path.name for path in written] == list(TEMPLATES)
    loaded = pipeline.load(directory / "pipeline.toml")
    assert loaded.merge_sql("events").parent == directory
    assert len(statements(loaded.merge_sql("events"))) > 1
    assert len(statements(loaded.ddl)) == 3


def test_its_handler_can_be_imported(tmp_path: Path) -> None:
    init(tmp_path)
    check_handlers(pipeline.load(tmp_path / "pipeline.toml"), tmp_path / "pipeline.toml")


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text("mine")
    with pytest.raises(UsageError, match=r"tables\.sql would be overwritten"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tables.sql"]
    assert (tmp_path / "tables.sql").read_text() == "mine"


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"Not a directory|File exists"):
        init(tmp_path / "file")
    with pytest.raises(UsageError, match=r"Not a directory|File exists"):
        init(tmp_path / "file" / "below")
