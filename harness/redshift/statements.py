"""From Redshift SQL to plans: what each statement is, which lock it takes, what PostgreSQL gets instead.

In: SQL text. Out: one `Plan` a statement. Knows nothing of sessions; the same text always gives the same plan.
"""

import re
from dataclasses import replace
from functools import lru_cache

from harness.redshift import literals, refusals, routines
from harness.redshift import tokens as lex
from harness.redshift.catalog_names import redirect
from harness.redshift.conditions import number_conditions
from harness.redshift.copy.options import parse_copy
from harness.redshift.copy.unload_options import parse_unload
from harness.redshift.ddl import alter_materialized_view, alter_table, create_materialized_view, create_table
from harness.redshift.expressions import rewrite
from harness.redshift.grants import grant
from harness.redshift.late_views import create_late_view
from harness.redshift.lateral import lateral_aliases, replace_aliases
from harness.redshift.long_names import Shortened, record, shorten
from harness.redshift.maintenance import analyze, cancel, vacuum
from harness.redshift.merge import merge
from harness.redshift.messages import Refusal
from harness.redshift.parameters import in_backend
from harness.redshift.plan import Plan, not_supported, syntax_error
from harness.redshift.roles import alter_role, drop_role
from harness.redshift.schemas import without_quota
from harness.redshift.shows import show
from harness.redshift.spelling import fold
from harness.redshift.tokens import Cursor, Token, name_of
from harness.redshift.users import user
from harness.redshift.workload import ModelSetting

CACHED_SQL_MAX_CHARACTERS, PLANS_MAX = 10_000, 2_048
_HISTORY = re.compile(r"(?i)\b(stl|svl|sys|stv_wlm)_")
NOTHING = "SET redshift.nothing = ''"
_RELAYED = frozenset((
    "SELECT", "WITH", "VALUES", "EXPLAIN", "DROP", "COMMENT", "DECLARE", "FETCH", "CLOSE", "PREPARE",
    "EXECUTE", "DEALLOCATE", "CALL", "REFRESH", "LOCK", "SAVEPOINT", "RELEASE", "DISCARD",
))  # fmt: skip
_QUERIES = frozenset(("SELECT", "WITH", "INSERT", "CREATE TABLE", "CREATE VIEW"))
_BEGIN = frozenset(("BEGIN", "START"))
_END = frozenset(("COMMIT", "END", "ROLLBACK", "ABORT"))


def plan_script(sql: str, *, keeps_capitals: bool = False) -> list[Plan]:
    """The plans of a simple query's statements; empty if there is nothing but white space.

    keeps_capitals: names in quotes are taken as they are (enable_case_sensitive_identifier), not folded.
    """
    plan = _plan_cached if len(sql) <= CACHED_SQL_MAX_CHARACTERS else _plan
    return list(plan(sql, keeps_capitals=keeps_capitals))


def _plan(sql: str, *, keeps_capitals: bool) -> tuple[Plan, ...]:
    statements = lex.split_statements(lex.tokenize(sql))
    return tuple(_plan_statement(tokens, keeps_capitals=keeps_capitals) for tokens in statements)


_plan_cached = lru_cache(maxsize=PLANS_MAX)(_plan)


def _plan_statement(written: list[Token], *, keeps_capitals: bool) -> Plan:
    short = shorten(written if keeps_capitals else fold(written))
    return replace(_plan_short(short, lex.join(written).strip()), keeps_capitals=keeps_capitals)


def _plan_short(short: Shortened, source: str) -> Plan:
    tokens = short.tokens
    first = next(filter(lex.is_code, tokens))
    kind = first.upper or first.text
    if first.text == "(":
        kind = "SELECT"
    try:
        plan = _dispatch(kind, number_conditions(redirect(tokens)))
        after = _remembered(plan, short)
    except Refusal as refusal:
        return Plan(kind, source, source, refusal=refusal, names=short.names)
    aliases = lateral_aliases(tokens) if plan.kind in _QUERIES else frozenset()
    return replace(
        plan, source=source, after=after, reads_history=bool(_HISTORY.search(source)), aliases=aliases,
        names=short.names, cut_names=short.cut,
    )  # fmt: skip


