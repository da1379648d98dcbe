"""Lateral column aliases: a name that a SELECT list gives, used further on in the same SELECT.

In: the tokens of a statement. Out: which names could be meant so, and the statement with given ones replaced by what
they stand for. Whether a name is an alias or a column only the backend knows (a column goes first), so the session
asks it for one name after the other. Source: Database Developer Guide, "SELECT list".
"""

from itertools import pairwise

from harness.redshift.tokens import Token, closing, code, name_of, split_arguments, symbol

SET_OPERATIONS = frozenset(("UNION", "INTERSECT", "EXCEPT", "MINUS"))
_TAIL = frozenset(("FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "OFFSET"))
_ALIASES_COUNT = frozenset(("WHERE", "HAVING"))
_QUANTIFIERS = frozenset(("DISTINCT", "ALL"))
_NO_ALIAS = frozenset(("END", "NULL", "TRUE", "FALSE"))


def lateral_aliases(tokens: list[Token]) -> frozenset[str]:
    """The aliases that are used behind their place in their own SELECT."""
    walk = _Walk(None)
    walk.query(tokens)
    return frozenset(walk.used)


def replace_aliases(tokens: list[Token], names: frozenset[str]) -> list[Token]:
    """The statement with these aliases replaced by their expressions."""
    return _Walk(names).query(tokens)


Meanings = dict[str, list[Token]]


class _Walk:
    """One pass over a statement; `names` None: replace every alias. `used`: those that were replaced."""

    def __init__(self, names: frozenset[str] | None) -> None:
        self._names = names
        self.used: set[str] = set()

    def query(self, tokens: list[Token]) -> list[Token]:
        """A statement or subquery, set operations included."""
        result: list[Token] = []
        start = 0
        for index in [*places(tokens, SET_OPERATIONS), len(tokens)]:
            result += self._select(tokens[start:index])
            result += tokens[index : index + 1]
            start = index + 1
        return result

    def _select(self, tokens: list[Token]) -> list[Token]:
        at = next(iter(places(tokens, frozenset(("SELECT",)))), None)
        if at is None:
            return self._scope(tokens, {})
        clauses = [index for index in places(tokens, _TAIL) if index > at]
        end = clauses[0] if clauses else len(tokens)
        meanings: Meanings = {}
        result = [*self._scope(tokens[:at], {}), tokens[at]]
        for number, item in enumerate(split_arguments(tokens[at + 1 : end])):
            result += [symbol(",")] if number else []
            result += self._item(item, meanings)
        for clause, following in pairwise([*clauses, len(tokens)]):
            counts = tokens[clause].upper in _ALIASES_COUNT
            result += self._scope(tokens[clause:following], meanings if counts else {})
        return result

    def _item(self, item: list[Token], meanings: Meanings) -> list[Token]:
        """One item of the list; its alias means something from here on."""
        places = [index for index, token in enumerate(item) if token.kind not in ("space", "comment")]
        result = self._scope(item, meanings)
        name = _alias(code(item))
        if name and (self._names is None or name in self._names):
            last = -2 if item[places[-2]].upper == "AS" else -1
            meaning = self._scope(item[: places[last]], meanings)
            meanings[name] = [token for token in meaning if token.upper not in _QUANTIFIERS]
        return result

    def _scope(self, tokens: list[Token], meanings: Meanings) -> list[Token]:
        """Tokens of one SELECT; what is in parentheses is a query of its own or belongs to it."""
        result: list[Token] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.text == "(" and token.kind == "symbol":
                end = closing(tokens, at)
                inner = tokens[at + 1 : end]
                first = next(iter(code(inner)), token)
                done = self.query(inner) if first.upper in ("SELECT", "WITH", "(") else self._scope(inner, meanings)
                result += [token, *done, *tokens[end : end + 1]]
                at = end + 1
                continue
            if token.kind in ("word", "quoted") and name_of(token) in meanings and _is_bare(tokens, at):
                self.used.add(name_of(token))
                result += [symbol("("), *meanings[name_of(token)], symbol(")")]
            else:
                result.append(token)
            at += 1
        return result


def places(tokens: list[Token], words: frozenset[str]) -> list[int]:
    """Where these words stand outside parentheses."""
    found, depth = [], 0
    for index, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if depth == 0 and token.kind == "word" and token.upper in words:
            found.append(index)
    return found


def _alias(item: list[Token]) -> str | None:
    if len(item) < 2 or item[-1].kind not in ("word", "quoted") or item[-1].upper in _NO_ALIAS:
        return None
    before = item[-2]
    if before.upper == "AS":
        return name_of(item[-1]) if len(item) > 2 else None
    is_value = before.kind in ("word", "quoted", "string", "number") or before.text in (")", "]")
    return name_of(item[-1]) if is_value and before.upper not in _QUANTIFIERS else None


def _is_bare(tokens: list[Token], at: int) -> bool:
    """Whether the name can be a column's: not qualified, not a function, a type or an alias itself."""
    before = next((token.upper for token in reversed(tokens[:at]) if token.kind not in ("space", "comment")), "")
    after = next((token for token in tokens[at + 1 :] if token.kind not in ("space", "comment")), None)
    if before in (".", "::", "AS", ":"):
        return False
    return after is None or not (after.text in ("(", ".") or after.kind == "string")
