"""A warehouse and an S3 for the function: the gateway on a private PostgreSQL, and moto's S3 server."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from harness import pipeline, sql
from harness.pipeline import Pipeline
from harness.stack import warehouse as gateway
from harness.stack.endpoints import Endpoints, Redshift
from harness.stack.processes import free_port

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """An S3 endpoint, also in the environment as Lambda functions find it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables["AWS_ENDPOINT_URL"]
    server.stop()


@pytest.fixture(scope="session")
def s3(aws: str) -> Iterator[Any]:  # noqa: ARG001 - its environment variables
    client = boto3.Session().client("s3")
    client.create_bucket(Bucket="landing")
    yield client
    client.close()


@pytest.fixture(scope="session")
def redshift(postgres_only: Endpoints, aws: str) -> Iterator[Redshift]:
    """The warehouse as the function sees it."""
    directory = postgres_only.directory / "gateway"
    password = secrets.token_urlsafe()
    process = gateway.start(
        directory, postgres_only.directory, free_port(), password, postgres_only.postgres, aws, directory / "queries"
    )
    try:
        warehouse, _ = gateway.wait(process, password)
        yield warehouse
    finally:
        process.end()
        assert process.process.stdout is not None  # the gateway says on it when it is ready
        process.process.stdout.close()


@pytest.fixture(scope="session")
def default_pipeline() -> Pipeline:
    return pipeline.load(ROOT / "pipeline.toml")


@pytest.fixture
def connection(redshift: Redshift, default_pipeline: Pipeline) -> Iterator[Any]:
    """A client's connection to a warehouse that holds the default pipeline's tables, all empty."""
    connection = sql.connect(redshift, "nrt-test")
    try:
        with connection.cursor() as cursor:
            for statement in sql.statements(default_pipeline.ddl):
                cursor.execute(statement)
            for settings in default_pipeline.types.values():
                cursor.execute(f"DELETE FROM {settings.stage_table}")
                cursor.execute(f"DELETE FROM {settings.final_table}")
        connection.commit()
        yield connection
    finally:
        connection.close()
