"""LocalStack in its own environment, with our Lambda executor and SQS poller plugged in.

In: a private directory and a port. Out: a running emulator, ready when every service it was asked for says so.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from harness.errors import HarnessError
from harness.stack.processes import LOOPBACK, Child, spawn

SERVICES = ("s3", "sqs", "lambda", "logs", "cloudwatch", "iam", "sts", "secretsmanager")
START_TIMEOUT_S = 120
PASSED_ON = (
    "LAMBDA_KEEPALIVE_MS", "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS", "LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY",
    "NRT_CONCURRENCY_SCALING_RATE", "NRT_CPU_FILE", "NRT_JOURNAL", "NRT_MAX_ENVIRONMENTS", "NRT_MAX_STARTS",
    "NRT_RUNTIMES", "NRT_S3_EVENTS", "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL",
)  # fmt: skip
"""Settings of the plugin, and of LocalStack, that whoever starts the harness may make."""


def emulator_python() -> Path:
    """The interpreter of the emulator's environment, beside the harness's own.

    Raises:
        HarnessError: it was not set up.
    """
    override = os.environ.get("NRT_EMULATOR_PYTHON")
    python = Path(override) if override else Path(sys.prefix).parent / ".venv-emulator" / "bin" / "python"
    if not python.exists():
        raise HarnessError(f"{python} is not there: `make setup` makes the emulator's environment")
    return python


def _further_services() -> list[str]:
    return [name for name in os.environ.get("NRT_FURTHER_SERVICES", "").split(",") if name]


def start(directory: Path, logs: Path, port: int, images_file: Path, trace_file: Path) -> Child:
    """Start the emulator with its whole state below `directory`."""
    directory.mkdir(mode=0o700, exist_ok=True)  # there already when it starts again
    temporary = directory / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_LISTEN": f"{LOOPBACK}:{port}",
        "LOCALSTACK_HOST": f"localhost:{port}",
        # further ones for tests of what is deployed by other means
        "SERVICES": ",".join((*SERVICES, *_further_services())),
        # LocalStack would try to serve DNS, on every interface
        "DNS_ADDRESS": "0",
        "EAGER_SERVICE_LOADING": "1",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # by default LocalStack keeps messages for good
        "SQS_ENABLE_MESSAGE_RETENTION_PERIOD": "1",
        "FILESYSTEM_ROOT": str(directory / "filesystem"),
        "LS_LOG": os.environ.get("LS_LOG", "warn"),
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        # how long LocalStack waits for a cold start; a busy machine takes longer than its 20 s
        "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",
        # another value leaves LocalStack's own poller: `harness bench throughput --compare` measures it
        "NRT_SQS_POLLER": os.environ.get("NRT_SQS_POLLER", "aws"),
        "NRT_HANDLER_PYTHON": sys.executable,
        "NRT_IMAGES": str(images_file),
        "NRT_TRACE_FILE": str(trace_file),
        "NRT_STATE_FILE": str(directory / "state"),
    }
    environment |= {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    return spawn(
        "emulator", [emulator_python(), "-m", "localstack.runtime.main"], logs / "emulator.log",
        environment=environment, directory=directory,
    )  # fmt: skip


def wait(emulator: Child, port: int) -> None:
    """Return when every service is up.

    Raises:
        HarnessError: a service reports an error, or the emulator ended.
    """

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/_localstack/health", timeout=5) as answer:
                services: dict[str, str] = json.load(answer)["services"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        if broken := [name for name, state in services.items() if state == "error"]:
            raise HarnessError(f"the emulator could not load {', '.join(broken)}: {emulator.last_lines()}")
        return all(services.get(name) in ("available", "running") for name in SERVICES)

    emulator.wait_until(is_ready, START_TIMEOUT_S)
