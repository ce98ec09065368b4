"""SatFlow: from a Prefect flow in a notebook cell to a scheduled, distributed, monitored run.

Importing this package loads no other modules, because a notebook kernel imports it at every start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from satflow_ext.executors.flow_cluster import dask_client
    from satflow_ext.kernel.api import preflight, register, save_block
    from satflow_ext.kernel.debug_run import debug_run
    from satflow_ext.kernel.group_handle import get_run_group, run_many
    from satflow_ext.kernel.load_flow import load_flow
    from satflow_ext.kernel.run_handle import get_run, run

__all__ = [
    "dask_client",
    "debug_run",
    "get_run",
    "get_run_group",
    "load_flow",
    "load_ipython_extension",
    "preflight",
    "register",
    "run",
    "run_many",
    "save_block",
]


def load_ipython_extension(ipython: Any) -> None:
    """Attach to IPython (`%load_ext satflow_ext`): add the `%register_flow` magic and the list of flows for the sidebar."""
    from satflow_ext.kernel.hook import attach_to_shell

    attach_to_shell(ipython)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Return the extension applications to load (a hook of Jupyter Server)."""
    from satflow_ext.server.app import SatflowApp

    return [{"module": "satflow_ext.server.app", "app": SatflowApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return the folder of the browser extension (a hook of JupyterLab)."""
    return [{"src": "labextension", "dest": "satflow-ext"}]


def __getattr__(name: str) -> object:
    """Load a public function when it is first used."""
    if name in ("preflight", "register", "save_block"):
        from satflow_ext.kernel import api

        return getattr(api, name)
    if name in ("get_run", "run"):
        from satflow_ext.kernel import run_handle

        return getattr(run_handle, name)
    if name in ("get_run_group", "run_many"):
        from satflow_ext.kernel import group_handle

        return getattr(group_handle, name)
    if name == "debug_run":
        from satflow_ext.kernel.debug_run import debug_run

        return debug_run
    if name == "load_flow":
        from satflow_ext.kernel.load_flow import load_flow

        return load_flow
    if name == "dask_client":
        from satflow_ext.executors.flow_cluster import dask_client

        return dask_client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
