"""Clusters that runs share, on the real Dask Gateway of the local stack."""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

import distributed
import httpx
import psutil
import pytest
from distributed import Client

from satflow_ext import endpoints
from satflow_ext.errors import (
    ClusterNotFound,
    ClusterNotStarted,
    GatewayUnauthorized,
    GatewayUnreachable,
    PackageMismatch,
    PythonMismatch,
)
from satflow_ext.gateways import cluster_start, shared_clusters
from satflow_ext.gateways.cluster_factory import use_cluster
from satflow_ext.gateways.cluster_manager import SharedClusterManager
from satflow_ext.gateways.cluster_start import release_cluster
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.gateways.gateway_locator import find_gateway
from satflow_ext.settings import GIB
from tests.eventually import eventually
from tests.gateways.requests import ONE


@pytest.fixture(scope="module")
def where(stack):
    with locate_gateway("", stack.settings) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def gateway(where):
    with connect_gateway(where) as client:
        yield client


@pytest.fixture(scope="module")
def label():
    return str(uuid4())


@pytest.fixture(scope="module")
def cluster(gateway, stack, label):
    """A warm cluster that many asked for at the same moment."""
    together = threading.Barrier(50)

    def ask(_):
        together.wait()
        with connect_gateway(find_gateway("", stack.settings, endpoints.read_record(stack.settings))) as own:
            return cluster_start._find_or_submit(own, ONE, label, stack.settings)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert len({name for name, _ in answers}) == 1
    assert [made for _, made in answers].count(True) == 1
    joined = cluster_start.start_cluster(gateway, ONE, label, stack.settings)
    yield joined
    release_cluster(joined)
    SharedClusterManager(ONE, label, stack.settings).close()


def dask_processes(stack, name="distributed.cli"):
    return [each for each in psutil.process_iter(["cmdline"]) if _is(each, name, str(stack.settings.state_dir))]


def _is(process, name, state):
    try:
        return any(name in word for word in process.cmdline()) and process.environ().get("SATFLOW_STATE_DIR") == state
    except psutil.Error:
        return False


