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
from satflow_ext.disk_room import check_room
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused, SatflowError
from satflow_ext.keys import Keyring, Signer, TrustedKeys, trusted, user_name
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
from satflow_ext.registration.deployment_lock import turn
from satflow_ext.registration.deployment_pin import pin_of
from satflow_ext.registration.drift import drift, settle
from satflow_ext.registration.journal import Journal
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.path_changes import detours
from satflow_ext.registration.reachability import check_gateway, check_store
from satflow_ext.registration.registration_plan import Plan, check, planned, work_pool
from satflow_ext.registration.store_client import StoreClient
from satflow_ext.registration.task_runners import find_replaced_task_runner
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
    executor = check(packed, registration, endpoints, settings)
    if endpoints.local:
        await asyncio.to_thread(check_room, (settings.state_dir, settings.runtime_dir))
    await check_store(endpoints, settings)
    await check_gateway(executor, settings)
    python = worker_environment.interpreter(packed, registration, settings, local=endpoints.local)
    await check_class(executor, python, settings, local=endpoints.local)
    async with prefect_client(endpoints.prefect) as client:
        pool = await work_pool(client, registration.work_pool or endpoints.work_pool)
        plan = planned(packed.flow.name, registration, executor, pool, settings)
        async with turn(plan.full_name, endpoints.prefect, settings):
            done = await _register(client, packed, plan, endpoints, settings, overwrite=overwrite, replaces=replaces)
    return done.model_copy(update={"warnings": (*done.warnings, *find_warnings(packed, executor, settings))})


async def _register(
    client: PrefectClient,
    packed: PackedFlow,
    plan: Plan,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
    replaces: Collection[str] | None,
) -> Registered:
    signer = await asyncio.to_thread(Keyring(settings).signer)
    healed = await recovery.heal(client, plan.full_name, endpoints, settings)
    if not overwrite:
        conflicts.check_ours(healed, plan.full_name)
    row = healed.row
    found = await manifest_of(row, endpoints, trusted(settings))
    known = found if isinstance(found, Manifest) else None
    if row and replaces is not None and str(row.id) not in replaces:
        conflicts.refuse_other_notebook(known, plan.full_name)
    if row and known and same(known, packed, plan) and await kept(known, endpoints):
        done = await as_recorded(client, row, known, endpoints, settings, overwrite=overwrite)
        return done.model_copy(update={"warnings": find_other_notebook(known, packed)})
    settled = settle(plan, known, row, overwrite=overwrite)
    if row and not overwrite:
        conflicts.check_conflicts(settled.contested + detours(known, row, local=endpoints.local), plan.full_name)
    place = content_upload.next_place(row, found, healed.written)
    made = manifest_for(packed, plan, place, await _store(packed, plan, place, endpoints, signer))
    pin = await content_upload.write(made, endpoints, signer)
    written = await publish.tell(client, made, pin, settled, row, endpoints, Journal(settings))
    await asyncio.to_thread(prewarm_request.note, made, endpoints, settings)
    done = await registered(written, made, "changed" if row else "created", settled.kept, endpoints)
    return done.model_copy(update={"warnings": find_other_notebook(known, packed)})


async def _store(
    packed: PackedFlow, plan: Plan, place: content_upload.Place, endpoints: Endpoints, signer: Signer
) -> content_upload.Sealed:
    """Upload everything that the manifest will reference: the data files, and the content."""
    body = Path(packed.body)
    with scratch.disk(body.parent):
        async with StoreClient(endpoints.store) as store_client:
            await carried_files.put(store_client, packed)
    return await content_upload.seal(body, packed.environment, plan.full_name, place.version, endpoints, signer)


async def as_recorded(
    client: PrefectClient,
    row: DeploymentResponse,
    known: Manifest,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
) -> Registered:
    """Return the existing version; with `overwrite`, restore the registered values of everything that was changed in Prefect.

    Raises:
        PrefectFailed: Prefect does not have the row that was written.
    """
    drifted = drift(known, row) + detours(known, row, local=endpoints.local)
    pin = pin_of(row)
    if not overwrite or not drifted or pin is None:
        return await registered(row, known, "unchanged", drifted, endpoints)
    settled = settle(known, known, row, overwrite=True)
    written = await publish.tell(client, known, pin, settled, row, endpoints, Journal(settings))
    return await registered(written, known, "restored", (), endpoints)


async def manifest_of(
    row: DeploymentResponse | None, endpoints: Endpoints, trusted_keys: TrustedKeys
) -> Manifest | SatflowError | None:
    """Read the manifest of the live version; None if there is no such version.

    A manifest that is not signed by a trusted key is not returned for comparison: its flow must not be reported as "unchanged".
    """
    pin = pin_of(row) if row else None
    if pin is None or pin.store != endpoints.store.name:
        return None
    try:
        return await manifests.verified(endpoints.store, pin.manifest, trusted_keys)
    except SatflowError as error:
        return error


async def kept(known: Manifest, endpoints: Endpoints) -> bool:
    """Return whether the store still has everything that a manifest references. If not, its runs ask to register again."""
    async with StoreClient(endpoints.store) as store_client:
        try:
            await store_client.verify(known.content, known.size)
            await carried_files.verify(store_client, known.files)
        except (ContentMissing, ContentRefused):
            return False
    return True


async def registered(
    row: DeploymentResponse, made: Manifest, outcome: Outcome, left: tuple[Change, ...], endpoints: Endpoints
) -> Registered:
    """Build the result of a registration. `left` are the changes that were made in Prefect and are preserved."""
    pin = pin_of(row)
    assert pin is not None
    return Registered(
        deployment=await deployments.described(row, made.flow_name, made, local=endpoints.local),
        outcome=outcome,
        content=made.content,
        content_size=made.size,
        manifest=pin.manifest,
        files=made.files,
        kept=left,
        warnings=(),
    )


def find_warnings(packed: PackedFlow, executor: ExecutorChoice, settings: Settings) -> tuple[Finding, ...]:
    """Return warnings about problems that a run may have, and about settings of the flow that are replaced."""
    flow = packed.flow
    return (*packed.warnings, *find_replaced_task_runner(executor, flow.task_runner, flow.variable, settings))


def find_other_notebook(known: Manifest | None, packed: PackedFlow) -> tuple[Finding, ...]:
    """Return a warning if the previous version was registered from another notebook or file.

    Files with the same name count as the same file in two checkouts, unless this machine has both.
    """
    before, now = known.source.notebook if known else None, packed.source.notebook
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


def same(known: Manifest, packed: PackedFlow, plan: Plan) -> bool:
    """Return whether a new version would be the same as the previous one."""
    before = (known.exact, known.chosen, known.worker_sizes, known.job_variables, known.environment)
    if before != (packed.exact, plan.chosen, plan.worker_sizes, plan.job_variables, packed.environment):
        return False
    return _files_of(known.git) == _files_of(packed.git)


def _files_of(git: GitFile | None) -> tuple[str, str, str] | None:
    """Return the values that identify the files of a run: another commit may contain the same files."""
    return (git.repository, git.path, git.tree) if git else None


def manifest_for(
    packed: PackedFlow, plan: Plan, place: content_upload.Place, sealed: content_upload.Sealed
) -> Manifest:
    """Build the manifest of a version."""
    return Manifest(
        flow_name=plan.flow_name,
        variable=packed.flow.variable,
        deployment=plan.name,
        version=place.version,
        content=sealed.content,
        size=sealed.size,
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
        registered_at=content_upload.now(),
        restores=None,
        earlier=place.earlier,
    )
