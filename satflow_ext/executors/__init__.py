"""The catalogue of executors: a user's choice of how tasks run, and the Prefect task runner that it becomes.

Adding one is one module with one record, and its place in `EXECUTORS`.
"""

from __future__ import annotations

from collections.abc import Container
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.errors import ExtraMissing, UnknownExecutor
from satflow_ext.executors import sizes
from satflow_ext.executors.base import Executor, Options
from satflow_ext.executors.dask_address import DASK_ADDRESS
from satflow_ext.executors.dask_client import DASK_CLIENT
from satflow_ext.executors.dask_cluster import DASK_CLUSTER
from satflow_ext.executors.dask_local import DASK_LOCAL
from satflow_ext.executors.flow_task_runner import FLOW_TASK_RUNNER
from satflow_ext.executors.machine_size import Machine, this_machine
from satflow_ext.executors.option_errors import first_mistake
from satflow_ext.executors.processes import PROCESSES
from satflow_ext.executors.ray import RAY
from satflow_ext.executors.threads import THREADS
from satflow_ext.models import ExecutorChoice, ExecutorInfo, WorkerSize
from satflow_ext.settings import Settings, SizeSettings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

__all__ = ["EXECUTORS", "catalogue", "named", "need_packages", "sizes_of", "task_runner", "validate"]

KINDS = (FLOW_TASK_RUNNER, THREADS, PROCESSES, DASK_LOCAL, DASK_CLUSTER, DASK_CLIENT, DASK_ADDRESS, RAY)
EXECUTORS: dict[str, Executor[Any]] = {each.name: each for each in KINDS}


def catalogue(settings: Settings, machine: Machine | None) -> tuple[tuple[ExecutorInfo, ...], tuple[WorkerSize, ...]]:
    """What the register form offers: the executors, and the worker sizes as the machine of runs can give them.

    Args:
        settings: the sizes.
        machine: None where it is not known here.
    """
    infos = tuple(executor.info() for executor in EXECUTORS.values())
    return infos, sizes.sizes_on(machine, settings)


def named(name: str) -> Executor[Any]:
    """The executor of that name.

    Raises:
        UnknownExecutor: there is none.
    """
    if name in EXECUTORS:
        return EXECUTORS[name]
    near = get_close_matches(name, EXECUTORS, n=1)
    raise UnknownExecutor(
        f"No executor is called {name!r}.",
        fix=f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(EXECUTORS)}.",
        field="executor.name",
    )


def validate(choice: ExecutorChoice, settings: Settings, *, here: bool = True) -> ExecutorChoice:
    """The choice with every option filled in.

    Args:
        choice: the executor's name and the options that were given.
        settings: for the worker sizes.
        here: whether runs happen on this machine, so that its size counts.

    Raises:
        UnknownExecutor: no executor has that name.
        InvalidExecutorOption: it has no such option, or not with that value.
        UnknownWorkerSize: no worker size has that name.
        UnknownBackEnd: no back end has that name.
        SizeRefused: this machine, or the back end, cannot give that size that many times.
    """
    executor = named(choice.name)
    options = _options(executor, choice)
    size = getattr(options, "worker_size", None)
    if size is not None:
        sizes.named(size, settings)
    executor.refuse(options, settings)
    if here:
        executor.check(options, settings, this_machine())
    return choice.model_copy(update={"options": options.model_dump(mode="json")})


def need_packages(choice: ExecutorChoice, installed: Container[str]) -> None:
    """Refuse an executor that an environment has not what it takes for.

    Args:
        choice: the executor.
        installed: names of the distributions in the environment of flow runs.

    Raises:
        ExtraMissing: some are not there.
    """
    executor = named(choice.name)
    lacking = sorted(each for each in executor.packages if each not in installed)
    if lacking:
        raise ExtraMissing(
            f"The executor {choice.name!r} needs {' and '.join(lacking)}, which the flow's environment does not have.",
            fix=f"Install it there: pip install '{executor.install}'.",
            field="executor.name",
        )


def sizes_of(choice: ExecutorChoice, settings: Settings) -> dict[str, SizeSettings]:
    """The worker sizes that a choice names, with what the names mean here.

    Raises:
        UnknownWorkerSize: no size has the name.
    """
    name = choice.options.get("worker_size")
    return {name: sizes.named(name, settings)} if isinstance(name, str) else {}


def task_runner(choice: ExecutorChoice, settings: Settings) -> TaskRunner[Any] | None:
    """The Prefect task runner that the choice becomes, made where the flow runs; None where the flow's own stays."""
    executor = named(choice.name)
    return executor.task_runner(_options(executor, choice), settings)


def _options(executor: Executor[Any], choice: ExecutorChoice) -> Options:
    try:
        options: Options = executor.options.model_validate(choice.options)
    except ValidationError as error:
        raise first_mistake(executor.name, executor.options, error) from None
    return options
