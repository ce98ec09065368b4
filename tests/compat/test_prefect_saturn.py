"""`satflow_ext.compat.prefect_saturn`: what arguments become, which are refused and in which words, and what is registered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prefect import flow

from satflow_ext import executors
from satflow_ext.compat import saturn_cluster
from satflow_ext.compat.prefect_saturn import PrefectCloudIntegration, describe_sizes
from satflow_ext.deployments import queries
from satflow_ext.errors import BadRequest, InvalidExecutorOption, UnknownWorkerSize
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel


@flow
def squares(count: int = 3):
    return [number * number for number in range(count)]


# --- what becomes of the arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cluster", "adapt", "options"),
    [
        ({}, None, {}),
        ({"n_workers": 3}, None, {"n_workers": 3}),
        ({"n_workers": 3}, {}, {"n_workers": 3}),
        ({"n_workers": 3, "worker_size": "medium"}, None, {"n_workers": 3, "worker_size": "medium"}),
        ({"nthreads": 2}, None, {"threads_per_worker": 2}),
        ({"n_workers": 4, "nthreads": None, "scheduler_size": None, "worker_size": None}, None, {"n_workers": 4}),
        ({"n_workers": 8, "autoclose": True}, None, {"n_workers": 8}),
        ({"shutdown_on_close": True, "nprocs": 1, "worker_is_spot": False}, None, {}),
        ({}, {"minimum": 3, "maximum": 3}, {"n_workers": 3}),
        ({"n_workers": 3}, {"minimum": 3, "maximum": 3}, {"n_workers": 3}),
    ],
)
def test_arguments_become_a_cluster_on_this_machine(cluster, adapt, options):
    choice = saturn_cluster.convert_executor(cluster, adapt)
    assert choice == ExecutorChoice(name="dask-local", options=options)
    executors.validate_choice(choice, Settings(), runs_locally=False)  # has these options


@pytest.mark.parametrize(
    ("cluster", "adapt", "options"),
    [
        ({"n_workers": 3, "autoclose": False}, None, {"n_workers": 3, "share": "deployment"}),
        ({"shutdown_on_close": False}, {"minimum": 2, "maximum": 2}, {"n_workers": 2, "share": "deployment"}),
        ({}, {"minimum": 1, "maximum": 4}, {"minimum": 1, "maximum": 4, "share": "run"}),
        (
            {"worker_size": "medium", "autoclose": False},
            {"minimum": 0, "maximum": 4},
            {"worker_size": "medium", "minimum": 0, "maximum": 4, "share": "deployment"},
        ),
    ],
)
def test_clusters_that_stay_or_follow_the_work_are_a_gateways(cluster, adapt, options):
    choice = saturn_cluster.convert_executor(cluster, adapt)
    assert choice == ExecutorChoice(name="dask-cluster", options=options)
    executors.validate_choice(choice, Settings(), runs_locally=False)


def test_no_threads_are_counted_on_a_gateway():
    with pytest.raises(InvalidExecutorOption, match="nthreads") as caught:
        saturn_cluster.convert_executor({"nthreads": 2, "autoclose": False}, None)
    assert caught.value.field == "dask_cluster_kwargs.nthreads"


@pytest.mark.parametrize("adapt", [None, {}])
def test_no_arguments_become_threads(adapt):
    assert saturn_cluster.convert_executor(None, adapt) == ExecutorChoice(name="threads")


def test_arguments_are_left_as_they_are():
    cluster, adapt = {"nthreads": 2, "autoclose": True}, {"minimum": 2, "maximum": 2}
    saturn_cluster.convert_executor(cluster, adapt)
    assert (cluster, adapt) == ({"nthreads": 2, "autoclose": True}, {"minimum": 2, "maximum": 2})


# --- what is refused ------------------------------------------------------------------------------------------------------

CLUSTER = [
    ("n_wrokers", 3, "no argument 'n_wrokers'", "Did you mean 'n_workers'?"),
    ("image", "x", "no argument 'image'", "It takes n_workers, nthreads, worker_size."),
    ("scheduler_size", "medium", "has no separate size", "Leave it out"),
    ("nprocs", 4, "a Dask worker is one process", "multiply n_workers by it"),
    ("autoclose", "no", "are 'no'", "True or False"),
    ("worker_is_spot", True, "on the machine of the flow run", "Leave it out"),
    ("scheduler_service_wait_timeout", 60, "starts in seconds", "Leave it out"),
    ("cluster_url", "https://x", "identified by its address", 'executor="dask-address"'),
    ("external_connection", True, "on the machine of the flow run", 'executor="dask-address"'),
    ("n_workers", [3], "is a list", "plain number or text"),
]


@pytest.mark.parametrize(("name", "value", "reason", "fix"), CLUSTER)
def test_argument_of_a_cluster_that_is_refused(name, value, reason, fix):
    with pytest.raises(InvalidExecutorOption) as caught:
        saturn_cluster.convert_executor({"n_workers": 2, name: value}, None)
    assert caught.value.field == f"dask_cluster_kwargs.{name}"
    assert name in caught.value.message
    assert reason in caught.value.message
    assert fix in caught.value.fix


ADAPTING = [
    (None, {"minimum": 1, "maximum": 1}, "given without dask_cluster_kwargs", "or give dask_cluster_kwargs={}"),
    ({"n_workers": 2}, {"minimum": 1, "maximum": 4}, "for 2 workers and dask_adapt_kwargs for 1 to 4", "Give it once"),
    ({}, {"minimum": 1}, "has no maximum", "Give both"),
    ({}, {"maximum": 1, "minimum": None}, "has no minimum", "Give both"),
    ({}, {"minimun": 1}, "no argument 'minimun'", "Did you mean 'minimum'?"),
    ({}, {"interval": "1s"}, "no argument 'interval'", "It takes minimum, maximum."),
    ({"n_workers": 8}, {"minimum": 3, "maximum": 3}, "for 8 workers and dask_adapt_kwargs for 3", "Give it once"),
    ({}, 3, "is a int", "Give a dictionary"),
]


@pytest.mark.parametrize(("cluster", "adapt", "reason", "fix"), ADAPTING)
def test_adapting_that_is_refused(cluster, adapt, reason, fix):
    with pytest.raises(InvalidExecutorOption) as caught:
        saturn_cluster.convert_executor(cluster, adapt)
    assert caught.value.field.startswith("dask_adapt_kwargs")
    assert reason in caught.value.message
    assert fix in caught.value.fix


def test_what_is_no_dictionary():
    with pytest.raises(InvalidExecutorOption, match=r"dask_cluster_kwargs is a list\. Give a dictionary\."):
        saturn_cluster.convert_executor(["n_workers"], None)


def test_what_address_is_advised_for_is_an_executor():
    """The way out that refusals name exists."""
    executors.validate_choice(ExecutorChoice(name="dask-address", options={"address": "tls://a:1"}), Settings())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"instance_size": "large"}, "instance_size cannot be applied"),
        ({"dask_cluster_kwargs": {"n_workers": 0}}, "option 'n_workers' of executor 'dask-local' is invalid"),
        (
            {"dask_cluster_kwargs": {"nthreads": "many"}},
            "option 'threads_per_worker' of executor 'dask-local' is invalid",
        ),
    ],
)
def test_refused_before_anything_is_started(monkeypatch, arguments, message):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")  # nobody is asked
    with pytest.raises(BadRequest, match=message):
        PrefectCloudIntegration("test-project").register_flow_with_saturn(squares, **arguments)


def test_unknown_size_lists_those_there_are():
    with pytest.raises(UnknownWorkerSize, match=r"'gpu'.*Choose one of medium, large, xlarge"):
        PrefectCloudIntegration("x").register_flow_with_saturn(squares, dask_cluster_kwargs={"worker_size": "gpu"})


@pytest.mark.parametrize("project", [None, 7])
def test_project_name_must_be_text(project):
    with pytest.raises(BadRequest, match="it becomes the deployment's name"):
        PrefectCloudIntegration(project).register_flow_with_saturn(squares)


@pytest.mark.parametrize("project", ["", "team/x"])
def test_project_name_that_names_no_deployment(project):
    with pytest.raises(BadRequest, match="is not a valid deployment name"):
        PrefectCloudIntegration(project).register_flow_with_saturn(squares)


def test_unknown_argument_is_pythons_own_mistake():
    with pytest.raises(TypeError, match="cron"):
        PrefectCloudIntegration("x").register_flow_with_saturn(squares, cron="0 6 * * *")


# --- sizes ----------------------------------------------------------------------------------------------------------------


def test_sizes_read_as_they_did():
    sizes = describe_sizes()
    assert sizes["medium"] == "Medium - 2 cores - 4 GB RAM"
    assert sizes["xlarge"] == "XLarge - 4 cores - 32 GB RAM"
    assert sizes["16xlarge"] == "16XLarge - 64 cores - 512 GB RAM"
    assert sizes["p38xlarge"] == "p38xlarge - 32 cores - 244 GB RAM - 4 GPU"
    assert list(sizes) == list(Settings().worker_sizes)


def test_sizes_of_the_settings(monkeypatch):
    monkeypatch.setenv("SATFLOW_WORKER_SIZES", '{"tiny": {"cores": 1, "memory": 0.5}}')
    assert describe_sizes() == {"tiny": "Tiny - 1 core - 0.5 GB RAM"}


# --- a real registration --------------------------------------------------------------------------------------------------

CELL = """
import os
os.environ["SATFLOW_WORKER_SIZES"] = '{"tiny": {"cores": 1, "memory": 0.5}}'
from prefect import flow
from satflow_ext.compat.prefect_saturn import PrefectCloudIntegration
@flow(name="saturn")
def main(n: int = 1):
    return n
