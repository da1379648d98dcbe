"""Names of more than 63 bytes: what PostgreSQL gets, and what clients see."""

import struct

import pytest

from harness.redshift.long_names import LongNames, cut, record, shorten, stored
from harness.redshift.statements import plan_script, resolve_aliases
from harness.redshift.tokens import join, tokenize

A, B = "a" * 80 + "_first", "a" * 80 + "_second"


def test_names_that_begin_alike_stay_two() -> None:
    assert stored(A) != stored(B)
    assert stored(A) == stored(A)
    assert stored(A).startswith("a" * 46 + "_")


@pytest.mark.parametrize(("name", "size_bytes"), [("n" * 63, 63), ("n" * 64, 63), ("é" * 64, 63), ("x" + "好" * 40, 63),
                                                   ("𝒜" * 16, 61), ("𝒜" * 15, 60)])  # fmt: skip
def test_a_short_name_has_whole_characters_and_fits(name: str, size_bytes: int) -> None:
    short = stored(name)
    assert len(short.encode()) == size_bytes
    assert (short == name) == (len(name.encode()) <= 63)


def test_the_catalog_need_not_look_at_names_of_less_than_60_bytes() -> None:
    """`redshift_internal.shown` relies on it."""
    assert min(len(stored("x" * begin + "𝒜" * 30).encode()) for begin in range(4)) == 60


@pytest.mark.parametrize("sql", [
    "select 1", f"select '{A}'", f"select 1 -- {A}", f"select $${A}$$", "select " + "n" * 63 + ', "' + "N" * 63 + '"',
    f"set query_group to {A}", f"select '' /* {A} */", 'select "' + '""' * 63 + '"',
])  # fmt: skip
def test_what_is_no_long_name_stays(sql: str) -> None:
    tokens = tokenize(sql)
    short = shorten(tokens)
    assert short.tokens is tokens
    assert short.names == short.cut == ()


@pytest.mark.parametrize(("sql", "shortened", "names"), [
    (f"select {A} as {B}", f"select {stored(A)} as {stored(B)}", (A, B)),
    (f'select {A.upper()}, "{A}"', f'select {stored(A)}, "{stored(A)}"', (A,)),
    (f'select "{A.upper()}"', f'select "{stored(A.upper())}"', (A.upper(),)),  # folded before, if it is to be
    (f'select "x""{A}"', f'select "{stored("x" + chr(34) + A)}"'.replace('x"', 'x""'), (f'x"{A}',)),
    (f"set search_path to {A}, public", f"set search_path to {stored(A)}, public", (A,)),
    (f"create table #{A} (a int)", f"create table {stored('#' + A)} (a int)", (f"#{A}",)),
    (f"create function f() returns int as $x$ select {A} $x$ language sql",
     f"create function f() returns int as $x$ select {stored(A)} $x$ language sql", (A,)),
])  # fmt: skip
def test_long_names_get_short_ones(sql: str, shortened: str, names: tuple[str, ...]) -> None:
    short = shorten(tokenize(sql))
    assert join(short.tokens) == shortened
    assert short.names == names


def test_only_ascii_letters_of_a_word_are_folded() -> None:
    assert shorten(tokenize(f"select É{A.upper()}")).names == (f"É{A}",)


def test_a_name_of_over_127_bytes_is_cut_to_whole_characters() -> None:
    name = "n" * 126 + "é"
    short = shorten(tokenize(f'select "{name}", {"n" * 200}'))
    assert short.names == ("n" * 126, "n" * 127)
    assert short.cut == (name, "n" * 200)
    assert cut(name) == "n" * 126


@pytest.mark.parametrize(("sql", "is_recorded"), [
    (f"create table {A} (a int)", True), (f"create table t as select 1 as {A}", True), (f"create schema {A}", True),
    (f"alter table t add column {A} int", True), (f"select 1 as {A} into t", True),
    (f"create user {A} password disable", True),
    (f"grant select on t to {A}", True), (f"select 1 as {A}", False), (f"insert into {A} values (1)", False),
    (f"drop table {A}", False), (f"alter table {A} append from t", False), (f"truncate {A}", False),
    ("create table t (a int)", False),
])  # fmt: skip
def test_a_statement_that_may_define_a_name_remembers_it(sql: str, is_recorded: bool) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is None
    assert any("redshift_internal.long_name" in statement and f"'{A}'" in statement for statement in plan.after) == (
        is_recorded
    )


def test_a_name_is_remembered_before_what_is_declared_of_its_table() -> None:
    (plan,) = plan_script(f"create table {A} (b int primary key)")
    assert ["long_name" in statement for statement in plan.after] == [True, False, False]


def test_a_string_in_what_is_remembered_is_quoted() -> None:
    statement = record("CREATE TABLE", [], ("it's \\" + A,))
    assert statement is not None
    assert f"'it''s \\\\{A}'" in statement


@pytest.mark.parametrize("sql", [f"create database {A}", f"alter database {A} isolation level snapshot"])
def test_a_database_has_no_long_name(sql: str) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is not None
    assert plan.refusal.sqlstate == "0A000"
    assert plan.refusal.hint
    assert "stand-in" in plan.refusal.hint


def test_a_lateral_alias_that_is_long_is_resolved() -> None:
    (plan,) = plan_script(f"select 1 as {A}, {A} + 1 as {B}")
    assert plan.aliases == {stored(A)}
    resolved = resolve_aliases(plan, plan.aliases)
    assert resolved.sql == f"select 1 as {stored(A)}, ( 1 ) + 1 as {stored(B)}"
    assert resolved.names == plan.names == (A, B)


def test_an_attribute_of_a_super_value_is_looked_up_by_its_whole_name() -> None:
    (plan,) = plan_script(f"select c.{A}.{B} from t")
    assert f"({A!r}" not in plan.sql
    assert f"-> '{B}'" in plan.sql
    assert plan.sql.endswith(f'AS "{stored(B)}" from t')


def _description(*names: bytes) -> bytes:
    columns = (name + b"\x00" + struct.pack("!IhIhih", 0, 0, 23, 4, -1, 0) for name in names)
    return struct.pack("!H", len(names)) + b"".join(columns)


def test_columns_of_results_have_their_whole_names() -> None:
    names = LongNames()
    unchanged = _description(b"a", stored(A).encode())
    assert names.in_columns(unchanged) is unchanged
    names.learn((A, B))
    assert names.in_columns(_description(b"a", stored(A).encode(), stored(B).encode())) == _description(
        b"a", A.encode(), B.encode()
    )
    similar = _description(b"x" + stored(A).encode()[1:], b"_0123456789abcdef")
    assert names.in_columns(similar) == similar


def test_what_postgresql_says_has_whole_names() -> None:
    names = LongNames()
    message = f'relation "{stored(A)}" does not exist, _0123456789abcdef'.encode()
    assert names.in_text(message) is message
    names.learn((A,))
    assert names.in_text(message) == f'relation "{A}" does not exist, _0123456789abcdef'.encode()
