"""A Dask cluster of two processes, and the local stack's Prefect API for flows that run in this process."""

from __future__ import annotations

import pytest
from distributed import LocalCluster
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from tests.eventually import eventually


@pytest.fixture(scope="module")
def api(stack):
    """Flows of this process report to the local stack."""
    where = stack.endpoints.prefect
    with temporary_settings({PREFECT_API_URL: where.url, PREFECT_API_AUTH_STRING: where.auth_string}):
        yield where


@pytest.fixture(scope="module")
def cluster(house):
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        yield cluster


def task_runs(flow_run_id, n):
    """The n task runs of a flow run when Prefect knows the end of each, by name."""

    def ended():
        with get_client(sync_client=True) as client:
            of_run = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
            rows = client.read_task_runs(flow_run_filter=of_run)
        return len(rows) == n and all(row.state.is_final() or row.state.name == "NotReady" for row in rows) and rows

    return {row.name.rpartition("-")[0] or row.name: row for row in eventually(ended)}
