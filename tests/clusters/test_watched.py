"""A watched task runner: a real Dask cluster, seen on the board while it lives."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from contextlib import contextmanager

import cloudpickle
import httpx
import psutil
import pytest
from prefect_dask.task_runners import DaskTaskRunner

from satflow_ext import executors
from satflow_ext.clusters.board import Board
from satflow_ext.clusters.watched import Subject, WatchedDaskTaskRunner
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from satflow_ext.executors.needs import Needs
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings

RUN = "3f0a6a5e-6c1b-4c55-9c53-0b6f3a1d2e4f"
SUBJECT = Subject(run_id=RUN, deployment="flow/tiles", executor="dask-local", plan=2, worker_size=None)


def eventually(read, seconds=30):
    """The first value of `read()` that is true."""
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.05)
    return value


@pytest.fixture
def here(tmp_path):
    return Settings(runtime_dir=tmp_path / "run", state_dir=tmp_path)


@pytest.fixture
def board(here):
    return Board(here)


@pytest.fixture
def runner(here):
    choice = ExecutorChoice(name="dask-local", options={"n_workers": 2})
    return WatchedDaskTaskRunner.watching(executors.task_runner(choice, Settings()), SUBJECT, here)


def test_cluster_is_on_the_board_from_first_use_to_end(board, runner, here):
    with runner.duplicate() as entered:
        assert board.read(RUN) is None, "no cluster before the first task"
        dask_client = entered.client
        seen = eventually(lambda: (s := board.read(RUN)) and s.observed == 2 and s)
        assert (seen.state, seen.plan, seen.deployment_name) == ("running", 2, "tiles")
        assert all(worker.memory > 0 for worker in seen.workers)
        futures = dask_client.map(_slow, range(6))
        eventually(lambda: (s := board.read(RUN)) and s.tasks.get("processing", 0) > 0)
        dask_client.gather(futures)
        eventually(lambda: (s := board.read(RUN)) and s.tasks.get("memory", 0) >= 6)
        del futures
        limit = seen.workers[0].memory_limit
    assert board.read(RUN) is None
    (need,) = Needs(here).read("flow/tiles")
    assert (need.worker_size, need.limit) == (None, limit)
    assert max(worker.memory for worker in seen.workers) <= need.memory < limit


def test_nothing_listens_beyond_loopback_and_nothing_is_served(runner):
    with runner.duplicate() as entered:
        cluster = entered.client.cluster
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        listening = {c.laddr.ip for p in processes for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
        assert cluster.scheduler_address.startswith("tls://")
        origin = cluster.dashboard_link.removesuffix("/status")
        assert {httpx.get(origin + path).status_code for path in ("/status", "/json/counts.json", "/metrics")} == {404}


def test_lost_scheduler_is_told(board, here, tmp_path):
    with (
        scheduler(tmp_path / "scheduler.json") as (process, address),
        WatchedDaskTaskRunner.watching(DaskTaskRunner(address=address), SUBJECT, here) as entered,
    ):
        assert entered.client
        eventually(lambda: (s := board.read(RUN)) and s.state == "running")
        process.kill()
        lost = eventually(lambda: (s := board.read(RUN)) and s.state == "lost" and s)
        assert "does not answer" in lost.problem
    assert board.read(RUN) is None


def test_copy_that_travels_is_not_watched(runner):
    assert type(pickle.loads(cloudpickle.dumps(runner))) is FastDaskTaskRunner


def _slow(number):
    time.sleep(0.7)
    return number


@contextmanager
def scheduler(file):
    """A Dask scheduler of somebody else's: its process and its address."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    process = subprocess.Popen([*command, *options])
    try:
        yield process, json.loads(eventually(lambda: file.exists() and file.read_text()))["address"]
    finally:
        process.kill()
        process.wait()
