"""Redshift Data API, to boto3 by endpoint URL. Source: its API Reference, the page that each test names"""

import datetime
import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pytest
from botocore.exceptions import ClientError

from harness.redshift import Listening, Settings, running

PASSWORD = "Secret-Passw0rd"
TARGET = {"ClusterIdentifier": "warehouse", "Database": "dev", "DbUser": "awsuser"}


@pytest.fixture(scope="module")
def api(clients: Callable[[str], Any]) -> Any:
    return clients("redshift-data")


@pytest.fixture
def table(api: Any) -> Iterator[str]:
    name = f"d_{secrets.token_hex(5)}"
    ended(api, api.execute_statement(**TARGET, Sql=f"create table {name} (a int, b varchar(20))"))
    yield name
    ended(api, api.execute_statement(**TARGET, Sql=f"drop table {name}"))


def ended(api: Any, submitted: dict[str, Any]) -> dict[str, Any]:
    """The description of a statement once it has ended."""
    while True:
        described: dict[str, Any] = api.describe_statement(Id=submitted["Id"], WaitTimeSeconds=5)
        if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return described


def hold(listening: Listening, table: str) -> "closing[Any]":
    """Somebody else's lock on a table, until it is closed."""
    connection = psycopg2.connect(
        host="127.0.0.1", port=listening.port, user="awsuser", password=PASSWORD, dbname="dev"
    )
    connection.cursor().execute(f"lock {table}")
    return closing(connection)


def rows(api: Any, identifier: str) -> list[list[Any]]:
    """All rows of a result, page by page, as plain values."""
    pages = api.get_paginator("get_statement_result").paginate(Id=identifier)
    return [[next(iter(field.values())) for field in record] for page in pages for record in page["Records"]]


def query(api: Any, sql: str, **options: Any) -> list[list[Any]]:
    described = ended(api, api.execute_statement(**TARGET, Sql=sql, **options))
    assert described["Status"] == "FINISHED", described
    return rows(api, described["Id"])


@pytest.mark.documented("ExecuteStatement")
def test_a_statement_is_submitted_and_its_result_fetched(api: Any) -> None:
    submitted = api.execute_statement(
        **TARGET, Sql="select 1 as one, 'x' as text", StatementName="first", WithEvent=True
    )
    assert {name: submitted[name] for name in TARGET} == TARGET
    assert isinstance(submitted["CreatedAt"], datetime.datetime)
    described = ended(api, submitted)
    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"] is True
    assert described["ResultRows"] == 1
    assert described["ResultSize"] > 0
    assert described["Duration"] > 0
    assert described["RedshiftPid"] > 0
    assert described["RedshiftQueryId"] > 0
    assert described["QueryString"] == "select 1 as one, 'x' as text"
    result = api.get_statement_result(Id=submitted["Id"])
    assert result["Records"] == [[{"longValue": 1}, {"stringValue": "x"}]]
    assert [(column["name"], column["typeName"]) for column in result["ColumnMetadata"]] == [
        ("one", "int4"), ("text", "text"),
    ]  # fmt: skip
    assert result["TotalNumRows"] == 1


@pytest.mark.documented("Field")
def test_values_have_their_types(api: Any) -> None:
    sql = (
        "select true, 9007199254740993::bigint, 1.5::float8, 12.30::numeric(9,2), '2024-02-29'::date, "
        "'2024-02-29 10:00:00.5'::timestamp, null::int, json_parse('{\"a\":1}')"
    )
    described = ended(api, api.execute_statement(**TARGET, Sql=sql))
    (record,) = api.get_statement_result(Id=described["Id"])["Records"]
    assert record == [
        {"booleanValue": True},
        {"longValue": 9007199254740993},
        {"doubleValue": 1.5},
        {"stringValue": "12.30"},
        {"stringValue": "2024-02-29"},
        {"stringValue": "2024-02-29 10:00:00.5"},
        {"isNull": True},
        {"stringValue": '{"a":1}'},
    ]


@pytest.mark.documented("SqlParameter")
def test_parameters_are_values_never_sql(api: Any, table: str) -> None:
    evil = "x'; drop table " + table + "; --\\'"
    parameters = [{"name": "a", "value": "7"}, {"name": "b", "value": evil[:20]}]
    described = ended(
        api, api.execute_statement(**TARGET, Sql=f"insert into {table} values (:a, :b)", Parameters=parameters)
    )
    assert described["ResultRows"] == 1
    assert described["QueryParameters"] == parameters
    found = query(api, f"select a::bigint, b, ':a' from {table} where a = :a", Parameters=[{"name": "a", "value": "7"}])
    assert found == [[7, evil[:20], ":a"]]
    with pytest.raises(ClientError, match=r"ValidationException.*unused parameters.*nobody"):
        api.execute_statement(**TARGET, Sql="select 1", Parameters=[{"name": "nobody", "value": "1"}])


