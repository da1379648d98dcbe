"""The precision and scale that Redshift gives a computed number, where PostgreSQL says only that it is NUMERIC.

In: the parse tree of a query. Out: a `Decimal` for each column of its result; `UNKNOWN` where nobody can say. Knows
nothing of sessions. Source: Database Developer Guide, "Computations with numeric values", "SUM function", "AVG
function", "Numeric types".
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from harness.redshift.parse_tree import Node, Value, read

NUMERIC = 1700
PRECISION_MAX = 38
_DIVISION_SCALE_MIN = 4
_RELATION, _SUBQUERY, _JOIN, _VALUES, _CTE, _GROUP = 0, 1, 2, 5, 6, 9  # of RTEKind
_INTEGERS = {21: 5, 23: 10, 20: 19}  # types and their digits
_EXPRESSION_SUBLINK = "4"
# functions of PostgreSQL by their numbers, which no version changes
_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE, _REMAINDER = 1724, 1725, 1726, 1727, 1728
_OF_INTEGERS = frozenset((1740, 1781, 1782))
_LENGTH_COERCION = 1703
_SUM = 2114
_SAME = frozenset((  # abs, round, trunc, sign, ceil, floor, + and -, avg, min, max, lag, lead, first, last, nth, any
    1704, 1705, 1706, 1707, 1708, 1709, 1710, 1711, 1712, 2167, 1771, 1915, 2103, 2130, 2146, 3106, 3107, 3108, 3109,
    3110, 3111, 3112, 3113, 3114, 3972, 3984, 6291,
))  # fmt: skip


@dataclass(frozen=True)
class Decimal:
    """A NUMERIC(precision, scale)."""

    precision: int
    scale: int

    @property
    def modifier(self) -> int:
        """As a RowDescription has it."""
        return (self.precision << 16 | self.scale) + 4

    @property
    def whole_digits(self) -> int:
        return self.precision - self.scale

    @classmethod
    def of(cls, modifier: int) -> Self:
        return cls(modifier - 4 >> 16, (modifier - 4) & 0xFFFF)

    @classmethod
    def capped(cls, precision: int, scale: int) -> Self:
        """With at most 38 digits, of which those behind the point go first, to four."""
        if precision <= PRECISION_MAX:
            return cls(precision, scale)
        return cls(PRECISION_MAX, max(PRECISION_MAX - (precision - scale), min(scale, _DIVISION_SCALE_MIN)))


UNKNOWN = Decimal(PRECISION_MAX, 18)  # room for whole numbers of 64 bits, and for as many digits behind the point


def columns(tree: str) -> list[Decimal]:
    """Of each column of the query's result; `UNKNOWN` too where it is no number.

    Raises:
        ValueError: the text is not the tree of one query.
    """
    query = _first_query(read(tree))
    if query is None:
        raise ValueError("no query in the parse tree")
    return [_column(query, index, ()) for index in range(len(_targets(query)))]


def _first_query(value: Value) -> Node | None:
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, Node) and value.kind == "QUERY" else None


Scope = tuple[Node, ...]  # the queries around an expression, the innermost first


def _targets(query: Node) -> list[Node]:
    return [target for target in query.nodes("targetList") if target.text("resjunk") != "true"]


def _column(query: Node, index: int, around: Scope) -> Decimal:
    """The column of a query's result; of several, as a UNION has, what holds them all."""
    operations = query.node("setOperations")
    if operations:
        entries = [query.nodes("rtable")[leaf - 1].node("subquery") for leaf in _leaves(operations)]
        return _common(_column(entry, index, (query, *around)) for entry in entries if entry)
    targets = _targets(query)
    return _number(targets[index].node("expr"), (query, *around)) if index < len(targets) else UNKNOWN


def _leaves(node: Node) -> list[int]:
    if node.kind == "RANGETBLREF":
        return [node.number("rtindex")]
    sides = (node.node("larg"), node.node("rarg"))
    return [leaf for side in sides if side for leaf in _leaves(side)]


def _common(numbers: Iterable[Decimal]) -> Decimal:
    """What holds each of these numbers."""
    known = list(numbers)
    if not known:
        return UNKNOWN
    scale = max(number.scale for number in known)
    return Decimal.capped(max(number.whole_digits for number in known) + scale, scale)


def _number(node: Node | None, scope: Scope) -> Decimal:
    """What an expression is."""
    if node is None:
        return UNKNOWN
    handler = _HANDLERS.get(node.kind)
    return handler(node, scope) if handler else UNKNOWN


