"""A watched task runner: a real Dask cluster, seen on the board while it lives."""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import contextmanager

import cloudpickle
import httpx
import psutil
import pytest
from distributed import LocalCluster
from prefect_dask.task_runners import DaskTaskRunner

from satflow_ext import executors
from satflow_ext.cluster_providers import missing_worker_reasons
from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.clusters.monitored_task_runner import MonitoredDaskTaskRunner
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from satflow_ext.errors import ClusterNotStarted
from satflow_ext.executors.worker_usage import UsageStore
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings
from tests.clusters.schedulers import scheduler
from tests.eventually import eventually

RUN = "3f0a6a5e-6c1b-4c55-9c53-0b6f3a1d2e4f"
SUBJECT = ClusterOwner(run_id=RUN, deployment="flow/tiles", executor="dask-local", plan=2, worker_size=None)


@pytest.fixture
def here(tmp_path):
    return Settings(runtime_dir=tmp_path / "run", state_dir=tmp_path)


@pytest.fixture
def board(here):
    return StatusFiles(here)


@pytest.fixture
def runner(here):
    choice = ExecutorChoice(name="dask-local", options={"n_workers": 2})
    return MonitoredDaskTaskRunner.from_task_runner(executors.create_task_runner(choice, Settings()), SUBJECT, here)


@pytest.mark.cluster
def test_cluster_is_on_the_board_from_first_use_to_end(board, runner, here, tmp_path):
    with runner.duplicate() as entered:
        assert board.read_status(RUN) is None, "no cluster before the first task"
        dask_client = entered.client
        seen = eventually(lambda: (s := board.read_status(RUN)) and s.observed == 2 and s)
        assert (seen.state, seen.plan, seen.deployment_name) == ("running", 2, "tiles")
        assert (seen.requested, seen.pending, seen.dashboard) == (2, None, None)
        assert all(0 <= worker.managed < worker.memory < worker.memory_limit for worker in seen.workers)
        assert {(event.kind, event.worker) for event in seen.events} <= {("joined", "0"), ("joined", "1")}
        futures = dask_client.map(_slow, range(6))
        eventually(lambda: (s := board.read_status(RUN)) and s.tasks.get("processing", 0) > 0)
        dask_client.gather(futures)
        eventually(lambda: (s := board.read_status(RUN)) and s.tasks.get("memory", 0) >= 6)
        del futures
        limit = seen.workers[0].memory_limit
        _kill_one_at_work(dask_client, board, tmp_path / "go")
    assert board.read_status(RUN) is None
    (need,) = UsageStore(here).read_runs("flow/tiles")
    assert (need.worker_size, need.limit) == (None, limit)
    assert max(worker.memory for worker in seen.workers) <= need.memory < limit


def _kill_one_at_work(dask_client, board, go):
    """A Dask worker dies with a task, and its nanny starts another: both are told."""
    task = dask_client.submit(_wait_for, go)
    (address,) = eventually(lambda: [worker for worker, keys in dask_client.processing().items() if keys])
    name = str(dask_client.scheduler_info()["workers"][address]["name"])
    os.kill(dask_client.run(os.getpid)[address], signal.SIGKILL)
    lost, replaced = eventually(lambda: (e := _losses(board)) and len(e) == 2 and e)
    assert (lost.kind, lost.worker, lost.tasks > 0) == ("lost", name, True)
    assert (replaced.kind, replaced.worker) == ("replaced", name)
    eventually(lambda: board.read_status(RUN).observed == 2)
    go.touch()
    task.result()


def _listening():
    """Where this process and its children listen. Other tests' clusters may be among them."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {c.laddr for p in processes for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}


@pytest.mark.cluster
def test_nothing_listens_beyond_loopback_and_nothing_is_served(runner):
    before = _listening()
    with runner.duplicate() as entered:
        cluster = entered.client.cluster
        assert {address.ip for address in _listening() - before} == {"127.0.0.1"}
        assert cluster.scheduler_address.startswith("tls://")
        origin = cluster.dashboard_link.removesuffix("/status")
        assert {httpx.get(origin + path).status_code for path in ("/status", "/json/counts.json", "/metrics")} == {404}


@pytest.mark.cluster
def test_scheduler_that_hangs_comes_back_or_dies_is_told(board, here, tmp_path):
    with (
        scheduler(tmp_path / "scheduler.json") as (process, address),
        MonitoredDaskTaskRunner.from_task_runner(
            DaskTaskRunner(address=address), SUBJECT, here, start_timeout=1
        ) as entered,
    ):
        with pytest.raises(ClusterNotStarted, match="no Dask worker after 1 s"):
            _ = entered.client
        homeless = entered.client.submit(sum, [1])
        pending = eventually(lambda: (s := board.read_status(RUN)) and s.tasks and s.pending)
        assert pending == "2 Dask workers not connected yet. 1 task waits: no Dask worker is connected."
        process.send_signal(signal.SIGSTOP)
        eventually(lambda: board.read_status(RUN).state == "lost")
        process.send_signal(signal.SIGCONT)
        eventually(lambda: board.read_status(RUN).state == "running")
        process.kill()
        lost = eventually(lambda: (s := board.read_status(RUN)) and s.state == "lost" and s)
        assert "does not answer" in lost.problem
        assert [event.kind for event in lost.events] == ["unreachable", "back", "unreachable"]
        assert homeless.cancelled()
    assert board.read_status(RUN) is None


@pytest.mark.cluster
def test_what_missing_workers_wait_for_is_told_before_and_after_the_first(board, here):
    said = ["job 7 is pending (Resources)", "job 8 is pending (Priority)"]

    @contextmanager
    def queued():
        missing_worker_reasons.report_reason(said[0])
        starting = board.read_status(RUN)
        assert (starting.state, starting.pending) == ("starting", f"2 Dask workers not connected yet: {said[0]}.")
        local = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "processes": False}
        with LocalCluster(**local, host="127.0.0.1", protocol="tcp") as cluster:
            cluster.worker_spec["queued"] = cluster.workers["queued"] = {}  # asked for, and it never comes
            missing_worker_reasons.report_reason(said[1])
            yield cluster
            del cluster.worker_spec["queued"], cluster.workers["queued"]

    with MonitoredDaskTaskRunner.from_task_runner(DaskTaskRunner(cluster_class=queued), SUBJECT, here) as entered:
        assert entered.client
        told = eventually(lambda: (s := board.read_status(RUN)) and s.observed and s)
        assert (told.state, told.plan, told.requested) == ("running", 2, 2)
        assert told.pending == f"1 Dask worker requested but not connected yet: {said[1]}."


def test_copy_that_travels_is_not_watched(runner):
    assert type(pickle.loads(cloudpickle.dumps(runner))) is FastDaskTaskRunner


def _losses(board):
    return [event for event in board.read_status(RUN).events if event.kind in ("lost", "replaced")]


def _wait_for(file):
    while not file.exists():
        time.sleep(0.1)


def _slow(number):
    time.sleep(0.7)
    return number
