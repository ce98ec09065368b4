"""The process that tells of clusters between runs: a scheduler at an address, and a shared cluster of a real Dask Gateway."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from uuid import uuid4

import pytest
from distributed import Client
from distributed.core import rpc

from satflow_ext.clusters import persistent_clusters
from satflow_ext.clusters.persistent_clusters import PersistentCluster
from satflow_ext.clusters.single_update import update_status_files
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.gateways.cluster_manager import SharedClusterManager
from satflow_ext.models import Deployment, ExecutorChoice
from tests.clusters.schedulers import scheduler
from tests.eventually import eventually
from tests.gateways.requests import ONE


@contextmanager
def lookout():
    """The process, and what tells it what to look at."""
    command = [sys.executable, "-m", "satflow_ext.clusters.cluster_watcher"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:

        def look_at(*clusters):
            process.stdin.write(persistent_clusters.to_json_line(clusters) + b"\n")
            process.stdin.flush()

        yield look_at
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def at(address):
    return of("dask-address", address=address)


def of(executor, **where):
    where = {"address": None, "gateway": None} | where
    name = "flow/tiles"
    return PersistentCluster(
        deployment_id=str(uuid4()), deployment=name, executor=executor, plan=None, worker_size=None, **where
    )


async def _ask(address):
    async with rpc(address) as unguarded:
        await unguarded.register_scheduler_plugin()


def _clients(dask_scheduler):
    return [name for name in dask_scheduler.clients if name != "fire-and-forget"]


def test_clusters_are_told_of_between_runs_and_not_kept(stack, tmp_path):
    board = StatusFiles(stack.settings)
    shared = of("dask-cluster", gateway="")
    managed = SharedClusterManager(ONE, shared.deployment_id, stack.settings)
    with scheduler(tmp_path / "scheduler.json") as (process, address), lookout() as look_at:
        there, nowhere = at(address), at("tcp://127.0.0.1:9")
        look_at(there, nowhere, shared)
        seen = eventually(lambda: (s := board.read_status(there.deployment_id)) and s.state == "running" and s)
        assert (seen.run_id, seen.deployment_name, seen.observed) == (None, "tiles", 0)
        with Client(address, set_as_default=False) as dask_client:
            assert dask_client.run_on_scheduler(_clients) == [dask_client.id], "who looks is no user"
        lost = eventually(lambda: (s := board.read_status(nowhere.deployment_id)) and s.problem)
        assert "does not answer" in lost
        assert "127.0.0.1" not in lost
        eventually(lambda: shared.deployment_id in board.read_statuses()[1])

        assert managed.start().state == "running"
        warm = eventually(lambda: (s := board.read_status(shared.deployment_id)) and s.observed and s)
        assert (warm.state, warm.plan, warm.requested, warm.pending) == ("running", 1, 1, None)
        assert warm.workers[0].memory > 0
        with update_status_files((shared, there), board):
            assert board.read_status(shared.deployment_id).state == "running", (
                "whom another process tells of is left to it"
            )
        assert board.read_history(shared.deployment_id)
        managed.close()
        eventually(lambda: shared.deployment_id in board.read_statuses()[1])

        process.kill()
        eventually(lambda: board.read_status(there.deployment_id).state == "lost")
        look_at(there)
        eventually(lambda: board.read_status(nowhere.deployment_id) is None)
    assert board.read_status(there.deployment_id) is None
    with update_status_files((nowhere, shared), board):
        assert board.read_status(nowhere.deployment_id).state == "lost"
        assert shared.deployment_id in board.read_statuses()[1]
    assert board.read_statuses() == ((), ())


HOSTILE = """
from distributed.protocol import ToPickle

class Bomb:
    def __reduce__(self):
        return open, ({mark!r}, "w")

def dask_setup(scheduler):
    scheduler.handlers["register_scheduler_plugin"] = lambda **arguments: ToPickle(Bomb())
"""


def test_nothing_that_a_scheduler_sends_is_unpickled(stack, tmp_path):
    mark, preload = tmp_path / "went-off", tmp_path / "hostile.py"
    preload.write_text(HOSTILE.format(mark=str(mark)))
    with scheduler(tmp_path / "scheduler.json", "--preload", str(preload)) as (_, address), lookout() as look_at:
        there = at(address)
        look_at(there)
        problem = eventually(lambda: (s := StatusFiles(stack.settings).read_status(there.deployment_id)) and s.problem)
        assert "sent a pickle" in problem
        assert not mark.exists()
        asyncio.run(_ask(address))
        assert mark.exists(), "it goes off where nobody refuses it"


@pytest.mark.parametrize(
    ("executor", "options", "where"),
    [
        ("dask-address", {"address": "tcp://team:8786"}, ("tcp://team:8786", None)),
        ("dask-client", {"address": "tcp://team:8786"}, ("tcp://team:8786", None)),
        ("dask-client", {"n_workers": 2}, None),
        ("dask-local", {"n_workers": 2}, None),
        ("dask-cluster", {"share": "deployment", "gateway": "team"}, (None, "team")),
        ("dask-cluster", {"n_workers": 2}, (None, "")),
        ("dask-cluster", {"share": "run"}, None),
        ("dask-cluster", {"share": "deployment", "backend": "slurm"}, None),
        ("threads", {}, None),
    ],
)
def test_which_deployments_have_a_cluster_between_runs(executor, options, where):
    deployment = Deployment.model_construct(
        id="d1", name="tiles", flow_name="flow", executor=ExecutorChoice(name=executor, options=options)
    )
    found = [(each.address, each.gateway) for each in persistent_clusters.list_persistent_clusters([deployment])]
    assert found == ([where] if where else [])
