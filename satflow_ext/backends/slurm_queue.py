"""States of the SLURM jobs of missing Dask workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from satflow_ext.backends.provider import MissingWorkers, find_unconnected_workers
from satflow_ext.backends.slurm_command import run_slurm_command
from satflow_ext.errors import ClusterFailed, ClusterNotStarted


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
    wanted = set(jobs)
    rows = [line.split("|", 2) for line in run_slurm_command("squeue", "--me", "--noheader", "--format=%i|%T|%r")]
    return {job: (state, reason) for job, state, reason in rows if job in wanted}
