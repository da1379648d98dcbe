"""docker compose, for real: the project comes up healthy, keeps to itself, and runs scenarios from host and inside."""

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from testcontainers.compose import DockerCompose

from harness.stack.emulator import SERVICES
from tests.end_to_end.compose.conftest import PROJECT, ROOT, docker
from tests.end_to_end.conftest import Harness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LARGEST_IMAGE_BYTES = 700_000_000
SERVING = ("localstack", "redshift", "harness")
# Slow enough for a busy machine: what is compared is what became of the files, not how fast.
SCENARIO = ("run", "smoke", "--realtime", "--duration", "4s", "--records", "1000", "--json")


def container(service: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(docker("inspect", f"{PROJECT}-{service}-1"))
    return found[0]


def test_every_service_is_healthy_and_its_image_is_small(project: DockerCompose) -> None:
    del project
    for service in SERVING:
        described = container(service)
        assert described["State"]["Health"]["Status"] == "healthy", service
        image = json.loads(docker("image", "inspect", described["Image"]))[0]
        assert image["Size"] < LARGEST_IMAGE_BYTES, service


def test_containers_are_shut_in(project: DockerCompose) -> None:
    del project
    for service in SERVING:
        described = container(service)
        settings = described["HostConfig"]
        assert settings["ReadonlyRootfs"], service
        assert settings["Memory"] > 0, service
        assert settings["CapDrop"] == ["ALL"], service
        assert not settings["CapAdd"], service
        assert described["Config"]["User"] not in ("", "0", "root", "0:0"), service
        assert not any(mount["Destination"].endswith("docker.sock") for mount in described["Mounts"]), service
        for bindings in (settings["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, service


def test_the_emulators_image_serves_what_the_embedded_emulator_serves(project: DockerCompose) -> None:
    served, _, _ = project.exec_in_container(["printenv", "SERVICES"], "localstack")
    assert tuple(served.strip().split(",")) == SERVICES


def verdict_without_times(verdict: dict[str, Any]) -> dict[str, Any]:
    """What must be the same wherever a scenario runs."""
    checks = {check["name"]: check["verdict"] for check in verdict["checks"]}
    counts = {name: count for name, count in verdict["files"].items() if name != "loaded"}
    return {key: verdict[key] for key in ("verdict", "scenario", "seed", "records")} | {
        "files": counts,
        "checks": checks,
    }


def ledger_facts(run: Path) -> list[tuple[str, str]]:
    """The planned, uploaded and accounted files of a ledger: what must be the same wherever a scenario runs."""
    events = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    facts = []
    for event in events:
        if event["event"] == "planned":
            facts.append(("planned", event["key"]))
        elif event["event"] == "accounted":
            counts = {name: event[name] for name in ("expected", "merged", "missing", "altered", "duplicated")}
            facts.append(("accounted", json.dumps({"index": event["index"]} | counts)))
    return sorted(facts)


@pytest.fixture
def merging_pipeline(tmp_path: Path) -> Path:
    """The project's own pipeline with a merge every 3 s; its directory is what the containers have mounted."""
    text = (ROOT / "pipeline.toml").read_text().replace("every_s = 900", "every_s = 3")
    path = ROOT / f".pipeline-{tmp_path.name}.toml"
    path.write_text(text)
    return path


def test_host_container_and_embedded_give_the_same_verdict_and_ledger(
    project: DockerCompose, compose_runs: Path, harness: Harness, tmp_path: Path, merging_pipeline: Path
) -> None:
    del project
    try:
        embedded = harness(*SCENARIO, "--pipeline", merging_pipeline, "--out", "embedded")
        host = harness(*SCENARIO, "--pipeline", merging_pipeline, "--stack", "compose", "--out", "host")
        inside = subprocess.run(
            ["docker", "compose", "run", "--rm", "-T", "harness", *SCENARIO,
             "--pipeline", f"/pipeline/{merging_pipeline.name}", "--out", "runs/inside"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        merging_pipeline.unlink()
    assert embedded.exit_code == 0, embedded.stderr + embedded.stdout
    assert host.exit_code == 0, host.stderr + host.stdout
    assert inside.returncode == 0, inside.stderr + inside.stdout
    expected = verdict_without_times(embedded.json)
    assert verdict_without_times(host.json) == expected
    assert verdict_without_times(json.loads(inside.stdout)) == expected
    facts = ledger_facts(tmp_path / "embedded")
    assert ledger_facts(tmp_path / "host") == facts
    assert ledger_facts(compose_runs / "inside") == facts
    assert json.loads((compose_runs / "inside" / "run.json").read_text())["stack"] == "compose"
    assert "</html>" in (compose_runs / "inside" / "report.html").read_text()


def test_a_killed_warehouse_comes_back_with_its_rows(project: DockerCompose) -> None:
    variables = dict(line.partition("=")[::2] for line in container("redshift")["Config"]["Env"])
    port = project.get_service_port("redshift", 5439)

    def connect() -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1", port=port, dbname="dev", user="awsuser", password=variables["REDSHIFT_PASSWORD"]
        )

    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.kept (a int)")
        cursor.execute("INSERT INTO public.kept VALUES (7)")
    connection.close()
    docker("kill", f"{PROJECT}-redshift-1")
    docker("compose", "--file", str(ROOT / "docker-compose.yml"), "up", "--wait", "--no-recreate", "redshift")
    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT a FROM public.kept")
        assert cursor.fetchall() == [(7,)]
        cursor.execute("DROP TABLE public.kept")
    connection.close()


def test_another_pipelines_directory_is_refused(
    project: DockerCompose, harness: Harness, tmp_path: Path, quick_pipeline: Path
) -> None:
    del project, tmp_path
    result = harness("run", "smoke", "--stack", "compose", "--pipeline", quick_pipeline)
    assert result.exit_code == 4
    assert "as its pipeline" in result.stderr


def test_two_runs_at_once_are_refused(project: DockerCompose, harness: Harness) -> None:
    from harness.stack.compose import SCHEDULE_LOCK

    variables = dict(line.partition("=")[::2] for line in container("redshift")["Config"]["Env"])
    connection = psycopg2.connect(
        host="127.0.0.1", port=project.get_service_port("redshift", 5432), dbname="dev", user="nrt",
        password=variables["POSTGRES_PASSWORD"],
    )  # fmt: skip
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (SCHEDULE_LOCK,))
        result = harness("run", "smoke", "--stack", "compose", "--pipeline", ROOT / "pipeline.toml")
    finally:
        connection.close()
    assert result.exit_code == 4
    assert "another run is using the compose stack" in result.stderr