def _listening(process):
    try:
        return [each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:  # of a cluster that is ending
        return []


def test_first_runs_at_the_same_moment_make_one_cluster(gateway, cluster, label):
    assert [each.name for each in shared_clusters.list_shared_clusters(gateway, label)] == [cluster.name]


def test_a_cluster_of_another_shape_is_another(gateway, cluster, stack, label):
    bigger = replace(ONE, memory=GIB // 2)
    name, made = cluster_start._find_or_submit(gateway, bigger, label, stack.settings)
    gateway.stop_cluster(name)
    assert made
    assert name != cluster.name


def test_a_shared_cluster_ends_with_the_last_run_that_uses_it(gateway, stack):
    label, alone = str(uuid4()), replace(ONE, workers=None, maximum=1)
    with ExitStack() as last:
        with use_cluster(alone, label, stack.settings, autoclose=True) as first:
            second = last.enter_context(use_cluster(alone, label, stack.settings, autoclose=True))
            assert second.name == first.name
        assert [each.name for each in shared_clusters.list_shared_clusters(gateway, label)] == [first.name]
    assert shared_clusters.list_shared_clusters(gateway, label) == []


def test_a_runs_own_cluster_ends_with_it(gateway, stack):
    with use_cluster(replace(ONE, workers=None, maximum=1), None, stack.settings, autoclose=False) as own:
        assert gateway.get_cluster(own.name).status.name == "RUNNING"
    assert own.name not in [each.name for each in gateway.list_clusters()]


def test_a_cluster_that_nobody_uses_ends_by_itself(gateway, stack):
    label = str(uuid4())
    with use_cluster(replace(ONE, workers=None, maximum=1, idle_timeout=1), label, stack.settings, autoclose=False):
        time.sleep(2)  # a connected run that has no task now
        assert shared_clusters.list_shared_clusters(gateway, label)
    eventually(lambda: not shared_clusters.list_shared_clusters(gateway, label), "the idle cluster ended")


def test_nothing_is_served_without_a_credential_or_beyond_loopback(where, gateway, cluster, stack):
    for path in ("/api/v1/clusters/", f"/api/v1/clusters/{cluster.name}", "/api/v1/options"):
        assert httpx.get(where.url + path).status_code == 401
    for page in ("status", "json/counts.json", "metrics", "info/main/workers.html", "health"):
        assert httpx.get(f"{where.url}/clusters/{cluster.name}/{page}").status_code == 404
    processes = [*dask_processes(stack), *dask_processes(stack, "gateway")]
    assert {address for process in processes for address in _listening(process)} == {"127.0.0.1"}


def test_the_credential_is_in_no_argument_and_no_log(where, cluster, stack):
    words = [word for each in psutil.process_iter(["cmdline"]) for word in each.info["cmdline"] or []]
    folder = stack.settings.state_dir
    logs = [
        log.read_text(errors="replace") for log in [*folder.glob("logs/*"), *folder.glob("gateway/clusters/*/logs/*")]
    ]
    assert len(logs) > 3
    assert not [text for text in (*words, *logs) if where.credential in text or "PRIVATE KEY" in text]
    assert where.credential not in repr(where)
    assert {
        file.stat().st_mode & 0o077 for file in (stack.settings.runtime_dir / "gateway.json", folder / "gateway")
    } == {0}


def test_a_wrong_credential_and_a_wrong_address_are_told(where):
    with (
        pytest.raises(GatewayUnauthorized, match="refused the credential"),
        connect_gateway(replace(where, credential="no")) as own,
    ):
        own.list_clusters()
    with (
        pytest.raises(GatewayUnreachable, match="does not answer"),
        connect_gateway(replace(where, url="http://127.0.0.1:9")) as own,
    ):
        own.list_clusters()


def test_a_cluster_that_is_not_ready_in_time_is_told_and_taken_away(gateway, stack):
    label = str(uuid4())
    with pytest.raises(ClusterNotStarted, match=r"no scheduler after 0\.2 s"):
        cluster_start.start_cluster(gateway, replace(ONE, start_timeout=0.2), label, stack.settings)
    assert shared_clusters.list_shared_clusters(gateway, label) == []


def test_an_interpreter_that_is_none_is_refused(gateway, stack):
    with pytest.raises(ValueError, match="is not the absolute path of an executable Python interpreter"):
        cluster_start.start_cluster(gateway, replace(ONE, python="/nowhere/python"), str(uuid4()), stack.settings)


@pytest.mark.parametrize(
    ("python", "dask", "error"),
    [("3.9.1.final.0", distributed.__version__, PythonMismatch), (None, "2020.1.0", PackageMismatch)],
)
def test_a_cluster_of_other_versions_is_refused(python, dask, error):
    said = {"host": {"python": python or platform.python_version()}, "packages": {"distributed": dask}}
    with pytest.raises(error, match="The cluster has"):
        cluster_start._check_versions(said)


def test_nobody_scales_what_is_not_there(stack, where):
    with pytest.raises(ClusterNotFound, match="no running cluster"):
        SharedClusterManager(ONE, str(uuid4()), stack.settings).resize(2)


def test_clusters_outlive_their_gateway_and_dead_schedulers_are_replaced(gateway, cluster, stack, label):
    (server,) = dask_processes(stack, "satflow_ext.stack.gateway_server")
    server.kill()
    managed = SharedClusterManager(ONE, label, stack.settings)
    eventually(lambda: dask_processes(stack, "satflow_ext.stack.gateway_server"), "the gateway was started again")
    eventually(lambda: _answers(managed) == ("running", 1), "the cluster is known again")
    schedulers = [each for each in dask_processes(stack, "dask_scheduler") if cluster.name in each.cwd()]
    os.kill(schedulers[0].pid, signal.SIGKILL)
    begun = time.monotonic()
    with use_cluster(ONE, label, stack.settings, autoclose=True) as fresh:
        assert fresh.name != cluster.name
    assert time.monotonic() - begun < ONE.start_timeout


def test_a_run_does_not_notice_that_the_gateway_dies(stack, where):
    """Its tasks go on, and more begin: it reaches its scheduler through the proxy, which stays."""
    with (
        use_cluster(replace(ONE, maximum=1), str(uuid4()), stack.settings, autoclose=True) as own,
        Client(own) as dask_client,
    ):
        under_way = dask_client.submit(slept, 3, pure=False)
        (server,) = dask_processes(stack, "satflow_ext.stack.gateway_server")
        server.kill()
        assert dask_client.submit(slept, 0, pure=False).result(60) == 0
        assert under_way.result(60) == 3
        eventually(lambda: httpx.get(f"{where.url}/api/health").is_success, "the gateway answers again")
        assert dask_client.submit(slept, 1, pure=False).result(60) == 1
        with Client(own) as later:
            assert later.submit(slept, 0, pure=False).result(60) == 0


def slept(seconds):
    time.sleep(seconds)
    return seconds


def _answers(managed):
    try:
        seen = managed.read_state()
    except GatewayUnreachable:
        return None
    return seen.state, seen.workers
