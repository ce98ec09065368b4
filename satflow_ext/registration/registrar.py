"""Registering: the one way a flow becomes a deployment.

Content first, then the manifest that pins it, both signed, then the deployment that pins the manifest. Each step can be done
twice without harm, and until the last one is done the deployment's earlier version runs on.
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
    """Make a deployment of a packed flow, or its next version, or nothing where nothing changed.

    Args:
        packed: the flow as the kernel packed it; its body file is read and left alone.
        registration: what the user decided.
        endpoints: the Prefect API and the store.
        settings: worker sizes and limits.
        overwrite: whether to overwrite what somebody has changed in Prefect, or a deployment that somebody else made.
        replaces: ids of the deployments that this may become the next version of, None for any.

    Raises:
        BadRequest: an executor, option, schedule, parameter or name that makes no sense.
        InvalidInfrastructure: the work pool cannot start flow runs with what was decided.
        SizeRefused: this machine, or a back end, cannot give the worker size.
        ExtraMissing: what the back end of a cluster needs is not installed.
        ParametersTooLarge: more than Prefect takes.
        WorkPoolNotFound: Prefect has no such work pool.
        DeploymentTaken: somebody else than SatFlow made the deployment of that name.
        RegisteredElsewhere: there is a deployment of that name that is not one of `replaces`.
        DeploymentDrifted: somebody has changed or deleted in Prefect what this would overwrite.
        StoreFailed: the content was not kept; the deployment is as it was.
        PrefectFailed: the deployment was not made; the one before is as it was.
        DeploymentContested: somebody else registered it at the same moment, and theirs is the one that runs.
        SettingsWrong: runs of the local stack could not read from that store.
        ClusterFailed: the Dask Gateway that was chosen does not answer, or gives no such cluster.
        DiskFailed: a disk of this machine did not take what is on its way, the journal (`JournalFailed`) or a lock.
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
    """Put what the manifest will name into the store: the data files, and the content."""
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
    """The version that is there already; with `overwrite`, what was changed in Prefect becomes as it was registered.

    Raises:
        PrefectFailed: Prefect does not have what it was told.
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
    """The manifest of the version that is registered now, None where there is no such version.

    One that a stranger signed is none to compare with: what he pinned must not pass for "unchanged".
    """
    pin = pin_of(row) if row else None
    if pin is None or pin.store != endpoints.store.name:
        return None
    try:
        return await manifests.verified(endpoints.store, pin.manifest, trusted_keys)
    except SatflowError as error:
        return error


async def kept(known: Manifest, endpoints: Endpoints) -> bool:
    """Whether the store still has all that a manifest names; what a run is told when it has not is to register again."""
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
    """What to say of it. `left` is what somebody had changed in Prefect and what stays so."""
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
    """Return what may not work when the flow runs, or is not as the flow says."""
    flow = packed.flow
    return (*packed.warnings, *find_replaced_task_runner(executor, flow.task_runner, flow.variable, settings))


def find_other_notebook(known: Manifest | None, packed: PackedFlow) -> tuple[Finding, ...]:
    """Return a warning where the version before is from another notebook or file than this registration.

    Files of one name are the same one in two checkouts, unless this machine has both.
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
            fix="Give one of them another name if both are to run.",
        ),
    )


def _is_same_notebook(before: str, now: str) -> bool:
    paths = Path(before), Path(now)
    if before == now or paths[0].name != paths[1].name:
        return before == now
    both = all(path.is_absolute() and path.exists() for path in paths)
    return not both or paths[0].samefile(paths[1])


def same(known: Manifest, packed: PackedFlow, plan: Plan) -> bool:
    """Whether a version made of this would be the same as the one before."""
    before = (known.exact, known.chosen, known.worker_sizes, known.job_variables, known.environment)
    if before != (packed.exact, plan.chosen, plan.worker_sizes, plan.job_variables, packed.environment):
        return False
    return _files_of(known.git) == _files_of(packed.git)


def _files_of(git: GitFile | None) -> tuple[str, str, str] | None:
    """What a run finds there: another commit may hold the same."""
    return (git.repository, git.path, git.tree) if git else None


def manifest_for(
    packed: PackedFlow, plan: Plan, place: content_upload.Place, sealed: content_upload.Sealed
) -> Manifest:
    """The manifest of a version."""
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
