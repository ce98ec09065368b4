"""Clusters on SLURM: the scheduler runs in the flow run's process, and each Dask worker is a job (dask-jobqueue)."""

from __future__ import annotations

import shutil
from typing import Any

from satflow_ext.backends.base import BACKEND_FIELD, OPTIONS_FIELD, Asked, BackEnd
from satflow_ext.backends.slurm_nodes import Node, nodes_of, partitions_of
from satflow_ext.backends.slurm_queue import missing
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings, SizeSettings

QUEUE = "queue"
"""dask-jobqueue's name for a partition."""


def arguments(asked: Asked) -> dict[str, Any]:
    """Return the arguments of the class, with the worker size as the resources of each job."""
    size = {"cores": asked.cores, "memory": f"{asked.memory}B", "gpus": asked.gpus} if asked.size else {}
    return {**asked.options, **size}


def refuse(asked: Asked) -> None:
    """Refuse an invalid partition name.

    Raises:
        InvalidExecutorOption: the name is not a string.
    """
    if not isinstance(asked.options.get(QUEUE), str | None):
        raise InvalidExecutorOption(
            f"{QUEUE!r} of slurm must be the name of a partition.",
            fix='Write for example {"queue": "compute"}.',
            field=OPTIONS_FIELD,
        )


def check(asked: Asked, settings: Settings) -> None:
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
    queue = asked.options.get(QUEUE)
    nodes = nodes_of(queue if isinstance(queue, str) else None)
    if not nodes:
        raise InvalidExecutorOption(
            f"SLURM has no partition called {queue!r} with nodes.",
            fix=f"Choose one of {', '.join(partitions_of())}.",
            field=OPTIONS_FIELD,
        )
    if asked.size is not None:
        _refuse_unless_one_fits(asked, nodes, settings)


def _refuse_unless_one_fits(asked: Asked, nodes: list[Node], settings: Settings) -> None:
    assert asked.size is not None
    if _fits(settings.worker_sizes[asked.size], nodes):
        return
    names = [name for name, size in settings.worker_sizes.items() if _fits(size, nodes)]
    raise SizeRefused(
        f"SLURM has no node for a Dask worker of size {asked.size!r}: the largest nodes have {_largest(nodes)}.",
        fix=f"Choose one of {', '.join(names)}."
        if names
        else "Choose no worker size, and set cores in Dask's configuration.",
        field="executor.options.worker_size",
    )


def _fits(size: SizeSettings, nodes: list[Node]) -> bool:
    return any(
        size.cores <= node.cores and size.memory * GIB <= node.memory and size.gpus <= node.gpus for node in nodes
    )


def _largest(nodes: list[Node]) -> str:
    cores, memory, gpus = (max(getattr(node, name) for node in nodes) for name in ("cores", "memory", "gpus"))
    return f"{cores} cores, {memory / GIB:.1f} GiB, {gpus or 'no'} GPUs"


OWNED = {
    "n_workers": "n_workers",
    "cores": "worker_size",
    "memory": "worker_size",
    "gpus": "worker_size",
    **dict.fromkeys(("asynchronous", "job_cls", "loop", "processes", "protocol", "scheduler_cls", "security"), ""),
}

SLURM = BackEnd(
    name="slurm",
    cluster_class="satflow_ext.backends.slurm_cluster:SlurmCluster",
    arguments=arguments,
    install="pip install 'satflow-ext[slurm]'",
    owned=OWNED,
    refuse=refuse,
    check=check,
    missing=missing,
)
