"""Orphaned runs: flow runs whose processes ended with a stack. Prefect would show them as running permanently."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from satflow_ext.process_identity import is_alive
from satflow_ext.stack import stack_processes
from satflow_ext.stack.prefect_calls import FlowRun, PrefectCalls

STACK_STOPPED = "The local stack on this machine was stopped while this was running."
STACK_DIED = "The local stack on this machine died while this was running."
WORKER_DIED = "The Prefect worker of the local stack was killed, and the process of this run with it."
KERNEL_ENDED = "The kernel that executed this run was restarted or ended."
PROCESS_KILLED = (
    "The process of this run ended without a final state: it was killed after its Prefect worker had ended."
)


async def end_orphaned_runs(calls: PrefectCalls, message: str, *, mark: str | None = None) -> int:
    """Set the final state of every orphaned run and return their number. Call it while no Prefect worker runs.

    Args:
        calls: calls to the stack's own Prefect server, all of whose runs belong to this machine.
        message: reason for the end of the runs.
        mark: mark of this stack's processes, if some may be alive: a run with a live process continues without its worker.
    """
    left = await calls.read_unfinished_runs()
    if mark is not None:
        left = await asyncio.to_thread(lambda: [run for run in left if not has_process(run, mark)])
    await end_runs(calls, left, message)
    return len(left)


async def end_runs(calls: PrefectCalls, runs: Iterable[FlowRun], message: str) -> None:
    """Set the final state of runs without processes: Cancelled if a cancellation was requested, otherwise Crashed."""
    for run in runs:
        if run.state_type == "CANCELLING":
            await calls.end_run(run, "CANCELLED", "Cancelled", message)
        else:
            reason = KERNEL_ENDED if run.is_in_kernel and message == PROCESS_KILLED else message
            await calls.end_run(run, "CRASHED", "Crashed", reason)


def has_process(run: FlowRun, mark: str) -> bool:
    """Return whether the process of a run is alive, and is a kernel or belongs to the stack with this mark."""
    pid = parse_pid(run)
    if run.is_in_kernel:
        return pid is not None and is_alive(pid, (run.infrastructure_pid or "").partition(":")[0])
    return pid is not None and stack_processes.executes_run(pid, mark, run.id)


def parse_pid(run: FlowRun) -> int | None:
    """Return the process id of a run. Prefect writes `pid`, and before 3.8 `host:pid`; a kernel writes `identity:pid`."""
    pid = (run.infrastructure_pid or "").rpartition(":")[2]
    return int(pid) if pid.isdecimal() else None
