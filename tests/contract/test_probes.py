"""Probes against a real PostgreSQL."""

import pytest

from harness import sql
from harness.probes import COUNTING_SHARE_MAX, QUEUES_PER_S_MAX, StageCounts, sample_every_s, stage_rows_of
from harness.stack.endpoints import Endpoints


def test_a_locked_stage_table_does_not_hold_up_the_sampler(postgres_only: Endpoints) -> None:
    with sql.backend(postgres_only) as owner, sql.backend(postgres_only) as probe, owner.cursor() as cursor:
        probe.autocommit = True
        cursor.execute("CREATE SCHEMA probes; CREATE TABLE probes.stage AS SELECT generate_series(1, 7)")
        owner.commit()
        assert stage_rows_of(probe, "probes.stage") == 7
        cursor.execute("LOCK TABLE probes.stage IN ACCESS EXCLUSIVE MODE")
        assert stage_rows_of(probe, "probes.stage") is None
        owner.rollback()
        assert stage_rows_of(probe, "probes.stage") == 7
        cursor.execute("DROP SCHEMA probes CASCADE")
        owner.commit()


def test_a_table_that_takes_long_to_count_is_counted_seldom(postgres_only: Endpoints) -> None:
    times = iter([0.0, 0.1, 2.0, 0.1 / COUNTING_SHARE_MAX, 0.1 / COUNTING_SHARE_MAX + 0.1])
    counts = StageCounts(clock=lambda: next(times))
    with sql.backend(postgres_only) as probe:
        assert counts.rows_of(probe, "pg_am") is not None  # took 0.1 s by that clock
        assert counts.rows_of(probe, "pg_am") is None
        assert counts.rows_of(probe, "pg_am") is not None


@pytest.mark.parametrize(("types", "every_s"), [(1, 2.0), (16, 2.0), (17, 2.125), (64, 8.0)])
def test_many_types_are_looked_at_less_often(types: int, every_s: float) -> None:
    assert sample_every_s(types) == every_s
    assert 2 * types / every_s <= QUEUES_PER_S_MAX
