"""Build the status of one cluster from its samples, with its events and the reasons for missing Dask workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from satflow_ext.clusters.cluster_owner import Subject
from satflow_ext.clusters.sample import Sample
from satflow_ext.models import ClusterEvent, ClusterStatus

KEPT = 50
"""Maximum number of events in a status."""
NOTHING = Sample(workers=(), tasks={})


@dataclass(frozen=True)
class Counts:
    """The planned and the requested number of Dask workers, and the reason why some are missing; None if unknown."""

    plan: int | None = None
    requested: int | None = None
    waiting: str | None = None


class Told:
    """The status of one cluster, from its start to its end.

    Args:
        subject: owner of the cluster.
        started: start time of the cluster; None: now.
    """

    def __init__(self, subject: Subject, started: datetime | None = None) -> None:
        self._subject = subject
        self._started = started or _now()
        self._last = NOTHING
        self._events: deque[ClusterEvent] = deque(maxlen=KEPT)
        self._away = False

    def starting(self, waiting: str | None = None) -> ClusterStatus:
        """Return the status before the scheduler is contacted."""
        return self._status("starting", NOTHING, Counts(self._subject.plan, waiting=waiting))

    def seen(self, sample: Sample, counts: Counts) -> ClusterStatus:
        """Return the status after an answer of the scheduler."""
        if self._away:
            self._happened("back")
        self._away, self._last = False, sample
        self._events.extend(sample.events)
        plan = _first(counts.plan, sample.asked, self._subject.plan)
        return self._status("running", sample, Counts(plan, _first(counts.requested, sample.asked), counts.waiting))

    def missed(self, problem: str) -> ClusterStatus:
        """Return the status of an unreachable scheduler: without Dask workers, and with the tasks of the last sample."""
        if not self._away:
            self._happened("unreachable")
        self._away = True
        return self._status("lost", Sample((), self._last.tasks), Counts(self._subject.plan), problem)

    def _happened(self, kind: Literal["unreachable", "back"]) -> None:
        self._events.append(ClusterEvent(time=_now(), kind=kind, worker=None, tasks=0))

    def _status(
        self,
        state: Literal["starting", "running", "lost"],
        sample: Sample,
        counts: Counts,
        problem: str | None = None,
    ) -> ClusterStatus:
        subject = self._subject
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
            pending=None if state == "lost" else pending(sample, counts),
            worker_size=subject.worker_size,
            tasks=sample.tasks,
            workers=sample.workers,
            events=tuple(self._events),
            dashboard=sample.dashboard,
            started=self._started,
            updated=_now(),
        )


def pending(sample: Sample, counts: Counts) -> str | None:
    """Explain why Dask workers are missing or why tasks cannot run, or return None if nothing is missing."""
    observed = len(sample.workers)
    coming = (counts.requested or 0) - observed
    unasked = (counts.plan or 0) - max(observed, counts.requested or 0)
    why = f": {counts.waiting}" if counts.waiting else ""
    lines = [
        f"{_workers(coming)} requested but not connected yet{why}." if coming > 0 else None,
        f"{_workers(unasked)} not requested yet." if unasked > 0 and counts.requested is not None else None,
        f"{_workers(unasked)} not connected yet{why}." if unasked > 0 and counts.requested is None else None,
        _homeless(sample.tasks, observed),
        _paused(sum(worker.state == "paused" for worker in sample.workers)),
    ]
    return " ".join(filter(None, lines)) or None


def _first(*numbers: int | None) -> int | None:
    """Return the first number that is not None."""
    return next((number for number in numbers if number is not None), None)


def _homeless(tasks: Mapping[str, int], observed: int) -> str | None:
    """Describe tasks that no Dask worker can run. Tasks are also "queued" while all Dask workers are busy."""
    number = tasks.get("no-worker", 0) + (0 if observed else tasks.get("queued", 0))
    why = "no Dask worker has the required resources" if observed else "no Dask worker is connected"
    return f"{number} {'task waits' if number == 1 else 'tasks wait'}: {why}." if number else None


def _paused(workers: int) -> str | None:
    """Describe paused Dask workers, which Dask pauses when their memory is nearly full."""
    return f"{_workers(workers)} paused: memory is nearly full." if workers else None


def _workers(number: int) -> str:
    return f"{number} Dask worker{'' if number == 1 else 's'}"


def _now() -> datetime:
    return datetime.now(timezone.utc)
