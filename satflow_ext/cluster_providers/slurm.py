"""Clusters on SLURM: the scheduler runs in the flow run's process, and each Dask worker is a job (dask-jobqueue)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from satflow_ext.cluster_providers.provider import (
    BACKEND_FIELD,
    OPTIONS_FIELD,
    ClusterProvider,
    MissingWorkers,
    ProviderRequest,
    find_unconnected_workers,
)
from satflow_ext.errors import ClusterFailed, ClusterNotStarted, ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings, SizeSettings

PARTITION_OPTION = "queue"
"""dask-jobqueue's name for a partition."""
OWNED_ARGUMENTS = {
    "n_workers": "n_workers",
    "cores": "worker_size",
    "memory": "worker_size",
    "gpus": "worker_size",
    **dict.fromkeys(("asynchronous", "job_cls", "loop", "processes", "protocol", "scheduler_cls", "security"), ""),
}
MIB = 1024**2
GPU_RESOURCE = re.compile(r"(?:^|,)gpu(?::[^,:(]+)?:(\d+)")
"""GPUs in a list of generic resources: `gpu:2`, `gpu:a100:4(S:0-1)`, `gpu:tesla:2,nvme:1` (sinfo's manual page, `%G`)."""
COMMAND_TIMEOUT = 20
"""Seconds. SLURM's commands block when the controller is down."""
FIX = "Check the output of `sinfo` on this machine."


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


@dataclass(frozen=True)
class Node:
    """Cores, memory in bytes, and GPUs of a node."""

    cores: int
    memory: int
    gpus: int


def list_nodes(partition: str | None) -> list[Node]:
    """List the kinds of nodes in a partition, or in all partitions.

    Raises:
        ClusterFailed: SLURM does not answer, or its output cannot be parsed.
    """
    chosen = (f"--partition={partition}",) if partition else ()
    return [
        _parse_node(line) for line in run_slurm_command("sinfo", "--noheader", "--exact", "--format=%c|%m|%G", *chosen)
    ]


def list_partitions() -> list[str]:
    """List the names of the partitions.

    Raises:
        ClusterFailed: SLURM does not answer.
    """
    return sorted(set(run_slurm_command("sinfo", "--noheader", "--format=%R")))


def _parse_node(line: str) -> Node:
    try:
        cores, memory, resources = line.split("|", 2)
        gpus = sum(int(number) for number in GPU_RESOURCE.findall(resources))
        return Node(int(cores.rstrip("+")), int(memory.rstrip("+")) * MIB, gpus)
    except ValueError:
        raise ClusterFailed(f"The output of sinfo cannot be parsed: {line!r}.", fix=FIX) from None


def find_missing_workers(cluster: Any) -> MissingWorkers:
    """Find the jobs of a cluster that are waiting, with the reasons, and those that ended unexpectedly.

    Raises:
        ClusterNotStarted: SLURM refused a job.
    """
    if cluster.refusal:
        raise ClusterNotStarted(
            f"SLURM refused a job: {cluster.refusal}.", fix="Check backend_options and worker_size."
        )
    jobs = {name: job.job_id for name, job in find_unconnected_workers(cluster).items() if job.job_id}
    if not jobs:
        return MissingWorkers()
    try:
        return summarize_jobs(jobs, _read_job_states(list(jobs.values())))
    except ClusterFailed as error:
        return MissingWorkers(reason=error.message.rstrip("."))


def summarize_jobs(jobs: Mapping[str, str], states: Mapping[str, tuple[str, str]]) -> MissingWorkers:
    """Summarize the states of these jobs.

    Args:
        jobs: name of the Dask worker → id of its job.
        states: id → state and reason of each job in SLURM's queue.
    """
    gone = frozenset(name for name, job in jobs.items() if job not in states)
    words = [f"job {job} is {state.lower()}{_format_reason(reason)}" for job, (state, reason) in sorted(states.items())]
    words += [f"job {jobs[name]} has ended" for name in sorted(gone)]
    return MissingWorkers(reason=", ".join(words), lost_names=gone)


def _format_reason(reason: str) -> str:
    return f" ({reason})" if reason not in ("", "None") else ""


def _read_job_states(jobs: list[str]) -> dict[str, tuple[str, str]]:
    """Read the states of these jobs. `squeue` fails for a single unknown job, so all jobs of this user are read."""
    job_ids = set(jobs)
    rows = [line.split("|", 2) for line in run_slurm_command("squeue", "--me", "--noheader", "--format=%i|%T|%r")]
    return {job: (state, reason) for job, state, reason in rows if job in job_ids}


SLURM = ClusterProvider(
    name="slurm",
    cluster_class="satflow_ext.cluster_providers.slurm_cluster:SlurmCluster",
    make_arguments=make_arguments,
    install="pip install 'satflow-ext[slurm]'",
    owned_arguments=OWNED_ARGUMENTS,
    validate_request=validate_request,
    check_availability=check_nodes,
    find_missing_workers=find_missing_workers,
)


def run_slurm_command(*words: str) -> list[str]:
    """Run a command and return the lines of its output.

    Raises:
        ClusterFailed: the command failed or timed out.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace", timeout=COMMAND_TIMEOUT, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ClusterFailed(f"SLURM: {_format_output(error.stderr) or f'{words[0]} failed'}.", fix=FIX) from None
    except (OSError, subprocess.TimeoutExpired):
        raise ClusterFailed(f"SLURM does not answer ({words[0]}).", fix=FIX) from None
    return done.stdout.splitlines()


def _format_output(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
