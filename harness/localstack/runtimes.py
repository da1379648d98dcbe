"""What a Zip function's `Runtime` stands for here: the process that speaks the Lambda Runtime API for it.

In: the runtime's name and the JSON file named by NRT_RUNTIMES,
`{"python3.13": "…/bin/python", "nodejs22.x": ["/usr/bin/node", "…/bootstrap.mjs"]}`: a Python interpreter that has
`awslambdaric`, or the command of any other runtime client, which finds the handler in `_HANDLER`. Read anew at each
look-up. Out: a `Runtime`. `provided.*` is the function's own `bootstrap`; every other Python is the handler's own
interpreter (NRT_HANDLER_PYTHON), `is_exact` or not. Knows nothing of LocalStack.
"""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BOOTSTRAP = "bootstrap"
"""AWS: "Building a custom runtime for AWS Lambda", an executable of this name at the root of the package."""


_ALWAYS = {
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
}
_MANAGED = {"PWD": "/var/task", "SHLVL": "0"}


def sandbox_variables(name: str) -> dict[str, str]:
    """The variables that functions of a runtime find besides their own and `AWS_…`.

    As recorded on AWS (LocalStack test_lambda_common.snapshot.json, introspection of the Python, Node.js and provided
    runtimes); others are taken to be as `provided`, with a working directory.
    """
    if name.startswith("provided"):
        return dict(_ALWAYS)
    if name.startswith("python"):
        return _ALWAYS | _MANAGED | {"PYTHONPATH": "/var/runtime"}
    if name.startswith("nodejs"):
        major = name.removeprefix("nodejs").partition(".")[0]
        layers = f"/opt/nodejs/node{major}/node_modules:/opt/nodejs/node_modules"
        return _ALWAYS | _MANAGED | {"NODE_PATH": f"{layers}:/var/runtime/node_modules:/var/runtime:/var/task"}
    return _ALWAYS | _MANAGED


class RuntimeNotHere(Exception):
    """Nothing on this machine can run functions of this runtime."""


@dataclass(frozen=True)
class Runtime:
    """The process of a runtime."""

    python: str | None
    """The interpreter, for a Python runtime."""
    command: tuple[str, ...] = ()
    """The whole command, for any other; empty when the package has its own (`BOOTSTRAP`)."""
    is_exact: bool = True
    """False when the interpreter is not of the version the runtime names."""

    def argv(self, handler: str, task_root: str) -> tuple[str, ...]:
        """The command for one function whose package is seen at `task_root`."""
        if self.python:
            return (self.python, "-m", "awslambdaric", handler)
        return self.command or (f"{task_root}/{BOOTSTRAP}",)


def look_up(name: str, handler_python: str, runtimes_file: Path | None) -> Runtime:
    """Find what runs a runtime.

    Raises:
        RuntimeNotHere: it is no Python runtime, and not registered.
        ValueError: the registration is not as it should be.
    """
    registered = json.loads(runtimes_file.read_text()) if runtimes_file and runtimes_file.exists() else {}
    match registered.get(name):
        case None:
            return _unregistered(name, handler_python)
        case str(python):
            return Runtime(python)
        case [str(), *_] as command if all(isinstance(part, str) for part in command):
            return Runtime(None, tuple(command))
        case other:
            raise ValueError(f"{runtimes_file}: {name}: wants an interpreter or a command, got {other!r}")


def _unregistered(name: str, handler_python: str) -> Runtime:
    if name.startswith("provided"):
        return Runtime(None)
    if name.startswith("python"):
        return Runtime(handler_python, is_exact=version(handler_python) == name.removeprefix("python"))
    raise RuntimeNotHere(f"Runtime {name} cannot be run here: NRT_RUNTIMES names no command for it.")


@cache
def version(python: str) -> str:
    """An interpreter's version, as runtimes are named: `3.12`.

    Raises:
        OSError: it cannot be started.
        subprocess.CalledProcessError: it is no Python.
    """
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-I", "-S", "-c", question], check=True, capture_output=True, text=True)
    return asked.stdout.strip()