@pytest.mark.documented("DescribeStatement")
def test_a_statement_that_fails_says_why(api: Any) -> None:
    described = ended(api, api.execute_statement(**TARGET, Sql="select * from no_such_table"))
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith('ERROR: relation "no_such_table" does not exist')
    assert described["HasResultSet"] is False
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*does not have result"):
        api.get_statement_result(Id=described["Id"])


@pytest.mark.documented("ExecuteStatement")
def test_what_only_postgresql_takes_is_refused_here_too(api: Any, table: str) -> None:
    described = ended(api, api.execute_statement(**TARGET, Sql=f"insert into {table} values (1, 'a') returning a"))
    assert (described["Status"], "syntax error" in described["Error"]) == ("FAILED", True)


@pytest.mark.documented("ExecuteStatement")
def test_one_statement_a_request(api: Any) -> None:
    described = ended(api, api.execute_statement(**TARGET, Sql="select 1; select 2"))
    assert described["Error"] == "ERROR: cannot insert multiple commands into a prepared statement"


@pytest.mark.documented("BatchExecuteStatement")
def test_a_batch_is_one_transaction(api: Any, table: str) -> None:
    sqls = [f"insert into {table} values (1, 'a'), (2, 'b')", f"select count(*) from {table}"]
    described = ended(api, api.batch_execute_statement(**TARGET, Sqls=sqls, StatementName="a batch"))
    assert described["Status"] == "FINISHED"
    assert [(part["Status"], part["HasResultSet"], part["ResultRows"]) for part in described["SubStatements"]] == [
        ("FINISHED", False, 2), ("FINISHED", True, 1),
    ]  # fmt: skip
    assert rows(api, f"{described['Id']}:2") == [[2]]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.get_statement_result(Id=f"{described['Id']}:1")
    failed = ended(api, api.batch_execute_statement(**TARGET, Sqls=[f"delete from {table}", "select 1/0", "select 1"]))
    assert failed["Status"] == "FAILED"
    assert failed["Error"].startswith("Query #2 failed with ERROR: division by zero")
    assert [part["Status"] for part in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert query(api, f"select count(*) from {table}") == [[2]]


@pytest.mark.documented("BatchExecuteStatement")
def test_a_batch_in_auto_commit_mode_keeps_what_succeeded(api: Any, table: str) -> None:
    sqls = [f"insert into {table} values (1, 'a')", "select 1/0", f"insert into {table} values (2, 'b')"]
    described = ended(api, api.batch_execute_statement(**TARGET, Sqls=sqls, ExecutionMode="AUTO_COMMIT"))
    assert described["Status"] == "FAILED"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert query(api, f"select count(*) from {table}") == [[2]]


@pytest.mark.documented("GetStatementResult")
def test_a_large_result_comes_in_pages(api: Any) -> None:
    described = ended(api, api.execute_statement(**TARGET, Sql="select g from generate_series(1, 2500) g"))
    assert described["ResultRows"] == 2500
    first = api.get_statement_result(Id=described["Id"])
    assert len(first["Records"]) < 2500
    assert first["TotalNumRows"] == 2500
    assert rows(api, described["Id"]) == [[number] for number in range(1, 2501)]
    other = ended(api, api.execute_statement(**TARGET, Sql="select g from generate_series(1, 1001) g"))
    for token in ("nonsense", api.get_statement_result(Id=other["Id"])["NextToken"]):
        with pytest.raises(ClientError, match=r"ValidationException.*NextToken"):
            api.get_statement_result(Id=described["Id"], NextToken=token)


@pytest.mark.documented("GetStatementResultV2")
def test_a_result_in_csv(api: Any) -> None:
    described = ended(api, api.execute_statement(**TARGET, Sql="select 1 as a, 'x,y' as b", ResultFormat="CSV"))
    assert described["ResultFormat"] == "CSV"
    result = api.get_statement_result_v2(Id=described["Id"])
    assert result["Records"] == [{"CSVRecords": 'a,b\r\n1,"x,y"\r\n'}]
    with pytest.raises(ClientError, match="ValidationException"):
        api.get_statement_result(Id=described["Id"])


@pytest.mark.documented("CancelStatement")
def test_a_running_statement_is_cancelled(api: Any, listening: Listening, table: str) -> None:
    with hold(listening, table):
        submitted = api.execute_statement(**TARGET, Sql=f"insert into {table} values (1, 'a')")
        while (status := api.describe_statement(Id=submitted["Id"])["Status"]) in ("SUBMITTED", "PICKED"):
            pass
        assert status == "STARTED"
        assert api.cancel_statement(Id=submitted["Id"])["Status"] is True
        assert ended(api, submitted)["Status"] == "ABORTED"
        with pytest.raises(ClientError, match=r"ValidationException.*ABORTED"):
            api.cancel_statement(Id=submitted["Id"])
    assert query(api, f"select count(*) from {table}") == [[0]]


@pytest.mark.documented("ListStatements")
def test_statements_are_listed_by_name_and_status(api: Any) -> None:
    name = secrets.token_hex(6)
    for number in range(3):
        ended(api, api.execute_statement(**TARGET, Sql=f"select {number}", StatementName=f"{name}-{number}"))
    failed = ended(api, api.batch_execute_statement(**TARGET, Sqls=["select 1/0"], StatementName=f"{name}-batch"))
    found = api.list_statements(StatementName=name)["Statements"]
    assert [entry["StatementName"][13:] for entry in found] == ["batch", "2", "1", "0"]
    assert found[0]["IsBatchStatement"] is True
    assert found[0]["QueryStrings"] == ["select 1/0"]
    only = api.list_statements(StatementName=name, Status="FAILED")["Statements"]
    assert [entry["Id"] for entry in only] == [failed["Id"]]
    pages = api.get_paginator("list_statements").paginate(StatementName=name, PaginationConfig={"PageSize": 3})
    assert [len(page["Statements"]) for page in pages] == [3, 1]


@pytest.mark.documented("ExecuteStatement")
def test_a_repeated_client_token_runs_once(api: Any, table: str) -> None:
    token, sql = secrets.token_hex(8), f"insert into {table} values (1, 'a')"
    first, second = (api.execute_statement(**TARGET, Sql=sql, ClientToken=token) for _ in range(2))
    assert first["Id"] == second["Id"]
    ended(api, first)
    assert query(api, f"select count(*) from {table}") == [[1]]


@pytest.mark.documented("ExecuteStatement")
def test_a_session_is_kept_between_statements(api: Any) -> None:
    first = api.execute_statement(
        **TARGET, Sql="create temp table kept as select 5::bigint as a", SessionKeepAliveSeconds=60
    )
    assert ended(api, first)["Status"] == "FINISHED"
    session = first["SessionId"]
    assert [entry["Status"] for entry in api.list_sessions(SessionId=session)["Sessions"]] == ["AVAILABLE"]
    second = api.execute_statement(SessionId=session, Sql="select a from kept")
    ended(api, second)
    assert rows(api, second["Id"]) == [[5]]
    ended(api, api.execute_statement(SessionId=session, Sql="select 1", SessionKeepAliveSeconds=0))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.execute_statement(SessionId=session, Sql="select a from kept")
    assert ended(api, api.execute_statement(**TARGET, Sql="select a from kept"))["Status"] == "FAILED"


@pytest.mark.documented("ExecuteStatement")
def test_a_session_runs_one_statement_at_a_time(api: Any, listening: Listening, table: str) -> None:
    with hold(listening, table):
        first = api.execute_statement(**TARGET, Sql=f"select * from {table}", SessionKeepAliveSeconds=60)
        with pytest.raises(ClientError, match=r"ValidationException.*busy"):
            api.execute_statement(SessionId=first["SessionId"], Sql="select 1")
    assert ended(api, first)["Status"] == "FINISHED"
    ended(api, api.execute_statement(SessionId=first["SessionId"], Sql="select 1", SessionKeepAliveSeconds=0))


@pytest.mark.documented("ExecuteStatement")
def test_waiting_gives_the_result_at_once(api: Any) -> None:
    submitted = api.execute_statement(**TARGET, Sql="select 1", WaitTimeSeconds=30)
    assert (submitted["Status"], submitted["HasResultSet"]) == ("FINISHED", True)


@pytest.mark.documented("ListDatabases")
def test_databases_schemas_and_tables_are_listed(api: Any, table: str) -> None:
    assert "dev" in api.list_databases(**TARGET)["Databases"]
    assert api.list_schemas(**TARGET, SchemaPattern="publi%")["Schemas"] == ["public"]
    assert api.list_tables(**TARGET, SchemaPattern="public", TablePattern=table)["Tables"] == [
        {"name": table, "type": "TABLE", "schema": "public"}
    ]
    described = api.describe_table(**TARGET, Schema="public", Table=table)
    assert [(column["name"], column["typeName"], column["length"]) for column in described["ColumnList"]] == [
        ("a", "integer", 0), ("b", "character varying", 20),
    ]  # fmt: skip
    pages = api.get_paginator("list_tables").paginate(
        **TARGET, SchemaPattern="pg_catalog", PaginationConfig={"PageSize": 50}
    )
    names = [found["name"] for page in pages for found in page["Tables"]]
    assert len(names) == len(set(names)) > 50


@pytest.mark.documented("ExecuteStatement")
@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Sql": "select 1", "Database": "dev"}, "ClusterIdentifier or WorkgroupName"),
        ({"Sql": "select 1", "ClusterIdentifier": "c"}, "Database is required"),
        ({**TARGET, "Sql": "select '" + 100_000 * "x" + "'"}, "larger than 100kB"),
        ({**TARGET, "Sql": "  -- nothing"}, "empty"),
        ({**TARGET, "Sql": "select 1", "ResultFormat": "XML"}, "enum value set"),
        ({**TARGET, "Sql": "select 1", "StatementName": 2049 * "x"}, "at most 2048"),
        ({**TARGET, "Sql": "select :a", "Parameters": [{"name": "a b", "value": "1"}]}, "regular expression"),
        ({**TARGET, "Sql": "select 1", "SessionKeepAliveSeconds": 86_401}, "at most 86400"),
    ],
)
def test_a_request_that_breaks_the_rules_is_a_validation_exception(
    api: Any, parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words) as raised:
        api.execute_statement(**parameters)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.documented("DescribeStatement")
