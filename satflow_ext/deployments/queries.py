"""Read, pause, resume and delete SatFlow's deployments. Prefect is the source of truth; manifests in the store add to it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from satflow_ext.choices import schedules
from satflow_ext.deployments import automations, write_marker
from satflow_ext.deployments.drift import find_drift, live_collision_strategy, live_description, live_limit
from satflow_ext.deployments.journal import Journal
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.deployments.rows import find_path_changes
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentNotFound, SatflowError
from satflow_ext.models import Deployment, Registration, Schedule
from satflow_ext.prefect_api import PrefectClient, parse_id, prefect_client, replace_not_found
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.settings import Settings
from satflow_ext.versions import manifest_store
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import Pin, pin_of

PAGE_SIZE = 200
LIVE_OPTIONS = frozenset(
    {"name", "parameters", "schedules", "work_pool", "tags", "description", "concurrency_limit", "collision_strategy"}
)
"""The options of a registration that a deployment in Prefect has, where they may have changed."""


async def list_deployments(endpoints: Endpoints) -> tuple[Deployment, ...]:
    """List all deployments that SatFlow created, newest first, without their next runs.

    Raises:
        PrefectFailed: the API did not answer.
    """
    rows, names = await _read_own_rows(endpoints)
    return await _describe_deployments(rows, names, endpoints)


async def add_next_runs(deployment: Deployment) -> Deployment:
    """Add the times of the next runs, computed with Prefect's own code, whose import takes seconds."""
    if deployment.paused:
        return deployment
    return deployment.model_copy(update={"next_runs": await schedules.next_runs(deployment.schedules)})


async def list_pins(endpoints: Endpoints) -> tuple[Pin, ...]:
    """Return the pin of each deployment that SatFlow created.

    Raises:
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(endpoints.prefect) as client:
        return tuple(pin for row in await _read_all_rows(client) if (pin := pin_of(row)))


async def get_deployment(endpoints: Endpoints, deployment_id: str) -> Deployment:
    """Return one deployment.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await read_row(client, deployment_id)
    (deployment,) = await _describe_deployments([row], {row.flow_id: flow_name}, endpoints)
    return await add_next_runs(deployment)


async def read_row(client: PrefectClient, deployment_id: str) -> tuple[DeploymentRow, str]:
    """Read a deployment's row from Prefect, and its flow's name.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id.
    """
    missing = _missing_error(deployment_id)
    with replace_not_found(missing):
        row = await client.read_deployment(parse_id(deployment_id, missing))
    names = await _read_flow_names(client, {row.flow_id})
    (attached,) = await automations.attach_automations(client, [row])
    return attached, names[row.flow_id]


async def find_deployment(endpoints: Endpoints, name: str) -> Deployment:
    """Return the deployment that a user names: `flow/deployment`, a deployment's name if only one has it, or an id.

    Its next runs are left out.

    Raises:
        DeploymentNotFound: no deployment matches, or more than one.
    """
    rows, names = await _read_own_rows(endpoints)
    matches = [row for row in rows if name in (str(row.id), row.name, f"{names[row.flow_id]}/{row.name}")]
    if len(matches) == 1:
        (deployment,) = await _describe_deployments(matches, names, endpoints)
        return deployment
    subject = "More than one deployment is" if matches else "No deployment is"
    full = sorted(f"{names[row.flow_id]}/{row.name}" for row in matches or rows)
    raise DeploymentNotFound(
        f"{subject} called {name!r}.", fix=f"Known: {', '.join(full)}." if full else "Register a flow first."
    )


async def set_paused(endpoints: Endpoints, settings: Settings, deployment_id: str, paused: bool) -> Deployment:
    """Pause or resume a deployment's schedule.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id.
        PrefectFailed: the API did not answer.
        JournalFailed: the journal could not be written.
    """
    missing = _missing_error(deployment_id)
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await read_row(client, deployment_id)
        full_name = f"{flow_name}/{row.name}"
        async with hold_deployment_lock(full_name, endpoints.prefect, settings):
            with replace_not_found(missing):
                await (client.set_deployment_paused(row.id, True) if paused else _resume_deployment(client, row))
            await asyncio.to_thread(Journal(settings).record_paused, endpoints, full_name, paused)
    return await get_deployment(endpoints, deployment_id)


async def _resume_deployment(client: PrefectClient, row: DeploymentRow) -> None:
    """Resume a deployment that was paused, or whose schedules were all deactivated in Prefect, which looks the same."""
    await client.set_deployment_paused(row.id, False)
    if not any(schedule.active for schedule in row.schedules):
        for schedule in row.schedules:
            assert schedule.id is not None
            await client.activate_schedule(row.id, schedule.id)


