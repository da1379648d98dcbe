"""S3 objects and SQS messages outlive an orderly restart of the emulator, as they outlive anything on AWS.

In: NRT_STATE_FILE. Out: written when the emulator is told to end, read when it starts and removed. LocalStack itself
keeps both in memory only. Functions, mappings and metrics are not kept: who restarts the emulator provisions again.
What was in flight is visible again when its visibility timeout has passed, as it would be.
"""

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.s3.models import s3_stores
from localstack.services.sqs.models import sqs_stores
from localstack.state import pickle

LOG = logging.getLogger(__name__)


def _file() -> Path | None:
    name = os.environ.get("NRT_STATE_FILE")
    return Path(name) if name else None


def _objects(bucket: Any) -> list[Any]:
    return [one for one in bucket.objects.values(with_versions=True) if hasattr(one, "etag")]  # no delete markers


def _buckets() -> Iterator[Any]:
    for _account, _region, store in s3_stores.iter_stores():
        yield from store.buckets.values()


def save() -> None:
    """Write what is there; nothing is asked of the emulator any more."""
    if (file := _file()) is None:
        return
    storage = SERVICE_PLUGINS.require("s3")._provider._storage_backend
    contents = {}
    for bucket in _buckets():
        for one in _objects(bucket):
            with storage.open(bucket.name, one) as stored:
                contents[bucket.name, one.key, one.version_id] = stored.read()
    state = {
        "sqs": {account: dict(regions) for account, regions in sqs_stores.items()},
        "s3": {account: dict(regions) for account, regions in s3_stores.items()},
        "universal": {"s3": s3_stores._universal, "sqs": sqs_stores._universal},
        "contents": contents,
    }
    file.write_bytes(pickle.dumps(state))


def restore() -> None:
    """Read what an emulator before this one has left here, if there was one; nobody is served yet."""
    if (file := _file()) is None or not file.exists():
        return
    state = pickle.loads(file.read_bytes())
    file.unlink()
    for name, stores in (("sqs", sqs_stores), ("s3", s3_stores)):
        stores._universal.update(state["universal"][name])
        for account, regions in state[name].items():
            for region, kept in regions.items():
                _take_over(stores[account][region], kept)
    for _account, _region, store in sqs_stores.iter_stores():
        for queue in store.queues.values():
            _unlock(queue)
    storage = SERVICE_PLUGINS.require("s3")._provider._storage_backend
    for bucket in _buckets():
        storage.create_bucket(bucket.name)
        for one in _objects(bucket):
            # LocalStack finds an object's file by a hash that is another in each process: put under its new one.
            content = state["contents"][bucket.name, one.key, one.version_id]
            key = storage._key_from_s3_object(one)
            storage._filesystem[bucket.name]["keys"][key] = new_file(storage, bucket.name, content)
    LOG.info("S3 objects and SQS messages are there again")


def _take_over(store: Any, kept: Any) -> None:
    store._global.update(kept._global)
    for name, value in vars(kept).items():
        if name not in ("_global", "_universal"):
            setattr(store, name, value)


def _unlock(queue: Any) -> None:
    """New locks: those that were written and read back are no longer shared by all who have to wait for one another."""
    for name, value in vars(queue).items():
        if isinstance(value, Queue):
            fresh = type(value)()
            fresh.queue = value.queue
            setattr(queue, name, fresh)
    queue.mutex = threading.RLock()


def new_file(storage: Any, bucket: str, content: bytes) -> Any:
    """A file of S3's storage with this content, for `_filesystem` to hold."""
    from localstack.services.s3.storage import ephemeral

    stored = ephemeral.LockedSpooledTemporaryFile(
        dir=str(Path(storage.root_directory) / bucket), max_size=ephemeral.S3_MAX_FILE_SIZE_BYTES
    )
    stored.write(content)
    return stored
