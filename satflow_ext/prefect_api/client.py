"""The requests to the Prefect REST API that SatFlow sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timezone
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx
from pydantic import TypeAdapter, ValidationError

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api.api_errors import translate_errors
from satflow_ext.prefect_api.http_client import NotPrefect, PrefectHttpClient
from satflow_ext.prefect_rows import (
    ArtifactRow,
    AutomationRow,
    BlockRow,
    DeploymentRow,
    EventPage,
    EventRow,
    FlowRow,
    FlowRunRow,
    LogRow,
    PrefectRow,
    StateHistoryRow,
    TaskRunRow,
    VariableRow,
    WorkerRow,
    WorkPoolRow,
)

Row = TypeVar("Row", bound=PrefectRow)

_QUOTED_DOTS = {".": "%2E", "..": "%2E%2E"}
"""Names that would shorten a path; `quote` does not change dots."""
_COUNT_ADAPTER = TypeAdapter(int)


@asynccontextmanager
async def prefect_client(api: PrefectApi) -> AsyncIterator[PrefectClient]:
    """Open a Prefect client. Its failures inside the `async with` block become SatFlow's errors.

    Args:
        api: address and credential; neither is taken from Prefect's own settings and profile.

    Raises:
        PrefectUnreachable: nothing answers at the address, or the server is not a Prefect API.
        PrefectUnauthorized: the API refused the credential.
        PrefectFailed: the API answered with another error.
    """
    with translate_errors(api):
        async with PrefectHttpClient(api) as http:
            yield PrefectClient(http)


class PrefectClient:
    """The requests to an open connection. Filters are in the format of the API; `limit` is at most 200.

    Args:
        http: the connection.
    """

    def __init__(self, http: PrefectHttpClient) -> None:
        self._http = http

    async def request(self, method: str, path: str, json: JsonObject | None = None) -> httpx.Response:
        """Send a request; see `PrefectHttpClient.request`."""
        return await self._http.request(method, path, json)

    async def read_flows(self, ids: Sequence[UUID]) -> list[FlowRow]:
        """Read at most 200 flows."""
        return await self._filter(FlowRow, "/flows", flows={"id": _any_of(ids)}, limit=len(ids))

    async def create_flow(self, name: str) -> UUID:
        """Create the flow of that name, unless it exists, and return its id."""
        return (await self._read(FlowRow, "POST", "/flows/", {"name": name})).id

    async def read_deployment(self, deployment_id: UUID) -> DeploymentRow:
        """Read a deployment."""
        return await self._read(DeploymentRow, "GET", f"/deployments/{deployment_id}")

    async def read_deployment_by_name(self, flow_name: str, name: str) -> DeploymentRow:
        """Read the deployment of that name."""
        return await self._read(DeploymentRow, "GET", f"/deployments/name/{quote_name(flow_name)}/{quote_name(name)}")

    async def read_deployments(
        self, ids: Sequence[UUID] | None = None, *, limit: int, offset: int = 0
    ) -> list[DeploymentRow]:
        """Read deployments, newest first: those with the ids, or all of them."""
        chosen = {} if ids is None else {"deployments": {"id": _any_of(ids)}}
        return await self._filter(
            DeploymentRow, "/deployments", **chosen, sort="CREATED_DESC", limit=limit, offset=offset
        )

    async def create_deployment(self, fields: JsonObject) -> None:
        """Create a deployment, or replace the given fields of the one with the same flow and name."""
        await self.request("POST", "/deployments/", fields)

    async def set_deployment_paused(self, deployment_id: UUID, paused: bool) -> None:
        """Pause or resume the schedules of a deployment."""
        await self.request("PATCH", f"/deployments/{deployment_id}", {"paused": paused})

    async def activate_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Activate one schedule of a deployment."""
        await self.request("PATCH", f"/deployments/{deployment_id}/schedules/{schedule_id}", {"active": True})

    async def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete a deployment."""
        await self.request("DELETE", f"/deployments/{deployment_id}")

    async def create_flow_run(
        self,
        deployment_id: UUID,
        parameters: JsonObject,
        idempotency_key: str | None,
        *,
        name: str | None = None,
        tags: Sequence[str] = (),
    ) -> FlowRunRow:
        """Create a run of a deployment that starts now; the same key returns the same run.

        Args:
            deployment_id: the deployment.
            parameters: values that differ from those of the deployment.
            idempotency_key: key of the request.
            name: name of the run; None means one that Prefect invents.
            tags: tags besides those of the deployment.
        """
        fields: JsonObject = {"parameters": parameters, "idempotency_key": idempotency_key}
        if name is not None:
            fields["name"] = name
        if tags:
            fields["tags"] = [*tags]
        return await self._read(FlowRunRow, "POST", f"/deployments/{deployment_id}/create_flow_run", fields)

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRunRow:
        """Read a flow run."""
        return await self._read(FlowRunRow, "GET", f"/flow_runs/{flow_run_id}")

    async def read_flow_runs(
        self,
        flow_runs: JsonObject,
        *,
        work_pool: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FlowRunRow]:
        """Read the flow runs that match a filter.

        Args:
            flow_runs: filter.
            work_pool: only runs of this work pool.
            sort: order, as `EXPECTED_START_TIME_ASC`.
            limit: maximum number; None means that of the server.
            offset: number of runs to skip.
        """
        pools = {} if work_pool is None else {"work_pools": {"name": {"any_": [work_pool]}}}
        page: JsonObject = {"sort": sort, "limit": limit, "offset": offset}
        return await self._filter(FlowRunRow, "/flow_runs", flow_runs=flow_runs, **pools, **page)

    async def cancel_flow_run(self, flow_run_id: UUID) -> None:
        """Request the end of a flow run."""
        state: JsonObject = {"type": "CANCELLING", "name": "Cancelling"}
        await self.request("POST", f"/flow_runs/{flow_run_id}/set_state", {"state": state, "force": False})

    async def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete a flow run with its log and its task runs."""
        await self.request("DELETE", f"/flow_runs/{flow_run_id}")

    async def schedule_flow_run(self, flow_run_id: UUID) -> None:
        """Schedule a flow run that has ended to run again now, as the same flow run."""
        details: JsonObject = {"scheduled_time": datetime.now(timezone.utc).isoformat()}
        state: JsonObject = {"type": "SCHEDULED", "name": "AwaitingRetry", "state_details": details}
        await self.request("POST", f"/flow_runs/{flow_run_id}/set_state", {"state": state, "force": False})

    async def read_task_run(self, task_run_id: UUID) -> TaskRunRow:
        """Read a task run."""
        return await self._read(TaskRunRow, "GET", f"/task_runs/{task_run_id}")

    async def read_task_runs(self, task_runs: JsonObject, *, limit: int, offset: int = 0) -> list[TaskRunRow]:
        """Read the task runs that match a filter, in the order in which they were expected to start."""
        chosen = {"task_runs": task_runs, "sort": "EXPECTED_START_TIME_ASC"}
        return await self._filter(TaskRunRow, "/task_runs", **chosen, limit=limit, offset=offset)

    async def count_task_runs(self, task_runs: JsonObject) -> int:
        """Count the task runs that match a filter."""
        response = await self.request("POST", "/task_runs/count", {"task_runs": task_runs})
        with _unreadable_as_not_prefect():
            return _COUNT_ADAPTER.validate_json(response.content)

    async def read_task_run_states(self, task_run_id: UUID) -> list[StateHistoryRow]:
        """Read the states that a task run has had, in no particular order."""
        return await self._read_states(f"/task_run_states/?task_run_id={task_run_id}")

    async def read_flow_run_states(self, flow_run_id: UUID) -> list[StateHistoryRow]:
        """Read the states that a flow run has had, in no particular order."""
        return await self._read_states(f"/flow_run_states/?flow_run_id={flow_run_id}")

    async def read_artifacts(self, flow_run_ids: Sequence[UUID], *, limit: int) -> list[ArtifactRow]:
        """Read the artifacts that flow runs created, newest first."""
        # Prefect records the location of a result as an artifact, with the type "result" or none.
        chosen = {"flow_run_id": _any_of(flow_run_ids), "type": {"not_any_": ["result"]}}
        return await self._filter(ArtifactRow, "/artifacts", artifacts=chosen, sort="CREATED_DESC", limit=limit)

    async def read_logs(self, logs: JsonObject, *, limit: int, offset: int = 0, sort: str) -> list[LogRow]:
        """Read the log lines that match a filter.

        Args:
            logs: filter.
            limit: maximum number of lines.
            offset: number of lines to skip.
            sort: `TIMESTAMP_ASC` or `TIMESTAMP_DESC`.
        """
        return await self._filter(LogRow, "/logs", logs=logs, limit=limit, offset=offset, sort=sort)

    async def read_work_pool(self, name: str) -> WorkPoolRow:
        """Read a work pool."""
        return await self._read(WorkPoolRow, "GET", f"/work_pools/{quote_name(name)}")

    async def read_work_pools(self) -> list[WorkPoolRow]:
        """Read the work pools."""
        return await self._filter(WorkPoolRow, "/work_pools")

    async def read_workers(self, work_pool: str) -> list[WorkerRow]:
        """Read the Prefect workers of a work pool."""
        return await self._filter(WorkerRow, f"/work_pools/{quote_name(work_pool)}/workers")

    async def read_variable(self, name: str) -> VariableRow:
        """Read a variable."""
        return await self._read(VariableRow, "GET", f"/variables/name/{quote_name(name)}")

    async def create_variable(self, name: str, value: int, tags: list[str]) -> None:
        """Create a variable."""
        await self.request("POST", "/variables/", {"name": name, "value": value, "tags": [*tags]})

    async def update_variable(self, name: str, value: int) -> None:
        """Change the value of a variable."""
        await self.request("PATCH", f"/variables/name/{quote_name(name)}", {"value": value})

    async def read_automations(self, *, limit: int, offset: int = 0) -> list[AutomationRow]:
        """Read automations."""
        return await self._filter(AutomationRow, "/automations", sort="CREATED_DESC", limit=limit, offset=offset)

    async def create_automation(self, fields: JsonObject) -> AutomationRow:
        """Create an automation."""
        return await self._read(AutomationRow, "POST", "/automations/", fields)

    async def update_automation(self, automation_id: UUID, fields: JsonObject) -> None:
        """Replace an automation."""
        await self.request("PUT", f"/automations/{automation_id}", fields)

    async def delete_automation(self, automation_id: UUID) -> None:
        """Delete an automation."""
        await self.request("DELETE", f"/automations/{automation_id}")

    async def read_block(self, block_type: str, name: str) -> BlockRow:
        """Read a block without its content."""
        path = f"/block_types/slug/{quote_name(block_type)}/block_documents/name/{quote_name(name)}"
        return await self._read(BlockRow, "GET", path)

    async def read_notification_blocks(self) -> list[BlockRow]:
        """Read the blocks that can send notifications, without their content."""
        able = {"block_capabilities": {"all_": ["notify"]}}
        return await self._filter(BlockRow, "/block_documents", block_schemas=able, include_secrets=False)

    async def create_event(self, fields: JsonObject) -> None:
        """Send an event."""
        await self._http.request("POST", "/events", [fields])  # a batch of one

    async def read_events(self, chosen: JsonObject, *, limit: int) -> list[EventRow]:
        """Read the newest events that match a filter."""
        body: JsonObject = {"filter": chosen, "limit": limit}
        return (await self._read(EventPage, "POST", "/events/filter", body)).events

    async def delete_variable(self, name: str) -> None:
        """Delete a variable."""
        await self.request("DELETE", f"/variables/name/{quote_name(name)}")

    async def _read_states(self, path: str) -> list[StateHistoryRow]:
        response = await self.request("GET", path)
        with _unreadable_as_not_prefect():
            return _list_adapter(StateHistoryRow).validate_json(response.content)

    async def _read(self, row: type[Row], method: str, path: str, json: JsonObject | None = None) -> Row:
        response = await self.request(method, path, json)
        with _unreadable_as_not_prefect():
            return row.model_validate_json(response.content)

    async def _filter(self, row: type[Row], path: str, **body: Any) -> list[Row]:
        response = await self.request("POST", f"{path}/filter", {name: v for name, v in body.items() if v is not None})
        with _unreadable_as_not_prefect():
            return _list_adapter(row).validate_json(response.content)


def quote_name(name: str) -> str:
    """Quote a name as one segment of a path."""
    return _QUOTED_DOTS.get(name) or quote(name, safe="")


@contextmanager
def _unreadable_as_not_prefect() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise NotPrefect from error


@cache
def _list_adapter(row: type[Row]) -> TypeAdapter[list[Row]]:
    return TypeAdapter(list[row])  # type: ignore[valid-type]


def _any_of(ids: Sequence[UUID]) -> JsonObject:
    return {"any_": [str(each) for each in sorted(ids)]}
