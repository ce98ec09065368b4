"""Clusters over real SSH, on hosts in network namespaces: reached, refused, replaced, and gone with their flow run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from distributed import Client, LocalCluster
from prefect import flow, get_run_logger, task, unmapped

from satflow_ext import runs
from satflow_ext.cluster_providers import ProviderRequest
from satflow_ext.cluster_providers.run_cluster import start_run_cluster
from satflow_ext.cluster_providers.ssh_hosts import HostPlacement
from satflow_ext.errors import ClusterFailed, ClusterNotStarted, InvalidExecutorOption, PythonMismatch, SizeRefused
from satflow_ext.executors import resolve_choice
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.settings import GIB, Settings, SizeSettings
from tests.eventually import eventually
from tests.flow_runs import log_of

ASKED = ProviderRequest(
    2, 0, None, "tiny", 1, GIB // 4, 0, idle_timeout=60, start_timeout=60, backend="ssh", options={}
)
SIZES = {"tiny": SizeSettings(cores=1, memory=0.25), "huge": SizeSettings(cores=1, memory=9999)}
SIZES["gpu"] = SizeSettings(cores=1, memory=0.25, gpus=64)


@task
def where(number, meeting_place):
    """Wait until tasks run on both hosts: the Dask worker of one may come when that of the other could have run them all."""
    host = os.readlink("/proc/self/ns/net")
    get_run_logger().info(f"task {number} in {host}")
    (meeting_place / host).touch()
    while len(os.listdir(meeting_place)) < 2:
        time.sleep(0.05)
    return number


@task
def total(numbers, meeting_place):
    return sum(where.map(numbers, unmapped(meeting_place)).result())


@flow
def on_hosts(meeting_place: Path = Path()):
    get_run_logger().info(f"flow in {os.readlink('/proc/self/ns/net')}")
    return total.submit(range(4), meeting_place).result()


def empty(hosts):
    return not hosts.processes(0) and not hosts.processes(1)


def check(options, size="tiny"):
    given = {"backend": "ssh", "n_workers": 2, "worker_size": size, "backend_options": options}
    settings = Settings(worker_sizes=SIZES)
    executor = resolve_choice(ExecutorChoice(name="dask-cluster", options=given), settings, runs_locally=False)
    asyncio.run(check_class(executor, Path(sys.executable), settings, local=True))


def test_the_workers_of_a_run_that_was_killed_end(hosts):
    asked = asdict(replace(ASKED, options=hosts.options))
    words = [sys.executable, str(Path(__file__).with_name("victim.py")), json.dumps(asked)]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert run.stdout.readline() == b"has a Dask worker\n"
    assert not empty(hosts)
    run.kill()
    run.wait()
    run.stdout.close()
    eventually(lambda: empty(hosts), "what ran on the hosts ended")


@pytest.mark.parametrize(
    ("change", "size", "error", "message"),
    [
        ({}, "tiny", None, None),
        ({}, "huge", SizeRefused, r"cannot hold 1 Dask workers of size 'huge'.*Choose one of tiny"),
        ({}, "gpu", SizeRefused, "no GPUs"),
        ({"hosts": []}, "tiny", InvalidExecutorOption, "hosts: .*at least 1"),
        ({"hosts": "node1"}, "tiny", InvalidExecutorOption, "hosts: .*Write for example"),
        ({"hots": ["a"]}, "tiny", InvalidExecutorOption, "ssh does not accept hots"),
        ({"known_hosts": "/dev/null"}, "tiny", ClusterFailed, "[Hh]ost key"),
        ({"client_keys": []}, "tiny", ClusterFailed, "over SSH: Permission denied.*works from this machine"),
        ({"python": "/nowhere/python"}, "tiny", ClusterFailed, "does not run /nowhere/python"),
        ({"python": "/usr/bin/python3"}, "tiny", None, None),
    ],
)
def test_hosts_are_looked_at_when_registering(hosts, change, size, error, message, tmp_path):
    options = {**hosts.options, **change}
    if change.get("python") == "/usr/bin/python3":
        other = tmp_path / "python"  # says what another Python would say
        other.write_text('#!/bin/sh\necho \'{"python": "3.9", "distributed": null, "memory": 1, "gpus": 0}\'\n')
        other.chmod(0o755)
        options, error, message = {**options, "python": str(other)}, PythonMismatch, "has Python 3.9"
    if error is None:
        check(options, size)
        return
    with pytest.raises(error, match=message):
        check(options, size)


def test_a_host_that_refuses_is_told_where_no_worker_comes(hosts):
    options = {**hosts.options, "known_hosts": "/dev/null"}
    with (
        pytest.raises(ClusterNotStarted, match=r"4 s: on host 1 the login failed .*[Hh]ost key") as caught,
        start_run_cluster(request=asdict(replace(ASKED, options=options, start_timeout=4))),
    ):
        pass
    assert hosts.net not in str(caught.value)


def test_tasks_on_hosts_reach_the_local_stack(stack, hosts, registered, ran, tmp_path):
    """Its Prefect API is on the loopback of this machine, the tasks are on others: also those that tasks call."""
    options = {"backend": "ssh", "share": "run", "n_workers": 2, "backend_options": hosts.options}
    done = registered(on_hosts, executor=ExecutorChoice(name="dask-cluster", options=options))
    detail = ran(done, meeting_place=str(tmp_path))
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "COMPLETED", log
    (here,) = re.findall(r"flow in (net:.*)", log)
    there = dict(re.findall(r"task (\d) in (net:.*)", log))
    assert there.keys() == {"0", "1", "2", "3"}, log
    assert len({here, *there.values()}) == 3, log
    tasks = asyncio.run(runs.list_task_runs(stack.endpoints.prefect, detail.run.id))
    assert [each.state_type for each in tasks] == ["COMPLETED"] * 5
    eventually(lambda: empty(hosts), "nothing runs on the hosts")


def test_workers_that_do_not_reach_the_local_stack_are_refused(stack, hosts, registered, ran):
    words = ("-m", "distributed.cli.dask_worker", "--no-dashboard", "--no-nanny")
    scheduler = {"dashboard": False}
    with LocalCluster(n_workers=0, host=f"{hosts.net}.1", scheduler_kwargs=scheduler, protocol="tcp://") as cluster:
        address = cluster.scheduler_address
        worker = subprocess.Popen(["ip", "netns", "exec", hosts.namespace(0), sys.executable, *words, address])
        try:
            detail = ran(
                registered(on_hosts, executor=ExecutorChoice(name="dask-address", options={"address": address}))
            )
        finally:
            worker.terminate()
            worker.wait()
    assert detail.run.state_type == "FAILED", detail
    assert "is on another machine and cannot reach the Prefect API of the local stack" in detail.run.state_message


def test_workers_of_a_host_that_dies_go_to_another_and_nothing_is_open_to_others(hosts):
    """The last one, for the host does not come back."""
    with start_run_cluster(request=asdict(replace(ASKED, options=hosts.options))) as cluster, Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        assert client.scheduler_info()["address"].startswith("tls://")
        assert sorted(_hosts_of(client)) == hosts.addresses
        lines = hosts.processes(0) + hosts.processes(1)
        assert len(lines) > 3
        assert not [line for line in lines if "BEGIN" in line]
        assert _open_to_others(hosts) <= {"tls"}
        hosts.kill(0)
        eventually(lambda: _hosts_of(client) == [hosts.addresses[1]] * 2, "both are on the other host", 120)
        assert client.submit(sum, [1, 2]).result() == 3
    eventually(lambda: empty(hosts), "nothing runs on the hosts")


def test_hosts_take_turns_and_one_that_failed_waits():
    places = HostPlacement(("a", "b", "b"))
    assert [places.reserve_host() for _ in range(3)] == ["a", "b", "b"]
    places.release_host("a", failed=True)
    assert [places.reserve_host() for _ in range(2)] == ["b", "a"]


def _hosts_of(client):
    return [worker["host"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]


def _open_to_others(hosts):
    """What answers on each port of the first host that others reach, but for SSH: `tls` where a connection has to be that."""
    said = subprocess.run(
        ["ip", "netns", "exec", hosts.namespace(0), "ss", "-Hltn"], capture_output=True, text=True, check=True
    ).stdout
    places = [line.split()[3].rpartition(":") for line in said.splitlines()]
    ports = [int(port) for address, _, port in places if address != "127.0.0.1" and port != "22"]
    assert len(ports) >= 2
    return {_kind(hosts.addresses[0], port) for port in ports}


def _kind(address, port):
    """A server that wants TLS ends a connection that begins in another way; one of Dask's without TLS greets first."""
    import socket

    with socket.create_connection((address, port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            answer = plain.recv(64)
        except ConnectionResetError:
            answer = b""
    return "tls" if answer in (b"",) or answer[:1] == b"\x15" else f"plain: {answer!r}"
