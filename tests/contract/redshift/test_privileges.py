"""System views of roles and of what is granted. Source: Database Developer Guide, the page of each."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented


@pytest.fixture
def names(sql: Sql, schema: str) -> Iterator[dict[str, str]]:
    """A user, two roles of which it has the first by way of the second, and a group."""
    found = {kind: f"{schema}_{kind}" for kind in ("user", "inner", "outer", "group")}
    sql(f"create user {found['user']} password 'Abcd1234'")
    sql(f"create role {found['inner']}")
    sql(f"create role {found['outer']}")
    sql(f"create group {found['group']}")
    sql(f"grant role {found['inner']} to role {found['outer']}")
    sql(f"grant role {found['outer']} to {found['user']} with admin option")
    yield found
    for statement in ("drop role {outer} force", "drop role {inner} force", "drop group {group}"):
        sql(statement.format(**found))
    sql(f"alter default privileges in schema {schema} revoke all on tables from {found['user']}")
    sql(f"revoke all on all tables in schema {schema} from {found['user']}")
    sql(f"revoke all on schema {schema} from {found['user']}")
    sql(f"drop user {found['user']}")


@source("SVV_ROLES")
def test_roles_are_listed_and_groups_are_not(sql: Sql, names: dict[str, str]) -> None:
    listed = dict(sql("select role_name, role_owner from svv_roles"))
    assert {names["inner"], names["outer"], "sys:monitor"} <= set(listed)
    assert listed["sys:monitor"] == "rdsdb"
    assert not {names["group"], names["user"]} & set(listed)


@source("SVV_ROLE_GRANTS")
def test_roles_of_roles(sql: Sql, names: dict[str, str]) -> None:
    rows = sql(f"select role_name, granted_role_name from svv_role_grants where role_name = '{names['outer']}'")
    assert rows == [(names["outer"], names["inner"])]


@source("SVV_USER_GRANTS")
def test_roles_of_users(sql: Sql, names: dict[str, str]) -> None:
    rows = sql(f"select user_name, role_name, admin_option from svv_user_grants where user_name = '{names['user']}'")
    assert rows == [(names["user"], names["outer"], True)]


@source("USER_IS_MEMBER_OF")
def test_membership_goes_through_roles(sql: Sql, names: dict[str, str]) -> None:
    user, inner, outer, group = names["user"], names["inner"], names["outer"], names["group"]
    assert sql(
        f"select user_is_member_of('{user}', '{inner}'), user_is_member_of('{user}', '{group}'),"
        f" role_is_member_of('{outer}', '{inner}'), role_is_member_of('{inner}', '{outer}')"
    ) == [(True, False, True, False)]


@source("SVV_SCHEMA_PRIVILEGES")
def test_privileges_of_each_kind(sql: Sql, schema: str, names: dict[str, str]) -> None:
    user, role = names["user"], names["inner"]
    sql("create table kept (a int, b int)")
    sql(f"grant usage on schema {schema} to {user}; grant create on schema {schema} to role {role}")
    sql(f"grant select (a) on kept to {user}")
    sql(f"create function {schema}.twice(integer) returns integer stable as $$ select $1 * 2 $$ language sql")
    sql(f"grant execute on function {schema}.twice(integer) to {user}")
    sql(f"grant temp on database dev to {user}")
    try:
        select = "select privilege_type, identity_name, identity_type, admin_option from"
        assert sorted(sql(f"{select} svv_schema_privileges where namespace_name = '{schema}'")) == [
            ("CREATE", role, "role", False), ("USAGE", user, "user", False),
        ]  # fmt: skip
        assert sql(f"{select} svv_column_privileges where namespace_name = '{schema}' and column_name = 'a'") == [
            ("SELECT", user, "user", False)
        ]
        assert sql(
            f"select function_name, argument_types, privilege_type from svv_function_privileges"
            f" where identity_name = '{user}' and namespace_name = '{schema}'"
        ) == [("twice", "integer", "EXECUTE")]
        assert sql(f"{select} svv_database_privileges where database_name = 'dev' and identity_name = '{user}'") == [
            ("TEMP", user, "user", False)
        ]
        functions = "select function_name, function_type, argument_type, result_type from svv_redshift_functions"
        assert sql(f"{functions} where schema_name = '{schema}'") == [
            ("twice", "REGULAR FUNCTION", "integer", "integer")
        ]
    finally:
        sql(f"revoke temp on database dev from {user}")
        sql(f"drop function {schema}.twice(integer)")


@source("SVV_DEFAULT_PRIVILEGES")
def test_default_privileges(sql: Sql, schema: str, names: dict[str, str]) -> None:
    sql(f"alter default privileges in schema {schema} grant select on tables to {names['user']}")
    assert sql(
        "select object_type, owner_name, privilege_type, grantee_name, grantee_type, admin_option"
        f" from svv_default_privileges where schema_name = '{schema}'"
    ) == [("RELATION", "awsuser", "SELECT", names["user"], "user", False)]


@source("Visibility of data in system tables and views")
def test_a_user_sees_its_own_roles_only(gateway: Any, names: dict[str, str]) -> None:
    connection = psycopg2.connect(
        host=gateway.host, port=gateway.port, user=names["user"], password="Abcd1234", dbname="dev", sslmode="require"
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("select role_name from svv_roles order by 1")
            assert cursor.fetchall() == [(names["inner"],), (names["outer"],)]
            cursor.execute("select user_name, role_name from svv_user_grants")
            assert cursor.fetchall() == [(names["user"], names["outer"])]
    finally:
        connection.close()


@source("STV_DB_ISOLATION_LEVEL")
def test_isolation_levels_and_running_queries(sql: Sql) -> None:
    assert sql("select trim(isolation_level) from stv_db_isolation_level where db_name = 'dev'") == [
        ("Snapshot Isolation",)
    ]
    assert sql("select count(*) from svv_query_inflight where text like '%svv_query_inflight%'") == [(1,)]
