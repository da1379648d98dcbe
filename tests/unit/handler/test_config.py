"""The function's settings: each variable that is missing or wrong is named."""

import json
import re

import pyarrow as pa
import pytest

from handler.config import ConfigError, from_environment

ENVIRONMENT = {
    "DATA_TYPE": "orders",
    "FILE_FORMAT": "csv.gz",
    "STAGE_TABLE": "stage.orders",
    "COLUMNS": json.dumps({"order_id": "bigint", "amount": "numeric(12,2)"}),
    "COPY_STAGING_PATH": "s3://landing/_staging",
    "COPY_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
    "REDSHIFT_HOST": "warehouse.example",
    "REDSHIFT_PORT": "5439",
    "REDSHIFT_DATABASE": "dev",
    "REDSHIFT_USER": "loader",
    "REDSHIFT_PASSWORD": "s3cret",
}


def test_a_whole_environment() -> None:
    settings = from_environment(ENVIRONMENT)
    assert (settings.stage_schema, settings.stage_table) == ("stage", "orders")
    assert settings.schema == pa.schema([("order_id", pa.int64()), ("amount", pa.decimal128(12, 2))])
    assert settings.copy_staging_path == "s3://landing/_staging/"
    assert (settings.warehouse.port, settings.warehouse.ca_file) == (5439, None)


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(from_environment(ENVIRONMENT))


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name not in ("REDSHIFT_PORT", "REDSHIFT_PASSWORD")])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not set"):
        from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("FILE_FORMAT", "xls", "'xls' is not one of csv.gz, jsonl.gz, parquet, csv"),
        ("STAGE_TABLE", "orders", "'orders' is not schema.table"),
        ("COLUMNS", "{", "COLUMNS"),
        ("COLUMNS", "{}", "not an object"),
        ("COLUMNS", '{"a": "money"}', "column 'a': 'money' is not a Redshift type"),
        ("COPY_STAGING_PATH", "landing/_staging", "not an s3:// path"),
        ("REDSHIFT_PORT", "x", "'x' is not a port"),
        ("REDSHIFT_PASSWORD", "", "neither REDSHIFT_PASSWORD nor REDSHIFT_SECRET_ID"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)) as caught:
        from_environment(ENVIRONMENT | {name: value})
    assert name in str(caught.value)


def test_a_secret_takes_the_place_of_the_password() -> None:
    without = {key: value for key, value in ENVIRONMENT.items() if key != "REDSHIFT_PASSWORD"}
    assert from_environment(without | {"REDSHIFT_SECRET_ID": "loader"}).warehouse.password_secret_id == "loader"
