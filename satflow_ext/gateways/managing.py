"""The cluster that a deployment's runs share, managed ahead of runs and between them. Everything here blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from satflow_ext import endpoints
from satflow_ext.errors import ClusterNotFound, ClusterNotStarted
from satflow_ext.gateways import factory, shared
from satflow_ext.gateways.connection import connected, reached
from satflow_ext.gateways.starting import Deadline, joined, let_go, resize, workers_of
from satflow_ext.gateways.wanted import Wanted
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster


@dataclass(frozen=True)
class Seen:
    """How a shared cluster is."""

    state: Literal["none", "starting", "running"] = "none"
    workers: int = 0
    started: datetime | None = None


@dataclass(frozen=True)
class Managed:
    """The cluster that a deployment's runs share.

    Args:
        wanted: how the deployment's version wants it.
        label: the deployment's id.
        settings: where gateways and locks are.
    """

    wanted: Wanted
    label: str
    settings: Settings

    def look(self) -> Seen:
        """How it is now. Never starts a gateway."""
        if not self._gateway_runs():
            return Seen()
        with self._gateway() as gateway:
            return self._seen(gateway)

    def start(self) -> Seen:
        """Start it where it does not run, and wait until it is ready.

        Raises:
            ClusterFailed: it did not start; it was cleaned up.
            SizeRefused: the gateway does not give that worker size.
        """
        with self._gateway() as gateway:
            let_go(factory.started(gateway, self.wanted, self.label, self.settings))
            return self._seen(gateway)

    def resize(self, workers: int | None, minimum: int = 0, maximum: int | None = None) -> Seen:
        """Ask for a number of Dask workers, or for as many as there is work for. They come later.

        Raises:
            ClusterNotFound: there is no such cluster.
            GatewayRefused: it gives fewer.
        """
        self._need_gateway()
        with self._gateway() as gateway, self._joined(gateway) as cluster:
            resize(cluster, workers, minimum, maximum)
            return self._seen(gateway)

    def close(self) -> bool:
        """End all of its clusters, of whichever version; whether there was any."""
        if not self._gateway_runs():
            return False
        with self._gateway() as gateway, shared.alone(self.label, self.settings):
            names = [each.name for each in shared.found(gateway, self.label)]
            for name in names:
                gateway.stop_cluster(name)
        return bool(names)

    def restart(self) -> Seen:
        """End it, and start another one.

        Raises:
            ClusterFailed: it did not start; it was cleaned up.
        """
        self.close()
        return self.start()

    @contextmanager
    def _gateway(self) -> Iterator[Gateway]:
        with reached(self.wanted.gateway, self.settings) as where, connected(where) as gateway:
            yield gateway

    def _gateway_runs(self) -> bool:
        """Whether it can be asked without being started for that."""
        record = None if self.wanted.gateway else endpoints.read_record(self.settings)
        return bool(self.wanted.gateway or (record and record.gateway_url))

    def _need_gateway(self) -> None:
        if not self._gateway_runs():
            raise _none()

    def _seen(self, gateway: Gateway) -> Seen:
        reports = shared.found(gateway, self.label)
        if not reports:
            return Seen()
        newest = reports[-1]
        started = newest.start_time.astimezone()
        if newest.status.name != "RUNNING":
            return Seen("starting", 0, started)
        with self._joined(gateway) as cluster:
            return Seen("running", workers_of(cluster), started)

    @contextmanager
    def _joined(self, gateway: Gateway) -> Iterator[GatewayCluster]:
        reports = shared.found(gateway, self.label)
        if not reports:
            raise _none()
        cluster = joined(gateway, reports[-1].name, Deadline(self.wanted.start_timeout))
        try:
            yield cluster
        except OSError as error:
            raise ClusterNotStarted(f"The cluster's scheduler does not answer: {type(error).__name__}.") from None
        finally:
            let_go(cluster)


def _none() -> ClusterNotFound:
    return ClusterNotFound("The deployment has no cluster now.", fix="Start it first.")
