"""Which names in quotes are folded, and when the session has to be asked."""

import pytest

from harness.redshift.spelling import fold, matters
from harness.redshift.tokens import join, tokenize


@pytest.mark.parametrize("sql", [
    'select "A"', 'select \'"\', "aB"', "select '\\'', \"A\"", 'select 1 -- "\n , "A"', '/* "a */ select "A"',
    'create function f() returns int as $$ select "A" $$ language sql',
    "UNLOAD ('select \"A\" from t') TO 's3://b/k' IAM_ROLE 'r'",
])  # fmt: skip
def test_a_capital_in_quotes_matters(sql: str) -> None:
    assert matters(sql)


@pytest.mark.parametrize("sql", [
    "select 1", 'COPY "public"."t" FROM \'s3://B/K\' IAM_ROLE \'R\'', "select '{\"A\": 1}'", 'select 1 -- "A"',
    'select /* "A" */ "a" FROM T AS "b"', 'select "é"', "INSERT INTO t VALUES ('say \\'\"A\"\\'')",
])  # fmt: skip
def test_nothing_else_does(sql: str) -> None:
    assert not matters(sql)
    assert join(fold(tokenize(sql))) == sql


@pytest.mark.parametrize(("sql", "folded"), [
    ('select "A", \'"A"\', "B""C" from "D"', 'select "a", \'"A"\', "b""c" from "d"'),
    ('select user, "A" from t', 'select user, "a" from t'),
    ('create user "U" password disable in group "G", "H"', 'create user "U" password disable in group "g", "h"'),
    ('drop user if exists "U", "V"', 'drop user if exists "U", "V"'),
    ('alter user "U" rename to "V"', 'alter user "U" rename to "V"'),
    ('grant all on "T" to bob, "U", group "G", "V"', 'grant all on "t" to bob, "U", group "g", "V"'),
    ('grant role "R" to role "S"', 'grant role "r" to role "s"'),
    ('revoke all on "T" from "U"', 'revoke all on "t" from "U"'),
    ('alter table "T" owner to "U"', 'alter table "t" owner to "U"'),
    ('create schema "S" authorization "U"', 'create schema "s" authorization "U"'),
    ('alter default privileges for user "U" in schema "S" grant select on tables to "V"',
     'alter default privileges for user "U" in schema "s" grant select on tables to "V"'),
    ('create procedure "P"() as $x$ begin insert into "T" values (\'"A"\'); end $x$ language plpgsql',
     'create procedure "p"() as $x$ begin insert into "t" values (\'"A"\'); end $x$ language plpgsql'),
])  # fmt: skip
def test_names_in_quotes_are_folded_but_for_those_of_users(sql: str, folded: str) -> None:
    assert join(fold(tokenize(sql))) == folded
