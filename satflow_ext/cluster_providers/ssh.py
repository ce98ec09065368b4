"""Clusters over SSH: the scheduler runs in the flow run's process, the Dask workers on hosts that accept a login."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.cluster_providers.provider import (
    BACKEND_FIELD,
    OPTIONS_FIELD,
    ClusterProvider,
    MissingWorkers,
    ProviderRequest,
)
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings
from satflow_ext.validation_errors import describe_error

if TYPE_CHECKING:
    from satflow_ext.cluster_providers.ssh_hosts import SshConnectionSettings

INSTALL = "pip install 'satflow-ext[ssh]'"
CLUSTER_CLASS = "satflow_ext.cluster_providers.ssh_cluster:SshCluster"


def make_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the arguments of the class, with the worker size as threads and a memory limit."""
    size = {"nthreads": request.cores, "memory_limit": request.memory, "gpus": request.gpus} if request.size else {}
    return {**request.options, **size}


def validate_request(request: ProviderRequest) -> None:
    """Refuse options without hosts or with invalid connection settings.

    Raises:
        InvalidExecutorOption: the hosts are not a list of names, or an option of the connection is invalid.
    """
    _parse_connection(request)


def check_hosts(request: ProviderRequest, settings: Settings) -> None:
    """Log in to each host and check its packages and resources.

    Raises:
        ExtraMissing: asyncssh is not installed in this process.
        ClusterFailed: a host cannot be reached, or refuses the login.
        PythonMismatch: a host has a different Python version.
        DaskClusterUnfit: a host lacks packages that a Dask worker needs.
        SizeRefused: the hosts do not have the memory or the GPUs; the message lists the sizes that fit.
    """
    from satflow_ext.cluster_providers.ssh_hosts import probe_hosts

    if importlib.util.find_spec("asyncssh") is None:  # may be installed only where the flow runs
        message = "asyncssh is not installed here, so the hosts cannot be checked during registration."
        raise ExtraMissing(message, fix=f"{INSTALL}.", field=BACKEND_FIELD)
    found = asyncio.run(probe_hosts(_parse_connection(request)))
    if request.size is not None:
        _check_worker_size(request, {name: (host.memory, host.gpus) for name, host in found.items()}, settings)


def _parse_connection(request: ProviderRequest) -> SshConnectionSettings:
    from satflow_ext.cluster_providers.ssh_hosts import SshConnectionSettings

    given = {name: value for name, value in request.options.items() if name in SshConnectionSettings.model_fields}
    try:
        return SshConnectionSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {describe_error(first)}"
        raise InvalidExecutorOption(
            f"The options of ssh are invalid: {problem}.", fix=EXAMPLE, field=OPTIONS_FIELD
        ) from None


def _check_worker_size(request: ProviderRequest, hosts: Mapping[str, tuple[int, int]], settings: Settings) -> None:
    each = math.ceil((request.workers or request.maximum or 1) / len(hosts))
    for name, (memory, gpus) in hosts.items():
        if each * (request.memory or 0) > memory or each * request.gpus > gpus:
            fitting = [
                size_name
                for size_name, size in settings.worker_sizes.items()
                if all(each * size.memory * GIB <= m and each * size.gpus <= g for m, g in hosts.values())
            ]
            raise SizeRefused(
                f"{name} cannot hold {each} Dask workers of size {request.size!r}: it has {memory / GIB:.1f} GiB and "
                f"{gpus or 'no'} GPUs.",
                fix=f"Choose one of {', '.join(fitting)}, or fewer Dask workers."
                if fitting
                else "Choose fewer Dask workers, or no worker size.",
                field="executor.options.worker_size",
            )


def find_missing_workers(cluster: Any) -> MissingWorkers:
    """Report the Dask workers that are missing and the reasons."""
    return cluster.find_missing_workers()  # type: ignore[no-any-return]  # a `SshCluster`, which this module does not import


EXAMPLE = 'Write for example {"hosts": ["node1", "node2"], "username": "ada"}.'
OWNED_ARGUMENTS = {
    "n_workers": "n_workers",
    "nthreads": "worker_size",
    "memory_limit": "worker_size",
    "gpus": "worker_size",
}

SSH = ClusterProvider(
    name="ssh",
    cluster_class=CLUSTER_CLASS,
    make_arguments=make_arguments,
    install=INSTALL,
    owned_arguments=OWNED_ARGUMENTS,
    validate_request=validate_request,
    check_availability=check_hosts,
    find_missing_workers=find_missing_workers,
)
