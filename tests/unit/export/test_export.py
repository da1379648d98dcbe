"""The exported tables: what a run showed is in them, their documentation is complete, and its examples run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import queries
from harness.errors import UsageError
from harness.export import export
from harness.export_tables import TABLES
from harness.run_directory import RunDirectory
from tests.unit.run_fixtures import FACTS, START_S, Run, accounted, dead_letter, good_run, key_of

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "ledger.md"
QUERY = {
    "at_s": START_S + 1, "session": 3, "query_id": 9, "kind": "copy", "sql": "COPY stage.orders FROM '***'",
    "transaction_id": 1, "end_s": START_S + 2, "rows": 100, "bytes": 4_000, "error": None, "user": "awsuser",
}  # fmt: skip
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), flags=re.DOTALL)


def _exported(run: Run, path: Path) -> dict[str, pa.Table]:
    directory = run.store(path / "run")
    (directory.path / queries.NAME).write_text(json.dumps(QUERY) + "\n" + '{"at_s": 1')
    return {file.stem: pq.read_table(file) for file in export(directory, path / "export")}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, pa.Table]:
    return _exported(good_run(), tmp_path)


def test_every_file_is_a_row_with_its_times_and_its_accounts(tables: dict[str, pa.Table]) -> None:
    rows = tables["files"].to_pylist()
    assert [row["key"] for row in rows] == [key_of(index) for index in range(4)]
    assert rows[1]["intended_at"].timestamp() == START_S + 1
    assert [row["end_to_end_s"] for row in rows] == [6.0, 6.0, 4.0, 4.0]
    assert {row["last_stage"] for row in rows} == {"merged"}
    assert {row["records_merged"] for row in rows} == {100}
    assert {row["run"] for row in rows} == {"run"}


def test_the_parts_of_each_file_add_up_to_its_latency(tables: dict[str, pa.Table]) -> None:
    stages = tables["stages"].to_pylist()
    for file in tables["files"].to_pylist():
        mine = [row for row in stages if row["index"] == file["index"]]
        assert sum(row["duration_s"] for row in mine) == pytest.approx(file["end_to_end_s"], abs=0.01)
        assert {"upload", "queue", "handler", "merge_wait", "merge"} <= {row["stage"] for row in mine}
        assert {"read", "copy", "handler_rest"} <= {row["part"] for row in mine if row["stage"] == "handler"}


def test_samples_invocations_merges_and_queries_are_rows(tables: dict[str, pa.Table]) -> None:
    assert tables["samples"].num_rows == 4 * 2
    assert tables["samples"].to_pylist()[0]["stage_rows"] == 100
    first = tables["invocations"].to_pylist()[0]
    assert (first["cold"], first["keys"], first["highest_receive_count"]) == (True, [key_of(0)], 1)
    assert [row["rows"] for row in tables["merges"].to_pylist()] == [0, 200, 0, 200]
    (query,) = tables["queries"].to_pylist()
    assert (query["kind"], query["bytes"], query["started_at"].timestamp()) == ("copy", 4_000, START_S + 1)


def test_what_was_not_seen_is_null_and_what_went_wrong_is_there(tmp_path: Path) -> None:
    run = good_run().without("merged", type="clicks").adding(dead_letter(1)).without("accounted", index=0)
    rows = _exported(run, tmp_path)["files"].to_pylist()
    assert (rows[1]["end_to_end_s"], rows[1]["merged_at"]) == (None, None)
    assert (rows[1]["dead_lettered"], rows[1]["dead_letter_reason"]) == (True, "received 3 times")
    assert rows[0]["records_missing"] is None


def test_a_merge_that_failed_at_once_is_a_row(tmp_path: Path) -> None:
    failed = [{"type": "orders", "started_s": START_S, "committed_s": None, "rows": [], "error": "no such table"}]
    (row,) = _exported(good_run().changing("merge_run", {}, types=failed), tmp_path)["merges"].to_pylist()
    assert (row["error"], row["committed_at"], row["statement"]) == ("no such table", None, None)


def test_a_name_that_is_not_utf_8_is_exported(tmp_path: Path) -> None:
    run = good_run().changing("planned", {"index": 0}, key="orders/\udcff.csv.gz")
    assert _exported(run, tmp_path)["files"].to_pylist()[0]["key"] == "orders/\\udcff.csv.gz"


def test_facts_and_defects_travel_with_the_tables(tmp_path: Path) -> None:
    directory = good_run().adding(accounted(0)).store(tmp_path / "run")
    lines = directory.ledger.read_text().splitlines(keepends=True)
    directory.ledger.write_text("".join(lines[:-1]))
    for _ in range(2):  # again, over the first
        files = export(directory, tmp_path / "export")
    for file in files:
        metadata = pq.read_schema(file).metadata
        assert json.loads(metadata[b"run"])["scenario"] == FACTS.scenario
        assert json.loads(metadata[b"ledger_defects"]) == ["the run did not finish: its last line is missing"]


def test_only_a_run_can_be_exported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        export(RunDirectory(tmp_path), tmp_path / "export")


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented_and_no_other(name: str) -> None:
    section = DOCUMENTATION.read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    documented = [column for cell in cells for column in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted(TABLES[name].schema.names)


@pytest.mark.parametrize("number", range(3))
def test_the_examples_run_as_they_stand(number: int, tmp_path: Path) -> None:
    export(good_run(20).store(tmp_path / "run"), tmp_path / "export")
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("copy", "environments", "rows_per_s")[number] in done.stdout


def test_the_query_log_of_a_run_is_what_was_appended_during_it(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"query_id": 1}\n')
    with pytest.raises(KeyboardInterrupt), queries.kept(log, tmp_path), log.open("a") as more:  # noqa: PT012
        more.write('{"query_id": 2}\n')
        more.flush()
        raise KeyboardInterrupt
    assert list(queries.read(tmp_path)) == [{"query_id": 2}]
    assert list(queries.read(tmp_path / "elsewhere")) == []
