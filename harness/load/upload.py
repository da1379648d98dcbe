"""One upload to S3, and what is known of it afterwards.

In: a key and bytes. Out: a receipt, or an error that says whether the object may be there all the same. Knows nothing
of schedules and time.
"""

import ipaddress
import os
import socket
import threading
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    SSLError,
)
from botocore.handlers import add_expect_header

from harness.errors import HarnessError, UsageError

Outcome = Literal["failed", "unknown"]

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 60
MAX_ATTEMPTS = 3
# The request never left: the object cannot be there.
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, SSLError)


@dataclass(frozen=True)
class Receipt:
    """S3 acknowledged the object; `attempts` above 1 means that it may have been stored more than once."""

    etag: str
    attempts: int


class UploadError(Exception):
    """S3 did not acknowledge the object. `outcome` is "failed" only if it cannot be there, else "unknown"."""

    def __init__(self, reason: str, outcome: Outcome, attempts: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome: Outcome = outcome
        self.attempts = attempts


def check_endpoint(endpoint_url: str | None, *, remote_allowed: bool) -> None:
    """Refuse to load anything but this machine, unless it is meant.

    Raises:
        UsageError: the endpoint is not on loopback and `remote_allowed` is false, or it is no URL.
    """
    if remote_allowed:
        return
    if endpoint_url is None:
        raise UsageError("without --endpoint the target is AWS; give --allow-remote if that is meant")
    host = urlsplit(endpoint_url).hostname
    if urlsplit(endpoint_url).scheme not in ("http", "https") or not host:
        raise UsageError(f"--endpoint {endpoint_url!r} is not a URL such as http://127.0.0.1:4566")
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise UsageError(f"--endpoint {endpoint_url}: {host} has no address: {error}") from error
    if remote := [address for address in sorted(addresses) if not ipaddress.ip_address(address).is_loopback]:
        raise UsageError(
            f"--endpoint {endpoint_url}: {remote[0]} is not a loopback address; give --allow-remote if it is meant"
        )


def _may_be_stored(status: int | None, error: Exception | None) -> bool:
    if error is not None:
        return not isinstance(error, _NEVER_SENT)
    # A 4xx is a refusal. Of a 5xx S3 does not say whether the object was stored.
    return status is None or status >= 500


class Uploader:
    """A pool of connections to one bucket, for as many greenlets or threads as `connections`.

    Credentials and region come from the environment. boto3 retries by its `standard` mode; every attempt is seen.
    """

    def __init__(self, endpoint_url: str | None, bucket: str, connections: int) -> None:
        self._bucket = bucket
        self._attempts = threading.local()  # one per greenlet, once locust is imported
        session = boto3.session.Session(
            region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        )
        self._client = session.client(
            "s3",
            endpoint_url=endpoint_url,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
                max_pool_connections=connections,
                tcp_keepalive=True,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        )
        # Asking for a 100 Continue costs a round trip, and a second where the server never answers it.
        self._client.meta.events.unregister("before-call.s3", add_expect_header)
        self._client.meta.events.register_first("needs-retry.s3.PutObject", self._note_attempt)

    def _note_attempt(self, response: Any = None, caught_exception: Exception | None = None, **_other: object) -> None:
        status = response[0].status_code if response is not None else None
        self._attempts.count += 1
        self._attempts.may_be_stored |= _may_be_stored(status, caught_exception)

    def check(self) -> None:
        """Have the bucket answer, which also opens the first connection.

        Raises:
            HarnessError: it does not; names the bucket.
        """
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as error:
            raise HarnessError(f"the bucket {self._bucket!r} does not answer: {error}") from error

    def put(self, key: str, body: bytes) -> Receipt:
        """Store one object.

        Raises:
            UploadError: S3 did not acknowledge it.
        """
        self._attempts.count, self._attempts.may_be_stored = 0, False
        try:
            answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError) as error:
            outcome: Outcome = "unknown" if self._attempts.may_be_stored else "failed"
            raise UploadError(str(error), outcome, self._attempts.count) from error
        return Receipt(answer["ETag"].strip('"'), self._attempts.count)
