"""`python -m harness.redshift`: a gateway on its own.

Prints one JSON line when clients can connect: {"host", "port", "ca_file", "data_api_url"}. Ends on SIGTERM and SIGINT.
The password of `--user` comes from REDSHIFT_PASSWORD, the backend's from the connection string or PGPASSWORD.
"""

import asyncio
import gc
import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click
import psycopg2
import uvloop

from harness.redshift.gateway import Gateway, Settings
from harness.redshift.latency import LatencyModel


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5439, show_default=True, help="0: a free one")
@click.option("--postgres", required=True, help="libpq connection string or URL of a superuser of the backend")
@click.option("--s3-endpoint", default=None, help="where COPY reads from; default: AWS")
@click.option("--tls-dir", required=True, type=click.Path(path_type=Path), help="CA and server certificate")
@click.option("--query-log", default=None, type=click.Path(path_type=Path), help="JSON lines, one a statement")
@click.option("--user", default="awsuser", show_default=True)
@click.option("--authentication", default="md5", show_default=True, type=click.Choice(("md5", "cleartext")))
@click.option("--wlm-slots", default=0, show_default=True, help="queries that run at the same time; 0: no limit")
@click.option("--copy-base-s", default=0.0, show_default=True, help="latency model: seconds a COPY takes")
@click.option("--copy-per-row-s", default=0.0, show_default=True, help="latency model: seconds a row adds to a COPY")
@click.option("--commit-s", default=0.0, show_default=True, help="latency model: seconds a commit of writes takes")
@click.option("--latency-spread", default=0.0, show_default=True, help="latency model: sigma of the log-normal factor")
@click.option("--latency-seed", default=0, show_default=True)
@click.option("--copy-queue-s", default=0.0, show_default=True, help="latency model: seconds before a COPY's lock")
@click.option(
    "--unknown-statements",
    default="refuse",
    show_default=True,
    type=click.Choice(("refuse", "log")),
    help="what becomes of a statement that the stand-in does not know; log: PostgreSQL runs it, with a warning",
)
@click.option(
    "--backend-niceness", default=None, type=int, help="of each session of PostgreSQL, where that is on this machine"
)
@click.option("--data-api-port", default=None, type=int, help="serve the Redshift Data API there; 0: a free port")
def main(
    host: str,
    port: int,
    postgres: str,
    s3_endpoint: str | None,
    tls_dir: Path,
    query_log: Path | None,
    user: str,
    authentication: str,
    wlm_slots: int,
    copy_base_s: float,
    copy_per_row_s: float,
    commit_s: float,
    latency_spread: float,
    latency_seed: int,
    copy_queue_s: float,
    unknown_statements: Literal["refuse", "log"],
    backend_niceness: int | None,
    data_api_port: int | None,
) -> None:
    """Serve Redshift clients from a PostgreSQL database."""
    password = os.environ.get("REDSHIFT_PASSWORD")
    if not password:
        raise click.UsageError("REDSHIFT_PASSWORD is not set: it is the password clients log in with")
    settings = Settings(
        postgres=postgres, user=user, password=password, tls_dir=tls_dir, s3_endpoint=s3_endpoint, host=host, port=port,
        query_log=query_log, authentication=authentication, wlm_slots=wlm_slots, data_api_port=data_api_port,
        unknown_statements=unknown_statements, backend_niceness=backend_niceness,
        latency=LatencyModel(copy_base_s, copy_per_row_s, commit_s, latency_spread, latency_seed, copy_queue_s),
    )  # fmt: skip
    try:
        uvloop.run(_serve(settings))
    except (psycopg2.Error, OSError) as error:
        raise click.ClickException(f"the gateway could not start: {error}") from error


async def _serve(settings: Settings) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    started = loop.create_future()
    serving = asyncio.create_task(Gateway(settings).serve(started, stop))
    await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
    if started.done():
        gc.freeze()  # what is there now stays, and need not be looked through at each collection
        where = started.result()
        print(json.dumps(asdict(where), default=str), flush=True)
    await serving


if __name__ == "__main__":
    main()
