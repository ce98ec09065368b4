"""A run group of a deployment that no Prefect worker runs, and what its submitter does."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from prefect.states import State

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import RunGroup, RunPoint
from satflow_ext.run_groups.database import GroupDatabase, GroupRow, NewPoint, new_group_id
from satflow_ext.run_groups.groups import advance_groups
from satflow_ext.run_groups.points import digest_point
from satflow_ext.settings import Settings


class Submitter:
    """A group of that many points, and what its submitter does."""

    def __init__(self, prefect, api: PrefectApi, settings: Settings, points: int, **options) -> None:
        self.prefect, self.api, self.settings = prefect, api, settings
        self.database = GroupDatabase(settings, api)
        self.deployment_name = f"many-{uuid4().hex[:8]}"
        deployment_id = prefect.deployment(self.deployment_name, work_pool_name=prefect.pool("unpolled"), **options)
        self.row = GroupRow(
            id=new_group_id(),
            name=f"group {self.deployment_name}",
            flow_name="demo",
            deployment_name=self.deployment_name,
            deployment_id=deployment_id,
            created="2026-01-01T00:00:00+00:00",
            concurrency=3,
            newest_first=False,
            varied=("n",),
            status="active",
            problem=None,
        )
        parameters = [{"n": n} for n in range(points)]
        self.database.create_group(self.row, [NewPoint(digest_point(each), each) for each in parameters])

    def step(self, api: PrefectApi | None = None) -> RunGroup:
        asyncio.run(advance_groups(self.database, api or self.api, self.settings))
        return self.group

    @property
    def group(self) -> RunGroup:
        return self.database.read_group(self.row.id)

    @property
    def points(self) -> tuple[RunPoint, ...]:
        return self.database.read_points(self.row.id, limit=100)

    def live(self) -> list[RunPoint]:
        return [*self.database.list_submitted(self.row.id, live_only=True)]

    def runs(self) -> dict[str, str]:
        """The names and states of all runs that Prefect has of this group."""

        async def read(client) -> list[dict]:
            body = {"flow_runs": {"tags": {"all_": [f"group:{self.row.name}"]}}}
            return (await client.request("POST", "/flow_runs/filter", json=body)).json()

        return {run["name"]: run["state_type"] for run in self.prefect.ask(read)}

    def end(self, point: RunPoint, state: State) -> None:
        self.prefect.ask(lambda client: client.set_flow_run_state(UUID(point.run_id), state, force=True))
