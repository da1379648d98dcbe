"""The PostgreSQL wire protocol, version 3: bytes to messages and back.

In: a stream or values. Out: (type, body) pairs or bytes. Knows nothing of Redshift, sessions or SQL. Layouts follow
the PostgreSQL manual, chapter "Message Formats".
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass

PROTOCOL_3 = 196608
CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
STARTUP_SIZE_MAX_BYTES = 10_000
MESSAGE_SIZE_MAX_BYTES = 1 << 30  # as PostgreSQL: PQ_LARGE_MESSAGE_LIMIT
FRONTEND_TYPES = frozenset(b"BCDEFHPQSXcdfp")

HEADER_BYTES = 5
_HEADER = struct.Struct("!BI")

FLUSH = b"H\x00\x00\x00\x04"
SYNC = b"S\x00\x00\x00\x04"
TERMINATE = b"X\x00\x00\x00\x04"


class ProtocolError(Exception):
    """The peer broke the protocol; the session cannot go on."""


@dataclass(eq=True, unsafe_hash=True)  # not frozen: Python itself writes to exceptions
class Refusal(Exception):
    """An error for the client, raised by the gateway: SQLSTATE, message and, if any, detail and hint."""

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def text(value: str) -> bytes:
    return value.encode() + b"\x00"


def read_text(body: bytes, at: int = 0) -> tuple[str, int]:
    """The zero-terminated string at `at` and the offset behind it.

    Raises:
        ProtocolError: it does not end within the message, or is no UTF-8.
    """
    end = body.find(b"\x00", at)
    if end < 0:
        raise ProtocolError("invalid string in message")
    try:
        return body[at:end].decode(), end + 1
    except UnicodeDecodeError as error:
        raise ProtocolError("invalid byte sequence for encoding UTF8") from error


def header(data: bytes | bytearray, at: int = 0) -> tuple[int, int]:
    """The type of a client's message and its length, which counts itself, from the first five bytes.

    Raises:
        ProtocolError: garbage or an impossible length.
    """
    kind, size_bytes = _HEADER.unpack_from(data, at)
    if kind not in FRONTEND_TYPES:
        raise ProtocolError(f"invalid frontend message type {kind}")
    if not 4 <= size_bytes <= MESSAGE_SIZE_MAX_BYTES:
        raise ProtocolError("invalid message length")
    return kind, size_bytes


async def read_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message of a client: its type and body.

    Raises:
        ProtocolError: garbage or an impossible length.
        asyncio.IncompleteReadError: the client is gone.
    """
    kind, size_bytes = header(await reader.readexactly(HEADER_BYTES))
    return kind, await reader.readexactly(size_bytes - 4) if size_bytes > 4 else b""


def error_body(refusal: Refusal, severity: str = "ERROR") -> bytes:
    fields = [("S", severity), ("V", severity), ("C", refusal.sqlstate), ("M", refusal.message)]
    fields += [("D", refusal.detail)] if refusal.detail else []
    fields += [("H", refusal.hint)] if refusal.hint else []
    return b"".join(name.encode() + text(value) for name, value in fields) + b"\x00"


def error(refusal: Refusal, severity: str = "ERROR") -> bytes:
    return message(b"E", error_body(refusal, severity))


def notice(severity: str, sqlstate: str, words: str) -> bytes:
    return message(b"N", error_body(Refusal(sqlstate, words), severity))


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse by their one-letter names."""
    fields = {}
    for part in body.split(b"\x00"):
        if part:
            fields[chr(part[0])] = part[1:].decode(errors="replace")
    return fields


def with_error_fields(fields: dict[str, str]) -> bytes:
    return b"".join(name.encode() + text(value) for name, value in fields.items()) + b"\x00"


def query(sql: str) -> bytes:
    return message(b"Q", text(sql))


def parse(name: bytes, sql: str, parameter_types: Sequence[int] = ()) -> bytes:
    types = struct.pack(f"!H{len(parameter_types)}I", len(parameter_types), *parameter_types)
    return message(b"P", name + b"\x00" + text(sql) + types)


def bind(portal: bytes, statement: bytes, parameters: Sequence[str | None] = ()) -> bytes:
    """Bind with text parameters and text results."""
    parts = [portal, b"\x00", statement, b"\x00", struct.pack("!HH", 0, len(parameters))]
    for value in parameters:
        if value is None:
            parts.append(struct.pack("!i", -1))
        else:
            raw = value.encode()
            parts.append(struct.pack("!i", len(raw)) + raw)
    return message(b"B", b"".join(parts) + struct.pack("!H", 0))


def bound_values(body: bytes) -> list[str | None]:
    """The parameters of a Bind, whose types are texts.

    Raises:
        ProtocolError: it is malformed.
    """
    try:
        return data_row(body[_parameters_at(body) :])
    except (struct.error, UnicodeDecodeError) as error:
        raise ProtocolError("insufficient data left in message") from error


def without_nul(body: bytes) -> bytes:
    """A Bind whose parameters are names, with a one for a zero byte: no name has either, and PostgreSQL refuses zeros.

    Raises:
        ProtocolError: it is malformed.
    """
    changed = bytearray(body)
    try:
        at = _parameters_at(body)
        (count,) = struct.unpack_from("!H", body, at)
        at += 2
        for _ in range(count):
            (size_bytes,) = struct.unpack_from("!i", body, at)
            end = at + 4 + max(size_bytes, 0)
            changed[at + 4 : end] = body[at + 4 : end].replace(b"\x00", b"\x01")
            at = end
    except struct.error as error:
        raise ProtocolError("insufficient data left in message") from error
    return bytes(changed)


def _parameters_at(body: bytes) -> int:
    """Where the number of parameters of a Bind is."""
    _, at = read_text(body)
    _, at = read_text(body, at)
    (formats,) = struct.unpack_from("!H", body, at)
    return at + 2 + 2 * int(formats)


def execute(portal: bytes) -> bytes:
    return message(b"E", portal + b"\x00" + struct.pack("!I", 0))


def close(kind: bytes, name: bytes) -> bytes:
    return message(b"C", kind + name + b"\x00")


def parameter_status(name: str, value: str) -> bytes:
    return message(b"S", text(name) + text(value))


def ready_for_query(status: bytes) -> bytes:
    return message(b"Z", status)


def data_row(body: bytes) -> list[str | None]:
    """The columns of a DataRow in text format."""
    (count,) = struct.unpack_from("!H", body)
    at = 2
    row: list[str | None] = []
    for _ in range(count):
        (size_bytes,) = struct.unpack_from("!i", body, at)
        at += 4
        if size_bytes < 0:
            row.append(None)
        else:
            row.append(body[at : at + size_bytes].decode())
            at += size_bytes
    return row
