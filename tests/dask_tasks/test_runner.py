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


@pytest.fixture
def marks(tmp_path):
    """Two functions, for tasks in any process: one leaves a mark of a name, the other counts the marks of a name."""

    def mark(name):
        (tmp_path / f"{name}-{uuid4().hex}").touch()

    def count(name):
        return len(list(tmp_path.glob(f"{name}-*")))

    return mark, count


def test_a_task_is_retried_and_its_hook_is_called_once(runner, marks):
    mark, count = marks

    @task(retries=2, on_completion=[lambda *_: mark("hook")])
    def third_time():
        mark("attempt")
        if count("attempt") < 3:
            raise ValueError("not yet")
        return "at last"

    @flow(task_runner=runner)
    def retries():
        return third_time.submit().result(), runtime.flow_run.id

    said, run_id = retries()
    assert said == "at last"
    assert (count("attempt"), count("hook")) == (3, 1)
    assert task_runs(run_id, 1)["third_time"].run_count == 3


def test_a_kept_result_is_used_again_and_what_tasks_say_is_logged(runner, stack, marks, tmp_path):
    mark, count = marks

    @task(cache_policy=INPUTS, persist_result=True)
    def kept(x):
        mark("kept")
        return x

    @task(log_prints=True)
    def speaks():
        print("said by print")  # noqa: T201  # it is about prints
        get_run_logger().info("said by a logger")

    @flow(task_runner=runner)
    def keeps():
        first = kept.submit(str(tmp_path))
        again = kept.submit(str(tmp_path), wait_for=[first])
        speaks.submit().wait()
        again.wait()
        return again.state.name, runtime.flow_run.id

    state, run_id = keeps()
    assert (state, count("kept")) == ("Cached", 1)
    log = log_of(stack, run_id)
    assert "said by print" in log
    assert "said by a logger" in log
    assert "Finished in state Cached" in log


def test_a_limit_holds_for_the_tasks_of_a_tag(runner, marks, tmp_path):
    with get_client(sync_client=True) as client:
        client._client.post(
            "/v2/concurrency_limits/", json={"name": "tag:alone", "limit": 1, "active": True}
        ).raise_for_status()
    mark, count = marks

    @task(tags=["alone"])
    def alone(number):
        mark("alone-now")
        time.sleep(0.2)
        together = count("alone-now")
        for each in tmp_path.glob("alone-now-*"):
            each.unlink()
        return together

    @flow(task_runner=runner)
    def limited():
        return alone.map(range(3)).result()

    assert limited() == [1, 1, 1]


def test_a_failure_and_a_timeout_are_told_to_the_tasks_after_them(runner):
    @task
    def succeeds():
        return "at last"

    @task
    def fails():
        raise KeyError("no such thing")

    @task(timeout_seconds=0.2)
    async def too_slow():
        await asyncio.sleep(60)

    @task
    def after(upstream):
        return type(upstream).__name__

    @flow(task_runner=runner)
    def goes_on():
        succeeded, slow, failed = succeeds.submit(), too_slow.submit(), fails.submit()
        never, nonetheless = after.submit(failed), after.submit(allow_failure(failed))
        done, pending = wait([succeeded, slow, never], timeout=60)
        assert (len(done), len(pending)) == (3, 0)
        slow.wait()
        never.wait()
        return {
            "slow": slow.state.name,
            "failed": repr(failed.result(raise_on_failure=False)),
            "never": never.state.name,
            "nonetheless": nonetheless.result(),
        }

    assert goes_on() == {
        "slow": "TimedOut",
        "failed": "KeyError('no such thing')",
        "never": "NotReady",
        "nonetheless": "KeyError",
    }


def test_results_of_async_tasks_tags_and_inputs_are_known(runner):
    @task
    async def added(x, y):
        return x + y

    @task(task_run_name="named-by-{x}")
    def named(x, others=()):
        return runtime.task_run.tags

    @flow(task_runner=runner)
    def adds():
        first = added.submit(1, 2)
        total = added.submit(first, 3)
        with tags("by-hand"):
            tagged = named.submit("hand", others=[total, {"deep": [total]}])
        assert {each.task_run_id for each in as_completed([total, first])} == {total.task_run_id, first.task_run_id}
        return total.result(), tagged.result(), runtime.flow_run.id

    total, tagged, run_id = adds()
    assert (total, tagged) == (6, ["by-hand"])
    rows = task_runs(run_id, 3)
    assert rows["named-by"].tags == ["by-hand"]
    (upstream,) = {each.id for each in rows["named-by"].task_inputs["others"] if isinstance(each, TaskRunResult)}
    assert upstream
    assert rows["added"].state.is_completed()


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
