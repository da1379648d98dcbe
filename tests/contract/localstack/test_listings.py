"""S3 listings of more than one page: every key once, in order, whatever characters it has."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws

LISTING = "ListObjectsV2 (Amazon S3 API Reference)"
# Percent-encoding would put `=` before `0`, and change every one of these.
KEYS = sorted(
    f"orders/dt={day}/{name}" for day in ("2026-01-01", "2026-01-02") for name in ("a b", "a+b", "a=b", "a0", "ü%")
)


@pytest.fixture
def bucket(aws: Aws) -> Iterator[str]:
    s3, name = aws.client("s3"), f"contract-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    yield name
    for key in KEYS:
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


@pytest.mark.documented(LISTING)
@pytest.mark.parametrize(
    ("operation", "entries"),
    [("list_objects_v2", "Contents"), ("list_objects", "Contents"), ("list_object_versions", "Versions")],
    ids=["ListObjectsV2", "ListObjects", "ListObjectVersions"],
)
@pytest.mark.parametrize("page_size", [1, 3, 1000], ids="MaxKeys {}".format)
def test_a_listing_has_every_key_once_and_in_order(
    aws: Aws, bucket: str, operation: str, entries: str, page_size: int
) -> None:
    pages = (
        aws.client("s3")
        .get_paginator(operation)
        .paginate(Bucket=bucket, Prefix="orders/dt=", PaginationConfig={"PageSize": page_size})
    )
    assert [entry["Key"] for page in pages for entry in page.get(entries, ())] == KEYS


@pytest.mark.documented(LISTING)
@pytest.mark.parametrize("page_size", [1, 1000], ids="MaxKeys {}".format)
def test_common_prefixes_and_start_after_are_of_plain_keys(aws: Aws, bucket: str, page_size: int) -> None:
    s3 = aws.client("s3")
    folders: list[dict[str, Any]] = [
        folder
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix="orders/", Delimiter="/", PaginationConfig={"PageSize": page_size}
        )
        for folder in page.get("CommonPrefixes", ())
    ]
    assert [folder["Prefix"] for folder in folders] == ["orders/dt=2026-01-01/", "orders/dt=2026-01-02/"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter=KEYS[6])
    assert [entry["Key"] for entry in after["Contents"]] == KEYS[7:]
    assert after["StartAfter"] == KEYS[6]


@pytest.mark.documented(LISTING)
def test_keys_come_encoded_only_when_that_is_asked_for(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    # boto3 asks for it by itself and decodes again: looked at below that
    seen: list[bytes] = []
    s3.meta.events.register(
        "response-received.s3.ListObjectsV2", lambda response_dict, **_: seen.append(response_dict["body"])
    )
    s3.list_objects_v2(Bucket=bucket, EncodingType="url")
    assert b"<Key>orders/dt%3D2026-01-01/a%20b</Key>" in seen[0]
    assert b"<EncodingType>url</EncodingType>" in seen[0]
