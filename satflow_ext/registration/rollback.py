"""Roll back: create the next version from an earlier one (docs/decisions/0007).

A version number is never reused, so the earlier manifest is not pinned again: its content is checked, then sealed and signed for
the next number, with the key of the user who rolls back. The earlier choices are restored, and overwrite changes in Prefect.
"""

from __future__ import annotations

import os

from satflow_ext.deployments import queries, recovery
from satflow_ext.deployments.automations import plan_automations
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.deployments.recovery import RecoveredDeployment
from satflow_ext.deployments.state import read_state
from satflow_ext.deployments.versions import build_chain
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentNotFound, PythonMismatch
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import JsonObject, Registered
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.registration.checks import check_choices
from satflow_ext.registration.draft import find_work_pool, resolve_job_variables
from satflow_ext.registration.next_version import VersionUpload, publish_next_version, reuse_version
from satflow_ext.settings import Settings
from satflow_ext.versions import content_download
from satflow_ext.versions.manifest import Manifest


async def roll_back(endpoints: Endpoints, settings: Settings, deployment_id: str, number: int) -> Registered:
    """Create the next version from an earlier one: its code, and all of its choices.

    Rolling back to the live version restores the values of that version that were changed in Prefect.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        VersionNotFound: it has no such version.
        ContentMissing: the store no longer has that version's content.
        NotTrusted: it was signed by a key that is not trusted on this machine.
        PythonMismatch: the interpreter that packed it no longer exists on this machine.
        SizeRefused: this machine can no longer provide its worker size.
        WorkPoolNotFound: Prefect no longer has its work pool.
        InvalidAutomation: Prefect no longer has the block of a notification, or the deployment of a trigger.
        StoreFailed: a request to the store failed; the deployment is unchanged.
        PrefectFailed: the deployment was not written; the previous version is unchanged.
    """
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await queries.read_row(client, deployment_id)
        full_name = f"{flow_name}/{row.name}"
        async with hold_deployment_lock(full_name, endpoints.prefect, settings):
            # It may have changed during the wait for the lock.
            recovered = await recovery.recover_deployment(client, full_name, endpoints, settings)
            return await _roll_back_locked(client, recovered, number, endpoints, settings)


async def _roll_back_locked(
    client: PrefectClient,
    recovered: RecoveredDeployment,
    number: int,
    endpoints: Endpoints,
    settings: Settings,
) -> Registered:
    row, keys = recovered.row, read_trusted_keys(settings)
    if row is None:
        raise DeploymentNotFound(f"{recovered.full_name} was deleted a moment ago.", fix="Register the flow again.")
    chain = await build_chain(row, recovered.full_name, endpoints.store)
    earlier = await content_download.download_version(chain, number, keys)
    job_variables = await _check_runnable(client, earlier.manifest, endpoints, settings)
    if number == chain.newest:
        return await reuse_version(client, row, earlier.manifest, endpoints, settings, overwrite=True)
    state = await read_state(recovered, endpoints, keys)
    draft = earlier.manifest.model_copy(update={"restores": number, "job_variables": job_variables})
    merged = state.merge_draft(draft, overwrite=True, runs_locally=endpoints.local)
    async with content_download.private_pickle_file(earlier.opened, settings) as body:
        return await publish_next_version(client, draft, VersionUpload(body), state, merged, endpoints, settings)


async def _check_runnable(
    client: PrefectClient, manifest: Manifest, endpoints: Endpoints, settings: Settings
) -> JsonObject:
    """Refuse a version that can no longer run, and return its job variables for the current work pool."""
    check_choices(manifest.chosen, settings, local=endpoints.local)
    job_variables = resolve_job_variables(await find_work_pool(client, manifest.chosen.work_pool), manifest.chosen)
    await plan_automations(client, manifest.chosen, manifest.full_name, None)
    await content_download.check_files(endpoints.store, manifest)
    executable = manifest.environment.executable
    if endpoints.local and not os.access(executable, os.X_OK):
        raise PythonMismatch(
            f"Version {manifest.version} of {manifest.full_name} runs with {executable}, which no longer exists.",
            fix="Load it into a notebook with %load_flow and register it from there.",
        )
    return job_variables
