"""boto3 against a server that answers as the test says: what is known of the object afterwards."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HarnessError, UsageError
from harness.load.upload import MAX_ATTEMPTS, Uploader, UploadError, check_endpoint

OK = b'HTTP/1.1 200 OK\r\nETag: "abc"\r\nContent-Length: 0\r\n\r\n'
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
HANG_UP = b""

MakeUploader = Callable[..., Uploader]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Retries need not wait here.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda _self, _context: 0)


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (part := connection.recv(65536)):
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(connection.recv(65536))
    return head


@contextmanager
def serving(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each request, on a connection of its own, the next answer; yields its URL and the heads."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    heads.append(_read_request(connection))
                    connection.sendall(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if answer else b"")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heads
        thread.join()


def test_an_acknowledged_upload_has_a_receipt_and_asks_for_no_continue() -> None:
    with serving(OK) as (url, heads):
        receipt = Uploader(url, "landing", 1).put("orders/dt=2026-01-01/f", b"body")
    assert (receipt.etag, receipt.attempts) == ("abc", 1)
    assert b"expect:" not in heads[0].lower()
    assert heads[0].startswith(b"PUT /landing/orders/dt%3D2026-01-01/f ")


@pytest.mark.parametrize("first", [BROKEN, HANG_UP])
def test_a_retried_upload_is_counted(first: bytes) -> None:
    with serving(first, OK) as (url, _):
        assert Uploader(url, "landing", 1).put("k", b"body").attempts == 2


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([REFUSED], "failed"),
        ([BROKEN] * MAX_ATTEMPTS, "unknown"),
        ([HANG_UP] * MAX_ATTEMPTS, "unknown"),
        # A refusal does not undo what an attempt before may have stored.
        ([HANG_UP, REFUSED], "unknown"),
    ],
)
def test_only_a_certain_failure_is_called_one(answers: list[bytes], outcome: str) -> None:
    with serving(*answers) as (url, _), pytest.raises(UploadError) as error:
        Uploader(url, "landing", 1).put("k", b"body")
    assert error.value.outcome == outcome
    assert error.value.attempts == len(answers)


def test_where_nobody_listens_nothing_is_stored() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    uploader = Uploader(url, "landing", 1)
    with pytest.raises(UploadError) as error:
        uploader.put("k", b"body")
    assert (error.value.outcome, error.value.attempts) == ("failed", MAX_ATTEMPTS)
    with pytest.raises(HarnessError, match="the bucket 'landing' does not answer"):
        uploader.check()


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://127.1.2.3", "http://[::1]:80", "http://localhost:1"])
def test_this_machine_may_be_loaded(url: str) -> None:
    check_endpoint(url, remote_allowed=False)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "the target is AWS"),
        ("http://192.0.2.1:80", "not a loopback address"),
        ("http://0.0.0.0:80", "not a loopback address"),
        ("http://[2001:db8::1]", "not a loopback address"),
        ("127.0.0.1:4566", "not a URL"),
        ("ftp://127.0.0.1", "not a URL"),
        ("http://name.invalid", "has no address"),
    ],
)
def test_another_machine_is_refused_unless_it_is_meant(url: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_endpoint(url, remote_allowed=False)
    check_endpoint(url, remote_allowed=True)
