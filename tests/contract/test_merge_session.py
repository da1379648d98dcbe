"""Types merged one after the other in a session, each as if it had one of its own."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness import sql
from harness.bench.parts import warehouse_alone
from harness.merge import MergeJob, TypeMerge
from harness.stack.endpoints import Endpoints

SCRIPT = ("CREATE TEMP TABLE taken (n int)", "SET query_group TO merging", "INSERT INTO merged SELECT 1 FROM taken")
SHOW = "INSERT INTO told SELECT pg_backend_pid(), current_setting('redshift.query_group')"
END = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    with warehouse_alone() as (found, _):
        with sql.warehouse(found) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE merged (n int)")
            cursor.execute("CREATE TABLE told (pid int, query_group varchar(20))")
            connection.commit()
        yield found


def run(endpoints: Endpoints, **scripts: tuple[str, ...]) -> dict[str, TypeMerge]:
    return {merge.type: merge for merge in MergeJob(scripts).run(endpoints, 1, 0.0).types}


def told(endpoints: Endpoints) -> list[tuple[int, str]]:
    with sql.warehouse(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pid, query_group FROM told")
        found = cursor.fetchall()
        cursor.execute("TRUNCATE told")
    return found


def test_nothing_is_left_of_the_type_before(endpoints: Endpoints) -> None:
    merges = run(endpoints, a=(*SCRIPT, SHOW), b=SCRIPT, c=(SHOW,))
    assert [merge.error for merge in merges.values()] == [None] * 3
    (first, merging), (second, default) = told(endpoints)
    assert first == second
    assert (merging, default) == ("merging", "default")


def test_a_type_that_fails_or_loses_the_session_is_the_only_one(endpoints: Endpoints) -> None:
    merges = run(endpoints, a=("SELECT 1/0",), b=(SHOW,), c=(SHOW, END), d=(SHOW,))
    assert [merge.type for merge in merges.values() if merge.committed_s is not None] == ["b", "d"]
    assert "division by zero" in str(merges["a"].error)
    assert merges["c"].error is not None
    assert len({pid for pid, _ in told(endpoints)}) == 2


def test_a_session_that_was_lost_between_two_types_is_opened_anew(endpoints: Endpoints) -> None:
    end_the_other = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nrt-merge'"
    job = MergeJob({"a": (SHOW,), "b": (SHOW,)})
    merges = []
    for merge in job._merge_types(endpoints):
        merges.append(merge)
        if merge.type == "a":
            with sql.backend(endpoints) as connection, connection.cursor() as cursor:
                cursor.execute(end_the_other)
    assert [merge.error for merge in merges] == [None, None]
    assert len(set(told(endpoints))) == 2


def test_without_a_warehouse_every_type_fails_and_says_so(endpoints: Endpoints) -> None:
    nowhere = replace(endpoints, redshift=replace(endpoints.redshift, port=1))
    merges = run(nowhere, a=(SHOW,), b=(SHOW,))
    assert all(merge.committed_s is None and merge.error for merge in merges.values())
