"""dask-jobqueue's SLURM cluster, with TLS between all parts, and nothing of it on a disk. Imported in flow runs only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import dask
from dask_jobqueue import SLURMCluster
from dask_jobqueue.slurm import SLURMJob
from distributed.deploy.spec import ProcessInterface
from distributed.security import Security

from satflow_ext.backends.worker_environment import NO_PAGES, exports
from satflow_ext.credentials import redacting_filter

LIBRARYS_WALLTIME = "00:30:00"
"""dask-jobqueue's own default. A task that takes longer would never end; the partition's limit holds in its place."""


class SlurmJob(SLURMJob):  # type: ignore[misc]  # dask-jobqueue is not typed
    """One Dask worker. Its script has the key of its TLS, so it goes to `sbatch` by its standard input."""

    refused: str | None = None
    """What `sbatch` said last where it took no job."""

    async def start(self) -> None:
        """Submit the job.

        Raises:
            RuntimeError: SLURM does not take it.
        """
        try:
            said = await _submitted(self.job_script())
        except RuntimeError as error:
            SlurmJob.refused = str(error)
            raise
        SlurmJob.refused = None
        self.job_id = self._job_id_from_submit_output(said)
        await ProcessInterface.start(self)  # type: ignore[no-untyped-call]  # distributed is typed in part


class SlurmCluster(SLURMCluster):  # type: ignore[misc]  # dask-jobqueue is not typed
    """One job for each Dask worker.

    Args:
        cores: of each; without it dask-jobqueue's settings hold, or 1.
        memory: of each; without it dask-jobqueue's settings hold, or 2 GiB.
        gpus: of each.
        walltime: of each job; empty: as long as the partition lets it.
        scheduler_options: of the Dask scheduler, such as `interface` or `host`.
        job_script_prologue: lines that come before the Dask worker.
        job_extra_directives: more lines for `sbatch`.
        worker_extra_args: more words for the Dask worker.
        more: as in dask-jobqueue.
    """

    job_cls = SlurmJob

    def __init__(
        self,
        *,
        cores: int | None = None,
        memory: str | None = None,
        gpus: int = 0,
        walltime: str | None = None,
        scheduler_options: dict[str, Any] | None = None,
        job_script_prologue: Sequence[str] = (),
        job_extra_directives: Sequence[str] = (),
        worker_extra_args: Sequence[str] = (),
        **more: Any,
    ) -> None:
        security = Security.temporary()  # type: ignore[no-untyped-call]
        unless_set = dask.config.get("jobqueue.slurm.walltime", None)
        # In the run's folder, SLURM's own place for what a job writes, it would be gone with the run.
        kept = more.get("log_directory") or dask.config.get("jobqueue.slurm.log-directory", None)
        output = () if kept else ("--output=/dev/null",)
        resources = ([f"--gres=gpu:{gpus}"], ["--resources", f"GPU={gpus}"]) if gpus else ([], [])
        with dask.config.set({"jobqueue.slurm.walltime": None if unless_set == LIBRARYS_WALLTIME else unless_set}):
            super().__init__(
                cores=cores or dask.config.get("jobqueue.slurm.cores", None) or 1,
                memory=memory or dask.config.get("jobqueue.slurm.memory", None) or "2GiB",
                processes=1,
                walltime=walltime,
                security=security,
                protocol="tls://",
                scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0", **(scheduler_options or {})},
                job_script_prologue=[*exports(security), *job_script_prologue],
                job_extra_directives=[*output, *resources[0], *job_extra_directives],
                worker_extra_args=[*NO_PAGES, *resources[1], *worker_extra_args],
                **more,
            )

    @property
    def refused(self) -> str | None:
        """Why SLURM takes no jobs."""
        return SlurmJob.refused

    def _get_worker_security(self, security: Security) -> None:
        """Nothing for the command line: jobs have it in their environment."""


async def _submitted(script: str) -> str:
    """What `sbatch` says. Secrets of the flow run stay here: Dask workers get them over TLS."""
    process = await asyncio.create_subprocess_exec(
        "sbatch",
        env={name: value for name, value in os.environ.items() if name not in redacting_filter.declared()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await process.communicate(script.encode())
    if process.returncode:
        raise RuntimeError(" ".join(wrong.decode(errors="replace").split()).rstrip("."))
    return said.decode()
