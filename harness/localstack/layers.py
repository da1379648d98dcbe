"""Layers of a Zip function: unpacked over each other, as Lambda does below /opt.

In: a function version. Out: for each entry of the merged layers, where it is seen (`/opt/python`) and where it lies.
Source: "Packaging your layer content": /opt/python and /opt/python/lib/python3.x/site-packages are on Python's path.
"""

import shutil
import tempfile
from pathlib import Path

from localstack.services.lambda_.invocation.lambda_models import FunctionVersion

MOUNTED_AT = "/opt"


def unpack(version: FunctionVersion) -> dict[str, str]:
    """Merge the version's layers, the last one winning; nothing is done twice for one version."""
    layers = version.config.layers
    if not layers:
        return {}
    merged = _directory(version)
    if not merged.exists():
        partial = Path(tempfile.mkdtemp(dir=tempfile.gettempdir()))
        for layer in layers:
            layer.code.prepare_for_execution()
            shutil.copytree(layer.code.get_unzipped_code_location(), partial, dirs_exist_ok=True)
        merged.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(merged)
    return {f"{MOUNTED_AT}/{entry.name}": str(entry) for entry in merged.iterdir() if entry.is_dir()}


def discard(version: FunctionVersion) -> None:
    """The version is gone."""
    shutil.rmtree(_directory(version), ignore_errors=True)


def python_path(binds: dict[str, str], *, mounted: bool) -> list[str]:
    """What the layers add to Python's path, inside a private view or on the machine itself."""
    inside = f"{MOUNTED_AT}/python"
    if inside not in binds:
        return []
    root = Path(inside if mounted else binds[inside])
    packages = sorted(Path(binds[inside]).glob("lib/python3.*/site-packages"))
    return [str(root / path.relative_to(binds[inside])) for path in packages] + [str(root)]


def _directory(version: FunctionVersion) -> Path:
    name = f"{version.config.internal_revision}-{version.id.qualifier.strip('$')}"
    return Path(tempfile.gettempdir()) / "lambda" / "layers" / name
