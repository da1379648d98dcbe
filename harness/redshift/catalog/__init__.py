"""What the backend database needs to pass for Redshift: functions, system views, byte-length checks, settings.

In: a connection as superuser. Out: objects in `pg_catalog` (so that no search path hides them) and tables in
`redshift_internal`. Installing again changes nothing but the definitions.
"""

from pathlib import Path

import psycopg2
from psycopg2 import sql

from harness.redshift.connect import Address

_FILES = ("tables.sql", "functions.sql", "lengths.sql", "views.sql")
_LOCK = 4_711_201  # two gateways may start on one database at the same time


def install(address: Address, user: str, password: str) -> None:
    """Create or replace everything, and the client's user as a superuser of the backend.

    Raises:
        psycopg2.Error: the backend cannot be reached or the user is no superuser.
    """
    connection = address.connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("set local allow_system_table_mods = on; set local client_min_messages = warning")
            _create_user(cursor, user, password)
            for name in _FILES:
                cursor.execute((Path(__file__).parent / name).read_text())
            for name, value in _SETTINGS.items():
                cursor.execute(
                    sql.SQL("alter database {} set {} = {}").format(
                        sql.Identifier(address.database), sql.Identifier("redshift", name), sql.Literal(value)
                    )
                )
    finally:
        connection.close()


def _create_user(cursor: psycopg2.extensions.cursor, user: str, password: str) -> None:
    cursor.execute("select 1 from pg_roles where rolname = %s", (user,))
    verb = "alter" if cursor.fetchone() else "create"
    cursor.execute(
        sql.SQL("{} role {} login superuser password {}").format(
            sql.SQL(verb), sql.Identifier(user), sql.Literal(password)
        )
    )


_SETTINGS = {
    "enable_case_sensitive_identifier": "off",
    "enable_case_sensitive_super_attribute": "off",
    "enable_result_cache_for_session": "on",
    "query_group": "default",
    "wlm_query_slot_count": "1",
    "describe_field_name_in_uppercase": "off",
    "enable_numeric_rounding": "on",
    "json_serialization_enable": "off",
    "analyze_threshold_percent": "10",
    "max_cursor_result_set_size": "0",
    "last_copy_count": "0",
    "last_copy_id": "-1",
}
