"""A session: everything that a process does with one Prefect API and one store.

Kernel, Jupyter server and command line do the same things through it. They differ only in how they get the endpoints: a kernel
and a command wait for the local stack (`open_session`), the Jupyter server starts it in the background (`server/stack.py`).

The operations are imported when they are first used, so that no process waits for the import of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from pydantic import JsonValue

from satflow_ext import lease
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Endpoints, PrefectApi, resolve_endpoints
from satflow_ext.errors import DeploymentNotFound, DiskFull, PrefectFailed, RunNotFound
from satflow_ext.models import (
    ClusterOrder,
    Deployment,
    JsonObject,
    PackedFlow,
    RecentRuns,
    RecentRunsRequest,
    Registered,
    Registration,
    ResultPreview,
    Run,
    RunChangeRequest,
    RunChanges,
    RunDetail,
    RunGroup,
    RunGroupPlan,
    RunGroupRequest,
    RunPoint,
    RunQuery,
    RunRequest,
    RunVersion,
    SharedCluster,
    TaskRun,
    TaskRunDetail,
    VersionDetail,
    VersionDiff,
    VersionList,
    VersionQuery,
)
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from satflow_ext.registration.preview import Preview
    from satflow_ext.results.document import VerifiedResult
    from satflow_ext.results.failed_tasks import FailedTaskRun, VerifiedInputs
    from satflow_ext.run_groups.database import GroupDatabase
    from satflow_ext.run_groups.groups import Selection
    from satflow_ext.runs.log_book import LogBatch
    from satflow_ext.runs.task_runs import TaskRunBook
    from satflow_ext.versions.content_download import CheckedVersion


GROUP_PAUSE = 1.0
"""Seconds between two reads of a run group whose end is waited for."""
GROUP_PATIENCE = 600.0
"""Seconds for which a Prefect API may not answer while a run group is followed."""


class Connection(Protocol):
    """The settings of a process, and the endpoints that they lead to."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    async def endpoints(self) -> Endpoints:
        """Return the endpoints, once their services run.

        Raises:
            StackFailed: the local stack is needed and does not run.
            SettingsWrong: the settings name a store or a variable that does not exist.
        """


@dataclass(frozen=True)
class OpenConnection:
    """A connection whose services already run."""

    settings: Settings
    resolved: Endpoints

    async def endpoints(self) -> Endpoints:
        """Return the endpoints."""
        return self.resolved