def _remembered(plan: Plan, short: Shortened) -> tuple[str, ...]:
    """What runs after the statement: first of all, the names it may define are remembered."""
    if not short.names or plan.transaction:
        return plan.after
    if plan.kind.endswith(" DATABASE"):
        raise not_supported("the name of a database of more than 63 bytes is not supported by this stand-in")
    recorded = None if plan.outside_transaction else record(plan.kind, short.tokens, short.names)
    return (recorded, *plan.after) if recorded else plan.after


@lru_cache(maxsize=512)
def resolve_aliases(plan: Plan, names: frozenset[str]) -> Plan:
    """The plan of the same statement with these lateral aliases replaced by what they stand for."""
    written = lex.tokenize(plan.source)
    short = shorten(written if plan.keeps_capitals else fold(written))
    replaced = replace(short, tokens=replace_aliases(short.tokens, names))
    return replace(_plan_short(replaced, plan.source), keeps_capitals=plan.keeps_capitals)


def _dispatch(kind: str, tokens: list[Token]) -> Plan:
    refusals.check(lex.code(tokens))
    if kind in ("INSERT", "UPDATE", "DELETE", "MERGE"):
        return _write(kind, tokens)
    if kind == "COPY":
        copy = parse_copy(lex.code(tokens))
        return Plan(kind, NOTHING, locks=(copy.table,), copy=copy)
    if kind == "UNLOAD":
        return Plan(kind, NOTHING, unload=parse_unload(lex.code(tokens)))
    if kind in ("CREATE", "ALTER"):
        return _definition(kind, tokens)
    if kind == "TRUNCATE":
        return Plan(kind, lex.join(rewrite(tokens)), after=("COMMIT",), transaction="end")
    if kind in _BEGIN:
        return Plan(kind, _begin(tokens), transaction="begin")
    if kind in _END:
        ends = "TO" not in [token.upper for token in tokens]
        return Plan(kind, lex.join(tokens), transaction="end" if ends else None)
    if kind == "VACUUM":
        return Plan(kind, vacuum(tokens), outside_transaction=True)
    if kind == "ANALYZE":
        return Plan(kind, analyze(rewrite(tokens)))
    if kind == "CANCEL":
        return Plan(kind, cancel(tokens))
    if kind in ("SET", "SHOW", "RESET"):
        return _setting(kind, tokens)
    dropped = lex.code(tokens)[1].upper if kind == "DROP" and len(lex.code(tokens)) > 1 else ""
    if dropped == "SCHEMA":
        return _schema(kind, tokens)
    if dropped == "ROLE":
        return Plan(kind, drop_role(tokens))
    if kind in ("GRANT", "REVOKE"):
        return Plan(kind, grant(routines.with_types(tokens), rewrite))
    if kind == "DROP":
        return Plan(kind, lex.join(rewrite(routines.with_types(tokens))))
    if kind == "COMMENT" and (comment := _comment_on_view(tokens)):
        return Plan(kind, comment)
    if kind in _RELAYED:
        return Plan(kind, lex.join(rewrite(tokens)))
    unknown = syntax_error(next(filter(lex.is_code, tokens)).text)
    return Plan(kind, lex.join(rewrite(tokens)), refusal=unknown, unknown=True)


def _begin(tokens: list[Token]) -> str:
    """BEGIN with its modes; the isolation level is the session's, as Redshift's is the database's."""
    modes = [token.upper for token in lex.code(tokens)]
    return "BEGIN READ ONLY" if modes[-2:] == ["READ", "ONLY"] else "BEGIN"


def _write(kind: str, tokens: list[Token]) -> Plan:
    parts = lex.code(tokens)
    cursor = Cursor(parts, 1)
    cursor.take("INTO")
    cursor.take("FROM")
    cursor.take("ONLY")
    table = cursor.name()
    if not table:
        raise syntax_error(cursor.peek() or "end of input")
    _refuse_in_write(kind, parts)
    sql = merge(tokens, rewrite) if kind == "MERGE" else lex.join(rewrite(tokens))
    return Plan(kind, sql, locks=(table,))


