"""Results as Redshift's clients know them: SUPER, VARBYTE and intervals have their own numbers and forms.

In: RowDescription and DataRow messages of the backend, whose types are jsonb, bytea and interval; Parse and Bind of the
client. Out: the same for the other side. Knows nothing of sessions. Sources: the numbers and forms that Redshift's
open drivers expect (`RedshiftOID` and the tests of redshift_connector); Database Developer Guide, "JSON_PARSE function"
(SUPER is written without spaces), "Interval data types and literals". In protocol version 2 these drivers read NUMERIC
in binary as a scaled integer of 8 or 16 bytes, whose scale is in the column's modifier, and VARBYTE as its bytes.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from harness.redshift.numerics import NUMERIC, UNKNOWN, Decimal
from harness.redshift.scaled import scaled

JSONB, BYTEA, INTERVAL, SUPER, VARBYTE, INTERVALY2M, INTERVALD2S = 3802, 17, 1186, 4000, 6551, 1188, 1190
TIME, TIMETZ, TIMESTAMPTZ, ABSTIME = 1083, 1266, 1184, 702
BINARY = 2  # the protocol version from which numbers are binary
ACLITEM, ACLITEMS = 1033, 1034


def _any_of(*oids: int) -> re.Pattern[bytes]:
    """Finds the number of one of these types in a RowDescription, or what looks like it."""
    return re.compile(b"|".join(re.escape(struct.pack("!I", oid)) for oid in oids))


_OF_REDSHIFT = _any_of(JSONB, BYTEA, INTERVAL, TIMESTAMPTZ, TIME, TIMETZ)
_OF_BINARY = _any_of(NUMERIC, ACLITEMS)  # those of protocol version 2
_ELEMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^,{}"]+)')  # of an array's text
_COLUMN = struct.Struct("!IhIhih")  # behind the name: table, column, type, size, modifier, format
_STRING_OR_GAP = re.compile(rb'("(?:[^"\\]|\\.)*")|([,:]) ')
# a TIMETZ's text
_ZONED = re.compile(rb"(\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?")
_INTERVAL = struct.Struct("!qii")  # microseconds, days, months
_DAY_US = 86_400_000_000
_END_OF_DAY = struct.pack("!q", _DAY_US)
_YEAR_OR_MONTH, _ALL_FIELDS = 0b110, 0x7FFF  # in an interval's modifier, as INTERVAL_MASK of PostgreSQL has them
_UNIX_TO_2000_S = 946_684_800
_NOSTART, _NOEND = -(1 << 31), 0x7FFF_FFFC  # ABSTIME's infinities
Writer = Callable[[bytes], bytes]


def _compact(document: bytes) -> bytes:
    """A jsonb's text, whose only spaces outside strings follow a comma or a colon, without them."""
    return _STRING_OR_GAP.sub(lambda found: found[1] or found[2], document)


def _digits(text: bytes) -> bytes:
    """A bytea's text without the backslash and the x that PostgreSQL begins it with."""
    return text[2:]


def _bytes(text: bytes) -> bytes:
    """A bytea's text as the bytes themselves."""
    return bytes.fromhex(text[2:].decode("ascii"))


def _acl(text: bytes) -> bytes:
    """The text of an array of ACL items, of which PostgreSQL has no binary form, as an array of texts in binary."""
    items = [re.sub(rb"\\(.)", rb"\1", quoted) or plain for quoted, plain in _ELEMENT.findall(text)]
    head = struct.pack("!iii", bool(items), 0, ACLITEM) + (struct.pack("!ii", len(items), 1) if items else b"")
    return head + b"".join(struct.pack("!i", len(item)) + item for item in items)


def _clock(text: bytes) -> bytes:
    """A time of day, whose end of the day is the beginning of one: 24:00:00 comes as 00:00:00."""
    return b"00" + text[2:] if text.startswith(b"24") else text


def _clock_in_utc(text: bytes) -> bytes:
    """A time of day with a zone in UTC, as Redshift keeps it (Datetime types)."""
    found = _ZONED.fullmatch(text)
    if found is None:
        return text
    hours, minutes, seconds, fraction, sign, *zone = found.groups()
    east_s = sum(int(part or 0) * unit for part, unit in zip(zone, (3600, 60, 1), strict=True))
    time_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds) - (east_s if sign == b"+" else -east_s)
    minute, second = divmod(time_s % 86_400, 60)
    return b"%02d:%02d:%02d%b+00" % (*divmod(minute, 60), second, fraction or b"")


def _microseconds_of_day(time: bytes) -> bytes:
    """The same in binary."""
    return bytes(8) if time == _END_OF_DAY else time


def _microseconds_of_day_in_utc(timetz: bytes) -> bytes:
    """A binary time of day with a zone, in UTC, as Redshift keeps it (Datetime types).

    redshift_connector adds the zone to the time and takes a sum beyond the day for an error; its own test suite wants
    05:44:54 UTC of a column's 22:44:54 PDT.
    """
    microseconds, seconds_west = struct.unpack("!qi", timetz)
    return struct.pack("!qi", (microseconds + seconds_west * 1_000_000) % _DAY_US, 0)


