"""The task runner on a real Dask cluster, with a real Prefect server: semantics, and what travels how often."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from distributed import Client, get_worker
from prefect import allow_failure, flow, get_run_logger, runtime, tags, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TaskRunResult
from prefect.futures import as_completed, wait

from satflow_ext.dask_tasks.runner import FastDaskTaskRunner
from tests.dask_tasks.task_runs import task_runs
from tests.eventually import eventually
from tests.flow_runs import log_of


@pytest.fixture
def runner(api, cluster):
    return FastDaskTaskRunner(address=cluster.scheduler_address)


def test_tasks_are_prefects(runner, stack, tmp_path):  # noqa: C901  # many small tasks
    """Retries, caching, timeouts, hooks, tags, limits, prints, failures, `wait_for`, async: one run of all of them."""
    with get_client(sync_client=True) as client:
        client._client.post(
            "/v2/concurrency_limits/", json={"name": "tag:alone", "limit": 1, "active": True}
        ).raise_for_status()

    def mark(name):
        (tmp_path / f"{name}-{uuid4().hex}").touch()

    def marks(name):
        return len(list(tmp_path.glob(f"{name}-*")))

    @task(retries=2, on_completion=[lambda *_: mark("hook")])
    def third_time():
        mark("attempt")
        if marks("attempt") < 3:
            raise ValueError("not yet")
        return "at last"

    @task(cache_policy=INPUTS, persist_result=True)
    def kept(x):
        mark("kept")
        return x

    @task(timeout_seconds=0.2)
    async def too_slow():
        await asyncio.sleep(60)

    @task(log_prints=True)
    def speaks():
        print("said by print")  # noqa: T201  # it is about prints
        get_run_logger().info("said by a logger")

    @task(tags=["alone"])
    def alone(number):
        mark("alone-now")
        time.sleep(0.2)
        together = marks("alone-now")
        for each in tmp_path.glob("alone-now-*"):
            each.unlink()
        return together

    @task
    async def added(x, y):
        return x + y

    @task
    def fails():
        raise KeyError("no such thing")

    @task
    def after(upstream):
        return type(upstream).__name__

    @task(task_run_name="named-by-{x}")
    def named(x, others=()):
        return runtime.task_run.tags

    def ended(future):
        future.wait()
        return future.state.name

    @flow(task_runner=runner)
    def everything():
        retried = third_time.submit()
        first = kept.submit(str(tmp_path))
        again = kept.submit(str(tmp_path), wait_for=[first])
        slow, failed = too_slow.submit(), fails.submit()
        speaks.submit().wait()
        limited = alone.map(range(3))
        total = added.submit(added.submit(1, 2), 3)
        never, nonetheless = after.submit(failed), after.submit(allow_failure(failed))
        with tags("by-hand"):
            tagged = named.submit("hand", others=[total, {"deep": [total]}])
        done, pending = wait([retried, slow, never], timeout=60)
        assert (len(done), len(pending)) == (3, 0)
        assert {future.task_run_id for future in as_completed([total, again])} == {total.task_run_id, again.task_run_id}
        return {
            "retried": retried.result(),
            "again": ended(again),
            "slow": ended(slow),
            "failed": repr(failed.result(raise_on_failure=False)),
            "limited": limited.result(),
            "total": total.result(),
            "never": ended(never),
            "nonetheless": nonetheless.result(),
            "tagged": tagged.result(),
            "run": runtime.flow_run.id,
        }

    got = everything()
    run_id = got.pop("run")
    assert got == {
        "retried": "at last",
        "again": "Cached",
        "slow": "TimedOut",
        "failed": "KeyError('no such thing')",
        "limited": [1, 1, 1],
        "total": 6,
        "never": "NotReady",
        "nonetheless": "KeyError",
        "tagged": ["by-hand"],
    }
    assert (marks("attempt"), marks("hook"), marks("kept")) == (3, 1, 1)
    rows = task_runs(run_id, 14)
    assert rows["third_time"].run_count == 3
    assert rows["named-by"].tags == ["by-hand"]
    (total,) = {each.id for each in rows["named-by"].task_inputs["others"] if isinstance(each, TaskRunResult)}
    assert rows["added"].state.is_completed()
    log = log_of(stack, run_id)
    assert "said by print" in log
    assert "said by a logger" in log
    assert "Finished in state Cached" in log
    assert total


class Here:
    """Stays where it is when a flow that uses it travels."""

    def __init__(self, cluster=None):
        self.cluster = cluster

    def __reduce__(self):
        return object, ()


def test_context_and_captured_data_travel_once_and_go(runner, cluster):
    captured = os.urandom(1_000_000)

    @task
    def where(number, same):
        time.sleep(0.05)
        return get_worker().address, len(captured), len(same)

    here = Here(cluster)

    @flow(task_runner=runner)
    def spread():
        places = {place for place, *sizes in where.map(range(8), unmapped("ab")).result() if sizes == [1_000_000, 2]}
        here.cluster.scale(3)  # a worker that joins now has to be given what the others have
        here.cluster.wait_for_workers(3)
        large = os.urandom(500_000)
        more = {
            place for place, *sizes in where.map(range(30), unmapped(large)).result() if sizes == [1_000_000, 500_000]
        }
        up = [name for name in here.cluster.scheduler.worker_plugins if name.startswith("satflow-")]
        once = [key for key in here.cluster.scheduler.tasks if str(key).startswith("satflow-code-")]
        here.cluster.scale(2)
        return len(places), len(more), len(up), len(once)

    assert spread() == (2, 3, 1, 1)
    with Client(cluster) as client:
        assert not [name for name in cluster.scheduler.worker_plugins if name.startswith("satflow-")]
        left = client.run(lambda dask_worker: [name for name in dask_worker.plugins if name.startswith("satflow-")])
        assert not any(left.values())
        assert not [name for name in cluster.scheduler.plugins if name.startswith("satflow-")]


def test_tasks_wait_for_tasks_on_the_only_threads(runner):
    @task
    def leaf(x):
        return x

    @flow
    def inner(x):
        return leaf.submit(x).result()

    @task
    def parent(x):
        return sum(leaf.map([x, x + 1, x + 2]).result()) + (inner(x) if x < 2 else x)

    @flow(task_runner=runner)
    def nested():
        return parent.map(range(3)).result()

    assert nested() == [4 * x + 3 for x in range(3)]


KILLED = """
import os, sys, time
from prefect import flow, task
from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

