"""Passwords and their answers, and as whom a session acts."""

import pytest

from harness.redshift.authorization import act_as, of_login
from harness.redshift.connect import Address, md5_answer, md5_hash
from harness.redshift.logins import Answer, Login, Logins
from harness.redshift.statements import plan_script

SALT = b"\x01\x02\x00\xff"
LOADER = Login("Load\"er'", is_superuser=False)
NAME = '"Load""er\'"'


@pytest.mark.parametrize("salt", [SALT, None])
def test_an_answer_shows_one_password_of_one_user(salt: bytes | None) -> None:
    value = b"secret" if salt is None else md5_answer("u", "secret", salt)
    assert Answer("u", value, salt).is_password("secret")
    assert Answer("u", value, salt).is_of(md5_hash("u", "secret"))
    assert not Answer("u", value, salt).is_password("other")
    assert not Answer("u", b"", salt).is_password("secret")
    assert not Answer("u", b"\xff", salt).is_of("")


def test_a_password_is_no_hash_and_a_hash_no_password() -> None:
    kept = md5_hash("u", "secret")
    assert not Answer("u", kept.encode(), None).is_of(kept)
    assert not Answer("u", b"md5" + kept.encode(), SALT).is_of(kept)


def test_temporary_passwords_are_one_users_and_expire() -> None:
    now_s = 1000.0
    logins = Logins(Address("127.0.0.1", 1, "postgres", "", "dev"), "awsuser", "own", clock=lambda: now_s)
    issued = logins.issue("awsuser", 900)
    assert issued.password not in repr(issued)

    def logs_in(name: str, password: str) -> bool:
        return logins.of_gateway(Answer(name, md5_answer(name, password, SALT), SALT)) is not None

    assert logs_in("awsuser", "own")
    assert logs_in("IAM:awsuser", issued.password)
    assert logs_in("IAMA:awsuser", issued.password)
    assert not logs_in("awsuser", issued.password)
    assert not logs_in("IAM:awsuser", "own")
    assert not logs_in("IAM:other", issued.password)
    now_s += 900
    assert not logs_in("IAM:awsuser", issued.password)


@pytest.mark.parametrize(("sql", "becomes"), [
    ("set session authorization default", f"SET SESSION AUTHORIZATION {NAME}"),
    ("SET LOCAL SESSION AUTHORIZATION DEFAULT", f"SET LOCAL SESSION AUTHORIZATION {NAME}"),
    ("set session session authorization default", f"SET SESSION AUTHORIZATION {NAME}"),
    ("reset  session\nauthorization ", f"SET SESSION AUTHORIZATION {NAME}"),
    ("set search_path to x", "set search_path to x"), ("reset all", "reset all"), ("discard temp", "discard temp"),
    ("select 1", "select 1"),
])  # fmt: skip
def test_a_session_comes_back_to_its_own_user(sql: str, becomes: str) -> None:
    (plan,) = plan_script(sql)
    assert of_login(plan, LOADER).sql == becomes
    assert of_login(plan, LOADER).refusal is None
    assert of_login(plan, Login("awsuser", is_gateways=True)) == plan


@pytest.mark.parametrize(("sql", "code"), [
    ("set session authorization awsuser", "42501"), ("set session authorization 'awsuser'", "42501"),
    ("set /* */ local session authorization awsuser", "42501"), ("discard all", "0A000"), ("DISCARD  ALL", "0A000"),
])  # fmt: skip
def test_a_session_becomes_nobody_elses(sql: str, code: str) -> None:
    (plan,) = plan_script(sql)
    refusal = of_login(plan, LOADER).refusal
    assert refusal is not None
    assert refusal.sqlstate == code
    if code == "42501":
        assert of_login(plan, Login("admin")).refusal is None


def test_a_users_name_is_quoted() -> None:
    assert act_as(LOADER.user).endswith(f"SET SESSION AUTHORIZATION {NAME}")
    assert "'Load\"er'''" in act_as(LOADER.user)
