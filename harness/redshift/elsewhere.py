"""Other databases of the cluster: made ready for sessions, and their catalogs read for a SHOW that names one.

In: what a SHOW lists, and the database it names. Out: the statement that hands the rows to the client's own session,
from whose query they come (`ROWS`), so that columns, portals and formats are PostgreSQL's. The gateway reads them over
a connection of its own, as the client's user, and closes it: no database is kept from being dropped. Source: Database
Developer Guide, "Querying data across databases": the user must have access to the database.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg2
from psycopg2 import sql

from harness.redshift import catalog
from harness.redshift.connect import Address
from harness.redshift.plan import Listed
from harness.redshift.tokens import quote_string

_SETTING = "redshift.elsewhere"
ROWS = f"json_populate_recordset(NULL::{{0}}, nullif(current_setting('{_SETTING}', true), '')::json)"


class NoSuchDatabase(Exception):
    """The cluster has no database of this name."""


class Databases:
    """The databases of the backend, each reached as the client's user."""

    def __init__(self, address: Address, user: str, password: str) -> None:
        self._address, self._user, self._password = address, user, password
        self._prepared: set[str] = set()

    def address(self, database: str) -> Address:
        return replace(self._address.as_user(self._user, self._password), database=database)

    def prepare(self, database: str) -> list[str]:
        """Install the catalog in a database that a client made, unless it is there; the long names that it knows.

        Raises:
            NoSuchDatabase: there is none.
            psycopg2.Error: the backend cannot be reached, or refuses.
        """
        with self._named(database):
            names = catalog.install(replace(self._address, database=database))
        self._prepared.add(database)
        return names

    @contextmanager
    def _named(self, database: str) -> Iterator[None]:
        """Tells a database that there is not from one that cannot be reached, which PostgreSQL's driver does not."""
        try:
            yield
        except psycopg2.OperationalError:
            connection = self._address.connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (database,))
                    if cursor.fetchone():
                        raise
            finally:
                connection.close()
            raise NoSuchDatabase from None

    async def shown(self, listed: Listed | None, database: str) -> list[str]:
        """The statement after which a session's query has the rows of the database that is named, if that is not the
        session's own."""
        if listed is None or listed.names[0] in (None, database):
            return []
        rows = await asyncio.to_thread(self._read, listed)
        return [f"SET {_SETTING} = {quote_string(rows)}"]

    def _read(self, listed: Listed) -> str:
        database, *names = listed.names
        columns = [sql.Identifier(column) for column in listed.columns[1:]]
        conditions: list[sql.Composable] = [sql.SQL("{} = %s").format(column) for column in columns]
        query = sql.SQL("SELECT coalesce(json_agg(v), '[]')::text FROM redshift_internal.{} v WHERE {}").format(
            sql.Identifier(listed.view), sql.SQL(" AND ").join(conditions or [sql.SQL("true")])
        )
        try:
            connection = self._connect(str(database))
        except NoSuchDatabase:
            return "[]"
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, names)
                ((rows,),) = cursor.fetchall()
                return str(rows)
        finally:
            connection.close()

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        """A connection to a database that has the catalog, which it has not if it was dropped and made anew."""
        if database not in self._prepared:
            self.prepare(database)
        with self._named(database):
            connection = self.address(database).connect()
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regnamespace('redshift_internal') IS NULL")
            if cursor.fetchall() == [(True,)]:
                self.prepare(database)
        return connection
