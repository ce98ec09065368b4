"""Nothing that another process sends is unpickled in the Jupyter server, whatever it is and whichever route is asked for."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import subprocess
import sys
import traceback
from uuid import uuid4

import pytest

from satflow_ext.models import Registered
from tests.gateways.serving import OF_THE_TEAM, PASSWORD, serving_gateway
from tests.prefect_clients import stock_client
from tests.server.doubling import FLOW
from tests.server.routes import GOLDEN, ID

HOSTILE = """
from distributed.protocol import ToPickle

class Bomb:
    def __reduce__(self):
        return open, ({mark!r}, "w")

def dask_setup(scheduler):
    for name in ("ncores", "identity", "versions", "register_scheduler_plugin"):
        scheduler.handlers[name] = lambda **arguments: ToPickle(Bomb())
"""

SCHEDULER = """
c.ClusterConfig.scheduler_cmd = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--preload", {preload!r}]
"""

MAKE_CLUSTER = """
import sys, time
from dask_gateway import BasicAuth, Gateway
url, schedulers, label = sys.argv[1:]
gateway = Gateway(url, proxy_address=schedulers, auth=BasicAuth("ann", "of the team"))
options = gateway.cluster_options()
options["environment"], options["idle_timeout"] = {"SATFLOW_CLUSTER_OF": label}, 3600
name = gateway.submit(options)
while gateway.get_cluster(name).status.name != "RUNNING":
    time.sleep(0.1)
"""

READ_UNGUARDED = """
import sys
from pathlib import Path
from satflow_ext.gateways import cluster_manager
from satflow_ext.gateways.cluster_process import ClusterCommand
cluster_manager.execute_command(ClusterCommand.model_validate_json(sys.stdin.read()))
"""
"""As the Jupyter server did it before: without a process that refuses pickles."""

listening = False
found: list[object] = []


def record(event: str, arguments: tuple[object, ...]) -> None:
    if not listening or event != "pickle.find_class":
        return
    stack = traceback.extract_stack()
    if not any(
        "importlib._bootstrap" in frame.filename for frame in stack
    ):  # a module's own data, while it is imported
        found.append((arguments, [f"{frame.filename}:{frame.lineno}" for frame in stack[-8:]]))


@pytest.fixture
def unpickled():
    """What is unpickled in this process, which the Jupyter server runs in, during a test."""
    global listening  # an auditing hook cannot be removed
    sys.addaudithook(record)
    found.clear()
    listening = True
    yield found
    listening = False


class Bomb:
    """Opens a file where it is unpickled."""

    def __init__(self, mark):
        self._mark = str(mark)

    def __reduce__(self):
        return open, (self._mark, "w")


@pytest.fixture
def hostile_gateway(tmp_path, settings_file, monkeypatch):
    """A Dask Gateway in the settings whose schedulers answer with pickles that leave a mark."""
    mark, preload = tmp_path / "unpickled", tmp_path / "hostile.py"
    preload.write_text(HOSTILE.format(mark=str(mark)))
    monkeypatch.setenv(PASSWORD, OF_THE_TEAM)
    with serving_gateway(tmp_path, also=SCHEDULER.format(preload=str(preload))) as gateway:
        settings_file.write_text(
            f'[gateways.team]\nurl = "{gateway.url}"\nschedulers = "{gateway.schedulers}"\n'
            f'user = "ann"\ncredential = "{PASSWORD}"\n'
        )
        yield gateway, mark


def make_cluster(gateway, label):
    """Start a cluster with that label, as the runs of a deployment would find it."""
    subprocess.run([sys.executable, "-c", MAKE_CLUSTER, gateway.url, gateway.schedulers, label], check=True)


async def test_no_route_unpickles_what_others_send(hostile_gateway, browser, open_kernel, prefect_api, unpickled):
    gateway, mark = hostile_gateway
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        executor = {"name": "dask-cluster", "options": {"gateway": "team", "n_workers": 1}}
        wanted = {
            "kernel_id": kernel.id,
            "variable": "doubling",
            "name": f"team-{uuid4().hex[:6]}",
            "executor": executor,
        }
        made = await browser.ask(Registered, "POST", "deployments", wanted)
        deployment = made.deployment.id
        await asyncio.to_thread(make_cluster, gateway, deployment)
        run = await pickled_state(prefect_api, deployment, mark)

        for verb, path, body in [
            ("GET", "cluster", None),
            ("POST", "cluster", {"order": {"do": "start"}}),
            ("POST", "cluster", {"order": {"do": "scale", "workers": 1}}),
            ("POST", "cluster", {"order": {"do": "adapt", "minimum": 0, "maximum": 1}}),
        ]:
            code, error = await browser.refused(verb, f"deployments/{deployment}/{path}", body)
            assert (code, error.error) == (502, "ClusterFailed"), error
            assert "sent a pickle" in error.message
        for verb, path in GOLDEN:
            last = (verb, path) == ("DELETE", f"deployments/{ID}")
            if path == "stream" or last:
                continue
            for each in (deployment, run, kernel.id):
                await browser.raw(verb, path.replace(ID, each), None if verb in ("GET", "DELETE") else {})
    assert unpickled == []
    assert not mark.exists()


async def pickled_state(prefect_api, deployment, mark) -> str:
    """A flow run whose state has a pickle as its data, as a hostile Prefect API may answer."""
    blob = base64.b64encode(pickle.dumps(Bomb(mark))).decode()
    data = {"encoding": "cloudpickle", "blob": blob, "type": "cloudpickle"}
    async with stock_client(prefect_api) as client:
        run = await client.create_flow_run_from_deployment(deployment)
        state = {"type": "COMPLETED", "name": "Completed", "message": blob, "data": data}
        await client._client.post(f"/flow_runs/{run.id}/set_state", json={"state": state, "force": True})
        read = (await client._client.get(f"/flow_runs/{run.id}")).json()
        assert blob in str(read["state"])
    return str(run.id)


def test_the_pickles_run_code_where_nothing_refuses_them(hostile_gateway, stack):
    """Else the test above would show nothing."""
    from satflow_ext import settings
    from satflow_ext.gateways.cluster_process import ClusterCommand, run_command
    from satflow_ext.gateways.cluster_request import GatewayClusterRequest

    gateway, mark = hostile_gateway
    label = str(uuid4())
    make_cluster(gateway, label)
    wanted = GatewayClusterRequest(
        1, 0, None, None, None, None, 0, idle_timeout=60, start_timeout=60, gateway="team", python="python"
    )
    command = ClusterCommand(verb="read", request=wanted, label=label, settings=settings.load_settings())
    with pytest.raises(Exception, match="sent a pickle"):
        asyncio.run(run_command(command))
    assert not mark.exists()
    subprocess.run(
        [sys.executable, "-c", READ_UNGUARDED], input=command.model_dump_json(), text=True, check=False, env=os.environ
    )
    assert mark.exists()
    assert asyncio.run(run_command(command.model_copy(update={"verb": "close"}))).closed
