"""Accounting against a real PostgreSQL: every way in which a record can go wrong is counted, and nothing else is."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generators.records import KEY_64_BASE, MAX_RECORDS_PER_FILE, make_table
from harness import sql
from harness.accounting import DeliveredFile, TypeTotals, account
from harness.errors import HarnessError
from harness.history import Accounted
from harness.pipeline import load
from harness.stack.endpoints import Endpoints

ROOT = Path(__file__).parents[2]
DEFAULT = load(ROOT / "pipeline.toml")
# The server is shared with other tests: these have their tables in a schema of their own.
PIPELINE = DEFAULT.model_copy(
    update={
        "types": {
            name: settings.model_copy(
                update={"stage_table": f"accounting.stage_{name}", "final_table": f"accounting.final_{name}"}
            )
            for name, settings in DEFAULT.types.items()
        }
    }
)
AT = datetime(2026, 1, 1, tzinfo=UTC)
LOADED_AT = datetime(2026, 1, 1, 12, 0, 0, 500_000)
RECORDS = 200


def delivered(type_name: str, index: int) -> DeliveredFile:
    dataset = PIPELINE.dataset(type_name)
    return DeliveredFile(
        index, f"f{index}", lambda: make_table(dataset, seed=1, file_index=index, records=RECORDS, at=AT)
    )


@pytest.fixture(params=list(PIPELINE.types))
def type_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def warehouse(postgres_only: Endpoints, type_name: str) -> Iterator[Endpoints]:
    """Both tables of a type, the final one holding two files exactly as they were delivered."""
    settings = PIPELINE.types[type_name]
    columns = ", ".join(f'"{name}" {column.type}' for name, column in settings.columns.items())
    with sql.backend(postgres_only) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE SCHEMA IF NOT EXISTS accounting")
        for table in (settings.stage_table, settings.final_table):
            cursor.execute(
                f"CREATE TABLE {table} ({columns}, source_file text, source_row bigint, loaded_at timestamp)"
            )
        for index in (0, 1):
            _load(cursor, type_name, index)
        yield postgres_only
        cursor.execute(f"DROP TABLE {settings.stage_table}, {settings.final_table}")


def _load(cursor: object, type_name: str, index: int) -> None:
    settings = PIPELINE.types[type_name]
    table = delivered(type_name, index).read()
    table = table.append_column("source_file", pa.array([f"f{index}"] * RECORDS))
    table = table.append_column("source_row", pa.array(range(1, RECORDS + 1)))
    table = table.append_column("loaded_at", pa.array([LOADED_AT] * RECORDS, pa.timestamp("us")))
    text = io.BytesIO()
    pyarrow.csv.write_csv(table, text)
    text.seek(0)
    names = ", ".join(f'"{name}"' for name in table.column_names)
    cursor.copy_expert(  # type: ignore[attr-defined]
        f"COPY {settings.final_table} ({names}) FROM STDIN (FORMAT csv, HEADER true)", text
    )


def count(warehouse: Endpoints, type_name: str, *statements: str) -> tuple[dict[str, Accounted], TypeTotals]:
    """Damage the tables, then account for files 0 and 1."""
    with sql.backend(warehouse) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
    files: dict[str, Accounted] = {}
    totals = None
    for result in account(PIPELINE, type_name, [delivered(type_name, 0), delivered(type_name, 1)], warehouse):
        if isinstance(result, TypeTotals):
            totals = result
        else:
            files[result[0].key] = result[1]
    assert totals is not None
    return files, totals


LOADED_S = LOADED_AT.replace(tzinfo=UTC).timestamp()
WHOLE = Accounted(RECORDS, RECORDS, 0, 0, 0, 0, 0, 0, 0, LOADED_S, LOADED_S)


def test_what_arrived_as_delivered_is_whole(warehouse: Endpoints, type_name: str) -> None:
    files, totals = count(warehouse, type_name)
    assert files == {"f0": WHOLE, "f1": WHOLE}
    assert totals == TypeTotals(type_name, 2 * RECORDS, 0, 0, None)


def test_missing_rows_are_missing_from_their_file(warehouse: Endpoints, type_name: str) -> None:
    final = PIPELINE.types[type_name].final_table
    files, _ = count(
        warehouse, type_name,
        f"DELETE FROM {final} WHERE ctid IN (SELECT ctid FROM {final} WHERE source_file = 'f0' LIMIT 3)",
    )  # fmt: skip
    assert files == {"f0": replace(WHOLE, merged=RECORDS - 3, missing=3), "f1": WHOLE}


def test_a_changed_value_is_altered(warehouse: Endpoints, type_name: str) -> None:
    settings = PIPELINE.types[type_name]
    changed = next(
        name for name, column in settings.columns.items()
        if name not in settings.key and column.type.startswith("varchar")
    )  # fmt: skip
    files, _ = count(
        warehouse, type_name,
        f"UPDATE {settings.final_table} SET \"{changed}\" = \"{changed}\" || '.' WHERE ctid IN "
        f"(SELECT ctid FROM {settings.final_table} WHERE source_file = 'f1' AND \"{changed}\" IS NOT NULL LIMIT 2)",
    )  # fmt: skip
    assert files == {"f0": WHOLE, "f1": replace(WHOLE, altered=2)}


def test_an_empty_string_is_not_a_missing_one(warehouse: Endpoints, type_name: str) -> None:
    settings = PIPELINE.types[type_name]
    text = [name for name, column in settings.columns.items() if column.type.startswith("varchar")]
    nulls = " OR ".join(f'"{name}" IS NULL' for name in text)
    with sql.backend(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {settings.final_table} WHERE {nulls}")
        row = cursor.fetchone()
    assert row is not None
    emptied = ", ".join(f'"{name}" = coalesce("{name}", \'\')' for name in text)
    files, _ = count(warehouse, type_name, f"UPDATE {settings.final_table} SET {emptied}")
    assert row[0] > 0
    assert sum(file.altered for file in files.values()) == row[0]


def test_a_row_that_is_there_twice_is_duplicated(warehouse: Endpoints, type_name: str) -> None:
    final = PIPELINE.types[type_name].final_table
    files, totals = count(
        warehouse, type_name, f"INSERT INTO {final} (SELECT * FROM {final} WHERE source_file = 'f0' LIMIT 5)"
    )
    assert files == {"f0": replace(WHOLE, duplicated=5), "f1": WHOLE}
    assert totals.unexpected == 0


def test_rows_that_nobody_delivered_are_unexpected(warehouse: Endpoints, type_name: str) -> None:
    with sql.backend(warehouse) as connection, connection.cursor() as cursor:
        _load(cursor, type_name, 7)
        connection.commit()
    files, totals = count(warehouse, type_name)
    assert files == {"f0": WHOLE, "f1": WHOLE}
    assert (totals.unexpected, totals.unexpected_from) == (RECORDS, "f7")


def test_rows_still_staged_are_counted_with_their_file(warehouse: Endpoints, type_name: str) -> None:
    settings = PIPELINE.types[type_name]
    files, totals = count(
        warehouse, type_name,
        f"INSERT INTO {settings.stage_table} (SELECT * FROM {settings.final_table} WHERE source_file = 'f1')",
        f"DELETE FROM {settings.final_table} WHERE source_file = 'f1'",
    )  # fmt: skip
    assert files["f1"] == Accounted(RECORDS, 0, RECORDS, 0, 0, 0, RECORDS, 0, 0)
    assert totals.stage_rows == RECORDS


def test_only_the_newest_version_of_a_key_counts(warehouse: Endpoints, type_name: str) -> None:
    settings = PIPELINE.types[type_name]
    if settings.version is None:
        pytest.fail("every default type has a version")
    dataset = PIPELINE.dataset(type_name)
    older = make_table(dataset, seed=1, file_index=0, records=RECORDS, at=datetime(2025, 1, 1, tzinfo=UTC))
    sent = [delivered(type_name, 0), delivered(type_name, 1), DeliveredFile(2, "old", lambda: older)]
    results = dict(
        result for result in account(PIPELINE, type_name, sent, warehouse) if not isinstance(result, TypeTotals)
    )
    assert {file.key: accounted for file, accounted in results.items()} == {
        "f0": WHOLE, "f1": WHOLE, "old": Accounted(RECORDS, 0, 0, 0, RECORDS, 0, 0, 0, 0),
    }  # fmt: skip


def test_rows_whose_lineage_names_no_delivered_file_are_foreign(warehouse: Endpoints, type_name: str) -> None:
    final = PIPELINE.types[type_name].final_table
    files, totals = count(warehouse, type_name, f"UPDATE {final} SET source_file = 'x' WHERE source_file = 'f1'")
    assert files == {"f0": WHOLE, "f1": replace(WHOLE, loaded_first_s=None, loaded_last_s=None)}
    assert (totals.unexpected, totals.foreign, totals.foreign_from) == (0, RECORDS, "x")


def test_rows_that_name_another_file_or_row_are_counted_with_the_file_they_came_from(
    warehouse: Endpoints, type_name: str
) -> None:
    final = PIPELINE.types[type_name].final_table
    files, totals = count(
        warehouse, type_name,
        f"UPDATE {final} SET source_file = 'f1' WHERE source_file = 'f0' AND source_row <= 3",
        f"UPDATE {final} SET source_row = source_row - 1 WHERE source_file = 'f1' AND source_row > {RECORDS - 2}",
    )  # fmt: skip
    assert files == {"f0": replace(WHOLE, from_other_file=3), "f1": replace(WHOLE, from_other_row=2)}
    assert (totals.unexpected, totals.foreign) == (0, 0)


def test_the_first_and_last_time_of_loading_are_read_as_utc(warehouse: Endpoints, type_name: str) -> None:
    final = PIPELINE.types[type_name].final_table
    files, _ = count(
        warehouse, type_name,
        f"UPDATE {final} SET loaded_at = loaded_at - interval '1 hour' WHERE source_file = 'f0' AND source_row = 1",
    )  # fmt: skip
    assert files == {"f0": replace(WHOLE, loaded_first_s=LOADED_S - 3600), "f1": WHOLE}


def test_a_record_that_two_files_delivered_may_name_either(warehouse: Endpoints, type_name: str) -> None:
    again = DeliveredFile(2, "f2", delivered(type_name, 0).read)
    sent = [delivered(type_name, 0), delivered(type_name, 1), again]
    results = [one for one in account(PIPELINE, type_name, sent, warehouse) if not isinstance(one, TypeTotals)]
    assert [(one.from_other_file, one.from_other_row) for _, one in results] == [(0, 0)] * 3
    assert sum(one.superseded for _, one in results) == RECORDS


# What can become of one record, as SQL, and which of its file's counts it changes.
DAMAGES = {
    "deleted": ("DELETE FROM {final} WHERE order_id = {key}", {"missing": 1, "merged": -1}),
    "altered": ("UPDATE {final} SET amount = coalesce(amount, 0) + 1 WHERE order_id = {key}", {"altered": 1}),
    "doubled": ("INSERT INTO {final} SELECT * FROM {final} WHERE order_id = {key}", {"duplicated": 1}),
    "renamed": ("UPDATE {final} SET source_file = '{other}' WHERE order_id = {key}", {"from_other_file": 1}),
    "moved": ("UPDATE {final} SET source_row = source_row + 1 WHERE order_id = {key}", {"from_other_row": 1}),
    "staged": (
        "WITH taken AS (DELETE FROM {final} WHERE order_id = {key} RETURNING *) "
        "INSERT INTO {stage} SELECT * FROM taken",
        {"missing": 1, "merged": -1, "in_stage": 1},
    ),
}
COUNTS = ("merged", "missing", "altered", "superseded", "duplicated", "in_stage", "from_other_file", "from_other_row")


@pytest.mark.parametrize("type_name", ["orders"], indirect=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 2 * RECORDS - 1), st.sampled_from(sorted(DAMAGES)), max_size=60))
def test_any_damage_is_counted_record_by_record(warehouse: Endpoints, type_name: str, damaged: dict[int, str]) -> None:
    settings_of = PIPELINE.types[type_name]
    with sql.backend(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {settings_of.final_table}, {settings_of.stage_table}")
        for index in (0, 1):
            _load(cursor, type_name, index)
        connection.commit()
    expected = {file: dict.fromkeys(COUNTS, 0) | {"merged": RECORDS} for file in ("f0", "f1")}
    statements = []
    for record, damage in damaged.items():
        file, row = divmod(record, RECORDS)
        statement, changes = DAMAGES[damage]
        key = KEY_64_BASE + file * MAX_RECORDS_PER_FILE + row
        statements.append(
            statement.format(
                final=settings_of.final_table, stage=settings_of.stage_table, key=key, other=f"f{1 - file}"
            )
        )
        for name, change in changes.items():
            expected[f"f{file}"][name] += change
    files, totals = count(warehouse, type_name, *statements)
    assert {key: {name: getattr(found, name) for name in COUNTS} for key, found in files.items()} == expected
    assert (totals.unexpected, totals.foreign) == (0, 0)


def end_the_newest_connection(warehouse: Endpoints, application_name: str) -> None:
    """As the end of its server would."""
    with sql.backend(warehouse, "nrt-test") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s "
            "ORDER BY backend_start DESC LIMIT 1",
            (application_name,),
        )
        assert cursor.fetchall() == [(True,)]


@pytest.mark.parametrize("type_name", ["orders"])
def test_a_warehouse_that_goes_away_meanwhile_is_one_line_of_what_and_where(
    warehouse: Endpoints, type_name: str
) -> None:
    def read() -> pa.Table:
        end_the_newest_connection(warehouse, "nrt-accounting")
        return delivered(type_name, 1).read()

    files = [delivered(type_name, 0), DeliveredFile(1, "f1", read)]
    with pytest.raises(sql.DatabaseAwayError) as raised:
        list(account(PIPELINE, type_name, files, warehouse))
    where = f"{warehouse.postgres.host}:{warehouse.postgres.port}"
    assert str(raised.value).startswith(f"accounting for orders: {where} ended the connection: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("type_name", ["orders"])
def test_a_table_that_is_not_there_is_one_line_and_no_outage(warehouse: Endpoints, type_name: str) -> None:
    elsewhere = PIPELINE.types[type_name].model_copy(update={"stage_table": "accounting.nowhere"})
    pipeline = PIPELINE.model_copy(update={"types": {type_name: elsewhere}})
    with pytest.raises(HarnessError) as raised:
        list(account(pipeline, type_name, [], warehouse))
    assert not isinstance(raised.value, sql.DatabaseAwayError)
    assert str(raised.value) == 'accounting for orders: relation "accounting.nowhere" does not exist'
