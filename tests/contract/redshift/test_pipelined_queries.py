"""Simple queries sent without waiting for answers: each is answered in its turn, in the state of its turn."""

import struct
from typing import Any

from harness.redshift import Listening
from harness.redshift import messages as wire
from tests.contract.redshift.test_bad_input import log_in


def answers(raw: Any, queries: int) -> list[tuple[str, str]]:
    """The kind and text of what comes, to the last of so many ReadyForQuery: rows, tags, errors' codes and states."""
    received, found = b"", []
    while queries:
        while len(received) < 5 or len(received) < (end := 1 + struct.unpack_from("!I", received, 1)[0]):
            part = raw.recv(65536)
            assert part, "the session ended"
            received += part
        kind, body, received = chr(received[0]), received[5:end], received[end:]
        if kind == "D":
            found.append((kind, str(wire.data_row(body)[0])))
        elif kind == "E":
            found.append((kind, wire.error_fields(body)["C"]))
        elif kind in "CZ":
            found.append((kind, body.rstrip(b"\0").decode()))
            queries -= kind == "Z"
    return found


def test_each_is_answered_in_its_turn(gateway: Listening) -> None:
    queries = ("select 1", "begin", "select 2", "select nothing", "select 3", "rollback", "select 4")
    with log_in(gateway) as raw:
        raw.sendall(b"".join(map(wire.query, queries)))
        found = answers(raw, len(queries))
    assert found == [
        ("D", "1"), ("C", "SELECT 1"), ("Z", "I"),
        ("C", "BEGIN"), ("Z", "T"),
        ("D", "2"), ("C", "SELECT 1"), ("Z", "T"),
        ("E", "42703"), ("Z", "E"),
        ("E", "25P02"), ("Z", "E"),
        ("C", "ROLLBACK"), ("Z", "I"),
        ("D", "4"), ("C", "SELECT 1"), ("Z", "I"),
    ]  # fmt: skip


def test_a_query_does_not_overtake_one_that_waits(gateway: Listening, schema: str) -> None:
    """An INSERT takes its table's lock first, for which the gateway waits; the query that follows sees its row."""
    queries = (f"create table {schema}.t (a int)", f"insert into {schema}.t values (7)", f"select a from {schema}.t")
    with log_in(gateway) as raw:
        raw.sendall(b"".join(map(wire.query, queries)))
        found = answers(raw, len(queries))
    assert [one for one in found if one[0] in "DE"] == [("D", "7")]


def test_a_query_may_come_in_pieces(gateway: Listening) -> None:
    with log_in(gateway) as raw:
        for piece in wire.query("select 5") + wire.query("select 6"):
            raw.sendall(bytes([piece]))
        found = answers(raw, 2)
    assert [text for kind, text in found if kind == "D"] == ["5", "6"]
