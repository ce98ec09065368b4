"""Conflicts that stop a registration: SatFlow did not create the deployment, or it was changed or deleted in Prefect since.

A registration with `overwrite` ignores them.
"""

from __future__ import annotations

import asyncio
from typing import NoReturn

from satflow_ext.deployments import queries, recovery
from satflow_ext.deployments.journal import Journal
from satflow_ext.deployments.recovery import RecoveredDeployment
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentDrifted, DeploymentNotFound, DeploymentTaken, RegisteredElsewhere
from satflow_ext.models import Change, Deployment
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import Settings
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import pin_of

OVERWRITE_FIX = (
    "Register with overwrite (--overwrite, overwrite=True) to discard that change, or register under another name."
)
DIVERGENCE_MESSAGES = {
    "deleted": "{name} was deleted in Prefect after version {number} was registered.",
    "gone": "{name} is no longer in Prefect: version {number} was deleted, or Prefect has lost it.",
    "changed": "{name} no longer runs version {number}, which was registered: the deployment was changed in Prefect.",
}


def check_divergence(recovered: RecoveredDeployment) -> None:
    """Refuse a deployment that SatFlow did not create, or that no longer matches the last write.

    Raises:
        DeploymentDrifted: it was deleted in Prefect, or runs something else.
        DeploymentTaken: SatFlow did not create it.
    """
    divergence = describe_divergence(recovered)
    if divergence is not None:
        raise DeploymentDrifted(divergence, fix=OVERWRITE_FIX, field="name")
    if recovered.row is not None and pin_of(recovered.row) is None:
        raise DeploymentTaken(
            f"The deployment {recovered.full_name} already exists, and SatFlow did not create it.",
            fix="Choose another name, or register with overwrite.",
            field="name",
        )


def describe_divergence(recovered: RecoveredDeployment) -> str | None:
    """Describe how a deployment differs from the last write; return None if it matches."""
    if recovered.written is None or recovered.divergence not in DIVERGENCE_MESSAGES:
        return None
    return DIVERGENCE_MESSAGES[recovered.divergence].format(name=recovered.full_name, number=recovered.written.version)


def refuse_other_notebook(previous: Manifest | None, full_name: str) -> NoReturn:
    """Refuse to create the next version of a deployment that another notebook registered.

    Args:
        previous: the manifest of the deployment's version, None if it cannot be read.
        full_name: `flow/deployment`.

    Raises:
        RegisteredElsewhere: always.
    """
    origin = previous.source.notebook if previous else None
    version = f" (version {previous.version})" if previous else ""
    raise RegisteredElsewhere(
        f"The deployment {full_name}{version} was registered from {origin or 'an unknown notebook'}.",
        fix="Choose another name, or overwrite it: its next runs then use this flow and these choices.",
        field="name",
    )


def check_conflicts(contested: tuple[Change, ...], full_name: str) -> None:
    """Refuse a registration that would silently overwrite changes that were made in Prefect.

    Args:
        contested: choices that differ from the last version and were also changed in Prefect, to other values; and path changes.
        full_name: `flow/deployment`.

    Raises:
        DeploymentDrifted: there is at least one conflict.
    """
    if contested:
        differences = "; ".join(f"{each.name}: {each.before} → {each.after}" for each in contested)
        raise DeploymentDrifted(
            f"Your registration of {full_name} conflicts with changes that were made in Prefect: {differences}.",
            fix="Choose Prefect's values, or register with overwrite (--overwrite, overwrite=True) to replace them with yours.",
        )


async def look_up_deployment(endpoints: Endpoints, settings: Settings, name: str) -> Deployment:
    """Return the deployment with that name: `flow/deployment`, a deployment's name if only one has it, or an id.

    Raises:
        DeploymentNotFound: no deployment matches, or more than one. The message explains what happened to one that this
            machine registered.
    """
    try:
        return await queries.find_deployment(endpoints, name)
    except DeploymentNotFound as error:
        explanation = await _describe_from_journal(endpoints, settings, name)
        if explanation is None:
            raise
        raise DeploymentNotFound(
            explanation, fix=f"To recreate it, register it with overwrite. {error.fix or ''}"
        ) from None


async def _describe_from_journal(endpoints: Endpoints, settings: Settings, name: str) -> str | None:
    entries = await asyncio.to_thread(Journal(settings).find_entries, endpoints, name)
    async with prefect_client(endpoints.prefect) as client:
        for entry in entries:
            found = await recovery.inspect_deployment(client, entry.full_name, endpoints, settings)
            divergence = describe_divergence(found)
            if divergence is not None:
                return divergence
    return None
