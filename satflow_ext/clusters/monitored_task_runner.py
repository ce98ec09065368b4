"""A Dask task runner that writes the status file of its cluster during the run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from prefect.context import FlowRunContext
from prefect_dask.task_runners import DaskTaskRunner

from satflow_ext.backends.missing_worker_reasons import hearing
from satflow_ext.clusters.cluster_owner import Subject
from satflow_ext.clusters.missing_workers import Waits
from satflow_ext.clusters.peak_usage import Peak
from satflow_ext.clusters.sample import UNANSWERED, Probe, Sample, unanswered
from satflow_ext.clusters.status_builder import Told
from satflow_ext.clusters.status_files import Board
from satflow_ext.dask_tasks.first_worker import PATIENCE, need_worker
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from satflow_ext.executors.scheduler_reachability import need_scheduler
from satflow_ext.executors.worker_usage import Need, Needs
from satflow_ext.models import ClusterStatus
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 1.0
"""Seconds between two samples."""

log = logging.getLogger(__name__)


class WatchedDaskTaskRunner(FastDaskTaskRunner):
    """A task runner that reports its cluster's status from the first task to the end. A pickled copy does not report."""

    subject: Subject
    settings: Settings
    patience: float = PATIENCE
    """Seconds to wait for the first Dask worker."""

    @classmethod
    def watching(
        cls, runner: DaskTaskRunner, subject: Subject, settings: Settings, patience: float = PATIENCE
    ) -> WatchedDaskTaskRunner:
        """Create a monitored copy of a task runner."""
        watched = cls(**_settings_of(runner))
        if isinstance(runner, FastDaskTaskRunner):
            watched.carried = runner.carried
        watched.subject = subject
        watched.settings = settings
        watched.patience = patience
        return watched

    def duplicate(self) -> WatchedDaskTaskRunner:
        """Create an instance with the same settings, which Prefect's engine then enters."""
        return self.watching(self, self.subject, self.settings, self.patience)

    @property
    def client(self) -> Any:
        """The Dask client. The first use creates the cluster and starts monitoring it.

        Raises:
            ClusterFailed: the cluster could not start, or it cannot run a task.
        """
        if self._client is not None:
            return super().client
        waits, board, told = Waits(), Board(self.settings), Told(_named(self.subject))

        def hear(why: str | None) -> None:
            waits.why = why
            if self._client is None:
                _post(board, told.starting(why))

        hear(None)
        if self.address:
            need_scheduler(self.address)
        with hearing(hear):
            dask_client = super().client
        self._exit_stack.enter_context(watching(dask_client, self.subject, self.settings, waits))
        need_worker(dask_client, time.monotonic() + self.patience, self.patience, lambda: waits.why)
        return dask_client


@contextmanager
def watching(dask_client: Client, subject: Subject, settings: Settings, waits: Waits | None = None) -> Iterator[None]:
    """Update the status file from a separate thread until the block ends, then store the peak usage of the Dask workers.

    Args:
        dask_client: client of the cluster.
        subject: owner of the cluster.
        settings: contain the folder of the status files.
        waits: reasons for missing Dask workers, if the cluster provider reports them.
    """
    stop, board, peak = threading.Event(), Board(settings), Peak()
    thread = threading.Thread(
        target=_keep_posting,
        args=(dask_client, Told(_named(subject)), waits or Waits(), board, peak, stop),
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
            board.remove(subject.key)
        with suppress(OSError):
            _keep(peak.need(subject.worker_size), subject, settings)


def _keep_posting(
    dask_client: Client, told: Told, waits: Waits, board: Board, peak: Peak, stop: threading.Event
) -> None:
    probe = Probe(dask_client.scheduler)
    while True:
        try:
            sample = _taken(dask_client, probe)
        except UNANSWERED as error:
            status = told.missed(unanswered(error))
        else:
            peak.see(sample.workers)
            status = told.seen(sample, waits.counts(dask_client.cluster))
        _post(board, status)
        if stop.wait(PERIOD):
            return


def _taken(dask_client: Client, probe: Probe) -> Sample:
    if dask_client.status != "running":
        # A client that tries to reconnect would keep the next call waiting for half a minute.
        raise ConnectionError(f"the connection is {dask_client.status}")
    return cast(Sample, dask_client.sync(probe.take))  # type: ignore[no-untyped-call]  # distributed is typed in part


def _keep(need: Need | None, subject: Subject, settings: Settings) -> None:
    if need is not None:
        Needs(settings).add(subject.deployment, need)


def _post(board: Board, status: ClusterStatus) -> None:
    """Write the status file if possible: a run must not fail because the file cannot be written."""
    try:
        board.post(status)
    except OSError:
        log.debug("The cluster's status file could not be written.", exc_info=True)


def _named(subject: Subject) -> Subject:
    """Add the name and the deployment of the current flow run."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None:
        return subject
    deployment_id = str(run.deployment_id) if run.deployment_id else None
    return replace(subject, run_name=run.name, deployment_id=deployment_id)


def _settings_of(runner: DaskTaskRunner) -> dict[str, Any]:
    names = ("address", "cluster_class", "cluster_kwargs", "adapt_kwargs", "client_kwargs", "performance_report_path")
    return {name: getattr(runner, name) for name in names}
