"""CREATE TABLE and ALTER TABLE: Redshift's clauses taken out or put into PostgreSQL's words.

In: the tokens of one statement. Out: SQL for PostgreSQL, and what `declared` records. PRIMARY KEY, UNIQUE and FOREIGN
KEY are declared in Redshift but not enforced: a primary key becomes NOT NULL and a plain index with the key's name. A
table made of a query has statistics at once, as in Redshift. Source: Database Developer Guide, "CREATE TABLE", "ALTER
TABLE" and "Analyzing tables" ("Analysis of new table data": CREATE TABLE AS, CREATE TEMP TABLE AS).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.redshift.declared import Declared
from harness.redshift.long_names import POSTGRES_MAX_BYTES, cut
from harness.redshift.messages import Refusal
from harness.redshift.plan import not_supported
from harness.redshift.tokens import (
    SPACE,
    Cursor,
    Token,
    closing,
    code,
    join,
    name_of,
    quote_name,
    quote_string,
    split_arguments,
    word,
)
from harness.redshift.types import read_type

Rewrite = Callable[[list[Token]], list[Token]]
_TABLE_CONSTRAINTS = ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT")
_STORAGE = frozenset(("DISTSTYLE", "DISTKEY", "SORTKEY", "COMPOUND", "INTERLEAVED"))


@dataclass
class _Table:
    """What the column list of a CREATE TABLE says; name: of the table, without its schema."""

    name: str
    definitions: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    declared: Declared = field(default_factory=Declared)


def create_table(tokens: list[Token], rewrite: Rewrite) -> tuple[str, ...]:
    """CREATE TABLE in all its forms (column list, LIKE, AS), and what makes it whole afterwards."""
    cursor = Cursor(code(tokens), 1)
    temporary = _temporary(cursor)
    if not cursor.take("TABLE"):
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    exists = cursor.take("IF", "NOT", "EXISTS")
    first = cursor.tokens[cursor.at] if cursor.at < len(cursor.tokens) else None
    temporary = temporary or bool(first and name_of(first).startswith("#"))
    name = cursor.name()
    if not name:
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    head = f"CREATE {'TEMP ' if temporary else ''}TABLE {'IF NOT EXISTS ' if exists else ''}{name}"
    body = list(cursor.rest())
    if body and body[0].text == "(" and not _is_query(body):
        return _with_columns(head, name, body, rewrite, exists=exists)
    return (*_as_query(head, name, body, tokens, rewrite), f"ANALYZE {name}")


def _temporary(cursor: Cursor) -> bool:
    cursor.take("LOCAL")
    return cursor.take("TEMP") or cursor.take("TEMPORARY")


def _is_query(body: list[Token]) -> bool:
    """Whether the parenthesis holds the query of a CREATE TABLE AS, or is followed by AS."""
    end = closing(body, 0)
    starts_one = any(token.upper in ("SELECT", "WITH") for token in body[1:2])
    return starts_one or any(token.upper == "AS" for token in body[end + 1 :])


def _as_query(head: str, name: str, body: list[Token], tokens: list[Token], rewrite: Rewrite) -> tuple[str, ...]:
    at = 0
    columns = ""
    if body and body[0].text == "(" and body[1].upper not in ("SELECT", "WITH"):
        parts = split_arguments(body[1 : closing(body, 0)])
        if not all(parts):
            raise Refusal("42601", 'syntax error at or near ")"')
        at = closing(body, 0) + 1
        columns = " (" + ", ".join(quote_name(name_of(part[0])) for part in parts) + ")"
    declared = Declared()
    at = declared.clauses(body, at)
    if at >= len(body) or body[at].upper != "AS":
        near = body[at].text if at < len(body) else "end of input"
        raise Refusal("42601", f'syntax error at or near "{near}"')
    depth_free = next(i for i, token in enumerate(tokens) if token is body[at])
    return _with_declared(
        f"{head}{columns} AS {join(rewrite(tokens[depth_free + 1 :])).strip()}", declared.statement(name, created=True)
    )


def create_materialized_view(tokens: list[Token], rewrite: Rewrite) -> tuple[str, ...]:
    """CREATE MATERIALIZED VIEW without what says how and when Redshift stores and refreshes it; that is recorded."""
    cursor = Cursor(code(tokens), 3)
    name = cursor.name()
    if not name:
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    parts, declared = cursor.tokens, Declared()
    at = declared.clauses(parts, cursor.at)
    refreshes = False
    while [token.upper for token in parts[at : at + 2]] == ["AUTO", "REFRESH"]:
        refreshes = [token.upper for token in parts[at + 2 : at + 3]] == ["YES"]
        at = declared.clauses(parts, at + 3)
    if at >= len(parts) or parts[at].upper != "AS":
        near = parts[at].text if at < len(parts) else "end of input"
        raise Refusal("42601", f'syntax error at or near "{near}"')
    begin = next(index for index, token in enumerate(tokens) if token is parts[at])
    source, refreshing = quote_string(join(tokens).strip() + ";"), str(refreshes).lower()
    arguments = f"{quote_string(name)}, {source}, {refreshing}, {quote_string(declared.said())}"
    record = quote_string(f"BEGIN PERFORM redshift_internal.declare_materialized_view({arguments}); END")
    return f"CREATE MATERIALIZED VIEW {name} AS {join(rewrite(tokens[begin + 1 :])).strip()}", f"DO {record}"


def alter_materialized_view(tokens: list[Token]) -> str | None:
    """ALTER MATERIALIZED VIEW name AUTO REFRESH { YES | NO }, which is recorded; None if it alters something else."""
    cursor = Cursor(code(tokens), 3)
    name = cursor.name()
    if not name or not cursor.take("AUTO", "REFRESH"):
        return None
    refreshes = cursor.take("YES")
    if not (refreshes or cursor.take("NO")) or cursor.peek():
        raise Refusal("42601", f'syntax error at or near "{cursor.peek() or "end of input"}"')
    call = f"redshift_internal.set_autorefresh({quote_string(name)}, {str(refreshes).lower()})"
    return f"DO {quote_string(f'BEGIN PERFORM {call}; END')}"


def _with_declared(*statements: str | None) -> tuple[str, ...]:
    return tuple(statement for statement in statements if statement)


def _with_columns(head: str, name: str, body: list[Token], rewrite: Rewrite, *, exists: bool) -> tuple[str, ...]:
    end = closing(body, 0)
    table = _Table(_bare(name))
    rest = table.declared.clauses(body, end + 1)
    if rest < len(body):
        raise Refusal("42601", f'syntax error at or near "{body[rest].text}"')
    for part in split_arguments(body[1:end]):
        if not part:
            raise Refusal("42601", 'syntax error at or near ","')
        _definition(part, table, rewrite)
    if not table.declared.like:
        table.declared.check_columns(table.columns)
    key = table.declared.primary_key()
    index = None
    if key:
        for column in key.columns:
            table.declared.nullable = [name for name in table.declared.nullable if name != column]
            table.definitions[table.columns.index(column)] += " NOT NULL"
        index = _index(name, ", ".join(map(quote_name, key.columns)), exists=exists)
    sql = f"{head} ({', '.join(table.definitions)})"
    return _with_declared(sql, index, table.declared.statement(name, created=True))


def _bare(name: str) -> str:
    """The last part of a quoted name."""
    return name.rpartition('"."')[2].strip('"')


def _index(name: str, key: str, *, exists: bool) -> str:
    index = quote_name(_key_index(_bare(name)))
    return f"CREATE INDEX {'IF NOT EXISTS ' if exists else ''}{index} ON {name} ({key})"


def _key_index(table: str) -> str:
    return cut(table, POSTGRES_MAX_BYTES - 5) + "_pkey"


def _renamed_index(name: str, new: str) -> str:
    """A table's index takes its new name, or another table of the old name could not be made."""
    schema = name.rpartition('"."')[0]
    moved = f'{schema}".{quote_name(new)}' if schema else quote_name(new)
    arguments = f"{quote_string(moved)}, {quote_string(_key_index(new))}"
    return f"DO {quote_string(f'BEGIN PERFORM redshift_internal.rename_key_index({arguments}); END')}"


