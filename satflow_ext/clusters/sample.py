"""What a Dask cluster is doing now, asked through a dask client in about two milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from satflow_ext.models import ClusterWorker

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Sample:
    """Dask workers that have checked in, and the scheduler's tasks counted by state."""

    workers: tuple[ClusterWorker, ...]
    tasks: dict[str, int]


def take(dask_client: Client) -> Sample:
    """Ask the scheduler.

    Raises:
        OSError: the scheduler does not answer (`distributed.CommClosedError` and time-outs are OSErrors).
    """
    if dask_client.status != "running":
        # A client that tries to reconnect would keep the next call waiting for half a minute.
        raise ConnectionError(f"the connection is {dask_client.status}")
    # n_workers=-1: the default leaves out all but five workers.
    info = dask_client.scheduler_info(n_workers=-1)
    tasks = dask_client.run_on_scheduler(_counter())  # type: ignore[no-untyped-call]  # distributed is typed in part
    workers = [_worker(row) for row in info["workers"].values()]
    return Sample(workers=tuple(sorted(workers, key=lambda worker: (len(worker.name), worker.name))), tasks=tasks)


def _counter() -> Any:
    """A function that counts tasks, made anew so that it travels by value: the scheduler may not have this package."""

    def count(dask_scheduler: Any) -> dict[str, int]:
        totals: dict[str, int] = {}
        for prefix in dask_scheduler.task_prefixes.values():
            for state, number in prefix.states.items():
                totals[state] = totals.get(state, 0) + number
        return totals

    return count


def _worker(row: Mapping[str, Any]) -> ClusterWorker:
    metrics = row["metrics"]
    counts: Mapping[Any, int] = metrics["task_counts"]
    return ClusterWorker(
        name=str(row["name"]),
        threads=row["nthreads"],
        cpu=metrics["cpu"],
        memory=metrics["memory"],
        memory_limit=row["memory_limit"] or 0,
        executing=_number(counts, "executing"),
        ready=_number(counts, "ready"),
    )


def _number(counts: Mapping[Any, int], state: str) -> int:
    """Workers count by (task prefix, state) or by state, depending on distributed's version."""
    return sum(
        number for key, number in counts.items() if key == state or (isinstance(key, tuple) and key[-1] == state)
    )
