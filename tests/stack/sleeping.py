"""A flow run that sleeps in a whole stack, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import psutil
from prefect.client.schemas.objects import State

from satflow_ext.endpoints import LOCAL_POOL, PrefectApi, StackRecord
from tests.prefect_clients import stock_client

FLOW = """
import os, subprocess, sys, time
from pathlib import Path
from prefect import flow, get_run_logger

@flow
def sleeper(pids: str):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    Path(pids).write_text(f"{os.getpid()} {child.pid}")
    for second in range(300):
        get_run_logger().info("second %s", second)
        time.sleep(1)
"""


def api_of(record: StackRecord) -> PrefectApi:
    """The Prefect API of a stack."""
    assert record.prefect_url is not None
    return PrefectApi(record.prefect_url, auth_string=record.prefect_auth)


async def start_sleeper(record: StackRecord, folder: Path) -> UUID:
    """Start a run that sleeps and has a child in a session of its own."""
    (folder / "sleeper.py").write_text(FLOW)
    async with stock_client(api_of(record)) as client:
        deployment = await client.create_deployment(
            await client.create_flow_from_name("sleeper"),
            name="sleeper",
            entrypoint="sleeper.py:sleeper",
            path=str(folder),
            work_pool_name=LOCAL_POOL,
            job_variables={"command": f"{sys.executable} -m prefect.engine"},
        )
        run = await client.create_flow_run_from_deployment(deployment, parameters={"pids": str(folder / "pids")})
    return run.id


async def state_of(record: StackRecord, run: UUID) -> State:
    """The state of a run now."""
    async with stock_client(api_of(record)) as client:
        state = (await client.read_flow_run(run)).state
    assert state is not None
    return state


def sleepers(folder: Path) -> list[psutil.Process]:
    """The flow run's process and its child, once both run."""
    try:
        pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    except FileNotFoundError:
        return []
    return [psutil.Process(pid) for pid in pids]
