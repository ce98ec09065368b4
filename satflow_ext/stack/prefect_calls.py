"""Calls of the supervisor to its own Prefect server, without importing Prefect."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

import httpx
from pydantic import BaseModel, TypeAdapter

from satflow_ext.endpoints import LOCAL_POOL, NOTEBOOK_TAG, WORKER_TYPE

PAGE_SIZE = 200
"""Maximum number of objects that the server returns per request."""

UNFINISHED_STATES = ("PENDING", "RUNNING", "CANCELLING")

UNTAKEN_STATES = {"name": {"any_": ["Scheduled", "Late"]}}
"""States of runs that no Prefect worker has taken, without runs that wait for a retry or a slot."""


class FlowRun(BaseModel):
    """The fields of a flow run that the supervisor uses; `infrastructure_pid` names its process."""

    id: str
    name: str
    state_type: str
    infrastructure_pid: str | None = None
    deployment_id: str | None = None
    tags: frozenset[str] = frozenset()

    @property
    def is_in_kernel(self) -> bool:
        """True if a kernel executes the run, because its flow was called in a cell."""
        return self.deployment_id is None and NOTEBOOK_TAG in self.tags


class ScheduledRun(BaseModel):
    """A scheduled run that has not started. `deployment` is the deployment's name `flow/deployment`."""

    id: str
    deployment: str = ""
    deployment_id: str | None = None
    flow_id: str
    auto_scheduled: bool = False
    expected_start_time: datetime


class _NamedObject(BaseModel):
    id: str
    name: str


class PoolLimit(BaseModel):
    """Maximum number of runs of a work pool that may be Pending or Running at a time."""

    concurrency_limit: int | None = None


class PrefectWorker(BaseModel):
    """A Prefect worker of a work pool."""

    name: str
    status: str
    last_heartbeat_time: datetime | None = None


_flow_runs = TypeAdapter(list[FlowRun])
_scheduled_runs = TypeAdapter(list[ScheduledRun])
_named_objects = TypeAdapter(list[_NamedObject])
_prefect_workers = TypeAdapter(list[PrefectWorker])


@dataclass(frozen=True)
class Credential:
    """Address of the server and the `user:password` that it was started with."""

    url: str
    auth: str


