"""The new code of docs/migrating-from-prefect-saturn.md, as it stands there: a kernel runs it, and a worker what it registers."""

from __future__ import annotations

import ast
import asyncio
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from satflow_ext import runs
from satflow_ext.deployments import queries
from satflow_ext.models import ExecutorChoice, RunRequest
from satflow_ext.settings import load_settings
from tests.flow_runs import ended, log_of

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

PAGE = (Path(__file__).parents[2] / "docs" / "migrating-from-prefect-saturn.md").read_text()
DEPLOYMENT = "test-flow/test-project"


def blocks(label: str) -> list[str]:
    """The Python code under each such label, in the order of the set-ups."""
    return re.findall(rf"^{label}[^\n]*:\n\n```python\n(.*?)```", PAGE, flags=re.DOTALL | re.MULTILINE)


def local(**options) -> ExecutorChoice:
    """The executor of a set-up with a cluster."""
    return ExecutorChoice(name="dask-local", options={"worker_size": None, **options})


THREADS = ExecutorChoice(name="threads", options={"max_workers": None})
CLUSTER = {"n_workers": 3, "threads_per_worker": None, "worker_size": None, "address": None, "start_timeout": 300.0}
BESIDE = ExecutorChoice(name="dask-client", options=CLUSTER)
SETUPS = [
    (local(n_workers=3, threads_per_worker=None), {"multiply", "subtract"}, ""),
    (local(n_workers=3, threads_per_worker=2), {"multiply", "subtract"}, ""),
    (BESIDE, {"mean_of_array"}, "mean of Dask array X is 0."),
    (THREADS, {"multiply", "subtract"}, ""),
]


def test_each_set_up_has_old_code_and_new():
    assert len(blocks("Before")) == len(blocks("Now")) == len(SETUPS)
    for block in blocks("Before"):
        ast.parse(block)


@pytest.mark.parametrize("number", range(len(SETUPS)))
def test_new_code_registers_and_runs(number, module_kernel: Kernel, stack):
    executor, tasks, line = SETUPS[number]
    module_kernel.run("%reset -f")
    module_kernel.run(blocks("Now")[number])
    found = asyncio.run(queries.find_deployment(stack.endpoints, DEPLOYMENT))
    assert found.executor == executor
    request = RunRequest(deployment_id=found.id, idempotency_key=str(uuid4()))
    detail = ended(stack, asyncio.run(runs.start_run(stack.endpoints.prefect, request)).id)
    assert detail.run.state_type == "COMPLETED", detail
    assert not line or line in log_of(stack, detail.run.id)
    assert tasks_of(stack, detail.run.id, len(tasks)) == tasks


def tasks_of(stack, run_id: str, count: int) -> set[str]:
    """The tasks that ran. Prefect has their rows a while after the flow run's."""
    deadline = time.monotonic() + 60
    while True:
        tasks = asyncio.run(runs.list_task_runs(stack.endpoints.prefect, run_id))
        if len(tasks) >= count or time.monotonic() > deadline:
            return {each.task for each in tasks}
        time.sleep(0.3)


def test_code_without_the_old_interface_makes_the_next_version(module_kernel: Kernel, stack):
    """Of the same deployment, now with a schedule."""
    module_kernel.run(blocks("Now")[0])
    before = asyncio.run(queries.find_deployment(stack.endpoints, DEPLOYMENT))
    code = PAGE.partition("## Without the old interface")[2]
    module_kernel.run(re.search(r"```python\n(.*?)```", code, flags=re.DOTALL).group(1))
    after = asyncio.run(queries.find_deployment(stack.endpoints, DEPLOYMENT))
    assert (after.id, after.version, after.tags) == (before.id, before.version + 1, before.tags)
    assert asyncio.run(queries.get_deployment(stack.endpoints, after.id)).next_runs


def test_sizes_in_the_settings(settings_file):
    settings_file.write_text(re.search(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL).group(1))
    assert load_settings().worker_sizes["small"].memory == 2
