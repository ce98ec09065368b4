"""`python -m satflow_ext.stack.gateway_proxy FILE`: run dask-gateway's proxy, through which clients reach schedulers.

The proxy is a separate service. By default it is a child process of the gateway: it would end with the gateway, and every run
whose tasks are on a cluster at that moment would lose its scheduler.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dask_gateway_server.proxy.core import Proxy
from traitlets.config import Config

from satflow_ext.bounded_listener import raise_descriptor_limit
from satflow_ext.stack.gateway import GatewayPlan


def main() -> None:
    """Run the proxy until standard input closes. The gateway starts at the same time; its socket is listening already."""
    plan = GatewayPlan.model_validate_json(Path(sys.argv[1]).read_bytes())
    proxy = Proxy(config=Config(plan.proxy_options), gateway_address=plan.api)
    raise_descriptor_limit()  # each connection of a run uses two
    command = proxy.get_start_command()
    os.execve(command[0], command, proxy.get_start_env())  # the token is in its environment


if __name__ == "__main__":
    main()