def _definition(part: list[Token], table: _Table, rewrite: Rewrite) -> None:
    cursor = Cursor(part)
    if cursor.peek() == "LIKE":
        cursor.next()
        source = cursor.name()
        defaults = "INCLUDING DEFAULTS" if cursor.take("INCLUDING", "DEFAULTS") else ""
        table.declared.like = source
        table.columns.append("")
        table.definitions.append(f"LIKE {source} INCLUDING CONSTRAINTS {defaults}".strip())
    elif cursor.peek() in _TABLE_CONSTRAINTS:
        table.declared.table_constraint(cursor)
    else:
        table.columns.append(name_of(part[0]))
        table.definitions.append(_column(cursor, table, rewrite))


def _column(cursor: Cursor, table: _Table, rewrite: Rewrite) -> str:
    token = cursor.next()
    if token is None or token.kind not in ("word", "quoted"):
        raise Refusal("42601", f'syntax error at or near "{token.text if token else ""}"')
    name = name_of(token)
    try:
        parts = [quote_name(name), read_type(cursor, column=True)]
    except Refusal as refusal:
        where = f'Column "{table.name}.{name}" has'
        raise Refusal(refusal.sqlstate, refusal.message.replace("Column has", where), hint=refusal.hint) from None
    while cursor.peek():
        parts += _attribute(cursor, name, table, rewrite)
    if any("AS IDENTITY" in part for part in parts) and "NOT NULL" not in parts:
        table.declared.nullable.append(name)
    return " ".join(parts)


