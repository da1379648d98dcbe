"""What the backend database needs to pass for Redshift: functions, system views, byte-length checks, settings.

In: a connection as superuser. Out: objects in `pg_catalog` (so that no search path hides them) and tables in
`redshift_internal`. Installing again changes nothing but the definitions.
"""

import hashlib
import re
from pathlib import Path

import psycopg2
from psycopg2 import sql

from harness.redshift.connect import Address

_FILES = (
    "tables.sql", "long_names.sql", "functions.sql", "moments.sql", "hashes.sql", "farm_hash.sql", "scalars.sql",
    "bytes.sql", "texts.sql", "aggregates.sql", "lengths.sql", "declared.sql", "catalog.sql", "late_views.sql",
    "views.sql", "shows.sql", "privileges.sql", "administration.sql", "storage.sql",
)  # fmt: skip
# The whole name of what a column names, in place of the call: PostgreSQL would read the function's text again in every
# statement that uses a view, which takes it 30 microseconds for each call.
_SHOWN = re.compile(r"redshift_internal\.shown\(([a-z_.]+)\)")
_IN_PLACE = r"(case when octet_length(\1::text) < 60 then \1::text else redshift_internal.long_name(\1) end)"
_LOCK = 4_711_201  # two gateways may start on one database at the same time


def create_roles(address: Address, user: str, password: str) -> None:
    """Create or alter what the whole backend has once: the client's user, a superuser, and Redshift's roles.

    Raises:
        psycopg2.Error: the backend cannot be reached or the user is no superuser.
    """
    connection = address.connect()
    try:
        with connection, connection.cursor() as cursor:  # another gateway may do this from another database
            cursor.execute("lock table pg_catalog.pg_authid in share update exclusive mode")
            _create_user(cursor, user, password)
            _create_system_roles(cursor)
    finally:
        connection.close()


def install(address: Address) -> list[str]:
    """Create everything that a database has, unless this very version is there; the long names that it knows.

    Raises:
        psycopg2.Error: the backend cannot be reached or the user is no superuser.
    """
    connection = address.connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("set local allow_system_table_mods = on; set local client_min_messages = warning")
            scripts = [_SHOWN.sub(_IN_PLACE, (Path(__file__).parent / name).read_text()) for name in _FILES]
            version = hashlib.sha256("".join(scripts).encode()).hexdigest()
            if _installed_version(cursor) == version:
                return _long_names(cursor)
            for script in scripts:
                cursor.execute(script)
            database = sql.Identifier(address.database)
            cursor.execute(
                sql.SQL("alter database {} set default_transaction_isolation = 'repeatable read'").format(database)
            )
            if connection.server_version >= 180000:  # which warns of every MD5 password, the kind that Redshift has
                cursor.execute(sql.SQL("alter database {} set md5_password_warnings = off").format(database))
            cursor.execute("delete from redshift_internal.version")
            cursor.execute("insert into redshift_internal.version values (%s)", (version,))
            for name, value in _SETTINGS.items():
                cursor.execute(
                    sql.SQL("alter database {} set {} = {}").format(
                        sql.Identifier(address.database), sql.Identifier("redshift", name), sql.Literal(value)
                    )
                )
            return _long_names(cursor)
    finally:
        connection.close()


def _long_names(cursor: psycopg2.extensions.cursor) -> list[str]:
    cursor.execute("select long from redshift_internal.long_name")
    return [name for (name,) in cursor.fetchall()]


def _installed_version(cursor: psycopg2.extensions.cursor) -> str | None:
    cursor.execute("select to_regclass('redshift_internal.version') is not null")
    if cursor.fetchone() != (True,):
        return None
    cursor.execute("select version from redshift_internal.version")
    found = cursor.fetchone()
    return str(found[0]) if found else None


def _create_user(cursor: psycopg2.extensions.cursor, user: str, password: str) -> None:
    cursor.execute("select 1 from pg_roles where rolname = %s", (user,))
    verb = "alter" if cursor.fetchone() else "create"
    cursor.execute(
        sql.SQL("{} role {} login superuser password {}").format(
            sql.SQL(verb), sql.Identifier(user), sql.Literal(password)
        )
    )


def _create_system_roles(cursor: psycopg2.extensions.cursor) -> None:
    """What "Amazon Redshift system-defined roles" lists; they may be granted, and permit nothing here."""
    cursor.execute("select rolname from pg_roles")
    there = {name for (name,) in cursor.fetchall()}
    for name in ("sys:operator", "sys:dba", "sys:superuser", "sys:secadmin", "sys:monitor"):
        if name not in there:
            cursor.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("comment on role {} is 'a role of Redshift'").format(sql.Identifier(name)))


_SETTINGS = {
    "enable_case_sensitive_identifier": "off",
    "enable_case_sensitive_super_attribute": "off",
    "enable_result_cache_for_session": "on",
    "query_group": "default",
    "wlm_query_slot_count": "1",
    "describe_field_name_in_uppercase": "off",
    "enable_numeric_rounding": "on",
    "json_serialization_enable": "off",
    "json_parse_dedup_attributes": "off",
    "json_parse_truncate_strings": "off",
    "navigate_super_null_on_error": "on",
    "cast_super_null_on_error": "on",
    "parse_super_null_on_error": "off",
    "analyze_threshold_percent": "10",
    "max_cursor_result_set_size": "0",
    "last_copy_count": "0",
    "last_copy_id": "-1",
}
