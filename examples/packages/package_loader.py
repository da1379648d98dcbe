"""A handler of one's own: `package_loader.handler`, in one file, with boto3 and pyarrow.

In: an SQS batch of S3 event notifications of *.jsonl.gz or *.csv.gz files. Out: their records in the stage table, and
the ids of the messages that failed. It shares nothing with the default pipeline's handler. It has in common with it
what every handler must do: take its settings from the environment variables that provisioning sets, add the lineage
columns, and answer with partial batch failures.
"""

import contextlib
import datetime
import functools
import gzip
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
import pyarrow.json
import redshift_connector

ARROW_TYPES = {"bigint": pa.int64(), "boolean": pa.bool_()}


@functools.cache
def session() -> boto3.Session:
    """One session for all calls: without it awswrangler makes one each time, at 100 ms of CPU."""
    return boto3.Session()


@functools.cache
def s3() -> Any:
    return session().client("s3")


@functools.cache
def warehouse() -> redshift_connector.Connection:
    if ca_file := os.environ.get("REDSHIFT_CA_FILE"):
        os.environ["SSL_CERT_FILE"] = ca_file
    return redshift_connector.connect(
        host=os.environ["REDSHIFT_HOST"],
        port=int(os.environ["REDSHIFT_PORT"]),
        database=os.environ["REDSHIFT_DATABASE"],
        user=os.environ["REDSHIFT_USER"],
        password=os.environ["REDSHIFT_PASSWORD"],
        sslmode="verify-full",
        max_prepared_statements=0,
    )


def disconnect() -> None:
    """Close the kept connection, which may be dead; the next file makes a new one."""
    if warehouse.cache_info().currsize:
        with contextlib.suppress(redshift_connector.Error, OSError):
            warehouse().close()
    warehouse.cache_clear()


@functools.cache
def schema() -> pa.Schema:
    """All columns of the index are text, but for sizes and flags."""
    columns = json.loads(os.environ["COLUMNS"])
    return pa.schema([(name, ARROW_TYPES.get(type_, pa.string())) for name, type_ in columns.items()])


def read(bucket: str, key: str) -> pa.Table:
    content = gzip.decompress(s3().get_object(Bucket=bucket, Key=key)["Body"].read())
    if os.environ["FILE_FORMAT"] == "csv.gz":
        return pa.csv.read_csv(
            pa.BufferReader(content),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types=schema(),
                include_columns=schema().names,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    return pa.json.read_json(
        pa.BufferReader(content),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
        parse_options=pa.json.ParseOptions(explicit_schema=schema(), unexpected_field_behavior="error"),
    )


def load(bucket: str, key: str) -> int:
    """Append a file to the stage table; the number of its records."""
    table = read(bucket, key)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype).assign(
        source_file=key,
        source_row=range(1, table.num_rows + 1),
        loaded_at=datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
    )
    stage_schema, stage_table = os.environ["STAGE_TABLE"].split(".")
    wr.redshift.copy(
        df=frame,
        path=f"{os.environ['COPY_STAGING_PATH']}{uuid.uuid4().hex}/",
        con=warehouse(),
        schema=stage_schema,
        table=stage_table,
        iam_role=os.environ["COPY_IAM_ROLE"],
        boto3_session=session(),
        use_threads=False,
        pyarrow_additional_kwargs={"coerce_timestamps": "us"},
    )
    return len(frame)


def load_message(message: dict[str, Any]) -> None:
    for record in json.loads(message["body"]).get("Records", []):
        started_s = time.time()
        key = unquote_plus(record["s3"]["object"]["key"])
        rows = load(record["s3"]["bucket"]["name"], key)
        taken_ms = round((time.time() - started_s) * 1000, 1)
        print(
            json.dumps({"event": "file_loaded", "file": key, "rows": rows, "phase_ms": {"load": taken_ms}}), flush=True
        )


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:  # noqa: ARG001 - Lambda's signature
    failures = []
    for message in event["Records"]:
        try:
            load_message(message)
        except Exception as error:  # noqa: BLE001 - the other messages of the batch are not to come back with this one
            disconnect()
            print(
                json.dumps({"event": "file_failed", "message_id": message["messageId"], "error": str(error)}),
                flush=True,
            )
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