class Session:
    """The operations of one process, grouped by what they are about.

    Args:
        connection: the settings and the endpoints.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.deployments = Deployments(connection)
        self.runs = Runs(connection)
        self.run_groups = RunGroups(connection, self.deployments)
        self.clusters = SharedClusters(connection)

    async def find_prefect_api(self) -> PrefectApi:
        """Return the Prefect API, once its services run."""
        return (await self._connection.endpoints()).prefect

    async def wait_ready(self) -> None:
        """Wait until the services run, so that a failure to start comes before other work."""
        await self._connection.endpoints()

    async def register(
        self,
        packed: PackedFlow,
        registration: Registration,
        *,
        overwrite: bool = False,
        replaces: Collection[str] | None = None,
    ) -> Registered:
        """Create a deployment of a packed flow, or its next version; see `registration.register`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.registration import register

        return await register(
            packed, registration, endpoints, self._connection.settings, overwrite=overwrite, replaces=replaces
        )

    async def run_deployment(
        self, name: str, parameters: Mapping[str, JsonValue] | None = None, texts: Mapping[str, str] | None = None
    ) -> Run:
        """Start a run of a deployment now.

        Args:
            name: `flow/deployment`, the deployment's name, or its id.
            parameters: parameter name → value.
            texts: parameter name → value as text, which becomes JSON or stays text, depending on the parameter's type.

        Raises:
            DeploymentNotFound: no deployment matches, or more than one.
            InvalidParameter: a value does not fit the flow's signature, or a required one is missing.
        """
        deployment = await self.deployments.find_deployment(name)
        parsed = _parse_texts(texts, deployment.parameter_schema) if texts else {}
        return await self.runs.start_run(
            RunRequest(
                deployment_id=deployment.id,
                parameters={**(parameters or {}), **parsed},
                idempotency_key=str(uuid4()),
            )
        )

    async def find_run(self, name: str) -> Run:
        """Find a run by its id or name, or the latest run of a deployment by `flow/deployment`, its name or its id.

        Raises:
            RunNotFound: no run and no deployment matches, or the deployment has no run.
            DeploymentNotFound: more than one deployment has that name.
        """
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        with suppress(RunNotFound):
            return await runs.read_run(endpoints.prefect, name)
        run = await runs.read_named_run(endpoints.prefect, name)
        return run or await self._find_latest_run(name)

    async def _find_latest_run(self, name: str) -> Run:
        try:
            deployment = await self.deployments.find_deployment(name)
        except DeploymentNotFound as error:
            raise RunNotFound(f"No flow run has the id or name {name!r}. {error.message}", fix=error.fix) from None
        found = await self.runs.list_runs(RunQuery(deployment_id=deployment.id, limit=1))
        if not found:
            full_name = f"{deployment.flow_name}/{deployment.name}"
            raise RunNotFound(f"{full_name} has no run yet.", fix=f"Start one: satflow run {full_name}")
        return found[0]

    async def preview(self, packed: PackedFlow, registration: Registration, *, overwrite: bool = False) -> Preview:
        """Determine the result of a registration without sending anything; see `preview.preview_registration`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.registration.preview import preview_registration

        return await preview_registration(
            packed, registration, endpoints, self._connection.settings, overwrite=overwrite
        )


def _parse_texts(texts: Mapping[str, str], schema: JsonObject) -> JsonObject:
    from satflow_ext.parameter_values.by_schema import value_fits
    from satflow_ext.parameter_values.text import text_to_value

    return {name: text_to_value(text, partial(value_fits, name, schema=schema)) for name, text in texts.items()}


class Deployments:
    """The deployments that SatFlow created, and their versions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_all(self) -> tuple[Deployment, ...]:
        """List all deployments that SatFlow created."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import queries

        return tuple([await queries.add_next_runs(each) for each in await queries.list_deployments(endpoints)])

    async def find_deployment(self, name: str) -> Deployment:
        """Find a deployment by `flow/deployment`, its name or its id, and explain what happened to one that is gone.

        The times of its next runs are left out: their computation takes seconds.

        Raises:
            DeploymentNotFound: no deployment matches, or more than one.
        """
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import conflicts

        return await conflicts.look_up_deployment(endpoints, self._connection.settings, name)

    async def set_paused(self, deployment_id: str, paused: bool) -> Deployment:
        """Pause or resume a deployment's schedules."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import queries

        return await queries.set_paused(endpoints, self._connection.settings, deployment_id, paused)

    async def delete_deployment(self, deployment_id: str) -> None:
        """Delete a deployment; its runs stay."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import queries

        await queries.delete_deployment(endpoints, self._connection.settings, deployment_id)

    async def list_versions(self, deployment_id: str, query: VersionQuery) -> VersionList:
        """Read a page of a deployment's versions, newest first."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import versions

        return await versions.list_versions(endpoints, deployment_id, query)

    async def read_version(self, deployment_id: str, number: int) -> VersionDetail:
        """Read the details of one version."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import versions

        return await versions.read_version(endpoints, deployment_id, number)

    async def compare_versions(self, deployment_id: str, before: int, after: int) -> VersionDiff:
        """Compute the differences between two versions."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import versions

        return await versions.diff_versions(endpoints, deployment_id, before, after)

    async def download_version(self, deployment_id: str, number: int | None) -> CheckedVersion:
        """Download and verify a version for this interpreter, None for the live one; see `content_download`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import versions
        from satflow_ext.keys import read_trusted_keys
        from satflow_ext.versions import content_download, packing_environment

        chain = await versions.read_chain(endpoints, deployment_id)
        trusted_keys = read_trusted_keys(self._connection.settings)
        here = packing_environment.current_environment()
        return await content_download.download_version(chain, number or chain.newest, trusted_keys, here)

    async def roll_back(self, deployment_id: str, number: int) -> Registered:
        """Create the next version from an earlier one; see `registrar.roll_back`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.registration import registrar

        return await registrar.roll_back(endpoints, self._connection.settings, deployment_id, number)


