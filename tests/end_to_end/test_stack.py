"""The embedded stack: it comes up, keeps to itself, and goes with whoever started it, however they go."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import psycopg2
import pytest
import redshift_connector

from harness.aws import Aws
from harness.errors import HarnessError
from harness.faults.processes import Hangs
from harness.stack import parts
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints, endpoints_from_json
from harness.stack.processes import LOOPBACK, is_listening
from tests.end_to_end.stack_probe import processes_of

HOLD_STACK = """
import json, sys, time
from harness.stack.embedded import embedded
with embedded() as endpoints:
    print(json.dumps(endpoints.to_json()), flush=True)
    time.sleep(600)
"""
GONE_WITHIN_S = 20
OBJECT_BYTES = 1_000_000


def ports(endpoints: Endpoints) -> list[int]:
    return [
        int(endpoints.aws_endpoint_url.rpartition(":")[2]),
        endpoints.redshift.port,
        endpoints.postgres.port,
    ]


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + GONE_WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_gone(endpoints: Endpoints) -> bool:
    return (
        not any(is_listening(port) for port in ports(endpoints))
        and not processes_of(endpoints.directory, endpoints.pids)
        and not endpoints.directory.exists()
    )


def assert_usable(endpoints: Endpoints) -> None:
    redshift = endpoints.redshift
    with psycopg2.connect(
        host=redshift.host, port=redshift.port, dbname=redshift.database, user=redshift.user,
        password=redshift.password, sslmode="verify-full", sslrootcert=redshift.ca_file,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    connection.close()
    with redshift_connector.connect(
        host=redshift.host, port=redshift.port, database=redshift.database, user=redshift.user,
        password=redshift.password, ssl=False,
    ) as driver, driver.cursor() as cursor:  # fmt: skip
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == [2]
    s3 = Aws(endpoints).s3
    s3.create_bucket(Bucket="usable")
    s3.put_object(Bucket="usable", Key="large", Body=bytes(OBJECT_BYTES))
    # The object itself has no name on the disk, but the directory it is made in has.
    stored = [path for path in endpoints.directory.rglob("usable") if path.is_dir()]
    assert stored, "objects are kept elsewhere than in the stack's private directory"


def test_two_stacks_run_side_by_side_and_leave_nothing() -> None:
    with embedded() as one, embedded() as other:
        assert not set(ports(one)) & set(ports(other))
        assert one.directory != other.directory
        for endpoints in (one, other):
            assert_usable(endpoints)
            assert len(processes_of(endpoints.directory, endpoints.pids)) >= len(endpoints.pids)
        buckets = Aws(other).s3.list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in buckets] == ["usable"]
    assert is_gone(one)
    assert is_gone(other)


def test_everything_listens_on_loopback_only() -> None:
    with embedded() as endpoints:
        for port in ports(endpoints):
            listening = subprocess.run(
                ["cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True, text=True, check=True
            ).stdout
            addresses = {
                line.split()[1].partition(":")[0]
                for line in listening.splitlines()
                if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
            }
            assert addresses == {"0100007F"}, f"port {port}"


def test_a_fault_stops_the_process_that_a_part_has_now() -> None:
    with embedded() as endpoints:
        parts.ask(endpoints.directory, end="redshift")
        site = cast(Any, SimpleNamespace(aws=SimpleNamespace(endpoints=endpoints)))
        with pytest.raises(HarnessError, match="no process redshift of ours to stop"):
            Hangs("redshift").inject(site)
        now = parts.ask(endpoints.directory, start="redshift")["pids"]["redshift"]
        assert now != endpoints.pids["redshift"]
        heal = Hangs("redshift").inject(site)
        assert eventually(lambda: psutil.Process(now).status() == psutil.STATUS_STOPPED)
        assert heal() is not None
        assert_usable(endpoints)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_stack_goes_with_its_parent(ending: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", HOLD_STACK], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    endpoints = endpoints_from_json(json.loads(parent.stdout.readline()))
    assert not is_gone(endpoints)
    parent.send_signal(ending)
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: is_gone(endpoints))


def test_a_killed_supervisor_leaves_no_process_and_the_next_stack_removes_its_directory() -> None:
    with embedded() as endpoints:
        os.kill(endpoints.pids["supervisor"], signal.SIGKILL)
        assert eventually(lambda: not processes_of(endpoints.directory, endpoints.pids))
    with embedded():
        assert not endpoints.directory.exists()


def test_a_stack_whose_part_ends_ends_whole() -> None:
    with embedded() as endpoints:
        os.kill(endpoints.pids["postgres"], signal.SIGKILL)
        assert eventually(lambda: is_gone(endpoints))


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HarnessError, match=rf"--aws-port {port} cannot be had"), embedded(aws_port=port):
            pass


def test_a_directory_that_cannot_be_had_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    not_a_directory = tmp_path / "file"
    not_a_directory.touch()
    monkeypatch.setenv("TMPDIR", str(not_a_directory))
    with pytest.raises(HarnessError, match=r"TMPDIR .*file: not a directory"), embedded():
        pass
