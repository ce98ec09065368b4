"""The current activity of a Dask cluster, read from its scheduler in about two milliseconds."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import cloudpickle
from distributed import SchedulerPlugin
from distributed.comm.addressing import get_address_host

from satflow_ext.models import ClusterEvent, ClusterWorker

ANSWER_TIMEOUT = 5.0
"""Seconds that a scheduler has to answer. A killed scheduler is detected at once, a blocked one only by this timeout."""
NO_ANSWER_ERRORS = (OSError, RuntimeError, ValueError, asyncio.TimeoutError)
"""Errors raised by calls to a scheduler that does not answer; RuntimeError and ValueError if it no longer exists."""
ADDRESS = re.compile(r"[a-z]+://[^\s'>,]+")
PLUGIN_NAME = "satflow-status-1"
"""Name with a version number: a scheduler that has an older version gets this one in addition."""
HANDLER_NAME = "satflow_status_1"
"""Name of the handler that the plugin adds to the scheduler."""
MAX_EVENTS = 200
"""Number of events that the scheduler keeps for clients that connect later."""
WORKER_FIELDS = (
    "name",
    "threads",
    "state",
    "cpu",
    "memory",
    "managed",
    "spilled",
    "memory_limit",
    "executing",
    "ready",
)
"""Fields of each Dask worker in the reply, in this order."""


@dataclass(frozen=True)
class ClusterSample:
    """The connected Dask workers, the scheduler's tasks counted by state, and the events since the last sample.

    `requested` is the number of Dask workers requested from a Dask Gateway, None without a gateway. `dashboard` is the
    `host:port` of Dask's dashboard, None if there is none.
    """

    workers: tuple[ClusterWorker, ...]
    tasks: dict[str, int]
    events: tuple[ClusterEvent, ...] = ()
    requested: int | None = None
    dashboard: str | None = None


class SchedulerProbe:
    """Takes samples from one scheduler.

    Args:
        scheduler: distributed's `rpc` to the scheduler, or the `scheduler` of a Dask client.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._has_answered = False
        self._id: str | None = None
        self._last_event = 0

    async def take_sample(self) -> ClusterSample:
        """Take a sample.

        Raises:
            OSError: the scheduler does not answer (`distributed.CommClosedError` is an OSError).
            asyncio.TimeoutError: it did not answer in time; from Python 3.11 on this is also an OSError.
            ValueError: the scheduler accepts no code from clients.
        """
        answered, self._has_answered = self._has_answered, False
        sample = await asyncio.wait_for(self._read_sample(is_known=answered), ANSWER_TIMEOUT)
        self._has_answered = True
        return sample

    async def _read_sample(self, *, is_known: bool) -> ClusterSample:
        if not is_known:  # it may be another scheduler at the same address
            plugin = pickle_plugin()
            await self._scheduler.register_scheduler_plugin(plugin=plugin, name=PLUGIN_NAME, idempotent=True)
        reply: Mapping[str, Any] = await getattr(self._scheduler, HANDLER_NAME)(since=self._last_event)
        if reply["id"] != self._id and self._last_event:
            self._last_event = 0  # another scheduler numbers its events separately
            reply = await getattr(self._scheduler, HANDLER_NAME)(since=0)
        self._id = reply["id"]
        self._last_event = max([self._last_event, *(event[0] for event in reply["events"])])
        workers = map(_parse_worker, reply["workers"])
        return ClusterSample(
            workers=tuple(sorted(workers, key=lambda worker: (len(worker.name), worker.name))),
            tasks=dict(reply["tasks"]),
            events=tuple(map(_parse_event, reply["events"])),
            requested=reply["asked"],
            dashboard=reply["dashboard"],
        )


def describe_error(error: BaseException) -> str:
    """Describe the problem without the scheduler's address."""
    return f"The Dask scheduler does not answer: {ADDRESS.sub('…', str(error)) or type(error).__name__}"


def _parse_worker(row: Sequence[Any]) -> ClusterWorker:
    return ClusterWorker(**dict(zip(WORKER_FIELDS, row, strict=True)))


