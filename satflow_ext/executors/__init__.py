"""The catalog of executors: the choices for running tasks, and their conversion to Prefect task runners.

To add an executor, write one module with one record and list the record in `KINDS`.
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
    """Return the choices of the register form: the executors, and the worker sizes with their availability on a machine.

    Args:
        settings: define the sizes.
        machine: the machine of the runs; None if it is unknown here.
    """
    infos = tuple(executor.info() for executor in EXECUTORS.values())
    return infos, sizes.sizes_on(machine, settings)


def named(name: str) -> Executor[Any]:
    """Return the executor with this name.

    Raises:
        UnknownExecutor: no executor has this name.
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
    """Validate a choice and fill in the defaults of all options.

    Args:
        choice: the executor's name and the given options.
        settings: define the worker sizes.
        here: whether runs execute on this machine, so that its size is checked.

    Raises:
        UnknownExecutor: no executor has this name.
        InvalidExecutorOption: an option does not exist or has an invalid value.
        UnknownWorkerSize: no worker size has this name.
        UnknownBackEnd: no cluster provider has this name.
        SizeRefused: this machine or the cluster provider cannot provide that many workers of this size.
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
    """Check that an environment has the packages of an executor.

    Args:
        choice: the executor.
        installed: names of the distributions in the environment of flow runs.

    Raises:
        ExtraMissing: a package is missing.
    """
    executor = named(choice.name)
    lacking = sorted(each for each in executor.packages if each not in installed)
    if lacking:
        raise ExtraMissing(
            f"The executor {choice.name!r} needs {' and '.join(lacking)}, which the flow's environment does not have.",
            fix=f"Run in that environment: pip install '{executor.install}'.",
            field="executor.name",
        )


def sizes_of(choice: ExecutorChoice, settings: Settings) -> dict[str, SizeSettings]:
    """Return the definitions of the worker sizes that a choice names.

    Raises:
        UnknownWorkerSize: no size has this name.
    """
    name = choice.options.get("worker_size")
    return {name: sizes.named(name, settings)} if isinstance(name, str) else {}


def task_runner(choice: ExecutorChoice, settings: Settings) -> TaskRunner[Any] | None:
    """Create the Prefect task runner of a choice in the flow run, or return None to keep the flow's own."""
    executor = named(choice.name)
    return executor.task_runner(_options(executor, choice), settings)


def _options(executor: Executor[Any], choice: ExecutorChoice) -> Options:
    try:
        options: Options = executor.options.model_validate(choice.options)
    except ValidationError as error:
        raise first_mistake(executor.name, executor.options, error) from None
    return options
