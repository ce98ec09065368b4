"""A deployment's row in Prefect: written, and read back."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from satflow_ext.endpoints import Endpoints
from satflow_ext.environments import build, requirements
from satflow_ext.errors import DeploymentContested, PrefectFailed
from satflow_ext.prefect_names import read_deployment
from satflow_ext.registration import parameters
from satflow_ext.registration.deployment_pin import ENTRYPOINT, RECREATED, Pin, pin_of
from satflow_ext.registration.drift import Settled
from satflow_ext.registration.manifest import Manifest
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse


async def write(
    client: PrefectClient,
    made: Manifest,
    pin: Pin,
    settled: Settled,
    row: DeploymentResponse | None,
    endpoints: Endpoints,
) -> None:
    """Make the deployment, or make it pin another manifest.

    Args:
        client: an open prefect client.
        made: the manifest.
        pin: where it is.
        settled: what else Prefect is told.
        row: what Prefect has now. What SatFlow has no choice for, such as a description or a limit, stays.
        endpoints: whether runs happen on this machine.

    Raises:
        PrefectFailed: Prefect did not take it, or nobody knows whether it did.
    """
    await client.create_deployment(
        flow_id=await client.create_flow_from_name(made.flow_name),
        name=made.deployment,
        version=str(made.version),
        schedules=settled.schedules,
        parameters=settled.parameters,
        tags=settled.tags,
        work_pool_name=settled.work_pool,
        entrypoint=ENTRYPOINT,
        parameter_openapi_schema=parameters.schema_for_prefect(made.parameter_schema),
        enforce_parameter_schema=True,
        pull_steps=pin.steps(),
        job_variables={**settled.job_variables, **job_variables(made, endpoints)},
        paused=settled.paused,
        **_left_alone(row, settled),
    )


async def read_back(client: PrefectClient, made: Manifest, pin: Pin) -> DeploymentResponse:
    """The row that was just written.

    Raises:
        PrefectFailed: Prefect does not have what it was told.
        DeploymentContested: somebody else registered it at the same moment, and theirs is the one that runs.
    """
    written = await read_deployment(client, made.full_name)
    if written is None:
        raise PrefectFailed(f"Prefect took the deployment {made.full_name} and does not have it.", fix="Try again.")
    if pin_of(written) != pin:
        raise _overtaken(made.full_name, written)
    return written


def job_variables(made: Manifest, endpoints: Endpoints) -> dict[str, str]:
    """On this machine the flow runs under the very interpreter that packed it, which also saves one start of Python."""
    if not endpoints.local:
        return {}
    if made.environment_policy == "recreate":
        environment = build.place(requirements.digest(made.environment), load_settings())
        return {"command": f"{command(made)} {shlex.quote(str(environment))}"}
    return {"command": command(made)}


def command(made: Manifest) -> str:
    """How runs of a version start on this machine, without the folder of an environment that is built for them."""
    module = RECREATED if made.environment_policy == "recreate" else "prefect.engine"
    return f"{shlex.quote(made.environment.executable)} -m {module}"


def _overtaken(full_name: str, written: DeploymentResponse) -> DeploymentContested:
    """Prefect keeps who comes last, and has no way to ask for more; on one machine registrations take turns."""
    return DeploymentContested(
        f"Somebody else registered {full_name} at the same moment: version {written.version} is theirs, and it is what runs.",
        fix="Look at it, and register again if yours is to be the next version.",
    )


def _left_alone(row: DeploymentResponse | None, settled: Settled) -> dict[str, Any]:
    """What Prefect would forget if it were not told again."""
    if row is None:
        return {}
    limit = row.global_concurrency_limit
    same_pool = row.work_pool_name == settled.work_pool
    return {
        "description": row.description,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": row.concurrency_options,
        "work_queue_name": row.work_queue_name if same_pool else None,
    }
