"""The current activity of a Dask cluster, read from its scheduler in about two milliseconds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from satflow_ext.clusters import scheduler_reporter
from satflow_ext.models import ClusterEvent, ClusterWorker

ANSWER_TIMEOUT = 5.0
"""Seconds that a scheduler has to answer. A killed scheduler is detected at once, a blocked one only by this timeout."""
NO_ANSWER_ERRORS = (OSError, RuntimeError, ValueError, asyncio.TimeoutError)
"""Errors raised by calls to a scheduler that does not answer; RuntimeError and ValueError if it no longer exists."""
ADDRESS = re.compile(r"[a-z]+://[^\s'>,]+")


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
            plugin = scheduler_reporter.pickle_plugin()
            await self._scheduler.register_scheduler_plugin(
                plugin=plugin, name=scheduler_reporter.PLUGIN_NAME, idempotent=True
            )
        reply: Mapping[str, Any] = await getattr(self._scheduler, scheduler_reporter.HANDLER_NAME)(
            since=self._last_event
        )
        if reply["id"] != self._id and self._last_event:
            self._last_event = 0  # another scheduler numbers its events separately
            reply = await getattr(self._scheduler, scheduler_reporter.HANDLER_NAME)(since=0)
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
    return ClusterWorker(**dict(zip(scheduler_reporter.WORKER_FIELDS, row, strict=True)))


def _parse_event(row: Sequence[Any]) -> ClusterEvent:
    _, when, kind, worker, tasks = row
    return ClusterEvent(time=datetime.fromtimestamp(when, timezone.utc), kind=kind, worker=worker, tasks=tasks)
