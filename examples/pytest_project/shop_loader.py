"""The Lambda function of a small web shop: baskets, as jsonl.gz files, into Redshift's stage table."""

import datetime
import functools
import gzip
import io
import json
import os
import uuid
from typing import Any
from urllib.parse import unquote_plus

import awswrangler as wr
import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.json
import redshift_connector

TYPES = {"bigint": pa.int64(), "integer": pa.int32(), "boolean": pa.bool_(), "timestamp": pa.timestamp("us")}


@functools.cache
def session() -> boto3.Session:
    return boto3.Session()


@functools.cache
def warehouse() -> redshift_connector.Connection:
    os.environ.setdefault("SSL_CERT_FILE", os.environ.get("REDSHIFT_CA_FILE", ""))
    return redshift_connector.connect(
        host=os.environ["REDSHIFT_HOST"],
        port=int(os.environ["REDSHIFT_PORT"]),
        database=os.environ["REDSHIFT_DATABASE"],
        user=os.environ["REDSHIFT_USER"],
        password=os.environ["REDSHIFT_PASSWORD"],
        sslmode="verify-full",
    )


def read(bucket: str, key: str) -> pa.Table:
    content = session().client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    columns = json.loads(os.environ["COLUMNS"])
    schema = pa.schema([(name, TYPES.get(kind, pa.string())) for name, kind in columns.items()])
    options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    return pa.json.read_json(io.BytesIO(gzip.decompress(content)), parse_options=options)


def load(bucket: str, key: str) -> None:
    table = read(bucket, key)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype).assign(
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
        pyarrow_additional_kwargs={"coerce_timestamps": "us"},
    )
    print(json.dumps({"event": "file_loaded", "file": key, "rows": len(frame)}), flush=True)


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    failures = []
    for message in event["Records"]:
        try:
            for record in json.loads(message["body"]).get("Records", []):
                load(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
            warehouse.cache_clear()
            print(json.dumps({"event": "file_failed", "message_id": message["messageId"], "error": repr(error)}))
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
