"""The local stack's Dask Gateway: there when it is asked for, and gone with everything it started."""

from __future__ import annotations

import os
import signal
import sys

from satflow_ext import lease
from satflow_ext.gateways import cluster_start
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.cluster_start import release_cluster
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.settings import GIB
from tests.stack.place import Place

ONE = GatewayClusterRequest(
    1, 0, None, None, 1, GIB // 4, 0, idle_timeout=600, start_timeout=60, gateway="", python=sys.executable
)


def test_it_starts_on_first_need_and_its_clusters_end_with_a_killed_supervisor(light: Place) -> None:
    with lease.acquire_lease(light.settings) as held:
        assert held.record is not None
        assert held.record.gateway_url is None
        assert not [each for each in light.processes() if "gateway_server" in " ".join(each.cmdline())]
        with locate_gateway("", light.settings) as where, connect_gateway(where) as gateway:
            release_cluster(cluster_start.start_cluster(gateway, ONE, "somebody", light.settings))
        record = lease.start_services(light.settings, ["gateway"])
        assert record.gateway_url == where.url
        dask = [each for each in light.processes() if "distributed.cli" in " ".join(each.cmdline())]
        assert len(dask) >= 2
        os.kill(held.record.pid, signal.SIGKILL)
        light.wait_gone()


def test_clusters_end_with_the_last_lease(light: Place) -> None:
    with (
        lease.acquire_lease(light.settings, extra_services=["gateway"]),
        locate_gateway("", light.settings) as where,
        connect_gateway(where) as gateway,
    ):
        release_cluster(cluster_start.start_cluster(gateway, ONE, "somebody", light.settings))
    light.wait_gone()
