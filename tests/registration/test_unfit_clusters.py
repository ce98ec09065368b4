"""Runs whose Dask cluster cannot be used: each ends in time, as FAILED, with the reason in its state."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from prefect import flow, task

from satflow_ext.models import ExecutorChoice
from tests.flow_runs import ended, log_of, start_run
from tests.gateways.pretending import answering


@task
def place(number):
    return number


@flow(log_prints=True)
def placed():
    print("placed", place.map(range(2)).result())  # noqa: T201


@pytest.fixture
def without_workers(tmp_path):
    """The address of a scheduler that has no Dask worker, and gets none."""
    file = tmp_path / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *words]
    scheduler = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield json.loads(file.read_text())["address"]
    scheduler.kill()
    scheduler.wait()


def test_runs_end_in_time_and_say_why(stack, registered, without_workers, closed_port):
    with answering("nothing") as silent:
        cases = {
            "nobody": (f"tcp://127.0.0.1:{closed_port}", "cannot be reached. Check that it is running"),
            "silent": (silent.replace("http", "tcp"), "does not answer in 10 s."),
            "other": (stack.endpoints.prefect.url.removesuffix("/api").replace("http", "tcp"), "Dask scheduler"),
            "idle": (without_workers, "The cluster had no Dask worker after 2 s. Increase start_timeout"),
        }
        started = {name: begun(stack, registered, name, address) for name, (address, _) in cases.items()}
        cases["inside tasks"] = cases["idle"]
        started["inside tasks"] = begun(stack, registered, "inside tasks", without_workers, "dask-client")
        for name, run_id in started.items():
            detail = ended(stack, run_id)
            assert detail.run.state_type == "FAILED", (name, log_of(stack, run_id))
            assert cases[name][1] in detail.run.state_message
            assert "Traceback" not in detail.failure.cause


def begun(stack, registered, name, address, kind="dask-address"):
    executor = ExecutorChoice(name=kind, options={"address": address, "start_timeout": 2})
    done = registered(placed, executor=executor, name=name)
    return start_run(stack, done.deployment.id)