class PrefectCalls:
    """An open connection to the server. Use it as an asynchronous context manager."""

    def __init__(self, credential: Credential, *, timeout: float = 10.0) -> None:
        user, _, password = credential.auth.partition(":")
        self._http = httpx.AsyncClient(
            base_url=credential.url,
            auth=(user, password),
            timeout=timeout,
            trust_env=False,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # TLS is not used; loading all certificates takes 20 ms
        )

    async def __aenter__(self) -> PrefectCalls:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def is_ready(self) -> bool:
        """Return whether the server answers and accepts the credential."""
        try:
            health = await self._http.get("/health")
            version = await self._http.get("/admin/version")
        except httpx.TransportError:
            return False
        return health.is_success and version.is_success

    async def read_unfinished_runs(self) -> Sequence[FlowRun]:
        """Read the flow runs that have not ended, and that a Prefect worker of the local work pool or a kernel executes."""
        state = {"type": {"any_": list(UNFINISHED_STATES)}}
        of_pool = {"flow_runs": {"state": state}, "work_pools": {"name": {"any_": [LOCAL_POOL]}}}
        of_kernels = {"flow_runs": {"state": state, "tags": {"all_": [NOTEBOOK_TAG]}}}
        taken = _flow_runs.validate_json(await self._post("/flow_runs/filter", of_pool))
        called = _flow_runs.validate_json(await self._post("/flow_runs/filter", of_kernels))
        return [*taken, *(run for run in called if run.is_in_kernel)]

    async def end_run(self, run: FlowRun, state_type: str, state_name: str, message: str) -> None:
        """Set the final state of a run whose process has ended."""
        state = {"type": state_type, "name": state_name, "message": message}
        await self._post(f"/flow_runs/{run.id}/set_state", {"state": state, "force": True})

    async def read_missed_runs(self, before: datetime, after: datetime | None = None) -> Sequence[ScheduledRun]:
        """Read the scheduled runs of the local work pool whose start time has passed and that have not started.

        Args:
            before: latest expected start time.
            after: earliest expected start time, None for no limit.
        """
        found: list[ScheduledRun] = []
        while True:
            page = _scheduled_runs.validate_json(
                await self._post("/flow_runs/filter", _missed_runs_query(before, after, len(found)))
            )
            found += page
            if len(page) < PAGE_SIZE:
                break
        runs = [run for run in found if run.auto_scheduled and run.deployment_id is not None]
        flows = await self._read_names("flows", {run.flow_id for run in runs})
        deployments = await self._read_names("deployments", {str(run.deployment_id) for run in runs})
        known = [run for run in runs if run.flow_id in flows and run.deployment_id in deployments]
        return [
            run.model_copy(update={"deployment": f"{flows[run.flow_id]}/{deployments[str(run.deployment_id)]}"})
            for run in known
        ]

    async def skip_run(self, run_id: str, message: str) -> bool:
        """Cancel a scheduled run that must not start, unless a Prefect worker has taken it; return whether it was cancelled.

        The run's state is read immediately before. A run that a Prefect worker takes in between is at most Pending: its process
        takes longer to start, and then finds that it must not run.
        """
        waiting = {"flow_runs": {"id": {"any_": [run_id]}, "state": UNTAKEN_STATES}}
        if not _scheduled_runs.validate_json(await self._post("/flow_runs/filter", waiting)):
            return False
        state = {"type": "CANCELLED", "name": "Skipped", "message": message}
        await self._post(f"/flow_runs/{run_id}/set_state", {"state": state})
        return True

    async def _read_names(self, kind: str, ids: set[str]) -> dict[str, str]:
        """Read the names of flows or deployments by id."""
        names: dict[str, str] = {}
        for some in split_into_batches(sorted(ids)):
            body = {kind: {"id": {"any_": some}}, "limit": PAGE_SIZE}
            names |= {
                each.id: each.name for each in _named_objects.validate_json(await self._post(f"/{kind}/filter", body))
            }
        return names

    async def read_pool_limit(self) -> PoolLimit | None:
        """Read the concurrency limit of the local work pool; return None while the pool does not exist."""
        response = await self._http.get(f"/work_pools/{LOCAL_POOL}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return PoolLimit.model_validate_json(response.content)

    async def create_pool(self, limit: int) -> None:
        """Create the local work pool; the Prefect worker adds the job template of its type when it starts."""
        await self._send("POST", "/work_pools/", {"name": LOCAL_POOL, "type": WORKER_TYPE, "concurrency_limit": limit})

    async def set_pool_limit(self, limit: int) -> None:
        """Set the concurrency limit of the local work pool."""
        await self._send("PATCH", f"/work_pools/{LOCAL_POOL}", {"concurrency_limit": limit})

    async def read_workers(self) -> Sequence[PrefectWorker]:
        """Read the Prefect workers of the local work pool; return an empty list while the pool does not exist."""
        try:
            return _prefect_workers.validate_json(await self._post(f"/work_pools/{LOCAL_POOL}/workers/filter", {}))
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return []
            raise

    async def _post(self, path: str, body: Mapping[str, object]) -> bytes:
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: Mapping[str, object]) -> bytes:
        """Send a request with a new CSRF token, which the server requires for every request that writes."""
        client = str(uuid.uuid4())
        token = await self._http.get("/csrf-token", params={"client": client})
        token.raise_for_status()
        headers = {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token.json()["token"]}
        response = await self._http.request(method, path, json=body, headers=headers)
        response.raise_for_status()
        return response.content


def split_into_batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into batches of at most `PAGE_SIZE`."""
    for start in range(0, len(ids), PAGE_SIZE):
        yield ids[start : start + PAGE_SIZE]


def _missed_runs_query(before: datetime, after: datetime | None, offset: int) -> dict[str, object]:
    expected = {"before_": before.isoformat(), **({"after_": after.isoformat()} if after else {})}
    return {
        "flow_runs": {"state": UNTAKEN_STATES, "expected_start_time": expected},
        "work_pools": {"name": {"any_": [LOCAL_POOL]}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": PAGE_SIZE,
        "offset": offset,
    }
