"""Names of more than 63 bytes, which PostgreSQL would cut: it gets a short one in their place, clients see the whole.

In: the tokens of a statement, or what PostgreSQL says to a client. Out: the same with short names, or with whole ones.
A short name is made of the whole one alone, so it is the same in every statement, session and database; what each of
them stands for is in `redshift_internal.long_name`, from where the catalog's views show it, and in the gateway's
memory, for the columns of results and for errors. Source: Database Developer Guide, "Names and identifiers": 127 bytes;
"CREATE TABLE": "longer names are truncated to 127 bytes".
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from harness.redshift.messages import notice
from harness.redshift.tokens import Token, is_code, join, name_of, quote_name, quote_string, tokenize

NAME_MAX_BYTES, POSTGRES_MAX_BYTES = 127, 63
_DIGEST = re.compile(rb"_[0-9a-f]{16}")
_DIGEST_BYTES = 17  # with the line before it
_LONG_CHARACTERS_MIN = POSTGRES_MAX_BYTES // 4 + 1  # a character has four bytes at most
_COLUMN_BYTES = 18  # of a RowDescription, behind the name
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE"))
_SHORTENED = frozenset(("word", "quoted", "dollar"))
_DEFINES = ("CREATE", "ALTER", "GRANT")  # a user's name is known in every database where something is granted to it


def stored(name: str) -> str:
    """What PostgreSQL has for a name: itself if it is short enough."""
    raw = name.encode()
    if len(raw) <= POSTGRES_MAX_BYTES:
        return name
    return f"{cut(name, POSTGRES_MAX_BYTES - _DIGEST_BYTES)}_{blake2b(raw, digest_size=8).hexdigest()}"


def cut(name: str, size_bytes: int = NAME_MAX_BYTES) -> str:
    """The beginning of a name, with whole characters only."""
    return name.encode()[:size_bytes].decode(errors="ignore")


def notices(names: Iterable[str]) -> bytes:
    """What a client is told of names that are cut."""
    told = (f'identifier "{name}" will be truncated to "{cut(name)}"' for name in names)
    return b"".join(notice("NOTICE", "42622", words) for words in told)


@dataclass(frozen=True)
class Shortened:
    """A statement for PostgreSQL.

    names: the whole names it has short ones for. cut: those that were written with more than 127 bytes.
    """

    tokens: list[Token]
    names: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


def shorten(tokens: list[Token]) -> Shortened:
    """The tokens of one statement with short names; the same list if none is too long."""
    if not any(map(_may_be_long, tokens)):
        return Shortened(tokens)
    upper = [token.upper for token in tokens if is_code(token)]
    if upper[0] in ("SET", "RESET") and "SEARCH_PATH" not in upper:
        return Shortened(tokens)  # a word there is a value
    names: dict[str, None] = {}
    written: dict[str, None] = {}
    is_routine = not _ROUTINES.isdisjoint(upper)
    result = [
        _short(token, names, written) if token.kind in ("word", "quoted")
        else _body(token, names, written) if token.kind == "dollar" and is_routine
        else token
        for token in tokens
    ]  # fmt: skip
    return Shortened(result if names else tokens, tuple(names), tuple(written))


def _may_be_long(token: Token) -> bool:
    text = token.text
    return len(text) >= _LONG_CHARACTERS_MIN and token.kind in _SHORTENED and len(text.encode()) > POSTGRES_MAX_BYTES


def _short(token: Token, names: dict[str, None], written: dict[str, None]) -> Token:
    if not _may_be_long(token):
        return token
    name = name_of(token)
    if len(name.encode()) > NAME_MAX_BYTES:
        written[name] = None
        name = cut(name)
    short = stored(name)
    if short is name:
        return token
    names[name] = None
    text = quote_name(short) if token.kind == "quoted" else short
    return Token(token.kind, text, text.upper() if token.kind == "word" else text, name)


def _body(token: Token, names: dict[str, None], written: dict[str, None]) -> Token:
    """The body of a routine."""
    quote = token.text[: token.text.index("$", 1) + 1]
    inner = shorten(tokenize(token.text[len(quote) : -len(quote)]))
    names |= dict.fromkeys(inner.names)
    written |= dict.fromkeys(inner.cut)
    text = quote + join(inner.tokens) + quote
    return Token(token.kind, text, text)


def record(kind: str, tokens: list[Token], names: Iterable[str]) -> str | None:
    """How the client's transaction remembers the names that a statement may define; None if it can define none."""
    if not kind.startswith(_DEFINES) and not (
        kind in ("SELECT", "WITH") and any(token.upper == "INTO" for token in tokens)
    ):
        return None
    rows = ", ".join(f"({quote_string(stored(name))}, {quote_string(name)})" for name in names)
    return (
        f"INSERT INTO redshift_internal.long_name SELECT * FROM (VALUES {rows}) AS n(short, long) "
        "WHERE NOT EXISTS (SELECT FROM redshift_internal.long_name k WHERE k.short = n.short)"
    )


class LongNames:
    """The whole names that a gateway has seen, of any database; a name that is not there any more does no harm."""

    def __init__(self) -> None:
        self._whole: dict[bytes, tuple[bytes, bytes]] = {}  # by digest: the short name, the whole one

    def learn(self, names: Iterable[str]) -> None:
        """From any thread."""
        for name in names:
            short = stored(name).encode()
            self._whole[short[-_DIGEST_BYTES:]] = short, name.encode()

    def in_text(self, text: bytes) -> bytes:
        """What PostgreSQL says, with whole names."""
        if self._whole:
            for digest in set(_DIGEST.findall(text)):
                if digest in self._whole:
                    text = text.replace(*self._whole[digest])
        return text

    def in_columns(self, description: bytes) -> bytes:
        """The body of a RowDescription with whole names; the same object if it has no short one."""
        if not self._whole or not _DIGEST.search(description):
            return description
        parts, at = [description[:2]], 2
        for _ in range(*struct.unpack_from("!H", description)):
            end = description.index(b"\x00", at)
            name = description[at:end]
            short, whole = self._whole.get(name[-_DIGEST_BYTES:], (b"", b""))
            parts += [whole if name == short else name, description[end : end + 1 + _COLUMN_BYTES]]
            at = end + 1 + _COLUMN_BYTES
        return b"".join(parts)
