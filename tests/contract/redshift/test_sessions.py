"""Who connects and who may: the connection log, roles, unknown statements. Source: Database Developer Guide"""

import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redshift_connector

from harness.redshift import Listening, Settings, running

Sql = Callable[..., list[tuple[Any, ...]]]
USER, PASSWORD, DATABASE = "awsuser", "Secret-Passw0rd", "dev"
EVENTS = """select trim(event), trim(username), trim(dbname), trim(authmethod), sslversion <> '', duration,
                   protocol_version from stl_connection_log where application_name = %s order by recordtime"""


@pytest.mark.documented("STL_CONNECTION_LOG")
def test_connections_are_logged(gateway: Listening, sql: Sql) -> None:
    name = f"app-{secrets.token_hex(4)}"
    with redshift_connector.connect(
        host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, database=DATABASE, ssl=False,
        application_name=name,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("select driver_version from stl_connection_log where application_name = %s", (name,))
        assert [row[0].split(" ")[:3] for row in cursor.fetchall()] == [["Redshift", "Python", "Driver"]]
    while len(events := sql(EVENTS, name)) < 2:
        pass  # it is written once the gateway has seen the end
    assert [event[:5] + event[6:] for event in events] == [
        ("initiating session", USER, DATABASE, "password", False, 2),
        ("disconnecting session", USER, DATABASE, "password", False, 2),
    ]
    assert events[0][5] == 0 < events[1][5]


@pytest.mark.documented("SYS_CONNECTION_LOG")
def test_the_log_names_the_encryption(sql: Sql) -> None:
    assert sql("select distinct left(ssl_version, 4) from sys_connection_log where session_id = pg_backend_pid()") == [
        ("TLSv",)
    ]


@pytest.mark.documented("GRANT")
def test_roles_are_granted(sql: Sql, schema: str) -> None:
    member = "select 1 from pg_auth_members m join pg_roles r on r.oid = m.roleid where r.rolname = %s"
    sql(f"create role {schema}_a; create role {schema}_b; create user {schema}_u password 'Abcdef123'")
    try:
        sql(f"grant role {schema}_a, role sys:monitor to {schema}_u with admin option")
        sql(f"grant role {schema}_b to role {schema}_a")
        sql("create table t (a integer)")
        sql(f"grant select on t to role {schema}_b")
        assert [len(sql(member, name)) for name in (f"{schema}_a", f"{schema}_b", "sys:monitor")] == [1, 1, 1]
        assert sql(f"select has_table_privilege('{schema}_u', 't', 'select')") == [(True,)]
        sql(f"revoke role {schema}_a, role sys:monitor from {schema}_u")
        sql(f"revoke select on t from role {schema}_b")
        assert sql(f"select has_table_privilege('{schema}_u', 't', 'select')") == [(False,)]
        with pytest.raises(psycopg2.errors.SyntaxError):
            sql(f"grant role {schema}_a {schema}_u")
    finally:
        sql(f"drop user {schema}_u; drop role {schema}_a; drop role {schema}_b")


@pytest.mark.documented("SHOW GRANTS")
def test_grants_on_other_objects_are_shown(sql: Sql, schema: str) -> None:
    user, role = f"{schema}_u", f"{schema}_r"
    sql(f"create table t (a integer); create user {user} password 'Abcdef123'; create role {role}")
    sql("create function f (int) returns int stable as $$ select $1 $$ language sql")
    sql("create function f (varchar) returns int stable as $$ select 1 $$ language sql")
    try:
        sql(f"grant usage on schema {schema} to {user} with grant option")
        sql(f"grant create on schema {schema} to role {role}; grant create on database dev to {user}")
        sql(f"grant select on t to {user}; revoke all on function f(int) from public")
        sql(f"grant execute on function f(int) to {user}")
        assert [row[:5] + row[6:] for row in sql(f"show grants on schema dev.{schema}")] == [
            ("dev", schema, schema, "SCHEMA", "CREATE", role, "role", False, "SCHEMA", USER),
            ("dev", schema, schema, "SCHEMA", "USAGE", user, "user", True, "SCHEMA", USER),
        ]
        of_database = sql(f"show grants on database dev for {user}")
        assert [row[:2] + row[3:] for row in of_database] == [("dev", "CREATE", user, "user", False, "DATABASE")]
        assert [row[1] for row in sql("show grants on database dev for public")] == ["TEMP"]
        executed = [row[4:5] + row[6:7] for row in sql(f"show grants on function {schema}.f(integer)")]
        assert executed == [("EXECUTE", user)]
        assert [row[6] for row in sql(f"show grants on function dev.{schema}.f(varchar)")] == ["public"]
        assert [row[:5] + row[6:] for row in sql(f"show grants for {user} from database dev")] == [
            ("dev", None, None, "DATABASE", "CREATE", user, "user", "DATABASE"),
            ("dev", schema, "f", "FUNCTION", "EXECUTE", user, "user", "FUNCTION"),
            ("dev", schema, None, "SCHEMA", "USAGE", user, "user", "SCHEMA"),
            ("dev", schema, "t", "TABLE", "SELECT", user, "user", "TABLE"),
        ]
        assert [row[4] for row in sql(f"show grants for role {role} limit 1")] == ["CREATE"]
    finally:
        sql(f"revoke create on database dev from {user}; revoke all on schema {schema} from {user}")
        sql(f"revoke all on schema {schema} from role {role}; drop function f(int); drop table t")
        sql(f"drop user {user}; drop role {role}")


@pytest.mark.documented("SHOW GRANTS")
def test_of_one_privilege_users_are_shown_in_the_order_in_which_they_were_made(sql: Sql, schema: str) -> None:
    users = [f"{schema}_z", f"{schema}_a"]
    sql("create table t (a integer)")
    for user in users:
        sql(f"create user {user} password 'Abcdef123'; grant select on t to {user}")
    shown = [row[6] for row in sql(f"show grants on table {schema}.t")]
    sql(f"drop table t; drop user {users[0]}; drop user {users[1]}")
    assert shown == users


@pytest.mark.documented("SHOW GRANTS")
def test_grants_on_a_table_are_shown(sql: Sql, schema: str) -> None:
    user = f"{schema}_u"
    sql(f"create table t (a integer); create user {user} password 'Abcdef123'; create group {schema}_g")
    try:
        assert sql(f"show grants on table {schema}.t") == []
        sql(f"grant select on t to {user} with grant option; grant insert on t to group {schema}_g")
        sql("grant update on t to public")
        shown = sql(f'show grants on table "dev"."{schema}"."t"')
        place = ("dev", schema, "t", "TABLE")
        assert [row[:5] + row[6:] for row in shown] == [
            (*place, "INSERT", f"/{schema}_g", "role", False, "TABLE", USER),
            (*place, "SELECT", user, "user", True, "TABLE", USER),
            (*place, "UPDATE", "public", "public", False, "TABLE", USER),
        ]
        assert [row[6] for row in sql(f"show grants on table {schema}.t for {user} limit 5")] == [user]
    finally:
        sql(f"drop table t; drop user {user}; drop group {schema}_g")


@pytest.fixture(scope="module")
def tolerant(postgres: Any, s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """A gateway that gives PostgreSQL what it does not know."""
    settings = Settings(
        postgres=postgres.dsn, user=USER, password=PASSWORD, tls_dir=Path(tmp_path_factory.mktemp("tolerant")),
        s3_endpoint=s3_endpoint, unknown_statements="log",
    )  # fmt: skip
    with running(settings) as listening:
        yield listening


UNKNOWN = ["do 'begin end'", "create sequence {}.numbers", "checkpoint"]


@pytest.mark.documented("Unsupported PostgreSQL features")
@pytest.mark.parametrize("statement", UNKNOWN)
def test_an_unknown_statement_is_refused_by_default(sql: Sql, schema: str, statement: str) -> None:
    with pytest.raises(psycopg2.Error) as raised:
        sql(statement.format(schema))
    assert raised.value.pgcode in ("42601", "0A000")


@pytest.mark.documented("Unsupported PostgreSQL features")
@pytest.mark.parametrize("statement", UNKNOWN)
def test_an_unknown_statement_is_loudly_logged_by_configuration(
    tolerant: Listening, schema: str, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = psycopg2.connect(
        host=tolerant.host, port=tolerant.port, user=USER, password=PASSWORD, dbname=DATABASE, sslmode="disable"
    )
    try:
        connection.autocommit = True
        with caplog.at_level(logging.WARNING, "harness.redshift.session"):
            connection.cursor().execute(statement.format(schema))
        assert "is unknown to the Redshift stand-in" in connection.notices[-1]
        assert statement.format(schema) in caplog.text
        with pytest.raises(psycopg2.errors.SyntaxError):  # what Redshift is known to refuse is refused here too
            connection.cursor().execute("insert into t values (1) on conflict do nothing")
    finally:
        connection.close()


def test_a_driver_gets_the_warning_too(tolerant: Listening) -> None:
    with redshift_connector.connect(
        host=tolerant.host, port=tolerant.port, user=USER, password=PASSWORD, database=DATABASE, ssl=False
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("do 'begin end'")
        assert any(b"is unknown to the Redshift stand-in" in notice[b"M"] for notice in connection.notices)
