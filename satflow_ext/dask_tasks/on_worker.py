"""Functions that Dask workers run. Dask's scheduler also imports this module, so Prefect is imported only in a task."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from satflow_ext.main_module import allow_children

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from satflow_ext.dask_tasks.plugins import SharedContext
    from satflow_ext.dask_tasks.worker_context import WorkerContext

PLUGIN_TIMEOUT = 5.0
"""Seconds. A worker that has just joined receives tasks and plugins in no fixed order."""


def run_task_call(name: str, call: bytes, from_dask: Mapping[str, Any]) -> State[Any]:
    """Run a task as Prefect's engine does.

    Args:
        name: name of the shared context.
        call: a pickled `Call`.
        from_dask: data delivered by Dask, each key only if needed: final `states` of tasks that it depends on, `code`, and
            `common` parameters.
    """
    from satflow_ext.dask_tasks import client_security

    allow_children()
    client_security.install_security_loader()
    return _find_worker_context(name).run_task(pickle.loads(call), from_dask)  # noqa: S301  # Dask runs pickled code anyway


def return_data(data: bytes) -> bytes:
    """Return the data unchanged, as a Dask task whose result Dask copies once to each worker."""
    return data


def _find_worker_context(name: str) -> WorkerContext:
    from distributed import get_worker

    from satflow_ext.dask_tasks import worker_context

    plugins, deadline = get_worker().plugins, time.monotonic() + PLUGIN_TIMEOUT
    while name not in plugins:
        if time.monotonic() > deadline:
            raise RuntimeError("The flow run of this task has ended.")
        time.sleep(0.02)
    return worker_context.get_worker_context(cast("SharedContext", plugins[name]))
