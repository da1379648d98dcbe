"""Faults of the warehouse: locks, a merge that is ended half-way, slow COPYs, a full disk."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness import sql, warehouse_model
from harness.faults.site import Site

LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class LockHeld:
    """Somebody holds the lock of every type's stage or final table, as VACUUM or an ALTER TABLE would.

    Redshift's COPY into a stage table waits for its lock; a merge waits for the final table's.
    """

    tables: Literal["stage", "final"]

    @property
    def name(self) -> str:
        return f"lock held on every {self.tables} table"

    def names_of(self, site: Site) -> list[str]:
        """The tables whose lock is held."""
        return [
            settings.stage_table if self.tables == "stage" else settings.final_table
            for settings in site.pipeline.types.values()
        ]

    def inject(self, site: Site) -> Callable[[], str | None]:
        began_s = time.time()
        connection = sql.connect(site.aws.endpoints.redshift, "nrt-fault")
        names = self.names_of(site)
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"LOCK {name}")

        def heal() -> str | None:
            waiting = _waiting(site, names)
            connection.rollback()
            connection.close()
            return f"{waiting} sessions waited after {time.time() - began_s:.1f} s" if waiting else None

        return heal


def _waiting(site: Site, tables: list[str]) -> int:
    with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = ANY(%s::regclass[])", (tables,)
        )
        row = cursor.fetchone()
        return int(row[0]) if row else 0


@dataclass(frozen=True)
class MergeKilled:
    """The merge's session is ended in the middle of its transaction, once, as by an administrator or a node failure.

    The final tables are locked until a merge waits for them: so it is caught half-way, not between two runs.
    """

    @property
    def name(self) -> str:
        return "merge session killed"

    def inject(self, site: Site) -> Callable[[], str | None]:
        lock = LockHeld("final")
        release = lock.inject(site)
        stop, killed = threading.Event(), list[int]()

        def wait_and_kill() -> None:
            while not killed and not stop.wait(LOOK_EVERY_S):
                killed.extend(_kill_waiting_merges(site, lock.names_of(site)))
            release()

        thread = threading.Thread(target=wait_and_kill, name="merge-killer")
        thread.start()

        def heal() -> str | None:
            stop.set()
            thread.join()
            return f"{len(killed)} merge session was ended half-way" if killed else None

        return heal


def _kill_waiting_merges(site: Site, tables: list[str]) -> list[int]:
    with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(
            "SELECT DISTINCT activity.pid FROM pg_stat_activity activity JOIN pg_locks USING (pid) "
            "WHERE application_name = 'nrt-merge' AND NOT granted AND relation = ANY(%s::regclass[])",
            (tables,),
        )
        found = [int(pid) for (pid,) in cursor.fetchall()]
        # A statement of its own: within the query above PostgreSQL may call it before it has looked at the conditions.
        for pid in found:
            cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return found


@dataclass(frozen=True)
class SlowWarehouse:
    """The stand-in keeps to another model of time than the pipeline's own: each COPY takes `copy_s` longer with its
    table's lock held. A model, not a measurement."""

    copy_s: float

    @property
    def name(self) -> str:
        return f"each COPY takes {self.copy_s:g} s (a model)"

    def inject(self, site: Site) -> Callable[[], str | None]:
        own, began_s = site.pipeline.warehouse.model, time.time()
        warehouse_model.apply(own.model_copy(update={"copy_base_s": self.copy_s}), site.aws.endpoints)

        def heal() -> str | None:
            # What is still to be loaded is loaded as slowly, or the model would say nothing of the time it takes.
            site.wait_until_handled()
            warehouse_model.apply(own, site.aws.endpoints)
            slow = sum(
                file.phase_ms.get("copy", 0.0) >= self.copy_s * 1000 and (file.committed_s or 0.0) > began_s
                for file in list(site.history.files.values())
            )
            return f"{slow:,} files took at least {self.copy_s:g} s to COPY" if slow else None

        return heal


@dataclass(frozen=True)
class DiskFull:
    """The warehouse has no room for further rows: every COPY fails as PostgreSQL fails on a full disk (53100); on
    Redshift it says `Disk Full`, error 1016."""

    @property
    def name(self) -> str:
        return "the warehouse's disk is full"

    def inject(self, site: Site) -> Callable[[], str | None]:
        refuse = "RAISE EXCEPTION 'Disk Full' USING ERRCODE = '53100', DETAIL = 'no space left on device'"
        return _on_every_load(site, refuse, "COPYs were refused")


def _on_every_load(site: Site, action: str, did: str) -> Callable[[], str | None]:
    """Have `action` done whenever rows are about to be put into a stage table. A sequence counts: unlike a row it stays
    when the load is rolled back."""
    tables = [settings.stage_table for settings in site.pipeline.types.values()]
    with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE SEQUENCE IF NOT EXISTS public.nrt_fault_loads; GRANT ALL ON public.nrt_fault_loads TO PUBLIC"
        )
        cursor.execute("SELECT setval('public.nrt_fault_loads', 1, false)")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION public.nrt_fault_load() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM nextval('public.nrt_fault_loads'); {action}; RETURN NULL; END $$"
        )
        for table in tables:
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER nrt_fault_load BEFORE INSERT ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION public.nrt_fault_load()"
            )
        connection.commit()

    def heal() -> str | None:
        with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"DROP TRIGGER IF EXISTS nrt_fault_load ON {table}")
                connection.commit()  # table by table: waiting for one must not hold the others
            cursor.execute("SELECT last_value, is_called FROM public.nrt_fault_loads")
            count, is_called = cursor.fetchone() or (0, False)
            cursor.execute("DROP FUNCTION public.nrt_fault_load(); DROP SEQUENCE public.nrt_fault_loads")
            connection.commit()
        return f"{count:,} {did}" if is_called else None

    return heal
