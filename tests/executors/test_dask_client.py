"""The executor `dask-client`: what tasks compute with Dask runs on the flow run's own cluster, or on one that is there."""

from __future__ import annotations

import os
import re

import dask.array as da
import dask.dataframe as dd
import pandas as pd
import psutil
import pytest
from distributed import Client, LocalCluster
from prefect import flow, get_run_logger, task

import satflow_ext
from satflow_ext.errors import InvalidExecutorOption, NoDaskCluster, SizeRefused
from satflow_ext.executors import validate_choice
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings, SizeSettings
from tests.eventually import eventually
from tests.flow_runs import log_of


@task
def array(size: int) -> int:
    with satflow_ext.dask_client() as client:
        assert client.submit(os.getpid, pure=False).result() != os.getpid()
        return int(da.ones((size, size), chunks=size // 2).sum().compute())


@task
def arrays(size: int) -> int:
    """A task that waits for tasks that wait for the cluster."""
    return sum(array.map([size, size]).result())


@task
def table() -> float:
    frame = pd.DataFrame({"tile": list("abab"), "height": [1.0, 2.0, 3.0, 4.0]})
    with satflow_ext.dask_client():
        return float(dd.from_pandas(frame, npartitions=2).groupby("tile").height.mean().compute()["b"])


@flow
def crunches(fail: bool = False):
    with satflow_ext.dask_client() as client:
        workers = client.run(os.getpid).values()
    log = get_run_logger()
    log.info(f"workers {' '.join(map(str, workers))}.")
    log.info(f"arrays {arrays.map(range(10, 18, 2)).result()}, table {table()}")
    if fail:
        raise ValueError("the body failed")


@flow
async def crunches_async():
    get_run_logger().info(f"total {array(10)}")


@flow
def never():
    get_run_logger().info("the body ran")


def workers_in(log: str) -> list[int]:
    (found,) = re.findall(r"workers ([\d ]+)\.", log)
    return [int(pid) for pid in found.split()]


@pytest.mark.parametrize("fail", [False, True])
def test_tasks_compute_on_the_run_s_cluster_which_ends_with_it(stack, registered, ran, fail):
    executor = ExecutorChoice(name="dask-client", options={"n_workers": 2})
    detail = ran(registered(crunches, executor=executor), fail=fail)
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == ("FAILED" if fail else "COMPLETED"), log
    assert "arrays [200, 288, 392, 512], table 3.0" in log
    workers = workers_in(log)
    assert len(workers) == 2
    eventually(lambda: not any(map(psutil.pid_exists, workers)), "the end of the Dask workers")


def test_an_async_flow_on_a_cluster_that_is_there(stack, registered, ran):
    with LocalCluster(n_workers=1, processes=True, dashboard_address=None) as cluster:
        executor = ExecutorChoice(name="dask-client", options={"address": cluster.scheduler_address})
        detail = ran(registered(crunches_async, executor=executor))
        assert "total 100" in log_of(stack, detail.run.id)
        with Client(cluster) as client:
            assert client.submit(int, 7).result() == 7


def test_without_the_cluster_nothing_of_the_flow_runs(stack, registered, ran, closed_port):
    address = f"tcp://127.0.0.1:{closed_port}"
    detail = ran(registered(never, executor=ExecutorChoice(name="dask-client", options={"address": address})))
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "FAILED", log
    assert f"The Dask scheduler at {address} cannot be reached. Check that it is running" in detail.run.state_message
    assert "the body ran" not in log


@pytest.mark.cluster
def test_on_a_dask_worker_it_is_the_worker_s():
    def twice(number: int) -> int:
        with satflow_ext.dask_client() as client:
            return client.submit(lambda: 2 * number, pure=False).result()

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        assert client.gather(client.map(twice, range(3))) == [0, 2, 4]


def test_where_there_is_no_cluster_it_says_so():
    with pytest.raises(NoDaskCluster, match="executor dask-client"), satflow_ext.dask_client():
        pass


def test_options():
    here = Settings(worker_sizes={"huge": SizeSettings(cores=1, memory=10_000)})
    assert validate_choice(ExecutorChoice(name="dask-client"), here).options["n_workers"] == 2
    address = {"address": "tcp://scheduler.example:8786"}
    there = validate_choice(ExecutorChoice(name="dask-client", options=address), here)
    assert (there.options["n_workers"], validate_choice(there, here)) == (None, there)
    both = ExecutorChoice(name="dask-client", options={**address, "n_workers": 3})
    with pytest.raises(InvalidExecutorOption, match=r"contradict each other: .*leave out n_workers") as refused:
        validate_choice(both, here)
    assert refused.value.field == "executor.options"
    with pytest.raises(SizeRefused, match="2 workers of size 'huge'"):
        validate_choice(ExecutorChoice(name="dask-client", options={"worker_size": "huge"}), here)
