"""The function's image has what the harness runs the function with."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def pins(requirements: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / requirements).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_image_and_the_harness_pin_the_same_versions() -> None:
    harness, image = pins("requirements/harness.txt"), pins("handler/requirements.txt")
    assert {"awslambdaric", "awswrangler", "boto3", "pyarrow", "redshift-connector"} <= image.keys()
    assert {name: harness.get(name) for name in image} == image


def test_every_requirement_of_the_image_has_hashes() -> None:
    text = (ROOT / "handler/requirements.txt").read_text()
    assert text.count(" \\\n    --hash=sha256:") >= len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE))


def test_the_image_takes_its_base_from_whoever_builds_it() -> None:
    lines = (ROOT / "handler/Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${BASE}"]
