"""The plan: the same for the same arguments, and what was asked for."""

import gzip
from itertools import islice
from pathlib import Path

import pytest

from harness import catalogue
from harness.errors import UsageError
from harness.pipeline import load
from harness.plan import Replay, mixed_types, plan, with_overrides

ROOT = Path(__file__).parents[2]
PIPELINE = load(ROOT / "pipeline.toml")


def test_smoke_is_24_files_over_all_types() -> None:
    files = plan(catalogue.scenario("smoke"), PIPELINE, 1, None, whole=True)
    assert len(files) == 24
    assert sum(file.records for file in files) == 240_000
    assert {file.type for file in files} == set(PIPELINE.types)
    assert files[4].key == "orders/dt=2026-01-01/orders-000004.csv.gz"
    assert files == plan(catalogue.scenario("smoke"), PIPELINE, 1, None, whole=True)


def test_overrides_replace_what_the_scenario_says() -> None:
    scenario = with_overrides(catalogue.scenario("steady"), 60, 30, 5)
    files = plan(scenario, PIPELINE, 1, None, whole=True)
    assert len(files) == 30
    assert {file.records for file in files} == {5}


def test_types_come_as_often_as_their_share_says() -> None:
    types = dict(PIPELINE.types)
    types["orders"] = types["orders"].model_copy(update={"share": 3.0})
    skewed = PIPELINE.model_copy(update={"types": types})
    chosen = list(islice(mixed_types(skewed), 600))
    assert {name: chosen.count(name) for name in types} == {
        "orders": 300, "clicks": 100, "payments": 100, "inventory": 100,
    }  # fmt: skip


def test_days_pass_in_keys() -> None:
    scenario = with_overrides(catalogue.scenario("steady"), 1 / 60, 3 * 86_400, None)
    days = {file.key.split("/")[1] for file in plan(scenario, PIPELINE, 1, None, whole=True)}
    assert days == {"dt=2026-01-01", "dt=2026-01-02", "dt=2026-01-03"}


def _orders(directory: Path, files: int, rows: int) -> Path:
    (directory / "orders").mkdir(parents=True)
    for number in range(files):
        text = "order_id\n" + "".join(f"{number * rows + row}\n" for row in range(rows))
        (directory / "orders" / f"{number}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return directory


def test_a_replay_is_sent_whole_however_long_it_takes(tmp_path: Path) -> None:
    replay = Replay(_orders(tmp_path, files=30, rows=10), records_per_file=5)
    smoke = catalogue.scenario("smoke")
    assert len(plan(smoke, PIPELINE, 1, replay, whole=True)) == 60
    assert len(plan(smoke, PIPELINE, 1, replay, whole=False)) == 24


def test_a_resampled_replay_fills_the_duration(tmp_path: Path) -> None:
    replay = Replay(_orders(tmp_path, files=2, rows=10), order="resampled")
    files = plan(catalogue.scenario("smoke"), PIPELINE, 1, replay, whole=True)
    assert len(files) == 24
    assert len({file.key for file in files}) == 24


def test_what_cannot_be_replayed_is_named(tmp_path: Path) -> None:
    (tmp_path / "unknown").mkdir()
    with pytest.raises(UsageError, match=r"--replay: .*unknown"):
        plan(catalogue.scenario("smoke"), PIPELINE, 1, Replay(tmp_path), whole=True)


def test_an_unknown_scenario_is_told_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"'nope' is not a scenario; there are .*smoke"):
        catalogue.scenario("nope")