def _refuse_in_write(kind: str, parts: list[Token]) -> None:
    depth = 0
    for index, token in enumerate(parts):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if token.upper == "RETURNING" and depth == 0:
            raise syntax_error(token.text)
        following = parts[index + 1].upper if index + 1 < len(parts) else ""
        if kind == "INSERT" and token.upper == "ON" and following == "CONFLICT" and depth == 0:
            raise syntax_error(token.text)


def _definition(kind: str, tokens: list[Token]) -> Plan:
    words = [token.upper for token in lex.code(tokens)]
    rest = [word for word in words[1:5] if word not in ("OR", "REPLACE", "LOCAL", "TEMP", "TEMPORARY", "UNIQUE")]
    what = rest[0] if rest else ""
    if what == "INDEX":
        raise not_supported(f'SQL command "{lex.join(tokens).strip()}" not supported on Redshift tables.')
    if what == "TABLE" and kind == "CREATE":
        sql, *after = create_table(tokens, _rewrite_definition)
        return Plan("CREATE TABLE", sql, after=tuple(after))
    if what == "TABLE" and (append := append_table(tokens)):
        return append
    if what == "SYSTEM" and kind == "ALTER":
        return _alter_system(tokens)
    if what == "DATABASE" and ("COLLATE" in words or (kind == "CREATE" and "ISOLATION" in words)):
        raise not_supported("a database has the collation and isolation level of its cluster in this stand-in")
    if what == "DATABASE" and kind == "ALTER" and "ISOLATION" in words:
        return Plan("ALTER DATABASE", _isolation(words, tokens))
    if what == "TABLE":
        sql, *after = alter_table(tokens, rewrite)
        return Plan("ALTER TABLE", sql, after=tuple(after))
    if what in ("PROCEDURE", "FUNCTION"):
        recorded = routines.declared(tokens) if kind == "CREATE" else None
        return Plan(f"{kind} {what}", _routine(tokens), after=(recorded,) if recorded else ())
    if what == "MATERIALIZED" and kind == "CREATE":
        sql, *after = create_materialized_view(tokens, _rewrite_definition)
        return Plan("CREATE VIEW", sql, after=tuple(after))
    if what == "MATERIALIZED" and (altered := alter_materialized_view(tokens)):
        return Plan("ALTER VIEW", altered)
    if what == "VIEW" or what == "MATERIALIZED":
        late = create_late_view(tokens, _rewrite_definition)
        return Plan(f"{kind} VIEW", late or lex.join(_rewrite_definition(tokens)))
    if what == "SCHEMA":
        return _schema(kind, tokens)
    if what == "ROLE" and kind == "ALTER":
        return Plan("ALTER ROLE", alter_role(tokens))
    if what == "ROLE" and kind == "CREATE":
        name = Cursor(lex.code(tokens), 2).name()
        return Plan(
            "CREATE ROLE", lex.join(rewrite(tokens)), after=(f"COMMENT ON ROLE {name} IS 'a role of Redshift'",)
        )
    if what == "USER":
        sql, *after = user(kind, tokens)
        return Plan(f"{kind} USER", sql, after=tuple(after))
    if what in ("GROUP", "ROLE", "DATABASE", "DEFAULT"):
        return Plan(f"{kind} {what}", lex.join(rewrite(tokens)), outside_transaction=what == "DATABASE")
    unknown = not_supported(f"{kind} {what} is not supported")
    return Plan(f"{kind} {what}", lex.join(rewrite(tokens)), refusal=unknown, unknown=True)


def _rewrite_definition(tokens: list[Token]) -> list[Token]:
    return rewrite(literals.with_types(tokens))


def _schema(kind: str, tokens: list[Token]) -> Plan:
    """CREATE, ALTER and DROP SCHEMA; Redshift takes the name with its database's before it."""
    parts = lex.code(rewrite(tokens))
    cursor = Cursor(parts, 2)
    cursor.take("IF", "NOT", "EXISTS")
    cursor.take("IF", "EXISTS")
    at, database = cursor.at, None
    if cursor.peek(1) == "." and cursor.peek() != "AUTHORIZATION":
        database = name_of(parts[at])
        parts = [*parts[:at], *parts[at + 2 :]]
    parts = without_quota(parts)
    return Plan(f"{kind} SCHEMA", " ".join(token.text for token in parts), database=database)


