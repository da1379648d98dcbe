"""A version that is to go waits for its invokes."""

from harness.localstack.in_flight import InFlight


def test_an_idle_version_goes_at_once_and_a_busy_one_with_its_last_invoke() -> None:
    in_flight, gone = InFlight(), list[str]()
    in_flight.afterwards("idle", lambda: gone.append("idle"))
    with in_flight.one_more("busy"):
        with in_flight.one_more("busy"):
            in_flight.afterwards("busy", lambda: gone.append("busy"))
        assert gone == ["idle"]
    assert gone == ["idle", "busy"]


def test_when_everything_ends_nothing_is_waited_for() -> None:
    in_flight, gone = InFlight(), list[str]()
    with in_flight.one_more("busy"):
        in_flight.afterwards("busy", lambda: gone.append("busy"))
        in_flight.close()
        assert gone == ["busy"]
    assert gone == ["busy"]
