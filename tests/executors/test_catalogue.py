"""The catalogue: every record is whole, and every wrong choice is refused in words."""

from __future__ import annotations

import sys

import pytest

from satflow_ext import executors
from satflow_ext.errors import (
    ExtraMissing,
    InvalidExecutorOption,
    SettingsWrong,
    SizeRefused,
    UnknownExecutor,
    UnknownWorkerSize,
)
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.dask_local import DaskLocalOptions, cluster_arguments
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import GIB, GatewaySettings, Settings, SizeSettings

SETTINGS = Settings()


@pytest.mark.parametrize("name", executors.EXECUTORS)
def test_each_executor_says_what_it_is_for(name):
    info = executors.find_executor(name).to_info()
    assert info.name == name
    assert info.title
    assert info.purpose
    assert info.starts
    assert info.options_schema["type"] == "object"


def test_names_of_executors_are_unique():
    assert [each.name for each in executors.KINDS] == list(executors.EXECUTORS)


@pytest.mark.parametrize("executor", executors.KINDS, ids=lambda each: each.name)
def test_each_record_refuses_unknown_options_and_describes_its_own(executor):
    schema = executor.to_info().options_schema
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == executor.options.model_fields.keys()
    assert all(each["title"] for each in schema["properties"].values())
    assert executor.options.model_config["frozen"]


def test_executors_that_use_dask_state_it():
    names = [each.name for each in executors.KINDS if each.uses_dask]
    assert names == ["dask-local", "dask-cluster", "dask-client", "dask-address"]


@pytest.mark.parametrize("name", [*executors.EXECUTORS, "of a later version"])
@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}])
def test_options_of_another_version_do_not_fail_the_search_for_clusters(name, value):
    options = dict.fromkeys(("address", "gateway", "share", "backend"), value)
    assert executors.locate_persistent_cluster(ExecutorChoice(name=name, options=options)) is None


def test_valid_choice_comes_back_with_every_option():
    choice = executors.validate_choice(ExecutorChoice(name="dask-local", options={"n_workers": 3}), SETTINGS)
    assert choice.options == {"n_workers": 3, "threads_per_worker": None, "worker_size": None}


def test_unknown_executor_names_the_near_one():
    with pytest.raises(UnknownExecutor, match="Did you mean 'dask-local'") as caught:
        executors.validate_choice(ExecutorChoice(name="dask-locl"), SETTINGS)
    assert caught.value.field == "executor.name"


def test_unknown_option_lists_those_there_are():
    with pytest.raises(InvalidExecutorOption, match=r"has no option 'workers'.*n_workers, threads_per_worker"):
        executors.validate_choice(ExecutorChoice(name="dask-local", options={"workers": 2}), SETTINGS)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("threads", {"max_workers": 0}),
        ("processes", {"max_workers": "many"}),
        ("dask-local", {"n_workers": 0}),
        ("dask-local", {"n_workers": 2.5}),
        ("dask-local", {"threads_per_worker": -1}),
        ("dask-cluster", {"n_workers": 0}),
        ("dask-cluster", {"maximum": 0}),
        ("dask-cluster", {"maximum": 2, "minimum": 3}),
        ("dask-cluster", {"maximum": None, "minimum": 1}),
        ("dask-cluster", {"prewarm": 60, "share": "run"}),
        ("dask-cluster", {"prewarm": 601}),
        ("dask-cluster", {"prewarm": 60, "idle_timeout": 30}),
        ("dask-cluster", {"maximum": 4, "n_workers": 2}),
        ("dask-cluster", {"share": "team"}),
        ("dask-cluster", {"idle_timeout": 0}),
        ("dask-address", {}),
        ("dask-address", {"address": "scheduler.example"}),
        ("dask-address", {"address": "http://scheduler.example:8787"}),
        ("dask-address", {"address": "tcp://ann:secret@scheduler.example:8786"}),
    ],
)
def test_value_that_does_not_fit_names_the_option(name, options):
    with pytest.raises(InvalidExecutorOption) as caught:
        executors.validate_choice(ExecutorChoice(name=name, options=options), SETTINGS)
    assert caught.value.field == f"executor.options.{next(iter(options), 'address')}"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("threads", {"max_workers": "many"}, "it must be a whole number. Default: Prefect's default."),
        ("dask-local", {"n_workers": 0}, "'n_workers' of executor 'dask-local' is invalid: it must be at least 1."),
        ("dask-local", {"n_workers": True}, "it needs a value other than true or false."),
        ("dask-local", {"nworkers": 2}, "has no option 'nworkers'. Did you mean 'n_workers'? Its options are"),
        ("dask-cluster", {"idle_timeout": 10**9}, "it must be at most 604800. Seconds after which"),
        ("dask-cluster", {"share": "team"}, "it must be 'deployment' or 'run'."),
        ("dask-address", {}, "needs the option 'address'. Example: tcp://scheduler.example:8786."),
        ("dask-address", {"address": "nowhere"}, "it does not have the required format. Example: tcp://"),
        ("dask-cluster", {"backend": "ssh"}, "The options of ssh are invalid: hosts: it is missing. Write for example"),
        ("dask-cluster", {"backend": "ssh", "backend_options": {"hosts": "node1"}}, "hosts: it must be a list."),
        ("dask-cluster", {"backend": "slurm", "backend_options": {"queue": 5}}, "must be the name of a partition."),
        ("dask-cluster", {"backend": "kubernetes", "backend_options": {"image": 5}}, "must be the name of an image."),
    ],
)
def test_what_does_not_fit_is_told_in_words(name, options, said):
    with pytest.raises(InvalidExecutorOption) as caught:
        executors.validate_choice(ExecutorChoice(name=name, options=options), SETTINGS, runs_locally=False)
    assert said in str(caught.value)


