"""What LocalStack's HTTP server (Twisted 25, `twisted/web/http.py`) does for each request and nobody needs.

It formats a line for an access log that LocalStack drops, and keeps bodies of 100 KB and more in temporary files, to
be read once, a moment later.
"""

import tempfile
from io import BytesIO
from typing import IO

from twisted.web import http

IN_MEMORY_BYTES_MAX = 8 * 1024 * 1024


def do_less() -> None:
    """Write no access log, and keep the bodies of ordinary files in memory until they are read."""
    http.HTTPFactory.log = _no_log
    http._getContentFile = _content_file


def _no_log(factory: http.HTTPFactory, request: http.Request) -> None:
    """LS_LOG still shows requests: LocalStack logs them itself."""


def _content_file(length: int | None) -> IO[bytes]:
    return BytesIO() if length is not None and length <= IN_MEMORY_BYTES_MAX else tempfile.TemporaryFile()