def _constant(node: Node, _scope: Scope) -> Decimal:
    if node.number("consttypmod") >= 0 and node.number("consttype") == NUMERIC:
        return Decimal.of(node.number("consttypmod"))
    if node.text("constisnull") == "true":
        return Decimal(1, 0)
    if node.number("consttype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("consttype")], 0)
    return _literal(node.datum("constvalue")) if node.number("consttype") == NUMERIC else UNKNOWN


def _literal(datum: bytes) -> Decimal:
    """Of a NUMERIC as PostgreSQL keeps it in memory (`numeric.c`): a header, then digits of base 10,000."""
    (header,) = struct.unpack_from("=H", datum, 4)
    if header & 0xC000 == 0x8000:
        scale, weight, at = header >> 7 & 0x3F, (header & 0x3F) - (header & 0x40), 6
    else:
        scale, (weight,), at = header & 0x3FFF, struct.unpack_from("=h", datum, 6), 8
    first = struct.unpack_from("=h", datum, at)[0] if len(datum) >= at + 2 else 0
    whole = weight * 4 + len(str(first)) if weight >= 0 else 0
    return Decimal.capped(max(1, whole + scale), scale)


def _variable(node: Node, scope: Scope) -> Decimal:
    """A column of what the query reads from."""
    if node.number("vartype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("vartype")], 0)
    if node.number("vartypmod") >= 0:
        return Decimal.of(node.number("vartypmod"))
    scope = scope[node.number("varlevelsup") :]
    tables = scope[0].nodes("rtable") if scope else []
    number, index = node.number("varno"), node.number("varattno") - 1
    if not 0 < number <= len(tables) or index < 0:
        return UNKNOWN
    return _of_table(tables[number - 1], index, scope)


def _of_table(table: Node, index: int, scope: Scope) -> Decimal:
    kind = table.number("rtekind")
    if kind == _SUBQUERY and (query := table.node("subquery")):
        return _column(query, index, scope)
    if kind == _JOIN:
        return _at(table.nodes("joinaliasvars"), index, scope)
    if kind == _GROUP:
        return _at(table.nodes("groupexprs"), index, scope)
    if kind == _VALUES:
        rows = [row for row in table.items("values_lists") if isinstance(row, list) and index < len(row)]
        return _common(_number(row[index], scope) for row in rows if isinstance(row[index], Node))  # type: ignore[arg-type]
    if kind == _CTE:
        outer = scope[table.number("ctelevelsup") :]
        for named in outer[0].nodes("cteList") if outer else ():
            query = named.node("ctequery")
            if named.text("ctename") == table.text("ctename") and query and query.kind == "QUERY":
                return UNKNOWN if named.text("cterecursive") == "true" else _column(query, index, outer)
    return UNKNOWN


def _at(expressions: list[Node], index: int, scope: Scope) -> Decimal:
    return _number(expressions[index], scope) if index < len(expressions) else UNKNOWN


def _operation(node: Node, scope: Scope) -> Decimal:
    if node.number("opresulttype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("opresulttype")], 0)
    return _called(node.number("opfuncid"), node.nodes("args"), scope)


def _function(node: Node, scope: Scope) -> Decimal:
    if node.number("funcresulttype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("funcresulttype")], 0)
    return _called(node.number("funcid"), node.nodes("args"), scope)


def _aggregate(node: Node, scope: Scope) -> Decimal:
    if node.number("aggtype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("aggtype")], 0)
    arguments = [target.node("expr") for target in node.nodes("args")]
    return _called(node.number("aggfnoid"), [argument for argument in arguments if argument], scope)


def _window(node: Node, scope: Scope) -> Decimal:
    if node.number("wintype") in _INTEGERS:
        return Decimal(_INTEGERS[node.number("wintype")], 0)
    return _called(node.number("winfnoid"), node.nodes("args"), scope)


def _called(function: int, arguments: list[Node], scope: Scope) -> Decimal:
    """What a function or operator of numbers returns."""
    if not arguments:
        return UNKNOWN
    if function == _LENGTH_COERCION and arguments[1].kind == "CONST":
        return Decimal.of(struct.unpack_from("=i", arguments[1].datum("constvalue"))[0])
    first = _number(arguments[0], scope)
    if function in _OF_INTEGERS or function in _SAME:
        return first
    if function == _SUM:
        return Decimal(PRECISION_MAX, first.scale)
    if function in (_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE, _REMAINDER):
        return _computed(function, first, _number(arguments[1], scope))
    return UNKNOWN


def _computed(function: int, a: Decimal, b: Decimal) -> Decimal:
    if function == _MULTIPLY:
        return Decimal.capped(a.precision + b.precision + 1, a.scale + b.scale)
    if function == _DIVIDE:
        scale = max(_DIVISION_SCALE_MIN, a.scale + b.precision - b.scale + 1)
        return Decimal.capped(a.whole_digits + b.scale + scale, scale)
    scale = max(a.scale, b.scale)
    if function == _REMAINDER:
        return Decimal.capped(min(a.whole_digits, b.whole_digits) + scale, scale)
    return Decimal.capped(max(a.whole_digits, b.whole_digits) + 1 + scale, scale)


def _relabeled(node: Node, scope: Scope) -> Decimal:
    return _number(node.node("arg"), scope)


def _case(node: Node, scope: Scope) -> Decimal:
    results = [when.node("result") for when in node.nodes("args")]
    return _common(_number(result, scope) for result in (*results, node.node("defresult")) if result)


def _any_of(node: Node, scope: Scope) -> Decimal:
    return _common(_number(argument, scope) for argument in node.nodes("args"))


def _first_of(node: Node, scope: Scope) -> Decimal:
    return _at(node.nodes("args"), 0, scope)


def _subquery(node: Node, scope: Scope) -> Decimal:
    query = node.node("subselect")
    return _column(query, 0, scope) if query and node.text("subLinkType") == _EXPRESSION_SUBLINK else UNKNOWN


_HANDLERS = {
    "CONST": _constant, "VAR": _variable, "OPEXPR": _operation, "FUNCEXPR": _function, "AGGREF": _aggregate,
    "WINDOWFUNC": _window, "RELABELTYPE": _relabeled, "CASEEXPR": _case, "CASE": _case, "COALESCE": _any_of,
    "COALESCEEXPR": _any_of, "MINMAX": _any_of, "MINMAXEXPR": _any_of, "NULLIFEXPR": _first_of, "SUBLINK": _subquery,
}  # fmt: skip
