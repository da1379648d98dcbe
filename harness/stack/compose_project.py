"""The compose project, through the `docker compose` command: started, looked into, followed, ended.

In: service names and paths in their containers. Out: text, port numbers, and files that grow here as they do there. It
knows nothing of what the services are for.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.stack.processes import free_port

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
SERVICES = ("localstack", "redshift")
UP_TIMEOUT_S = 120
RECONNECT_AFTER_S = 0.5
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Port:
    """A port of a service, and the variable that says where on this machine it is published."""

    service: str
    port: int
    variable: str


PORTS = {
    "localstack": Port("localstack", 4566, "NRT_AWS_PORT"),
    "redshift": Port("redshift", 5439, "NRT_REDSHIFT_PORT"),
    "postgres": Port("redshift", 5432, "NRT_POSTGRES_PORT"),
}


def _command(*arguments: str) -> list[str]:
    return ["docker", "compose", "--file", str(COMPOSE_FILE), *arguments]


def _compose(*arguments: str, environment: dict[str, str] | None = None, given: str | None = None) -> str:
    """Run `docker compose ARGUMENTS` and return what it printed.

    Raises:
        HarnessError: it failed; its own last words.
    """
    if not COMPOSE_FILE.exists():
        raise HarnessError(f"{COMPOSE_FILE} is not there: --stack compose needs a checkout of the project")
    try:
        result = subprocess.run(
            _command(*arguments), env=os.environ | (environment or {}), input=given, check=False,
            stdin=None if given is not None else subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
    except OSError as error:
        raise HarnessError(f"docker: {error.strerror}: --stack compose needs Docker with Compose v2") from error
    if result.returncode:
        if "unknown flag: --file" in result.stderr or "not a docker command" in result.stderr:
            raise HarnessError("docker has no `compose` command here: install Compose v2")
        words = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        raise HarnessError(f"docker compose {arguments[0]}: {' | '.join(words[-3:]) or 'failed without a word'}")
    return result.stdout


def is_up() -> bool:
    """Whether every service that a pipeline needs runs."""
    return set(SERVICES) <= set(_compose("ps", "--services", "--status", "running").split())


def exists() -> bool:
    """Whether the project has any container, running or not."""
    return bool(_compose("ps", "--all", "--quiet").strip())


def up(pipeline_directory: Path) -> None:
    """Build what has changed, start the services and wait until they are healthy, on free ports unless chosen.

    Raises:
        HarnessError: they did not become healthy.
    """
    chosen = {port.variable: os.environ.get(port.variable) or str(free_port()) for port in PORTS.values()}
    environment = chosen | {"NRT_PIPELINE_DIRECTORY": str(pipeline_directory)}
    wait = ("--wait", "--wait-timeout", str(UP_TIMEOUT_S))
    _compose("up", "--build", "--detach", "--quiet-pull", *wait, *SERVICES, environment=environment)


def down() -> None:
    """Remove containers, network and volumes."""
    _compose("down", "--volumes", "--timeout", "5")


def require_pipeline_directory(wanted: Path, target: str) -> None:
    """Raise HarnessError when the project that is up has another directory mounted at `target`."""
    container = _compose("ps", "--quiet", "localstack").strip()
    mounts = f'{{{{range .Mounts}}}}{{{{if eq .Destination "{target}"}}}}{{{{.Source}}}}{{{{end}}}}{{{{end}}}}'
    result = subprocess.run(
        ["docker", "inspect", "--format", mounts, container], capture_output=True, text=True, check=False
    )
    mounted = result.stdout.strip()
    if Path(mounted).resolve() != wanted.resolve():
        raise HarnessError(
            f"the compose project that is up has {mounted} as its pipeline, not {wanted}: "
            "`docker compose down` it, or start it with NRT_PIPELINE_DIRECTORY"
        )


def published(name: str) -> int:
    """The port on this machine of one of PORTS."""
    return int(_compose("port", PORTS[name].service, str(PORTS[name].port)).strip().rpartition(":")[2])


def read(service: str, path: Path) -> str:
    """A file in a service's container."""
    return _compose("exec", "-T", service, "cat", str(path))


def read_each(service: str, directory: Path, pattern: str) -> str:
    """All files of a directory in a service's container whose names match, one after the other."""
    return _compose("exec", "-T", service, "sh", "-c", f'cat "$1"/{pattern}', "sh", str(directory))


def read_variable(service: str, name: str) -> str:
    """An environment variable of a service's container."""
    return _compose("exec", "-T", service, "printenv", name).rstrip("\n")


def write(service: str, path: Path, text: str) -> None:
    """Replace a file in a service's container, at once and whole."""
    _compose("exec", "-T", service, "sh", "-c", 'cat >"$1.new" && mv "$1.new" "$1"', "sh", str(path), given=text)


@contextmanager
def following(service: str, there: Path, here: Path) -> Iterator[None]:
    """Append to `here` what is appended to `there` during the block, also across a restart of the service."""
    here.touch()
    size = _compose("exec", "-T", service, "sh", "-c", f"cat {there} 2>/dev/null | wc -c")
    follower = _Follower(service, there, here, int(size))
    thread = threading.Thread(target=follower.run, name=f"follow-{service}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        follower.end()
        thread.join()


class _Follower:
    """Copies one growing file; `tail` in the container ends when its standard input does, so none is left there."""

    def __init__(self, service: str, there: Path, here: Path, from_byte: int) -> None:
        self._service, self._there, self._here, self._at = service, there, here, from_byte
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                if self._stop.is_set():
                    return
                self._process = process = self._start()
            self._copy(process)
            process.wait()
            self._stop.wait(RECONNECT_AFTER_S)  # the service is being restarted

    def end(self) -> None:
        self._stop.set()
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def _start(self) -> subprocess.Popen[bytes]:
        script = f"tail -c +{self._at + 1} -F {self._there} 2>/dev/null & cat >/dev/null; kill $!"
        return subprocess.Popen(
            _command("exec", "-T", self._service, "sh", "-c", script),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            # Ctrl-C is for the harness, which reads on until it has judged
            start_new_session=True,
        )  # fmt: skip

    def _copy(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout, self._here.open("ab", buffering=0) as copy:
            descriptor = process.stdout.fileno()
            while chunk := os.read(descriptor, CHUNK_BYTES):
                copy.write(chunk)
                self._at += len(chunk)
