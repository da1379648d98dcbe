"""S3 objects, their notifications and SQS messages outlive an emulator that is killed, as they outlive anything on AWS.

In: NRT_JOURNAL, a directory. Out: a file for each object, each bucket's notification configuration and each message,
written before the request is answered and removed with what it describes; buckets and queues find theirs again when
they are made under the same names, which whoever started the emulator anew does: queues first, as a bucket notifies
them from then on. Messages are visible at once then: what was in flight is delivered again. An upload is answered when
its notifications are in their queues, so that none is lost between the two. `durable` does the same at an orderly end,
for less work at each request. FIFO queues are not kept.
"""

import hashlib
import logging
import os
import pickle
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from localstack.services.s3.notifications import NotificationDispatcher
from localstack.services.s3.provider import S3Provider
from localstack.services.sqs.models import SqsMessage, StandardQueue
from localstack.services.sqs.provider import SqsProvider

from harness.localstack import durable

LOG = logging.getLogger(__name__)


class Kept:
    """Files by what they are of: an owner (a queue's ARN, a bucket) and a name that is unique among all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}
        self._found: dict[str, list[tuple[str, Any]]] = {}
        for file in directory.iterdir():
            if file.suffix == ".new":
                file.unlink()  # it was killed at that: nobody was told that it is there
                continue
            owner, name, content = pickle.loads(file.read_bytes())
            self._owners[name] = owner
            self._found.setdefault(owner, []).append((name, content))

    def put(self, owner: str, name: str, content: Any) -> None:
        """Keep it; what was kept under this name gives way, whoever's it was."""
        file = self._file(name)
        new = file.with_suffix(f".{threading.get_ident()}.new")
        new.write_bytes(pickle.dumps((owner, name, content)))
        with self._lock:
            new.rename(file)
            self._owners[name] = owner

    def drop(self, owner: str, name: str) -> None:
        """Forget it, if it is this owner's."""
        with self._lock:
            if self._owners.get(name) == owner:
                del self._owners[name]
                self._file(name).unlink()

    def drop_all(self, owner: str) -> None:
        """Forget all that is this owner's."""
        for name in [name for name, found in list(self._owners.items()) if found == owner]:
            self.drop(owner, name)

    def take(self, owner: str) -> list[tuple[str, Any]]:
        """What an emulator before this one kept of this owner's; once."""
        return self._found.pop(owner, [])

    def _file(self, name: str) -> Path:
        return self._directory / hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def install() -> None:
    """Have S3 and SQS keep what they hold, if NRT_JOURNAL says where."""
    if not (named := os.environ.get("NRT_JOURNAL")):
        return
    _keep_messages(Kept(Path(named) / "messages"))
    _keep_objects(Kept(Path(named) / "objects"))
    _keep_notifications(Kept(Path(named) / "notifications"))


def _before(original: Callable[..., Any], does: Callable[..., None]) -> Callable[..., Any]:
    @wraps(original)
    def replaced(*arguments: Any, **options: Any) -> Any:
        does(*arguments, **options)
        return original(*arguments, **options)

    return replaced


