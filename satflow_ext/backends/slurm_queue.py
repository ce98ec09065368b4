"""What SLURM says of jobs whose Dask workers are not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from satflow_ext.backends.base import Missing, not_there
from satflow_ext.backends.slurm_command import ask
from satflow_ext.errors import ClusterFailed, ClusterNotStarted


def missing(cluster: Any) -> Missing:
    """Of the jobs of a cluster: which wait and why, and which have ended without anybody's asking.

    Raises:
        ClusterNotStarted: SLURM takes no such job.
    """
    if cluster.refused:
        raise ClusterNotStarted(f"SLURM took no job: {cluster.refused}.", fix="Check backend_options and worker_size.")
    jobs = {name: job.job_id for name, job in not_there(cluster).items() if job.job_id}
    if not jobs:
        return Missing()
    try:
        return tell(jobs, _states(list(jobs.values())))
    except ClusterFailed as error:
        return Missing(why=error.message.rstrip("."))


def tell(jobs: Mapping[str, str], states: Mapping[str, tuple[str, str]]) -> Missing:
    """The same.

    Args:
        jobs: name of the Dask worker → id of its job.
        states: id → state and reason of each job that SLURM has.
    """
    gone = frozenset(name for name, job in jobs.items() if job not in states)
    words = [f"job {job} is {state.lower()}{_because(reason)}" for job, (state, reason) in sorted(states.items())]
    words += [f"job {jobs[name]} is gone" for name in sorted(gone)]
    return Missing(why=", ".join(words), gone=gone)


def _because(reason: str) -> str:
    return f" ({reason})" if reason not in ("", "None") else ""


def _states(jobs: list[str]) -> dict[str, tuple[str, str]]:
    """`squeue` fails where the only job asked for is unknown, so all of this user's are read."""
    wanted = set(jobs)
    rows = [line.split("|", 2) for line in ask("squeue", "--me", "--noheader", "--format=%i|%T|%r")]
    return {job: (state, reason) for job, state, reason in rows if job in wanted}
