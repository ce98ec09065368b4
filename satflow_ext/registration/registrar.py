"""Register a flow: the single code path that creates a deployment.

Check, reconcile, publish: the choices become the draft of a version (`draft.py`), which is compared with the state of the
deployment (`deployments/state.py`) and published if it differs (`next_version.py`). Each step can be repeated safely.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from satflow_ext import scratch
from satflow_ext.deployments import recovery
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.deployments.state import read_compatible_state
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused
from satflow_ext.keys import Keyring, read_trusted_keys
from satflow_ext.models import ExecutorChoice, Finding, GitFile, PackedFlow, Registered, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import worker_environment
from satflow_ext.registration.checks import check_offer, check_registration, check_store, find_replaced_task_runner
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.registration.draft import build_draft, find_work_pool
from satflow_ext.registration.next_version import publish_next_version, reuse_version
from satflow_ext.settings import Settings
from satflow_ext.versions import carried_files
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.store_client import StoreClient

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient


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
        BadRequest: an executor, option, schedule, parameter or name is not valid.
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
    executor = check_registration(packed, registration, endpoints, settings)
    if endpoints.local:
        await asyncio.to_thread(check_free_space, (settings.state_dir, settings.runtime_dir))
    await check_store(endpoints, settings)
    await check_offer(executor, settings)
    python = worker_environment.find_run_interpreter(packed, registration, settings, local=endpoints.local)
    await check_class(executor, python, settings, local=endpoints.local)
    async with prefect_client(endpoints.prefect) as client:
        pool = await find_work_pool(client, registration.work_pool or endpoints.work_pool)
        draft = build_draft(packed, registration, executor, pool, settings)
        async with hold_deployment_lock(draft.full_name, endpoints.prefect, settings):
            done = await _register_locked(
                client, packed, draft, endpoints, settings, overwrite=overwrite, replaces=replaces
            )
    return done.model_copy(update={"warnings": (*done.warnings, *find_warnings(packed, executor, settings))})


async def _register_locked(
    client: PrefectClient,
    packed: PackedFlow,
    draft: Manifest,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
    replaces: Collection[str] | None,
) -> Registered:
    signer = await asyncio.to_thread(Keyring(settings).get_signer)
    recovered = await recovery.recover_deployment(client, draft.full_name, endpoints, settings)
    state = await read_compatible_state(
        recovered, draft.full_name, endpoints, read_trusted_keys(settings), overwrite=overwrite, replaces=replaces
    )
    if state.row and state.live and is_unchanged(state.live, draft) and await has_contents(state.live, endpoints):
        done = await reuse_version(client, state.row, state.live, endpoints, settings, overwrite=overwrite)
    else:
        merged = state.merge_draft(draft, overwrite=overwrite, runs_locally=endpoints.local)
        body = Path(packed.body)
        await _upload_files(packed, body.parent, endpoints)
        done = await publish_next_version(client, draft, body, state, merged, signer, endpoints, settings)
    return done.model_copy(update={"warnings": find_other_notebook(state.live, draft)})


async def _upload_files(packed: PackedFlow, folder: Path, endpoints: Endpoints) -> None:
    """Upload the data files, which the manifest will reference."""
    with scratch.report_disk_errors(folder):
        async with StoreClient(endpoints.store) as store_client:
            await carried_files.upload_files(store_client, packed)


async def has_contents(manifest: Manifest, endpoints: Endpoints) -> bool:
    """Return whether the store still has everything that a manifest references. If not, its runs ask to register again."""
    async with StoreClient(endpoints.store) as store_client:
        try:
            await store_client.verify(manifest.content, manifest.size)
            await carried_files.verify_files(store_client, manifest.files)
        except (ContentMissing, ContentRefused):
            return False
    return True


def find_warnings(packed: PackedFlow, executor: ExecutorChoice, settings: Settings) -> tuple[Finding, ...]:
    """Return warnings about problems that a run may have, and about settings of the flow that are replaced."""
    flow = packed.flow
    return (*packed.warnings, *find_replaced_task_runner(executor, flow.task_runner, flow.variable, settings))


def find_other_notebook(previous: Manifest | None, draft: Manifest) -> tuple[Finding, ...]:
    """Return a warning if the previous version was registered from another notebook or file.

    Files with the same name count as the same file in two checkouts, unless this machine has both.
    """
    before, now = previous.source.notebook if previous else None, draft.source.notebook
    if before is None or now is None or _is_same_notebook(before, now):
        return ()
    return (
        Finding(
            kind="notebook",
            level="warning",
            where=draft.variable,
            message=f"was registered from {before} before, now from {now}",
            fix="Give one of them another name if both should run.",
        ),
    )


def _is_same_notebook(before: str, now: str) -> bool:
    paths = Path(before), Path(now)
    if before == now or paths[0].name != paths[1].name:
        return before == now
    both = all(path.is_absolute() and path.exists() for path in paths)
    return not both or paths[0].samefile(paths[1])


def is_unchanged(previous: Manifest, draft: Manifest) -> bool:
    """Return whether a new version would be the same as the previous one."""
    return _version_identity(previous) == _version_identity(draft)


def _version_identity(version: Manifest) -> tuple[object, ...]:
    return (
        version.exact,
        version.chosen,
        version.worker_sizes,
        version.job_variables,
        version.environment,
        _file_identity(version.git),
    )


def _file_identity(git: GitFile | None) -> tuple[str, str, str] | None:
    """Return the values that identify the files of a run: another commit may contain the same files."""
    return (git.repository, git.path, git.tree) if git else None
