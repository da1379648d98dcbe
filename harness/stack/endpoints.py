"""What a stack offers to those who use it: addresses, credentials and the files it writes.

Plain values that travel between processes as JSON; nothing here connects to anything.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError

REGION = "us-east-1"
# The emulator accepts any key pair; these are no secret.
EMULATOR_ACCESS_KEY = "test"


@dataclass(frozen=True)
class Redshift:
    """How any PostgreSQL or Redshift client connects to the warehouse."""

    host: str
    port: int
    database: str
    user: str
    password: str
    ca_file: str | None


@dataclass(frozen=True)
class Inside:
    """What functions see instead, where they do not run on the harness's own machine."""

    redshift: Redshift
    handler_python: str
    pipeline_directory: str


@dataclass(frozen=True)
class OnAws:
    """A pipeline that is deployed on AWS: what its resources are called, by type where each type has its own.

    `data_api_target` is how the Redshift Data API is told of the warehouse; `may_empty` is whether a run may empty its
    tables and queues.
    """

    stack: str
    bucket: str
    copy_role: str
    secret_arn: str
    data_api_target: dict[str, str]
    functions: dict[str, str]
    mappings: dict[str, str]
    queue_urls: dict[str, str]
    dead_letter_queue_urls: dict[str, str]
    may_empty: bool


@dataclass(frozen=True)
class Endpoints:
    """A running stack.

    `postgres` is the stand-in's backend, for the harness's own accounting; the pipeline under test never sees it.
    `images_file` is None where the stack knows the pipeline's images already; `inside` is None where functions see
    what the harness sees; `data_api_url` is None where the Redshift Data API is not served. On AWS (`on_aws`) the
    URL is empty unless something stands in for it, and `postgres` is the warehouse itself.
    """

    stack: str
    aws_endpoint_url: str
    region: str
    redshift: Redshift
    postgres: Redshift
    directory: Path
    trace_file: Path
    query_log: Path
    images_file: Path | None
    pids: dict[str, int]
    inside: Inside | None = None
    data_api_url: str | None = None
    on_aws: OnAws | None = None

    def to_json(self) -> dict[str, Any]:
        """As `harness status --json` prints it, without the pipeline."""
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def endpoints_from_json(raw: dict[str, Any]) -> Endpoints:
    """The inverse of `Endpoints.to_json`; unknown keys are left out."""
    try:
        return Endpoints(
            stack=raw["stack"],
            aws_endpoint_url=raw["aws_endpoint_url"],
            region=raw["region"],
            redshift=Redshift(**raw["redshift"]),
            postgres=Redshift(**raw["postgres"]),
            directory=Path(raw["directory"]),
            trace_file=Path(raw["trace_file"]),
            query_log=Path(raw["query_log"]),
            images_file=raw["images_file"] and Path(raw["images_file"]),
            pids=raw["pids"],
            inside=_inside_from_json(raw.get("inside")),
            data_api_url=raw.get("data_api_url"),
            on_aws=OnAws(**raw["on_aws"]) if raw.get("on_aws") else None,
        )
    except (KeyError, TypeError) as error:
        raise HarnessError(f"not the status of a stack: {error}") from error


def _inside_from_json(raw: dict[str, Any] | None) -> Inside | None:
    return None if raw is None else Inside(**raw | {"redshift": Redshift(**raw["redshift"])})


def read_endpoints(path: Path) -> Endpoints:
    """Read what a stack's supervisor wrote."""
    return endpoints_from_json(json.loads(path.read_text()))
