"""Names for subqueries in FROM that have none."""

import pytest

from harness.redshift.derived_tables import name_derived_tables
from harness.redshift.tokens import join, tokenize

NAME = " AS redshift_derived_"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("select * from (select 1)", f"select * from (select 1){NAME}1"),
        ("select * from (select 1) where 1 = 1", f"select * from (select 1){NAME}1 where 1 = 1"),
        ("select * from a join (values (1)) on true", f"select * from a join (values (1)){NAME}1 on true"),
        ("select * from (select * from (select 3))", f"select * from (select * from (select 3){NAME}2){NAME}1"),
        ("update t set a = 1 from (select 1)", f"update t set a = 1 from (select 1){NAME}1"),
    ],
)
def test_a_nameless_subquery_gets_a_name(statement: str, named: str) -> None:
    assert join(name_derived_tables(tokenize(statement))) == named


@pytest.mark.parametrize(
    "statement",
    [
        "select * from (select 1) t",
        'select * from (select 1) as "t", b',
        "select extract(year from (select getdate()))",
        "select a is distinct from (select 1)",
        "select * from (a join b on true)",
        "select (select 1), a from b where c in (select 2)",
        "delete from t where a = 1",
    ],
)
def test_nothing_else_does(statement: str) -> None:
    assert join(name_derived_tables(tokenize(statement))) == statement
