"""What the function costs: import, memory, and CPU for each file, on the embedded stack.

    python -m benchmarks.handler [--files 40]

It prints one JSON line. The function runs in a fresh process of its own for each format, as in an execution
environment, against the stack's S3 and warehouse; CPU is that process's user and system time. `decoding_cpu_ms` are the
ways to decode the same csv.gz and jsonl.gz file (docs/decisions/handler-reading.md).
"""

import argparse
import datetime as dt
import gzip
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from generators import files
from generators.records import make_table
from handler import files as function_files
from handler.columns import schema_of
from harness import pipeline, sql
from harness.aws import Aws
from harness.pipeline import COPY_STAGING_PREFIX, TypeSettings
from harness.stack.embedded import embedded
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, Endpoints

ROOT = Path(__file__).resolve().parents[1]
RECORDS = 10_000
WARM_UP = 5

_IMPORT = """
import json, time
cpu, wall = time.process_time(), time.perf_counter()
import handler.app
print(json.dumps({"import_cpu_s": time.process_time() - cpu, "import_s": time.perf_counter() - wall}))
"""
# Runs where the function would: it may import the function and what the function imports, nothing else.
_FUNCTION = """
import json, re, sys, time
from handler import app
event, files, warm_up = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
cpu_ms, wall_ms, log = [], [], sys.stdout
sys.stdout = open("/dev/null", "w")
for _ in range(files + warm_up):
    cpu, wall = time.process_time(), time.perf_counter()
    failed = app.handler(event, None)["batchItemFailures"]
    assert not failed, failed
    cpu_ms.append((time.process_time() - cpu) * 1000)
    wall_ms.append((time.perf_counter() - wall) * 1000)
# Not getrusage: its maximum begins with the size of the process that started this one.
max_rss_kb = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps({"cold_cpu_ms": cpu_ms[0], "cold_ms": wall_ms[0], "cpu_ms": cpu_ms[warm_up:], "ms": wall_ms[warm_up:],
                  "max_rss_mb": max_rss_kb / 1024}), file=log)
"""


def import_costs(times: int) -> dict[str, float]:
    """How long fresh processes take to import the function (medians)."""
    command = [sys.executable, "-c", _IMPORT]
    taken = [
        json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout) for _ in range(times)
    ]
    return {name: round(statistics.median(each[name] for each in taken), 3) for name in taken[0]}


def function_costs(environment: dict[str, str], bucket: str, key: str, files: int) -> dict[str, Any]:
    """One format: the costs of a file, cold and warm, and the process's greatest size."""
    body = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                         "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}  # fmt: skip
    event = {"Records": [{"messageId": "1", "body": json.dumps(body)}]}
    command = [sys.executable, "-c", _FUNCTION, json.dumps(event), str(files), str(WARM_UP)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.PIPE)
    measured = json.loads(done.stdout)
    return {
        "cold_cpu_ms": round(measured["cold_cpu_ms"], 1),
        "cold_ms": round(measured["cold_ms"], 1),
        "cpu_ms": round(statistics.median(measured["cpu_ms"]), 1),
        "ms": round(statistics.median(measured["ms"]), 1),
        "max_rss_mb": round(measured["max_rss_mb"], 1),
    }


