"""Parts that die in the middle of a run: the run's state, its log and the board tell the truth."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from prefect import flow, task

from satflow_ext import runs
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.models import ExecutorChoice
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run
from tests.run_processes import process_of_run


@task
def slow(number, folder):
    import os
    from pathlib import Path

    Path(folder, f"{number}.pid").write_text(str(os.getpid()))
    time.sleep(3)
    return number


@flow
def crunches(folder: str, count: int = 4):
    return slow.map(range(count), folder=folder).result()


def start(stack, done, folder):
    return start_run(stack, done.deployment.id, folder=str(folder))


def all_settled(stack, run_id):
    """Whether no task run is shown as if it still ran; Prefect's own rows never say so of those that were cut off."""
    tasks = asyncio.run(runs.list_task_runs(stack.endpoints.prefect, run_id))
    return all(task_run.interrupted or task_run.state_type in ("COMPLETED", "FAILED", "CRASHED") for task_run in tasks)


def pids(folder):
    return {int(text) for file in folder.glob("*.pid") if (text := file.read_text())}


def test_killed_dask_worker_costs_a_repetition_and_no_result(stack, registered, tmp_path):
    done = registered(crunches, executor=ExecutorChoice(name="dask-local", options={"n_workers": 2}))
    run_id = start(stack, done, tmp_path)
    victim = eventually(lambda: pids(tmp_path)).pop()
    os.kill(victim, signal.SIGKILL)
    detail = ended(stack, run_id)
    assert detail.run.state_type == "COMPLETED", detail
    assert len(pids(tmp_path)) >= 2


def test_killed_flow_run_is_crashed_and_leaves_nothing(stack, registered, tmp_path):
    done = registered(crunches, executor=ExecutorChoice(name="dask-local", options={"n_workers": 2}))
    run_id = start(stack, done, tmp_path)
    dask_worker = psutil.Process(eventually(lambda: pids(tmp_path)).pop())
    board = StatusFiles(stack.settings)
    assert board.read_status(run_id).state == "running"
    process_of_run(run_id).kill()
    assert ended(stack, run_id).run.state_type == "CRASHED"
    eventually(lambda: not dask_worker.is_running() or dask_worker.status() == psutil.STATUS_ZOMBIE)
    eventually(lambda: board.read_status(run_id) is None)


@pytest.fixture
def dask_elsewhere(tmp_path):
    """A scheduler and a worker that somebody else runs."""
    file = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(file)], stderr=subprocess.DEVNULL)
    address = json.loads(eventually(lambda: file.exists() and file.read_text()))["address"]
    worker_command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "2", "--no-dashboard"]
    environment = {
        **os.environ,
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
    }
    worker = subprocess.Popen([*worker_command, "--host", "127.0.0.1"], env=environment, stderr=subprocess.DEVNULL)
    yield address, scheduler
    for process in (worker, scheduler):
        process.terminate()
        process.wait(timeout=20)


def test_killed_scheduler_fails_the_run_with_its_reason(stack, registered, tmp_path, dask_elsewhere):
    address, scheduler = dask_elsewhere
    done = registered(crunches, executor=ExecutorChoice(name="dask-address", options={"address": address}))
    run_id = start(stack, done, tmp_path)
    eventually(lambda: pids(tmp_path))
    scheduler.kill()
    detail = ended(stack, run_id)
    assert detail.run.state_type == "FAILED"
    assert "scheduler" in detail.failure.cause.lower()
    assert "scheduler" in log_of(stack, run_id).lower()
    eventually(lambda: all_settled(stack, run_id))
