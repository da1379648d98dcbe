"""What stands in the FROM clauses of a statement: the relations and aliases that names can begin with.

In: the tokens of a statement. Out: `FromItem`s with their place, and which tokens are in a select list. Knows the words
that begin and end a FROM clause, and no other grammar. Used to tell a path into a SUPER value from a qualified column.
"""

from dataclasses import dataclass, field

from harness.redshift.tokens import Token, closing, is_code, whole_name

Step = str | int
_ENDS_FROM = frozenset((
    "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "MINUS", "QUALIFY", "SET",
    "WHEN", "ON", "USING", "WINDOW", "FETCH",
))  # fmt: skip
_RELATION_FOLLOWS = frozenset(("JOIN", "UPDATE", "INTO", "USING", "TABLE", "VIEW"))
NO_ALIAS = _ENDS_FROM | _RELATION_FOLLOWS | frozenset((
    "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL", "OUTER", "PIVOT", "UNPIVOT", "SELECT", "VALUES", "WITH", "AS",
    "AT", "DISTSTYLE", "DISTKEY", "SORTKEY", "LIKE", "FROM", "START", "CONNECT", "DEFAULT",
))  # fmt: skip
_BEFORE_NAME = frozenset(("ONLY", "IF", "NOT", "EXISTS", "LATERAL", "RECURSIVE"))


@dataclass(frozen=True)
class FromItem:
    """A named item of a FROM clause: tokens start to end, its name's parts, alias, AT alias, and UNPIVOT before it."""

    start: int
    end: int
    path: tuple[Step, ...]
    alias: str
    index_alias: str = ""
    is_unpivot: bool = False


@dataclass
class Relations:
    """All FROM items of a statement, the aliases of what is no name (subqueries), and the places of select lists."""

    items: list[FromItem] = field(default_factory=list)
    aliases: set[str] = field(default_factory=set)
    selected: set[int] = field(default_factory=set)


def following(tokens: list[Token], at: int) -> int:
    """The index of the code token at or behind `at`; the length if there is none."""
    while at < len(tokens) and not is_code(tokens[at]):
        at += 1
    return at


def read_path(tokens: list[Token], at: int) -> tuple[tuple[Step, ...], int]:
    """The names and indexes of `a.b[0].c` that begins at `at`, and the index behind."""
    steps: list[Step] = [whole_name(tokens[at])]
    at += 1
    while at + 1 < len(tokens):
        if tokens[at].text == "." and (name := following(tokens, at + 1)) < len(tokens) and is_name(tokens[name]):
            steps.append(whole_name(tokens[name]))
            at = name + 1
        elif tokens[at].text == "[" and tokens[at + 1].kind == "number" and tokens[at + 2 : at + 3] == [_CLOSE]:
            steps.append(int(float(tokens[at + 1].text)))
            at += 3
        else:
            break
    return tuple(steps), at


_CLOSE = Token("symbol", "]", "]")


def is_name(token: Token) -> bool:
    return token.kind in ("word", "quoted")


@dataclass
class _Scope:
    """A query in parentheses, or none: what the walk knows of it."""

    is_query: bool
    in_from: bool = False
    in_select: bool = False
    is_item: bool = False


def find(tokens: list[Token]) -> Relations:
    """Walk over the tokens once."""
    found = Relations()
    scopes = [_Scope(is_query=True)]
    at, wants_item, previous = 0, False, ""
    while at < len(tokens):
        token, scope = tokens[at], scopes[-1]
        if not is_code(token):
            at += 1
            continue
        if scope.in_select:
            found.selected.add(at)
        if token.text == "(":
            inside = tokens[following(tokens, at + 1)].upper if following(tokens, at + 1) < len(tokens) else ""
            scopes.append(_Scope(inside in ("SELECT", "WITH"), is_item=wants_item))
            wants_item = False
        elif token.text == ")" and len(scopes) > 1:
            closed = scopes.pop()
            if closed.is_item and scopes[-1].in_from:
                _, alias, _ = _aliases(tokens, at + 1)
                found.aliases.add(alias)
        elif wants_item and is_name(token) and token.upper not in _BEFORE_NAME:
            at = _item(tokens, at, found)
            wants_item, previous = False, ""
            continue
        elif token.kind == "word":
            wants_item = _keyword(token.upper, previous, scope) or (wants_item and token.upper in _BEFORE_NAME)
        elif token.text == "," and scope.in_from:
            wants_item = True
        previous = token.upper
        at += 1
    return found


def _keyword(word: str, previous: str, scope: _Scope) -> bool:
    """What a word changes; whether a relation follows it."""
    if word == "SELECT":
        scope.in_select, scope.in_from = True, False
    elif word == "FROM" and scope.is_query and previous != "DISTINCT":
        scope.in_select, scope.in_from = False, True
        return True
    elif word in _RELATION_FOLLOWS:
        scope.in_from = scope.in_from or word == "JOIN"
        return True
    elif word in _ENDS_FROM:
        scope.in_select = scope.in_from = False
    return False


def _item(tokens: list[Token], at: int, found: Relations) -> int:
    """Read a named item of a FROM clause; the index behind it."""
    start, is_unpivot = at, False
    if tokens[at].upper == "UNPIVOT":
        is_unpivot, at = True, following(tokens, at + 1)
        if at >= len(tokens) or not is_name(tokens[at]):
            return at
    path, end = read_path(tokens, at)
    if (opening := following(tokens, end)) < len(tokens) and tokens[opening].text == "(":
        behind = closing(tokens, opening) + 1  # a function, or a table's column list
        _, alias, _ = _aliases(tokens, behind)
        found.aliases.add(alias or str(path[-1]))
        return behind
    end, alias, index_alias = _aliases(tokens, end)
    found.items.append(FromItem(start, end, path, alias or str(path[-1]), index_alias, is_unpivot))
    found.aliases.add(alias or str(path[-1]))
    return end


def _aliases(tokens: list[Token], at: int) -> tuple[int, str, str]:
    """`[AS] alias [AT alias]`: the index behind, and both."""
    alias = index_alias = ""
    place = following(tokens, at)
    if place < len(tokens) and tokens[place].upper == "AS":
        place = following(tokens, place + 1)
    if place < len(tokens) and is_name(tokens[place]) and tokens[place].upper not in NO_ALIAS:
        alias, at = whole_name(tokens[place]), place + 1
    place = following(tokens, at)
    if alias and place < len(tokens) and tokens[place].upper == "AT":
        place = following(tokens, place + 1)
        if place < len(tokens) and is_name(tokens[place]):
            index_alias, at = whole_name(tokens[place]), place + 1
    return at, alias, index_alias
