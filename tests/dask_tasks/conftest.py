"""A Dask cluster of two processes, and the local stack's Prefect API for flows that run in this process."""

from __future__ import annotations

import pytest
from distributed import LocalCluster
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings


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