def test_an_unknown_statement_is_not_found(api: Any) -> None:
    for operation in (api.describe_statement, api.get_statement_result, api.cancel_statement):
        with pytest.raises(ClientError, match=r"ResourceNotFoundException.*does not exist"):
            operation(Id="00000000-0000-0000-0000-000000000000")
    with pytest.raises(ClientError, match="ValidationException"):
        api.describe_statement(Id="nonsense")


@pytest.mark.documented("ExecuteStatement")
def test_another_database_or_user_fails_as_a_login_would(api: Any) -> None:
    described = ended(api, api.execute_statement(**TARGET | {"Database": "nowhere"}, Sql="select 1"))
    assert described["Error"] == 'FATAL: database "nowhere" does not exist'
    described = ended(api, api.execute_statement(**TARGET | {"DbUser": "nobody"}, Sql="select 1"))
    assert described["Error"] == 'FATAL: password authentication failed for user "IAM:nobody"'


def test_what_is_not_served_is_refused_by_name(clients: Callable[[str], Any], listening: Listening) -> None:
    with pytest.raises(ClientError, match=r"RedshiftServerless.ListWorkgroups is not served here"):
        clients("redshift-serverless").list_workgroups()
    request = urllib.request.Request(str(listening.data_api_url), method="GET")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=10)
    assert raised.value.code == 404
    raised.value.close()


