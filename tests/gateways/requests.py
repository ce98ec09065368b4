"""Clusters to ask a Dask Gateway for."""

from __future__ import annotations

import sys

from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.settings import GIB

ONE = GatewayClusterRequest(
    1, 0, None, None, 1, GIB // 4, 0, idle_timeout=60, start_timeout=120, gateway="", python=sys.executable
)
"""One small worker."""
