"""The kept connection: what is tried again, and with which password. Redshift is a stand-in for the driver."""

from types import TracebackType
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd
import pytest
import redshift_connector

from handler import warehouse
from handler.config import from_environment
from handler.warehouse import Warehouse
from tests.unit.handler.test_config import ENVIRONMENT

FRAME = pd.DataFrame({"a": [1]})


class Connection:
    """A connection that can be dead, as redshift_connector shows it."""

    def __init__(self) -> None:
        self.dead = False
        self.closed = False

    def cursor(self) -> "Connection":
        return self

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def execute(self, _sql: str) -> None:
        if self.dead:
            raise redshift_connector.InterfaceError("BrokenPipe: server socket closed")

    def fetchall(self) -> list[object]:
        return [[1]]

    def rollback(self) -> None: ...

    def close(self) -> None:
        self.closed = True
        if self.dead:
            raise BrokenPipeError


class Driver:
    """Makes connections, and takes files as `wr.redshift.copy_from_files` would."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.options: list[dict[str, Any]] = []
        self.copied: list[dict[str, Any]] = []
        self.written: list[str] = []
        self.removed: list[str] = []
        self.refusal: Exception | None = None

    def connect(self, **options: Any) -> Connection:
        self.options.append(options)
        self.connections.append(Connection())
        return self.connections[-1]

    def copy(self, **options: Any) -> None:
        options["con"].execute("copy")
        if self.refusal is not None:
            raise self.refusal
        self.copied.append(options)

    def write(self, path: str, **_options: Any) -> None:
        self.written.append(path)

    def remove(self, path: list[str], **_options: Any) -> None:
        self.removed += path


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setattr(warehouse.redshift_connector, "connect", driver.connect)
    monkeypatch.setattr(wr.s3, "to_parquet", driver.write)
    monkeypatch.setattr(wr.redshift, "copy_from_files", driver.copy)
    monkeypatch.setattr(wr.s3, "delete_objects", driver.remove)
    return driver


@pytest.fixture
def loaded(driver: Driver) -> Warehouse:  # noqa: ARG001 - must be in place first
    return Warehouse(from_environment(ENVIRONMENT), boto3.Session(region_name="us-east-1"))


def test_one_connection_serves_many_files(driver: Driver, loaded: Warehouse) -> None:
    loaded.append(FRAME)
    loaded.append(FRAME)
    assert len(driver.connections) == 1


def test_each_copy_has_a_path_of_its_own_which_is_removed(driver: Driver, loaded: Warehouse) -> None:
    loaded.append(FRAME)
    loaded.append(FRAME)
    first, second = (options["path"] for options in driver.copied)
    assert first != second
    assert first.startswith("s3://landing/_staging/orders/")
    assert driver.written == driver.removed == [first, second]


def test_a_dead_connection_is_replaced_once(driver: Driver, loaded: Warehouse) -> None:
    loaded.append(FRAME)
    driver.connections[0].dead = True
    loaded.append(FRAME)
    assert len(driver.connections) == 2
    assert driver.connections[0].closed
    assert len(driver.copied) == 2


def test_what_redshift_refuses_is_not_tried_again(driver: Driver, loaded: Warehouse) -> None:
    driver.refusal = redshift_connector.ProgrammingError({"M": "incompatible Parquet schema"})
    with pytest.raises(redshift_connector.ProgrammingError):
        loaded.append(FRAME)
    assert len(driver.connections) == 1
    assert len(driver.removed) == 1


def test_a_warehouse_that_stays_away_fails_the_file(
    driver: Driver, loaded: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.append(FRAME)
    driver.connections[0].dead = True

    def refuse(**_options: Any) -> Connection:
        raise ConnectionRefusedError

    monkeypatch.setattr(warehouse.redshift_connector, "connect", refuse)
    with pytest.raises(ConnectionRefusedError):
        loaded.append(FRAME)


def test_a_file_is_loaded_though_its_staged_copy_stays(
    driver: Driver, loaded: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: list[str], **_options: Any) -> None:
        raise wr.exceptions.ServiceApiError(f"cannot delete {path}")

    monkeypatch.setattr(wr.s3, "delete_objects", refuse)
    assert loaded.append(FRAME) > 0
    assert len(driver.copied) == 1
    assert '"event": "staging_left"' in capsys.readouterr().out


def test_the_password_comes_from_the_secret(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Secrets(boto3.Session):
        def client(self, service_name: str, **_options: Any) -> Any:  # type: ignore[override]
            asked.append(service_name)
            return self

        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - AWS' spelling
            asked.append(SecretId)
            return {"SecretString": '{"username": "loader", "password": "rotated"}'}

    variables = {key: value for key, value in ENVIRONMENT.items() if key != "REDSHIFT_PASSWORD"}
    settings = from_environment(variables | {"REDSHIFT_SECRET_ID": "loader", "REDSHIFT_CA_FILE": "/ca.pem"})
    monkeypatch.setenv("SSL_CERT_FILE", "")
    Warehouse(settings, Secrets()).connect()
    assert asked == ["secretsmanager", "loader"]
    (options,) = driver.options
    assert (options["password"], options["ssl"], options["sslmode"]) == ("rotated", True, "verify-full")
