"""The function's settings, from its environment variables.

In: the environment. Out: frozen `Settings`, or a ConfigError that names the variable and what is wrong with it. It
reads no secret store: `password_secret_id` only says where the password lies.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from handler.columns import schema_of

FORMATS = ("csv.gz", "jsonl.gz", "parquet", "csv")


class ConfigError(ValueError):
    """An environment variable is missing or cannot be used."""


@dataclass(frozen=True)
class Warehouse:
    """Where Redshift is, and how to log in: a password, or the id of the secret that holds it."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    password_secret_id: str | None
    ca_file: str | None


@dataclass(frozen=True)
class Settings:
    """What one function loads, and where to. `schema` is what every file must hold, in the stage table's order."""

    data_type: str
    file_format: str
    stage_schema: str
    stage_table: str
    schema: pa.Schema
    copy_staging_path: str
    copy_iam_role: str
    warehouse: Warehouse


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        ConfigError: it names the variable.
    """
    stage_schema, _, stage_table = _required(environment, "STAGE_TABLE").partition(".")
    if not stage_schema or not stage_table:
        raise ConfigError(f"STAGE_TABLE: {environment['STAGE_TABLE']!r} is not schema.table")
    return Settings(
        data_type=_required(environment, "DATA_TYPE"),
        file_format=_file_format(environment),
        stage_schema=stage_schema,
        stage_table=stage_table,
        schema=_columns(environment),
        copy_staging_path=_copy_staging_path(environment),
        copy_iam_role=_required(environment, "COPY_IAM_ROLE"),
        warehouse=_warehouse(environment),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set")
    return value


def _file_format(environment: Mapping[str, str]) -> str:
    value = _required(environment, "FILE_FORMAT")
    if value not in FORMATS:
        raise ConfigError(f"FILE_FORMAT: {value!r} is not one of {', '.join(FORMATS)}")
    return value


def _columns(environment: Mapping[str, str]) -> pa.Schema:
    try:
        columns = json.loads(_required(environment, "COLUMNS"))
        if not isinstance(columns, dict) or not columns:
            raise ValueError("not an object of column names and Redshift types")
        return schema_of(columns)
    except ValueError as error:
        raise ConfigError(f"COLUMNS: {error}" if not isinstance(error, ConfigError) else str(error)) from error


def _copy_staging_path(environment: Mapping[str, str]) -> str:
    value = _required(environment, "COPY_STAGING_PATH")
    if not value.startswith("s3://"):
        raise ConfigError(f"COPY_STAGING_PATH: {value!r} is not an s3:// path")
    return value.rstrip("/") + "/"


def _warehouse(environment: Mapping[str, str]) -> Warehouse:
    password, secret_id = environment.get("REDSHIFT_PASSWORD"), environment.get("REDSHIFT_SECRET_ID")
    if not password and not secret_id:
        raise ConfigError("neither REDSHIFT_PASSWORD nor REDSHIFT_SECRET_ID is set")
    port = environment.get("REDSHIFT_PORT", "5439")
    if not port.isdecimal():
        raise ConfigError(f"REDSHIFT_PORT: {port!r} is not a port number")
    return Warehouse(
        host=_required(environment, "REDSHIFT_HOST"),
        port=int(port),
        database=_required(environment, "REDSHIFT_DATABASE"),
        user=_required(environment, "REDSHIFT_USER"),
        password=password or None,
        password_secret_id=secret_id or None,
        ca_file=environment.get("REDSHIFT_CA_FILE") or None,
    )
