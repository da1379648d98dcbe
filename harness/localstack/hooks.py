"""Where the plugin is put into LocalStack: one hook, run before services load.

In: the emulator's configuration. Out: LocalStack with our SQS worker in its place, or left as it is. Everything that
replaces a piece of LocalStack at run time is named in `patches`.
"""

import logging
import os
from pathlib import Path

from localstack import config
from localstack.runtime import hooks
from localstack.runtime.shutdown import SERVICE_SHUTDOWN_PRIORITY
from localstack.services.lambda_.invocation.runtime_executor import EXECUTOR_PLUGIN_MANAGER

from harness.localstack import (
    api_faults,
    cloudwatch,
    durable,
    http_server,
    journal,
    loopback,
    metric_store,
    object_storage,
    patches,
    s3_listings,
    settings,
)

LOG = logging.getLogger(__name__)
EXECUTORS = ("process", "docker-image")


class ExecutorNotInstalled(RuntimeError):
    """LAMBDA_RUNTIME_EXECUTOR names one of ours, but LocalStack would silently use its own."""


@hooks.on_infra_start()
def install_sqs_poller() -> None:
    """Install what the environment asks for; otherwise only see that LocalStack listens where it was told to.

    Raises:
        ExecutorNotInstalled: the executor that was asked for is not the one LocalStack would load.
    """
    loopback.bind_to_configured_host()
    http_server.do_less()
    object_storage.keep_objects_private()
    object_storage.read_in_large_pieces()
    s3_listings.install()
    metric_store.install()
    api_faults.install()
    if config.LAMBDA_RUNTIME_EXECUTOR in EXECUTORS:
        if not EXECUTOR_PLUGIN_MANAGER.exists(config.LAMBDA_RUNTIME_EXECUTOR):
            raise ExecutorNotInstalled(
                f"LAMBDA_RUNTIME_EXECUTOR={config.LAMBDA_RUNTIME_EXECUTOR}, but no such plugin is installed: "
                "LocalStack would fall back to its own"
            )
        patches.for_executor()
    if settings.read().poller == "aws":
        patches.for_poller()
        LOG.info("SQS event source mappings scale as AWS's do (NRT_SQS_POLLER=aws)")
    if cpu_file := os.environ.get("NRT_CPU_FILE"):
        # imported here: it needs the services that the patches above are for
        from harness.localstack import cpu_spans

        cpu_spans.install(Path(cpu_file))
    journal.install()
    durable.restore()


@hooks.on_infra_shutdown(priority=SERVICE_SHUTDOWN_PRIORITY + 1)
def save_state() -> None:
    """Objects and messages, for the emulator that comes after this one: when functions have ended, and before S3 and
    SQS do.

    Metrics of what ended last would have CloudWatch loaded after it was stopped, with a thread that keeps LocalStack
    from ever ending.
    """
    cloudwatch.buffer().close()
    durable.save()
