"""pipeline.toml: what is accepted, and what each mistake is told."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import warehouse_model
from harness.errors import UsageError
from harness.pipeline import Pipeline, load
from harness.provision import check_name_lengths
from harness.timing import scaled

ROOT = Path(__file__).parents[2]

MINIMAL = """
name = "one"
{top}
[warehouse]
ddl = "tables.sql"
[merge]
sql = "merge_{{type}}.sql"
{merge}
[function]
{function}
[queue]
{queue}
[types.orders]
prefix = "orders/"
format = "csv.gz"
stage_table = "stage.orders"
final_table = "public.orders"
key = ["order_id"]
{orders}
[types.orders.columns]
order_id = "bigint"
{columns}
{more}
"""

Load = Callable[..., Pipeline]


@pytest.fixture
def load_with(tmp_path: Path) -> Load:
    """Load the minimal pipeline with lines added to (or, for `replace`, text replaced in) it."""

    def load_it(replace: tuple[str, str] = ("", ""), **lines: str) -> Pipeline:
        parts = dict.fromkeys(("top", "merge", "function", "queue", "orders", "columns", "more"), "")
        text = MINIMAL.format(**(parts | lines))
        path = tmp_path / "pipeline.toml"
        path.write_text(text.replace(*replace) if replace[0] else text)
        (tmp_path / "tables.sql").touch()
        (tmp_path / "merge_orders.sql").touch()
        return load(path)

    return load_it


def test_the_default_pipeline_is_valid() -> None:
    pipeline = load(ROOT / "pipeline.toml")
    assert [settings.format for settings in pipeline.types.values()] == ["csv.gz", "jsonl.gz", "parquet", "csv"]
    raw: dict[str, Any] = tomllib.loads((ROOT / "pipeline.toml").read_text())
    assert list(pipeline.dataset("orders").columns[0].__dict__)[:2] == ["name", "type"]
    assert [column.name for column in pipeline.dataset("orders").columns] == list(raw["types"]["orders"]["columns"])


def test_a_type_overrides_queue_and_function_settings(load_with: Load) -> None:
    pipeline = load_with(
        queue="batch_size = 5\nmax_receive_count = 7",
        more="[types.orders.queue]\nbatch_size = 2\n[types.orders.function]\nmemory_mb = 256",
    )
    assert pipeline.queue_of("orders").batch_size == 2
    assert pipeline.queue_of("orders").max_receive_count == 7
    assert pipeline.function_of("orders").memory_mb == 256


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({"replace": ('"csv.gz"', '"xls"')}, "types.orders.format: 'xls' is not one of csv.gz, jsonl.gz, parquet, csv"),
        (
            {"replace": ('"orders/"', '"type=orders/"')},
            "holds '=': S3 compares the filter with the percent-encoded key",
        ),
        ({"replace": ('"orders/"', '"orders"')}, "is not a path of letters"),
        ({"replace": ('"orders/"', '"_staging/"')}, "where COPY stages its files"),
        (
            {"replace": ('"stage.orders"', '"orders; drop"')},
            "types.orders.stage_table: 'orders; drop' is not a lower-case",
        ),
        ({"replace": ('["order_id"]', '["id"]')}, "key 'id' is not one of the columns order_id"),
        ({"replace": ('["order_id"]', "[]")}, "types.orders.key"),
        ({"orders": 'version = "updated"'}, "version 'updated' is not one of the columns"),
        ({"orders": 'colour = "red"'}, "types.orders.colour: is not a key that is known here (allowed: prefix, format"),
        (
            {"queue": "visibility = 3"},
            "queue.visibility: is not a key that is known here (allowed: visibility_timeout_s",
        ),
        ({"queue": "batch_size = 0"}, "queue.batch_size: 0: input should be greater than or equal to 1"),
        ({"queue": 'batch_size = "10"'}, "queue.batch_size: '10': input should be a valid integer"),
        ({"queue": "batch_size = 11"}, "above 10, which needs a batch_window_s of at least 1"),
        ({"function": 'handler = "handler"'}, "'handler' is not a dotted path such as handler.app.handler"),
        ({"function": "timeout_s = 400"}, "function timeout_s 400 is above the queue's visibility_timeout_s 360"),
        ({"columns": 'loaded_at = "timestamp"'}, "column 'loaded_at' is a lineage column"),
        ({"columns": 'notes = "geometry"'}, "types.orders.columns"),
        ({"columns": 'name = { type = "varchar(10)", faker = "no_such_thing" }'}, "no_such_thing"),
        ({"replace": ('sql = "merge_{type}.sql"', "")}, "merge.sql: is missing"),
        ({"replace": ('"tables.sql"', '"nowhere.sql"')}, "nowhere.sql' is not a file"),
        ({"replace": ("[types.orders]", "[types.orders")}, "pipeline.toml: "),
    ],
)
def test_a_mistake_is_one_line_that_names_it(load_with: Load, lines: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_with(**lines)
    text = str(caught.value)
    assert message in text
    assert "pipeline.toml" in text
    assert "\n" not in text


def test_prefixes_must_not_shadow_each_other(load_with: Load) -> None:
    second = """
