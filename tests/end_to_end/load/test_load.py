"""Feeder and dispatcher as processes of their own, against an S3 API."""

import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from generators.files import compress, decode
from generators.records import make_table
from harness.load import feed_directory
from harness.load.feeder import due
from harness.load.schedule import PlannedSource
from tests.end_to_end.load.conftest import BUCKET, DATASETS, WAIT_S, Bench, events_of, next_event, planned

FAR_S = 3_600.0


def test_every_file_arrives_as_it_was_made_and_is_told(bench: Bench) -> None:
    files = [planned(index, index / 20) for index in range(24)]
    bench.plan(files)
    feeder = bench.start_feeder("--ahead-files", 8)
    start_at_s = time.time()
    dispatcher = bench.start_dispatcher(start_at_s, "--patience-s", WAIT_S)
    told, made = events_of(dispatcher), events_of(feeder)

    assert told[0] == {"event": "ready", "start_at_s": start_at_s}
    assert told[-1] == {
        "event": "finished", "offered": 24, "uploaded": 24, "failed": 0, "dropped": 0, "interrupted": False,
    }  # fmt: skip
    uploaded = {event["index"]: event for event in told[1:-1]}
    assert {event["event"] for event in uploaded.values()} == {"uploaded"}
    objects = bench.objects()
    for file in files:
        event = uploaded[file.index]
        assert event["intended_s"] == start_at_s + file.at_s
        assert event["intended_s"] <= event["started_s"] <= event["acknowledged_s"]
        assert event["attempts"] == 1
        assert event["key"] == file.key
        body = objects[file.key]
        assert event["size_bytes"] == len(body)
        assert event["etag"] == hashlib.md5(body).hexdigest()
        expected = make_table(DATASETS[file.type], seed=1, file_index=file.index, records=200, at=due(file))
        assert decode(body, DATASETS[file.type]).equals(expected)
    assert made[-1] == {"event": "finished", "made": 24, "skipped": 0}
    assert [event["sha256"] for event in made[:-1]] == [hashlib.sha256(objects[f.key]).hexdigest() for f in files]
    assert all(event["records"] == 200 and event["size_bytes"] > 0 for event in made[:-1])
    assert list(bench.feed.iterdir()) == []


def test_the_start_can_be_counted_from_readiness(bench: Bench) -> None:
    bench.plan([planned(0, 0.25)])
    events_of(bench.start_feeder())
    before_s = time.time()
    ready, uploaded, _ = events_of(
        bench.start(
            "harness.load.dispatch", "--endpoint", bench.endpoint, "--bucket", BUCKET, "--start-in", 0.5,
        )
    )  # fmt: skip
    assert ready["start_at_s"] > before_s + 0.5
    assert uploaded["intended_s"] == ready["start_at_s"] + 0.25


def test_shares_make_and_send_every_file_once(bench: Bench) -> None:
    bench.plan([planned(index, 0.0) for index in range(9)])
    shares = [("--share", f"{number}/2") for number in range(2)]
    feeders = [bench.start_feeder(*share) for share in shares]
    dispatchers = [bench.start_dispatcher(time.time(), "--patience-s", WAIT_S, *share) for share in shares]
    uploaded = [event["index"] for process in dispatchers for event in events_of(process)[1:-1]]
    assert sorted(uploaded) == list(range(9))
    assert [events_of(feeder)[-1]["made"] for feeder in feeders] == [5, 4]


def test_the_same_seed_makes_the_same_files_in_any_process(bench: Bench) -> None:
    bench.plan([planned(index, 0.0) for index in range(8)])
    digests = []
    for seed in (1, 1, 2):
        made = events_of(bench.start_feeder(seed=seed))[:-1]
        digests.append([event["sha256"] for event in made])
        for path in bench.feed.iterdir():
            path.unlink()
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])


