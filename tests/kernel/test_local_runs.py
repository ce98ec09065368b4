"""Flows that are called in a cell, in real kernels: on the local stack, or as Prefect does it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from satflow_ext.errors import CannotCancel
from satflow_ext.models import Run, RunQuery
from satflow_ext.runs import cancel_run, list_runs
from satflow_ext.stack.orphaned_runs import has_process
from satflow_ext.stack.prefect_calls import Credential, FlowRun, PrefectCalls
from satflow_ext.stack.supervisor import _select_lost_runs

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

FLOWS = """
import os, time
from prefect import flow, task
from prefect.settings import PREFECT_API_URL
@task
def double(number): return 2 * number
@flow
def nested(number): return double(number)
@flow(name=NAME)
def called(number: int): return PREFECT_API_URL.value(), nested(number)
@flow(name=NAME)
async def called_async(number: int): return double.submit(number).result()
@flow(name=NAME)
def generated(number: int): yield from range(number)
@flow(name=NAME)
async def generated_async(number: int):
    for each in range(number): yield each
@flow(name=NAME)
def waits():
    print("started", flush=True)
    time.sleep(3600)
"""


@pytest.fixture
def name() -> str:
    return f"called-{uuid4().hex[:6]}"


def runs_of(stack: Stack, name: str) -> list[Run]:
    found = asyncio.run(list_runs(stack.endpoints.prefect, RunQuery(limit=200)))
    return [run for run in found if run.flow_name == name]


def unfinished_runs(stack: Stack) -> list[FlowRun]:
    async def read() -> list[FlowRun]:
        record = stack.record
        async with PrefectCalls(Credential(record.prefect_url or "", record.prefect_auth or "")) as calls:
            return [run for run in await calls.read_unfinished_runs() if run.is_in_kernel]

    return asyncio.run(read())


def test_called_flows_are_runs_of_the_local_stack(kernel: Kernel, stack: Stack, name: str) -> None:
    kernel.run(f"%load_ext satflow_ext\nNAME = {name!r}")
    kernel.run(FLOWS + "first = called(2)")
    assert kernel.value("first") == repr((stack.endpoints.prefect.url, 4))
    kernel.run("second = await called_async(3)\nthird = list(generated(2))")
    kernel.run("fourth = [each async for each in generated_async(2)]")
    assert kernel.value("second, third, fourth") == "(6, [0, 1], [0, 1])"
    runs = runs_of(stack, name)
    assert [(run.state_type, run.in_kernel) for run in runs] == [("COMPLETED", True)] * 4
    password = (stack.endpoints.prefect.auth_string or "").partition(":")[2]
    assert kernel.value(f"{password!r} in str(os.environ), PREFECT_API_URL.value()") == "(False, None)"


def test_a_run_ends_with_its_kernel(kernel: Kernel, stack: Stack, name: str) -> None:
    kernel.run(f"%load_ext satflow_ext\nNAME = {name!r}")
    kernel.run(FLOWS)
    kernel.client.execute("waits()")
    while "started" not in str(kernel.client.get_iopub_msg(timeout=kernel.patience)["content"]):
        pass
    (run,) = (each for each in unfinished_runs(stack) if each.id == runs_of(stack, name)[0].id)
    assert has_process(run, "/run/any")
    with pytest.raises(CannotCancel, match="called in a notebook"):
        asyncio.run(cancel_run(stack.endpoints.prefect, run.id))
    kernel.manager.restart_kernel(now=True)
    assert not has_process(run, "/run/any")
    assert _select_lost_runs([run], "/run/any") == [run]
    while (ended := runs_of(stack, name)[0]).state_type == "RUNNING":
        pass
    assert (ended.state_type, ended.state_message) == (
        "CRASHED",
        "The kernel that executed this run was restarted or ended.",
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"SATFLOW_NOTEBOOK_RUNS": "false"},
        {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"},
    ],
)
def test_prefect_is_left_alone(start_kernel: type[Kernel], tmp_path: Path, variables: dict[str, str]) -> None:
    """Without an API and without a temporary server, a call of a flow fails in Prefect instead of starting anything."""
    kernel = start_kernel(tmp_path, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false", **variables)
    try:
        kernel.run("%load_ext satflow_ext")
        reply, _ = kernel.send("from prefect import flow\n@flow\ndef idle(): pass\nidle()")
        assert reply["status"] == "error"
        assert kernel.value("'satflow_ext.lease' in __import__('sys').modules") == "False"
    finally:
        kernel.stop()


def test_importing_prefect_starts_nothing(kernel: Kernel) -> None:
    kernel.run("%load_ext satflow_ext\nimport sys, prefect\nfrom prefect import flow\n@flow\ndef idle(): pass")
    assert kernel.value("'satflow_ext.lease' in sys.modules") == "False"
