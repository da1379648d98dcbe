"""Probes against a real PostgreSQL."""

from harness import sql
from harness.probes import stage_rows_of
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
