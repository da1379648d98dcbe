"""Subqueries in FROM that have no name, which Redshift takes and PostgreSQL before 16 does not: they get one.

In: the tokens of a statement. Out: the same with ` AS redshift_derived_1` and so on behind such subqueries. Source:
Database Developer Guide, "FROM clause" (the alias of a subquery is optional).
"""

from harness.redshift.tokens import Token, closing, is_code, word

_QUERIES = frozenset(("SELECT", "WITH", "VALUES"))
_NO_ALIAS = frozenset((
    ")", ",", ";", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "QUALIFY", "WINDOW", "UNION",
    "EXCEPT", "MINUS", "INTERSECT", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ON", "USING", "",
))  # fmt: skip


def name_derived_tables(tokens: list[Token]) -> list[Token]:
    """The tokens with a name for every subquery after FROM or JOIN that has none; the same list if all have one."""
    if not any(token.upper in ("FROM", "JOIN") for token in tokens):
        return tokens
    behind: dict[int, str] = {}
    in_query = [False]  # whether a SELECT came first, for every level of parentheses: not so in `extract(year from …)`
    previous = before = ""
    for index, token in enumerate(tokens):
        if not is_code(token):
            continue
        if token.text == "(":
            if in_query[-1] and (previous == "JOIN" or (previous == "FROM" and before != "DISTINCT")):
                end = closing(tokens, index)
                if _following(tokens, index) in _QUERIES and _following(tokens, end) in _NO_ALIAS:
                    behind[end] = f" AS redshift_derived_{len(behind) + 1}"
            in_query.append(False)
        elif token.text == ")" and len(in_query) > 1:
            in_query.pop()
        elif token.upper in ("SELECT", "UPDATE"):
            in_query[-1] = True
        before, previous = previous, token.upper or token.text
    if not behind:
        return tokens
    return [part for index, token in enumerate(tokens) for part in _named(token, behind.get(index))]


def _following(tokens: list[Token], index: int) -> str:
    return next((token.upper or token.text for token in tokens[index + 1 :] if is_code(token)), "")


def _named(token: Token, name: str | None) -> list[Token]:
    return [token] if name is None else [token, word(name)]