@pytest.mark.parametrize(("given", "workers"), [({}, 2), ({"n_workers": 3}, 3), ({"maximum": 4}, None)])
def test_cluster_is_fixed_unless_it_is_adaptive(given, workers):
    choice = executors.validate_choice(ExecutorChoice(name="dask-cluster", options=given), SETTINGS)
    assert choice.options["n_workers"] == workers
    assert executors.validate_choice(choice, SETTINGS) == choice


def test_cluster_of_an_unknown_gateway_names_those_there_are():
    known = Settings(gateways={"team": GatewaySettings(url="https://gateway.example", credential="TEAM_TOKEN")})
    with pytest.raises(SettingsWrong, match=r"'teams'.*Configured: team") as caught:
        executors.validate_choice(ExecutorChoice(name="dask-cluster", options={"gateway": "teams"}), known)
    assert caught.value.field == "executor.options.gateway"


@pytest.mark.parametrize("package", ["dask_gateway", "dask_gateway_server"])
def test_without_dask_gateway_the_command_that_installs_it_is_told(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing, match=r"pip install 'satflow-ext\[gateway\]'"):
        executors.validate_choice(ExecutorChoice(name="dask-cluster"), SETTINGS)


def test_unknown_size_lists_those_there_are():
    choice = ExecutorChoice(name="dask-local", options={"worker_size": "huge"})
    with pytest.raises(UnknownWorkerSize, match=r"'huge'.*medium, large"):
        executors.validate_choice(choice, SETTINGS)


def test_size_above_this_machine_is_refused_with_the_numbers():
    monster = Settings(worker_sizes={"monster": SizeSettings(cores=1, memory=10_000)})
    choice = ExecutorChoice(name="dask-local", options={"n_workers": 1, "worker_size": "monster"})
    has = f"{measure_machine().memory / GIB:.1f}"
    with pytest.raises(SizeRefused, match=rf"need 10000 GiB of memory; this machine has {has} GiB"):
        executors.validate_choice(choice, monster)


def test_size_elsewhere_is_not_measured_here():
    monster = Settings(worker_sizes={"monster": SizeSettings(cores=1, memory=10_000)})
    choice = ExecutorChoice(name="dask-local", options={"n_workers": 1, "worker_size": "monster"})
    assert executors.validate_choice(choice, monster, runs_locally=False).options["worker_size"] == "monster"


def test_too_many_of_a_size_says_how_many_fit():
    with pytest.raises(SizeRefused, match=r"3 workers of size 'large' need 48 GiB.*24 GiB.*at most 1 of this size"):
        worker_sizes.check_fits("large", 3, SETTINGS, Machine(cores=2, memory=24 * GIB))


def test_size_list_says_what_is_available():
    listed = {size.name: size for size in worker_sizes.list_sizes(Machine(cores=2, memory=24 * GIB), SETTINGS)}
    assert listed["large"].available
    assert not listed["xlarge"].available
    assert listed["xlarge"].reason == "needs 32 GiB; this machine has 24 GiB"


def test_gpus_are_given_to_one_worker_where_there_are_enough():
    two = Machine(cores=64, memory=999 * GIB, gpus=2)
    worker_sizes.check_fits("g4dnxlarge", 1, SETTINGS, two)
    with pytest.raises(SizeRefused, match="2 workers of size 'g4dnxlarge' would all use the same GPUs"):
        worker_sizes.check_fits("g4dnxlarge", 2, SETTINGS, two)
    with pytest.raises(SizeRefused, match="needs 4 GPUs; this machine has 2"):
        worker_sizes.check_fits("p38xlarge", 1, SETTINGS, two)
    listed = {size.name: size for size in worker_sizes.list_sizes(two, SETTINGS)}
    assert listed["g4dnxlarge"].available
    assert listed["p38xlarge"].reason == "needs 4 GPUs; this machine has 2"
    arguments = cluster_arguments(DaskLocalOptions(n_workers=1, worker_size="g4dnxlarge"), SETTINGS)
    assert arguments["resources"] == {"GPU": 1}


def test_size_becomes_memory_limit_and_threads():
    arguments = cluster_arguments(DaskLocalOptions(n_workers=1, worker_size="medium"), SETTINGS)
    assert arguments["memory_limit"] == 4 * GIB
    assert arguments["threads_per_worker"] == 2


@pytest.mark.parametrize(
    ("choice", "runner"),
    [
        (ExecutorChoice(name="threads"), "ThreadPoolTaskRunner"),
        (ExecutorChoice(name="processes", options={"max_workers": 2}), "ProcessPoolTaskRunner"),
        (ExecutorChoice(name="dask-local"), "FastDaskTaskRunner"),
        (ExecutorChoice(name="dask-cluster"), "FastDaskTaskRunner"),
        (ExecutorChoice(name="dask-address", options={"address": "tcp://127.0.0.1:8786"}), "FastDaskTaskRunner"),
    ],
)
def test_choice_becomes_a_task_runner(choice, runner):
    assert type(executors.create_task_runner(choice, SETTINGS)).__name__ == runner
