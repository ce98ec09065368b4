"""The reason why a late run has not started, computed from values without I/O."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta

from satflow_ext.endpoints import LOCAL_POOL
from satflow_ext.models import WorkPool

LATE_AFTER = timedelta(seconds=3)
"""Delay of a run before a reason is given: a polling Prefect worker needs that long under normal conditions."""

WAITING_STATES = frozenset({"SCHEDULED", "PENDING"})


@dataclass(frozen=True)
class WaitingRun:
    """The data about a run that has not started.

    `slots` is the concurrency limit of its deployment, `pool_name` the work pool of the run, and `pool` the current state of that
    pool (None if it no longer exists). `active` is the number of runs that the local stack executes now, and `run_limit` the
    number that it executes at a time.
    """

    state_type: str
    state_name: str
    expected_start: datetime | None
    deployment_name: str | None
    slots: int | None
    pool_name: str | None
    pool: WorkPool | None
    active: int = 0
    run_limit: int | None = None


def explain_waiting(run: WaitingRun, now: datetime) -> str | None:
    """Return the reason as a sentence, None if the run is not late or no cause is visible."""
    if run.state_type not in WAITING_STATES or run.expected_start is None or now - run.expected_start < LATE_AFTER:
        return None
    if run.state_name == "AwaitingConcurrencySlot":
        return _explain_slots(run)
    if run.pool_name is None:
        return f"Deployment {run.deployment_name!r} has no work pool, so no Prefect worker starts its runs."
    return _explain_pool(run.pool_name, run.pool) or _explain_local_limit(run)


def _explain_slots(run: WaitingRun) -> str:
    limit = "its limit" if run.slots is None else f"{run.slots}"
    return f"Deployment {run.deployment_name!r} runs at most {limit} at a time; this one starts when another has ended."


def _explain_local_limit(run: WaitingRun) -> str | None:
    if run.pool_name != LOCAL_POOL or run.run_limit is None or run.active < run.run_limit:
        return None
    return (
        f"The local stack executes at most {run.run_limit} runs at a time (SATFLOW_RUN_LIMIT); "
        "this one starts when another has ended."
    )


def _explain_pool(name: str, pool: WorkPool | None) -> str | None:
    if pool is None:
        return f"Work pool {name!r} no longer exists. Register the flow again with another one."
    if pool.paused:
        return f"Work pool {name!r} is paused. Resume it: prefect work-pool resume {shlex.quote(name)}"
    if pool.online_workers == 0:
        command = "satflow up" if name == LOCAL_POOL else f"prefect worker start --pool {shlex.quote(name)}"
        return f"No Prefect worker polls work pool {name!r}. Start one: {command}"
    return None
