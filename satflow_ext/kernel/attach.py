"""What a kernel does when it starts. Standard library only: it must cost nothing."""

from __future__ import annotations

import re
from typing import Any

from satflow_ext.kernel.setup_cells import MAGIC as SETUP

SKIP = re.compile(r"\s*%%skip_registering\b")
"""The first line of a cell that `satflow register` leaves out."""


def attach(shell: Any) -> None:
    """Register the magic and the hook with an IPython shell. Both import the rest when they are first used."""
    from IPython.core.magic import no_var_expand

    from satflow_ext.kernel.hook import hook_of
    from satflow_ext.kernel.setup_cells import recorder_of

    shell.register_magic_function(no_var_expand(_register_flow), "line", "register_flow")
    shell.register_magic_function(no_var_expand(_load_flow), "line", "load_flow")
    shell.register_magic_function(no_var_expand(_dask_cluster), "line", "dask_cluster")
    if _without_mark not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_without_mark)
    shell.set_hook("complete_command", _complete, str_key="%register_flow")
    recorder_of(shell)
    hook_of(shell)


def _without_mark(lines: list[str]) -> list[str]:
    """Run a cell with `%%skip_registering` or `%%flow_setup` as if that line were empty."""
    return ["\n", *lines[1:]] if lines and (SKIP.match(lines[0]) or SETUP.match(lines[0])) else lines


def _register_flow(line: str) -> Any:
    """Register a flow as a Prefect deployment; `%register_flow --help` says how."""
    from satflow_ext.kernel.magic import register_flow

    return register_flow(line)


def _load_flow(line: str) -> Any:
    """Bring a registered flow back into the notebook; `%load_flow --help` says how."""
    from satflow_ext.kernel.load_magic import load_flow

    return load_flow(line)


def _dask_cluster(line: str) -> Any:
    """Manage the cluster that a deployment's runs share; `%dask_cluster --help` says how."""
    from satflow_ext.kernel.cluster_magic import dask_cluster

    return dask_cluster(line)


def _complete(shell: Any, event: Any) -> list[str]:
    from satflow_ext.kernel.complete import complete

    return complete(shell, event)