def decoding_cpu_ms(csv_gz: bytes, jsonl_gz: bytes, csv_schema: pa.Schema, json_schema: pa.Schema) -> dict[str, float]:
    """The decoder in use and its alternatives, on the same bytes. Those of pandas are what awswrangler calls."""
    ways: dict[str, Callable[[], object]] = {
        "csv.gz: in use (pyarrow.csv)": lambda: function_files.decode(csv_gz, "csv.gz", csv_schema),
        "csv.gz: pandas": lambda: pd.read_csv(io.BytesIO(csv_gz), compression="gzip"),
        "csv.gz: pandas dtype_backend=pyarrow": lambda: pd.read_csv(
            io.BytesIO(csv_gz), compression="gzip", dtype_backend="pyarrow"
        ),
        "csv.gz: pandas engine=pyarrow": lambda: pd.read_csv(
            io.BytesIO(csv_gz), compression="gzip", engine="pyarrow", dtype_backend="pyarrow"
        ),
        "csv.gz: pandas dtype=str": lambda: pd.read_csv(io.BytesIO(csv_gz), compression="gzip", dtype=str),
        "jsonl.gz: in use (pyarrow.json)": lambda: function_files.decode(jsonl_gz, "jsonl.gz", json_schema),
        "jsonl.gz: pandas": lambda: pd.read_json(io.BytesIO(gzip.decompress(jsonl_gz)), lines=True),
        "jsonl.gz: pandas engine=pyarrow": lambda: pd.read_json(
            io.BytesIO(gzip.decompress(jsonl_gz)), lines=True, engine="pyarrow", dtype_backend="pyarrow"
        ),
    }
    return {name: _median_cpu_ms(way) for name, way in ways.items()}


def _median_cpu_ms(way: Callable[[], object], times: int = 11) -> float:
    spent = []
    for _ in range(times + 1):
        before = time.process_time()
        way()
        spent.append((time.process_time() - before) * 1000)
    return round(statistics.median(spent[1:]), 2)


def _environment(name: str, settings: TypeSettings, endpoints: Endpoints, bucket: str) -> dict[str, str]:
    redshift = endpoints.redshift
    return {
        "AWS_ENDPOINT_URL": endpoints.aws_endpoint_url,
        "AWS_REGION": endpoints.region,
        "AWS_DEFAULT_REGION": endpoints.region,
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
        "DATA_TYPE": name,
        "FILE_FORMAT": settings.format,
        "STAGE_TABLE": settings.stage_table,
        "COLUMNS": json.dumps({column: described.type for column, described in settings.columns.items()}),
        "COPY_STAGING_PATH": f"s3://{bucket}/{COPY_STAGING_PREFIX}",
        "COPY_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
        "REDSHIFT_HOST": redshift.host,
        "REDSHIFT_PORT": str(redshift.port),
        "REDSHIFT_DATABASE": redshift.database,
        "REDSHIFT_USER": redshift.user,
        "REDSHIFT_PASSWORD": redshift.password,
        "REDSHIFT_CA_FILE": str(redshift.ca_file),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40, help="warm files per format")
    options = parser.parse_args()
    described = pipeline.load(ROOT / "pipeline.toml")
    at = dt.datetime(2025, 11, 23, tzinfo=dt.UTC)
    content = {
        name: files.encode(
            make_table(described.dataset(name), seed=1, file_index=0, records=RECORDS, at=at), type_.format
        )
        for name, type_ in described.types.items()
    }
    schemas = {
        name: schema_of({column: settings.type for column, settings in type_.columns.items()})
        for name, type_ in described.types.items()
    }
    formats = {}
    with embedded() as endpoints:
        aws = Aws(endpoints)
        aws.s3.create_bucket(Bucket=described.bucket)
        with sql.warehouse(endpoints) as connection, connection.cursor() as cursor:
            for statement in sql.statements(described.ddl):
                cursor.execute(statement)
            connection.commit()
        for name, type_ in described.types.items():
            key = f"{type_.prefix}benchmark"
            aws.s3.put_object(Bucket=described.bucket, Key=key, Body=content[name])
            formats[type_.format] = function_costs(
                _environment(name, type_, endpoints, described.bucket), described.bucket, key, options.files
            )
    print(
        json.dumps(
            {
                "benchmark": "handler",
                "records_per_file": RECORDS,
                **import_costs(5),
                "formats": formats,
                "decoding_cpu_ms": decoding_cpu_ms(
                    content["orders"], content["clicks"], schemas["orders"], schemas["clicks"]
                ),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
