"""The least an S3 can be: objects in memory, no signatures, no notifications. The floor is measured against it.

    python -m harness.bench.object_store

In: GET, HEAD, PUT, DELETE, ListObjectsV2 and DeleteObjects, path-style, on a free loopback port. Out: a JSON line with
the port; it ends when its standard input closes. What it leaves out is what an emulator is for.
"""

import asyncio
import hashlib
import json
import sys
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from harness.stack.processes import LOOPBACK

_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
_HEAD_MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class Request:
    """`path` is decoded: /bucket/key. Header names are lower-case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What goes back; the length is added."""

    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    head_only: bool = False


def unchunked(body: bytes) -> bytes:
    """The content of an `aws-chunked` body: sizes in hexadecimal, data, and trailers that are left out."""
    content: list[bytes] = []
    at = 0
    while True:
        line_end = body.index(b"\r\n", at)
        size_bytes = int(body[at:line_end].partition(b";")[0], 16)
        if size_bytes == 0:
            return b"".join(content)
        content.append(body[line_end + 2 : line_end + 2 + size_bytes])
        at = line_end + 4 + size_bytes


class ObjectStore:
    """Objects by path."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._etags: dict[str, str] = {}

    def answer(self, request: Request) -> Answer:
        """Do what the request asks for."""
        if request.method == "PUT":
            chunked = "aws-chunked" in request.headers.get("content-encoding", "")
            self._objects[request.path] = content = unchunked(request.body) if chunked else request.body
            self._etags[request.path] = _etag(content)
            return Answer(headers={"ETag": self._etags[request.path]})
        if request.method == "POST" and "delete" in request.query:
            return self._delete_many(request)
        if request.method == "DELETE":
            self._objects.pop(request.path, None)
            return Answer("204 No Content")
        if request.method == "GET" and "list-type" in request.query:
            return self._list(request.path.strip("/"), request.query.get("prefix", [""])[0])
        return self._get(request)

    def _get(self, request: Request) -> Answer:
        content = self._objects.get(request.path)
        if content is None and request.method == "HEAD" and "/" not in request.path.strip("/"):
            return Answer(head_only=True)  # every bucket is there
        if content is None:
            return Answer("404 Not Found", body=b"<Error><Code>NoSuchKey</Code></Error>")
        headers = {
            "ETag": self._etags[request.path],
            "Last-Modified": formatdate(usegmt=True),
            "Accept-Ranges": "bytes",
        }
        status = "200 OK"
        if (wanted := request.headers.get("range", "")).startswith("bytes="):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last) + 1 if last else len(content), len(content))
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
            content, status = content[int(first) : end], "206 Partial Content"
        return Answer(status, headers, content, head_only=request.method == "HEAD")

    def _list(self, bucket: str, prefix: str) -> Answer:
        start = f"/{bucket}/{prefix}"
        found = [
            f"<Contents><Key>{escape(path[len(bucket) + 2 :])}</Key><Size>{len(content)}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{self._etags[path]}</ETag></Contents>"
            for path, content in self._objects.items()
            if path.startswith(start)
        ]
        body = f'<ListBucketResult xmlns="{_XMLNS}"><IsTruncated>false</IsTruncated>{"".join(found)}</ListBucketResult>'
        return Answer(headers={"Content-Type": "application/xml"}, body=body.encode())

    def _delete_many(self, request: Request) -> Answer:
        bucket = request.path.strip("/")
        for key in ElementTree.fromstring(request.body).iter(f"{{{_XMLNS}}}Key"):
            self._objects.pop(f"/{bucket}/{key.text}", None)
        return Answer(headers={"Content-Type": "application/xml"}, body=f'<DeleteResult xmlns="{_XMLNS}"/>'.encode())


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, store: ObjectStore) -> None:
    try:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            except asyncio.IncompleteReadError:
                return
            method, target, _ = head[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            url = urlsplit(target)
            request = Request(method, unquote(url.path), parse_qs(url.query, keep_blank_values=True), headers, body)
            answer = store.answer(request)
            lines = [f"HTTP/1.1 {answer.status}", f"Content-Length: {len(answer.body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if answer.head_only else answer.body))
            await writer.drain()
    except ConnectionError:
        return  # the client is gone
    finally:
        writer.close()


async def _serve() -> None:
    store = ObjectStore()
    server = await asyncio.start_server(
        lambda reader, writer: _requests(reader, writer, store), LOOPBACK, 0, limit=_HEAD_MAX_BYTES
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
