"""What a table declares and PostgreSQL does not have: keys that are not enforced, distribution, sort order, encoding.

In: the clauses of CREATE TABLE and ALTER TABLE. Out: one statement that records them in `redshift_internal`, from where
the catalog views show them. Source: Database Developer Guide, "CREATE TABLE", "ALTER TABLE" and "Defining table
constraints".
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.redshift.messages import Refusal
from harness.redshift.tokens import Cursor, Token, closing, name_of, quote_string, split_arguments

ENCODINGS = frozenset((
    "RAW", "AZ64", "BYTEDICT", "DELTA", "DELTA32K", "LZO", "MOSTLY8", "MOSTLY16", "MOSTLY32", "RUNLENGTH", "TEXT255",
    "TEXT32K", "ZSTD",
))  # fmt: skip
_NOTHING = '{"keys": []}'
_STYLES = frozenset(("AUTO", "EVEN", "KEY", "ALL"))


@dataclass(frozen=True)
class Key:
    """A key: kind "p" (primary), "u" (unique) or "f" (foreign); name None: one is made up, as PostgreSQL does."""

    kind: str
    columns: list[str]
    name: str | None = None
    table: str | None = None  # that a foreign key refers to, quoted for SQL
    references: list[str] = field(default_factory=list)


@dataclass
class Declared:
    """What the clauses said so far."""

    style: str | None = None
    dist_key: str | None = None
    sort_key: list[str] | None = None  # empty: none
    interleaved: bool = False
    encodings: dict[str, str] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    like: str | None = None
    nullable: list[str] = field(default_factory=list)  # identity columns without NOT NULL, which PostgreSQL makes so

    def statement(self, table: str, *, created: bool) -> str | None:
        """The statement that records it; `created`: only if this very transaction made the table."""
        said = self.said()
        if said == _NOTHING:
            return None
        arguments = f"{quote_string(table)}, {quote_string(said)}, {str(created).lower()}"
        return f"DO {quote_string(f'BEGIN PERFORM redshift_internal.declare({arguments}); END')}"

    def said(self) -> str:
        """What was said, as JSON."""
        said: dict[str, Any] = {name: value for name, value in vars(self).items() if value not in (None, [], {}, False)}
        if self.sort_key is not None:
            said["sort_key"] = self.sort_key
        said["keys"] = [vars(key) for key in self.keys]
        return json.dumps(said)

    def primary_key(self) -> Key | None:
        return next((key for key in self.keys if key.kind == "p"), None)

    def clauses(self, body: list[Token], at: int) -> int:
        """Read BACKUP, DISTSTYLE, DISTKEY, SORTKEY and ENCODE AUTO clauses; the index behind them.

        Raises:
            Refusal: one of them is none of Redshift's.
        """
        cursor = Cursor(body, at)
        while self.clause(cursor):
            pass
        return cursor.at

    def clause(self, cursor: Cursor) -> bool:
        """Read one clause about the whole table, if one comes next."""
        if cursor.take("BACKUP") or cursor.take("ENCODE"):
            cursor.next()
        elif cursor.take("DISTSTYLE"):
            self.style = cursor.peek()
            if self.style not in _STYLES:
                raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
            cursor.next()
        elif cursor.take("DISTKEY"):
            self.dist_key = read_names(cursor)[0] if cursor.peek() == "(" else _plain_name(cursor)
            self.style = "KEY"
        elif cursor.peek() in ("COMPOUND", "INTERLEAVED", "SORTKEY"):
            self.interleaved = cursor.take("INTERLEAVED")
            cursor.take("COMPOUND")
            if not cursor.take("SORTKEY"):
                raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
            if cursor.peek() == "(":
                self.sort_key = read_names(cursor)
            elif not cursor.take("AUTO"):
                self.sort_key = []
                cursor.next()  # NONE
        else:
            return False
        return True

    def encode(self, column: str, cursor: Cursor) -> None:
        """Read what follows ENCODE of a column.

        Raises:
            Refusal: there is no such encoding.
        """
        name = cursor.peek()
        if name not in ENCODINGS | {"AUTO"}:
            raise Refusal("42601", f'syntax error at or near "{name}"')
        cursor.next()
        if name != "AUTO":
            self.encodings[column] = name.lower()

    def table_constraint(self, cursor: Cursor) -> None:
        """Read a table's constraint.

        Raises:
            Refusal: Redshift has none like it.
        """
        name = _plain_name(cursor) if cursor.take("CONSTRAINT") else None
        if cursor.take("PRIMARY", "KEY"):
            self.add_key(Key("p", read_names(cursor), name))
        elif cursor.take("UNIQUE"):
            self.add_key(Key("u", read_names(cursor), name))
        elif cursor.take("FOREIGN", "KEY"):
            columns = read_names(cursor)
            if not cursor.take("REFERENCES"):
                raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
            self.add_key(Key("f", columns, name, *_referenced(cursor)))
        else:
            raise Refusal("0A000", f"{cursor.peek()} constraints are not supported")

    def column_key(self, column: str, kind: str, cursor: Cursor, name: str | None) -> None:
        """A column's own constraint; what REFERENCES names is still to be read."""
        self.add_key(Key(kind, [column], name, *(_referenced(cursor) if kind == "f" else ())))

    def add_key(self, key: Key) -> None:
        if key.kind == "p" and self.primary_key():
            raise Refusal("42P16", "multiple primary keys for table are not allowed")
        self.keys.append(key)

    def check_columns(self, columns: Iterable[str]) -> None:
        """Raises:
        Refusal: a key names a column that is not among these.
        """
        there = set(columns)
        for key in self.keys:
            for column in key.columns:
                if column not in there:
                    raise Refusal("42703", f'column "{column}" named in key does not exist')


def _plain_name(cursor: Cursor) -> str | None:
    token = cursor.next()
    return name_of(token) if token else None


def read_names(cursor: Cursor) -> list[str]:
    """The names in the parentheses that come next."""
    if cursor.peek() != "(":
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    end = closing(cursor.tokens, cursor.at)
    parts = split_arguments(cursor.tokens[cursor.at + 1 : end])
    if not all(parts):
        raise Refusal("42601", f'syntax error at or near "{cursor.peek(end - cursor.at)}"')
    cursor.at = end + 1
    return [name_of(part[0]) for part in parts]


def _referenced(cursor: Cursor) -> tuple[str | None, list[str]]:
    return cursor.name(), read_names(cursor) if cursor.peek() == "(" else []
