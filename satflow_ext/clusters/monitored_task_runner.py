"""A Dask task runner with its cluster told on the board while the run goes on."""

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
    """A task runner whose cluster is on the board from its first task to its end. A copy that travels is not watched."""

    subject: Subject
    settings: Settings
    patience: float = PATIENCE
    """Seconds to wait for the first Dask worker."""

    @classmethod
    def watching(
        cls, runner: DaskTaskRunner, subject: Subject, settings: Settings, patience: float = PATIENCE
    ) -> WatchedDaskTaskRunner:
        """The same task runner, watched."""
        watched = cls(**_settings_of(runner))
        if isinstance(runner, FastDaskTaskRunner):
            watched.carried = runner.carried
        watched.subject = subject
        watched.settings = settings
        watched.patience = patience
        return watched

    def duplicate(self) -> WatchedDaskTaskRunner:
        """A new instance with the same settings, which is what Prefect's engine enters."""
        return self.watching(self, self.subject, self.settings, self.patience)

    @property
    def client(self) -> Any:
        """The dask client; the first use makes the cluster, and from then on it is watched.

        Raises:
            ClusterFailed: there is no cluster, or none that could run a task.
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
    """Keep the board up to date from a thread of its own, until left; then keep what the Dask workers needed.

    Args:
        dask_client: of the cluster.
        subject: whose the cluster is.
        settings: say where the board is.
        waits: what missing Dask workers wait for, where somebody tells.
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
    """Put it up where that can be done: a run must not fail because nobody can be told of its cluster."""
    try:
        board.post(status)
    except OSError:
        log.debug("The cluster's status was not put up.", exc_info=True)


def _named(subject: Subject) -> Subject:
    """With what Prefect says of the flow run that this thread belongs to."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None:
        return subject
    deployment_id = str(run.deployment_id) if run.deployment_id else None
    return replace(subject, run_name=run.name, deployment_id=deployment_id)


def _settings_of(runner: DaskTaskRunner) -> dict[str, Any]:
    names = ("address", "cluster_class", "cluster_kwargs", "adapt_kwargs", "client_kwargs", "performance_report_path")
    return {name: getattr(runner, name) for name in names}
