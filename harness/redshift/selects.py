"""SELECT TOP n and QUALIFY, which PostgreSQL has not: as LIMIT and as a filter around the query.

In: the tokens of a statement. Out: tokens for PostgreSQL. Works on every SELECT, also in parentheses and set
operations. Source: Database Developer Guide, "SELECT list" (TOP) and "QUALIFY clause".
"""

from harness.redshift.messages import Refusal
from harness.redshift.tokens import SPACE, Token, closing, code, name_of, quote_name, split_arguments, symbol, word

_SET_OPERATIONS = frozenset(("UNION", "INTERSECT", "EXCEPT", "MINUS"))
_AFTER_QUALIFY = frozenset(("ORDER", "LIMIT", "OFFSET"))
_FLAG = "redshift_qualify"


def rewrite_selects(tokens: list[Token]) -> list[Token]:
    """The statement without TOP and QUALIFY; the same tokens if it has none."""
    if not any(token.upper in ("TOP", "QUALIFY") for token in tokens):
        return tokens
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        if tokens[at].text == "(":
            end = closing(tokens, at)
            result += [tokens[at], *rewrite_selects(tokens[at + 1 : end]), tokens[end]]
            at = end + 1
        else:
            result.append(tokens[at])
            at += 1
    return [token for part in _set_parts(result) for token in _rewrite_one(part)]


def _set_parts(tokens: list[Token]) -> list[list[Token]]:
    """The parts between set operations outside parentheses, each operation a part of its own."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if depth == 0 and token.upper in _SET_OPERATIONS:
            parts += [[token], []]
        else:
            parts[-1].append(token)
    return parts


def _find(tokens: list[Token], words: frozenset[str], start: int = 0) -> int:
    """The index of the first of these words outside parentheses; the length if there is none."""
    depth = 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if depth == 0 and token.kind == "word" and token.upper in words:
            return index
    return len(tokens)


def _rewrite_one(tokens: list[Token]) -> list[Token]:
    select = _find(tokens, frozenset(("SELECT",)))
    if select == len(tokens):
        return tokens
    head, body, limit = tokens[: select + 1], tokens[select + 1 :], []
    words = [index for index, token in enumerate(body) if token.kind not in ("space", "comment")]
    first = next((index for index in words if body[index].upper not in ("ALL", "DISTINCT")), None)
    if first is not None and body[first].upper == "TOP":
        number = next((index for index in words if index > first), None)
        if number is None:
            raise Refusal("42601", 'syntax error at or near "TOP"')
        limit = [SPACE, word("LIMIT"), SPACE, body[number]]
        body = body[:first] + body[number + 1 :]
    qualify = _find(body, frozenset(("QUALIFY",)))
    if qualify < len(body):
        return tokens[:select] + _qualified(body, qualify) + limit
    return head + body + limit


def _qualified(body: list[Token], qualify: int) -> list[Token]:
    """The query as a subquery with the condition as one more column, filtered by it."""
    tail = _find(body, _AFTER_QUALIFY, qualify)
    condition, query, rest = body[qualify + 1 : tail], body[:qualify], body[tail:]
    names = output_names(query)
    if any(token.upper == "OVER" for token in condition):
        at = _find(query, frozenset(("FROM",)))
        flag = [symbol(","), SPACE, symbol("("), *condition, symbol(")"), word(f" AS {_FLAG} ")]
        inner, where = [word("SELECT "), *query[:at], *flag, *query[at:]], [word(_FLAG)]
    else:
        inner, where = [word("SELECT "), *query], condition
    outer = ", ".join(names) if names else "*"
    return [word(f"SELECT {outer} FROM ("), *inner, word(") AS redshift_query WHERE "), *where, SPACE, *rest]


def output_names(query: list[Token]) -> list[str]:
    """The names of the select list; empty if it has a star, whose columns only the backend knows."""
    names = []
    for part in split_arguments(query[: _find(query, frozenset(("FROM",)))]):
        item = code(part)
        if not item or item[-1].text == "*" or item[-1].kind not in ("word", "quoted"):
            return []
        names.append(quote_name(name_of(item[-1])))
    return names
