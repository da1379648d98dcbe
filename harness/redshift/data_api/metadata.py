"""What the Data API tells of a database without a statement: databases, schemas, tables, columns.

In: a connection through the gateway. Out: the answers of ListDatabases, ListSchemas, ListTables and DescribeTable, page
by page. Source: Amazon Redshift Data API Reference, those operations.
"""

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2

from harness.redshift.data_api.errors import ApiError, validation_error
from harness.redshift.data_api.results import read_token, write_token

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

PAGE_SIZE = 1_000
_TABLES = """
    select table_name, case when table_schema in ('pg_catalog', 'information_schema') then 'SYSTEM ' else '' end
           || case table_type when 'BASE TABLE' then 'TABLE' else 'VIEW' end, table_schema
      from information_schema.tables
     where table_schema <> 'redshift_internal' and table_schema like %s and table_name like %s order by 3, 1"""
_COLUMNS = """
    select column_name, data_type, numeric_precision, numeric_scale, character_maximum_length, is_nullable,
           column_default, table_schema, table_name
      from svv_columns where table_schema like %s and table_name = %s order by table_schema, ordinal_position"""


class Metadata:
    """Answers from the catalog, over a connection of their own each."""

    def __init__(self, connect: "Callable[[dict[str, Any]], Connection]") -> None:
        self._connect = connect

    def list_databases(self, request: dict[str, Any]) -> dict[str, Any]:
        rows = self._query(request, "select database_name from svv_redshift_databases order by 1")
        return _page(request, "Databases", [name for (name,) in rows])

    def list_schemas(self, request: dict[str, Any]) -> dict[str, Any]:
        pattern = request.get("SchemaPattern", "%")
        statement = "select schema_name from svv_redshift_schemas where schema_name like %s order by 1"
        return _page(request, "Schemas", [name for (name,) in self._query(request, statement, pattern)])

    def list_tables(self, request: dict[str, Any]) -> dict[str, Any]:
        patterns = request.get("SchemaPattern", "%"), request.get("TablePattern", "%")
        rows = self._query(request, _TABLES, *patterns)
        return _page(request, "Tables", [dict(zip(("name", "type", "schema"), row, strict=True)) for row in rows])

    def describe_table(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("Table")
        if not name:
            raise validation_error("Table is required")
        columns = [_column(row) for row in self._query(request, _COLUMNS, request.get("Schema", "%"), name)]
        return {"TableName": name if columns else None} | _page(request, "ColumnList", columns)

    def _query(self, request: dict[str, Any], statement: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            with closing(self._connect(request)) as connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        except psycopg2.Error as error:
            words = " ".join(str(error).split())
            raise ApiError("DatabaseConnectionException", words, 500) from error


def _page(request: dict[str, Any], name: str, found: list[Any]) -> dict[str, Any]:
    at = read_token(request.get("NextToken"), name)
    behind = at + (request.get("MaxResults") or PAGE_SIZE)
    return {name: found[at:behind], "NextToken": write_token(name, behind) if behind < len(found) else None}


def _column(row: tuple[Any, ...]) -> dict[str, Any]:
    name, type_name, precision, scale, length, nullable, default, schema, table = row
    return {
        "name": name,
        "label": name,
        "typeName": type_name,
        "precision": precision or length or 0,
        "scale": scale or 0,
        "length": length or 0,
        "nullable": int(nullable == "YES"),
        "columnDefault": default,
        "isCaseSensitive": length is not None,
        "isCurrency": False,
        "isSigned": precision is not None,
        "schemaName": schema,
        "tableName": table,
    }
