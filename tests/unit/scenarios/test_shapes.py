"""What shapes make of a schedule: the same files, with what makes them special, and the same for the same seed."""

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from generators.arrivals import constant
from generators.files import decode
from harness import pipeline as pipelines
from harness.checks import default_checks
from harness.load.feeder import content
from harness.load.schedule import PlannedFile
from harness.plan import mixed_types, plan
from harness.scenario import Scenario, Workload
from harness.shapes import Backdated, Poisoned, Shaped, Unusual, Versions, Workshop

PIPELINE = pipelines.load(Path(__file__).parents[3] / "pipeline.toml")
PLAIN = Shaped(
    tuple(plan(Scenario("s", "?", Workload(constant(60), 20), 32, default_checks()), PIPELINE, 1, None, whole=False))
)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(PIPELINE, 1, tmp_path / "inputs")


def _indexes(shaped: Shaped) -> list[tuple[int, str, float]]:
    return [(file.index, file.type, file.at_s) for file in shaped.files]


def _bytes(file: PlannedFile) -> bytes:
    return content(file, PIPELINE.dataset(file.type), 1)


@pytest.mark.parametrize(
    "shape", [Poisoned(every=2), Versions(), Backdated(every=3, days=5), Unusual()], ids=lambda s: str(s)
)
def test_times_and_types_stay_and_the_bytes_are_the_same_again(
    shape: Poisoned | Versions | Backdated | Unusual, workshop: Workshop, tmp_path: Path
) -> None:
    once = shape.apply(PLAIN, workshop)
    again = shape.apply(PLAIN, replace(workshop, directory=tmp_path / "again"))
    assert _indexes(once) == _indexes(PLAIN)
    assert [_bytes(file) for file in once.files] == [_bytes(file) for file in again.files]
    assert len({file.key for file in once.files}) == len(once.files)


def test_poison_is_every_second_file_of_each_type_and_only_that(workshop: Workshop) -> None:
    shaped = Poisoned(every=2).apply(PLAIN, workshop)
    assert len(shaped.rejects) == len(PLAIN.files) // 2
    for file, plain in zip(shaped.files, PLAIN.files, strict=True):
        assert (_bytes(file) != _bytes(plain)) == (file.index in shaped.rejects)
        assert file.key.startswith(PIPELINE.types[file.type].prefix)


def test_versions_share_their_keys_and_every_other_newer_one_comes_first(workshop: Workshop) -> None:
    shaped = Versions().apply(PLAIN, workshop)
    dataset = PIPELINE.dataset("orders")
    orders = [decode(_bytes(file), dataset) for file in shaped.files if file.type == "orders"]
    half, newer_first = len(orders) // 2, []
    for first, second in zip(orders[:half], orders[half:], strict=True):
        assert first["order_id"] == second["order_id"]
        newer_first.append(pc.min(first["updated_at"]).as_py() > pc.max(second["updated_at"]).as_py())
    assert newer_first == [number % 2 == 0 for number in range(half)]


def test_back_dated_files_are_of_earlier_days(workshop: Workshop) -> None:
    shaped = Backdated(every=3, days=5).apply(PLAIN, workshop)
    changed = [file for file, plain in zip(shaped.files, PLAIN.files, strict=True) if file.key != plain.key]
    assert len(changed) == len([file for file in PLAIN.files if file.index % 3 == 0])
    days = {file.key.split("dt=")[1][:10] for file in changed}
    assert len(days) == 5
    assert max(days) < "2026-01-01"


def test_skew_gives_the_first_type_its_many_files() -> None:
    types = mixed_types(PIPELINE, skewed_to_first=20)
    drawn = [next(types) for _ in range(230)]
    assert drawn.count("orders") == 200
    assert all(drawn.count(name) == 10 for name in PIPELINE.types if name != "orders")


def test_unusual_files_have_odd_names_or_bytes_and_the_records_they_would_have_had(workshop: Workshop) -> None:
    shaped = Unusual().apply(PLAIN, workshop)
    assert not shaped.rejects
    for file, plain in zip(shaped.files, PLAIN.files, strict=True):
        dataset = PIPELINE.dataset(file.type)
        assert file.key != plain.key
        assert file.key.startswith(PIPELINE.types[file.type].prefix)
        assert decode(_bytes(file), dataset) == decode(_bytes(plain), dataset)
    assert any(" " in file.key and "+" in file.key and not file.key.isascii() for file in shaped.files)
    assert any(_bytes(file) != _bytes(plain) for file, plain in zip(shaped.files, PLAIN.files, strict=True))
