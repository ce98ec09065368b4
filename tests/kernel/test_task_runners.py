"""The flow's own task runner: which executor does the same, which one counts, and what is said of the other."""

from __future__ import annotations

import warnings

import pytest
from distributed import LocalCluster
from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect_dask import DaskTaskRunner

from satflow_ext import executors
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.executors.dask_local import start_local_cluster
from satflow_ext.kernel.task_runners import describe_task_runner
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.checks import find_replaced_task_runner, resolve_executor
from satflow_ext.settings import Settings

SETTINGS = Settings()
FLOW = ExecutorChoice()
ADDRESS = "tcp://scheduler.example:8786"


class Careful(ThreadPoolTaskRunner):
    """One of the user's own."""


SAME = [
    (None, "threads", {"max_workers": None}),
    (ThreadPoolTaskRunner, "threads", {"max_workers": None}),
    (ThreadPoolTaskRunner(), "threads", {"max_workers": None}),
    (ThreadPoolTaskRunner(max_workers=1), "threads", {"max_workers": 1}),
    (ProcessPoolTaskRunner(), "processes", {"max_workers": None}),
    (ProcessPoolTaskRunner(max_workers=3), "processes", {"max_workers": 3}),
    (DaskTaskRunner(address=ADDRESS), "dask-address", {"address": ADDRESS, "start_timeout": 300}),
    (
        DaskTaskRunner(cluster_kwargs={"n_workers": 3, "threads_per_worker": 2}),
        "dask-local",
        {"n_workers": 3, "threads_per_worker": 2, "worker_size": None},
    ),
    (
        DaskTaskRunner(cluster_class=LocalCluster, cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}),
        "dask-local",
        {"n_workers": 1, "threads_per_worker": 1, "worker_size": None},
    ),
]
OWN = [
    Careful(max_workers=1),
    ThreadPoolTaskRunner(max_workers=5000),
    ProcessPoolTaskRunner(initializer=print),
    DaskTaskRunner(address="inproc://1"),
    DaskTaskRunner(address=ADDRESS, client_kwargs={"timeout": 5}),
    DaskTaskRunner(cluster_class=start_local_cluster),
    DaskTaskRunner(cluster_kwargs={"processes": False}),
    DaskTaskRunner(adapt_kwargs={"maximum": 2}),
    DaskTaskRunner(performance_report_path="report.html"),
]


def resolved(runner: TaskRunner | type[TaskRunner] | None, choice: ExecutorChoice = FLOW) -> ExecutorChoice:
    return resolve_executor(choice, describe(runner), SETTINGS, local=True).choice


def describe(runner):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return describe_task_runner(flow(lambda: None, name="f", task_runner=runner))


@pytest.mark.parametrize(("runner", "name", "options"), SAME)
def test_the_executor_that_does_the_same(runner, name, options):
    assert resolved(runner) == ExecutorChoice(name=name, options=options, from_flow=True)


@pytest.mark.parametrize("runner", OWN)
def test_a_task_runner_that_no_executor_is_like_stays(runner):
    found = resolved(runner)
    assert found == ExecutorChoice(name="flow", from_flow=True)
    assert executors.create_task_runner(found, SETTINGS) is None


@pytest.mark.cluster
def test_a_local_cluster_has_as_many_workers_as_dask_would_start():
    options = resolved(DaskTaskRunner()).options
    with LocalCluster(dashboard_address=":0") as cluster:
        made = len(cluster.workers), cluster.new_spec["options"]["nthreads"]
    assert (options["n_workers"], options["threads_per_worker"]) == made


@pytest.mark.parametrize("runner", [ThreadPoolTaskRunner(max_workers=1), DaskTaskRunner(), Careful(max_workers=1)])
def test_another_executor_says_what_it_replaces(runner):
    own = describe(runner)
    chosen = resolved(runner, ExecutorChoice(name="processes", options={"max_workers": 2}, from_flow=True))
    assert chosen.from_flow is False
    (finding,) = find_replaced_task_runner(chosen, own, "main", SETTINGS)
    assert (
        finding.message == f"runs its tasks with the executor processes (max_workers=2) instead of its own {own.text}"
    )
    assert finding.where == "main"


@pytest.mark.parametrize(
    ("runner", "choice"),
    [
        (None, ExecutorChoice(name="processes")),
        (ThreadPoolTaskRunner(max_workers=1), FLOW),
        (ThreadPoolTaskRunner(max_workers=1), ExecutorChoice(name="threads", options={"max_workers": 1})),
        (Careful(), FLOW),
    ],
)
def test_nothing_is_said_where_nothing_is_replaced(runner, choice):
    assert find_replaced_task_runner(resolved(runner, choice), describe(runner), "main", SETTINGS) == ()


def test_what_the_flow_says_has_no_options():
    with pytest.raises(InvalidExecutorOption, match="'flow' has no option 'max_workers'") as caught:
        resolved(None, ExecutorChoice(options={"max_workers": 1}))
    assert caught.value.fix == "Choose an executor that has it."
