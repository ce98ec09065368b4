"""Address and connection arguments of the scheduler of a persistent cluster."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from distributed import Security

from satflow_ext import endpoints
from satflow_ext.clusters.persistent_clusters import Standing
from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.connection import connected, need_client
from satflow_ext.gateways.gateway_locator import DaskGateway, gateway_named
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway.client import ClusterReport

FRESH = 2.0
"""Seconds for which a gateway's list of clusters is cached, because many deployments may need it."""


@dataclass(frozen=True)
class Whereabouts:
    """A scheduler. `address` is None while it starts; `started` is the start time of its cluster, if available."""

    address: str | None
    arguments: dict[str, Any] = field(repr=False)
    started: datetime | None = None


class Finder:
    """Finds schedulers. All methods block, and none of them starts a Dask Gateway or keeps one running.

    Args:
        settings: define the gateways.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[float, list[ClusterReport]]] = {}

    def find(self, standing: Standing) -> Whereabouts | None:
        """Find the scheduler of a cluster, or return None if the cluster does not exist.

        Raises:
            ClusterFailed: a gateway does not answer.
            ExtraMissing: dask-gateway is not installed.
            SettingsWrong: the settings have no such gateway, or its credential is not set.
        """
        if standing.address is not None:
            # Use the TLS settings of Dask's configuration, like a flow run.
            return Whereabouts(standing.address, Security().get_connection_args("client"))  # type: ignore[no-untyped-call]
        need_client()
        where = self._gateway(standing.gateway or "")
        return None if where is None else self._on(where, standing.deployment_id)

    def _gateway(self, name: str) -> DaskGateway | None:
        if name:
            return gateway_named(name, self._settings, None)
        record = endpoints.read_record(self._settings)
        return gateway_named("", self._settings, record) if record and record.gateway_url else None

    def _on(self, where: DaskGateway, label: str) -> Whereabouts | None:
        names = [each.name for each in self._list(where) if shared_clusters.is_of(each, label)]
        if not names:
            return None
        with connected(where) as gateway:
            report = gateway.get_cluster(names[-1])
        started = report.start_time.astimezone()
        if report.status.name == "PENDING":
            return Whereabouts(None, {}, started)
        if report.status.name != "RUNNING":
            return None
        return Whereabouts(report.scheduler_address, report.security.get_connection_args("client"), started)

    def _list(self, where: DaskGateway) -> list[ClusterReport]:
        with self._lock:
            taken, reports = self._lists.get(where.name, (float("-inf"), []))
            if time.monotonic() > taken + FRESH:
                with connected(where) as gateway:
                    reports = sorted(gateway.list_clusters(), key=lambda each: (each.start_time, each.name))
                self._lists[where.name] = (time.monotonic(), reports)
            return reports
