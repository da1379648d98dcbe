"""What a run's directory says of its request, for people."""

from pathlib import Path

from harness import catalogue, describe
from harness.command_run import request_of

ROOT = Path(__file__).parents[2]
OPTIONS = {
    "time_scale": None, "realtime": False, "records": None, "seed": 3, "replay": None, "resample": False,
    "before_judging": "true",
}  # fmt: skip


def test_the_command_asks_for_the_same_run_again() -> None:
    command = describe.command(
        catalogue.scenario("smoke"), Path("my own/pipeline.toml"), 3,
        {"rate": 90.0, "duration": 30.0, "realtime": True, "resample": False, "records": 10, "replay": None},
    )  # fmt: skip
    assert command == (
        "harness run smoke --seed 3 --pipeline 'my own/pipeline.toml' --rate 90/min --duration 30s --realtime "
        "--records 10"
    )


def test_a_request_is_described_in_words() -> None:
    request = request_of(catalogue.scenario("poison"), ROOT / "pipeline.toml", rate=90.0, duration=None, **OPTIONS)
    said = describe.described(request)
    assert said["arrivals"] == "constant, rate per min 90.0"
    assert said["made different"] == "poisoned, every 2"
    functions = [text for name, text in said.items() if name.startswith("function of orders, clicks")]
    assert functions == [
        "handler.app.handler, 1024 MB, timeout 60 s; batches of 1, 4 at once, given up after 3 receives"
    ]
    assert request.command is not None
    assert request.command.startswith("harness run poison --seed 3 ")


def test_faults_are_described_with_their_times() -> None:
    request = request_of(catalogue.scenario("warehouse_lock"), ROOT / "pipeline.toml", rate=None, duration=None,
                         **OPTIONS)  # fmt: skip
    assert " s for " in describe.described(request)["faults"]
