"""The compose stack: LocalStack and the warehouse in containers, as `docker-compose.yml` describes them.

In: a pipeline. Out: the endpoints of the project that is up, or of one for this block alone. In the harness's own
container (NRT_INSIDE_COMPOSE) services are reached by name and files through a shared volume; on the host through
published ports and `compose_project`. It knows nothing of runs.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import container_use, sql
from harness.container_use import ContainerUse
from harness.errors import HarnessError
from harness.pipeline import Pipeline
from harness.stack import compose_project as project
from harness.stack import postgres, warehouse
from harness.stack.directories import private_directory
from harness.stack.endpoints import REGION, Endpoints, Inside, Redshift
from harness.stack.processes import LOOPBACK

EXCHANGE = Path("/exchange")
CA_FILE, IMAGES_FILE = EXCHANGE / "redshift-ca.pem", EXCHANGE / "images.json"
TRACE_FILE, QUERY_LOG = EXCHANGE / "invocations.jsonl", EXCHANGE / "queries.jsonl"
HANDLER_PYTHON, PIPELINE_DIRECTORY = "/opt/handler/bin/python", "/pipeline"
# An advisory lock in the stand-in's backend: who holds it runs the merge schedule.
SCHEDULE_LOCK = 4_711_202


@contextmanager
def compose(pipeline: Pipeline, say: Callable[[str], None]) -> Iterator[Endpoints]:
    """The compose project that is up, or one that lives as long as the block; nobody else runs a scenario on it.

    Raises:
        HarnessError: no engine answers, the project could not be started, or another run is using it.
    """
    with ExitStack() as cleanup:
        if is_inside():
            endpoints = endpoints_inside(cleanup.enter_context(private_directory()))
        else:
            endpoints = _endpoints_on_the_host(pipeline, cleanup, say)
        status = endpoints.directory / "status.json"
        status.touch(mode=0o600)
        status.write_text(json.dumps(endpoints.to_json()))
        cleanup.enter_context(_schedule(endpoints))
        yield endpoints


def endpoints_inside(directory: Path) -> Endpoints:
    """The stack as a container of the same project sees it; `directory` is the caller's own."""
    redshift = _redshift("redshift", project.PORTS["redshift"].port, os.environ["REDSHIFT_PASSWORD"], str(CA_FILE))
    return Endpoints(
        stack="compose",
        aws_endpoint_url=f"http://localstack:{project.PORTS['localstack'].port}",
        region=REGION,
        redshift=redshift,
        postgres=_postgres("redshift", project.PORTS["postgres"].port, os.environ["POSTGRES_PASSWORD"]),
        directory=directory,
        trace_file=TRACE_FILE,
        query_log=QUERY_LOG,
        images_file=IMAGES_FILE,
        pids={},
        inside=Inside(redshift, HANDLER_PYTHON, PIPELINE_DIRECTORY),
    )


def is_inside() -> bool:
    """Whether this process is in a container of the project."""
    return bool(os.environ.get("NRT_INSIDE_COMPOSE"))


def told_use() -> list[ContainerUse]:
    """How much CPU each container says it has used; nothing while the one that is asked is away."""
    if is_inside():
        return container_use.read_all(EXCHANGE)
    try:
        return container_use.parse(project.read_each("redshift", EXCHANGE, container_use.PATTERN))
    except HarnessError:
        return []


def is_in_use(endpoints: Endpoints) -> bool:
    """Whether a scenario runs on the stack at this moment."""
    with sql.backend(endpoints, "nrt-schedule") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", (SCHEDULE_LOCK,))
        row = cursor.fetchone()
        return bool(row and row[0])


def _redshift(host: str, port: int, password: str, ca_file: str) -> Redshift:
    return Redshift(host, port, warehouse.DATABASE, warehouse.USER, password, ca_file)


def _postgres(host: str, port: int, password: str) -> Redshift:
    return Redshift(host, port, postgres.DATABASE, postgres.SUPERUSER, password, None)


@contextmanager
def _schedule(endpoints: Endpoints) -> Iterator[None]:
    """Hold the merge schedule; the lock goes with the connection, however this process ends."""
    with sql.backend(endpoints, "nrt-schedule") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (SCHEDULE_LOCK,))
        if cursor.fetchone() != (True,):
            raise HarnessError("another run is using the compose stack: wait for its end")
        yield


def _endpoints_on_the_host(pipeline: Pipeline, cleanup: ExitStack, say: Callable[[str], None]) -> Endpoints:
    from harness.provision import registered_images

    if project.is_up():
        project.require_pipeline_directory(pipeline.directory, PIPELINE_DIRECTORY)
        say("using the compose project that is up")
    else:
        say("building and starting the compose project")
        # Whatever of it there was before stays; what this starts is removed with its volumes.
        if not project.exists():
            cleanup.callback(project.down)
        project.up(pipeline.directory)
        say("the compose project is up")
    directory = cleanup.enter_context(private_directory())
    ca_file, trace_file, query_log = (directory / path.name for path in (CA_FILE, TRACE_FILE, QUERY_LOG))
    ca_file.write_text(project.read("redshift", CA_FILE))
    password = project.read_variable("redshift", "REDSHIFT_PASSWORD")
    seen_by_functions = _redshift("redshift", project.PORTS["redshift"].port, password, str(CA_FILE))
    inside = Inside(seen_by_functions, HANDLER_PYTHON, PIPELINE_DIRECTORY)
    project.write("localstack", IMAGES_FILE, registered_images(pipeline, inside))
    for service, there, here in (("localstack", TRACE_FILE, trace_file), ("redshift", QUERY_LOG, query_log)):
        cleanup.enter_context(project.following(service, there, here))
    return Endpoints(
        stack="compose",
        aws_endpoint_url=f"http://{LOOPBACK}:{project.published('localstack')}",
        region=REGION,
        redshift=_redshift(LOOPBACK, project.published("redshift"), password, str(ca_file)),
        postgres=_postgres(
            LOOPBACK, project.published("postgres"), project.read_variable("redshift", "POSTGRES_PASSWORD")
        ),
        directory=directory,
        trace_file=trace_file,
        query_log=query_log,
        images_file=None,
        pids={},
        inside=inside,
    )
