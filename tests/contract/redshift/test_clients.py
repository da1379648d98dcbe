"""More unmodified clients: psycopg 3, psql, SQLAlchemy with sqlalchemy-redshift, redshift_connector's own extras."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import psycopg as psycopg3
import pytest
import redshift_connector
import sqlalchemy as sa

from harness.redshift import Listening

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]


@pytest.fixture
def url(gateway: Listening, schema: str) -> str:
    options = f"sslmode=verify-full&sslrootcert={gateway.ca_file}&options=-csearch_path%3D{schema}"
    return f"postgresql://awsuser:Secret-Passw0rd@{gateway.host}:{gateway.port}/dev?{options}"


def test_psycopg3_extended_protocol(url: str) -> None:
    with psycopg3.connect(url) as connection:
        connection.execute("create table t (a int, b varchar(9))")
        connection.cursor().executemany("insert into t values (%s, %s)", [(n, str(n)) for n in range(300)])
        connection.commit()
        with connection.cursor(name="big") as cursor:
            cursor.itersize = 10
            assert [row[0] for row in cursor.execute("select a from t order by a")] == list(range(300))
        assert connection.execute("select count(*) from t where a > %s", (9,), prepare=True).fetchone() == (290,)
        with pytest.raises(psycopg3.errors.SyntaxError):
            connection.execute("insert into t values (%s, %s) returning a", (1, "x"))
        connection.rollback()
        assert connection.execute("select count(*) from t").fetchone() == (300,)


def test_psycopg3_pipeline(url: str) -> None:
    with psycopg3.connect(url, autocommit=True) as connection:
        connection.execute("create table t (a int)")
        with connection.pipeline():
            for number in range(50):
                connection.execute("insert into t values (%s)", (number,))
            counted = connection.execute("select count(*), sum(a) from t")
        assert counted.fetchone() == (50, 1225)
        with pytest.raises(psycopg3.errors.UndefinedTable), connection.pipeline():
            connection.execute("select * from nowhere")
        assert connection.execute("select 1").fetchone() == (1,)


def test_psql(postgres: Any, gateway: Listening, schema: str) -> None:
    script = f"""
        set search_path to {schema};
        create table t (a int distkey, b varchar(5)) sortkey (a);
        insert into t values (1, 'x'), (2, null);
        begin; insert into t values (3, 'y'); rollback;
        select count(*) from t;
        copy t from stdin;
    """
    environment = os.environ | {"PGPASSWORD": "Secret-Passw0rd", "PGSSLMODE": "disable"}
    environment |= {"PGSSLROOTCERT": str(gateway.ca_file), "LANG": "C"}
    where = ["-h", gateway.host, "-p", str(gateway.port), "-U", "awsuser", "dev"]
    command = [postgres.binaries / "psql", "-X", "-A", "-t", *where]
    done = subprocess.run(
        command, input=script, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    print(done)
    assert "\n2\n" in done.stdout
    assert "LOAD source is not supported" in done.stderr


@pytest.fixture
def engine(gateway: Listening) -> Iterator[sa.Engine]:
    address = sa.URL.create(
        "redshift+psycopg2", "awsuser", "Secret-Passw0rd", gateway.host, gateway.port, "dev",
        query={"sslmode": "verify-full", "sslrootcert": str(gateway.ca_file)},
    )  # fmt: skip
    made = sa.create_engine(address)
    yield made
    made.dispose()


def test_sqlalchemy_redshift(engine: sa.Engine, schema: str) -> None:
    columns = [sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9))]
    storage = {"redshift_diststyle": "KEY", "redshift_distkey": "id", "redshift_sortkey": "id"}
    table = sa.Table("t", sa.MetaData(schema=schema), *columns, **storage)
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        assert connection.execute(sa.select(table.c.name).order_by(table.c.id)).scalars().all() == ["a", "b"]


def test_sqlalchemy_redshift_reflects(engine: sa.Engine, schema: str) -> None:
    statements = (
        "create table parent (id int identity(1, 3), name varchar(9) encode zstd default 'x', primary key (id)) "
        "distkey (id) sortkey (name, id)",
        "create table child (id int references parent (id), unique (id)) diststyle all",
        "create view seen as select id from child",
    )
    with engine.begin() as connection:
        connection.execute(sa.text(f"set search_path to {schema}"))
        for statement in statements:
            connection.execute(sa.text(statement))
        inspector = sa.inspect(connection)
        assert sorted(inspector.get_table_names(schema=schema)) == ["child", "parent"]
        assert inspector.get_view_names(schema=schema) == ["seen"]
        assert inspector.get_pk_constraint("parent", schema)["constrained_columns"] == ["id"]
        assert inspector.get_unique_constraints("child", schema)[0]["column_names"] == ["id"]
        (key,) = inspector.get_foreign_keys("child", schema)
        assert (key["referred_table"], key["referred_columns"]) == ("parent", ["id"])
        options = inspector.get_table_options("parent", schema=schema)
        assert options["redshift_distkey"] == "id"
        assert list(options["redshift_sortkey"]) == ["name", "id"]


@pytest.mark.parametrize(("style", "statement", "arguments"), [
    ("format", "select %s::int + 1", (1,)), ("qmark", "select ?::int + 1", (1,)),
    ("numeric", "select :1::int + 1", (1,)),
    ("named", "select :x::int + 1", {"x": 1}), ("pyformat", "select %(x)s::int + 1", {"x": 1}),
])  # fmt: skip
def test_redshift_connector_parameter_styles(connect: Connect, style: str, statement: str, arguments: Any) -> None:
    cursor = connect().cursor()
    cursor.paramstyle = style
    cursor.execute(statement, arguments)
    assert cursor.fetchone() == [2]


def test_redshift_connector_frames(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("create table t (a int, b varchar(9))")
    cursor.write_dataframe(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "t")
    cursor.execute("select * from t order by a")
    frame = cursor.fetch_dataframe()
    assert frame["b"].tolist() == ["x", "y"]
    cursor.execute("insert into t values (3, 'z')")
    assert cursor.rowcount == 1
    connection.rollback()
    assert [row[2] for row in cursor.get_tables(table_name_pattern="nothing_here")] == []


def test_a_large_result_streams(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("select n, 'some text to fill the row with' from generate_series(1, 200000) as g(n)")
    assert len(cursor.fetchall()) == 200_000


def test_cancel_ends_the_statement_only(url: str, sql: Sql) -> None:
    with psycopg3.connect(url, autocommit=True) as connection:

        def cancel_once_running() -> None:
            while not sql("select 1 from stv_inflight where trim(text) = 'select pg_sleep(30)'"):
                pass
            connection.cancel_safe()

        thread = threading.Thread(target=cancel_once_running)
        thread.start()
        started = time.monotonic()
        with pytest.raises(psycopg3.errors.QueryCanceled):
            connection.execute("select pg_sleep(30)")
        thread.join()
        assert time.monotonic() - started < 20
        assert connection.execute("select 1").fetchone() == (1,)


def test_server_version_is_redshifts(psycopg: Connect, connect: Connect) -> None:
    assert psycopg().server_version == 80002
    assert dict(connect().parameter_statuses)[b"server_version"] == b"8.0.2"


def test_prepared_statement_survives_a_refused_one(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    for _ in range(2):
        cursor.execute("select %s", ("x",))
        with pytest.raises(redshift_connector.ProgrammingError):
            cursor.execute("create index i on t (a)")
        connection.rollback()
    cursor.execute("select %s", ("y",))
    assert cursor.fetchone() == ["y"]


TYPED = r"""select json_parse('{"a": [1], "b": ", : x"}') as s, 'ab'::varbyte as v, 1 as n, null::varbyte as nothing"""


def test_super_and_varbyte_have_redshifts_types(psycopg: Connect, connect: Connect) -> None:
    """Their numbers and forms as redshift_connector's own `RedshiftOID` and tests have them: JSON text, hex digits."""
    simple = psycopg().cursor()
    simple.execute(TYPED)
    assert [column.type_code for column in simple.description] == [4000, 6551, 23, 6551]
    assert simple.fetchall() == [('{"a":[1],"b":", : x"}', "6162", 1, None)]
    simple.execute("begin; declare c cursor for select 'ab'::varbyte from generate_series(1, 3)")
    simple.execute("fetch 2 from c")
    assert simple.fetchall() == [("6162",), ("6162",)]
    simple.execute("rollback")
    driver = connect().cursor()
    for _ in range(2):  # the second time from its cache of prepared statements
        driver.execute(TYPED)
        assert [column[1] for column in driver.description] == [4000, 6551, 23, 6551]
        assert driver.fetchall() == (['{"a":[1],"b":", : x"}', "ab", 1, None],)  # it decodes the digits itself


@pytest.mark.parametrize(("binary", "value"), [(False, "6162"), (True, b"ab")])
def test_varbyte_in_the_extended_protocol(url: str, binary: bool, value: object) -> None:
    with psycopg3.connect(url, autocommit=True) as connection:
        for _ in range(3):
            found = connection.cursor(binary=binary).execute("select %s::int, 'ab'::varbyte", (1,), prepare=True)
            assert found.fetchall() == [(1, value)]