async def delete_deployment(endpoints: Endpoints, settings: Settings, deployment_id: str) -> None:
    """Delete a deployment from Prefect. Its runs and its contents in the store are kept.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id.
        PrefectFailed: the API did not answer.
        JournalFailed: the journal could not be written.
    """
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await read_row(client, deployment_id)
        full_name = f"{flow_name}/{row.name}"
        async with hold_deployment_lock(full_name, endpoints.prefect, settings):
            # First, because a deployment without a journal entry is never treated as lost, even if a later step fails.
            entry = await asyncio.to_thread(Journal(settings).remove_entry, endpoints, full_name)
            await automations.remove_automations(client, row)
            with replace_not_found(_missing_error(deployment_id)):
                await client.delete_deployment(row.id)
            if entry is not None and entry.marker_name is not None:
                await write_marker.remove_marker(client, entry.marker_name)


def describe_deployment(
    row: DeploymentRow, flow_name: str, found: Manifest | SatflowError, *, local: bool
) -> Deployment:
    """Return a deployment as the browser displays it, without its next runs.

    Args:
        row: the deployment's row in Prefect.
        flow_name: the name of its flow.
        found: its manifest, or the error that prevented reading it.
        local: whether it belongs to the local stack.
    """
    known = found if isinstance(found, Manifest) else None
    return Deployment(
        id=str(row.id),
        name=row.name,
        flow_name=flow_name,
        version=known.version if known else version_number(row.version),
        fingerprint=known.fingerprint if known else None,
        notebook=known.source.notebook if known else None,
        registered_at=known.registered_at if known else None,
        manifest_problem=None if known else str(found),
        parameters=row.parameters,
        parameter_schema=known.parameter_schema if known else row.parameter_openapi_schema or {},
        schedules=_describe_schedules(row, known),
        paused=row.is_paused,
        work_pool=row.work_pool_name,
        tags=tuple(row.tags),
        description=live_description(row),
        concurrency_limit=live_limit(row),
        collision_strategy=live_collision_strategy(row),
        next_runs=(),
        drift=(*(find_drift(known, row) if known else ()), *find_path_changes(known, row, local=local)),
        **_registered_options(known),
    )


def _describe_schedules(row: DeploymentRow, manifest: Manifest | None) -> tuple[Schedule, ...]:
    recorded = schedules.name_slugs(manifest.chosen.schedules) if manifest else {}
    return tuple(schedules.from_prefect(each, recorded.get(each.slug or "")) for each in row.schedules)


def _registered_options(manifest: Manifest | None) -> dict[str, Any]:
    """Return the options that only the manifest contains, or None for each of them without a manifest."""
    names = [name for name in Registration.model_fields if name in Deployment.model_fields and name not in LIVE_OPTIONS]
    return {name: getattr(manifest.chosen, name) if manifest else None for name in names}


async def _describe_deployments(
    rows: list[DeploymentRow], flow_names: dict[UUID, str], endpoints: Endpoints
) -> tuple[Deployment, ...]:
    pins = {row.id: pin_of(row) for row in rows}
    digests = [pin.manifest for pin in pins.values() if pin and pin.store == endpoints.store.name]
    found = await manifest_store.read_manifests(endpoints.store, digests)
    return tuple(
        describe_deployment(
            row, flow_names[row.flow_id], _manifest_or_error(pins[row.id], found), local=endpoints.local
        )
        for row in rows
    )


def _manifest_or_error(pin: Pin | None, found: dict[str, Manifest | SatflowError]) -> Manifest | SatflowError:
    if pin is None:
        return SatflowError("SatFlow did not create this deployment.")
    if pin.manifest not in found:
        return SatflowError(f"Its content is in the store {pin.store!r}, which is not the store in use.")
    return found[pin.manifest]


async def _read_own_rows(endpoints: Endpoints) -> tuple[list[DeploymentRow], dict[UUID, str]]:
    """Read the rows of all deployments that SatFlow created, newest first, and the names of their flows."""
    async with prefect_client(endpoints.prefect) as client:
        own_rows = [row for row in await _read_all_rows(client) if pin_of(row)]
        rows = await automations.attach_automations(client, own_rows)
        return rows, await _read_flow_names(client, {row.flow_id for row in rows})


async def _read_all_rows(client: PrefectClient) -> list[DeploymentRow]:
    rows: list[DeploymentRow] = []
    while True:
        page = await client.read_deployments(limit=PAGE_SIZE, offset=len(rows))
        rows += page
        if len(page) < PAGE_SIZE:
            return rows


async def _read_flow_names(client: PrefectClient, ids: set[UUID]) -> dict[UUID, str]:
    names: dict[UUID, str] = {}
    sorted_ids = sorted(ids)
    for start in range(0, len(sorted_ids), PAGE_SIZE):
        flows = await client.read_flows(sorted_ids[start : start + PAGE_SIZE])
        names.update((flow.id, flow.name) for flow in flows)
    return names


def _missing_error(deployment_id: str) -> DeploymentNotFound:
    return DeploymentNotFound(
        f"No deployment has the id {deployment_id!r}.", fix="It may have been deleted: list the deployments again."
    )


def version_number(version: str | None) -> int:
    """Convert the version text in Prefect to a number; 0 if SatFlow did not set it."""
    return int(version) if version and version.isdigit() else 0
