"""Users who log in, and what they may do. Source: Database Developer Guide and Amazon Redshift API Reference."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import awswrangler as wr
import pandas as pd
import psycopg2
import pytest
import redshift_connector

from harness.redshift import Listening, Settings, running
from harness.redshift.connect import Address, BackendRefused, md5_hash, open_session, run

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented
PASSWORD, IAM = "Loader77Abc", "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"


class User:
    """A user of the test's own, and its sessions."""

    def __init__(self, sql: Sql, gateway: Listening, name: str, schema: str) -> None:
        self.sql, self.gateway, self.name, self.schema = sql, gateway, name, schema
        self.opened: list[Any] = []

    def connect(self, password: str = PASSWORD, **options: Any) -> Any:
        where = {"host": self.gateway.host, "port": self.gateway.port, "dbname": "dev", "user": self.name}
        connection = psycopg2.connect(**where | {"password": password, "sslmode": "disable"} | options)
        connection.autocommit = True
        self.opened.append(connection)
        return connection

    def runs(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement in the user's newest session, which finds the test's schema first."""
        if not self.opened:
            self.connect(options=f"-c search_path={self.schema}")
        with self.opened[-1].cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []

    def is_refused(self, statement: str, words: str) -> None:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match=words):
            self.runs(statement)


@pytest.fixture
def user(sql: Sql, gateway: Listening, schema: str) -> Iterator[User]:
    name = f"{schema}_loader"
    sql(f"create user {name} password '{PASSWORD}'")
    sql(f"grant usage on schema {schema} to {name}")
    made = User(sql, gateway, name, schema)
    yield made
    for connection in made.opened:
        connection.close()
    for statement in (f"reassign owned by {name} to awsuser", f"drop owned by {name}", f"drop user {name}"):
        _as_postgres(sql, statement)


def _as_postgres(sql: Sql, statement: str) -> None:
    """What Redshift has no statement for."""
    sql(f"create or replace procedure public.nrt_run() as $$ begin execute '{statement}'; end $$ language plpgsql")
    sql("call public.nrt_run()")
    sql("drop procedure public.nrt_run()")


@source("CREATE USER")
def test_a_user_logs_in_with_its_password_only(user: User) -> None:
    assert user.runs("select current_user, session_user, user") == [(user.name,) * 3]
    for name, password in ((user.name, "Guessed77Abc"), (f"{user.name}x", PASSWORD), ("sys:monitor", "any")):
        with pytest.raises(psycopg2.OperationalError, match=f'password authentication failed for user "{name}"'):
            user.connect(password, user=name)
    user.sql(f"alter user {user.name} password disable")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        user.connect()


@source("CREATE USER")
def test_drivers_and_cleartext_too(user: User, postgres: Any, s3_endpoint: str, tmp_path: Any) -> None:
    with contextlib.closing(redshift_connector.connect(
        host=user.gateway.host, port=user.gateway.port, user=user.name, password=PASSWORD, database="dev", ssl=False,
    )) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute("select current_user")
        assert cursor.fetchone() == [user.name]
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password="Secret-Passw0rd", tls_dir=tmp_path, s3_endpoint=s3_endpoint,
        authentication="cleartext",
    )  # fmt: skip
    with running(settings) as listening:
        user.gateway = listening
        assert user.runs("select current_user") == [(user.name,)]
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            user.connect("Guessed77Abc")


@source("CREATE USER")
def test_hashed_passwords(user: User) -> None:
    user.sql(f"alter user {user.name} password 'md5{md5_hash(user.name, 'Other77Abc')}'")
    user.connect("Other77Abc")
    user.sql(f"alter user {user.name} password 'sha256|Third77Abc'")
    user.connect("Third77Abc")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        user.connect("Other77Abc")


def test_a_session_that_cannot_become_its_users_is_closed(postgres: Any) -> None:
    async def become(user: str) -> bool:
        opened = await open_session(Address.from_dsn(postgres.dsn), {})
        with pytest.raises(BackendRefused, match="does not exist"):
            await run(opened, f"SET SESSION AUTHORIZATION {user}")
        return opened.writer.is_closing()

    assert asyncio.run(become("nobody_at_all"))


@source("ALTER USER")
def test_an_expired_user_and_one_too_many(user: User) -> None:
    user.sql(f"alter user {user.name} valid until '2020-01-01'")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        user.connect()
    user.sql(f"alter user {user.name} valid until '2120-01-01' connection limit 1")
    user.connect()
    with pytest.raises(psycopg2.OperationalError, match="too many connections for user"):
        user.connect()


@source("ALTER USER")
def test_a_user_changes_its_own_password_and_no_other_user(user: User) -> None:
    user.runs(f"alter user {user.name} password 'Changed77Abc'")
    user.connect("Changed77Abc")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        user.runs("alter user awsuser password 'Changed77Abc'")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        user.runs(f"create user {user.name}2 password 'Changed77Abc'")


@source("ALTER USER")
def test_a_users_own_settings_hold_in_its_sessions(user: User) -> None:
    user.sql(f"alter user {user.name} set search_path to {user.schema}, public")
    user.sql(f"alter user {user.name} set enable_case_sensitive_identifier to on")
    user.connect()
    assert user.runs("show search_path") == [(f"{user.schema}, public",)]
    assert user.runs("show enable_case_sensitive_identifier") == [("on",)]
    user.runs("set search_path to public; reset search_path")
    assert user.runs("show search_path") == [(f"{user.schema}, public",)]


@source("GRANT")
def test_a_loader_with_insert_alone_loads_and_does_nothing_else(user: User, s3: Any, prefix: str) -> None:
    s3.put_object(Bucket="landing", Key=f"{prefix}a.csv", Body=b"1,one\n2,two\n")
    user.sql("create table orders (id int, name varchar(10))")
    copy = f"copy orders from 's3://landing/{prefix}' {IAM} csv"
    user.is_refused(copy, "^permission denied for relation orders")
    user.sql(f"grant insert on orders to {user.name}")
    user.runs(copy)
    user.runs("insert into orders values (3, 'three')")
    user.runs("begin; insert into orders values (4, 'four'); rollback")
    user.is_refused("select * from orders", "^permission denied for relation orders")
    user.is_refused("delete from orders", "^permission denied for relation orders")
    user.is_refused("update orders set id = 1", "^permission denied for relation orders")
    user.is_refused("truncate orders", "^permission denied for relation orders")
    user.is_refused("drop table orders", "^must be owner of relation orders")
    assert user.sql("select * from orders order by id") == [(1, "one"), (2, "two"), (3, "three")]
    assert user.runs("select current_user, session_user") == [(user.name, user.name)]


@source("Managing concurrent write operations")
def test_a_users_copy_waits_for_the_tables_lock_and_holds_it(user: User, psycopg: Callable[[], Any]) -> None:
    user.sql("create table orders (id int)")
    user.sql(f"grant insert on orders to {user.name}")
    user.runs("begin")
    user.runs("insert into orders values (1)")
    with psycopg().cursor() as other:
        other.execute("set statement_timeout = 300")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            other.execute("insert into orders values (2)")
        other.execute("select trim(lock_owner) from stv_locks where table_id = 'orders'::regclass::int")
        assert other.fetchall() == [(user.name,)]
    user.runs("commit")
    assert user.sql("select * from orders") == [(1,)]


@source("GRANT")
def test_a_users_tables_are_found_in_the_schema_of_its_own_name(user: User, sql: Sql) -> None:
    sql(f"create schema {user.name} authorization {user.name}")
    user.connect()
    user.runs("create table mine (id int identity(0, 1), name varchar(5)) diststyle all sortkey (name)")
    user.runs("insert into mine (name) values ('a')")
    with pytest.raises(psycopg2.errors.StringDataRightTruncation):
        user.runs("insert into mine (name) values ('äää')")
    user.runs("begin")
    user.runs("update mine set name = 'b'")
    assert user.runs("show search_path") == [('"$user", public',)]
    user.runs("commit")
    assert sql(f"select name from {user.name}.mine") == [("b",)]
    defined = user.runs('select "column", sortkey from pg_table_def where tablename = %s', "mine")
    assert defined == [("id", 0), ("name", 1)]
    user.runs("create view seen as select name from mine")
    sql(f"create view {user.schema}.late as select name from {user.name}.mine with no schema binding")
    user.runs("alter table mine rename to yours; alter table yours rename to mine; drop view seen; drop table mine")
    sql(f"drop schema {user.name} cascade")


@source("ALTER MATERIALIZED VIEW")
def test_only_its_owner_alters_a_materialized_view(user: User) -> None:
    user.sql("create table t (a int); create materialized view totals as select a from t")
    user.sql(f"grant select on totals to {user.name}")
    user.is_refused("alter materialized view totals auto refresh yes", "^must be owner of")
    assert user.sql("select autorefresh from svv_mv_info where schema_name = %s", user.schema) == [("f",)]


@source("CREATE TABLE")
def test_everybody_may_create_in_public_and_nowhere_else(user: User) -> None:
    user.connect()
    user.runs(f"create table public.{user.name}_t (id int)")
    user.runs(f"drop table public.{user.name}_t")
    user.runs("create temp table scratch (id int); insert into scratch values (1)")
    user.is_refused(f"create table {user.schema}.t (id int)", "permission denied for schema")


@source("Security and privileges for stored procedures")
def test_a_procedure_is_called_by_whom_it_was_granted_to(user: User) -> None:
    user.sql("create table orders (id int)")
    for security in ("invoker", "definer"):
        user.sql(f"""create procedure load_{security}() as $$ begin insert into orders values (1); end $$
                     language plpgsql security {security}""")
        user.is_refused(f"call load_{security}()", f"permission denied for procedure load_{security}")
        user.sql(f"grant execute on procedure load_{security}() to {user.name}")
    user.is_refused("call load_invoker()", "permission denied for relation orders")
    user.runs("call load_definer()")
    user.sql("create or replace procedure load_definer() as $$ begin null; end $$ language plpgsql security definer")
    user.runs("call load_definer()")
    assert user.sql("select count(*) from orders") == [(1,)]


@source("SET SESSION AUTHORIZATION")
def test_a_user_stays_who_it_is_and_a_superuser_may_be_another(user: User, sql: Sql) -> None:
    for statement in ("set session authorization awsuser", "set local session authorization 'awsuser'"):
        user.is_refused(statement, "permission denied to set session authorization")
    for statement in ("set session authorization default", "reset session authorization"):
        user.runs(statement)
        assert user.runs("select session_user") == [(user.name,)]
    sql("create table orders (id int)")
    sql(f"grant insert on orders to {user.name}")
    sql(f"set session authorization {user.name}")
    try:
        sql(f"insert into {user.schema}.orders values (1)")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            sql(f"select * from {user.schema}.orders")
        assert sql("select current_user") == [(user.name,)]
    finally:
        sql("reset session authorization")
    assert sql("select current_user") == [("awsuser",)]


@source("Visibility of data in system tables and views")
def test_a_user_sees_what_it_did_itself(user: User, sql: Sql, s3: Any, prefix: str) -> None:
    sql("create table orders (id int)")
    sql(f"grant insert on orders to {user.name}")
    s3.put_object(Bucket="landing", Key=f"{prefix}a.csv", Body=b"x\n")
    copy = f"copy {user.schema}.orders from 's3://landing/{prefix}' {IAM} csv"
    for runs in (sql, user.runs):
        with pytest.raises(psycopg2.Error, match="stl_load_errors"):
            runs(copy)
    ((me,),) = user.runs("select usesysid::int from pg_user where usename = current_user")
    assert user.runs("select distinct userid from stl_load_errors") == [(me,)]
    assert user.runs("select distinct userid from stl_query") == [(me,)]
    assert user.runs("select distinct user_id, username from sys_query_history") == [(me, user.name)]
    assert user.runs("select trim(user_name) from stv_sessions") == [(user.name,)]
    recents = "select trim(user_name), userid, query like '%stv_recents%' from stv_recents"
    assert user.runs(recents) == [(user.name, me, True)]
    count = "select count(*) from stl_load_errors where filename like %s"
    assert user.runs(count, f"%{prefix}%") == [(1,)]
    assert sql(count, f"%{prefix}%") == [(2,)]
    user.is_refused("select * from stl_connection_log", "permission denied for relation stl_connection_log")
    sql(f"alter user {user.name} syslog access unrestricted")
    assert user.runs(count, f"%{prefix}%") == [(2,)]
    assert sql("select syslogaccess, useconfig from svl_user_info join pg_user_info using (usename) where usename = %s",
               user.name) == [("UNRESTRICTED", None)]  # fmt: skip
    sql(f"alter user {user.name} syslog access restricted; grant role sys:monitor to {user.name}")
    assert user.runs(count, f"%{prefix}%") == [(2,)]
    sql(f"revoke role sys:monitor from {user.name}")
    assert user.runs(count, f"%{prefix}%") == [(1,)]


@source("CREATE USER")
def test_a_second_superuser(sql: Sql, gateway: Listening, schema: str) -> None:
    sql(f"create user {schema}_admin password '{PASSWORD}' createuser")
    admin = User(sql, gateway, f"{schema}_admin", schema)
    try:
        admin.runs("create table orders (id int); insert into orders values (1)")
        assert admin.runs("select count(*) from orders") == [(1,)]
        admin.runs("set session authorization awsuser")
        assert admin.runs("select current_user") == [("awsuser",)]
        admin.runs("reset session authorization")
        assert admin.runs("select current_user") == [(admin.name,)]
    finally:
        for connection in admin.opened:
            connection.close()
        sql(f"drop table orders; drop user {schema}_admin")


@source("GRANT")
def test_awswrangler_as_a_loader(user: User, s3: Any, prefix: str) -> None:  # noqa: ARG001 - the bucket has to be there
    user.sql("create table orders (id bigint, name varchar(10))")
    user.sql(f"grant insert, select on orders to {user.name}")
    frame = pd.DataFrame({"id": [1, 2], "name": ["a", "b"]})
    with contextlib.closing(redshift_connector.connect(
        host=user.gateway.host, port=user.gateway.port, user=user.name, password=PASSWORD, database="dev", ssl=False,
    )) as connection:  # fmt: skip
        wr.redshift.copy(
            df=frame, path=f"s3://landing/{prefix}stage/", con=connection, table="orders", schema=user.schema,
            mode="append", iam_role="arn:aws:iam::000000000000:role/copy",
        )  # fmt: skip
        found = wr.redshift.read_sql_query(f"select count(*) as n from {user.schema}.orders", connection)
        assert found["n"].tolist() == [2]


@source("GetClusterCredentials")
def test_temporary_credentials_of_another_user(
    user: User, clients: Callable[[str], Any], listening: Listening, sql: Sql
) -> None:
    user.gateway, redshift = listening, clients("redshift")
    found = redshift.get_cluster_credentials(DbUser=user.name, DbName="dev", ClusterIdentifier="c")
    assert found["DbUser"] == f"IAM:{user.name}"
    user.connect(found["DbPassword"], user=found["DbUser"])
    assert user.runs("select current_user") == [(user.name,)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        user.connect(found["DbPassword"], user="IAM:awsuser")
    missing = redshift.get_cluster_credentials(DbUser=f"{user.name}2", ClusterIdentifier="c")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        user.connect(missing["DbPassword"], user=missing["DbUser"])
    made = redshift.get_cluster_credentials(DbUser=f"{user.name}2", ClusterIdentifier="c", AutoCreate=True)
    assert made["DbUser"] == f"IAMA:{user.name}2"
    user.connect(made["DbPassword"], user=made["DbUser"])
    assert user.runs("select current_user") == [(f"{user.name}2",)]
    user.opened[-1].close()
    sql(f"drop user {user.name}2")
    with pytest.raises(redshift.exceptions.ClientError, match="join a group"):
        redshift.get_cluster_credentials(DbUser=user.name, ClusterIdentifier="c", DbGroups=["loaders"])
    sql(f"create group loaders with user {user.name}")
    redshift.get_cluster_credentials(DbUser=user.name, ClusterIdentifier="c", DbGroups=["loaders"])
    sql("drop group loaders")
    with pytest.raises(redshift.exceptions.ClientError, match="no name for a database user"):
        redshift.get_cluster_credentials(DbUser="public", ClusterIdentifier="c")


@source("ExecuteStatement")
def test_the_data_api_acts_as_the_user_that_it_is_told(user: User, clients: Callable[[str], Any]) -> None:
    api = clients("redshift-data")
    said = {"Database": "dev", "ClusterIdentifier": "c", "DbUser": user.name, "Sql": "select current_user"}
    identifier = api.execute_statement(**said)["Id"]
    described = api.describe_statement(Id=identifier, WaitTimeSeconds=30)
    assert described["Status"] == "FINISHED", described
    assert api.get_statement_result(Id=identifier)["Records"] == [[{"stringValue": user.name}]]