integration = PrefectCloudIntegration(prefect_cloud_project_name="test-project")
def register(**arguments):
    return integration.register_flow_with_saturn(flow=main, **arguments) is main
"""


def test_registers_under_the_projects_name_and_gives_the_same_flow(module_kernel: Kernel, stack):
    module_kernel.run(CELL)
    assert "Version:    1, registered" in printed(module_kernel, "assert register()")
    found = asyncio.run(queries.find_deployment(stack.endpoints, "saturn/test-project"))
    assert (found.executor.name, found.tags) == ("threads", ("test-project",))
    assert "unchanged" in printed(module_kernel, "assert register()")
    cluster = "dask_cluster_kwargs={'n_workers': 2, 'nthreads': 3, 'worker_size': 'tiny'}"
    assert "Version:    2, changed" in printed(module_kernel, f"assert register({cluster})")
    found = asyncio.run(queries.find_deployment(stack.endpoints, "saturn/test-project"))
    options = {"n_workers": 2, "threads_per_worker": 3, "worker_size": "tiny"}
    assert found.executor == ExecutorChoice(name="dask-local", options=options)


def test_another_project_is_another_deployment(module_kernel: Kernel, stack):
    module_kernel.run(CELL.replace("test-project", "other-project"))
    assert "saturn/other-project" in printed(module_kernel, "register()")
    found = asyncio.run(queries.find_deployment(stack.endpoints, "saturn/test-project"))
    assert found.executor.name == "dask-local", "left alone"


def printed(kernel: Kernel, cell: str) -> str:
    messages = [message["content"] for message in kernel.run(cell) if message["msg_type"] == "stream"]
    return "".join(content["text"] for content in messages if content["name"] == "stdout")