def _attribute(cursor: Cursor, name: str, table: _Table, rewrite: Rewrite) -> list[str]:
    """One attribute or constraint of a column, in PostgreSQL's words."""
    constraint = None
    if cursor.take("CONSTRAINT"):
        token = cursor.next()
        constraint = name_of(token) if token else None
    if cursor.take("NOT", "NULL"):
        return ["NOT NULL"]
    if cursor.take("NULL") or _storage_attribute(cursor, name, table.declared):
        return []
    for words, kind in ((("PRIMARY", "KEY"), "p"), (("UNIQUE",), "u"), (("REFERENCES",), "f")):
        if cursor.take(*words):
            table.declared.column_key(name, kind, cursor, constraint)
            return []
    if cursor.take("DEFAULT"):
        return ["DEFAULT", _expression(cursor, rewrite)]
    if cursor.peek() == "IDENTITY" or cursor.peek() == "GENERATED":
        return [_identity(cursor)]
    if cursor.peek() == "CHECK":
        raise Refusal("0A000", "CHECK constraints are not supported")
    raise Refusal("42601", f'syntax error at or near "{cursor.tokens[cursor.at].text}"')


def _storage_attribute(cursor: Cursor, name: str, declared: Declared) -> bool:
    """Read an attribute of a column that says how Redshift stores it, if one comes next."""
    if cursor.take("DISTKEY"):
        declared.style, declared.dist_key = "KEY", name
    elif cursor.take("SORTKEY"):
        declared.sort_key = [name]
    elif cursor.take("ENCODE"):
        declared.encode(name, cursor)
    elif cursor.take("COLLATE"):
        _collation(cursor)
    else:
        return False
    return True


def _collation(cursor: Cursor) -> None:
    """What is compared without regard to case would have to be, or a query that finds nothing here finds rows there."""
    if cursor.take("CASE_INSENSITIVE"):
        raise not_supported("COLLATE CASE_INSENSITIVE is not supported by this stand-in")
    if not (cursor.take("CASE_SENSITIVE") or cursor.take("CS")):
        raise Refusal("42601", f'syntax error at or near "{cursor.peek() or "end of input"}"')


_ATTRIBUTE_WORDS = frozenset((
    "NOT", "NULL", "DISTKEY", "SORTKEY", "UNIQUE", "ENCODE", "COLLATE", "PRIMARY", "REFERENCES", "CONSTRAINT",
    "IDENTITY", "GENERATED",
))  # fmt: skip


def _expression(cursor: Cursor, rewrite: Rewrite) -> str:
    start, depth = cursor.at, 0
    while cursor.at < len(cursor.tokens):
        token = cursor.tokens[cursor.at]
        if depth == 0 and cursor.at > start and token.upper in _ATTRIBUTE_WORDS:
            break
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        cursor.at += 1
    spaced = [piece for token in cursor.tokens[start : cursor.at] for piece in (token, SPACE)]
    return join(rewrite(spaced)).strip()


