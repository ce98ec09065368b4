"""`%dask_cluster list` and `satflow clusters list`: the current status of the deployments' persistent clusters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from satflow_ext.models import ClusterStatus, SharedCluster

if TYPE_CHECKING:
    from satflow_ext.clusters.persistent_clusters import PersistentCluster
    from satflow_ext.endpoints import Endpoints
    from satflow_ext.settings import Settings


async def list_shared_clusters(endpoints: Endpoints, settings: Settings) -> tuple[SharedCluster, ...]:
    """Return the shared clusters of all deployments that can have one, including those that have none now.

    Raises:
        PrefectFailed: the API did not answer.
    """
    from satflow_ext.clusters import persistent_clusters
    from satflow_ext.registration import deployments

    able = persistent_clusters.list_persistent_clusters(await deployments.list_deployments(endpoints))
    return await asyncio.to_thread(_read_statuses, able, settings)


def _read_statuses(clusters: tuple[PersistentCluster, ...], settings: Settings) -> tuple[SharedCluster, ...]:
    from satflow_ext.clusters.single_update import update_status_files
    from satflow_ext.clusters.status_files import StatusFiles

    board = StatusFiles(settings)
    with update_status_files(clusters, board):
        return tuple(_to_shared_cluster(each, board.read_status(each.deployment_id)) for each in clusters)


def _to_shared_cluster(standing: PersistentCluster, status: ClusterStatus | None) -> SharedCluster:
    return SharedCluster(
        deployment_id=standing.deployment_id,
        deployment_name=standing.deployment,
        gateway=standing.gateway,
        state="none" if status is None or status.state == "closed" else status.state,
        workers=status.observed if status else 0,
        plan=status.plan if status else None,
        why=(status.problem or status.pending) if status else None,
        worker_size=standing.worker_size,
        started=status.started if status else None,
    )