def append_table(tokens: list[Token]) -> Plan | None:
    """ALTER TABLE target APPEND FROM source [IGNOREEXTRA | FILLTARGET]."""
    cursor = Cursor(lex.code(tokens), 2)
    target = cursor.name()
    if not target or not cursor.take("APPEND", "FROM"):
        return None
    source = cursor.name()
    option = cursor.peek()
    cursor.at += option in ("IGNOREEXTRA", "FILLTARGET")
    if not source or cursor.peek():
        raise syntax_error(cursor.peek() or "end of input")
    arguments = ", ".join(map(lex.quote_string, (target, source, option)))
    body = lex.quote_string(f"BEGIN PERFORM redshift_internal.append_table({arguments}); END")
    return Plan("ALTER TABLE APPEND", f"DO {body}", locks=(target, source), outside_transaction=True)


def _comment_on_view(tokens: list[Token]) -> str | None:
    """COMMENT ON VIEW, which may be a materialized one; PostgreSQL has another statement for these."""
    cursor = Cursor(lex.code(tokens), 1)
    if not cursor.take("ON", "VIEW") or not (name := cursor.name()) or not cursor.take("IS"):
        return None
    words = cursor.next()
    if words is None or cursor.peek():
        return None
    body = f"BEGIN PERFORM redshift_internal.comment_on_view({lex.quote_string(name)}, {words.text}); END"
    return f"DO {lex.quote_string(body)}"


def _routine(tokens: list[Token]) -> str:
    """A procedure or function; a body in SQL or PL/pgSQL has its functions rewritten."""
    words = [token.upper for token in lex.code(tokens)]
    if "PLPYTHONU" in words:
        raise not_supported("LANGUAGE plpythonu is not supported by this stand-in")
    return lex.join(_rewrite_body(token) for token in rewrite(routines.with_types(tokens)))


def _rewrite_body(token: Token) -> Token:
    if token.kind != "dollar":
        return token
    quote = token.text[: token.text.index("$", 1) + 1]
    body = token.text[len(quote) : -len(quote)]
    rewritten = rewrite(routines.with_variables(redirect(lex.tokenize(body))), in_routine=True)
    return lex.word(quote + lex.join(rewritten) + quote)


def _isolation(words: list[str], tokens: list[Token]) -> str:
    """ALTER DATABASE … ISOLATION LEVEL { SNAPSHOT | SERIALIZABLE }; new sessions have it."""
    name = Cursor(lex.code(tokens), 2).name()
    level = {"SNAPSHOT": "repeatable read", "SERIALIZABLE": "serializable"}.get(words[-1])
    if level is None:
        raise syntax_error(words[-1])
    return f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'"


def _alter_system(tokens: list[Token]) -> Plan:
    """ALTER SYSTEM SET model.NAME = value: the stand-in's own model of time; it has no other system settings."""
    parts = lex.code(tokens)
    words = "".join(token.text for token in parts[3:])
    found = re.fullmatch(r"(?i)model\.(\w+)(?:=|to)'?([\w.+-]+)'?", words)
    if parts[2:3] and parts[2].upper == "SET" and found:
        return Plan("ALTER SYSTEM", NOTHING, model=ModelSetting.parse(found[1].lower(), found[2]))
    raise not_supported("ALTER SYSTEM is supported for the settings of this stand-in's model only")


def _setting(kind: str, tokens: list[Token]) -> Plan:
    """SET and SHOW; Redshift's own parameters live in the backend as `redshift.<name>`."""
    if kind == "SHOW" and (listing := show(tokens)):
        return listing
    parts = lex.code(tokens)
    for index, token in enumerate(parts[1:4], 1):
        if token.kind == "word" and (name := in_backend(token.text)):
            if kind == "SHOW":
                return Plan(kind, f"SELECT current_setting('{name}') AS {token.text.lower()}")
            parts[index] = lex.word(name)
            return Plan(kind, lex.join(piece for part in parts for piece in (part, lex.SPACE)).strip())
    return Plan(kind, lex.join(tokens))