[types.returns]
prefix = "orders/returns/"
format = "csv"
stage_table = "stage.returns"
final_table = "public.returns"
key = ["order_id"]
[types.returns.columns]
order_id = "bigint"
"""
    with pytest.raises(UsageError, match=r"also matches types.returns.prefix"):
        load_with(more=second)


def test_every_mistake_gets_its_line(load_with: Load) -> None:
    with pytest.raises(UsageError) as caught:
        load_with(queue="batch_size = 0", function="memory_mb = 1")
    assert len(str(caught.value).splitlines()) == 2


def test_time_scale_shrinks_limits_but_keeps_messages_hidden_long_enough(load_with: Load) -> None:
    pipeline = load_with(function="timeout_s = 30\nworst_case_s = 10")
    timing = scaled(pipeline, 60)
    assert (timing.sla_s, timing.merge_every_s) == (30, 15)
    assert timing.visibility_timeout_s == {"orders": 60}  # 360 / 60 is below six times the worst case
    assert scaled(pipeline, 1).visibility_timeout_s == {"orders": 360}
    with pytest.raises(UsageError, match="not 1 or more"):
        scaled(pipeline, 0.5)


def test_a_model_of_the_warehouse_is_off_unless_it_is_given(load_with: Load) -> None:
    plain = load_with().warehouse.model
    assert plain.model_dump() == {
        "copy_base_s": 0, "copy_per_row_s": 0, "commit_s": 0, "spread": 0, "seed": 0, "wlm_slots": 0, "copy_queue_s": 0,
        "max_connections": 0,
    }  # fmt: skip
    assert warehouse_model.in_words(plain) is None
    slow = load_with(more="[warehouse.model]\ncopy_base_s = 25.0\nseed = 7").warehouse.model
    assert slow.copy_base_s == 25
    assert warehouse_model.in_words(slow) == "copy_base_s 25 (seed 7): a model, not a measurement"


def test_a_mistake_in_the_model_of_the_warehouse_names_its_keys(load_with: Load) -> None:
    with pytest.raises(UsageError, match=r"warehouse.model.copy_minutes: is not a key .*copy_base_s, copy_per_row_s"):
        load_with(more="[warehouse.model]\ncopy_minutes = 1")
    with pytest.raises(UsageError, match=r"warehouse.model.copy_base_s"):
        load_with(more="[warehouse.model]\ncopy_base_s = -1.0")


@pytest.mark.parametrize(("where", "old", "new"), [
    ("stage_table", "stage.orders", "stage.{}"), ("final_table", "public.orders", "{}.orders"),
    ("columns", 'order_id = "bigint"', 'order_id = "bigint"\n{} = "int"'),
])  # fmt: skip
def test_a_name_that_postgresql_has_not_is_refused_where_rows_are_counted_there(
    load_with: Load, where: str, old: str, new: str
) -> None:
    check_name_lengths(load_with(replace=(old, new.format("n" * 63))))
    with pytest.raises(UsageError, match=rf"types.orders.{where}: 'n{{64}}' has more than 63 bytes"):
        check_name_lengths(load_with(replace=(old, new.format("n" * 64))))
