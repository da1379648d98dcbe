"""What to do with one statement: the value that the planner makes and the session carries out.

Knows nothing of sockets; a plan can be compared, printed and cached.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.redshift.copy.options import Copy
from harness.redshift.copy.unload_options import Unload
from harness.redshift.messages import Refusal
from harness.redshift.workload import ModelSetting

_QUERY = re.compile(r"(?is)^.*?\bas\b\s*(?=[\s(]*(?:select|with)\b)")
STAND_IN_HINT = "This is the Redshift stand-in of nrt-harness; docs/redshift.md lists what it understands."


@dataclass(frozen=True)
class Listed:
    """What a SHOW asks a view of the catalog for: the columns that name the place, and what each is to be.

    The database comes first. A number is that of a parameter of the prepared statement, from 1 on.
    """

    view: str
    columns: tuple[str, ...]
    names: tuple[str | int | None, ...]

    def bound(self, values: Sequence[str | None]) -> "Listed":
        """With the values of the prepared statement's parameters; one that is not there is NULL."""
        names = (name if not isinstance(name, int) else dict(enumerate(values, 1)).get(name) for name in self.names)
        return replace(self, names=tuple(names))


@dataclass(frozen=True)
class Plan:
    """One statement, ready for the backend.

    kind: its command, source: its text, for the query log. sql: what PostgreSQL gets. locks: tables, quoted for SQL,
    whose write lock it needs to the end of the transaction. after: run unseen once it succeeded. transaction: "begin"
    or "end" if it opens or ends one. copy, unload, model: run by the gateway. refusal: the client gets this error
    instead. outside_transaction: PostgreSQL refuses it inside a transaction block. reads_history: it names a view of
    what the gateway records. aliases: names that are lateral column aliases, unless they are columns.
    database: the one it names, which has to be the session's. listed: what it shows of a catalog, which may be another
    database's. unknown: the refusal is for want of knowledge. keeps_capitals: names in quotes were not folded. names:
    those for which PostgreSQL gets short ones; cut_names: those of over 127 bytes, of which the client is told.
    """

    kind: str
    sql: str
    source: str = ""
    locks: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    transaction: str | None = None
    copy: Copy | None = None
    unload: Unload | None = None
    model: ModelSetting | None = None
    refusal: Refusal | None = None
    outside_transaction: bool = False
    reads_history: bool = False
    aliases: frozenset[str] = frozenset()
    database: str | None = None
    listed: Listed | None = None
    unknown: bool = False
    keeps_capitals: bool = False
    names: tuple[str, ...] = ()
    cut_names: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """The query of a statement that makes a table or view of one, else the statement."""
        return _QUERY.sub("", self.sql, count=1) if self.kind in ("CREATE TABLE", "CREATE VIEW") else self.sql

    @cached_property
    def filled(self) -> str | None:
        """The table that it puts rows into, quoted for SQL; a table that is made of a query is analyzed at once."""
        if self.kind in ("INSERT", "UPDATE", "MERGE", "COPY"):
            return self.locks[0] if self.locks else None
        last = self.after[-1] if self.kind == "CREATE TABLE" and self.after else ""
        return last.removeprefix("ANALYZE ") if last.startswith("ANALYZE ") else None

    @cached_property
    def is_special(self) -> bool:
        """Whether the gateway runs it itself."""
        return self.copy is not None or self.unload is not None or self.model is not None

    @cached_property
    def is_plain(self) -> bool:
        """Whether it may go to PostgreSQL as it is, with nothing before or after it."""
        return not (
            self.locks or self.after or self.is_special or self.refusal or self.aliases or self.database or self.listed
            or self.cut_names
        )  # fmt: skip

    @property
    def warning(self) -> str:
        """What the client is told if an unknown statement is run all the same."""
        return f"{self.kind} is unknown to the Redshift stand-in: PostgreSQL runs it, Redshift might not"

    def allowed_in(self, database: str, *, in_transaction: bool) -> "Plan":
        """The plan; refused where a session in this database, or its transaction, forbids it."""
        if self.database not in (None, database):
            words = f'cross-database reference to "{self.database}" is not supported by this stand-in'
            return replace(self, refusal=not_supported(words))
        if self.outside_transaction and self.locks and in_transaction:
            return replace(self, refusal=Refusal("25001", f"{self.kind} cannot run inside a transaction block"))
        return self


def not_supported(what: str) -> Refusal:
    return Refusal("0A000", what, hint=STAND_IN_HINT)


def syntax_error(near: str) -> Refusal:
    return Refusal("42601", f'syntax error at or near "{near}"', hint=STAND_IN_HINT)
