"""A Lambda function to start from: `loader.handler` loads csv.gz files from S3 into a Redshift stage table.

In: an SQS batch of S3 event notifications. Out: the files' rows in the stage table, and the ids of the messages that
failed. Its settings are the environment variables that provisioning sets (the same for every handler):

    DATA_TYPE, FILE_FORMAT, STAGE_TABLE, COLUMNS (JSON: name -> Redshift type, in the tables' order),
    COPY_STAGING_PATH, COPY_IAM_ROLE, REDSHIFT_HOST, _PORT, _DATABASE, _USER, _PASSWORD, REDSHIFT_CA_FILE
"""

import contextlib
import datetime
import functools
import gzip
import io
import json
import os
import time
import uuid
from typing import Any
from urllib.parse import unquote_plus

import awswrangler as wr
import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import redshift_connector


@functools.cache
def session() -> boto3.Session:
    """One AWS session for the life of the environment: awswrangler otherwise makes one for every call."""
    return boto3.Session()


@functools.cache
def warehouse() -> redshift_connector.Connection:
    """One connection to Redshift, kept between invocations."""
    if ca_file := os.environ.get("REDSHIFT_CA_FILE"):
        os.environ["SSL_CERT_FILE"] = ca_file  # what the driver trusts beside its own certificates
    return redshift_connector.connect(
        host=os.environ["REDSHIFT_HOST"],
        port=int(os.environ["REDSHIFT_PORT"]),
        database=os.environ["REDSHIFT_DATABASE"],
        user=os.environ["REDSHIFT_USER"],
        password=os.environ["REDSHIFT_PASSWORD"],
        sslmode="verify-full",
    )


def disconnect() -> None:
    """Close the kept connection, which may be dead; the next file makes a new one."""
    if warehouse.cache_info().currsize:
        with contextlib.suppress(redshift_connector.Error, OSError):
            warehouse().close()
    warehouse.cache_clear()


def arrow_type(redshift_type: str) -> pa.DataType:
    """COPY compares each Parquet column's type with the table's, so it must be exact."""
    name, _, arguments = redshift_type.rstrip(")").partition("(")
    if name in ("numeric", "decimal"):
        return pa.decimal128(*map(int, arguments.split(",")))
    return {
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "double precision": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }.get(name, pa.string())


def read(bucket: str, key: str) -> pa.Table:
    """The file as an Arrow table: an empty field is NULL, "" the empty text, a value that does not fit an error."""
    content = io.BytesIO()
    wr.s3.download(f"s3://{bucket}/{key}", content, use_threads=False, boto3_session=session())
    types = {name: arrow_type(type_) for name, type_ in json.loads(os.environ["COLUMNS"]).items()}
    return pa.csv.read_csv(
        io.BytesIO(gzip.decompress(content.getvalue())),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def load(bucket: str, key: str) -> int:
    """Append one file to the stage table, in a transaction of its own; returns its number of rows."""
    table = read(bucket, key)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype).assign(
        # Lineage, as the stage table has it: the harness follows each file by these.
        source_file=key,
        source_row=range(1, table.num_rows + 1),
        loaded_at=datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
    )
    schema, name = os.environ["STAGE_TABLE"].split(".")
    wr.redshift.copy(
        df=frame,
        path=f"{os.environ['COPY_STAGING_PATH']}{uuid.uuid4().hex}/",
        con=warehouse(),
        schema=schema,
        table=name,
        iam_role=os.environ["COPY_IAM_ROLE"],
        use_threads=False,
        boto3_session=session(),
        pyarrow_additional_kwargs={"coerce_timestamps": "us"},  # the default is milliseconds
    )
    return len(frame)


def log(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def load_message(body: str) -> None:
    """Load every file that a message announces; the test event of a new notification announces none."""
    for record in json.loads(body).get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])  # S3 sends keys percent-encoded
        started_s = time.time()
        rows = load(record["s3"]["bucket"]["name"], key)
        log("file_loaded", file=key, rows=rows, phase_ms={"load": round((time.time() - started_s) * 1000)})


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:  # noqa: ARG001
    """Lambda's entry: a message that fails is reported and comes back alone, its neighbours are done."""
    failures = []
    for message in event["Records"]:
        try:
            load_message(message["body"])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
            disconnect()
            log("file_failed", message_id=message["messageId"], error=f"{type(error).__name__}: {error}")
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