def test_the_feeder_keeps_no_more_files_ahead_than_it_may(bench: Bench) -> None:
    bench.plan([planned(index, 0.0) for index in range(6)])
    feeder = bench.start_feeder("--ahead-files", 2)
    for _ in range(4):
        assert next_event(feeder)["event"] == "made"
        waiting = sorted(path for path in bench.feed.iterdir() if not path.name.startswith("."))
        assert len(waiting) <= 2
        waiting[0].unlink()
    events_of(feeder)


def test_a_file_that_was_given_up_is_not_made(bench: Bench) -> None:
    files = [planned(index, 0.0) for index in range(3)]
    bench.plan(files)
    feed_directory.discard(bench.feed, files[1])
    events = events_of(bench.start_feeder())
    assert [(event["event"], event.get("index")) for event in events] == [
        ("made", 0), ("skipped", 1), ("made", 2), ("finished", None),
    ]  # fmt: skip
    assert sorted(path.name for path in bench.feed.iterdir()) == sorted([files[0].file, files[2].file])


def test_real_files_are_sent_as_they_are_whole_or_cut(bench: Bench) -> None:
    text = b'id,name,price,seen_at\r\n1,"a\r\nb",1.5,\r\n2,plain \\ text,,\r\n3,"",2,\r\n'
    real = bench.directory / "real.csv.gz"
    real.write_bytes(compress(text))
    sources = [PlannedSource(str(real)), PlannedSource(str(real), 0, 1), PlannedSource(str(real), 1, 2)]
    files = [planned(4 * at, 0.0, source) for at, source in enumerate(sources)]
    bench.plan(files)
    feeder, dispatcher = bench.start_feeder(), bench.start_dispatcher(time.time(), "--patience-s", WAIT_S)
    assert events_of(dispatcher)[-1]["uploaded"] == 3
    events_of(feeder)
    objects = bench.objects()
    assert objects[files[0].key] == real.read_bytes()
    lines = text.splitlines(keepends=True)
    assert objects[files[1].key] == compress(b"".join(lines[:3]))
    assert objects[files[2].key] == compress(lines[0] + b"".join(lines[3:]))


