"""Scheduler plugin that reports the status of a cluster in one reply: its Dask workers, its tasks and its events.

The plugin is pickled by value, because the scheduler may not have this package installed; this module imports only packages
that every scheduler has. The reply consists of plain lists and numbers, which are cheap to produce (docs/decisions/0019).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cloudpickle
from distributed import SchedulerPlugin
from distributed.comm.addressing import get_address_host

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
    import satflow_ext.clusters.scheduler_reporter as this

    cloudpickle.register_pickle_by_value(this)
    try:
        return bytes(cloudpickle.dumps(SchedulerReporter()))
    finally:
        cloudpickle.unregister_pickle_by_value(this)
