"""A Dask Gateway of a team's, which has few options and a limit, really running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import httpx

from satflow_ext.settings import GatewaySettings
from tests.ports import free_ports

PASSWORD = "TEAM_GATEWAY_PASSWORD"
"""The environment variable that the settings name."""
OF_THE_TEAM = "of the team"
CONFIGURATION = """
import sys
from dask_gateway_server.options import Integer, Mapping, Options, Select
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.address = "127.0.0.1:{api}"
c.SimpleAuthenticator.password = "of the team"
c.Proxy.address, c.Proxy.tcp_address = "127.0.0.1:{http}", "127.0.0.1:{schedulers}"
c.ClusterConfig.scheduler_cmd = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
c.ClusterConfig.worker_cmd = [sys.executable, "-m", "distributed.cli.dask_worker"]
c.ClusterConfig.cluster_max_workers = 1
c.UnsafeLocalBackend.clusters_directory = "{folder}"
c.UnsafeLocalBackend.inherited_environment = ["PATH", "HOME", "SATFLOW_STATE_DIR"]
c.UnsafeLocalBackend.sigint_timeout = c.UnsafeLocalBackend.cluster_heartbeat_period = 1
GIB = 1024**3
SIZES = {{"medium": (1, GIB // 4), "large": (2, GIB // 2)}}
def shaped(options):
    cores, memory = options.worker_size
    size = {{"worker_cores": cores, "worker_memory": memory}}
    return {{**size, "idle_timeout": options.idle_timeout, "environment": options.environment}}
fields = Select("worker_size", list(SIZES.items())), Integer("idle_timeout", default=60), Mapping("environment")
c.Backend.cluster_options = Options(*fields, handler=shaped)
"""


@contextmanager
def serving_gateway(folder, also=""):
    """How its users name it in their settings.

    Args:
        folder: for its configuration, log and clusters.
        also: further lines of its configuration.
    """
    ports = dict(zip(("api", "http", "schedulers"), free_ports(3), strict=True))
    (folder / "config.py").write_text(CONFIGURATION.format(folder=folder, **ports) + also)
    url, schedulers = f"http://127.0.0.1:{ports['http']}", f"127.0.0.1:{ports['schedulers']}"
    command = [sys.executable, "-m", "dask_gateway_server", "-f", folder / "config.py"]
    with running(command, folder, f"{url}/api/health"):
        yield GatewaySettings(url=url, schedulers=schedulers, user="ann", credential=PASSWORD)


@contextmanager
def running(words, folder, health, **environment):
    """A service that logs to that folder, once it answers there."""
    with ExitStack() as made:
        log = made.enter_context((folder / "log").open("wb"))
        server = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environment})
        made.callback(server.wait)
        made.callback(server.terminate)
        deadline = time.monotonic() + 300
        while not answers(health):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield server


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
