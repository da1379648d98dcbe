"""The batch loop: what fails, what does not, and what is logged. S3 is moto's server, Redshift a recorder."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from handler import app
from handler.app import Environment
from handler.aws import ReusingSession
from handler.config import from_environment
from tests.unit.handler.test_config import ENVIRONMENT
from tests.unit.handler.test_events import notification

GOOD = gzip.compress(b"order_id,amount\n1,1.50\n2,\n")


class Recorder:
    """Stands where the warehouse is and keeps the frames; refuses amounts of 13."""

    def __init__(self) -> None:
        self.frames: list[pd.DataFrame] = []

    def connect(self) -> None:
        pass

    def append(self, frame: pd.DataFrame) -> float:
        if (frame["amount"] == 13).any():
            raise ConnectionResetError("the warehouse\nwent away")
        self.frames.append(frame)
        return 1.5


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.Session().client("s3")
        client.create_bucket(Bucket="landing")
        yield client
        client.close()
    server.stop()


@pytest.fixture
def recorder(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Recorder:  # noqa: ARG001 - its environment variables
    recorder = Recorder()
    environment = Environment(from_environment(ENVIRONMENT), ReusingSession(), recorder)  # type: ignore[arg-type]
    monkeypatch.setattr(app, "environment", lambda: environment)
    return recorder


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{at}", "body": body} for at, body in enumerate(bodies)]}


def failures(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


CONTEXT = SimpleNamespace(aws_request_id="request-1")


def test_a_file_is_staged_with_its_lineage(s3: Any, recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put_object(Bucket="landing", Key="orders/dt=2025-11-23/ł [1] 100%.csv.gz", Body=GOOD)
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    answer = app.handler(batch(notification("orders/dt%3D2025-11-23/%C5%82+%5B1%5D+100%25.csv.gz")), CONTEXT)
    assert answer == {"batchItemFailures": []}
    (frame,) = recorder.frames
    assert list(frame.columns) == ["order_id", "amount", "source_file", "source_row", "loaded_at"]
    assert frame["source_file"].unique().tolist() == ["orders/dt=2025-11-23/ł [1] 100%.csv.gz"]
    assert frame["source_row"].tolist() == [1, 2]
    assert before <= frame["loaded_at"].iloc[0] <= dt.datetime.now(dt.UTC).replace(tzinfo=None)
    line = json.loads(capsys.readouterr().out)
    assert line["event"] == "file_loaded"
    assert (line["file"], line["rows"]) == ("orders/dt=2025-11-23/ł [1] 100%.csv.gz", 2)
    assert (line["committed_at_s"], line["message_id"], line["request_id"]) == (1.5, "m0", "request-1")
    assert list(line["phase_ms"]) == ["read", "check", "connect", "copy"]


def test_a_bad_neighbour_fails_alone(s3: Any, recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put_object(Bucket="landing", Key="orders/good", Body=GOOD)
    s3.put_object(Bucket="landing", Key="orders/bad", Body=GOOD[:-9])
    s3.put_object(Bucket="landing", Key="orders/refused", Body=gzip.compress(b"order_id,amount\n1,13\n"))
    answer = app.handler(
        batch(
            notification("orders/good"),
            notification("orders/bad"),
            notification("orders/nowhere"),
            "not json",
            notification("orders/refused"),
            '{"Service": "Amazon S3", "Event": "s3:TestEvent"}',
            notification("orders/good"),
        ),
        CONTEXT,
    )
    assert failures(answer) == ["m1", "m2", "m3", "m4"]
    assert len(recorder.frames) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed = {line["message_id"]: line for line in lines if line["event"] != "file_loaded"}
    assert list(failed) == ["m1", "m2", "m3", "m4"]
    assert "gzip" in failed["m1"]["error"]
    assert failed["m1"]["file"] == "orders/bad"
    assert failed["m2"]["error_type"] == "NoSuchKey"
    assert failed["m3"]["event"] == "message_failed"
    assert failed["m4"]["error"] == "the warehouse went away"


def test_the_good_files_of_a_message_are_staged_whatever_its_others_do(s3: Any, recorder: Recorder) -> None:
    s3.put_object(Bucket="landing", Key="orders/good", Body=GOOD)
    answer = app.handler(batch(notification("orders/nowhere", "orders/good")), CONTEXT)
    assert failures(answer) == ["m0"]
    assert len(recorder.frames) == 1


def test_a_function_set_up_wrongly_fails_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STAGE_TABLE", raising=False)
    app.environment.cache_clear()
    with pytest.raises(ValueError, match="STAGE_TABLE is not set"):
        app.handler(batch(notification("orders/good")), CONTEXT)


def test_a_session_makes_each_client_once(s3: Any) -> None:  # noqa: ARG001 - its environment variables
    session = ReusingSession()
    assert session.client("s3") is session.client("s3")
    assert session.client("s3") is not session.client("sqs")
