"""The landing bucket: what is in it, its files on this machine's disk, and the temporary directory that COPY reads.

In: a boto3 S3 client. Out: objects, paths, a manifest. On Glue, Spark reads `s3://` itself through Hadoop's S3 file
system. That is a Java library which no Python package brings, so here the job fetches its files to a local directory,
as many at a time as there are task slots, and Spark lists, plans and reads them there: one GET a file either way, and
from the listing on every cost of many files is Spark's own. docs/glue.md says what this leaves out.
"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glue.bookmark import FoundObject


@dataclass(frozen=True)
class Listing:
    """All objects under a prefix, and how many requests it took to list them (1,000 objects each)."""

    objects: tuple[FoundObject, ...]
    requests: int


def list_objects(s3: Any, bucket: str, prefix: str) -> Listing:
    """Every object under a prefix, however old: S3 cannot be asked for the new ones alone."""
    found, requests = list[FoundObject](), 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        requests += 1
        found += [
            FoundObject(item["Key"], item["Size"], item["LastModified"].timestamp())
            for item in page.get("Contents", ())
        ]
    return Listing(tuple(found), requests)


def fetch(s3: Any, bucket: str, objects: Iterable[FoundObject], directory: Path, slots: int) -> list[Path]:
    """Fetch objects to `directory`, below which a path is the object's key."""

    def fetch_one(found: FoundObject) -> Path:
        path = directory / found.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=found.key)["Body"].read())
        return path

    with ThreadPoolExecutor(slots) as threads:
        return list(threads.map(fetch_one, objects))


def stage(s3: Any, bucket: str, prefix: str, parts: Iterable[Path], slots: int) -> str:
    """Put Parquet files and a manifest of them under `prefix`, as the Redshift connector does with its temporary
    directory; returns the manifest's address."""

    def put(path: Path) -> dict[str, Any]:
        body = path.read_bytes()
        key = f"{prefix}{path.name}"
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return {"url": f"s3://{bucket}/{key}", "mandatory": True, "meta": {"content_length": len(body)}}

    with ThreadPoolExecutor(slots) as threads:
        entries = list(threads.map(put, parts))
    s3.put_object(Bucket=bucket, Key=f"{prefix}manifest.json", Body=json.dumps({"entries": entries}).encode())
    return f"s3://{bucket}/{prefix}manifest.json"


def remove(s3: Any, bucket: str, prefix: str) -> None:
    """Delete everything under a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        if keys := [{"Key": item["Key"]} for item in page.get("Contents", ())]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
