"""Register a flow: the single code path that creates a deployment.

First the content is uploaded, then the manifest that pins it, both signed; then the deployment pins the manifest. Each step can
be repeated safely, and until the last one is complete, the deployment runs its previous version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from satflow_ext import scratch
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused, SatflowError
from satflow_ext.keys import Keyring, Signer, TrustedKeys, read_trusted_keys, user_name
from satflow_ext.models import Change, ExecutorChoice, Finding, GitFile, PackedFlow, Registered, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import (
    carried_files,
    conflicts,
    content_upload,
    deployments,
    manifests,
    prewarm_request,
    publish,
    recovery,
    worker_environment,
)
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.registration.deployment_lock import hold_deployment_lock
from satflow_ext.registration.deployment_pin import pin_of
from satflow_ext.registration.drift import find_drift, merge_choices
from satflow_ext.registration.executor_choice import find_replaced_task_runner
from satflow_ext.registration.journal import Journal
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.path_changes import find_path_changes
from satflow_ext.registration.reachability import check_offer, check_store
from satflow_ext.registration.registration_plan import Plan, build_plan, check_registration, find_work_pool
from satflow_ext.registration.store_client import StoreClient
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

Outcome = Literal["created", "changed", "unchanged", "restored"]


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
        plan = build_plan(packed.flow.name, registration, executor, pool, settings)
        async with hold_deployment_lock(plan.full_name, endpoints.prefect, settings):
            done = await _register_locked(
                client, packed, plan, endpoints, settings, overwrite=overwrite, replaces=replaces
            )
    return done.model_copy(update={"warnings": (*done.warnings, *find_warnings(packed, executor, settings))})


async def _register_locked(
    client: PrefectClient,
    packed: PackedFlow,
    plan: Plan,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
    replaces: Collection[str] | None,
) -> Registered:
    signer = await asyncio.to_thread(Keyring(settings).get_signer)
    healed = await recovery.recover_deployment(client, plan.full_name, endpoints, settings)
    if not overwrite:
        conflicts.check_divergence(healed, plan.full_name)
    row = healed.row
    found = await read_live_manifest(row, endpoints, read_trusted_keys(settings))
    known = found if isinstance(found, Manifest) else None
    if row and replaces is not None and str(row.id) not in replaces:
        conflicts.refuse_other_notebook(known, plan.full_name)
    if row and known and is_unchanged(known, packed, plan) and await has_contents(known, endpoints):
        done = await reuse_version(client, row, known, endpoints, settings, overwrite=overwrite)
        return done.model_copy(update={"warnings": find_other_notebook(known, packed)})
    settled = merge_choices(plan, known, row, overwrite=overwrite)
    if row and not overwrite:
        conflicts.check_conflicts(
            settled.contested + find_path_changes(known, row, local=endpoints.local), plan.full_name
        )
    place = content_upload.next_position(row, found, healed.written)
    made = build_manifest(packed, plan, place, await _upload_content(packed, plan, place, endpoints, signer))
    pin = await content_upload.upload_manifest(made, endpoints, signer)
    written = await publish.publish_version(client, made, pin, settled, row, endpoints, Journal(settings))
    await asyncio.to_thread(prewarm_request.request_prewarming, made, endpoints, settings)
    done = await build_result(written, made, "changed" if row else "created", settled.kept, endpoints)
    return done.model_copy(update={"warnings": find_other_notebook(known, packed)})


async def _upload_content(
    packed: PackedFlow, plan: Plan, position: content_upload.ChainPosition, endpoints: Endpoints, signer: Signer
) -> content_upload.StoredContent:
    """Upload everything that the manifest will reference: the data files, and the content."""
    body = Path(packed.body)
    with scratch.report_disk_errors(body.parent):
        async with StoreClient(endpoints.store) as store_client:
            await carried_files.upload_files(store_client, packed)
    return await content_upload.upload_content(
        body, packed.environment, plan.full_name, position.version, endpoints, signer
    )


async def reuse_version(
    client: PrefectClient,
    row: DeploymentResponse,
    manifest: Manifest,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
) -> Registered:
    """Return the existing version; with `overwrite`, restore the registered values of everything that was changed in Prefect.

    Raises:
        PrefectFailed: Prefect does not have the row that was written.
    """
    drifted = find_drift(manifest, row) + find_path_changes(manifest, row, local=endpoints.local)
    pin = pin_of(row)
    if not overwrite or not drifted or pin is None:
        return await build_result(row, manifest, "unchanged", drifted, endpoints)
    settled = merge_choices(manifest, manifest, row, overwrite=True)
    written = await publish.publish_version(client, manifest, pin, settled, row, endpoints, Journal(settings))
    return await build_result(written, manifest, "restored", (), endpoints)


async def read_live_manifest(
    row: DeploymentResponse | None, endpoints: Endpoints, trusted_keys: TrustedKeys
) -> Manifest | SatflowError | None:
    """Read the manifest of the live version; None if there is no such version.

    A manifest that is not signed by a trusted key is not returned for comparison: its flow must not be reported as "unchanged".
    """
    pin = pin_of(row) if row else None
    if pin is None or pin.store != endpoints.store.name:
        return None
    try:
        return await manifests.read_verified_manifest(endpoints.store, pin.manifest, trusted_keys)
    except SatflowError as error:
        return error


async def has_contents(manifest: Manifest, endpoints: Endpoints) -> bool:
    """Return whether the store still has everything that a manifest references. If not, its runs ask to register again."""
    async with StoreClient(endpoints.store) as store_client:
        try:
            await store_client.verify(manifest.content, manifest.size)
            await carried_files.verify_files(store_client, manifest.files)
        except (ContentMissing, ContentRefused):
            return False
    return True


async def build_result(
    row: DeploymentResponse, manifest: Manifest, outcome: Outcome, preserved: tuple[Change, ...], endpoints: Endpoints
) -> Registered:
    """Build the result of a registration. `preserved` are the changes that were made in Prefect and are preserved."""
    pin = pin_of(row)
    assert pin is not None
    return Registered(
        deployment=await deployments.describe_deployment(row, manifest.flow_name, manifest, local=endpoints.local),
        outcome=outcome,
        content=manifest.content,
        content_size=manifest.size,
        manifest=pin.manifest,
        files=manifest.files,
        kept=preserved,
        warnings=(),
    )


def find_warnings(packed: PackedFlow, executor: ExecutorChoice, settings: Settings) -> tuple[Finding, ...]:
    """Return warnings about problems that a run may have, and about settings of the flow that are replaced."""
    flow = packed.flow
    return (*packed.warnings, *find_replaced_task_runner(executor, flow.task_runner, flow.variable, settings))


def find_other_notebook(previous: Manifest | None, packed: PackedFlow) -> tuple[Finding, ...]:
    """Return a warning if the previous version was registered from another notebook or file.

    Files with the same name count as the same file in two checkouts, unless this machine has both.
    """
    before, now = previous.source.notebook if previous else None, packed.source.notebook
    if before is None or now is None or _is_same_notebook(before, now):
        return ()
    return (
        Finding(
            kind="notebook",
            level="warning",
            where=packed.flow.variable,
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


def is_unchanged(previous: Manifest, packed: PackedFlow, plan: Plan) -> bool:
    """Return whether a new version would be the same as the previous one."""
    before = (previous.exact, previous.chosen, previous.worker_sizes, previous.job_variables, previous.environment)
    if before != (packed.exact, plan.chosen, plan.worker_sizes, plan.job_variables, packed.environment):
        return False
    return _file_identity(previous.git) == _file_identity(packed.git)


def _file_identity(git: GitFile | None) -> tuple[str, str, str] | None:
    """Return the values that identify the files of a run: another commit may contain the same files."""
    return (git.repository, git.path, git.tree) if git else None


def build_manifest(
    packed: PackedFlow, plan: Plan, position: content_upload.ChainPosition, stored: content_upload.StoredContent
) -> Manifest:
    """Build the manifest of a version."""
    return Manifest(
        flow_name=plan.flow_name,
        variable=packed.flow.variable,
        deployment=plan.name,
        version=position.version,
        content=stored.content,
        size=stored.size,
        fingerprint=packed.flow.fingerprint,
        exact=packed.exact,
        parameter_schema=packed.flow.parameter_schema,
        chosen=plan.chosen,
        worker_sizes=plan.worker_sizes,
        job_variables=plan.job_variables,
        environment=packed.environment,
        uses=packed.uses,
        source=packed.source,
        files=packed.files,
        git=packed.git,
        registered_by=user_name(),
        registered_at=content_upload.current_time(),
        restores=None,
        earlier=position.earlier,
    )
