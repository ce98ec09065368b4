"""Flow runs whose processes ended with a stack: Prefect itself would call them running for ever."""

from __future__ import annotations

from collections.abc import Collection

from satflow_ext.stack.prefect_calls import FlowRun, PrefectCalls

STOPPED = "The local stack on this machine was stopped while this was running."
DIED = "The local stack on this machine died while this was running."


async def end_leftovers(calls: PrefectCalls, message: str, *, alive: Collection[int] = ()) -> int:
    """Give every run that was left over its final state; how many there were. Call it while no Prefect worker runs.

    Args:
        calls: to the stack's own Prefect server, whose runs are all of this machine.
        message: why they ended.
        alive: processes of this stack that live; a run of theirs goes on without its Prefect worker.
    """
    left = [run for run in await calls.unfinished_runs() if _pid(run) not in alive]
    for run in left:
        if run.state_type == "CANCELLING":
            await calls.end_run(run, "CANCELLED", "Cancelled", message)
        else:
            await calls.end_run(run, "CRASHED", "Crashed", message)
    return len(left)


def _pid(run: FlowRun) -> int | None:
    """Process id; Prefect writes `pid`, and before 3.8 `host:pid`."""
    pid = (run.infrastructure_pid or "").rpartition(":")[2]
    return int(pid) if pid.isdecimal() else None
