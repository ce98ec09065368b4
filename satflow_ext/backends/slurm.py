"""Clusters on SLURM: the scheduler runs in the flow run's process, and each Dask worker is a job (dask-jobqueue)."""

from __future__ import annotations

import shutil
from typing import Any

from satflow_ext.backends.provider import BACKEND_FIELD, OPTIONS_FIELD, ClusterProvider, ProviderRequest
from satflow_ext.backends.slurm_nodes import Node, list_nodes, list_partitions
from satflow_ext.backends.slurm_queue import find_missing_workers
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings, SizeSettings

PARTITION_OPTION = "queue"
"""dask-jobqueue's name for a partition."""


def make_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the arguments of the class, with the worker size as the resources of each job."""
    size = {"cores": request.cores, "memory": f"{request.memory}B", "gpus": request.gpus} if request.size else {}
    return {**request.options, **size}


def validate_request(request: ProviderRequest) -> None:
    """Refuse an invalid partition name.

    Raises:
        InvalidExecutorOption: the name is not a string.
    """
    if not isinstance(request.options.get(PARTITION_OPTION), str | None):
        raise InvalidExecutorOption(
            f"{PARTITION_OPTION!r} of slurm must be the name of a partition.",
            fix='Write for example {"queue": "compute"}.',
            field=OPTIONS_FIELD,
        )


def check_nodes(request: ProviderRequest, settings: Settings) -> None:
    """Check that SLURM has nodes for the requested workers.

    Raises:
        ExtraMissing: this machine has no SLURM.
        ClusterFailed: SLURM does not answer.
        InvalidExecutorOption: the partition does not exist or has no nodes.
        SizeRefused: no node is large enough; the message lists the sizes that fit.
    """
    if shutil.which("sbatch") is None:
        fix = "Register and run flows on a machine that can submit SLURM jobs."
        raise ExtraMissing(
            "SLURM is not installed on this machine: sbatch was not found.", fix=fix, field=BACKEND_FIELD
        )
    queue = request.options.get(PARTITION_OPTION)
    nodes = list_nodes(queue if isinstance(queue, str) else None)
    if not nodes:
        raise InvalidExecutorOption(
            f"SLURM has no partition called {queue!r} with nodes.",
            fix=f"Choose one of {', '.join(list_partitions())}.",
            field=OPTIONS_FIELD,
        )
    if request.size is not None:
        _check_worker_size(request, nodes, settings)


def _check_worker_size(request: ProviderRequest, nodes: list[Node], settings: Settings) -> None:
    assert request.size is not None
    if _fits_a_node(settings.worker_sizes[request.size], nodes):
        return
    names = [name for name, size in settings.worker_sizes.items() if _fits_a_node(size, nodes)]
    raise SizeRefused(
        f"SLURM has no node for a Dask worker of size {request.size!r}: the largest nodes have {_largest_node_sizes(nodes)}.",
        fix=f"Choose one of {', '.join(names)}."
        if names
        else "Choose no worker size, and set cores in Dask's configuration.",
        field="executor.options.worker_size",
    )


def _fits_a_node(size: SizeSettings, nodes: list[Node]) -> bool:
    return any(
        size.cores <= node.cores and size.memory * GIB <= node.memory and size.gpus <= node.gpus for node in nodes
    )


def _largest_node_sizes(nodes: list[Node]) -> str:
    cores, memory, gpus = (max(getattr(node, name) for node in nodes) for name in ("cores", "memory", "gpus"))
    return f"{cores} cores, {memory / GIB:.1f} GiB, {gpus or 'no'} GPUs"


OWNED_ARGUMENTS = {
    "n_workers": "n_workers",
    "cores": "worker_size",
    "memory": "worker_size",
    "gpus": "worker_size",
    **dict.fromkeys(("asynchronous", "job_cls", "loop", "processes", "protocol", "scheduler_cls", "security"), ""),
}

SLURM = ClusterProvider(
    name="slurm",
    cluster_class="satflow_ext.backends.slurm_cluster:SlurmCluster",
    make_arguments=make_arguments,
    install="pip install 'satflow-ext[slurm]'",
    owned_arguments=OWNED_ARGUMENTS,
    validate_request=validate_request,
    check_availability=check_nodes,
    find_missing_workers=find_missing_workers,
)
