import json
from pathlib import Path

import pytest

from generators.dataset import Column, Dataset
from harness.errors import UsageError
from harness.load.schedule import (
    PlannedFile,
    PlannedSource,
    Share,
    parse_share,
    read_datasets,
    read_schedule,
    write_datasets,
    write_schedule,
)

FILES = [
    PlannedFile(0, "orders", "orders/dt=2026-01-01/ä.csv", 0.0, 10, "ä.csv"),
    PlannedFile(1, "clicks", "clicks/dt=2026-01-01/1", 0.5, 10, "1", PlannedSource("/data/f", 10, 5)),
    PlannedFile(2, "clicks", "clicks/dt=2026-01-01/2", 0.5, 10, "2", PlannedSource("/data/f")),
]


def test_a_schedule_survives_and_is_ordered_by_time(tmp_path: Path) -> None:
    write_schedule(tmp_path / "schedule", reversed(FILES))
    assert read_schedule(tmp_path / "schedule") == FILES


def test_a_schedule_has_the_documented_members(tmp_path: Path) -> None:
    write_schedule(tmp_path / "schedule", FILES[:2])
    first, second = map(json.loads, (tmp_path / "schedule").read_text().splitlines())
    assert set(first) == {"index", "type", "key", "at_s", "records", "file", "source"}
    assert first["source"] is None
    assert second["source"] == {"path": "/data/f", "first_row": 10, "rows": 5}


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"index": 0, "more": 1}'])
def test_a_line_that_is_no_planned_file_is_named(tmp_path: Path, line: str) -> None:
    write_schedule(tmp_path / "schedule", FILES[:1])
    with (tmp_path / "schedule").open("a") as schedule:
        schedule.write(line + "\n")
    with pytest.raises(UsageError, match=r"schedule:2: not a planned file"):
        read_schedule(tmp_path / "schedule")


def test_a_missing_schedule_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="schedule: No such file"):
        read_schedule(tmp_path / "schedule")


@pytest.mark.parametrize("name", ["../f", "a/f", ".f", ""])
def test_a_file_stays_in_the_feed_directory(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        PlannedFile(0, "t", "t/f", 0.0, 1, name)


def test_shares_take_every_file_once() -> None:
    files = [PlannedFile(index, "t", f"t/{index}", 0.0, 1, str(index)) for index in range(10)]
    taken = [file for number in range(3) for file in Share(number, 3).take(files)]
    assert sorted(taken, key=lambda file: file.index) == files
    assert parse_share("2/3") == Share(2, 3)


@pytest.mark.parametrize("text", ["3/3", "1", "-1/3", "a/b", "0/0", "1/"])
def test_a_share_that_takes_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"share|K/N"):
        parse_share(text)


def test_data_sets_survive(tmp_path: Path) -> None:
    columns = (
        Column("id", "bigint", minimum=1, maximum=2.5),
        Column("a", "varchar(9)", faker="city"),
        Column("b", "varchar(9)", values=("ä", "b")),
    )
    datasets = [Dataset("x", columns, ("id", "a"), None, "csv"), Dataset("y", columns[:1], ("id",), "id", "parquet")]
    write_datasets(tmp_path / "datasets", datasets)
    assert list(read_datasets(tmp_path / "datasets").values()) == datasets


@pytest.mark.parametrize("text", ["{", "{}x", '[{"name": "x"}]', "[1]", '[{"columns": [{"name": "a"}]}]'])
def test_a_broken_description_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "datasets").write_text(text)
    with pytest.raises(UsageError, match="datasets: not a description of data sets"):
        read_datasets(tmp_path / "datasets")
