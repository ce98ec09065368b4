"""Write a deployment's row in Prefect, read it back, and find path changes: changes to the path from a deployment to its flow.

Pull steps, entrypoint and, on this machine, the command are not choices: each version has its own, and a change to them cannot
be merged. A path change is shown as drift, and only overwritten on request (docs/decisions/0008).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from satflow_ext.deployments import parameter_schema
from satflow_ext.deployments.automations import read_with_automations
from satflow_ext.deployments.drift import MergedChoices
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentContested, PrefectFailed
from satflow_ext.models import Change, JsonObject
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.settings import load_settings
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import ENTRYPOINT, RECREATE_MODULE, Pin, pin_of


async def write_row(
    client: PrefectClient,
    manifest: Manifest,
    pin: Pin,
    settled: MergedChoices,
    row: DeploymentRow | None,
    endpoints: Endpoints,
) -> None:
    """Create the deployment, or make it pin another manifest.

    Args:
        client: an open Prefect client.
        manifest: the manifest.
        pin: the location of the manifest.
        settled: the other values that are written to Prefect.
        row: the row that Prefect has now. Values without a choice in SatFlow, such as its work queue, are preserved.
        endpoints: define whether runs happen on this machine.

    Raises:
        PrefectFailed: Prefect refused the row, or it is unknown whether Prefect accepted it.
    """
    fields: JsonObject = {
        "flow_id": str(await client.create_flow(manifest.flow_name)),
        "name": manifest.deployment,
        "version": str(manifest.version),
        "job_variables": {**settled.job_variables, **local_job_variables(manifest, endpoints)},
        "schedules": [each.to_json() for each in settled.schedules],
        "parameters": settled.parameters,
        "tags": [*settled.tags],
        "labels": {},
        "path": None,
        "entrypoint": ENTRYPOINT,
        "parameter_openapi_schema": parameter_schema.schema_for_prefect(manifest.parameter_schema),
        "enforce_parameter_schema": True,
        "pull_steps": [*pin.pull_steps()],
        "paused": settled.paused,
        "storage_document_id": None,
        "infrastructure_document_id": None,
        "description": settled.description,
        "concurrency_limit": settled.concurrency_limit,
        "concurrency_options": _concurrency_options(row, settled),
        **_preserved_values(row, settled),
    }
    pool: JsonObject = {} if settled.work_pool is None else {"work_pool_name": settled.work_pool}
    await client.create_deployment({**fields, **pool})


async def read_back_row(client: PrefectClient, manifest: Manifest, pin: Pin) -> DeploymentRow:
    """Read the row that was just written.

    Raises:
        PrefectFailed: Prefect does not have the row.
        DeploymentContested: another registration was made at the same moment, and its version is the one that runs.
    """
    written = await read_with_automations(client, manifest.full_name)
    if written is None:
        raise PrefectFailed(
            f"Prefect accepted the deployment {manifest.full_name} but does not have it.", fix="Try again."
        )
    if pin_of(written) != pin:
        raise _overtaken_error(manifest.full_name, written)
    return written


def local_job_variables(manifest: Manifest, endpoints: Endpoints) -> dict[str, str]:
    """Return the command of runs on this machine, which use the interpreter that packed the flow.

    This also saves one start of Python.
    """
    if not endpoints.local:
        return {}
    command = local_run_command(manifest)
    if manifest.environment_policy == "recreate":
        from satflow_ext.environments import build, locked_packages

        environment = build.environment_path(locked_packages.lock_digest(manifest.environment), load_settings())
        command = f"{command} {shlex.quote(str(environment))}"
    return {"command": command}


def local_run_command(manifest: Manifest) -> str:
    """Return the command that starts runs of a version on this machine, without the folder of a recreated environment."""
    module = RECREATE_MODULE if manifest.environment_policy == "recreate" else "prefect.engine"
    return f"{shlex.quote(manifest.environment.executable)} -m {module}"


def _overtaken_error(full_name: str, written: DeploymentRow) -> DeploymentContested:
    """Return the error for a concurrent registration from another machine.

    Prefect keeps the last write and has no conditional one. On a single machine the deployment lock prevents this.
    """
    return DeploymentContested(
        f"Another registration of {full_name} was made at the same moment; its version {written.version} is the one that runs.",
        fix="Check that version, and register again if yours should be the next one.",
    )


def _preserved_values(row: DeploymentRow | None, settled: MergedChoices) -> JsonObject:
    """Return the values that SatFlow does not choose, as Prefect has them: it would reset those that are not sent."""
    same_pool = row is not None and row.work_pool_name == settled.work_pool
    return {"work_queue_name": row.work_queue_name if row and same_pool else None}


def _concurrency_options(row: DeploymentRow | None, settled: MergedChoices) -> JsonObject | None:
    """Return the options of the concurrency limit. Those without a choice in SatFlow, such as a grace period, are preserved."""
    preserved = row.concurrency_options if row else None
    if settled.concurrency_limit is None and preserved is None:
        return None
    return {**(preserved or {}), "collision_strategy": settled.collision_strategy.upper()}


def find_path_changes(manifest: Manifest | None, row: DeploymentRow, *, local: bool) -> tuple[Change, ...]:
    """Return the path changes: `before` is the registered value, `after` the live value in Prefect.

    Args:
        manifest: the manifest of the version that the row pins, None if it cannot be read: then the command is not compared.
        row: the row in Prefect.
        local: whether runs happen on this machine, so that registering sets their command.
    """
    return tuple(
        Change(name=name, before=registered_value, after=live)
        for name, registered_value, live in _path_values(manifest, row, local)
        if registered_value != live
    )


def _path_values(manifest: Manifest | None, row: DeploymentRow, local: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, registered value and live value."""
    pin = pin_of(row)
    if pin is None:
        return
    yield "pull_steps", _format_steps(pin.pull_steps()), _format_steps(row.pull_steps or [])
    yield "entrypoint", ENTRYPOINT, row.entrypoint or "none"
    if manifest is not None and local:
        yield (
            "job_variables.command",
            local_run_command(manifest),
            _live_command(manifest, row.job_variables or {}),
        )


def _format_steps(steps: list[dict[str, Any]]) -> str:
    """Format the names of steps and of their inputs. Values are left out: the inputs of steps by others may be secret."""
    each = [(name, inputs) for step in steps for name, inputs in step.items()]
    return ", ".join(
        f"{name}({', '.join(sorted(inputs)) if isinstance(inputs, Mapping) else ''})" for name, inputs in each
    )


def _live_command(manifest: Manifest, job_variables: Mapping[str, Any]) -> str:
    """Return the live command, without the folder of a recreated environment, which depends on the machine."""
    live = str(job_variables.get("command") or "none")
    registered_command = local_run_command(manifest)
    return (
        registered_command
        if manifest.environment_policy == "recreate" and live.startswith(f"{registered_command} ")
        else live
    )
