"""S3 listings that are whole beyond their first page, whatever characters the keys have.

LocalStack compares the percent-encoded key with a marker that is not: with `encoding-type=url`, which boto3 always
asks for, `dt%3D2026-01-01/…` lies before the marker `dt=2026-01-01/…`, so each page but the first is empty for keys
below `<type>/dt=YYYY-MM-DD/`. Here it lists by plain keys, and what it answers is encoded afterwards.

In: a listing's request. Out: LocalStack's answer, encoded where S3 encodes ("ListObjectsV2", "ListObjects" and
"ListObjectVersions", Amazon S3 API Reference: EncodingType).
"""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from localstack.services.s3.provider import S3Provider

LISTINGS = ("list_objects", "list_objects_v2", "list_object_versions")
ENCODED = ("Delimiter", "KeyMarker", "Marker", "NextKeyMarker", "NextMarker", "Prefix", "StartAfter")
ENTRIES = {"Contents": "Key", "Versions": "Key", "DeleteMarkers": "Key", "CommonPrefixes": "Prefix"}


def install() -> None:
    """Take the encoding out of LocalStack's listings."""
    for name in LISTINGS:
        setattr(S3Provider, name, _encoding_afterwards(getattr(S3Provider, name)))


def _encoding_afterwards(original: Callable[..., Any]) -> Callable[..., Any]:
    # The dispatcher finds an operation by what its function is called and marked with.
    @functools.wraps(original)
    def listing(self: S3Provider, context: Any, encoding_type: str | None = None, **request: Any) -> Any:
        response = original(self, context, **request)
        return _encoded(response, encoding_type) if encoding_type else response

    return listing


def _encoded(response: dict[str, Any], encoding_type: str) -> dict[str, Any]:
    for name in ENCODED:
        if response.get(name):
            response[name] = quote(response[name])
    for name, field in ENTRIES.items():
        for entry in response.get(name, ()):
            entry[field] = quote(entry[field])
    response["EncodingType"] = encoding_type
    return response
