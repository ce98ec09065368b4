"""Checks of `satflow doctor` that contact Prefect and the store."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Sequence

import psutil
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import WorkerStatus

from satflow_ext import lease
from satflow_ext.commands import interrupts
from satflow_ext.commands.offline_checks import Check
from satflow_ext.endpoints import LOCAL_POOL, Endpoints, PrefectApi, Store, hide_credentials
from satflow_ext.errors import StackFailed, WorkPoolNotFound
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_names import read_work_pool, read_workers
from satflow_ext.registration.store_client import StoreClient
from satflow_ext.settings import Settings

PROBE_CONTENT = b"satflow doctor was here\n"


def list_checks(endpoints: Endpoints, settings: Settings) -> Sequence[Check]:
    """Return the checks for the endpoints in use."""
    checks = [
        Check("store", lambda: interrupts.run(_check_store(endpoints.store))),
        Check("Prefect API", lambda: interrupts.run(_check_prefect_api(endpoints.prefect))),
        Check("work pool", lambda: interrupts.run(_check_work_pool(endpoints))),
    ]
    if endpoints.local and endpoints.work_pool == LOCAL_POOL:
        checks.append(Check("Python of the Prefect worker", lambda: _check_worker_python(settings)))
    return checks


async def _check_store(store: Store) -> str:
    """Store a small content. It is always the same, so that the store never keeps more than one."""
    digest = f"sha256:{hashlib.sha256(PROBE_CONTENT).hexdigest()}"
    async with StoreClient(store) as client:
        await client.put(digest, PROBE_CONTENT)
    return f"{store.name} stores and returns contents"


async def _check_prefect_api(api: PrefectApi) -> str:
    async with prefect_client(api) as client:
        await client.read_work_pools(limit=1)
        return f"{hide_credentials(api.url)} answers and accepts the credential"


async def _check_work_pool(endpoints: Endpoints) -> str:
    if endpoints.work_pool is None:
        return "not set; each registration names its own"
    missing = WorkPoolNotFound(
        f"There is no work pool {endpoints.work_pool!r}.", fix="Set SATFLOW_WORK_POOL to another."
    )
    async with prefect_client(endpoints.prefect) as client:
        pool = await read_work_pool(client, endpoints.work_pool, missing)
        online = await _count_online_workers(client, pool.name)
    quoted = shlex.quote(pool.name)
    if pool.is_paused:
        raise WorkPoolNotFound(f"{pool.name} is paused.", fix=f"prefect work-pool resume {quoted}")
    if not online:
        raise WorkPoolNotFound(f"No Prefect worker polls {pool.name}.", fix=f"prefect worker start --pool {quoted}")
    return f"{pool.name} ({pool.type}), {online} online"


async def _count_online_workers(client: PrefectClient, pool: str) -> int:
    workers = await read_workers(client, pool)
    return sum(worker.status == WorkerStatus.ONLINE for worker in workers)


def _check_worker_python(settings: Settings) -> str:
    """Check the worker's Python: a kernel or a JupyterLab of another environment may have started the worker."""
    report = lease.read_report(settings)
    pids = [each.pid for each in report.services if each.name == "prefect-worker"] if report else []
    if not pids or pids[0] is None:
        raise StackFailed("The Prefect worker is not running.", fix="Run `satflow down`, then `satflow up`.")
    theirs = psutil.Process(pids[0]).cmdline()[0]  # the path of the command: a virtual environment's python is a link
    if theirs != sys.executable:
        fix = "Run `satflow down`, then `satflow up` from this environment."
        raise StackFailed(f"The worker uses {theirs}, this command uses {sys.executable}.", fix=fix)
    return theirs
