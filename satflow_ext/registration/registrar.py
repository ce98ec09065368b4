"""Register a flow, or roll back a deployment: the single code path that creates a deployment and its versions.

Check, reconcile, publish: the choices become the draft of a version (`draft.py`), which is compared with the state of the
deployment (`deployments/state.py`) and published if it differs (`next_version.py`). Each step can be repeated safely.

A version number is never reused, so a rollback does not pin the earlier manifest again: its content is checked, then sealed and
signed for the next number, with the key of the user who rolls back. The earlier choices are restored, and overwrite changes in
Prefect (docs/decisions/0007).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from satflow_ext.deployments import queries, recovery
from satflow_ext.deployments.automations import plan_automations
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.deployments.recovery import RecoveredDeployment
from satflow_ext.deployments.state import read_compatible_state, read_state
from satflow_ext.deployments.versions import build_chain
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused, DeploymentNotFound, PythonMismatch
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import JsonObject, PackedFlow, Registered, Registration
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.registration.checks import check_choices, check_registration, check_services
from satflow_ext.registration.clean_process import find_load_problem
from satflow_ext.registration.draft import build_draft, find_ignored_memory, find_work_pool, resolve_job_variables
from satflow_ext.registration.next_version import VersionUpload, publish_next_version, reuse_version
from satflow_ext.settings import Settings
from satflow_ext.versions import carried_files, content_download
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.store_client import StoreClient


async def register(
    packed: PackedFlow,
    registration: Registration,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool = False,
    replaces: Collection[str] | None = None,
) -> Registered:
    """Create a deployment of a packed flow, or its next version; do nothing if nothing changed.

    Args:
        packed: the flow as the kernel packed it; its pickle file is only read.
        registration: the user's choices.
        endpoints: the Prefect API and the store.
        settings: worker sizes and limits.
        overwrite: whether to overwrite changes that were made in Prefect, or a deployment that SatFlow did not create.
        replaces: ids of the deployments of which this may become the next version, None for any.

    Raises:
        BadRequest: an executor, option, schedule, notification, trigger, parameter or name is not valid.
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
        SizeRefused: this machine, or a cluster provider, cannot provide the worker size.
        ExtraMissing: a package that the cluster provider needs is not installed.
        ParametersTooLarge: the parameters are larger than Prefect accepts.
        WorkPoolNotFound: Prefect has no such work pool.
        DeploymentTaken: SatFlow did not create the deployment with that name.
        RegisteredElsewhere: there is a deployment with that name that is not one of `replaces`.
        DeploymentDrifted: this would overwrite changes or a deletion that were made in Prefect.
        StoreFailed: the content was not stored; the deployment is unchanged.
        PrefectFailed: the deployment was not written; the previous version is unchanged.
        DeploymentContested: another registration was made at the same moment, and its version is the one that runs.
        SettingsWrong: runs of the local stack could not read from that store.
        ClusterFailed: the chosen Dask Gateway does not answer, or does not offer such a cluster.
        DiskFailed: a disk of this machine failed to store temporary files, the journal (`JournalFailed`) or a lock.
    """
    checked = check_registration(packed, registration, endpoints, settings)
    await check_services(packed, registration, checked.executor, endpoints, settings)
    async with prefect_client(endpoints.prefect) as client:
        pool = await find_work_pool(client, registration.work_pool or endpoints.work_pool)
        draft = build_draft(packed, registration, checked.executor, pool)
        await plan_automations(client, registration, draft.full_name, None)
        async with hold_deployment_lock(draft.full_name, endpoints.prefect, settings):
            recovered = await recovery.recover_deployment(client, draft.full_name, endpoints, settings)
            state = await read_compatible_state(
                recovered, endpoints, read_trusted_keys(settings), overwrite=overwrite, replaces=replaces
            )
            ignored = find_ignored_memory(pool, registration, local=endpoints.local)
            warnings = (*state.find_other_notebook(draft), *checked.warnings, *ignored)
            if state.row and state.live and state.is_unchanged(draft) and await has_contents(state.live, endpoints):
                done = await reuse_version(client, state.row, state.live, endpoints, settings, overwrite=overwrite)
            else:
                merged = state.merge_draft(draft, overwrite=overwrite, runs_locally=endpoints.local)
                upload = VersionUpload(Path(packed.body), packed.list_copies())
                if endpoints.local and packed.git is None:
                    warnings += await find_load_problem(packed, settings)
                done = await publish_next_version(client, draft, upload, state, merged, endpoints, settings)
    return done.model_copy(update={"warnings": warnings})


async def has_contents(manifest: Manifest, endpoints: Endpoints) -> bool:
    """Return whether the store still has everything that a manifest references. If not, its runs ask to register again."""
    async with StoreClient(endpoints.store) as store_client:
        try:
            await store_client.verify(manifest.content, manifest.size)
            await carried_files.verify_files(store_client, manifest.files)
        except (ContentMissing, ContentRefused):
            return False
    return True


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
