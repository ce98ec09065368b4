"""Certificates for Dask clients that user code opens to a cluster to which its process is already connected.

`prefect_dask.get_dask_client` passes only the scheduler's address, which is not enough to connect to a cluster with TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask
from distributed import get_client
from prefect.context import FlowRunContext

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

SETTING = "distributed.client.security-loader"


def install_security_loader() -> None:
    """Make clients without credentials call `load_security`, unless the user's Dask configuration sets another function."""
    if not dask.config.get(SETTING, None):
        dask.config.set({SETTING: f"{__name__}.{load_security.__name__}"})


def load_security(info: dict[str, str]) -> Security | None:
    """Return the credentials of this process's client for the scheduler at an address, None for other schedulers."""
    connected = _current_client()
    scheduler = connected.scheduler if connected else None
    return connected.security if connected and scheduler and scheduler.address == info["address"] else None


def _current_client() -> Client | None:
    """Return the task runner's client in a flow, or the Dask worker's client in a task."""
    try:
        return get_client()
    except ValueError:  # not in a Dask task; the client of a task runner is not the default one
        flow_run = FlowRunContext.get()
        return getattr(flow_run.task_runner, "_client", None) if flow_run else None
