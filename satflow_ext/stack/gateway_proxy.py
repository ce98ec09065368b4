"""`python -m satflow_ext.stack.gateway_proxy FILE`: becomes dask-gateway's proxy, the way to the API and to schedulers.

A service of its own: as the child that the gateway makes of it by default it would end with the gateway, and every run whose
tasks are on a cluster at that moment would lose its scheduler.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from pathlib import Path

from dask_gateway_server.proxy.core import Proxy
from traitlets.config import Config

from satflow_ext.stack.gateway import GatewayPlan

PATIENCE = 60.0
"""Seconds."""


def main() -> None:
    """Wait for the gateway, which starts at the same time, and be its proxy until the end of standard input."""
    plan = GatewayPlan.model_validate_json(Path(sys.argv[1]).read_bytes())
    proxy = Proxy(config=configuration(plan), gateway_address=plan.api)
    _wait_for(plan.api)
    command = proxy.get_start_command()
    os.execve(command[0], command, proxy.get_start_env())  # the token is in its environment


def configuration(plan: GatewayPlan) -> Config:
    """What the proxy and the gateway must agree about."""
    config = Config()
    config.Proxy.externally_managed = True
    config.Proxy.address = plan.proxy
    config.Proxy.api_token = plan.proxy_token
    return config


def _wait_for(address: str) -> None:
    """Until somebody listens there, for a while: the proxy itself asks again after half a second, then a whole, two, four."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not _listens(address):
        time.sleep(0.02)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False


if __name__ == "__main__":
    main()
