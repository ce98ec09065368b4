"""`%dask_cluster list` and `satflow clusters list`: the current status of the deployments' persistent clusters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from satflow_ext.models import ClusterStatus, SharedCluster

if TYPE_CHECKING:
    from satflow_ext.clusters.persistent_clusters import Standing
    from satflow_ext.endpoints import Endpoints
    from satflow_ext.settings import Settings


async def look_at_all(endpoints: Endpoints, settings: Settings) -> tuple[SharedCluster, ...]:
    """Return the shared clusters of all deployments that can have one, including those that have none now.

    Raises:
        PrefectFailed: the API did not answer.
    """
    from satflow_ext.clusters import persistent_clusters
    from satflow_ext.registration import deployments

    able = persistent_clusters.standing(await deployments.list_all(endpoints))
    return await asyncio.to_thread(_look, able, settings)


def _look(able: tuple[Standing, ...], settings: Settings) -> tuple[SharedCluster, ...]:
    from satflow_ext.clusters.single_update import told_of
    from satflow_ext.clusters.status_files import Board

    board = Board(settings)
    with told_of(able, board):
        return tuple(_shown(each, board.read(each.deployment_id)) for each in able)


def _shown(standing: Standing, status: ClusterStatus | None) -> SharedCluster:
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