@task
def noop(): pass

@flow(task_runner=FastDaskTaskRunner(address=sys.argv[1]))
def killed():
    noop.submit().wait()
    print("up", flush=True)
    time.sleep(300)

killed()
"""


def test_nothing_stays_on_the_cluster_of_a_run_that_was_killed(api, cluster):
    environment = {**os.environ, "PREFECT_API_URL": api.url, "PREFECT_API_AUTH_STRING": api.auth_string}
    command = [sys.executable, "-c", KILLED, cluster.scheduler_address]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "up\n"
        assert [name for name in cluster.scheduler.worker_plugins if name.startswith("satflow-")]
        run.send_signal(signal.SIGKILL)
    eventually(lambda: not [name for name in cluster.scheduler.worker_plugins if name.startswith("satflow-")])
    eventually(lambda: not [name for name in cluster.scheduler.plugins if name.startswith("satflow-")])


def test_a_cluster_without_this_package_runs_tasks_as_prefect_does(api, stack, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "without")}
    file = tmp_path / "scheduler.json"

    def start(module, *options):
        return subprocess.Popen(
            [sys.executable, "-m", module, "--scheduler-file", str(file), *options], env=environment
        )

    @task
    def has_it():
        import importlib.util

        try:
            return importlib.util.find_spec("satflow_ext") is not None
        except ModuleNotFoundError:
            return False

    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    worker = start("distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    try:
        with Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            address = client.scheduler.address

        @flow(task_runner=FastDaskTaskRunner(address=address))
        def elsewhere():
            return has_it.submit().result(), runtime.flow_run.id

        had, run_id = elsewhere()
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    assert had is False
    assert run_id


def _undelivered():
    from prefect._internal.concurrency.services import _QueueServiceBase

    return [type(each).__name__ for each in _QueueServiceBase._instances.values()]


def test_a_failure_is_known_while_others_run_and_nothing_is_left_untold(runner, cluster, tmp_path):
    """The slow task ends only after the flow has heard of the other's failure."""
    may_end = tmp_path / "may-end"

    @task
    def mapped(number):
        if number == 1:
            raise ValueError("the second one")
        while not may_end.exists():
            time.sleep(0.05)
        return number

    @flow(task_runner=runner)
    def fails_early():
        futures = mapped.map(range(3))
        with pytest.raises(ValueError, match="the second one"):
            futures.result()
        may_end.touch()
        futures.wait()
        first, failed, third = futures.result(raise_on_failure=False)
        return first, str(failed), third

    assert fails_early() == (0, "the second one", 2)
    with Client(cluster.scheduler_address) as client:
        assert list(client.run(_undelivered).values()) == [[], []]


def test_a_worker_that_closes_while_the_flow_ends_does_not_fail_it(runner, cluster):
    """A closing worker removes its plugins itself."""

    def remove_plugins(dask_worker):
        for name in [each for each in dask_worker.plugins if each.startswith("satflow-")]:
            del dask_worker.plugins[name]

    @task
    def double(number):
        return 2 * number

    here = Here(cluster)

    @flow(task_runner=runner)
    def ends():
        doubled = double.map(range(4)).result()
        with Client(here.cluster) as client:
            client.run(remove_plugins)
        return doubled

    assert ends() == [0, 2, 4, 6]
