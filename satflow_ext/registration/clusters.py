"""The clusters that deployments' runs share, as their live versions chose them: for sidebar, magic and command line alike."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import BadRequest, DeploymentNotFound, SatflowError
from satflow_ext.executors import dask_cluster
from satflow_ext.executors.dask_cluster_options import DaskClusterOptions
from satflow_ext.gateways.cluster_process import ClusterCommand, ClusterState, run_command
from satflow_ext.gateways.cluster_request import Wanted
from satflow_ext.keys import trusted
from satflow_ext.models import AdaptCluster, ClusterOrder, ScaleCluster, SharedCluster, StartCluster
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import deployments
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.registrar import manifest_of
from satflow_ext.settings import Settings

CHOOSE = "Register it with the executor dask-cluster, and share=deployment."


@dataclass(frozen=True)
class _Owned:
    """A deployment's shared cluster, and how it is called. `read` is the command that reads its state."""

    read: ClusterCommand
    name: str

    async def run(self, **command: object) -> SharedCluster:
        """Carry out a command with these fields; the cluster afterwards."""
        result = await run_command(self.read.model_copy(update=command))
        return self._shown(result.state)

    async def close(self) -> bool:
        """End it; whether there was any."""
        return (await run_command(self.read.model_copy(update={"verb": "close"}))).closed

    def _shown(self, state: ClusterState) -> SharedCluster:
        return SharedCluster(
            deployment_id=self.read.label,
            deployment_name=self.name,
            gateway=self.read.wanted.gateway,
            worker_size=self.read.wanted.size,
            plan=None,
            why=None,
            **state.model_dump(),
        )


async def look(endpoints: Endpoints, settings: Settings, deployment_id: str) -> SharedCluster:
    """The cluster that the deployment's runs share.

    Raises:
        DeploymentNotFound: Prefect has none with that id, or SatFlow did not make it.
        BadRequest: its runs share no cluster.
        ClusterFailed: the gateway does not answer.
    """
    owned = await _owned(endpoints, settings, deployment_id)
    return await owned.run()


async def obey(endpoints: Endpoints, settings: Settings, deployment_id: str, order: ClusterOrder) -> SharedCluster:
    """Let it do what was asked for.

    Raises:
        DeploymentNotFound: Prefect has none with that id, or SatFlow did not make it.
        BadRequest: its runs share no cluster.
        ClusterNotFound: there is none that could be scaled.
        ClusterFailed: it did not; the subclass says why.
    """
    owned = await _owned(endpoints, settings, deployment_id)
    return await owned.run(**_fields(order))


async def close(endpoints: Endpoints, settings: Settings, deployment_id: str) -> bool:
    """End it; whether there was any.

    Raises:
        DeploymentNotFound: Prefect has none with that id, or SatFlow did not make it.
        BadRequest: its runs share no cluster.
        ClusterFailed: the gateway does not answer.
    """
    owned = await _owned(endpoints, settings, deployment_id)
    return await owned.close()


def _fields(order: ClusterOrder) -> dict[str, object]:
    """The fields of the command that an order means."""
    asked = order.order
    if isinstance(asked, ScaleCluster):
        return {"verb": "resize", "workers": asked.workers}
    if isinstance(asked, AdaptCluster):
        return {"verb": "resize", "minimum": asked.minimum, "maximum": asked.maximum}
    return {"verb": "start" if isinstance(asked, StartCluster) else "restart"}


async def _owned(endpoints: Endpoints, settings: Settings, deployment_id: str) -> _Owned:
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await deployments.read_row(client, deployment_id)
    found = await manifest_of(row, endpoints, trusted(settings))
    if isinstance(found, SatflowError):
        raise found
    if found is None:
        raise DeploymentNotFound(f"SatFlow did not make {flow_name}/{row.name}.", fix="Register it first.")
    read = ClusterCommand(verb="read", wanted=_wanted(found, settings), label=deployment_id, settings=settings)
    return _Owned(read, found.full_name)


def _wanted(manifest: Manifest, settings: Settings) -> Wanted:
    """The cluster as the runs of a version will look for it: with the interpreter that they have."""
    if not _shares(manifest.executor.name, manifest.executor.options):
        raise BadRequest(f"The runs of {manifest.full_name} share no cluster.", fix=CHOOSE)
    if manifest.environment_policy == "recreate":
        raise BadRequest(f"The runs of {manifest.full_name} build their own environment.", fix="Start a run instead.")
    options = DaskClusterOptions.model_validate(manifest.executor.options)
    return dask_cluster.wanted(options, manifest.sized(settings), manifest.environment.executable or sys.executable)


def _shares(executor: str, options: object) -> bool:
    return executor == dask_cluster.DASK_CLUSTER.name and isinstance(options, dict) and options.get("share") != "run"
