"""What a registered flow has beside its code, on Dask workers that know nothing of the run's folder; and whose line is whose."""

from __future__ import annotations

import asyncio
import os
import shutil
from uuid import uuid4

import pytest
from distributed import Client

from satflow_ext import runs
from satflow_ext.dask_tasks.plugins import SharedContext
from satflow_ext.models import ExecutorChoice, PackedFlow, Registration, RunRequest
from satflow_ext.registration import register
from satflow_ext.runs.log_follower import follow_log
from tests.eventually import eventually
from tests.flow_runs import ended

CELLS = """
import time
from pathlib import Path
from distributed import get_worker
from prefect import flow, task

@task(log_prints=True)
def works(number):
    from lazily import NAME
    print(f"line {number}")
    time.sleep(0.05)
    return Path("data/a.csv").read_text(), NAME, str(get_worker().name)

@flow
def main():
    seen = set()
    while len(seen) < 3:
        seen |= set(works.map(range(6)).result())
    assert {each[:2] for each in seen} == {("of a", "lazy")}, seen
"""


def test_files_modules_and_names_of_workers(stack, cluster, kernel):
    (kernel.home / "data").mkdir()
    (kernel.home / "data/a.csv").write_text("of a")
    (kernel.home / "lazily.py").write_text("NAME = 'lazy'")
    kernel.run(CELLS)
    made = PackedFlow.model_validate(kernel.pack("main", include=["data/*.csv"]))
    choice = ExecutorChoice(name="dask-address", options={"address": cluster.scheduler_address})
    wanted = Registration(name=f"test-{uuid4().hex[:8]}", executor=choice, include=("data/*.csv",))
    done = asyncio.run(register(made, wanted, stack.endpoints, stack.settings))
    shutil.rmtree(kernel.home)
    kernel.home.mkdir()
    request = RunRequest(deployment_id=done.deployment.id, parameters={}, idempotency_key=uuid4().hex)
    started = asyncio.run(runs.start_run(stack.endpoints.prefect, request))
    eventually(lambda: [name for name in cluster.scheduler.worker_plugins if name.startswith("satflow-")])
    cluster.scale(3)
    detail = ended(stack, started.id)
    assert detail.run.state_type == "COMPLETED", detail
    assert loggers(stack, started.id) == {f"prefect.task_runs on Dask worker {number}" for number in range(3)}
    with Client(cluster) as client:
        left = client.run(lambda dask_worker: [*os.listdir(dask_worker.local_directory), *__import__("sys").modules])
    cluster.scale(2)
    assert not [each for found in left.values() for each in found if each == "lazily" or each.startswith("satflow-")]


def loggers(stack, run_id):
    """Which loggers have said the lines that the tasks printed."""

    async def where():
        return stack.endpoints.prefect

    async def read():
        return {
            line.logger
            async for batch in follow_log(where, run_id, settings=stack.settings)
            for line in batch.lines
            if "line " in line.message
        }

    return asyncio.run(read())


def test_two_versions_of_a_module_do_not_meet(tmp_path):
    first = SharedContext("one", b"", {}, {"satflow_test_module.py": b"NUMBER = 1"})
    second = SharedContext("two", b"", {}, {"satflow_test_module.py": b"NUMBER = 2"})
    first._write_files(str(tmp_path))
    import satflow_test_module

    assert satflow_test_module.NUMBER == 1
    with pytest.raises(RuntimeError, match=r"a different version of the module satflow_test_module\."):
        second._write_files(str(tmp_path))
    first._close_and_remove()
    second._write_files(str(tmp_path))
    import satflow_test_module

    assert satflow_test_module.NUMBER == 2
    second._close_and_remove()
    assert not list(tmp_path.iterdir())
