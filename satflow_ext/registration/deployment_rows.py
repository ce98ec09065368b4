"""Write a deployment's row in Prefect, and read it back."""

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
    """Create the deployment, or make it pin another manifest.

    Args:
        client: an open Prefect client.
        made: the manifest.
        pin: the location of the manifest.
        settled: the other values that are written to Prefect.
        row: the row that Prefect has now. Values without a choice in SatFlow, such as a description or a limit, are preserved.
        endpoints: define whether runs happen on this machine.

    Raises:
        PrefectFailed: Prefect refused the row, or it is unknown whether Prefect accepted it.
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
    """Read the row that was just written.

    Raises:
        PrefectFailed: Prefect does not have the row.
        DeploymentContested: another registration was made at the same moment, and its version is the one that runs.
    """
    written = await read_deployment(client, made.full_name)
    if written is None:
        raise PrefectFailed(f"Prefect accepted the deployment {made.full_name} but does not have it.", fix="Try again.")
    if pin_of(written) != pin:
        raise _overtaken(made.full_name, written)
    return written


def job_variables(made: Manifest, endpoints: Endpoints) -> dict[str, str]:
    """Return the command of runs on this machine, which use the interpreter that packed the flow.

    This also saves one start of Python.
    """
    if not endpoints.local:
        return {}
    if made.environment_policy == "recreate":
        environment = build.place(requirements.digest(made.environment), load_settings())
        return {"command": f"{command(made)} {shlex.quote(str(environment))}"}
    return {"command": command(made)}


def command(made: Manifest) -> str:
    """Return the command that starts runs of a version on this machine, without the folder of a recreated environment."""
    module = RECREATED if made.environment_policy == "recreate" else "prefect.engine"
    return f"{shlex.quote(made.environment.executable)} -m {module}"


def _overtaken(full_name: str, written: DeploymentResponse) -> DeploymentContested:
    """Return the error for a concurrent registration from another machine.

    Prefect keeps the last write and has no conditional one. On a single machine the deployment lock prevents this.
    """
    return DeploymentContested(
        f"Another registration of {full_name} was made at the same moment; its version {written.version} is the one that runs.",
        fix="Check that version, and register again if yours should be the next one.",
    )


def _left_alone(row: DeploymentResponse | None, settled: Settled) -> dict[str, Any]:
    """Return the values that Prefect would reset if they were not sent again."""
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
