"""Registering: the one way a flow becomes a deployment.

Content first, then the manifest that pins it, both signed, then the deployment that pins the manifest. Each step can be done
twice without harm, and until the last one is done the deployment's earlier version runs on.
"""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from satflow_ext import executors
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused, DeploymentContested, PrefectFailed, SatflowError
from satflow_ext.keys import Keyring, Signer, TrustedKeys, trusted, user_name
from satflow_ext.models import Deployment, PackedFlow, Registered, Registration
from satflow_ext.prefect_api import absent, prefect_client
from satflow_ext.registration import deployments, envelope, maker, manifests, parameters, schedules
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.pins import ENTRYPOINT, Pin, pin_of
from satflow_ext.registration.plan import Plan, check, work_pool
from satflow_ext.registration.reachable import check_store
from satflow_ext.registration.store_client import StoreClient
from satflow_ext.registration.turns import turn
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.responses import DeploymentResponse


async def register(
    packed: PackedFlow, registration: Registration, endpoints: Endpoints, settings: Settings
) -> Registered:
    """Make a deployment of a packed flow, or its next version, or nothing where nothing changed.

    Args:
        packed: the flow as the kernel packed it; its body file is read and left alone.
        registration: what the user decided.
        endpoints: the Prefect API and the store.
        settings: worker sizes and limits, and where the keys are.

    Raises:
        BadRequest: an executor, option, schedule, parameter or name that makes no sense.
        SizeRefused: this machine cannot give the worker size.
        ParametersTooLarge: more than Prefect takes.
        KeysRefused: there is something wrong with the files of the user's keys.
        WorkPoolNotFound: Prefect has no such work pool.
        StoreFailed: the content was not kept; the deployment is as it was.
        PrefectFailed: the deployment was not made; the one before is as it was.
        DeploymentContested: somebody else registered it at the same moment, and theirs is the one that runs.
        SettingsWrong: runs of the local stack could not read from that store.
    """
    executor = check(packed, registration, endpoints, settings)
    await check_store(endpoints, settings)
    sizes = executors.sizes_of(executor, settings)
    async with prefect_client(endpoints.prefect) as client:
        pool = await work_pool(client, registration.work_pool or endpoints.work_pool)
        plan = Plan(packed.flow.name, registration.name or packed.flow.name, executor, sizes, pool, registration)
        async with turn(plan.full_name, endpoints.prefect, settings):
            return await _register(client, packed, plan, endpoints, settings)


async def _register(
    client: PrefectClient, packed: PackedFlow, plan: Plan, endpoints: Endpoints, settings: Settings
) -> Registered:
    signer = await asyncio.to_thread(Keyring(settings).signer)
    row = await _existing(client, plan.full_name)
    found = await _manifest_of(row, endpoints, trusted(settings))
    if (
        row
        and isinstance(found, Manifest)
        and await _same(row, found, packed, plan)
        and await _kept(row, found, endpoints)
    ):
        return await _registered(row, plan, found, "unchanged")
    made, pin = await _store(packed, plan, row, found, endpoints, signer)
    await _upsert(client, plan, made, pin, row, endpoints)
    written = await _existing(client, plan.full_name)
    if written is None:
        raise PrefectFailed(f"Prefect took the deployment {plan.full_name} and does not have it.", fix="Try again.")
    if pin_of(written) != pin:
        raise _overtaken(plan.full_name, written)
    return await _registered(written, plan, made, "changed" if row else "created")


def _overtaken(full_name: str, written: DeploymentResponse) -> DeploymentContested:
    """Prefect keeps who comes last, and has no way to ask for more; on one machine registrations take turns."""
    return DeploymentContested(
        f"Somebody else registered {full_name} at the same moment: version {written.version} is theirs, and it is what runs.",
        fix="Look at it, and register again if yours is to be the next version.",
    )


async def _existing(client: PrefectClient, full_name: str) -> DeploymentResponse | None:
    nothing = SatflowError("no such deployment")
    try:
        with absent(nothing):
            return await client.read_deployment_by_name(full_name)
    except SatflowError as error:
        if error is not nothing:
            raise
        return None


