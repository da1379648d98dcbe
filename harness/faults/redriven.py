"""What people do after a fix, as part of a scenario: mend some of the broken files and send every dead letter back.

It is done when the load has ended and every broken file is on its dead letter queue. Mended files must then be loaded,
each once; those that are still broken must come back. Events: `mended` {"keys"}, `redriven` {"keys", "message_ids"}.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness import dlq
from harness.faults.site import Site
from harness.history import FileHistory

LOOK_EVERY_S = 0.5
PATIENCE_FACTOR = 2
# Moving slower than functions take them in would only make the run longer.
MESSAGES_PER_S = 20.0


@dataclass(frozen=True)
class Redriven:
    """Every `mended_one_in`-th broken file gets the content that its source should have sent, under the same key and
    without a new event; then every dead letter goes back to its source queue."""

    mended_one_in: int = 2

    @property
    def name(self) -> str:
        return f"one in {self.mended_one_in} broken files mended, then all dead letters redriven"

    def inject(self, site: Site) -> Callable[[], str | None]:
        done: list[str] = []

        def heal() -> str | None:
            # Healing can be asked for twice, when a run is interrupted; what was moved is not moved again.
            if not done and self._wait_for_dead_letters(site):
                mended = self._mend(site)
                moved = self._redrive(site)
                if mended and moved:
                    done.append(f"{len(mended)} files mended, {moved} dead letters redriven")
            return done[0] if done else None

        return heal

    def _rejects(self, site: Site) -> list[FileHistory]:
        files = site.history.files.values()
        return sorted((file for file in files if file.is_reject and file.acknowledged_s), key=lambda file: file.index)

    def _wait_for_dead_letters(self, site: Site) -> bool:
        visibility_s = max(site.timing.visibility_timeout_s.values())
        receives = max(site.pipeline.queue_of(name).max_receive_count for name in site.pipeline.types)
        give_up_s = time.monotonic() + PATIENCE_FACTOR * visibility_s * receives
        while any(file.dead_letter is None for file in self._rejects(site)):
            if time.monotonic() > give_up_s:
                return False
            time.sleep(LOOK_EVERY_S)
        return True

    def _mend(self, site: Site) -> list[str]:
        keys = [file.key for file in self._rejects(site)][:: self.mended_one_in]
        s3, bucket = site.aws.s3, site.pipeline.bucket
        before = s3.get_bucket_notification_configuration(Bucket=bucket)
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=site.as_meant(key))
        configuration = {name: value for name, value in before.items() if name != "ResponseMetadata"}
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration=configuration,  # type: ignore[arg-type]
        )
        site.ledger.append("mended", keys=keys)
        return keys

    def _redrive(self, site: Site) -> int:
        queues = dlq.queues(site.pipeline, site.aws, None)
        letters = dlq.letters(queues, site.aws)
        # Said before the first is moved: a letter may come back while others are still being moved.
        site.ledger.append(
            "redriven",
            keys=[key for found in letters for key in found.letter.keys],
            message_ids=[found.letter.message_id for found in letters],
        )
        return len(list(dlq.redrive(queues, site.aws, (), MESSAGES_PER_S)))
