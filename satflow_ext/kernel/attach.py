"""Kernel startup: register magics, completion and callbacks. Imports only the standard library, to keep startup fast."""

from __future__ import annotations

from typing import Any

from satflow_ext.cell_marks import SETUP_MAGIC, SKIP_PATTERN


def attach_to_shell(shell: Any) -> None:
    """Register the magics and the hook with an IPython shell. They import their implementation on first use."""
    from IPython.core.magic import no_var_expand

    from satflow_ext.kernel.hook import hook_of
    from satflow_ext.kernel.local_runs import provide_local_api
    from satflow_ext.kernel.setup_cell_recorder import recorder_of

    shell.register_magic_function(no_var_expand(_register_flow), "line", "register_flow")
    shell.register_magic_function(no_var_expand(_load_flow), "line", "load_flow")
    shell.register_magic_function(no_var_expand(_run_flow), "line", "run_flow")
    shell.register_magic_function(no_var_expand(_debug_run), "line", "debug_run")
    shell.register_magic_function(no_var_expand(_dask_cluster), "line", "dask_cluster")
    if _blank_marker_line not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_blank_marker_line)
    shell.set_hook("complete_command", _complete_line, str_key="%register_flow")
    recorder_of(shell)
    hook_of(shell)
    provide_local_api()


def _blank_marker_line(lines: list[str]) -> list[str]:
    """Blank the first line of a cell if it is `%%skip_registering` or `%%flow_setup`, so that the rest runs normally."""
    return ["\n", *lines[1:]] if lines and (SKIP_PATTERN.match(lines[0]) or SETUP_MAGIC.match(lines[0])) else lines


def _register_flow(line: str) -> Any:
    """Register a flow as a Prefect deployment; see `%register_flow --help`."""
    from satflow_ext.kernel.magics import register_flow

    return register_flow(line)


def _load_flow(line: str) -> Any:
    """Load a registered flow into the notebook; see `%load_flow --help`."""
    from satflow_ext.kernel.magics import load_flow

    return load_flow(line)


def _run_flow(line: str) -> Any:
    """Start a run of a registered flow; see `%run_flow --help`."""
    from satflow_ext.kernel.magics import run_flow

    return run_flow(line)


def _debug_run(line: str) -> Any:
    """Load a failed run into the notebook; see `%debug_run --help`."""
    from satflow_ext.kernel.magics import debug_run

    return debug_run(line)


def _dask_cluster(line: str) -> Any:
    """Manage the shared cluster of a deployment; see `%dask_cluster --help`."""
    from satflow_ext.kernel.magics import dask_cluster

    return dask_cluster(line)


def _complete_line(shell: Any, event: Any) -> list[str]:
    from satflow_ext.kernel.magics import complete_line

    return complete_line(shell, event)
