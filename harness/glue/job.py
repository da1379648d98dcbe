"""Runs of the batch job: each is a `spark-submit` of its own, as Glue starts each with a fresh Spark.

In: a pipeline with a `[batch]` section and a stack. Out: a `MergeRun` for the same schedule, ledger and probes that
the merge job has, and the `batch_run` event that says which files it took, how long what took and why it failed.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.glue import billing, submit
from harness.glue.environment import GlueEnvironment
from harness.merge import MergeJob, MergeRun, TypeMerge
from harness.pipeline import Pipeline
from harness.stack.endpoints import Endpoints
from harness.stack.processes import Child, spawn

OUT_OF_MEMORY = "OutOfMemoryError"


@dataclass(frozen=True)
class BatchRun:
    """A run that has ended. `said` are the job's own events; `status` is `ok`, `failed` or `timeout`."""

    run_id: str
    started_s: float
    ended_s: float
    status: str
    error: str | None
    said: tuple[dict[str, Any], ...]

    def _of(self, event: str, type_name: str) -> dict[str, Any]:
        found = (one for one in self.said if one["event"] == event and one.get("type") == type_name)
        return next(found, {})

    def merges(self, types: Iterable[str]) -> tuple[TypeMerge, ...]:
        """What became of each type, as the merge job would tell it."""
        found = []
        for name in types:
            committed = self._of("committed", name)
            found.append(
                TypeMerge(
                    name, committed.get("merge_started_s", self.started_s), committed.get("committed_s"),
                    tuple(committed.get("rows", ())), None if committed else self.error or "not reached",
                )
            )  # fmt: skip
        return tuple(found)

    def to_event(self, pipeline: Pipeline) -> dict[str, Any]:
        """The fields of its `batch_run` event."""
        batch = submit.batch_of(pipeline)
        types = []
        for name in pipeline.types:
            listed, converted, committed = (self._of(event, name) for event in ("listed", "converted", "committed"))
            types.append(
                {
                    "type": name, "keys": listed.get("keys", []), "objects": listed.get("objects"),
                    "list_s3_s": listed.get("took_s"), "list_requests": listed.get("requests"),
                    **{key: converted.get(key) for key in ("partitions", "fetch_s", "list_s", "plan_s", "write_s")},
                    "driver_memory": converted.get("driver_memory"),
                    "copy_started_s": committed.get("copy_started_s"),
                    "merge_started_s": committed.get("merge_started_s"), "committed_s": committed.get("committed_s"),
                }
            )  # fmt: skip
        ready = next((one["at_s"] for one in self.said if one["event"] == "spark_ready"), None)
        return {
            "run_id": self.run_id, "job": pipeline.name, "started_s": self.started_s, "ended_s": self.ended_s,
            "status": self.status, "error": self.error, "types": types, "workers": batch.workers,
            "worker_type": batch.worker_type, "driver_memory_mb": batch.driver_memory_mb,
            "spark_ready_s": None if ready is None else round(ready - self.started_s, 3),
            "dpu_s": round(billing.dpu_seconds(batch, self.ended_s - self.started_s), 3),
        }  # fmt: skip


@dataclass
class BatchJob:
    """The job of a pipeline on a stack. `work` keeps the bookmark from one run to the next."""

    glue: GlueEnvironment
    pipeline: Pipeline
    merge_job: MergeJob
    work: Path
    logs: Path
    on_run: Callable[[BatchRun], None]
    _child: Child | None = None

    def run(self, endpoints: Endpoints, number: int, due_s: float) -> MergeRun:
        """Run the job once, whatever comes of it."""
        ran = self._run_once(endpoints, f"{self.pipeline.name}-{number}")
        self.on_run(ran)
        return MergeRun(
            number, due_s, ran.started_s, ran.ended_s, max(0.0, ran.started_s - due_s), ran.merges(self.pipeline.types)
        )

    def _run_once(self, endpoints: Endpoints, run_id: str) -> BatchRun:
        self.work.mkdir(parents=True, exist_ok=True)
        out, log = self.work / f"{run_id}.jsonl", self.logs / f"{run_id}.log"
        started_s = time.time()
        with out.open("wb") as stdout:
            child = self._child = spawn(
                run_id, submit.command(self.glue, self.pipeline, self.merge_job, self.work), log,
                environment=submit.environment(self.glue, self.pipeline, endpoints, self.work),
                directory=self.work, stdout=stdout,
            )  # fmt: skip
            try:
                exit_code: int | None = child.process.wait(submit.batch_of(self.pipeline).timeout_s)
            except subprocess.TimeoutExpired:
                exit_code = None
                self.end()
        said = tuple(_events(out))
        if exit_code == 0:
            return BatchRun(run_id, started_s, time.time(), "ok", None, said)
        status = "failed" if exit_code is not None else "timeout"
        return BatchRun(run_id, started_s, time.time(), status, _why(exit_code, said, (out, log)), said)

    def end(self) -> None:
        """End the run that is going on, Spark and all."""
        if self._child is not None and self._child.is_alive():
            # a session of its own: Spark's JVM and the script that it has started
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.process.wait()


def _events(path: Path) -> Iterable[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        # Spark may write there too, and a line may be cut short
        with suppress(json.JSONDecodeError):
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("event"), str) and "at_s" in event:
                yield event


def _why(exit_code: int | None, said: tuple[dict[str, Any], ...], logs: Sequence[Path]) -> str:
    """Why a run failed, in a line; Java's own last words are on standard output."""
    lines = [line.strip() for log in logs for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if memory := next((line for line in lines if OUT_OF_MEMORY in line), None):
        return f"the driver ran out of memory: {memory}"
    if exit_code is None:
        return "it took longer than batch.timeout_s"
    if failed := next((one for one in said if one["event"] == "job_failed"), None):
        return f"{failed['error_type']}: {failed['error']}"
    return f"exit code {exit_code}: {' | '.join(lines[-2:]) or 'it said nothing'}"
