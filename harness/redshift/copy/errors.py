"""What COPY tells when it fails, in Redshift's words.

The frame of the detail (error, code, context, query, location, process) is what clients parse and people search for.
Source: error reports of the service as published by its users; "COPY from columnar data formats" for what is checked.
"""

from dataclasses import dataclass

from harness.redshift.messages import Refusal

_LINE = "-----------------------------------------------"


@dataclass(frozen=True)
class LoadError:
    """One value that could not be loaded: a row of STL_LOAD_ERRORS."""

    file: str
    line: int
    position: int
    column: str
    type: str
    length: str
    raw_line: str
    raw_value: str
    code: int
    reason: str


def detail(error: str, code: int, context: str, query_id: int, location: str) -> str:
    fields = {"error": error, "code": code, "context": context, "query": query_id, "location": location,
              "process": "padbmaster [pid=1]"}  # fmt: skip
    body = "\n".join(f"  {name + ':':<11}{value}" for name, value in fields.items())
    return f"\n  {_LINE}\n{body}\n  {_LINE}\n"


def spectrum(code: int, context: str, query_id: int) -> Refusal:
    """An error of the columnar reader (Redshift Spectrum)."""
    return Refusal(
        "XX000", "Spectrum Scan Error",
        detail=detail("Spectrum Scan Error", code, context, query_id, "dory_util.cpp:1777"),
    )  # fmt: skip


def incompatible_schema(file: str, column: str, column_type: str, parquet: str, query_id: int) -> Refusal:
    context = (
        f"File '{file}' has an incompatible Parquet schema for column '{file}.{column}'. "
        f"Column type: {column_type.upper()}, Parquet schema:\n{parquet}"
    )
    return spectrum(15007, context, query_id)


def unmatched_columns(table_columns: int, data_columns: int, file: str, query_id: int) -> Refusal:
    context = (
        "Unmatched number of columns between table and file. "
        f"Table columns: {table_columns}, Data columns: {data_columns}, File name: {file}"
    )
    return spectrum(15007, context, query_id)


def too_long(column: str, limit: int, size_bytes: int, file: str, query_id: int) -> Refusal:
    context = (
        f"The length of the data column {column} is longer than the length defined in the table. "
        f"Table: {limit}, Data: {size_bytes}, File name: {file}"
    )
    return spectrum(15001, context, query_id)


def s3_error(context: str, query_id: int) -> Refusal:
    return Refusal(
        "XX000", f"S3ServiceException:{context}",
        detail=detail(f"S3ServiceException:{context}", 8001, "", query_id, "s3_utility.cpp:653"),
    )  # fmt: skip


def no_such_prefix(prefix: str, query_id: int) -> Refusal:
    words = f"The specified S3 prefix '{prefix}' does not exist"
    return Refusal("XX000", words, detail=detail(words, 8001, "", query_id, "s3_utility.cpp:687"))


def failed_with_load_errors(table: str, query_id: int) -> Refusal:
    words = f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."
    return Refusal("XX000", words, detail=detail(words, 1000, table, query_id, "pg_tracker.cpp:1"))
