"""Faults of the warehouse: a table's lock held by somebody else, and a merge that is ended half-way."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness import sql
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
