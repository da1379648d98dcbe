"""Automatic vacuum: the space of deleted rows is used again, as in Redshift, however busy a table is.

In: the PostgreSQL behind the gateway. Out: VACUUMs of tables that hold more deleted rows than rows. PostgreSQL's own
autovacuum takes a table's lock only while nobody has it, which on a stage table that COPYs take in turns is never:
each merge would read all that was ever staged. This one waits for its turn. It leaves the table's length alone, for
that would lock out readers. A table that has been emptied is one that will be filled: what PostgreSQL knows of it
then, no rows, would have the next merge planned for one. Source: Database Developer Guide, "Vacuuming tables": deleted
rows are vacuumed automatically in the background.
"""

import logging
import threading
from contextlib import closing

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, oddly named

from harness.redshift.connect import Address

_logger = logging.getLogger(__name__)
EVERY_S = 1.0
DELETED_ROWS_MIN = 10_000
_MOSTLY_DELETED = """select format('%%I.%%I', schemaname, relname) from pg_stat_user_tables
    where n_dead_tup >= %s and n_dead_tup > n_live_tup order by n_dead_tup desc"""
_EMPTIED = """select format('%I.%I', nspname, relname), pg_class.oid from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where reltuples = 0 and relpages > 0 and relkind = 'r' and relpersistence = 'p' and nspname !~ '^pg_'"""
# The lock that ANALYZE takes, for one transaction. -1: rows are reckoned from the table's length, as before the first
# ANALYZE (pg_class).
_FORGET = """lock table {} in share update exclusive mode;
    update pg_class set reltuples = -1 where oid = {} and reltuples = 0"""


def vacuum(connection: Connection) -> list[str]:
    """Vacuum what needs it, one table after the other; returns their names, quoted for SQL."""
    with connection.cursor() as cursor:
        cursor.execute(_MOSTLY_DELETED, (DELETED_ROWS_MIN,))
        tables = [str(name) for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"vacuum (truncate false) {table}")
    return tables


def forget_emptiness(connection: Connection) -> list[str]:
    """Have the planner reckon again with rows in tables that were found empty; returns their names, quoted for SQL."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTIED)
        tables = [(str(name), int(oid)) for name, oid in cursor.fetchall()]
        for table, oid in tables:
            cursor.execute(_FORGET.format(table, oid))
    return [table for table, _ in tables]


class AutomaticVacuum:
    """Looks once a second, from a thread and a connection of its own, until it is closed."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._stop = threading.Event()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._keep_looking, name="automatic-vacuum", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; a vacuum that waits for a lock is cancelled."""
        self._stop.set()
        while self._thread.is_alive():
            if connection := self._connection:
                try:
                    connection.cancel()
                except psycopg2.Error:
                    _logger.info("no vacuum to cancel: the warehouse is away")
            self._thread.join(0.1)

    def _keep_looking(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                with closing(self._address.connect()) as self._connection:
                    self._connection.autocommit = True
                    while not self._stop.wait(EVERY_S):
                        vacuum(self._connection)
                        forget_emptiness(self._connection)
            except psycopg2.Error as error:  # a warehouse may be killed and come back; a table may be dropped
                _logger.info("automatic vacuum: %s", error)
            finally:
                self._connection = None
