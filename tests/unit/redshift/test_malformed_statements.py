"""A statement with a mistake in it is planned, or refused by its plan: it never fails in the planner itself.

The statements are those of the contract tests, each with a few tokens gone, repeated, or put in place of others.
"""

import ast
import random
import re
from pathlib import Path

import pytest

from harness.redshift.statements import plan_script
from harness.redshift.tokens import is_number, tokenize

CONTRACT = Path(__file__).resolve().parents[2] / "contract/redshift"
_STATEMENT = re.compile(
    r"(?i)\s*(select|create|alter|copy|unload|insert|update|delete|merge|grant|revoke|show|set|drop|comment|with|truncate"
    r"|vacuum|call|analyze|explain|declare|begin|reset)\b"
)
_ODD = ("(", ")", ",", ".", "::", "'x'", '"q"', ";", "$$", "$1", "[", "]", "1", "null", "²")


def _statements() -> list[str]:
    nodes = [node for path in CONTRACT.glob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted(filter(_STATEMENT.match, texts))


STATEMENTS = _statements()
WORDS = sorted({token.text for text in STATEMENTS for token in tokenize(text) if token.kind != "space"})


def _mutated(chance: random.Random) -> str:
    parts = [token.text for token in tokenize(chance.choice(STATEMENTS))]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(parts) + 1)
        other = chance.choice((chance.choice(WORDS), chance.choice(_ODD), *parts[at : at + 1]))
        parts = chance.choice(
            (parts[:at] + parts[at + 1 :], parts[:at], [*parts[:at], other, *parts[at + chance.randrange(2) :]])
        )
    return "".join(parts)


@pytest.mark.parametrize("seed", range(8))
def test_a_statement_with_a_mistake_is_planned_or_refused(seed: int) -> None:
    assert len(STATEMENTS) > 500
    chance = random.Random(seed)
    for _ in range(1_000):
        statement = _mutated(chance)
        try:
            plan_script(statement)
        except Exception as error:
            raise AssertionError(f"the planner failed: {statement!r}") from error


@pytest.mark.parametrize("statement", [
    "create table t (", "create table t (a int identity(1))", "select top",
    "create table t () as select 1", "create table t (a int) distkey ()", "create table t (a decimal(x, 2))",
    "create table t (a decimal(8, ²))", "show databases like 'de_' limit ²",
    "create user u password 'Abcdef12' connection limit ²",
])  # fmt: skip
def test_a_mistake_is_a_syntax_error(statement: str) -> None:
    (plan,) = plan_script(statement)
    assert plan.refusal is not None
    assert plan.refusal.sqlstate == "42601"
    assert plan.refusal.message.startswith("syntax error at or near")


@pytest.mark.parametrize(("text", "expected"), [("12", True), ("", False), ("-1", False), ("²", False), ("٣", False)])
def test_a_number_is_digits_that_sql_knows(text: str, expected: bool) -> None:
    assert is_number(text) is expected