def _months(interval: bytes) -> bytes:
    """A binary interval as the number of its months."""
    return struct.pack("!i", _INTERVAL.unpack(interval)[2])


def _microseconds(interval: bytes) -> bytes:
    """A binary interval as the number of its microseconds, as near as 64 bits come."""
    microseconds, days, _ = _INTERVAL.unpack(interval)
    return struct.pack("!q", max(-(1 << 63), min((1 << 63) - 1, microseconds + days * _DAY_US)))


def _seconds(timestamptz: bytes) -> bytes:
    """A binary timestamp, in microseconds since 2000, as the seconds since 1970 that ABSTIME has."""
    (microseconds,) = struct.unpack("!q", timestamptz)
    seconds = microseconds // 1_000_000 + _UNIX_TO_2000_S
    return struct.pack("!i", max(_NOSTART, min(_NOEND, seconds)))


@dataclass(frozen=True)
class Form:
    """How Redshift numbers a type, and how it writes its values as text and in binary, where it does so otherwise.

    from_text: PostgreSQL has no binary form, so `binary` gets the text.
    """

    oid: int
    text: Writer | None = None
    binary: Writer | None = None
    from_text: bool = False


_FORMS = {
    JSONB: Form(SUPER, _compact), BYTEA: Form(VARBYTE, _digits), TIME: Form(TIME, _clock, _microseconds_of_day),
    TIMETZ: Form(TIMETZ, _clock_in_utc, _microseconds_of_day_in_utc),
}  # fmt: skip
_BINARY_FORMS = {BYTEA: Form(VARBYTE, _bytes), ACLITEMS: Form(ACLITEMS, binary=_acl, from_text=True)}
_ABSTIME = Form(ABSTIME, binary=_seconds)
_YEAR_TO_MONTH, _DAY_TO_SECOND = Form(INTERVALY2M, binary=_months), Form(INTERVALD2S, binary=_microseconds)


def _form(oid: int, modifier: int, protocol: int) -> Form | None:
    if oid == NUMERIC:
        return Form(NUMERIC, binary=partial(scaled, number=Decimal.of(modifier))) if protocol >= BINARY else None
    if oid in _BINARY_FORMS and protocol >= BINARY:
        return _BINARY_FORMS[oid]
    if oid == TIMESTAMPTZ:
        return _ABSTIME if modifier == 0 else None
    if oid != INTERVAL:
        return _FORMS.get(oid)
    fields = modifier >> 16 & _ALL_FIELDS
    if modifier < 0 or fields == _ALL_FIELDS:
        return None
    return _YEAR_TO_MONTH if fields & _YEAR_OR_MONTH else _DAY_TO_SECOND


@dataclass
class Shape:
    """Of one statement or portal: the columns that Redshift writes otherwise, by their index, and who writes them.

    `forms` and `count`, of all columns, are set once it is described; `forms` is shared by a statement and its portals,
    `formats` are those of its Bind.
    """

    forms: dict[int, Form] = field(default_factory=dict)
    formats: tuple[int, ...] = ()
    count: int = 0

    def bound(self, bind: bytes) -> "Shape":
        """The shape of a portal, whose Bind may ask for some columns in binary form."""
        try:
            return Shape(self.forms, tuple(_formats(bind)[2]), self.count)
        except (struct.error, ValueError):
            return self  # PostgreSQL refuses it

    def is_described(self, forms: dict[int, Form], message: bytes) -> None:
        """What is described has these forms, and the columns of a RowDescription message."""
        self.forms.clear()
        self.forms.update(forms)
        (self.count,) = struct.unpack_from("!H", message, 5)

    def sendable(self, bind: bytes) -> bytes:
        """The body of the Bind with columns in text that PostgreSQL cannot send in binary."""
        wanted = [index for index, form in self.forms.items() if form.from_text and self._is_binary(index)]
        if not wanted:
            return bind
        formats = [0 if index in wanted else int(self._is_binary(index)) for index in range(self.count)]
        return bind[: -2 - 2 * len(self.formats)] + struct.pack(f"!H{len(formats)}h", len(formats), *formats)

    @property
    def writers(self) -> dict[int, Writer]:
        """Who writes which column of a row."""
        writers = {}
        for index, form in self.forms.items():
            if writer := form.binary if self._is_binary(index) else form.text:
                writers[index] = writer
        return writers

    def _is_binary(self, index: int) -> bool:
        if len(self.formats) == 1:
            return self.formats[0] == 1
        return self.formats[index : index + 1] == (1,)


def described(
    message: bytes, protocol: int = 0, numbers: Sequence[Decimal] = ()
) -> tuple[bytes, dict[int, Form]] | None:
    """A RowDescription message with Redshift's types, and the forms of its columns; None if it has no such type.

    numbers: what each column is if it turns out to be a NUMERIC of no known scale, which no client of protocol
    version 2 can read.
    """
    if not _OF_REDSHIFT.search(message) and not (protocol >= BINARY and _OF_BINARY.search(message)):
        return None
    changed, at, forms = bytearray(message), 7, {}
    (count,) = struct.unpack_from("!H", message, 5)
    for index in range(count):
        at = message.index(b"\x00", at) + 1
        table, number, oid, size, modifier, is_binary = _COLUMN.unpack_from(message, at)
        if oid == NUMERIC and modifier < 0 and protocol >= BINARY:
            modifier = (numbers[index] if index < len(numbers) else UNKNOWN).modifier
        if form := _form(oid, modifier, protocol):
            _COLUMN.pack_into(changed, at, table, number, form.oid, size, modifier, is_binary)
            forms[index] = form
        at += _COLUMN.size
    return bytes(changed), forms


