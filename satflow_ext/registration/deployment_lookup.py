"""Look up a deployment by the name that a user entered, and explain what happened to one that no longer exists."""

from __future__ import annotations

import asyncio

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentNotFound
from satflow_ext.models import Deployment
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import conflicts, deployments, recovery
from satflow_ext.registration.journal import Journal
from satflow_ext.settings import Settings


async def look_up_deployment(endpoints: Endpoints, settings: Settings, name: str) -> Deployment:
    """Return the deployment with that name: `flow/deployment`, a deployment's name if only one has it, or an id.

    Raises:
        DeploymentNotFound: no deployment matches, or more than one. The message explains what happened to one that this
            machine registered.
    """
    try:
        return await deployments.find_deployment(endpoints, name)
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
            healed = await recovery.inspect_deployment(client, entry.full_name, endpoints, settings)
            divergence = conflicts.describe_divergence(healed, entry.full_name)
            if divergence is not None:
                return divergence
    return None