class Runs:
    """Flow runs of the Prefect API."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start_run(self, request: RunRequest) -> Run:
        """Start a run of a deployment now.

        Raises:
            DiskFull: the run would be on this machine, and its disk is full.
        """
        endpoints = await self._check_disk()
        from satflow_ext import runs

        return await runs.start_run(endpoints.prefect, request)

    async def read_run(self, run_id: str) -> Run:
        """Read one run."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.read_run(endpoints.prefect, run_id)

    async def wait_for_end(self, run_id: str) -> Run:
        """Wait until a run has ended, and read it."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.wait_for_end(endpoints.prefect, run_id)

    async def download_result(self, run_id: str) -> VerifiedResult | None:
        """Download and verify the result of a completed run, None if its flow returned None; see `results.download`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.results import download

        return await download.download_result(endpoints, self._connection.settings, run_id)

    async def preview_result(self, run_id: str) -> ResultPreview:
        """Download and verify the result of a completed run, and draw it; see `results.download`."""
        result = await self.download_result(run_id)
        from satflow_ext.results import download

        return await asyncio.to_thread(download.preview_result, result)

    async def read_failed_tasks(self, run_id: str) -> tuple[FailedTaskRun, ...]:
        """Read which inputs of failed tasks a run has kept."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.results import failed_tasks

        return await failed_tasks.read_failed_tasks(endpoints, run_id)

    async def download_inputs(self, run_id: str, task: FailedTaskRun) -> VerifiedInputs | None:
        """Download and verify the inputs of a failed task run, None if there are none; see `results.failed_tasks`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.results import failed_tasks

        return await failed_tasks.download_inputs(endpoints, self._connection.settings, run_id, task)

    async def find_version(self, detail: RunDetail) -> int | None:
        """Return the number of the version that a run executed; None if it is unknown."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.deployments import versions

        return await versions.find_version(endpoints, detail)

    async def list_runs(self, query: RunQuery) -> tuple[Run, ...]:
        """List runs, newest first."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.list_runs(endpoints.prefect, query)

    async def list_recent_runs(self, request: RecentRunsRequest) -> RecentRuns:
        """List the last runs of several deployments."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.list_recent_runs(endpoints.prefect, request)

    async def read_detail(self, run_id: str) -> RunDetail:
        """Read the details of one run; those of a failure also from its version and from this machine."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        detail = await runs.read_run_detail(endpoints.prefect, run_id)
        if detail.failure is None:
            return detail
        from satflow_ext.deployments import versions
        from satflow_ext.run_logs import failed_inputs

        inputs = await asyncio.to_thread(failed_inputs.read_failed_inputs, self._connection.settings, detail.run.id)
        return await versions.add_failed_code(endpoints, runs.add_input_values(detail, inputs))

    async def read_version(self, run_id: str) -> RunVersion:
        """Read the version of its deployment that a run executes."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs
        from satflow_ext.deployments import versions

        return await versions.read_run_version(endpoints, await runs.read_run(endpoints.prefect, run_id))

    async def list_task_runs(self, run_id: str, book: TaskRunBook | None = None) -> tuple[TaskRun, ...]:
        """List the task runs of one run; see `runs.list_task_runs`."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.list_task_runs(endpoints.prefect, run_id, book)

    async def read_task_run(self, run_id: str, task_run_id: str) -> TaskRunDetail:
        """Read the states and inputs of one task run of a run."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.read_task_run(endpoints.prefect, run_id, task_run_id)

    async def cancel_run(self, run_id: str) -> Run:
        """Cancel a run."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        return await runs.cancel_run(endpoints.prefect, run_id)

    async def retry_run(self, run_id: str) -> Run:
        """Execute a failed, crashed or cancelled run again, as the same run.

        Raises:
            CannotRetry: the run has not ended, has completed, or does not belong to a deployment.
            DiskFull: the run would be on this machine, and its disk is full.
        """
        endpoints = await self._check_disk()
        from satflow_ext import runs

        return await runs.retry_run(endpoints.prefect, run_id)

    async def change_runs(self, request: RunChangeRequest) -> RunChanges:
        """Cancel, retry or delete several runs.

        Raises:
            DiskFull: the runs would be retried on this machine, and its disk is full.
        """
        endpoints = await (self._check_disk() if request.action == "retry" else self._connection.endpoints())
        from satflow_ext import runs

        return await runs.change_runs(endpoints.prefect, request)

    async def _check_disk(self) -> Endpoints:
        """Return the endpoints, after a check of the disk if runs are executed on this machine."""
        endpoints = await self._connection.endpoints()
        if endpoints.local:
            settings = self._connection.settings
            await asyncio.to_thread(check_free_space, (settings.state_dir, settings.runtime_dir))
        return endpoints

    async def follow_log(self, run_id: str) -> AsyncGenerator[LogBatch, None]:
        """Yield a run's log from its beginning to its end, as the lines arrive; see `runs.log_follower`."""
        await self._connection.endpoints()
        from satflow_ext.runs.log_follower import follow_log

        async def locate_api() -> PrefectApi:
            return (await self._connection.endpoints()).prefect

        async with aclosing(follow_log(locate_api, run_id, settings=self._connection.settings)) as batches:
            async for batch in batches:
                yield batch

    async def stream_whole_log(self, run_id: str, indent: str = "") -> AsyncIterator[str]:
        """Yield a run's whole log in pieces of text; `indent` is the prefix of the further lines of a message."""
        endpoints = await self._connection.endpoints()
        from satflow_ext import runs

        async for piece in runs.stream_whole_log(endpoints.prefect, run_id, self._connection.settings, indent):
            yield piece


