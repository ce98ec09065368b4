"""Flows packed in this process, and runs of their deployments watched to the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest

from satflow_ext import runs
from satflow_ext.errors import PrefectFailed
from satflow_ext.kernel.pack import pack_flow
from satflow_ext.models import PackedFlow, Registered, Registration, RunDetail, RunRequest
from satflow_ext.registration import register
from satflow_ext.runs.log_follower import follow_log
from satflow_ext.settings import GIB

PATIENCE = 600
"""Seconds for a run on a machine that has much else to do."""


@pytest.fixture
def packed(tmp_path) -> Callable[..., PackedFlow]:
    """Packs a flow as a kernel would whose namespace holds just that flow."""

    def pack_one(flow, **parameters) -> PackedFlow:
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        return pack_flow(flow, folder, namespace={"flow": flow}, parameter_values=parameters, limit=GIB)

    return pack_one


@pytest.fixture
def name() -> str:
    """A deployment name that no other test uses."""
    return f"test-{uuid4().hex[:8]}"


@pytest.fixture
def registered(stack, packed, name) -> Callable[..., Registered]:
    """Registers a flow with the test's own deployment name."""

    def register_one(flow, settings=None, **choices) -> Registered:
        wanted = Registration(**{"name": name, **choices})
        return asyncio.run(register(packed(flow), wanted, stack.endpoints, settings or stack.settings))

    return register_one


@pytest.fixture
def ran(stack) -> Callable[..., RunDetail]:
    """Runs a deployment and waits for its end."""

    def run_one(done: Registered, **parameters) -> RunDetail:
        request = RunRequest(deployment_id=done.deployment.id, parameters=parameters, idempotency_key=str(uuid4()))
        started = asyncio.run(runs.start_run(stack.endpoints.prefect, request))
        return ended(stack, started.id)

    return run_one


def ended(stack, run_id: str, patience: float = PATIENCE) -> RunDetail:
    """A run as it is after its end. A Prefect server that gives no answer for want of processor time is asked again."""
    deadline, last = time.monotonic() + patience, "no answer"
    while time.monotonic() < deadline:
        with suppress(PrefectFailed):
            detail = asyncio.run(runs.read_run_detail(stack.endpoints.prefect, run_id))
            if detail.run.state_type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return detail
            last = f"{detail.run.state_name}: {detail.run.why_waiting}"
        time.sleep(0.3)
    raise TimeoutError(last)


def log_of(stack, run_id: str) -> str:
    """A run's whole log: its last lines come some seconds after its end."""

    async def where():
        return stack.endpoints.prefect

    async def read() -> str:
        return "\n".join(
            [line.message async for batch in follow_log(where, run_id, settings=stack.settings) for line in batch.lines]
        )

    return asyncio.run(read())


def with_work_pool(stack, work_pool):
    """The stack's endpoints with another default work pool."""
    return replace(stack.endpoints, work_pool=work_pool)