def test_a_body_that_is_no_request_is_refused(listening: Listening) -> None:
    for body in (b"{", b"[]", b"\xff\xfe", b'{"Sql": 1}', b"{}"):
        request = urllib.request.Request(
            str(listening.data_api_url), body, {"X-Amz-Target": "RedshiftData.ExecuteStatement"}
        )
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=10)
        assert raised.value.code == 400
        assert json.loads(raised.value.read())["__type"] in ("SerializationException", "ValidationException")
        raised.value.close()


def test_its_statements_are_in_the_query_log(api: Any) -> None:
    mark = secrets.token_hex(6)
    described = ended(api, api.execute_statement(**TARGET, Sql=f"select '{mark}'"))
    found = query(api, f"select query_id, status from sys_query_history where query_text = 'select ''{mark}'''")
    assert found == [[described["RedshiftQueryId"], "success"]]


def test_many_at_once(api: Any) -> None:
    submitted = [api.execute_statement(**TARGET, Sql=f"select {number}") for number in range(60)]
    assert [rows(api, ended(api, one)["Id"]) for one in submitted] == [[[number]] for number in range(60)]


def test_a_gateway_stops_while_a_statement_waits(postgres: Any, s3_endpoint: str, tmp_path: Path) -> None:
    settings = Settings(
        postgres=postgres.dsn, user="awsuser", password=PASSWORD, tls_dir=tmp_path, s3_endpoint=s3_endpoint,
        data_api_port=0, wlm_slots=1,
    )  # fmt: skip
    before = threading.active_count()
    with running(settings) as found:
        client = boto3.client(
            "redshift-data", endpoint_url=found.data_api_url, region_name="us-east-1", aws_access_key_id="any",
            aws_secret_access_key="key",
        )  # fmt: skip
        for _ in range(3):
            submitted = client.execute_statement(**TARGET, Sql="select pg_sleep(600)")
        assert client.describe_statement(Id=submitted["Id"])["Status"] in ("SUBMITTED", "PICKED", "STARTED")
        client.close()
    assert threading.active_count() <= before + 1
