"""Bad input: the session it comes from ends or gets an error, the others never notice, nothing is half committed."""

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg as psycopg3
import psycopg2
import pytest

from harness.redshift import Listening
from harness.redshift import messages as wire
from harness.redshift.connect import md5_answer

IAM = "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"
USER, PASSWORD = "awsuser", "Secret-Passw0rd"
Sql = Callable[..., list[tuple[Any, ...]]]
MUTATIONS = 20_000


def log_in(gateway: Listening) -> socket.socket:
    """A raw session, ready for queries."""
    with contextlib.ExitStack() as on_failure:
        raw = on_failure.enter_context(socket.create_connection((gateway.host, gateway.port), timeout=10))
        _start_session(raw)
        on_failure.pop_all()
        return raw


def _start_session(raw: socket.socket) -> None:
    body = struct.pack("!I", wire.PROTOCOL_3) + b"user\0awsuser\0database\0dev\0\0"
    raw.sendall(struct.pack("!I", len(body) + 4) + body)
    head = receive(raw, 13)
    answer = md5_answer(USER, PASSWORD, head[9:13])
    raw.sendall(wire.message(b"p", answer + b"\0"))
    while (part := raw.recv(65536))[-6:-1] != b"Z\0\0\0\x05":
        if not part:
            raise ConnectionError("the session did not start")


def receive(raw: socket.socket, size_bytes: int) -> bytes:
    received = b""
    while len(received) < size_bytes:
        part = raw.recv(size_bytes - len(received))
        assert part
        received += part
    return received


def valid_messages() -> list[bytes]:
    return [
        wire.query("select 1"), wire.query("insert into nowhere values (1)"), wire.query(""),
        wire.query(f"copy nowhere from 's3://landing/none' {IAM} csv"), wire.parse(b"s", "select $1::int"),
        wire.bind(b"p", b"s", ["1"]), wire.execute(b"p"), wire.message(b"D", b"Ss\0"), wire.close(b"S", b"s"),
        wire.SYNC,
        wire.FLUSH, wire.query("begin"), wire.query("rollback"), wire.message(b"d", b"x"), wire.message(b"c"),
        wire.message(b"F", b"\0\0\0\1"), wire.query("select 'unclosed"), wire.query("create table x (a int"),
    ]  # fmt: skip


def mutate(message: bytes, source: random.Random) -> bytes:
    changed = bytearray(message)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(changed))
        choice = source.random()
        if choice < 0.5:
            changed[at] = source.randrange(256)
        elif choice < 0.7:
            del changed[at]
        elif choice < 0.9:
            changed.insert(at, source.randrange(256))
        else:
            changed[1:5] = source.randbytes(4)
        if not changed:
            return b"\0"
    return bytes(changed)


def throw(gateway: Listening, mutations: int, seed: int) -> int:
    """Send mutated messages, a session after the other as each is ended by what it got; the sessions it took."""
    source, sent, sessions = random.Random(seed), 0, 0
    messages = valid_messages()
    while sent < mutations:
        sessions += 1
        with contextlib.suppress(OSError), log_in(gateway) as raw:
            raw.settimeout(0.001)
            for _ in range(200):
                chosen = source.choice(messages)
                raw.sendall(mutate(chosen, source) if source.random() < 0.7 else chosen)
                sent += 1
                with contextlib.suppress(TimeoutError):
                    if not raw.recv(65536):
                        break
    return sessions


