"""CREATE VIEW … WITH NO SCHEMA BINDING: the statement that makes a late-binding view in the backend.

In: the tokens of a CREATE VIEW. Out: SQL for PostgreSQL (see `catalog/late_views.sql`), or nothing if the view binds at
once. Source: Database Developer Guide, "CREATE VIEW": every relation must be named with its schema.
"""

from collections.abc import Callable

from harness.redshift.messages import Refusal
from harness.redshift.tokens import Cursor, Token, closing, code, is_code, join, name_of, quote_string

_CLAUSE = ["WITH", "NO", "SCHEMA", "BINDING"]
_UNQUALIFIED = "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING."
_AFTER_RELATIONS = frozenset((
    "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "MINUS", "QUALIFY", "ON",
    "USING", "SELECT",
))  # fmt: skip


def create_late_view(tokens: list[Token], rewrite: Callable[[list[Token]], list[Token]]) -> str | None:
    """The statement that makes the view; None if it is no late-binding one.

    Raises:
        Refusal: it names a relation without its schema.
    """
    places = [index for index, token in enumerate(tokens) if is_code(token)]
    if [tokens[index].upper for index in places[-4:]] != _CLAUSE:
        return None
    source = join(tokens).strip()
    tokens = tokens[: places[-4]]
    cursor = Cursor(code(tokens), 1)
    replaces = cursor.take("OR", "REPLACE")
    if not cursor.take("VIEW"):
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    name = cursor.name()
    columns = ""
    if cursor.peek() == "(":
        end = closing(cursor.tokens, cursor.at)
        columns = join(cursor.tokens[cursor.at : end + 1])
        cursor.at = end + 1
    if not name or cursor.peek() != "AS":
        raise Refusal("42601", f'syntax error at or near "{cursor.peek()}"')
    body = tokens[next(index for index, token in enumerate(tokens) if token is cursor.tokens[cursor.at]) + 1 :]
    _check_qualified(code(body))
    arguments = ", ".join(map(quote_string, (name, columns, join(rewrite(body)).strip(), source)))
    call = f"redshift_internal.create_late_view({arguments}, {str(replaces).lower()})"
    return f"DO {quote_string(f'BEGIN PERFORM {call}; END')}"


def _check_qualified(tokens: list[Token]) -> None:
    """Every name where a relation stands has a schema, unless it is one of the query's own (WITH)."""
    own = {
        name_of(token)
        for index, token in enumerate(tokens[:-2])
        if token.kind in ("word", "quoted") and tokens[index + 1].upper == "AS" and tokens[index + 2].text == "("
    }
    relations = [False]  # for every open parenthesis, whether names of relations come next
    for index, token in enumerate(tokens):
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.text == "(":
            relations.append(relations[-1] and _opens_relations(tokens, index))
        elif token.text == ")" and len(relations) > 1:
            relations.pop()
        elif token.upper in ("FROM", "JOIN"):
            relations[-1] = True
            _check(tokens, index + 1, own)
        elif token.text == "," and relations[-1]:
            _check(tokens, index + 1, own)
        elif token.upper in _AFTER_RELATIONS and following != ".":
            relations[-1] = False


def _opens_relations(tokens: list[Token], index: int) -> bool:
    return index > 0 and tokens[index - 1].upper in ("FROM", "JOIN", ",")


def _check(tokens: list[Token], index: int, own: set[str]) -> None:
    if index >= len(tokens) or tokens[index].kind not in ("word", "quoted") or tokens[index].upper == "SELECT":
        return
    following = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if following not in (".", "(") and name_of(tokens[index]) not in own:
        raise Refusal("42601", _UNQUALIFIED)
