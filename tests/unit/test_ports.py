"""Ports for servers that are not there yet."""

import random
import socket

import pytest

from harness.stack import processes
from harness.stack.processes import LOOPBACK, free_port


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_port(), free_port()
    monkeypatch.setattr(processes, "_given", set())
    drawn = iter((first, first, second))
    monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))
    assert (free_port(), free_port()) == (first, second)


def test_no_port_is_given_that_somebody_listens_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        drawn = iter((taken.getsockname()[1], free_port()))
        monkeypatch.setattr(processes, "_given", set())
        monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))
        assert free_port() != taken.getsockname()[1]
