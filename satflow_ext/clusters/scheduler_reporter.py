"""What tells of a cluster from inside its Dask scheduler, in one answer: its Dask workers, its tasks, and what happened to it.

It travels by value: the scheduler may not have this package, so this module imports only what each scheduler has. What it
answers with are plain lists and numbers, which cost the scheduler little (docs/decisions/0019).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cloudpickle
from distributed import SchedulerPlugin
from distributed.comm.addressing import get_address_host

NAME = "satflow-status-1"
"""With the number of its kind: a scheduler that has an older one gets this beside it."""
CALL = "satflow_status_1"
"""What a scheduler that has the plugin is asked."""
KEPT = 200
"""Events that the scheduler keeps, for those who ask late."""
ROW = ("name", "threads", "state", "cpu", "memory", "managed", "spilled", "memory_limit", "executing", "ready")
"""What is said of each Dask worker, in this order."""


class Reporter(SchedulerPlugin):
    """Answers what a cluster's status is, and keeps which Dask workers came and went."""

    idempotent = True
    name = NAME

    async def start(self, scheduler: Any) -> None:
        """Distributed calls this in the scheduler."""
        self.scheduler = scheduler
        self.names = {address: str(worker.name) for address, worker in scheduler.workers.items()}
        self.events: deque[tuple[int, float, str, str, int]] = deque(maxlen=KEPT)
        self.number = 0
        self.missing = 0
        scheduler.handlers[CALL] = self.report

    def report(self, since: int) -> dict[str, Any]:
        """How the cluster is now, and its events after that number."""
        gateway = self.scheduler.services.get("gateway")
        return {
            "id": self.scheduler.id,
            "workers": [self._row(worker) for worker in self.scheduler.workers.values()],
            "tasks": self._tasks(),
            "events": [event for event in self.events if event[0] > since],
            "asked": getattr(gateway, "count", None),  # of a Dask Gateway, by the part of it that is in the scheduler
            "dashboard": self._dashboard(),
        }

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """Distributed calls this for each that has joined."""
        self.names[worker] = str(scheduler.workers[worker].name)
        self._happened("replaced" if self.missing else "joined", self.names[worker], 0)
        self.missing = max(0, self.missing - 1)

    def log_event(self, topic: str, msg: Any) -> None:
        """Distributed calls this for each event; only here is said whether a worker was expected to go."""
        if topic != "all" or not isinstance(msg, dict) or msg.get("action") != "remove-worker":
            return
        name = self.names.pop(msg["worker"], msg["worker"])
        if msg["expected"]:
            self._happened("left", name, 0)
        else:
            self.missing += 1
            self._happened("lost", name, len(msg["processing-tasks"]) + len(msg["lost-computed-tasks"]))

    def _happened(self, kind: str, worker: str, tasks: int) -> None:
        self.number += 1
        self.events.append((self.number, time.time(), kind, worker, tasks))

    def _dashboard(self) -> str | None:
        """Where Dask's own pages are, None where none are served: only they are an application beside the plain routes."""
        if not getattr(self.scheduler, "http_application", None) or not self.scheduler.http_application.applications:
            return None
        return f"{get_address_host(self.scheduler.address)}:{self.scheduler.http_server.port}"

    def _tasks(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for prefix in self.scheduler.task_prefixes.values():
            for state, number in prefix.states.items():
                if number:
                    totals[state] = totals.get(state, 0) + number
        return totals

    def _row(self, worker: Any) -> tuple[Any, ...]:
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
            self._number(counts, "executing"),
            self._number(counts, "ready"),
        )

    @staticmethod
    def _number(counts: Mapping[Any, int], state: str) -> int:
        """Workers count by (task prefix, state) or by state, depending on distributed's version."""
        return sum(n for key, n in counts.items() if key == state or (isinstance(key, tuple) and key[-1] == state))


def pickled() -> bytes:
    """The plugin with its code."""
    import satflow_ext.clusters.scheduler_reporter as this

    cloudpickle.register_pickle_by_value(this)
    try:
        return bytes(cloudpickle.dumps(Reporter()))
    finally:
        cloudpickle.unregister_pickle_by_value(this)