@dataclass(frozen=True)
class Origin:
    """The column of a table that a result's column is: its names, and whether it takes NULL or numbers its rows."""

    schema: str
    table: str
    column: str
    database: str
    nullable: bool
    autoincrement: bool


_SEARCHABLE = 1 << 12
_NO_ORIGIN = b"\x00\x00\x00\x00" + struct.pack("!H", 1 | _SEARCHABLE)


def columns(description: bytes) -> list[tuple[int, int]]:
    """Of each column of a RowDescription body: its table's number and its own in it; zeros if it is of none."""
    found, at = [], 2
    for _ in range(*struct.unpack_from("!H", description)):
        at = description.index(b"\x00", at) + 1
        table, number, *_ = _COLUMN.unpack_from(description, at)
        found.append((table, number))
        at += _COLUMN.size
    return found


def has_unknown_scale(description: bytes) -> bool:
    """Whether a column of a RowDescription body is a NUMERIC of which PostgreSQL does not know the scale."""
    at = 2
    for _ in range(*struct.unpack_from("!H", description)):
        at = description.index(b"\x00", at) + 1
        _, _, oid, _, modifier, _ = _COLUMN.unpack_from(description, at)
        if oid == NUMERIC and modifier < 0:
            return True
        at += _COLUMN.size
    return False


def with_origins(description: bytes, origins: dict[tuple[int, int], Origin]) -> bytes:
    """A RowDescription body as protocol version 1 has it: each column with the names it comes from, and flags."""
    parts, at = [description[:2]], 2
    for column in columns(description):
        end = description.index(b"\x00", at) + 1 + _COLUMN.size
        parts.append(description[at:end])
        if origin := origins.get(column):
            names = (origin.schema, origin.table, origin.column, origin.database)
            parts += [name.encode() + b"\x00" for name in names]
            parts.append(struct.pack("!H", origin.nullable | origin.autoincrement << 4 | _SEARCHABLE))
        else:
            parts.append(_NO_ORIGIN)
        at = end
    return b"".join(parts)


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


# --- parameters, which clients of Redshift send as intervals of their kind

_PARAMETERS: dict[int, Writer] = {
    INTERVALY2M: lambda months: _INTERVAL.pack(0, 0, *struct.unpack("!i", months)),
    INTERVALD2S: lambda microseconds: _INTERVAL.pack(*struct.unpack("!q", microseconds), 0, 0),
}


def parameter_types(types: bytes) -> tuple[bytes, dict[int, int]]:
    """The end of a Parse message as PostgreSQL knows the types, and which parameters are of Redshift's, by index."""
    oids = [oid for (oid,) in struct.iter_unpack("!I", types[2 : 2 + len(types[2:]) // 4 * 4])]
    own = {index: oid for index, oid in enumerate(oids) if oid in _PARAMETERS}
    if not own:
        return types, own
    return types[:2] + b"".join(struct.pack("!I", INTERVAL if oid in _PARAMETERS else oid) for oid in oids), own


def parameters(bind: bytes, own: dict[int, int]) -> bytes:
    """The body of a Bind message with its binary parameters of Redshift's types as PostgreSQL reads them.

    Raises:
        struct.error, ValueError: it is malformed.
    """
    formats, at, _ = _formats(bind)
    parts = [bind[:at]]
    (count,) = struct.unpack_from("!H", bind, at - 2)
    for index in range(count):
        (size,) = struct.unpack_from("!i", bind, at)
        end = at + 4 + max(size, 0)
        is_binary = (formats[index : index + 1] if len(formats) > 1 else formats) == [1]
        if index in own and is_binary and size >= 0:
            value = _PARAMETERS[own[index]](bind[at + 4 : end])
            parts += [struct.pack("!i", len(value)), value]
        else:
            parts.append(bind[at:end])
        at = end
    return b"".join((*parts, bind[at:]))


def _formats(bind: bytes) -> tuple[list[int], int, list[int]]:
    """Of a Bind: its parameters' format codes, where the first of them begins, its results' format codes."""
    at = bind.index(b"\x00", bind.index(b"\x00") + 1) + 1
    (count,) = struct.unpack_from("!H", bind, at)
    of_parameters = list(struct.unpack_from(f"!{count}h", bind, at + 2))
    at += 2 + 2 * count
    (count,) = struct.unpack_from("!H", bind, at)
    first = at = at + 2
    for _ in range(count):
        at += 4 + max(struct.unpack_from("!i", bind, at)[0], 0)
    (count,) = struct.unpack_from("!H", bind, at)
    return of_parameters, first, list(struct.unpack_from(f"!{count}h", bind, at + 2))
