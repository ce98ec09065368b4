"""What a kernel does when it starts. Standard library only: it must cost nothing."""

from __future__ import annotations

from typing import Any


def attach(shell: Any) -> None:
    """Register the magic and the hook with an IPython shell. Both import the rest when they are first used."""
    from IPython.core.magic import no_var_expand

    from satflow_ext.kernel.hook import hook_of

    shell.register_magic_function(no_var_expand(_register_flow), "line", "register_flow")
    shell.register_magic_function(no_var_expand(_load_flow), "line", "load_flow")
    shell.register_magic_function(no_var_expand(_dask_cluster), "line", "dask_cluster")
    shell.set_hook("complete_command", _complete, str_key="%register_flow")
    hook_of(shell)


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
