"""`python -m satflow_ext.stack.gateway_server FILE DESCRIPTOR`: run dask-gateway's server without its unsafe defaults.

Its clusters are processes of this user, like those of `dask-local`, so `UnsafeLocalBackend` is the right backend: "unsafe" means
that it does not isolate users from each other. `LocalBackend` must never run: as root, it changes the owner of `/`.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from dask_gateway_server.app import DaskGateway
from dask_gateway_server.options import Float, Integer, Options, String
from traitlets.config import Config

from satflow_ext.bounded_listener import BoundedListener
from satflow_ext.gateways import idle_timeout
from satflow_ext.settings import GIB
from satflow_ext.stack.gateway import GatewayPlan

HEARTBEAT_PERIOD = 2
"""Seconds between two heartbeats of a scheduler. With the next two constants, a dead one is noticed within ten seconds."""
HEARTBEAT_TIMEOUT = 7.0
TIMEOUT_CHECK_PERIOD = 1.0
PROCESS_GRACE = 2
"""Seconds that a Dask process has to exit after each of three signals."""

DISABLED_PAGES = {
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
}
"""The gateway's proxy serves a cluster's pages and JSON to any client that has the cluster's name, without a credential."""


def main() -> None:
    """Serve until a signal ends the process."""
    plan = GatewayPlan.model_validate_json(Path(sys.argv[1]).read_bytes())
    use_listener(BoundedListener(int(sys.argv[2])))
    DaskGateway.launch_instance(argv=[], config=server_config(plan))


def use_listener(listener: socket.socket) -> None:
    """Make dask-gateway's server use this socket instead of opening one."""

    class Site(web.SockSite):
        def __init__(self, runner: web.BaseRunner, host: str, port: int, *, backlog: int) -> None:
            super().__init__(runner, listener, backlog=backlog)

    web.TCPSite = Site  # type: ignore[misc,assignment]  # the server creates one site of this class, with these arguments


def server_config(plan: GatewayPlan) -> Config:
    """Return the server's configuration (gateway.dask.org/api-server.html)."""
    config = Config(plan.proxy_options)
    config.DaskGateway.address = plan.api
    config.DaskGateway.log_level = "WARN"  # otherwise each heartbeat is a log line
    config.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
    config.SimpleAuthenticator.password = plan.password
    config.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
    _configure_backend(config.UnsafeLocalBackend, plan)
    return config


def _configure_backend(backend: Config, plan: GatewayPlan) -> None:
    backend.api_url = f"http://{plan.api}/api"
    environment = {**DISABLED_PAGES, "DASK_TEMPORARY_DIRECTORY": str(plan.folder / "scratch")}
    backend.cluster_options = cluster_options(environment)
    backend.clusters_directory = str(plan.folder / "clusters")
    # Clusters survive a restart of the server; when the stack stops, they end like all of its processes.
    backend.stop_clusters_on_shutdown = False
    backend.db_url = f"sqlite:///{plan.folder / 'gateway.sqlite'}"
    backend.db_encrypt_keys = [plan.database_key]
    backend.inherited_environment = [name for name in os.environ if name not in environment]
    backend.cluster_heartbeat_period = HEARTBEAT_PERIOD
    backend.cluster_heartbeat_timeout = HEARTBEAT_TIMEOUT
    backend.check_timeouts_period = TIMEOUT_CHECK_PERIOD
    backend.cluster_status_period = backend.worker_status_period = float(HEARTBEAT_PERIOD)
    backend.sigint_timeout = backend.sigterm_timeout = backend.sigkill_timeout = PROCESS_GRACE


def cluster_options(environment: Mapping[str, str]) -> Options:
    """Return Dask Gateway's usual options, and two of SatFlow: the cluster's deployment and its flow runs' interpreter.

    Args:
        environment: environment variables of every Dask process.
    """

    def configured(options: Any) -> dict[str, Any]:
        return _to_cluster_config(options, environment)

    return Options(
        String("deployment"),
        String("python"),
        Integer("worker_cores", default=1, min=1),
        Float("worker_memory", default=1.0, min=0.05),
        Float("idle_timeout", default=600.0, min=1.0),
        handler=configured,
    )


def _to_cluster_config(options: Any, environment: Mapping[str, str]) -> dict[str, Any]:
    """Convert the options into dask-gateway's cluster configuration.

    Dask processes use the interpreter of the flow runs, so that both sides unpickle with the same packages.
    """
    python = options.python
    if not os.path.isabs(python) or not os.access(python, os.X_OK):
        raise ValueError(f"{python!r} is not the absolute path of an executable Python interpreter on this machine")
    return {
        "scheduler_cmd": [
            python,
            "-m",
            "distributed.cli.dask_scheduler",
            "--no-dashboard",
            "--preload",
            idle_timeout.MODULE,
        ],
        "worker_cmd": [
            *(python, "-m", "distributed.cli.dask_worker", "--host", "127.0.0.1", "--no-dashboard"),
            *("--death-timeout", "60"),
        ],
        "worker_cores": options.worker_cores,
        "worker_memory": int(options.worker_memory * GIB),
        "environment": {**environment, idle_timeout.IDLE_SECONDS_VARIABLE: str(options.idle_timeout)},
    }


if __name__ == "__main__":
    main()
