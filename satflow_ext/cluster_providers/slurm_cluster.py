"""dask-jobqueue's SLURM cluster with TLS between all parts and without key files on disk. Imported only in flow runs."""

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

from satflow_ext.cluster_providers.worker_variables import NO_DASHBOARD, export_lines
from satflow_ext.credentials import redacting_filter

LIBRARY_WALLTIME = "00:30:00"
"""dask-jobqueue's default. A longer task could never finish, so this default is ignored and the partition's limit applies."""


class SlurmJob(SLURMJob):  # type: ignore[misc]  # dask-jobqueue is not typed
    """One Dask worker. Its job script contains the TLS key, so `sbatch` reads it from standard input."""

    refusal: str | None = None
    """The last error output of `sbatch` if it refused a job."""

    async def start(self) -> None:
        """Submit the job.

        Raises:
            RuntimeError: SLURM refused the job.
        """
        try:
            output = await _submit_job(self.job_script())
        except RuntimeError as error:
            SlurmJob.refusal = str(error)
            raise
        SlurmJob.refusal = None
        self.job_id = self._job_id_from_submit_output(output)
        await ProcessInterface.start(self)  # type: ignore[no-untyped-call]  # distributed is typed in part


class SlurmCluster(SLURMCluster):  # type: ignore[misc]  # dask-jobqueue is not typed
    """One job for each Dask worker.

    Args:
        cores: cores of each Dask worker; default: dask-jobqueue's setting, or 1.
        memory: memory of each Dask worker; default: dask-jobqueue's setting, or 2 GiB.
        gpus: GPUs of each Dask worker.
        walltime: time limit of each job; default: the limit of the partition.
        scheduler_options: options of the Dask scheduler, such as `interface` or `host`.
        job_script_prologue: lines of the job script before the Dask worker starts.
        job_extra_directives: additional `#SBATCH` lines.
        worker_extra_args: additional command-line arguments of the Dask worker.
        more: see dask-jobqueue.
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
        # SLURM writes job output to the run's scratch folder by default, which is deleted with the run.
        kept = more.get("log_directory") or dask.config.get("jobqueue.slurm.log-directory", None)
        output = () if kept else ("--output=/dev/null",)
        resources = ([f"--gres=gpu:{gpus}"], ["--resources", f"GPU={gpus}"]) if gpus else ([], [])
        with dask.config.set({"jobqueue.slurm.walltime": None if unless_set == LIBRARY_WALLTIME else unless_set}):
            super().__init__(
                cores=cores or dask.config.get("jobqueue.slurm.cores", None) or 1,
                memory=memory or dask.config.get("jobqueue.slurm.memory", None) or "2GiB",
                processes=1,
                walltime=walltime,
                security=security,
                protocol="tls://",
                scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0", **(scheduler_options or {})},
                job_script_prologue=[*export_lines(security), *job_script_prologue],
                job_extra_directives=[*output, *resources[0], *job_extra_directives],
                worker_extra_args=[*NO_DASHBOARD, *resources[1], *worker_extra_args],
                **more,
            )

    @property
    def refusal(self) -> str | None:
        """The reason why SLURM refuses jobs."""
        return SlurmJob.refusal

    def _get_worker_security(self, security: Security) -> None:
        """Add nothing to the command line: jobs read the TLS settings from their environment."""


async def _submit_job(script: str) -> str:
    """Submit a job script and return the output of `sbatch`.

    Secrets of the flow run are removed from its environment: Dask workers get them over TLS.
    """
    process = await asyncio.create_subprocess_exec(
        "sbatch",
        env={name: value for name, value in os.environ.items() if name not in redacting_filter.declared_names()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, wrong = await process.communicate(script.encode())
    if process.returncode:
        raise RuntimeError(" ".join(wrong.decode(errors="replace").split()).rstrip("."))
    return output.decode()
