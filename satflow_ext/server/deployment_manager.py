"""Deployments: a registration packs the flow in its kernel; all other work is done by `satflow_ext.registration`."""

from __future__ import annotations

import asyncio
import os

from satflow_ext.executors.worker_usage import UsageStore, suggest_size
from satflow_ext.models import (
    Deployment,
    DeploymentList,
    Registered,
    RegisterRequest,
    VersionDetail,
    VersionDiff,
    VersionList,
    VersionQuery,
)
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.stack_manager import StackManager
from satflow_ext.settings import Settings


def _add_local_facts(found: tuple[Deployment, ...], settings: Settings) -> tuple[Deployment, ...]:
    """Add this machine's data to each deployment: how much of their worker sizes its runs used, and its notebook's file."""
    needs = UsageStore(settings)
    return tuple(
        each.model_copy(
            update={
                "needed": suggest_size(needs.read_runs(f"{each.flow_name}/{each.name}"), settings),
                "notebook_file": _resolve_file(each.notebook),
            }
        )
        for each in found
    )


def _resolve_file(path: str | None) -> str | None:
    """Return an absolute path with its symbolic links resolved, None if this machine has no such file."""
    return os.path.realpath(path) if path and os.path.isabs(path) and os.path.isfile(path) else None


class DeploymentManager:
    """The sidebar's operations on deployments.

    Args:
        stack: provides the addresses of Prefect and the store.
        kernels: pack flows.
    """

    def __init__(self, stack: StackManager, kernels: KernelBridge) -> None:
        self._stack = stack
        self._kernels = kernels

    async def register(self, request: RegisterRequest) -> Registered:
        """Pack a kernel's flow and create a deployment of it.

        Raises:
            KernelUnavailable: the kernel cannot pack it now.
            SatflowError: the packing or the registration failed.
        """
        where = await self._stack.endpoints()
        from satflow_ext import registration

        settings = self._stack.settings
        async with self._kernels.pack_flow(request) as packed:
            settled = packed.store_parameters(request.registration)
            return await registration.register(
                packed, settled, where, settings, overwrite=request.overwrite, replaces=request.replaces
            )

    async def list_all(self) -> DeploymentList:
        """List all deployments that SatFlow created."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import deployments

        found = await deployments.list_deployments(where)
        return DeploymentList(deployments=await asyncio.to_thread(_add_local_facts, found, self._stack.settings))

    async def set_paused(self, deployment_id: str, paused: bool) -> Deployment:
        """Pause or resume a deployment's schedule."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import deployments

        return await deployments.set_paused(where, self._stack.settings, deployment_id, paused)

    async def delete(self, deployment_id: str) -> None:
        """Delete a deployment; its runs stay."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import deployments

        await deployments.delete_deployment(where, self._stack.settings, deployment_id)

    async def list_versions(self, deployment_id: str, query: VersionQuery) -> VersionList:
        """Read a page of a deployment's versions, newest first."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import versions

        return await versions.list_versions(where, deployment_id, query)

    async def read_version(self, deployment_id: str, number: int) -> VersionDetail:
        """Read the details of one version."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import versions

        return await versions.read_version(where, deployment_id, number)

    async def compare_versions(self, deployment_id: str, before: int, after: int) -> VersionDiff:
        """Compute the differences between two versions."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import versions

        return await versions.diff_versions(where, deployment_id, before, after)

    async def roll_back(self, deployment_id: str, version: int) -> Registered:
        """Create the next version from an earlier one."""
        where = await self._stack.endpoints()
        from satflow_ext.registration import rollback

        return await rollback.roll_back(where, self._stack.settings, deployment_id, version)
