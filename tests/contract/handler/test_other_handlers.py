"""The handlers of `harness init` and of the example pipeline load and merge, each with its own tables."""

import datetime as dt
import gzip
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from examples.packages import export
from generators import files
from generators.records import make_table
from harness import pipeline, sql
from harness.init import init
from harness.pipeline import Pipeline
from harness.stack.endpoints import Redshift
from tests.contract.handler.conftest import ROOT
from tests.contract.handler.test_load import body

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")
AT = dt.datetime(2025, 11, 23, 12, tzinfo=dt.UTC)


class Loaded:
    """A handler's module, set up for one type, and a connection to its warehouse with its tables, empty."""

    def __init__(self, described: Pipeline, type_name: str, redshift: Redshift, patch: pytest.MonkeyPatch) -> None:
        self.settings = described.types[type_name]
        self.merge_script = sql.statements(described.merge_sql(type_name))
        columns = {name: column.type for name, column in self.settings.columns.items()}
        variables = {
            "DATA_TYPE": type_name,
            "FILE_FORMAT": self.settings.format,
            "STAGE_TABLE": self.settings.stage_table,
            "COLUMNS": json.dumps(columns),
            "COPY_STAGING_PATH": "s3://landing/_staging/",
            "COPY_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
            "REDSHIFT_HOST": redshift.host,
            "REDSHIFT_PORT": str(redshift.port),
            "REDSHIFT_DATABASE": redshift.database,
            "REDSHIFT_USER": redshift.user,
            "REDSHIFT_PASSWORD": redshift.password,
            "REDSHIFT_CA_FILE": str(redshift.ca_file),
            "SSL_CERT_FILE": "",
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        module_name = described.function.handler.partition(".")[0]
        self.module = _module(described.directory / f"{module_name}.py")
        self.connection = sql.connect(redshift, "nrt-test")
        self.execute(
            *sql.statements(described.ddl),
            f"DELETE FROM {self.settings.stage_table}",
            f"DELETE FROM {self.settings.final_table}",
        )

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        self.connection.commit()
        return rows

    def invoke(self, *bodies: str) -> list[str]:
        batch = [{"messageId": str(at), "body": text} for at, text in enumerate(bodies)]
        answer = self.module.handler({"Records": batch}, None)
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def merge(self) -> None:
        self.execute(*self.merge_script)

    def close(self) -> None:
        self.connection.close()
        self.module.disconnect()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"under_test_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def template(redshift: Redshift, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:  # noqa: ARG001
    init(tmp_path)
    loaded = Loaded(pipeline.load(tmp_path / "pipeline.toml"), "events", redshift, monkeypatch)
    yield loaded
    loaded.close()


@pytest.fixture
def packages(redshift: Redshift, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:  # noqa: ARG001
    described = pipeline.load(ROOT / "examples" / "packages" / "pipeline.toml")
    loaded = Loaded(described, "packages", redshift, monkeypatch)
    yield loaded
    loaded.close()


def test_the_template_loads_and_merges_what_the_generators_make(template: Loaded, s3: Any, tmp_path: Path) -> None:
    dataset = pipeline.load(tmp_path / "pipeline.toml").dataset("events")
    table = make_table(dataset, seed=1, file_index=0, records=500, at=AT)
    s3.put_object(Bucket="landing", Key="events/dt=2025-11-23/a b", Body=files.encode(table, "csv.gz"))
    s3.put_object(Bucket="landing", Key="events/broken", Body=b"")
    good = body("events/dt=2025-11-23/a+b")
    test_event = '{"Service": "Amazon S3", "Event": "s3:TestEvent"}'
    assert template.invoke(good, body("events/broken"), test_event, "not json", good) == ["1", "3"]
    template.merge()
    rows = template.execute(f"SELECT {', '.join(table.column_names)} FROM public.events ORDER BY source_row")
    assert rows == list(zip(*table.to_pydict().values(), strict=True))
    lineage = template.execute("SELECT source_file, source_row FROM public.events ORDER BY source_row")
    assert lineage == [("events/dt=2025-11-23/a b", number) for number in range(1, 501)]
    assert template.execute("SELECT COUNT(*) FROM stage.events") == [(0,)]


def test_the_template_keeps_the_newest_version(template: Loaded, s3: Any) -> None:
    header = b"event_id,kind,amount,customer,happened_on,updated_at\n"
    for name, text in {
        "new": b'1,"new",1.00,"x",2025-11-23,2025-11-23 12:00:00.000002\n',
        "old": b'1,"old",1.00,"x",2025-11-23,2025-11-23 12:00:00.000001\n2,"only",,,,2025-11-23 12:00:00\n',
    }.items():
        s3.put_object(Bucket="landing", Key=f"events/{name}", Body=gzip.compress(header + text))
    for name in ("new", "old", "new"):
        assert template.invoke(body(f"events/{name}")) == []
        template.merge()
    assert template.execute("SELECT event_id, kind FROM public.events ORDER BY 1") == [(1, "new"), (2, "only")]


INDEX = """\
Package: editor
Version: 1:2.0-1
Architecture: amd64
Essential: yes
Maintainer: Łukasz "ł" <l@example.org>
Installed-Size: 12
Size: 34
Description: an "editor"
 It edits, and

 .
Tag: role::program,
 use::editing

Package: editor
Version: 1:2.0-1
Architecture: amd64
Section: again

Package: library
Version: 1
Architecture: all
Depends: editor (>= 1), a | b
"""


@pytest.mark.parametrize("file_format", ["jsonl.gz", "csv.gz"])
def test_the_package_index_is_exported_loaded_and_merged(
    packages: Loaded, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    index = INDEX.replace("\n\n .", "\n .")
    monkeypatch.setattr(export, "index_lines", lambda: iter(index.split("\n")))
    monkeypatch.setattr(export, "DPKG_STATUS", tmp_path / "none")
    monkeypatch.setenv("FILE_FORMAT", file_format)
    written = export.export(tmp_path, file_format, records_per_file=1)
    assert [path.name for path in written] == [f"packages-00001.{file_format}", f"packages-00002.{file_format}"]
    keys = []
    for path in written:
        keys.append(f"debian/packages/{path.name}")
        s3.put_object(Bucket="landing", Key=keys[-1], Body=path.read_bytes())
    assert packages.invoke(*map(body, [*keys, keys[0]])) == []
    packages.merge()
    assert packages.invoke(body(keys[0])) == []
    packages.merge()
    columns = "package, version, architecture, essential, maintainer, installed_size_kb, description, tags, depends"
    assert packages.execute(f"SELECT {columns} FROM public.packages ORDER BY package") == [
        (
            "editor", "1:2.0-1", "amd64", True, 'Łukasz "ł" <l@example.org>', 12,
            'an "editor"\n It edits, and\n .', "role::program,\n use::editing", None,
        ),
        ("library", "1", "all", False, None, None, None, None, "editor (>= 1), a | b"),
    ]  # fmt: skip
    assert packages.execute("SELECT COUNT(*) FROM stage.packages") == [(0,)]


def test_a_machine_without_a_package_index_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "APT_LISTS", tmp_path)
    monkeypatch.setattr(export, "DPKG_STATUS", tmp_path / "none")
    monkeypatch.setenv("PATH", "")
    assert export.main([str(tmp_path / "out")]) == 2
    assert "no Debian package index here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
