"""Parse trees that are none, and numbers at the edges of NUMERIC."""

import struct

import pytest

from harness.redshift import numerics, parse_tree
from harness.redshift.numerics import Decimal
from harness.redshift.scaled import NumericOverflow, scaled


@pytest.mark.parametrize("tree", ["", "(", "<>", "{QUERY :targetList ({TARGETENTRY", "({CONST :constvalue 1})"])
def test_a_text_that_is_no_tree_of_a_query(tree: str) -> None:
    with pytest.raises(ValueError, match="parse tree"):
        numerics.columns(tree)


def test_words_with_blanks_and_braces_are_words() -> None:
    node = parse_tree.read(r"{ALIAS :aliasname a\ \{b\} :colnames (" + '"c" "d") :empty <> :number -1}')
    assert isinstance(node, parse_tree.Node)
    assert (node.kind, node.number("number"), node.node("empty")) == ("ALIAS", -1, None)
    assert node.items("colnames") == ['"c"', '"d"']


def test_an_expression_of_a_kind_that_is_not_known() -> None:
    tree = "({QUERY :targetList ({TARGETENTRY :expr {NEW :of 1} :resjunk false}) :setOperations <>})"
    assert numerics.columns(tree) == [numerics.UNKNOWN]


def _numeric(weight: int, *digits: int, sign: int = 0) -> bytes:
    return struct.pack(f"!hhHH{len(digits)}h", len(digits), weight, sign, 0, *digits)


@pytest.mark.parametrize(
    ("number", "of", "value", "size_bytes"),
    [
        (_numeric(0), Decimal(5, 2), 0, 8),
        (_numeric(-1, 50), Decimal(5, 2), 1, 8),  # 0.0050
        (_numeric(-1, 49, 9999, sign=0x4000), Decimal(5, 2), 0, 8),
        (_numeric(1, 1, sign=0x4000), Decimal(20, 1), -100_000, 16),
        (_numeric(4, 1000), Decimal(19, 0), 10**19, 16),  # of 19 digits, but beyond 64 bits
    ],
)
def test_numbers_are_scaled_and_rounded(number: bytes, of: Decimal, value: int, size_bytes: int) -> None:
    assert scaled(number, number=of) == value.to_bytes(size_bytes, "big", signed=True)


@pytest.mark.parametrize("number", [_numeric(9, 9999), _numeric(0, sign=0xC000), _numeric(0, sign=0xD000)])
def test_what_no_numeric_of_redshift_holds(number: bytes) -> None:
    with pytest.raises(NumericOverflow):
        scaled(number, number=Decimal(38, 0))