def test_twenty_thousand_mutated_messages(gateway: Listening, sql: Sql, caplog: pytest.LogCaptureFixture) -> None:
    sql("create table t (a int); insert into t values (1)")
    sessions: list[int] = []
    workers = [
        threading.Thread(target=lambda n=number: sessions.append(throw(gateway, MUTATIONS // 4, n)))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert sql("select a from t") == [(1,)]
    assert len(sessions) == 4
    assert [record.getMessage() for record in caplog.records if record.name.startswith("harness")] == []
    assert sql("select a from t") == [(1,)]


@pytest.fixture
def raw(gateway: Listening) -> Iterator[socket.socket]:
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as connection:
        yield connection


@pytest.mark.parametrize("startup", [
    b"\0\0\0\0", b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 8, 131072),
    struct.pack("!II", 8, wire.PROTOCOL_3), struct.pack("!II", 16, wire.CANCEL_REQUEST) + b"12345678",
])  # fmt: skip
def test_garbage_at_startup_ends_the_connection(raw: socket.socket, startup: bytes, sql: Sql) -> None:
    raw.sendall(startup)
    with contextlib.suppress(ConnectionError):
        while raw.recv(1024):
            pass
    assert sql("select 1") == [(1,)]


@pytest.mark.parametrize("content", [b"not parquet", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_corrupt_object_fails_the_copy_only(s3: Any, sql: Sql, prefix: str, content: bytes) -> None:
    s3.put_object(Bucket="landing", Key=f"{prefix}bad.parquet", Body=content)
    sql("create table t (a int)")
    with pytest.raises(psycopg2.InternalError, match="Spectrum Scan Error"):
        sql(f"copy t from 's3://landing/{prefix}' {IAM} parquet")
    s3.put_object(Bucket="landing", Key=f"{prefix}z.csv.gz", Body=b"\x1f\x8b nothing")
    with pytest.raises(psycopg2.InternalError, match="gzip"):
        sql(f"copy t from 's3://landing/{prefix}z' {IAM} csv gzip")
    assert sql("select count(*) from t") == [(0,)]


@pytest.mark.parametrize(("url", "message"), [
    ("s3://landing/there-is-nothing/here", "The specified S3 prefix 'there-is-nothing/here' does not exist"),
    ("s3://no-such-bucket/x", "NoSuchBucket"),
])  # fmt: skip
def test_nothing_to_load(sql: Sql, url: str, message: str) -> None:
    sql("create table t (a int)")
    with pytest.raises(psycopg2.InternalError, match=message):
        sql(f"copy t from '{url}' {IAM} csv")


def test_a_killed_backend_ends_its_session_only(psycopg: Callable[[], Any], sql: Sql) -> None:
    sql("create table t (a int)")
    victim = psycopg()
    victim.autocommit = False
    cursor = victim.cursor()
    cursor.execute("insert into t values (1)")
    cursor.execute("select pg_backend_pid()")
    sql("select pg_terminate_backend(%s)", cursor.fetchone()[0])
    with pytest.raises(psycopg2.OperationalError):
        cursor.execute("select 1")
    assert sql("select count(*) from t") == [(0,)]


def test_a_client_that_vanishes_leaves_no_lock(gateway: Listening, sql: Sql, schema: str) -> None:
    sql("create table t (a int)")
    with log_in(gateway) as raw:
        raw.sendall(wire.query(f"begin; insert into {schema}.t values (1)") + wire.query("select pg_sleep(60)"))
        while not sql("select 1 from stv_inflight where trim(text) = 'select pg_sleep(60)'"):
            pass
    sql("insert into t values (2)")
    assert sql("select a from t") == [(2,)]


def test_a_copy_can_be_cancelled_while_it_waits(gateway: Listening, schema: str, sql: Sql) -> None:
    sql("create table t (a int)")
    url = f"postgresql://{USER}:{PASSWORD}@{gateway.host}:{gateway.port}/dev?options=-csearch_path%3D{schema}"
    with psycopg3.connect(url) as holder, psycopg3.connect(url, autocommit=True) as connection:
        holder.execute("insert into t values (1)")

        def cancel_once_waiting() -> None:
            while not sql("select 1 from stv_locks where position('Waiting' in lock_status) = 1"):
                pass
            connection.cancel_safe()

        thread = threading.Thread(target=cancel_once_waiting)
        thread.start()
        with pytest.raises(psycopg3.errors.QueryCanceled):
            connection.execute(f"copy t from 's3://landing/x' {IAM} csv")
        thread.join()
        assert connection.execute("select 1").fetchone() == (1,)
