"""Address and connection arguments of the scheduler of a persistent cluster."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from distributed import Security

from satflow_ext import endpoints
from satflow_ext.clusters.persistent_clusters import PersistentCluster
from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.connection import connect_gateway, require_client
from satflow_ext.gateways.gateway_locator import DaskGateway, find_gateway
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway.client import ClusterReport

LIST_CACHE_SECONDS = 2.0
"""Seconds for which a gateway's list of clusters is cached, because many deployments may need it."""


@dataclass(frozen=True)
class SchedulerLocation:
    """A scheduler. `address` is None while it starts; `started` is the start time of its cluster, if available."""

    address: str | None
    arguments: dict[str, Any] = field(repr=False)
    started: datetime | None = None


class SchedulerLocator:
    """Finds schedulers. All methods block, and none of them starts a Dask Gateway or keeps one running.

    Args:
        settings: define the gateways.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[float, list[ClusterReport]]] = {}

    def find_scheduler(self, cluster: PersistentCluster) -> SchedulerLocation | None:
        """Find the scheduler of a cluster, or return None if the cluster does not exist.

        Raises:
            ClusterFailed: a gateway does not answer.
            ExtraMissing: dask-gateway is not installed.
            SettingsWrong: the settings have no such gateway, or its credential is not set.
        """
        if cluster.address is not None:
            # Use the TLS settings of Dask's configuration, like a flow run.
            return SchedulerLocation(cluster.address, Security().get_connection_args("client"))  # type: ignore[no-untyped-call]
        require_client()
        where = self._find_gateway(cluster.gateway or "")
        return None if where is None else self._find_on_gateway(where, cluster.deployment_id)

    def _find_gateway(self, name: str) -> DaskGateway | None:
        if name:
            return find_gateway(name, self._settings, None)
        record = endpoints.read_record(self._settings)
        return find_gateway("", self._settings, record) if record and record.gateway_url else None

    def _find_on_gateway(self, location: DaskGateway, label: str) -> SchedulerLocation | None:
        names = [each.name for each in self._list_clusters(location) if shared_clusters.has_label(each, label)]
        if not names:
            return None
        with connect_gateway(location) as gateway:
            report = gateway.get_cluster(names[-1])
        started = report.start_time.astimezone()
        if report.status.name == "PENDING":
            return SchedulerLocation(None, {}, started)
        if report.status.name != "RUNNING":
            return None
        return SchedulerLocation(report.scheduler_address, report.security.get_connection_args("client"), started)

    def _list_clusters(self, location: DaskGateway) -> list[ClusterReport]:
        with self._lock:
            taken, reports = self._lists.get(location.name, (float("-inf"), []))
            if time.monotonic() > taken + LIST_CACHE_SECONDS:
                with connect_gateway(location) as gateway:
                    reports = sorted(gateway.list_clusters(), key=lambda each: (each.start_time, each.name))
                self._lists[location.name] = (time.monotonic(), reports)
            return reports