async def _manifest_of(
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


async def _same(row: DeploymentResponse, known: Manifest, packed: PackedFlow, plan: Plan) -> bool:
    """Whether registering would change nothing, neither of what is stored nor of what Prefect has now."""
    deployment = await deployments.described(row, plan.flow_name, known)
    chosen = plan.wanted
    return (
        (known.exact, known.environment) == (packed.exact, packed.environment)
        and (known.executor, known.worker_sizes) == (plan.executor, plan.worker_sizes)
        and (deployment.parameters, deployment.schedule) == (chosen.parameters, chosen.schedule)
        and (deployment.work_pool, set(deployment.tags)) == (plan.work_pool, set(chosen.tags))
        and (known.environment_policy, set(known.secrets)) == (chosen.environment, set(chosen.secrets))
    )


async def _kept(row: DeploymentResponse, known: Manifest, endpoints: Endpoints) -> bool:
    """Whether the store still has both; what a run is told when it has not is to register again."""
    pin = pin_of(row)
    assert pin is not None
    async with StoreClient(endpoints.store) as store_client:
        try:
            await store_client.get(pin.manifest)
            await store_client.verify(known.content, known.size)
        except (ContentMissing, ContentRefused):
            return False
    return True


async def _store(
    packed: PackedFlow,
    plan: Plan,
    row: DeploymentResponse | None,
    found: Manifest | SatflowError | None,
    endpoints: Endpoints,
    signer: Signer,
) -> tuple[Manifest, Pin]:
    """Put content and manifest of the next version into the store."""
    version = _next_version(row, found)
    with tempfile.TemporaryDirectory(prefix="satflow-") as folder:
        content = Path(folder) / "content"
        digest = await asyncio.to_thread(_seal, packed, plan, version, signer, content)
        async with StoreClient(endpoints.store) as store_client:
            await store_client.put_file(digest, content)
        size = content.stat().st_size
    pin = pin_of(row) if row else None
    made = _manifest(packed, plan, version, digest, size, pin.manifest if pin else None)
    return made, Pin(store=endpoints.store.name, manifest=await manifests.write(endpoints.store, made, signer))


def _seal(packed: PackedFlow, plan: Plan, version: int, signer: Signer, content: Path) -> str:
    header = envelope.Header(
        sha256=envelope.digest_of(Path(packed.body)),
        size=packed.size,
        deployment=plan.full_name,
        version=version,
        made=maker.of(packed.environment),
        created=datetime.now(timezone.utc),
    )
    return envelope.seal(Path(packed.body), header, signer, content)


def _next_version(row: DeploymentResponse | None, found: Manifest | SatflowError | None) -> int:
    """One more than the manifest says, or than Prefect says where the manifest is lost."""
    if isinstance(found, Manifest):
        return found.version + 1
    known = row.version if row else None
    return int(known) + 1 if known and known.isdigit() else 1


def _manifest(packed: PackedFlow, plan: Plan, version: int, content: str, size: int, previous: str | None) -> Manifest:
    return Manifest(
        flow_name=plan.flow_name,
        deployment=plan.name,
        version=version,
        content=content,
        size=size,
        fingerprint=packed.flow.fingerprint,
        exact=packed.exact,
        parameter_schema=packed.flow.parameter_schema,
        executor=plan.executor,
        worker_sizes=plan.worker_sizes,
        environment=packed.environment,
        uses=packed.uses,
        environment_policy=plan.wanted.environment,
        secrets=plan.wanted.secrets,
        source=packed.source,
        files=packed.files,
        registered_by=user_name(),
        registered_at=datetime.now(timezone.utc),
        previous=previous,
    )


async def _upsert(
    client: PrefectClient, plan: Plan, made: Manifest, pin: Pin, row: DeploymentResponse | None, endpoints: Endpoints
) -> None:
    await client.create_deployment(
        flow_id=await client.create_flow_from_name(plan.flow_name),
        name=plan.name,
        version=str(made.version),
        schedules=_schedules(plan),
        parameters=plan.wanted.parameters,
        tags=list(plan.wanted.tags),
        work_pool_name=plan.work_pool,
        entrypoint=ENTRYPOINT,
        parameter_openapi_schema=parameters.schema_for_prefect(made.parameter_schema),
        enforce_parameter_schema=True,
        paused=row.paused if row else False,
        pull_steps=pin.steps(),
        job_variables=_job_variables(made, endpoints),
    )


def _schedules(plan: Plan) -> list[DeploymentScheduleCreate]:
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    schedule = schedules.to_prefect(plan.wanted.schedule)
    return [DeploymentScheduleCreate(schedule=schedule, active=True, slug=schedules.SLUG)] if schedule else []


def _job_variables(made: Manifest, endpoints: Endpoints) -> dict[str, str]:
    """On this machine the flow runs under the very interpreter that packed it, which also saves one start of Python."""
    if not endpoints.local:
        return {}
    return {"command": f"{shlex.quote(made.environment.executable)} -m prefect.engine"}


async def _registered(
    row: DeploymentResponse, plan: Plan, made: Manifest, outcome: Literal["created", "changed", "unchanged"]
) -> Registered:
    pin = pin_of(row)
    assert pin is not None
    deployment: Deployment = await deployments.described(row, plan.flow_name, made)
    return Registered(
        deployment=deployment,
        outcome=outcome,
        content=made.content,
        content_size=made.size,
        manifest=pin.manifest,
        files=made.files,
    )
