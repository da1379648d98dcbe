"""MERGE with Redshift's rules, which are narrower than PostgreSQL's, and its REMOVE DUPLICATES.

In: the tokens of a MERGE. Out: SQL for PostgreSQL, or a Refusal. Source: Database Developer Guide, "MERGE": no alias
for the target, the source is a table, the condition has equalities, exactly one WHEN MATCHED (UPDATE or DELETE) and
one WHEN NOT MATCHED (INSERT), neither with a condition of its own. The page names equalities only; that further
comparisons may be added with AND is from dbt-redshift, whose tests merge so on real clusters.
"""

from harness.redshift.ddl import Rewrite
from harness.redshift.messages import Refusal
from harness.redshift.plan import syntax_error
from harness.redshift.tokens import Cursor, Token, code, is_code, join, name_of, quote_name

_NOT_IN_CONDITIONS = frozenset(("OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS"))


def merge(tokens: list[Token], rewrite: Rewrite) -> str:
    """The statement for PostgreSQL.

    Raises:
        Refusal: Redshift would not take it.
    """
    cursor = Cursor(code(tokens), 1)
    cursor.take("INTO")
    target = cursor.name()
    if not target or not cursor.take("USING"):
        raise syntax_error(cursor.peek() or "end of input")
    source = cursor.name()
    if not source:
        raise syntax_error(cursor.peek() or "end of input")
    if source == target:
        raise Refusal("0A000", "MERGE source table and target table cannot be the same")
    alias = _alias(cursor)
    if not cursor.take("ON"):
        raise syntax_error(cursor.peek() or "end of input")
    condition = _condition(cursor)
    if cursor.take("REMOVE", "DUPLICATES"):
        if cursor.peek():
            raise syntax_error(cursor.peek())
        return _remove_duplicates(target, source, alias, condition, rewrite)
    _check_clauses(cursor)
    return join(rewrite(tokens))


def _alias(cursor: Cursor) -> str | None:
    cursor.take("AS")
    if cursor.peek() == "ON" or cursor.at >= len(cursor.tokens):
        return None
    token = cursor.next()
    assert token is not None
    if token.kind not in ("word", "quoted"):
        raise syntax_error(token.text)
    return quote_name(name_of(token))


def _condition(cursor: Cursor) -> list[Token]:
    start, has_equality = cursor.at, False
    while cursor.peek() and cursor.peek() not in ("WHEN", "REMOVE"):
        word = cursor.peek()
        if word in _NOT_IN_CONDITIONS:
            raise Refusal("0A000", f'MERGE: the match condition takes comparisons only, not "{word.lower()}"')
        has_equality = has_equality or word == "="
        cursor.at += 1
    if not has_equality:
        raise Refusal("0A000", "MERGE: the match condition needs an equality between source and target columns")
    return cursor.tokens[start : cursor.at]


def _check_clauses(cursor: Cursor) -> None:
    if not cursor.take("WHEN", "MATCHED", "THEN"):
        raise syntax_error(_after_when(cursor, "MATCHED"))
    if cursor.peek() not in ("UPDATE", "DELETE"):
        raise syntax_error(cursor.peek() or "end of input")
    while cursor.peek() and cursor.peek() != "WHEN":
        cursor.at += 1
    if not cursor.take("WHEN", "NOT", "MATCHED", "THEN"):
        raise syntax_error(_after_when(cursor, "NOT", "MATCHED"))
    if cursor.peek() != "INSERT":
        raise syntax_error(cursor.peek() or "end of input")
    for token in cursor.rest():
        if token.upper == "WHEN":
            raise syntax_error(token.text)


def _after_when(cursor: Cursor, *words: str) -> str:
    """The word at which the expected clause went wrong."""
    for word in ("WHEN", *words):
        if not cursor.take(word):
            break
    return cursor.peek() or "end of input"


def _remove_duplicates(target: str, source: str, alias: str | None, condition: list[Token], rewrite: Rewrite) -> str:
    """Matched rows become the source's, others are added; rows of the target that match nothing stay as they are."""
    spaced = " ".join(token.text for token in rewrite(condition) if is_code(token)).replace(" . ", ".")
    using = f"{source} AS {alias}" if alias else source
    return (
        f"WITH replaced AS (DELETE FROM {target} USING {using} WHERE {spaced}) "
        f"INSERT INTO {target} SELECT DISTINCT * FROM {source}"
    )
