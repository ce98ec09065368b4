"""Path changes: changes that were made in Prefect to the path from a deployment to its flow.

Pull steps, entrypoint and, on this machine, the command are not choices: each version has its own, and a change to them cannot
be merged. A path change is shown as drift, and only overwritten on request (docs/decisions/0008).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from satflow_ext.models import Change
from satflow_ext.registration import deployment_rows
from satflow_ext.registration.deployment_pin import ENTRYPOINT, pin_of
from satflow_ext.registration.manifest import Manifest

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse


def find_path_changes(manifest: Manifest | None, row: DeploymentResponse, *, local: bool) -> tuple[Change, ...]:
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


def _path_values(manifest: Manifest | None, row: DeploymentResponse, local: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, registered value and live value."""
    pin = pin_of(row)
    if pin is None:
        return
    yield "pull_steps", _format_steps(pin.pull_steps()), _format_steps(row.pull_steps or [])
    yield "entrypoint", ENTRYPOINT, row.entrypoint or "none"
    if manifest is not None and local:
        yield (
            "job_variables.command",
            deployment_rows.local_run_command(manifest),
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
    registered_command = deployment_rows.local_run_command(manifest)
    return (
        registered_command
        if manifest.environment_policy == "recreate" and live.startswith(f"{registered_command} ")
        else live
    )
