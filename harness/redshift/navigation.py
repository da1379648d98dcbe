"""Paths into SUPER values, `c.orders[0].key`, and iteration over them in FROM, as PostgreSQL's jsonb has them.

In: the tokens of a statement. Out: tokens in which paths are jsonb operators and unnested values are functions in FROM.
A path is told from a qualified column by the FROM clause: what begins with no relation of the statement begins with a
column. Typing is dynamic: beside a literal, in arithmetic or in a cast a path has the type that makes sense there, or
it is NULL. Source: Database Developer Guide, "Querying semistructured data".
"""

from harness.redshift.long_names import stored
from harness.redshift.relations import FromItem, Relations, Step, find, following, is_name, read_path
from harness.redshift.tokens import Cursor, Token, code, is_code, quote_name, quote_string, whole_name, word
from harness.redshift.types import read_type

_QUERIES = frozenset(("SELECT", "WITH", "INSERT", "CREATE", "UPDATE", "DELETE", "EXPLAIN", "(", "DECLARE", "MERGE"))
_NEVER_COLUMNS = frozenset(("pg_catalog", "redshift_internal", "information_schema", "new", "old", "excluded"))
_COMPARISONS = frozenset(("=", "<>", "!=", "<", ">", "<=", ">=", "LIKE", "ILIKE", "IN", "BETWEEN"))
_LITERALS = {"string": "super_text", "number": "super_number"}
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%"))
_OF_NUMBERS = frozenset(
    ("SUM", "AVG", "STDDEV", "VARIANCE", "ROUND", "CEIL", "CEILING", "FLOOR", "ABS", "MEDIAN", "MOD")
)
_OF_TEXT = frozenset((
    "UPPER", "LOWER", "LEN", "LENGTH", "TRIM", "BTRIM", "LTRIM", "RTRIM", "LEFT", "RIGHT", "SUBSTRING", "INITCAP",
    "MD5", "SPLIT_PART", "REPLACE", "CHARINDEX", "STRPOS", "LISTAGG",
))  # fmt: skip


def navigate(tokens: list[Token], *, in_routine: bool = False) -> list[Token]:
    """The statement with its paths rewritten; the same tokens if it has none.

    `in_routine`: names may be variables, so only paths that begin with a relation or have an index are paths.
    """
    first = following(tokens, 0)
    if first == len(tokens) or not any(token.text in (".", "[") or token.upper == "UNPIVOT" for token in tokens):
        return tokens
    if not any(token.upper in ("FROM", "UPDATE", "USING") or token.text == "[" for token in tokens):
        return tokens  # a long INSERT … VALUES, most of all
    if not in_routine and tokens[first].upper not in _QUERIES and tokens[first].text not in _QUERIES:
        return tokens
    return _Rewriter(tokens, find(tokens), in_routine=in_routine).run()


