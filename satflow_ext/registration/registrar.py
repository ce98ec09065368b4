"""Register a flow: the single code path that creates a deployment.

Check, reconcile, publish: the choices become the draft of a version (`draft.py`), which is compared with the state of the
deployment (`deployments/state.py`) and published if it differs (`next_version.py`). Each step can be repeated safely.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from satflow_ext.deployments import recovery
from satflow_ext.deployments.automations import plan_automations
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.deployments.state import read_compatible_state
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import PackedFlow, Registered, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration.checks import check_registration, check_services
from satflow_ext.registration.clean_process import find_load_problem
from satflow_ext.registration.draft import build_draft, find_ignored_memory, find_work_pool
from satflow_ext.registration.next_version import VersionUpload, publish_next_version, reuse_version
from satflow_ext.settings import Settings
from satflow_ext.versions import carried_files
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