def _after(original: Callable[..., Any], does: Callable[..., None]) -> Callable[..., Any]:
    @wraps(original)
    def replaced(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        does(*arguments, **options)
        return result

    return replaced


def _keep_messages(kept: Kept) -> None:
    def put(queue: StandardQueue, message: SqsMessage) -> None:
        kept.put(queue.arn, message.message_id, message)

    def restore(queue: StandardQueue, *_arguments: Any, **_options: Any) -> None:
        for _, message in sorted(kept.take(queue.arn), key=lambda found: found[1].created):
            message.receipt_handles.clear()
            message.visibility_deadline = None
            queue._put_message(message)

    def remove(queue: StandardQueue, message: SqsMessage) -> None:
        kept.drop(queue.arn, message.message_id)

    def clear(queue: StandardQueue) -> None:
        kept.drop_all(queue.arn)

    # What moves to a dead letter queue keeps its id, so that it is kept there from then on, and here until then.
    StandardQueue._put_message = _before(StandardQueue._put_message, put)
    StandardQueue._on_remove_message = _after(StandardQueue._on_remove_message, remove)
    StandardQueue.add_inflight_message = _before(StandardQueue.add_inflight_message, put)  # its receive count rose
    StandardQueue.clear = _after(StandardQueue.clear, clear)
    StandardQueue.__init__ = _after(StandardQueue.__init__, restore)
    SqsProvider.delete_queue = _forgetting(SqsProvider.delete_queue, kept)


def _forgetting(original: Callable[..., Any], kept: Kept) -> Callable[..., Any]:
    @wraps(original)
    def delete_queue(self: SqsProvider, context: Any, queue_url: str, **options: Any) -> None:
        queue = self._resolve_queue(context, queue_url=queue_url)
        original(self, context, queue_url, **options)
        kept.drop_all(queue.arn)

    return delete_queue


def _name(bucket: str, key: str) -> str:
    return f"{bucket}/{key}"


def _keep_objects(kept: Kept) -> None:
    def created(provider: S3Provider, _context: Any, s3_bucket: Any, s3_object: Any = None, *_: Any, **__: Any) -> None:
        if s3_object is None or not hasattr(s3_object, "etag"):
            return  # a deletion, or a marker of one
        with provider._storage_backend.open(s3_bucket.name, s3_object) as stored:
            kept.put(s3_bucket.name, _name(s3_bucket.name, s3_object.key), (s3_object, stored.read()))

    def deleted(_provider: S3Provider, context: Any, bucket: str, key: str, **_: Any) -> None:
        del context
        kept.drop(bucket, _name(bucket, key))

    def all_deleted(provider: S3Provider, context: Any, bucket: str, delete: Any, **_: Any) -> None:
        for one in delete["Objects"]:
            deleted(provider, context, bucket, one["Key"])

    def restore(provider: S3Provider, context: Any, request: Any) -> None:
        _, bucket = provider._get_cross_account_bucket(context, request["Bucket"])
        storage = provider._storage_backend
        for _, (s3_object, content) in kept.take(bucket.name):
            bucket.objects.set(s3_object.key, s3_object)
            key = storage._key_from_s3_object(s3_object)
            storage._filesystem[bucket.name]["keys"][key] = durable.new_file(storage, bucket.name, content)

    # S3 answers once the notification is on its way: whatever created an object comes by here.
    S3Provider._notify = _before(S3Provider._notify, created)
    S3Provider.create_bucket = _after(S3Provider.create_bucket, restore)
    S3Provider.delete_object = _after(S3Provider.delete_object, deleted)
    S3Provider.delete_objects = _after(S3Provider.delete_objects, all_deleted)


class _AtOnce:
    """In the place of threads that deliver a notification some time after its upload was answered."""

    def submit(self, deliver: Callable[..., None], *arguments: Any) -> None:
        """Deliver it."""
        deliver(*arguments)

    def shutdown(self, wait: bool = True) -> None:
        """Nothing is on its way."""


def _keep_notifications(kept: Kept) -> None:
    def configured(_provider: S3Provider, bucket: str, notification_configuration: Any, **_: Any) -> None:
        kept.put(bucket, bucket, notification_configuration)

    def restore(provider: S3Provider, context: Any, request: Any) -> None:
        _, bucket = provider._get_cross_account_bucket(context, request["Bucket"])
        for _, configuration in kept.take(bucket.name):
            bucket.notification_configuration = configuration

    def deleted(_provider: S3Provider, bucket: str, **_: Any) -> None:
        kept.drop(bucket, bucket)

    def deliver_at_once(dispatcher: NotificationDispatcher, *_: Any, **__: Any) -> None:
        dispatcher.shutdown()
        dispatcher.executor = _AtOnce()

    S3Provider.put_bucket_notification_configuration = _after(
        S3Provider.put_bucket_notification_configuration, configured
    )
    S3Provider.create_bucket = _after(S3Provider.create_bucket, restore)
    S3Provider.delete_bucket = _after(S3Provider.delete_bucket, deleted)
    NotificationDispatcher.__init__ = _after(NotificationDispatcher.__init__, deliver_at_once)
