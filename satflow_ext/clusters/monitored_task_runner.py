"""A Dask task runner that writes the status file of its cluster during the run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from prefect.context import FlowRunContext
from prefect_dask.task_runners import DaskTaskRunner

from satflow_ext.cluster_providers.missing_worker_reasons import receive_reasons
from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.clusters.sample import NO_ANSWER_ERRORS, ClusterSample, SchedulerProbe, describe_error
from satflow_ext.clusters.status_builder import StatusBuilder, WorkerCounts
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.dask_tasks.first_worker import DEFAULT_TIMEOUT, wait_for_worker
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from satflow_ext.executors.scheduler_reachability import require_scheduler
from satflow_ext.executors.worker_usage import RunUsage, UsageStore
from satflow_ext.models import ClusterStatus, ClusterWorker
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 1.0
"""Seconds between two samples."""

log = logging.getLogger(__name__)


class MonitoredDaskTaskRunner(FastDaskTaskRunner):
    """A task runner that reports its cluster's status from the first task to the end. A pickled copy does not report."""

    owner: ClusterOwner
    settings: Settings
    start_timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for the first Dask worker."""

    @classmethod
    def from_task_runner(
        cls, runner: DaskTaskRunner, owner: ClusterOwner, settings: Settings, start_timeout: float = DEFAULT_TIMEOUT
    ) -> MonitoredDaskTaskRunner:
        """Create a monitored copy of a task runner."""
        watched = cls(**_read_settings(runner))
        if isinstance(runner, FastDaskTaskRunner):
            watched.run_files = runner.run_files
        watched.owner = owner
        watched.settings = settings
        watched.start_timeout = start_timeout
        return watched

    def duplicate(self) -> MonitoredDaskTaskRunner:
        """Create an instance with the same settings, which Prefect's engine then enters."""
        return self.from_task_runner(self, self.owner, self.settings, self.start_timeout)

    @property
    def client(self) -> Any:
        """The Dask client. The first use creates the cluster and starts monitoring it.

        Raises:
            ClusterFailed: the cluster could not start, or it cannot run a task.
        """
        if self._client is not None:
            return super().client
        missing_workers, status_files, builder = (
            MissingWorkerReason(),
            StatusFiles(self.settings),
            StatusBuilder(_with_run_name(self.owner)),
        )

        def write_starting(reason: str | None) -> None:
            missing_workers.reason = reason
            if self._client is None:
                _write_status(status_files, builder.build_starting(reason))

        write_starting(None)
        if self.address:
            require_scheduler(self.address)
        with receive_reasons(write_starting):
            dask_client = super().client
        self._exit_stack.enter_context(monitor_cluster(dask_client, self.owner, self.settings, missing_workers))
        wait_for_worker(
            dask_client, time.monotonic() + self.start_timeout, self.start_timeout, lambda: missing_workers.reason
        )
        return dask_client


@contextmanager
def monitor_cluster(
    dask_client: Client, owner: ClusterOwner, settings: Settings, missing_workers: MissingWorkerReason | None = None
) -> Iterator[None]:
    """Update the status file from a separate thread until the block ends, then store the peak usage of the Dask workers.

    Args:
        dask_client: client of the cluster.
        owner: owner of the cluster.
        settings: contain the folder of the status files.
        missing_workers: reasons for missing Dask workers, if the cluster provider reports them.
    """
    stop, status_files, peak = threading.Event(), StatusFiles(settings), PeakUsage()
    thread = threading.Thread(
        target=_write_statuses,
        args=(
            dask_client,
            StatusBuilder(_with_run_name(owner)),
            missing_workers or MissingWorkerReason(),
            status_files,
            peak,
            stop,
        ),
        name="satflow-cluster-status",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
        with suppress(OSError):
            status_files.remove_status(owner.key)
        with suppress(OSError):
            _store_usage(peak.to_run_usage(owner.worker_size), owner, settings)


def _write_statuses(
    dask_client: Client,
    builder: StatusBuilder,
    missing_workers: MissingWorkerReason,
    status_files: StatusFiles,
    peak: PeakUsage,
    stop: threading.Event,
) -> None:
    probe = SchedulerProbe(dask_client.scheduler)
    while True:
        try:
            sample = _take_sample(dask_client, probe)
        except NO_ANSWER_ERRORS as error:
            status = builder.build_unreachable(describe_error(error))
        else:
            peak.add_sample(sample.workers)
            status = builder.build_running(sample, missing_workers.count_workers(dask_client.cluster))
        _write_status(status_files, status)
        if stop.wait(PERIOD):
            return


def _take_sample(dask_client: Client, probe: SchedulerProbe) -> ClusterSample:
    if dask_client.status != "running":
        # A client that tries to reconnect would keep the next call waiting for half a minute.
        raise ConnectionError(f"the connection is {dask_client.status}")
    return cast(ClusterSample, dask_client.sync(probe.take_sample))  # type: ignore[no-untyped-call]  # distributed is typed in part


def _store_usage(usage: RunUsage | None, owner: ClusterOwner, settings: Settings) -> None:
    if usage is not None:
        UsageStore(settings).add_run(owner.deployment, usage)


def _write_status(status_files: StatusFiles, status: ClusterStatus) -> None:
    """Write the status file if possible: a run must not fail because the file cannot be written."""
    try:
        status_files.write_status(status)
    except OSError:
        log.debug("The cluster's status file could not be written.", exc_info=True)


def _with_run_name(owner: ClusterOwner) -> ClusterOwner:
    """Add the name and the deployment of the current flow run."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None:
        return owner
    deployment_id = str(run.deployment_id) if run.deployment_id else None
    return replace(owner, run_name=run.name, deployment_id=deployment_id)


def _read_settings(runner: DaskTaskRunner) -> dict[str, Any]:
    names = ("address", "cluster_class", "cluster_kwargs", "adapt_kwargs", "client_kwargs", "performance_report_path")
    return {name: getattr(runner, name) for name in names}


class MissingWorkerReason:
    """The Dask workers that have not connected; `reason` is the latest reason as text."""

    reason: str | None = None

    def count_workers(self, cluster: Any) -> WorkerCounts:
        """Count the planned and requested Dask workers, which is possible only for clusters that keep a list of them.

        Args:
            cluster: the cluster object, such as a `distributed.LocalCluster`; None if only an address is available.
        """
        if not hasattr(cluster, "worker_spec"):
            return WorkerCounts(missing_reason=self.reason)
        try:
            return WorkerCounts(len(cluster.plan), len(cluster.requested), self.reason)
        except RuntimeError:  # the maintenance thread changed the list at the same time
            return WorkerCounts(missing_reason=self.reason)


class PeakUsage:
    """The highest memory and core usage of any Dask worker so far."""

    def __init__(self) -> None:
        self._memory = 0
        self._limit = 0
        self._cores = 0.0

    def add_sample(self, workers: tuple[ClusterWorker, ...]) -> None:
        """Include one sample."""
        for each in workers:
            self._memory = max(self._memory, each.memory)
            self._limit = max(self._limit, each.memory_limit)
            self._cores = max(self._cores, each.cpu / 100)

    def to_run_usage(self, worker_size: str | None) -> RunUsage | None:
        """Return the peak usage of the run, or None if no worker was sampled or none has a memory limit."""
        if not self._memory or not self._limit:
            return None
        return RunUsage(
            ended=datetime.now(timezone.utc),
            worker_size=worker_size,
            limit=self._limit,
            memory=self._memory,
            cores=self._cores,
        )