def _identity(cursor: Cursor) -> str:
    by_default = cursor.take("GENERATED", "BY", "DEFAULT", "AS")
    cursor.take("GENERATED", "ALWAYS", "AS")
    if not cursor.take("IDENTITY"):
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    numbers = ["1", "1"]
    if cursor.peek() == "(":
        end = closing(cursor.tokens, cursor.at)
        numbers = [join(part) for part in split_arguments(cursor.tokens[cursor.at + 1 : end])]
        if len(numbers) != 2:
            raise Refusal("42601", f'syntax error at or near "{cursor.peek(end - cursor.at) or "end of input"}"')
        cursor.at = end + 1
    elif by_default:
        raise Refusal("42601", f'syntax error at or near "{cursor.peek() or "end of input"}"')
    start = f"START {numbers[0]} INCREMENT {numbers[1]} MINVALUE 0"
    return f"GENERATED {'BY DEFAULT' if by_default else 'ALWAYS'} AS IDENTITY ({start})"


def alter_table(tokens: list[Token], rewrite: Rewrite) -> tuple[str, ...]:
    """ALTER TABLE in PostgreSQL's words, and what records what only Redshift has."""
    cursor = Cursor(code(tokens), 2)
    name = cursor.name() or ""
    if cursor.take("ADD"):
        return _alter_add(name, cursor, rewrite)
    if cursor.take("DROP", "CONSTRAINT"):
        return _drop_constraint(name, cursor)
    if cursor.take("RENAME", "TO") and (new := cursor.next()):
        return join(rewrite(tokens)), _renamed_index(name, name_of(new))
    if not cursor.take("ALTER"):
        return (join(rewrite(tokens)),)
    declared = Declared()
    if cursor.peek() in _STORAGE | {"ENCODE"}:
        while declared.clause(cursor):
            pass
        return _with_declared(_touch(name), declared.statement(name, created=False))
    cursor.take("COLUMN")
    at = cursor.at
    column = cursor.name()
    if cursor.take("ENCODE"):
        declared.encode(name_of(cursor.tokens[at]), cursor)
        return _with_declared(_touch(name), declared.statement(name, created=False))
    if cursor.take("TYPE"):
        return (f"ALTER TABLE {name} ALTER COLUMN {column} TYPE {read_type(cursor, column=True)}",)
    return (f"ALTER TABLE {name} ALTER COLUMN {column} " + join(t for p in cursor.rest() for t in (p, SPACE)),)


def _touch(name: str) -> str:
    """An ALTER TABLE that changes nothing, for what is only recorded: PostgreSQL needs something to do."""
    return f"ALTER TABLE {name} SET (fillfactor = 100)"


def _alter_add(name: str, cursor: Cursor, rewrite: Rewrite) -> tuple[str, ...]:
    table = _Table(_bare(name))
    if cursor.peek() not in _TABLE_CONSTRAINTS:
        cursor.take("COLUMN")
        sql = f"ALTER TABLE {name} ADD COLUMN {_column(cursor, table, rewrite)}"
        return _with_declared(sql, table.declared.statement(name, created=False))
    table.declared.table_constraint(cursor)
    key = table.declared.primary_key()
    index = _index(name, ", ".join(map(quote_name, key.columns)), exists=True) if key else None
    return _with_declared(_touch(name), index, table.declared.statement(name, created=False))


def _drop_constraint(name: str, cursor: Cursor) -> tuple[str, ...]:
    token = cursor.next()
    if token is None:
        raise Refusal("42601", "syntax error at end of input")
    arguments = f"{quote_string(name)}, {quote_string(name_of(token))}"
    body = quote_string(f"BEGIN PERFORM redshift_internal.drop_key({arguments}); END")
    return _touch(name), f"DO {body}"


def temporary_names(tokens: list[Token]) -> list[Token]:
    """`#name` as the quoted name that PostgreSQL can have."""
    return [
        word(quote_name(token.text.lower())) if token.kind == "word" and token.text.startswith("#") else token
        for token in tokens
    ]
