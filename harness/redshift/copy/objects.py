"""What COPY reads from S3: the objects behind a prefix or a manifest, and their bytes.

In: an s3:// address. Out: object references and bytes. One client is shared by all sessions; every call blocks and
belongs in a thread. Source: Database Developer Guide, "COPY from Amazon S3" and
"Using a manifest to specify data files".
"""

import bz2
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pyarrow as pa
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip

from harness.redshift.copy import errors
from harness.redshift.messages import Refusal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EMULATOR_KEY = "test"  # an emulator takes any


@dataclass(frozen=True)
class ObjectReference:
    """An object to load: bucket and key, and its size if it is known."""

    bucket: str
    key: str
    size_bytes: int | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def split_url(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


class ObjectStore:
    """S3 as COPY and UNLOAD use it: with the credentials there are, at an emulator's endpoint also with none."""

    def __init__(self, endpoint_url: str | None, connections: int = 64) -> None:
        session = boto3.Session()
        needs_key = endpoint_url is not None and session.get_credentials() is None
        key = _EMULATOR_KEY if needs_key else None
        self._s3: S3Client = session.client(
            "s3",
            aws_access_key_id=key,
            aws_secret_access_key=key,
            endpoint_url=endpoint_url,
            config=Config(
                max_pool_connections=connections,
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"} if endpoint_url else {},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @property
    def client(self) -> "S3Client":
        return self._s3

    def close(self) -> None:
        self._s3.close()

    def under_prefix(self, url: str, query_id: int) -> list[ObjectReference]:
        """The objects whose keys begin with the prefix, in order.

        Raises:
            Refusal: the bucket is not there, or no object is.
        """
        bucket, prefix = split_url(url)
        found = []
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    if not item["Key"].endswith("/"):
                        found.append(ObjectReference(bucket, item["Key"], item["Size"]))
        except (ClientError, BotoCoreError) as error:
            raise s3_refusal(error, query_id) from error
        if not found:
            raise errors.no_such_prefix(prefix, query_id)
        return found

    def manifest(self, url: str, query_id: int, *, columnar: bool) -> list[ObjectReference]:
        """The objects a manifest names; an entry that is missing is left out unless it is mandatory.

        Raises:
            Refusal: the manifest cannot be read, a mandatory object is missing, or nothing is left.
        """
        entries = self._manifest_entries(url, query_id)
        found = []
        for entry in entries:
            bucket, key = split_url(str(entry["url"]))
            meta = entry.get("meta")
            if columnar and not (isinstance(meta, dict) and "content_length" in meta):
                raise manifest_problem("meta.content_length is required for columnar formats", query_id)
            try:
                head = self._s3.head_object(Bucket=bucket, Key=key)
                found.append(ObjectReference(bucket, key, head["ContentLength"]))
            except ClientError as error:
                if entry.get("mandatory"):
                    raise s3_refusal(error, query_id) from error
        if not found:
            raise manifest_problem("none of the files in the manifest exists", query_id)
        return found

    def _manifest_entries(self, url: str, query_id: int) -> list[dict[str, object]]:
        bucket, key = split_url(url)
        raw = self.read(ObjectReference(bucket, key), query_id)
        try:
            entries = json.loads(raw)["entries"]
            if all(str(entry["url"]).startswith("s3://") for entry in entries):
                return list(entries)
        except (ValueError, KeyError, TypeError):
            pass
        raise manifest_problem("it is not a JSON document with entries", query_id)

    def read(self, reference: ObjectReference, query_id: int) -> bytes:
        """The whole object.

        Raises:
            Refusal: it cannot be read.
        """
        try:
            return self._s3.get_object(Bucket=reference.bucket, Key=reference.key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise s3_refusal(error, query_id) from error


def manifest_problem(what: str, query_id: int) -> Refusal:
    words = f"Problem reading manifest file - {what}"
    return Refusal("XX000", words, detail=errors.detail(words, 8001, "", query_id, "s3_utility.cpp:284"))


def s3_refusal(error: ClientError | BotoCoreError, query_id: int) -> Refusal:
    if isinstance(error, ClientError):
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        context = f"{told.get('Message')},Status {meta.get('HTTPStatusCode')},Error {told.get('Code')}"
    else:
        context = f"{error},Status 0,Error Connection"
    return errors.s3_error(context, query_id)


_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "GZIP": lambda raw: bytes(igzip.decompress(raw)),
    "BZIP2": bz2.decompress,
    "ZSTD": lambda raw: pa.CompressedInputStream(pa.BufferReader(raw), "zstd").read(),
}


def decompress(raw: bytes, option: str | None, file: str, query_id: int) -> bytes:
    """The object's content as the COPY option says it is compressed (None: it is not).

    Raises:
        Refusal: it is not what the option says.
    """
    if option is None:
        return raw
    try:
        return _DECOMPRESS[option](raw)
    except (OSError, EOFError, ValueError, zlib.error, pa.ArrowException) as error:
        raise Refusal(
            "XX000", f"{option.lower()} decompression of {file} failed",
            detail=errors.detail(str(error), 8001, file, query_id, "decompress.cpp:1"),
        ) from error  # fmt: skip
