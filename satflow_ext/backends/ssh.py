"""Clusters over SSH: the scheduler runs in the flow run's process, the Dask workers on hosts that accept a login."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.backends.base import BACKEND_FIELD, OPTIONS_FIELD, Asked, BackEnd, Missing
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings
from satflow_ext.validation_errors import in_words

if TYPE_CHECKING:
    from satflow_ext.backends.ssh_hosts import Reach

INSTALL = "pip install 'satflow-ext[ssh]'"
CLASS = "satflow_ext.backends.ssh_cluster:SshCluster"


def arguments(asked: Asked) -> dict[str, Any]:
    """Return the arguments of the class, with the worker size as threads and a memory limit."""
    size = {"nthreads": asked.cores, "memory_limit": asked.memory, "gpus": asked.gpus} if asked.size else {}
    return {**asked.options, **size}


def refuse(asked: Asked) -> None:
    """Refuse options without hosts or with invalid connection settings.

    Raises:
        InvalidExecutorOption: the hosts are not a list of names, or an option of the connection is invalid.
    """
    _reach(asked)


def check(asked: Asked, settings: Settings) -> None:
    """Log in to each host and check its packages and resources.

    Raises:
        ExtraMissing: asyncssh is not installed in this process.
        ClusterFailed: a host cannot be reached, or refuses the login.
        PythonMismatch: a host has a different Python version.
        DaskClusterUnfit: a host lacks packages that a Dask worker needs.
        SizeRefused: the hosts do not have the memory or the GPUs; the message lists the sizes that fit.
    """
    from satflow_ext.backends.ssh_hosts import look_at

    if importlib.util.find_spec("asyncssh") is None:  # may be installed only where the flow runs
        message = "asyncssh is not installed here, so the hosts cannot be checked during registration."
        raise ExtraMissing(message, fix=f"{INSTALL}.", field=BACKEND_FIELD)
    found = asyncio.run(look_at(_reach(asked)))
    if asked.size is not None:
        _refuse_unless_fits(asked, {name: (host.memory, host.gpus) for name, host in found.items()}, settings)


def _reach(asked: Asked) -> Reach:
    from satflow_ext.backends.ssh_hosts import Reach

    given = {name: value for name, value in asked.options.items() if name in Reach.model_fields}
    try:
        return Reach.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = f"{'.'.join(map(str, first['loc']))}: {in_words(first)}"
        raise InvalidExecutorOption(
            f"The options of ssh are invalid: {said}.", fix=EXAMPLE, field=OPTIONS_FIELD
        ) from None


def _refuse_unless_fits(asked: Asked, hosts: Mapping[str, tuple[int, int]], settings: Settings) -> None:
    each = math.ceil((asked.workers or asked.maximum or 1) / len(hosts))
    for name, (memory, gpus) in hosts.items():
        if each * (asked.memory or 0) > memory or each * asked.gpus > gpus:
            fitting = [
                size_name
                for size_name, size in settings.worker_sizes.items()
                if all(each * size.memory * GIB <= m and each * size.gpus <= g for m, g in hosts.values())
            ]
            raise SizeRefused(
                f"{name} cannot hold {each} Dask workers of size {asked.size!r}: it has {memory / GIB:.1f} GiB and "
                f"{gpus or 'no'} GPUs.",
                fix=f"Choose one of {', '.join(fitting)}, or fewer Dask workers."
                if fitting
                else "Choose fewer Dask workers, or no worker size.",
                field="executor.options.worker_size",
            )


def missing(cluster: Any) -> Missing:
    """Report the Dask workers that are missing and the reasons."""
    return cluster.missing()  # type: ignore[no-any-return]  # a `SshCluster`, which this module does not import


EXAMPLE = 'Write for example {"hosts": ["node1", "node2"], "username": "ada"}.'
OWNED = {
    "n_workers": "n_workers",
    "nthreads": "worker_size",
    "memory_limit": "worker_size",
    "gpus": "worker_size",
}

SSH = BackEnd(
    name="ssh",
    cluster_class=CLASS,
    arguments=arguments,
    install=INSTALL,
    owned=OWNED,
    refuse=refuse,
    check=check,
    missing=missing,
)
