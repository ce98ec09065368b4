"""The task runs of a flow run, as Prefect knows them."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from tests.eventually import eventually


def task_runs(flow_run_id, n):
    """The n task runs of a flow run when Prefect knows the end of each, by name."""

    def ended():
        with get_client(sync_client=True) as client:
            of_run = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
            rows = client.read_task_runs(flow_run_filter=of_run)
        return len(rows) == n and all(row.state.is_final() or row.state.name == "NotReady" for row in rows) and rows

    return {row.name.rpartition("-")[0] or row.name: row for row in eventually(ended)}
