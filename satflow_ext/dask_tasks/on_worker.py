"""What a Dask worker is asked to do. Dask's scheduler imports this as well: Prefect is not loaded before there is a task."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from satflow_ext.main_module import allow_children

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from satflow_ext.dask_tasks.plugins import SharedContext
    from satflow_ext.dask_tasks.worker_context import Hydrated

PATIENCE = 5.0
"""Seconds. A worker that has just joined hears of tasks and of plugins in no fixed order."""


def run(name: str, call: bytes, from_dask: Mapping[str, Any]) -> State[Any]:
    """Run a task as Prefect's engine does.

    Args:
        name: of the context that it shares with others.
        call: a pickled `Call`.
        from_dask: what Dask has brought: final `states` of tasks that it waits for, `code`, `common` parameters; each where it
            did.
    """
    from satflow_ext.dask_tasks import client_security

    allow_children()
    client_security.install()
    return _hydrated(name).run(pickle.loads(call), from_dask)  # noqa: S301  # Dask runs what it is given anyway


def same(data: bytes) -> bytes:
    """Data that many tasks need, so that Dask brings it once to each worker."""
    return data


def _hydrated(name: str) -> Hydrated:
    from distributed import get_worker

    from satflow_ext.dask_tasks import worker_context

    plugins, deadline = get_worker().plugins, time.monotonic() + PATIENCE
    while name not in plugins:
        if time.monotonic() > deadline:
            raise RuntimeError("The flow run that this task belongs to has ended.")
        time.sleep(0.02)
    return worker_context.of(cast("SharedContext", plugins[name]))
