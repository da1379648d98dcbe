"""Faults of the warehouse: a table's lock held by somebody else, and a warehouse that does not answer."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil

from harness import sql
from harness.errors import HarnessError
from harness.faults.site import Site


@dataclass(frozen=True)
class LockHeld:
    """Somebody holds the lock of every type's stage or final table, as VACUUM or an ALTER TABLE would.

    Redshift's COPY into a stage table waits for its lock; a merge waits for the final table's.
    """

    tables: Literal["stage", "final"]

    @property
    def name(self) -> str:
        return f"lock held on every {self.tables} table"

    def inject(self, site: Site) -> Callable[[], str | None]:
        began_s = time.time()
        connection = sql.connect(site.aws.endpoints.redshift, "nrt-fault")
        names = [
            settings.stage_table if self.tables == "stage" else settings.final_table
            for settings in site.pipeline.types.values()
        ]
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
class WarehouseHangs:
    """The warehouse accepts connections and answers nothing, as in a failover: its process is stopped."""

    @property
    def name(self) -> str:
        return "warehouse does not answer"

    def inject(self, site: Site) -> Callable[[], str | None]:
        try:
            process = psutil.Process(site.aws.endpoints.pids["redshift"])
        except (KeyError, psutil.Error) as error:
            raise HarnessError(f"{self.name}: there is no process of the warehouse to stop") from error
        began_s = time.time()
        process.send_signal(signal.SIGSTOP)

        def heal() -> str | None:
            was_stopped = process.status() == psutil.STATUS_STOPPED
            process.send_signal(signal.SIGCONT)
            return f"did not answer for {time.time() - began_s:.1f} s" if was_stopped else None

        return heal
