"""A Dask task runner with its cluster told on the board while the run goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from prefect.context import FlowRunContext
from prefect_dask.task_runners import DaskTaskRunner

from satflow_ext.clusters import sample
from satflow_ext.clusters.board import Board
from satflow_ext.clusters.peak import Peak
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from satflow_ext.executors.needs import Need, Needs
from satflow_ext.models import ClusterStatus
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 1.0
"""Seconds between two samples."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subject:
    """Whose cluster it is: of which `flow/deployment`. `plan` is how many Dask workers it should have, None: nobody said."""

    run_id: str
    deployment: str
    executor: str
    plan: int | None
    worker_size: str | None


class WatchedDaskTaskRunner(FastDaskTaskRunner):
    """A task runner whose cluster is on the board from its first task to its end. A copy that travels is not watched."""

    subject: Subject
    here: Settings

    @classmethod
    def watching(cls, runner: DaskTaskRunner, subject: Subject, here: Settings) -> WatchedDaskTaskRunner:
        """The same task runner, watched."""
        watched = cls(**_settings_of(runner))
        if isinstance(runner, FastDaskTaskRunner):
            watched.carried = runner.carried
        watched.subject = subject
        watched.here = here
        return watched

    def duplicate(self) -> WatchedDaskTaskRunner:
        """A new instance with the same settings, which is what Prefect's engine enters."""
        return self.watching(self, self.subject, self.here)

    @property
    def client(self) -> Any:
        """The dask client; the first use makes the cluster, and from then on it is watched."""
        first_use = self._client is None
        if first_use:
            _post(Board(self.here), _status(self.subject, "starting", _now()))
        dask_client = super().client
        if first_use:
            self._exit_stack.enter_context(watching(dask_client, self.subject, self.here))
        return dask_client


@contextmanager
def watching(dask_client: Client, subject: Subject, here: Settings) -> Iterator[None]:
    """Keep the board up to date from a thread of its own, until left; then keep what the Dask workers needed."""
    stop, board, peak = threading.Event(), Board(here), Peak()
    context = copy_context()  # a new thread does not know which flow run it belongs to
    thread = threading.Thread(
        target=context.run,
        args=(_keep_posting, dask_client, subject, board, peak, stop),
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
            board.remove(subject.run_id)
        with suppress(OSError):
            _keep(peak.need(subject.worker_size), subject, here)


def _keep_posting(dask_client: Client, subject: Subject, board: Board, peak: Peak, stop: threading.Event) -> None:
    started = _now()
    last = sample.Sample(workers=(), tasks={})
    while True:
        problem = None
        try:
            last = sample.take(dask_client)
            peak.see(last.workers)
        except (OSError, RuntimeError, ValueError) as error:
            # RuntimeError and ValueError: what distributed raises from a client whose scheduler is gone.
            problem = f"The Dask scheduler does not answer: {error or type(error).__name__}"
        _post(board, _status(subject, "lost" if problem else "running", started, last, problem))
        if stop.wait(PERIOD):
            return


def _keep(need: Need | None, subject: Subject, here: Settings) -> None:
    if need is not None:
        Needs(here).add(subject.deployment, need)


def _post(board: Board, status: ClusterStatus) -> None:
    """Put it up where that can be done: a run must not fail because nobody can be told of its cluster."""
    try:
        board.post(status)
    except OSError:
        log.debug("The cluster's status was not put up.", exc_info=True)


def _status(
    subject: Subject,
    state: Literal["starting", "running", "lost"],
    started: datetime,
    taken: sample.Sample | None = None,
    problem: str | None = None,
) -> ClusterStatus:
    workers = taken.workers if taken and not problem else ()
    return ClusterStatus(
        run_id=subject.run_id,
        run_name=_run_name(),
        deployment_name=subject.deployment.partition("/")[2],
        executor=subject.executor,
        state=state,
        problem=problem,
        plan=subject.plan,
        observed=len(workers),
        worker_size=subject.worker_size,
        tasks=taken.tasks if taken else {},
        workers=workers,
        started=started,
        updated=_now(),
    )


def _run_name() -> str:
    """The name of the flow run that this thread belongs to."""
    context = FlowRunContext.get()
    return context.flow_run.name if context and context.flow_run else ""


def _settings_of(runner: DaskTaskRunner) -> dict[str, Any]:
    names = ("address", "cluster_class", "cluster_kwargs", "adapt_kwargs", "client_kwargs", "performance_report_path")
    return {name: getattr(runner, name) for name in names}


def _now() -> datetime:
    return datetime.now(timezone.utc)
