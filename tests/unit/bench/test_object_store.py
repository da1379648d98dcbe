"""The floor's object store, as boto3 and awswrangler use one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from harness.bench.object_store import unchunked


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    command = [sys.executable, "-m", "harness.bench.object_store"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
        yield client
        client.close()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_an_object_comes_back_whole_in_part_and_in_lists(s3: Any) -> None:
    s3.put_object(Bucket="b", Key="p/a b", Body=b"0123456789")
    assert s3.get_object(Bucket="b", Key="p/a b")["Body"].read() == b"0123456789"
    assert s3.get_object(Bucket="b", Key="p/a b", Range="bytes=2-4")["Body"].read() == b"234"
    assert s3.head_object(Bucket="b", Key="p/a b")["ContentLength"] == 10
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="b", Prefix="p/")["Contents"]] == ["p/a b"]
    assert "Contents" not in s3.list_objects_v2(Bucket="b", Prefix="q/")


def test_every_bucket_is_there(s3: Any) -> None:
    assert s3.head_bucket(Bucket="any")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_deleted_object_is_gone(s3: Any) -> None:
    for key in ("one", "two"):
        s3.put_object(Bucket="b", Key=key, Body=b"x")
    s3.delete_object(Bucket="b", Key="one")
    s3.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "two"}]})
    for key in ("one", "two"):
        with pytest.raises(ClientError, match=r"404|NoSuchKey"):
            s3.get_object(Bucket="b", Key=key)


def test_a_chunked_body_loses_its_sizes_and_trailers() -> None:
    assert unchunked(b"3\r\nabc\r\n2;chunk-signature=0\r\nde\r\n0\r\nx-amz-checksum-crc32:AAA=\r\n\r\n") == b"abcde"
