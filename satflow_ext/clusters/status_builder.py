"""Build the status of one cluster from its samples, with its events and the reasons for missing Dask workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.clusters.sample import ClusterSample
from satflow_ext.models import ClusterEvent, ClusterStatus

MAX_EVENTS = 50
"""Maximum number of events in a status."""
EMPTY_SAMPLE = ClusterSample(workers=(), tasks={})


@dataclass(frozen=True)
class WorkerCounts:
    """The planned and the requested number of Dask workers, and the reason why some are missing; None if unknown."""

    plan: int | None = None
    requested: int | None = None
    missing_reason: str | None = None


class StatusBuilder:
    """The status of one cluster, from its start to its end.

    Args:
        owner: owner of the cluster.
        started: start time of the cluster; None: now.
    """

    def __init__(self, owner: ClusterOwner, started: datetime | None = None) -> None:
        self._owner = owner
        self._started = started or _now()
        self._last_sample = EMPTY_SAMPLE
        self._events: deque[ClusterEvent] = deque(maxlen=MAX_EVENTS)
        self._is_unreachable = False

    def build_starting(self, missing_reason: str | None = None) -> ClusterStatus:
        """Return the status before the scheduler is contacted."""
        return self._build_status(
            "starting", EMPTY_SAMPLE, WorkerCounts(self._owner.plan, missing_reason=missing_reason)
        )

    def build_running(self, sample: ClusterSample, counts: WorkerCounts) -> ClusterStatus:
        """Return the status after an answer of the scheduler."""
        if self._is_unreachable:
            self._record_event("back")
        self._is_unreachable, self._last_sample = False, sample
        self._events.extend(sample.events)
        plan = _first_number(counts.plan, sample.requested, self._owner.plan)
        return self._build_status(
            "running",
            sample,
            WorkerCounts(plan, _first_number(counts.requested, sample.requested), counts.missing_reason),
        )

    def build_unreachable(self, problem: str) -> ClusterStatus:
        """Return the status of an unreachable scheduler: without Dask workers, and with the tasks of the last sample."""
        if not self._is_unreachable:
            self._record_event("unreachable")
        self._is_unreachable = True
        return self._build_status(
            "lost", ClusterSample((), self._last_sample.tasks), WorkerCounts(self._owner.plan), problem
        )

    def _record_event(self, kind: Literal["unreachable", "back"]) -> None:
        self._events.append(ClusterEvent(time=_now(), kind=kind, worker=None, tasks=0))

    def _build_status(
        self,
        state: Literal["starting", "running", "lost"],
        sample: ClusterSample,
        counts: WorkerCounts,
        problem: str | None = None,
    ) -> ClusterStatus:
        subject = self._owner
        return ClusterStatus(
            run_id=subject.run_id,
            run_name=subject.run_name,
            deployment_id=subject.deployment_id,
            deployment_name=subject.deployment.partition("/")[2],
            executor=subject.executor,
            state=state,
            problem=problem,
            plan=counts.plan,
            requested=counts.requested,
            observed=len(sample.workers),
            pending=None if state == "lost" else describe_missing_workers(sample, counts),
            worker_size=subject.worker_size,
            tasks=sample.tasks,
            workers=sample.workers,
            events=tuple(self._events),
            dashboard=sample.dashboard,
            started=self._started,
            updated=_now(),
        )


def describe_missing_workers(sample: ClusterSample, counts: WorkerCounts) -> str | None:
    """Explain why Dask workers are missing or why tasks cannot run, or return None if nothing is missing."""
    observed = len(sample.workers)
    coming = (counts.requested or 0) - observed
    unasked = (counts.plan or 0) - max(observed, counts.requested or 0)
    suffix = f": {counts.missing_reason}" if counts.missing_reason else ""
    lines = [
        f"{_format_workers(coming)} requested but not connected yet{suffix}." if coming > 0 else None,
        f"{_format_workers(unasked)} not requested yet." if unasked > 0 and counts.requested is not None else None,
        f"{_format_workers(unasked)} not connected yet{suffix}." if unasked > 0 and counts.requested is None else None,
        _describe_waiting_tasks(sample.tasks, observed),
        _describe_paused_workers(sum(worker.state == "paused" for worker in sample.workers)),
    ]
    return " ".join(filter(None, lines)) or None


def _first_number(*numbers: int | None) -> int | None:
    """Return the first number that is not None."""
    return next((number for number in numbers if number is not None), None)


def _describe_waiting_tasks(tasks: Mapping[str, int], observed: int) -> str | None:
    """Describe tasks that no Dask worker can run. Tasks are also "queued" while all Dask workers are busy."""
    number = tasks.get("no-worker", 0) + (0 if observed else tasks.get("queued", 0))
    reason = "no Dask worker has the required resources" if observed else "no Dask worker is connected"
    return f"{number} {'task waits' if number == 1 else 'tasks wait'}: {reason}." if number else None


def _describe_paused_workers(workers: int) -> str | None:
    """Describe paused Dask workers, which Dask pauses when their memory is nearly full."""
    return f"{_format_workers(workers)} paused: memory is nearly full." if workers else None


def _format_workers(number: int) -> str:
    return f"{number} Dask worker{'' if number == 1 else 's'}"


def _now() -> datetime:
    return datetime.now(timezone.utc)
