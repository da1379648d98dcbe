"""Results as Redshift's clients know them: SUPER and VARBYTE have their own numbers, and come as Redshift writes them.

In: RowDescription and DataRow messages of the backend, whose types are jsonb and bytea. Out: the same for the client.
Knows nothing of sessions. Sources: the numbers and forms that Redshift's open drivers expect (`RedshiftOID` and the
tests of redshift_connector); Database Developer Guide, "JSON_PARSE function" (SUPER is written without spaces).
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

JSONB, BYTEA, SUPER, VARBYTE = 3802, 17, 4000, 6551
_OIDS = {JSONB: SUPER, BYTEA: VARBYTE}
_MARKS = tuple(struct.pack("!I", oid) for oid in _OIDS)
_COLUMN = struct.Struct("!IhIhih")  # behind the name: table, column, type, size, modifier, format
_STRING_OR_GAP = re.compile(rb'("(?:[^"\\]|\\.)*")|([,:]) ')
Writer = Callable[[bytes], bytes]


def _compact(document: bytes) -> bytes:
    """A jsonb's text, whose only spaces outside strings follow a comma or a colon, without them."""
    return _STRING_OR_GAP.sub(lambda found: found[1] or found[2], document)


def _digits(text: bytes) -> bytes:
    """A bytea's text without the backslash and the x that PostgreSQL begins it with."""
    return text[2:]


_WRITERS: dict[int, Writer] = {JSONB: _compact, BYTEA: _digits}


@dataclass
class Shape:
    """Of one statement or portal: how the columns are written that Redshift writes otherwise, by their index.

    Set once it is described; empty for columns in binary form.
    """

    writers: dict[int, Writer] = field(default_factory=dict)

    def bound(self, bind: bytes) -> "Shape":
        """The shape of a portal, whose Bind may ask for some columns in binary form."""
        if not self.writers:
            return self
        try:
            formats = _result_formats(bind)
        except (struct.error, ValueError):
            return self  # PostgreSQL refuses it
        if not any(formats):
            return self
        if len(formats) == 1:
            return Shape()
        return Shape({index: writer for index, writer in self.writers.items() if formats[index : index + 1] == [0]})


def described(message: bytes) -> tuple[bytes, dict[int, Writer]] | None:
    """A RowDescription message with Redshift's types, and the writers of its columns; None if it has neither type."""
    if not any(mark in message for mark in _MARKS):
        return None
    changed, at, writers = bytearray(message), 7, {}
    (count,) = struct.unpack_from("!H", message, 5)
    for index in range(count):
        at = message.index(b"\x00", at) + 1
        table, number, oid, size, modifier, is_binary = _COLUMN.unpack_from(message, at)
        if oid in _OIDS:
            _COLUMN.pack_into(changed, at, table, number, _OIDS[oid], size, modifier, is_binary)
            if not is_binary:
                writers[index] = _WRITERS[oid]
        at += _COLUMN.size
    return bytes(changed), writers


def row(message: bytes, writers: dict[int, Writer]) -> bytes:
    """A DataRow message with these columns as their writers have them."""
    parts, at = [message[5:7]], 7
    (count,) = struct.unpack_from("!H", message, 5)
    for index in range(count):
        (size,) = struct.unpack_from("!i", message, at)
        end = at + 4 + max(size, 0)
        if size >= 0 and index in writers:
            value = writers[index](message[at + 4 : end])
            parts += [struct.pack("!i", len(value)), value]
        else:
            parts.append(message[at:end])
        at = end
    body = b"".join(parts)
    return b"D" + struct.pack("!I", len(body) + 4) + body


def _result_formats(bind: bytes) -> list[int]:
    """The format codes of the results that a Bind asks for."""
    at = bind.index(b"\x00", bind.index(b"\x00") + 1) + 1
    at += 2 + 2 * int(struct.unpack_from("!H", bind, at)[0])
    (parameters,) = struct.unpack_from("!H", bind, at)
    at += 2
    for _ in range(parameters):
        at += 4 + max(struct.unpack_from("!i", bind, at)[0], 0)
    (count,) = struct.unpack_from("!H", bind, at)
    return list(struct.unpack_from(f"!{count}h", bind, at + 2))
