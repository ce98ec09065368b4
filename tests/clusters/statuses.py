"""Statuses of a cluster as a flow run writes them."""

from __future__ import annotations

from datetime import datetime, timezone

from satflow_ext.models import ClusterStatus

RUN = "3f0a6a5e-6c1b-4c55-9c53-0b6f3a1d2e4f"


def status(run_id=RUN, state="running", tasks=None, updated=None):
    now = datetime.now(timezone.utc)
    return ClusterStatus(
        run_id=run_id,
        run_name="brisk-otter",
        deployment_id=None,
        deployment_name="tiles",
        executor="dask-local",
        state=state,
        problem=None,
        plan=2,
        requested=None,
        observed=0,
        pending=None,
        worker_size=None,
        tasks=tasks or {},
        workers=(),
        events=(),
        dashboard=None,
        started=now,
        updated=updated or now,
    )
