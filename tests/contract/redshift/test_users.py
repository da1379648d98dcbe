"""Users as Redshift has them. Source: Database Developer Guide."""

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented
OPTIONS = (
    "select rolsuper, rolcreatedb, rolconnlimit, rolvaliduntil::date::text, rolpassword from pg_authid "
    "where rolname = %s"
)


@source("CREATE USER")
@pytest.mark.parametrize(("options", "kept"), [
    ("password disable", (False, False, -1, None, None)),
    ("with password 'Abcdef123'", (False, False, -1, None, ...)),
    ("password 'md5153c434b4b77c89e6b94f12c5393af5b' connection limit 5", (False, False, 5, None, ...)),
    ("password 'sha256|Mypassword1'", (False, False, -1, None, ...)),
    ("password 'sha256|00ff|salt'", (False, False, -1, None, None)),
    ("password disable createdb nocreateuser connection limit unlimited syslog access unrestricted",
     (False, True, -1, None, None)),
    ("password 'Abcdef123' createuser valid until '2030-01-01' session timeout 300",
     (True, False, -1, "2030-01-01", ...)),
    ("password disable externalid ABC123 syslog access restricted", (False, False, -1, None, None)),
])  # fmt: skip
def test_a_user_is_made(sql: Sql, schema: str, options: str, kept: tuple[Any, ...]) -> None:
    sql(f"create user {schema}_u {options}")
    try:
        ((*flags, password),) = sql(OPTIONS, f"{schema}_u")
        assert tuple(flags) == kept[:-1]
        assert (password is None) == (kept[-1] is None)
    finally:
        sql(f"drop user {schema}_u")


@source("ALTER USER")
def test_a_user_is_changed(sql: Sql, schema: str) -> None:
    name = f"{schema}_u"
    sql(f"create group {schema}_g; create user {name} password 'Abcdef123' in group {schema}_g")
    try:
        assert sql("select g.groname from pg_group g join pg_user u on u.usesysid = any (g.grolist) where usename = %s",
                   name) == [(f"{schema}_g",)]  # fmt: skip
        sql(f"alter user {name} with createdb, connection limit 3, password disable")
        assert sql(OPTIONS, name) == [(False, True, 3, None, None)]
        sql(f"alter user {name} session timeout 60; alter user {name} reset session timeout")
        sql(f"alter user {name} set search_path to {schema}; alter user {name} reset search_path")
        sql(f"alter user {name} rename to {name}2; alter user {name}2 rename to {name}")
        sql(f"alter user {name} nologin; alter user {name} login password 'Abcdef124'")
        ((password,),) = sql("select rolpassword from pg_authid where rolname = %s", name)
        assert password is not None
    finally:
        sql(f"drop user {name}; drop group {schema}_g")


@source("CREATE USER")
@pytest.mark.parametrize(("statement", "code"), [
    ("create user u", "42601"), ("create user u createdb", "42601"), ("create user u password", "42601"),
    ("create user u password 'short1A'", "22023"), ("create user u password 'alllowercase1'", "22023"),
    ("create user u password 'Abc/defgh1'", "22023"), ("create user u password disable superuser", "42601"),
    ("create user u password disable createuser", "0A000"), ("create user u password disable replication", "42601"),
    ("create user u password disable session timeout 59", "22023"), ("create user", "42601"),
    ("create user u password disable connection limit few", "42601"), ("alter user u bypassrls", "42601"),
    ("create user u password disable in group", "42601"), ("create user u password disable valid until now", "42601"),
])  # fmt: skip
def test_a_user_that_cannot_be(sql: Sql, statement: str, code: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        sql(statement)
    assert caught.value.pgcode == code


@source("CREATE USER")
def test_its_password_is_not_logged(sql: Sql, schema: str, query_log: Any) -> None:
    sql(f"create user {schema}_u with password 'Secret77Abc'")
    sql(f"drop user {schema}_u")
    assert f"create user {schema}_u" in query_log.read_text()
    assert "Secret77Abc" not in query_log.read_text()
