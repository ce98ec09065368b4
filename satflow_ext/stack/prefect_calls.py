"""The few calls the supervisor makes to its own Prefect server, without importing Prefect."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

import httpx
from pydantic import BaseModel, TypeAdapter

from satflow_ext.endpoints import LOCAL_POOL

PAGE = 200
"""The most objects that the server gives at once."""

UNFINISHED = ("PENDING", "RUNNING", "CANCELLING")

NOT_TAKEN = {"name": {"any_": ["Scheduled", "Late"]}}
"""The states of runs that no Prefect worker has taken; neither those that wait for a retry nor for a slot."""


class FlowRun(BaseModel):
    """A flow run as far as the supervisor cares: `infrastructure_pid` names its process."""

    id: str
    name: str
    state_type: str
    infrastructure_pid: str | None = None


class ScheduledRun(BaseModel):
    """A run of a schedule that has not started. `deployment` is its `flow/deployment`."""

    id: str
    deployment: str = ""
    deployment_id: str | None = None
    flow_id: str
    auto_scheduled: bool = False
    expected_start_time: datetime


class _Named(BaseModel):
    id: str
    name: str


class PoolLimit(BaseModel):
    """How many runs of a work pool may be Pending or Running at a time."""

    concurrency_limit: int | None = None


class PrefectWorker(BaseModel):
    """A Prefect worker of a work pool."""

    name: str
    status: str
    last_heartbeat_time: datetime | None = None


_flow_runs = TypeAdapter(list[FlowRun])
_scheduled_runs = TypeAdapter(list[ScheduledRun])
_named = TypeAdapter(list[_Named])
_prefect_workers = TypeAdapter(list[PrefectWorker])


@dataclass(frozen=True)
class Credential:
    """Where the server is and the `user:password` it was started with."""

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
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # no TLS is spoken; reading all certificates takes 20 ms
        )

    async def __aenter__(self) -> PrefectCalls:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def ready(self) -> bool:
        """Whether the server answers, and takes the credential."""
        try:
            health = await self._http.get("/health")
            version = await self._http.get("/admin/version")
        except httpx.TransportError:
            return False
        return health.is_success and version.is_success

    async def unfinished_runs(self) -> Sequence[FlowRun]:
        """The flow runs of the local work pool that were handed to a Prefect worker and have not ended."""
        body = {
            "flow_runs": {"state": {"type": {"any_": list(UNFINISHED)}}},
            "work_pools": {"name": {"any_": [LOCAL_POOL]}},
        }
        return _flow_runs.validate_json(await self._post("/flow_runs/filter", body))

    async def end_run(self, run: FlowRun, state_type: str, state_name: str, message: str) -> None:
        """Set the final state of a run whose process is gone."""
        state = {"type": state_type, "name": state_name, "message": message}
        await self._post(f"/flow_runs/{run.id}/set_state", {"state": state, "force": True})

    async def missed_runs(self, before: datetime, after: datetime | None = None) -> Sequence[ScheduledRun]:
        """The runs of schedules in the local work pool that should have started already, and are scheduled still.

        Args:
            before: the moment before which they should have started.
            after: the moment after which, where there is one.
        """
        found: list[ScheduledRun] = []
        while True:
            page = _scheduled_runs.validate_json(
                await self._post("/flow_runs/filter", _missed(before, after, len(found)))
            )
            found += page
            if len(page) < PAGE:
                break
        runs = [run for run in found if run.auto_scheduled and run.deployment_id is not None]
        flows = await self._names("flows", {run.flow_id for run in runs})
        deployments = await self._names("deployments", {str(run.deployment_id) for run in runs})
        known = [run for run in runs if run.flow_id in flows and run.deployment_id in deployments]
        return [
            run.model_copy(update={"deployment": f"{flows[run.flow_id]}/{deployments[str(run.deployment_id)]}"})
            for run in known
        ]

    async def skip_run(self, run_id: str, message: str) -> bool:
        """Cancel a scheduled run that must not start, unless a Prefect worker has taken it; return whether it was cancelled.

        The run's state is read right before. One that a Prefect worker takes in between is Pending at most: its process takes
        longer to begin, and then finds that it may not run.
        """
        waiting = {"flow_runs": {"id": {"any_": [run_id]}, "state": NOT_TAKEN}}
        if not _scheduled_runs.validate_json(await self._post("/flow_runs/filter", waiting)):
            return False
        state = {"type": "CANCELLED", "name": "Skipped", "message": message}
        await self._post(f"/flow_runs/{run_id}/set_state", {"state": state})
        return True

    async def _names(self, kind: str, ids: set[str]) -> dict[str, str]:
        """The names of flows or deployments by id."""
        names: dict[str, str] = {}
        for some in batched(sorted(ids)):
            body = {kind: {"id": {"any_": some}}, "limit": PAGE}
            names |= {each.id: each.name for each in _named.validate_json(await self._post(f"/{kind}/filter", body))}
        return names

    async def pool_limit(self) -> PoolLimit | None:
        """The concurrency limit of the local work pool; None while the pool is not made yet."""
        response = await self._http.get(f"/work_pools/{LOCAL_POOL}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return PoolLimit.model_validate_json(response.content)

    async def make_pool(self, limit: int) -> None:
        """Make the local work pool; the Prefect worker adds the template of its type when it starts."""
        await self._send("POST", "/work_pools/", {"name": LOCAL_POOL, "type": "process", "concurrency_limit": limit})

    async def limit_pool(self, limit: int) -> None:
        """Set the concurrency limit of the local work pool."""
        await self._send("PATCH", f"/work_pools/{LOCAL_POOL}", {"concurrency_limit": limit})

    async def workers(self) -> Sequence[PrefectWorker]:
        """The Prefect workers of the local work pool; none while the pool is not made yet."""
        try:
            return _prefect_workers.validate_json(await self._post(f"/work_pools/{LOCAL_POOL}/workers/filter", {}))
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return []
            raise

    async def _post(self, path: str, body: Mapping[str, object]) -> bytes:
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: Mapping[str, object]) -> bytes:
        """Send a request with a fresh CSRF token, which the server asks of every writing call."""
        client = str(uuid.uuid4())
        token = await self._http.get("/csrf-token", params={"client": client})
        token.raise_for_status()
        headers = {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token.json()["token"]}
        response = await self._http.request(method, path, json=body, headers=headers)
        response.raise_for_status()
        return response.content


def batched(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into as many as the server gives at once."""
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def _missed(before: datetime, after: datetime | None, offset: int) -> dict[str, object]:
    expected = {"before_": before.isoformat(), **({"after_": after.isoformat()} if after else {})}
    return {
        "flow_runs": {"state": NOT_TAKEN, "expected_start_time": expected},
        "work_pools": {"name": {"any_": [LOCAL_POOL]}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": PAGE,
        "offset": offset,
    }
