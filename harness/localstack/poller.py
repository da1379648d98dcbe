"""An SQS event source mapping that polls, batches, scales and fails as AWS's does.

In: a mapping's configuration; messages of its queue. Out: invocations of its function; deleted messages. One thread per
mapping forms batches, as many workers as the scaling allows invoke. It replaces LocalStack's worker (one thread that
polls, invokes and pauses a second) behind the same interface; how far to scale is `scaling`'s, what an answer means is
`batches`'.
"""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localstack.aws.api.lambda_ import EventSourceMappingConfiguration, FunctionResponseType
from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmStateReason, EsmWorker
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.event_matcher import matches_event

from harness.localstack import batches, invoker, recursion
from harness.localstack.batches import Event
from harness.localstack.scaling import Scaler, ScalingLimits
from harness.localstack.slots import Slots
from harness.localstack.sqs_source import QueueGone, SqsSource

LOG = logging.getLogger(__name__)

EMPTY_WAIT_S = 20.0
"""Long polling's limit; only how long one sleep lasts, a message ends it at once."""
RETRY_S = 1.0
THROTTLE_BACKOFF_FIRST_S = 0.1
THROTTLE_BACKOFF_MAX_S = 10.0


class SqsEventSourceWorker(EsmWorker):
    """The worker of one mapping; LocalStack's provider creates, stops and deletes it."""

    def __init__(self, configuration: EventSourceMappingConfiguration, enabled: bool) -> None:
        super().__init__(configuration, poller=None, enabled=enabled, user_state_reason=EsmStateReason.USER_INITIATED)
        self._source = SqsSource(configuration["EventSourceArn"])
        self._function_arn: str = configuration["FunctionArn"]
        self._batch_size: int = configuration["BatchSize"]
        self._window_s = float(configuration.get("MaximumBatchingWindowInSeconds") or 0)
        self._reports_items = FunctionResponseType.ReportBatchItemFailures in (
            configuration.get("FunctionResponseTypes") or ()
        )
        filters = (configuration.get("FilterCriteria") or {}).get("Filters") or ()
        self._patterns = [json.loads(entry["Pattern"]) for entry in filters]
        self._slots = Slots(Scaler(_limits(configuration), time.monotonic))

    def stop(self) -> None:
        """Disable: take no more messages; what is in flight finishes."""
        super().stop()
        self._interrupt()

    def delete(self) -> None:
        """Delete: as disable, and the mapping goes."""
        super().delete()
        self._interrupt()
        if self._poller_thread is None:  # made disabled: there is no loop to end with it
            self.delete_esm_in_store()

    def stop_for_shutdown(self) -> None:
        """The emulator is about to end."""
        super().stop_for_shutdown()
        self._interrupt()

    def _interrupt(self) -> None:
        self._slots.wake()
        self._source.wake()

    def poller_loop(self, *_args: Any, **_kwargs: Any) -> None:
        """Form batches and hand them out until told to stop; then wait for what is in flight."""
        self._set_state(EsmState.ENABLED)
        with ThreadPoolExecutor(thread_name_prefix=f"sqs-esm-{self.uuid[:8]}", max_workers=_MOST_WORKERS) as workers:
            while not self._shutdown_event.is_set():
                try:
                    self._hand_out_one(workers)
                except QueueGone:
                    LOG.warning("event source mapping %s: queue %s does not exist", self.uuid, self._source.arn)
                    self._shutdown_event.wait(RETRY_S)
                except Exception:
                    LOG.exception("event source mapping %s: polling failed", self.uuid)
                    self._shutdown_event.wait(RETRY_S)
        self._finish()

    def _hand_out_one(self, workers: ThreadPoolExecutor) -> None:
        if not self._slots.wait_for_free(self._shutdown_event):
            return
        if not self._source.wait(0, self._shutdown_event):
            self._slots.slack()
            if not self._source.wait(EMPTY_WAIT_S, self._shutdown_event):
                self._slots.idle()
                return
        received_s = time.monotonic()
        visible_again_s = received_s + self._source.visibility_timeout_s()
        events = self._collect(received_s + self._window_s)
        if self._window_s:
            events = [batches.in_window(event) for event in events]
        for batch in self._cut(self._not_looping(self._matching(events))):
            self._slots.take()
            workers.submit(self._process, batch, visible_again_s)

    def _collect(self, deadline: float) -> list[Event]:
        """One batch: until it is full, its window is over, or it holds 6 MB."""
        events = self._source.receive(self._batch_size)
        size = sum(map(batches.size_bytes, events))
        while len(events) < self._batch_size and size < batches.PAYLOAD_SIZE_MAX_BYTES:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0 or not self._source.wait(remaining_s, self._shutdown_event):
                break
            more = self._source.receive(self._batch_size - len(events))
            events += more
            size += sum(map(batches.size_bytes, more))
        return events

    def _cut(self, events: list[Event]) -> list[list[Event]]:
        groups = batches.split_by_group(events) if self._source.is_fifo else [events]
        return [batch for group in groups for batch in batches.split_by_size(group)]

    def _matching(self, events: list[Event]) -> list[Event]:
        """Filter criteria; "messages that don't satisfy the filter criteria are deleted from the queue"."""
        if not self._patterns or not events:
            return events
        matching = [event for event in events if self._matches(event)]
        dropped = [event for event in events if event not in matching]
        self._source.delete(dropped)
        return matching

    def _matches(self, event: Event) -> bool:
        view = {name: event[name] for name in event if name not in ("eventSource", "eventSourceARN", "awsRegion")}
        try:
            view["body"] = json.loads(event["body"])
        except ValueError:
            view["body"] = event["body"]
        return any(matches_event(pattern, view) for pattern in self._patterns)

    def _not_looping(self, events: list[Event]) -> list[Event]:
        """Without what a recursive loop sent too often: that stays in the queue until its redrive policy moves it."""
        return [event for event in events if not recursion.stops(_trace_header(event), self._function_arn)]

    def _process(self, batch: list[Event], visible_again_s: float) -> None:
        """Invoke the function with one batch and delete what it has dealt with."""
        try:
            answer = self._invoke(batch, visible_again_s)
            if answer is not None:
                self._source.delete(self._succeeded(batch, answer))
        except QueueGone:
            LOG.warning("event source mapping %s: queue %s went while a batch ran", self.uuid, self._source.arn)
        except Exception:
            LOG.exception("event source mapping %s: a batch of %d was lost sight of", self.uuid, len(batch))
            raise
        finally:
            self._slots.give_back()

    def _invoke(self, batch: list[Event], visible_again_s: float) -> invoker.Answer | None:
        """The function's answer; None when the batch goes back to the queue without one.

        "Lambda continues to retry the message until the message's timestamp exceeds your queue's visibility timeout, at
        which point Lambda drops the message" (Handling errors for an SQS event source: throttling). One that waits for
        this machine is throttled by it: invoked after that, it would be a second time.
        """
        payload, chains = batches.payload(batch), [_trace_header(event) for event in batch]
        pause_s = THROTTLE_BACKOFF_FIRST_S
        while True:
            try:
                return invoker.invoke(self._function_arn, payload, chains, visible_again_s)
            except invoker.Throttled:
                self._slots.failed()
            except invoker.NotInvoked as error:
                LOG.warning("event source mapping %s: %s", self.uuid, error)
                self._slots.failed()
                return None
            if time.monotonic() + pause_s >= visible_again_s:
                LOG.warning(
                    "event source mapping %s: a throttled batch of %d is dropped: its messages are visible again",
                    self.uuid, len(batch),
                )  # fmt: skip
                return None
            if self._shutdown_event.wait(pause_s):
                return None
            pause_s = min(2 * pause_s, THROTTLE_BACKOFF_MAX_S)

    def _succeeded(self, batch: list[Event], answer: invoker.Answer) -> list[Event]:
        """The messages that are dealt with; scales by what became of the batch.

        "When ReportBatchItemFailures is activated, Lambda doesn't scale down message polling when function invocations
        fail" (Handling errors for an SQS event source).
        """
        if answer.is_error:
            if not self._reports_items:
                self._slots.failed()
            return []
        self._slots.succeeded()
        if not self._reports_items:
            return batch
        try:
            failed = batches.failed_items(answer.payload, {event["messageId"] for event in batch})
        except batches.MalformedAnswer as error:
            LOG.info("event source mapping %s: partial batch response: %s", self.uuid, error)
            return []
        return [event for event in batch if event["messageId"] not in failed]

    def _set_state(self, state: EsmState) -> None:
        with self._state_lock:
            self.current_state = state
            self.state_transition_reason = self.user_state_reason
            if self.uuid in self._state.event_source_mappings and self._is_current():
                self.update_esm_state_in_store(state)

    def _is_current(self) -> bool:
        """Whether the provider has not put another worker in this one's place (an update does)."""
        return SERVICE_PLUGINS.require("lambda")._provider.esm_workers.get(self.uuid) in (self, None)

    def _finish(self) -> None:
        if self.current_state == EsmState.DELETING:
            self.delete_esm_in_store()
        elif self.current_state == EsmState.DISABLING:
            self._set_state(EsmState.DISABLED)


_MOST_WORKERS = 20_000


def _trace_header(event: Event) -> str | None:
    """What the sender's SDK passed on of its own trace."""
    header: str | None = event["attributes"].get("AWSTraceHeader")
    return header


def _limits(configuration: EventSourceMappingConfiguration) -> ScalingLimits:
    if provisioned := configuration.get("ProvisionedPollerConfig"):
        return ScalingLimits.provisioned(provisioned.get("MinimumPollers", 2), provisioned.get("MaximumPollers", 200))
    return ScalingLimits().capped((configuration.get("ScalingConfig") or {}).get("MaximumConcurrency"))
