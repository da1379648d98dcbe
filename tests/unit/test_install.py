"""The set-up script tells what is wrong with a machine in one sentence, before it makes anything."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[2] / "requirements" / "install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_this_machine_is_good_enough(install: ModuleType) -> None:
    install.check_machine()


@pytest.mark.parametrize("version", [(2, 7), (3, 10)])
def test_an_old_python_is_named_with_what_to_do(
    install: ModuleType, version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "sys", SimpleNamespace(version_info=version, executable="old-python"))
    with pytest.raises(install.SetupError, match=rf"Python {version[0]}\.{version[1]}, but 3\.11 or later"):
        install.check_machine()


def test_a_full_disk_is_named_before_anything_is_installed(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: SimpleNamespace(free=60 * 2**20))
    with pytest.raises(install.SetupError, match=r"60 MB free .*, but 2500 MB are needed"):
        install.check_free_space()