class RunGroups:
    """Run groups: runs of one deployment with different parameters (`satflow_ext.run_groups`).

    Args:
        connection: the settings and the endpoints.
        deployments: finds the deployment of a request.
    """

    def __init__(self, connection: Connection, deployments: Deployments) -> None:
        self._connection = connection
        self._deployments = deployments

    async def plan(self, request: RunGroupRequest, texts: Mapping[str, str] | None = None) -> RunGroupPlan:
        """Determine the runs that a request would start, without starting any; see `start`."""
        _, selection = await self._select_points(request, texts)
        return await asyncio.to_thread(selection.describe)

    async def start(self, request: RunGroupRequest, texts: Mapping[str, str] | None = None) -> RunGroup:
        """Start the runs of a request, a few at a time. Return when the points are stored and the first runs submitted.

        Args:
            request: the request.
            texts: further parameters that are the same for all runs, as text.

        Raises:
            DeploymentNotFound: no deployment matches, or more than one.
            InvalidParameter: a point is not valid; nothing was started.
            ParametersTooLarge: there are too many points, or one is too large; nothing was started.
            RunGroupTaken: the group of that name belongs to another deployment.
        """
        database, selection = await self._select_points(request, texts)
        from satflow_ext.run_groups import groups

        return await self._advance_once(database, await groups.start_group(database, selection))

    async def list_all(self, limit: int = 20) -> tuple[RunGroup, ...]:
        """List the newest groups of the Prefect API, newest first."""
        database = await self._open_database()
        found = await asyncio.to_thread(database.list_groups, limit)
        if await self._advance_elsewhere(database, found):
            return await asyncio.to_thread(database.list_groups, limit)
        return tuple([await self._refresh(database, each) for each in found])

    async def read_group(self, name: str, *, every_run: bool = False) -> RunGroup:
        """Read the group with that name or id.

        Args:
            name: name or id.
            every_run: read the state of all runs, also of those that had ended. These can be retried or deleted in Prefect.

        Raises:
            RunGroupNotFound: this machine has no such group.
        """
        database = await self._open_database()
        group = await asyncio.to_thread(database.read_group, name)
        if await self._advance_elsewhere(database, (group,)) and not every_run:
            return await asyncio.to_thread(database.read_group, group.id)
        return await self._refresh(database, group, every_run=every_run)

    async def follow(self, name: str) -> AsyncGenerator[RunGroup, None]:
        """Yield a group at once and then every second, until all of its runs have ended or it was stopped.

        A Prefect API that does not answer is tried again for `GROUP_PATIENCE` seconds.

        Args:
            name: name or id.

        Raises:
            RunGroupNotFound: this machine has no such group.
            PrefectFailed: the API did not answer for that time. The group continues when it does.
        """
        deadline = monotonic() + GROUP_PATIENCE
        while True:
            try:
                group = await self.read_group(name)
            except PrefectFailed:
                if monotonic() > deadline:
                    raise
            else:
                deadline = monotonic() + GROUP_PATIENCE
                yield group
                if not group.is_active:
                    return
            await asyncio.sleep(GROUP_PAUSE)

    async def wait_for_end(self, name: str) -> RunGroup:
        """Wait until all runs of a group have ended or it was stopped, and return it; see `follow`."""
        async with aclosing(self.follow(name)) as states:
            async for group in states:
                ended = group
        return ended

    async def read_points(self, group_id: str, *, limit: int, offset: int = 0) -> tuple[RunPoint, ...]:
        """Read points of a group, in the order of the request."""
        database = await self._open_database()
        return await asyncio.to_thread(database.read_points, group_id, limit=limit, offset=offset)

    async def run_failed_again(self, name: str) -> RunGroup:
        """Start new runs of the failed points of a group, with the deployment as it is now.

        Raises:
            RunGroupNotFound: this machine has no such group.
        """
        database = await self._open_database()
        group = await self.read_group(name, every_run=True)
        await asyncio.to_thread(database.run_failed_again, group.id)
        return await self._advance_once(database, group.id)

    async def cancel(self, name: str) -> RunGroup:
        """Cancel the points of a group that are not submitted, and its runs.

        Raises:
            RunGroupNotFound: this machine has no such group.
        """
        database = await self._open_database()
        group = await asyncio.to_thread(database.read_group, name)
        await asyncio.to_thread(database.cancel_group, group.id)
        return await self._advance_once(database, group.id)

    async def submit_until_done(self) -> None:
        """Submit the active groups of a Prefect API that is not the local stack's, until none is left."""
        database = await self._open_database()
        from satflow_ext.run_groups.groups import submit_until_done

        async def locate_api() -> PrefectApi:
            return (await self._connection.endpoints()).prefect

        await submit_until_done(database, locate_api, self._connection.settings)

    async def _select_points(
        self, request: RunGroupRequest, texts: Mapping[str, str] | None
    ) -> tuple[GroupDatabase, Selection]:
        database = await self._open_database()
        deployment = await self._deployments.find_deployment(request.deployment)
        if texts:
            parsed = _parse_texts(texts, deployment.parameter_schema)
            request = request.model_copy(update={"parameters": {**request.parameters, **parsed}})
        from satflow_ext.run_groups import groups

        return database, await groups.select_points(database, request, deployment)

    async def _advance_once(self, database: GroupDatabase, group_id: str) -> RunGroup:
        """Submit or cancel at once, without waiting for the process that does this. Its failures are retried there."""
        await self._advance_groups(database)
        return await asyncio.to_thread(database.read_group, group_id)

    async def _advance_elsewhere(self, database: GroupDatabase, groups: Iterable[RunGroup]) -> bool:
        """For another API than the local stack's, submit the next runs of active groups, and read the states of live runs.

        Returns:
            Whether this process did, so that the database has the states of all live runs.
        """
        endpoints = await self._connection.endpoints()
        if endpoints.local or not any(group.is_active for group in groups):
            return False
        return await self._advance_groups(database)

    async def _advance_groups(self, database: GroupDatabase) -> bool:
        endpoints = await self._connection.endpoints()
        from satflow_ext.run_groups.groups import advance_groups

        with suppress(PrefectFailed, DiskFull):  # the group contains the reason
            return await advance_groups(database, endpoints.prefect, self._connection.settings)
        return False

    async def _refresh(self, database: GroupDatabase, group: RunGroup, *, every_run: bool = False) -> RunGroup:
        """Read the states of a group's runs."""
        endpoints = await self._connection.endpoints()
        from satflow_ext.run_groups import groups

        return await groups.refresh_group(database, endpoints.prefect, group, live_only=not every_run)

    async def _open_database(self) -> GroupDatabase:
        endpoints = await self._connection.endpoints()
        from satflow_ext.run_groups.database import GroupDatabase

        return GroupDatabase(self._connection.settings, endpoints.prefect)