def _parse_event(row: Sequence[Any]) -> ClusterEvent:
    _, when, kind, worker, tasks = row
    return ClusterEvent(time=datetime.fromtimestamp(when, timezone.utc), kind=kind, worker=worker, tasks=tasks)


class SchedulerReporter(SchedulerPlugin):
    """Reports a cluster's status and records the Dask workers that joined and left."""

    idempotent = True
    name = PLUGIN_NAME

    async def start(self, scheduler: Any) -> None:
        """Initialize the plugin. Distributed calls this in the scheduler."""
        self.scheduler = scheduler
        self.names = {address: str(worker.name) for address, worker in scheduler.workers.items()}
        self.events: deque[tuple[int, float, str, str, int]] = deque(maxlen=MAX_EVENTS)
        self.number = 0
        self.missing = 0
        scheduler.handlers[HANDLER_NAME] = self.report_status

    def report_status(self, since: int) -> dict[str, Any]:
        """Return the current status of the cluster, with the events after this number."""
        gateway = self.scheduler.services.get("gateway")
        return {
            "id": self.scheduler.id,
            "workers": [self._worker_row(worker) for worker in self.scheduler.workers.values()],
            "tasks": self._count_tasks(),
            "events": [event for event in self.events if event[0] > since],
            "asked": getattr(gateway, "count", None),  # set by a Dask Gateway's service in the scheduler
            "dashboard": self._dashboard_address(),
        }

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """Record a Dask worker that joined. Distributed calls this for each one."""
        self.names[worker] = str(scheduler.workers[worker].name)
        self._record_event("replaced" if self.missing else "joined", self.names[worker], 0)
        self.missing = max(0, self.missing - 1)

    def log_event(self, topic: str, msg: Any) -> None:
        """Record a Dask worker that left. Distributed calls this for each event; only the event has `expected`."""
        if topic != "all" or not isinstance(msg, dict) or msg.get("action") != "remove-worker":
            return
        name = self.names.pop(msg["worker"], msg["worker"])
        if msg["expected"]:
            self._record_event("left", name, 0)
        else:
            self.missing += 1
            self._record_event("lost", name, len(msg["processing-tasks"]) + len(msg["lost-computed-tasks"]))

    def _record_event(self, kind: str, worker: str, tasks: int) -> None:
        self.number += 1
        self.events.append((self.number, time.time(), kind, worker, tasks))

    def _dashboard_address(self) -> str | None:
        """Return the address of Dask's dashboard, or None: only the dashboard adds an application to the HTTP server."""
        if not getattr(self.scheduler, "http_application", None) or not self.scheduler.http_application.applications:
            return None
        return f"{get_address_host(self.scheduler.address)}:{self.scheduler.http_server.port}"

    def _count_tasks(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for prefix in self.scheduler.task_prefixes.values():
            for state, number in prefix.states.items():
                if number:
                    totals[state] = totals.get(state, 0) + number
        return totals

    def _worker_row(self, worker: Any) -> tuple[Any, ...]:
        memory, counts = worker.memory, worker.metrics.get("task_counts", {})
        return (
            str(worker.name),
            worker.nthreads,
            worker.status.name,
            worker.metrics.get("cpu", 0.0),
            memory.process,
            memory.managed,
            memory.spilled,
            worker.memory_limit or 0,
            self._count_in_state(counts, "executing"),
            self._count_in_state(counts, "ready"),
        )

    @staticmethod
    def _count_in_state(counts: Mapping[Any, int], state: str) -> int:
        """Sum the counts of a state. Workers count by (task prefix, state) or by state, depending on distributed's version."""
        return sum(n for key, n in counts.items() if key == state or (isinstance(key, tuple) and key[-1] == state))


def pickle_plugin() -> bytes:
    """Pickle the plugin together with its code."""
    import satflow_ext.clusters.sample as this

    cloudpickle.register_pickle_by_value(this)
    try:
        return bytes(cloudpickle.dumps(SchedulerReporter()))
    finally:
        cloudpickle.unregister_pickle_by_value(this)
