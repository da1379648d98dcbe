"""Opening a session on PostgreSQL: startup and password, over plain TCP.

In: an address and credentials. Out: a stream pair ready for queries and what the server reported. Understands trust,
cleartext, md5 and SCRAM-SHA-256 without channel binding (RFC 5802). Knows nothing of Redshift.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import struct
from dataclasses import dataclass, replace
from functools import lru_cache

import psycopg2
from psycopg2.extensions import parse_dsn

from harness.redshift import messages as wire
from harness.redshift import streams
from harness.redshift.streams import DirectReader

CLOSE_TIMEOUT_S = 1
AUTH_OK, AUTH_CLEARTEXT, AUTH_MD5, AUTH_SASL, AUTH_SASL_CONTINUE, AUTH_SASL_FINAL = 0, 3, 5, 10, 11, 12


class BackendRefused(Exception):
    """The server ended the startup with an error; `body` is its ErrorResponse."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        super().__init__(wire.error_fields(body).get("M", "the backend refused the connection"))


@dataclass(frozen=True)
class Address:
    """Where PostgreSQL is and as whom to go there."""

    host: str
    port: int
    user: str
    password: str
    database: str

    @classmethod
    def from_dsn(cls, dsn: str) -> "Address":
        """Read a libpq connection string or URL; PGPASSWORD serves if it names no password."""
        parts = parse_dsn(dsn)
        return cls(
            host=parts.get("host", "127.0.0.1"),
            port=int(parts.get("port", 5432)),
            user=parts.get("user", "postgres"),
            password=parts.get("password", os.environ.get("PGPASSWORD", "")),
            database=parts.get("dbname", parts.get("user", "postgres")),
        )

    def connect(self) -> psycopg2.extensions.connection:
        """A connection of the gateway's own; it blocks.

        Raises:
            psycopg2.Error: it cannot be reached or refuses.
        """
        return psycopg2.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=self.database
        )

    def as_user(self, user: str, password: str) -> "Address":
        return replace(self, user=user, password=password)


@dataclass(frozen=True)
class Opened:
    """A session ready for queries: its streams, its reported parameters and its cancel key (process id, secret)."""

    reader: DirectReader
    writer: asyncio.StreamWriter
    parameters: dict[str, str]
    key: bytes


async def open_session(address: Address, parameters: dict[str, str]) -> Opened:
    """Connect and start a session with the given startup parameters.

    Raises:
        BackendRefused: the server said no.
        OSError: it cannot be reached.
    """
    reader, writer = await streams.open_connection(address.host, address.port)
    try:
        pairs = {"user": address.user, "database": address.database, **parameters}
        body = struct.pack("!I", wire.PROTOCOL_3) + b"".join(wire.text(part) for pair in pairs.items() for part in pair)
        writer.write(struct.pack("!I", len(body) + 5) + body + b"\x00")
        await _authenticate(reader, writer, address)
        return await _until_ready(reader, writer)
    except BaseException:
        writer.close()
        raise


async def run(opened: Opened, statement: str) -> Opened:
    """Run a simple query in a session that nobody uses yet; the session with the parameters it reports afterwards.

    Raises:
        BackendRefused: it failed, and the session is closed.
    """
    try:
        opened.writer.write(wire.query(statement))
        after = await _until_ready(opened.reader, opened.writer)
    except BaseException:
        opened.writer.close()
        raise
    return replace(opened, parameters=opened.parameters | after.parameters)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until it is; one whose peer does not answer is cut off."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
    except asyncio.CancelledError:
        writer.transport.abort()
        raise


async def cancel(address: Address, key: bytes) -> None:
    """Ask PostgreSQL to cancel what the session with this key is doing."""
    _, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(struct.pack("!II", 16, wire.CANCEL_REQUEST) + key)
        await writer.drain()
    finally:
        await close(writer)


async def _next(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    header = await reader.readexactly(5)
    body = await reader.readexactly(int.from_bytes(header[1:], "big") - 4)
    if header[0] == ord("E"):
        raise BackendRefused(body)
    return header[0], body


async def _until_ready(reader: DirectReader, writer: asyncio.StreamWriter) -> Opened:
    reported, key = {}, b""
    while True:
        kind, body = await _next(reader)
        if kind == ord("S"):
            name, at = wire.read_text(body)
            reported[name] = wire.read_text(body, at)[0]
        elif kind == ord("K"):
            key = body
        elif kind == ord("Z"):
            return Opened(reader, writer, reported, key)


async def _authenticate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address) -> None:
    while True:
        kind, body = await _next(reader)
        if kind != ord("R"):
            raise wire.ProtocolError("the backend did not ask for authentication")
        (method,) = struct.unpack_from("!I", body)
        if method == AUTH_OK:
            return
        if method == AUTH_CLEARTEXT:
            writer.write(wire.message(b"p", wire.text(address.password)))
        elif method == AUTH_MD5:
            writer.write(wire.message(b"p", md5_answer(address.user, address.password, body[4:8]) + b"\x00"))
        elif method == AUTH_SASL:
            await _scram(reader, writer, address.password)
        else:
            raise wire.ProtocolError(f"the backend asks for authentication method {method}, which is not supported")


def md5_hash(user: str, password: str) -> str:
    """What a server keeps of a password: 32 hexadecimal digits."""
    return hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()


def md5_salted(kept: str, salt: bytes) -> bytes:
    """What a client sends for AuthenticationMD5Password, from what the server keeps."""
    return b"md5" + hashlib.md5(kept.encode() + salt, usedforsecurity=False).hexdigest().encode()


def md5_answer(user: str, password: str, salt: bytes) -> bytes:
    """What a client sends for AuthenticationMD5Password."""
    return md5_salted(md5_hash(user, password), salt)


@lru_cache(maxsize=16)
def _salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)


async def _scram(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, password: str) -> None:
    first = f"n=,r={secrets.token_urlsafe(18)}"
    initial = f"n,,{first}".encode()
    writer.write(wire.message(b"p", wire.text("SCRAM-SHA-256") + struct.pack("!I", len(initial)) + initial))
    _, body = await _next(reader)
    server_first = body[4:].decode()
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    salted = _salted_password(password, base64.b64decode(fields["s"]), int(fields["i"]))
    without_proof = f"c=biws,r={fields['r']}"
    signed = f"{first},{server_first},{without_proof}".encode()
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    writer.write(wire.message(b"p", f"{without_proof},p={base64.b64encode(proof).decode()}".encode()))
    _, body = await _next(reader)
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
    if body[4:].decode() != f"v={base64.b64encode(expected).decode()}":
        raise wire.ProtocolError("the backend's SCRAM signature is wrong")