class SharedClusters:
    """The Dask clusters that the runs of a deployment share."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_cluster(self, deployment_id: str) -> SharedCluster:
        """Read the state of a deployment's cluster."""
        endpoints = await self._connect()
        from satflow_ext.clusters import deployment_clusters

        return await deployment_clusters.read_cluster(endpoints, self._connection.settings, deployment_id)

    async def apply_order(self, deployment_id: str, order: ClusterOrder) -> SharedCluster:
        """Apply an order to the cluster; a start waits until it is ready."""
        endpoints = await self._connect()
        from satflow_ext.clusters import deployment_clusters

        return await deployment_clusters.apply_order(endpoints, self._connection.settings, deployment_id, order)

    async def close_cluster(self, deployment_id: str) -> None:
        """Stop the cluster, if there is one."""
        endpoints = await self._connect()
        from satflow_ext.clusters import deployment_clusters

        await deployment_clusters.close_cluster(endpoints, self._connection.settings, deployment_id)

    async def list_all(self) -> tuple[SharedCluster, ...]:
        """List the clusters of all deployments that can have one, including those that have none now."""
        endpoints = await self._connect()
        from satflow_ext.clusters import deployment_clusters

        return await deployment_clusters.list_clusters(endpoints, self._connection.settings)

    async def _connect(self) -> Endpoints:
        """Return the endpoints, after a thread has imported what uses a Dask Gateway."""
        endpoints = await self._connection.endpoints()
        await asyncio.to_thread(_import_deployment_clusters)
        return endpoints


def _import_deployment_clusters() -> None:
    import satflow_ext.clusters.deployment_clusters  # noqa: F401


@contextmanager
def connect(settings: Settings, on_step: Callable[[str], None] | None = None) -> Iterator[OpenConnection]:
    """Resolve the endpoints, and hold a lease on the local stack while the block runs, if it is needed.

    Args:
        settings: the settings.
        on_step: callback that receives a text for each step of the start of the local stack.

    Raises:
        StackFailed: the local stack is needed and does not start.
        SettingsWrong: the settings name a store or a variable that does not exist.
    """
    with lease.acquire_lease(settings, on_step=on_step) as held:
        yield OpenConnection(settings, resolve_endpoints(settings, held.record))
