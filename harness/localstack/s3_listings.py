"""S3 listings that are whole beyond their first page, whatever characters the keys have, and cost what a page costs.

LocalStack compares the percent-encoded key with a marker that is not: with `encoding-type=url`, which boto3 always
asks for, `dt%3D2026-01-01/…` lies before the marker `dt=2026-01-01/…`, so each page but the first is empty for keys
below `<type>/dt=YYYY-MM-DD/`. Here it lists by plain keys, and what it answers is encoded afterwards.

It also sorts all objects of a bucket for each listing. A handler and its COPY list a few times, so that each file cost
more than the one before it. Here a bucket keeps its keys in order, and a listing looks at its own page (`s3_keys`); one
of versions, which nothing of a pipeline asks for, at all keys with its prefix.

In: a listing's request. Out: LocalStack's answer, encoded where S3 encodes ("ListObjectsV2", "ListObjects" and
"ListObjectVersions", Amazon S3 API Reference: EncodingType).
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from localstack.services.s3 import models
from localstack.services.s3.models import KeyStore, S3DeleteMarker, S3Object
from localstack.services.s3.provider import S3Provider

from harness.localstack.s3_keys import Keys, Page

LISTINGS = ("list_objects", "list_objects_v2", "list_object_versions")
ENCODED = ("Delimiter", "KeyMarker", "Marker", "NextKeyMarker", "NextMarker", "Prefix", "StartAfter")
ENTRIES = {"Contents": "Key", "Versions": "Key", "DeleteMarkers": "Key", "CommonPrefixes": "Prefix"}
_listing = threading.local()


def install() -> None:
    """Take the encoding out of LocalStack's listings, and have them look at their own page."""
    models.KeyStore = OrderedKeyStore  # type: ignore[misc] - a bucket looks it up when it is made
    for name in LISTINGS:
        setattr(S3Provider, name, _encoding_afterwards(getattr(S3Provider, name)))


def _encoding_afterwards(original: Callable[..., Any]) -> Callable[..., Any]:
    of_versions = original.__name__ == "list_object_versions"

    # The dispatcher finds an operation by what its function is called and marked with.
    @functools.wraps(original)
    def listing(self: S3Provider, context: Any, encoding_type: str | None = None, **request: Any) -> Any:
        page = Page(request.get("prefix") or "") if of_versions else Page.of(request)
        with _looking_at(page):
            response = original(self, context, **request)
        return _encoded(response, encoding_type) if encoding_type else response

    return listing


@contextmanager
def _looking_at(page: Page) -> Iterator[None]:
    """Within the block this thread finds no other objects in a bucket without versions."""
    _listing.page = page
    try:
        yield
    finally:
        _listing.page = None


class OrderedKeyStore(KeyStore):
    """The objects of a bucket without versions, with their keys in order."""

    def __init__(self) -> None:
        super().__init__()
        self._keys = Keys()
        self._lock = threading.Lock()

    def set(self, object_key: str, s3_object: S3Object) -> None:
        """Put an object in the place of the one with this key."""
        with self._lock:
            if object_key not in self._store:
                self._keys.add(object_key)
            self._store[object_key] = s3_object

    def pop(self, object_key: str, default: S3Object | None = None) -> S3Object | None:
        """Take an object out."""
        with self._lock:
            if object_key in self._store:
                self._keys.remove(object_key)
            return self._store.pop(object_key, default)

    def values(self, *_: object, **__: object) -> list[S3Object | S3DeleteMarker]:
        """All objects, or those of the page that this thread lists."""
        page: Page | None = getattr(_listing, "page", None)
        if page is None:
            return super().values()
        with self._lock:
            return [self._store[key] for key in self._keys.page(page)]


def _encoded(response: dict[str, Any], encoding_type: str) -> dict[str, Any]:
    for name in ENCODED:
        if response.get(name):
            response[name] = quote(response[name])
    for name, field in ENTRIES.items():
        for entry in response.get(name, ()):
            entry[field] = quote(entry[field])
    response["EncodingType"] = encoding_type
    return response