def test_without_a_feeder_everything_is_dropped_and_said_so(bench: Bench) -> None:
    bench.plan([planned(index, 0.0) for index in range(3)])
    events = events_of(bench.start_dispatcher(time.time(), "--patience-s", 0))
    assert [event["event"] for event in events] == ["ready", "dropped", "dropped", "dropped", "finished"]
    assert all(event["intended_s"] and event["reason"] for event in events[1:-1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_dispatcher_ends_when_told_to_and_accounts_for_what_it_did(bench: Bench, number: int) -> None:
    files = [planned(0, 0.0), planned(1, FAR_S)]
    bench.plan(files)
    feeder, dispatcher = bench.start_feeder(), bench.start_dispatcher(time.time(), "--patience-s", WAIT_S)
    assert [next_event(dispatcher)["event"] for _ in range(2)] == ["ready", "uploaded"]
    dispatcher.send_signal(number)
    (finished,) = events_of(dispatcher)
    assert (finished["event"], finished["offered"], finished["interrupted"]) == ("finished", 1, True)
    events_of(feeder)


def test_an_upload_that_is_cut_off_is_of_unknown_outcome(bench: Bench) -> None:
    files = [planned(0, 0.0)]
    bench.plan(files)
    events_of(bench.start_feeder())
    with socket.create_server(("127.0.0.1", 0)) as server:
        dispatcher = bench.start(
            "harness.load.dispatch", "--endpoint", f"http://127.0.0.1:{server.getsockname()[1]}", "--bucket", BUCKET,
            "--start-at", time.time(),
        )  # fmt: skip
        check, _ = server.accept()
        check.recv(65536)
        check.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        check.close()
        upload, _ = server.accept()
        assert upload.recv(4).startswith(b"PUT")
        dispatcher.terminate()
        events = events_of(dispatcher)
        upload.close()
    assert [event["event"] for event in events] == ["ready", "upload_failed", "finished"]
    assert (events[1]["outcome"], events[1]["index"]) == ("unknown", 0)
    assert events[2]["failed"] == 1


@pytest.mark.parametrize("module", ["harness.load.feeder", "harness.load.dispatch"])
def test_it_ends_with_its_parent(bench: Bench, module: str) -> None:
    bench.plan([planned(index, FAR_S) for index in range(3)])
    common = ["--schedule", bench.directory / "schedule", "--directory", bench.feed]
    own = {
        "harness.load.feeder": ["--datasets", bench.directory / "datasets", "--seed", "1", "--ahead-files", "1"],
        "harness.load.dispatch": ["--endpoint", bench.endpoint, "--bucket", BUCKET, "--start-at", str(time.time())],
    }[module]
    command = [str(part) for part in (sys.executable, "-m", module, *common, *own)]
    script = (
        "import json, os, subprocess, sys\n"
        "os.environ |= {'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test'}\n"
        "child = subprocess.Popen(json.loads(sys.argv[1]), stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, json.dumps(command)], stdout=subprocess.PIPE, text=True)
    bench.started.append(parent)
    assert parent.stdout is not None
    assert json.loads(parent.stdout.readline())["event"] in ("made", "ready")
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    child.wait(timeout=WAIT_S)


@pytest.mark.parametrize(
    ("endpoint", "bucket", "exit_code", "message"),
    [
        ("http://192.0.2.1:80", BUCKET, 2, "not a loopback address; give --allow-remote"),
        (None, "not-there", 4, "the bucket 'not-there' does not answer"),
    ],
)
def test_a_target_that_cannot_be_used_is_one_line(
    bench: Bench, endpoint: str | None, bucket: str, exit_code: int, message: str
) -> None:
    bench.plan([planned(0, 0.0)])
    dispatcher = bench.start(
        "harness.load.dispatch", "--endpoint", endpoint or bench.endpoint, "--bucket", bucket, "--start-at", 0,
    )  # fmt: skip
    output, errors = dispatcher.communicate(timeout=WAIT_S)
    assert dispatcher.returncode == exit_code
    assert output == ""
    assert len(errors.splitlines()) == 1
    assert message in errors


def test_a_schedule_that_cannot_be_made_is_one_line(bench: Bench) -> None:
    bench.plan([planned(0, 0.0, PlannedSource(str(bench.directory / "missing.csv.gz")))])
    feeder = bench.start_feeder()
    _, errors = feeder.communicate(timeout=WAIT_S)
    assert feeder.returncode == 2
    assert len(errors.splitlines()) == 1
    assert "file 0 (orders/dt=2026-01-01/orders-0000.csv.gz)" in errors
    assert "missing.csv.gz" in errors


def test_locusts_web_page_counts_the_uploads(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    bench.plan([*(planned(index, 0.0) for index in range(4)), planned(4, FAR_S)])
    feeder = bench.start_feeder()
    dispatcher = bench.start_dispatcher(time.time(), "--web-port", port, "--patience-s", WAIT_S)
    assert [next_event(dispatcher)["event"] for _ in range(5)] == ["ready", *["uploaded"] * 4]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests", timeout=WAIT_S) as answer:
        counts = {row["name"]: row["num_requests"] for row in json.load(answer)["stats"]}
    assert counts == {**dict.fromkeys(DATASETS, 1), "Aggregated": 4}
    dispatcher.terminate()
    assert events_of(dispatcher)[-1]["uploaded"] == 4
    events_of(feeder)


def test_the_load_process_holds_no_drivers_and_no_data_frames() -> None:
    script = "import sys, harness.load.dispatch; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    modules = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert not modules & {
        "pandas",
        "pyarrow",
        "numpy",
        "psycopg2",
        "redshift_connector",
        "awswrangler",
        "isal",
        "faker",
    }