class _Rewriter:
    """One statement under way."""

    def __init__(self, tokens: list[Token], relations: Relations, *, in_routine: bool) -> None:
        self._tokens, self._relations, self._in_routine = tokens, relations, in_routine
        self._items = {item.start: item for item in relations.items}
        self._unnested: set[str] = set()
        known = relations.aliases - {item.alias for item in relations.items}  # subqueries
        for item in relations.items:
            if self._is_unnest(item, known):
                self._unnested.add(item.alias)
            known.add(item.alias)
        self._selects = next((i for i, token in enumerate(tokens) if token.upper == "SELECT"), len(tokens))

    def _is_unnest(self, item: FromItem, known: set[str]) -> bool:
        root = item.path[0]
        return item.is_unpivot or (root in known and (len(item.path) > 1 or root in self._unnested))

    def run(self) -> list[Token]:
        result: list[Token] = []
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if item := self._items.get(at):
                result += self._from_item(item)
                at = item.end
            elif is_name(token) and self._previous(at) not in (".", "::"):
                replaced, at = self._name(at)
                result += replaced
            else:
                result.append(token)
                at += 1
        return result

    def _from_item(self, item: FromItem) -> list[Token]:
        if item.alias not in self._unnested:
            return self._tokens[item.start : item.end]
        base, steps = self._split(item.path)
        function = "attributes" if item.is_unpivot else "elements"
        names = [_quoted(name) for name in (item.alias, item.index_alias or "redshift_place")]
        call = f"redshift_internal.{function}({_render(base, steps)})"
        return [word(f"LATERAL {call} AS {names[0]}({', '.join(names)})")]

    def _split(self, path: tuple[Step, ...]) -> tuple[str, tuple[Step, ...]]:
        """The column that a path begins with, in SQL, and the steps behind it."""
        root = str(path[0])
        if root in self._unnested:
            return f"{_quoted(root)}.{_quoted(root)}", path[1:]
        if root in self._relations.aliases and len(path) > 1 and isinstance(path[1], str):
            return f"{_quoted(root)}.{_quoted(path[1])}", path[2:]
        return _quoted(root), path[1:]

    def _name(self, at: int) -> tuple[list[Token], int]:
        path, end = read_path(self._tokens, at)
        after = following(self._tokens, end)
        is_call = after < len(self._tokens) and self._tokens[after].text in ("(", ".")
        if path == (whole_name(self._tokens[at]),) and path[0] in self._unnested and not is_call:
            return [word(_quoted(whole_name(self._tokens[at])))], end  # it may be a word that PostgreSQL reserves
        if len(path) == 1 or is_call or not self._is_path(path, at):
            return self._tokens[at:end], end
        base, steps = self._split(path)
        if not steps:
            return self._tokens[at:end], end
        return self._typed(_render(base, steps), path, at, end)

    def _is_path(self, path: tuple[Step, ...], at: int) -> bool:
        root = str(path[0])
        if root in self._relations.aliases:
            return len(path) > 2 or root in self._unnested or isinstance(path[1], int)
        if root in _NEVER_COLUMNS or self._tokens[at].upper == "ARRAY":
            return False
        if any(isinstance(step, int) for step in path):
            return True
        if self._in_routine or not self._relations.aliases or at < self._selects:
            return False
        return not (len(path) > 2 and path[1] in self._relations.aliases)  # schema.table.column

    def _before(self, at: int, skip: int = 0) -> Token | None:
        """The code token before `at`, or the one `skip` places before that."""
        for place in range(at - 1, -1, -1):
            if is_code(self._tokens[place]):
                if skip == 0:
                    return self._tokens[place]
                skip -= 1
        return None

    def _previous(self, at: int, skip: int = 0) -> str:
        token = self._before(at, skip)
        return token.upper if token else ""

    def _typed(self, sql: str, path: tuple[Step, ...], at: int, end: int) -> tuple[list[Token], int]:
        """The path as its surroundings want it, and with the name that a column of a result has."""
        name = next(str(step) for step in reversed(path) if isinstance(step, str))
        after = following(self._tokens, end)
        following_text = self._tokens[after].upper if after < len(self._tokens) else ""
        if following_text == "::" or (following_text == "AS" and self._previous(at, 1) == "CAST"):
            kind, behind = self._type(after + 1)
            if kind != "jsonb":
                sql = f"redshift_internal.cast_super({sql}, null::{kind})"
            if following_text == "AS":
                return [word(sql)], end
            sql, end = f"({sql})::{kind}", behind
        elif function := self._function(at, after, following_text):
            sql = f"redshift_internal.{function}({sql})"
        return [word(sql + (f" AS {_quoted(name)}" if self._is_column(at, end) else ""))], end

    def _type(self, at: int) -> tuple[str, int]:
        """The type that begins at `at`, and the index behind it."""
        rest = code(self._tokens[at:])
        cursor = Cursor(rest)
        kind = read_type(cursor, column=False)
        behind, left = at, cursor.at
        while left:
            left -= is_code(self._tokens[behind])
            behind += 1
        return kind, behind

    def _function(self, at: int, after: int, following_text: str) -> str:
        """Which type the neighbours want."""
        before = self._previous(at)
        if before in _ARITHMETIC - {"*"} or following_text in _ARITHMETIC:
            return "super_number"
        if "||" in (before, following_text):
            return "super_text"
        if before == "(" and following_text in (")", ","):
            called = self._previous(at, 1)
            return "super_number" if called in _OF_NUMBERS else "super_text" if called in _OF_TEXT else ""
        if following_text in _COMPARISONS:
            return self._of_literal(after + 1)
        if following_text == "NOT":
            return self._of_literal(following(self._tokens, after + 1) + 1)
        if before in _COMPARISONS:
            operand = self._before(at, 1)
            return _LITERALS.get(operand.kind if operand else "", "")
        return ""

    def _of_literal(self, at: int) -> str:
        token = next((token for token in self._tokens[at:] if is_code(token) and token.text not in ("(", "-")), None)
        if token is None:
            return ""
        if token.upper in ("TRUE", "FALSE"):
            return "super_boolean"
        return _LITERALS.get(token.kind, "")

    def _is_column(self, at: int, end: int) -> bool:
        """Whether it is a whole item of a select list without an alias."""
        after = following(self._tokens, end)
        following_text = self._tokens[after].upper if after < len(self._tokens) else ")"
        begins = self._previous(at) in ("SELECT", "DISTINCT", "ALL", ",")
        return at in self._relations.selected and begins and following_text in (",", "FROM", ")", ";", "INTO")


def _quoted(name: str) -> str:
    """A whole name as PostgreSQL has it."""
    return quote_name(stored(name))


def _render(base: str, steps: tuple[Step, ...]) -> str:
    sql = base
    for step in steps:
        if isinstance(step, int):
            sql = f"redshift_internal.element({sql}, {step})"
        else:
            sql = f"({sql} -> {quote_string(step)})"
    return sql
