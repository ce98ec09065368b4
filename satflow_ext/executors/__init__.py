"""The catalog of executors: the choices for running tasks, and their conversion to Prefect task runners.

To add an executor, write one module with one record, list the record in `KINDS`, and add a test. No other module asks for an
executor by its name: what differs between executors is an attribute of the record (`executor.Executor`).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.cluster_providers import ClusterProvider, ProviderRequest, find_provider
from satflow_ext.errors import ExecutorDisabled, ExtraMissing, InvalidExecutorOption, SettingsWrong, UnknownExecutor
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.dask_address import DASK_ADDRESS
from satflow_ext.executors.dask_client import DASK_CLIENT
from satflow_ext.executors.dask_cluster import DASK_CLUSTER
from satflow_ext.executors.dask_local import DASK_LOCAL
from satflow_ext.executors.executor import ClusterLocation, Executor, ExecutorOptions
from satflow_ext.executors.flow_task_runner import FLOW_TASK_RUNNER
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.executors.processes import PROCESSES
from satflow_ext.executors.ray import RAY
from satflow_ext.executors.threads import THREADS
from satflow_ext.models import ExecutorChoice, ExecutorInfo, WorkerSize
from satflow_ext.settings import Settings, SizeSettings
from satflow_ext.validation_errors import describe_error, is_standard_error

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

    from satflow_ext.executors.executor import ExecutorOptions

__all__ = [
    "EXECUTORS",
    "ResolvedExecutor",
    "build_catalog",
    "create_task_runner",
    "find_executor",
    "find_provider_request",
    "locate_persistent_cluster",
    "resolve_choice",
    "validate_choice",
]

KINDS = (FLOW_TASK_RUNNER, THREADS, PROCESSES, DASK_LOCAL, DASK_CLUSTER, DASK_CLIENT, DASK_ADDRESS, RAY)
EXECUTORS: dict[str, Executor[Any]] = {each.name: each for each in KINDS}


@dataclass(frozen=True)
class ResolvedExecutor:
    """A validated choice of an executor, with the values that registrations derive from it.

    Args:
        kind: the record of the executor.
        choice: the choice with every option filled in.
        sizes: the definitions of the worker sizes that it names.
        request: the request that flow runs make to a cluster provider; None if the executor uses no provider.
        provider: that provider.
    """

    kind: Executor[Any]
    choice: ExecutorChoice
    sizes: dict[str, SizeSettings]
    request: ProviderRequest | None
    provider: ClusterProvider | None

    def require_packages(self, installed: Container[str]) -> None:
        """Check that an environment has the packages of the executor.

        Args:
            installed: names of the distributions in the environment of flow runs.

        Raises:
            ExtraMissing: a package is missing.
        """
        lacking = sorted(each for each in self.kind.packages if each not in installed)
        if lacking:
            raise ExtraMissing(
                f"The executor {self.kind.name!r} needs {' and '.join(lacking)}, which the flow's environment does not have.",
                fix=f"Run in that environment: pip install '{self.kind.install}'.",
                field="executor.name",
            )


def build_catalog(
    settings: Settings, machine: Machine | None
) -> tuple[tuple[ExecutorInfo, ...], tuple[WorkerSize, ...]]:
    """Return the choices of the register form: the executors, and the worker sizes with their availability on a machine.

    Args:
        settings: define the sizes.
        machine: the machine of the runs; None if it is unknown here.
    """
    # The form begins with the flow's own task runner, so it is always there.
    offered = [each for each in KINDS if each is FLOW_TASK_RUNNER or each.name not in settings.disabled_executors]
    infos = tuple(each.to_info() for each in offered)
    return infos, worker_sizes.list_sizes(machine, settings)


def find_executor(name: str) -> Executor[Any]:
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


def validate_choice(choice: ExecutorChoice, settings: Settings, *, runs_locally: bool = True) -> ExecutorChoice:
    """Validate a choice and fill in the defaults of all options; arguments and errors as in `resolve_choice`."""
    return resolve_choice(choice, settings, runs_locally=runs_locally).choice


def resolve_choice(choice: ExecutorChoice, settings: Settings, *, runs_locally: bool = True) -> ResolvedExecutor:
    """Validate a choice, and derive everything that a registration needs from it.

    Args:
        choice: the executor's name and the given options.
        settings: define the worker sizes.
        runs_locally: whether runs execute on this machine, so that its size is checked.

    Raises:
        UnknownExecutor: no executor has this name.
        ExecutorDisabled: the settings disable it.
        InvalidExecutorOption: an option does not exist or has an invalid value.
        UnknownWorkerSize: no worker size has this name.
        UnknownBackEnd: no cluster provider has this name.
        SizeRefused: this machine or the cluster provider cannot provide that many workers of this size.
    """
    kind = find_executor(choice.name)
    _refuse_disabled(kind, settings)
    options = _parse_options(kind, choice)
    size = getattr(options, "worker_size", None)
    sizes = {} if size is None else {size: worker_sizes.find_size(size, settings)}
    kind.validate_options(options, settings)
    if runs_locally:
        kind.check_machine(options, settings, measure_machine())
    request = kind.provider_request(options, settings) if kind.provider_request else None
    provider = find_provider(request.backend) if request else None
    return ResolvedExecutor(
        kind, choice.model_copy(update={"options": options.model_dump(mode="json")}), sizes, request, provider
    )


def find_provider_request(choice: ExecutorChoice, settings: Settings) -> ProviderRequest | None:
    """Return the request that flow runs make to a cluster provider, or None if their executor uses no provider.

    Raises:
        UnknownExecutor: no executor has this name.
        UnknownWorkerSize: no size has this name.
    """
    executor = find_executor(choice.name)
    if executor.provider_request is None:
        return None
    return executor.provider_request(_parse_options(executor, choice), settings)


def locate_persistent_cluster(choice: ExecutorChoice) -> ClusterLocation | None:
    """Return the location of the cluster that a deployment also has between runs, or None if it has none."""
    executor = EXECUTORS.get(choice.name)
    return executor.locate_cluster(choice.options) if executor else None


def create_task_runner(choice: ExecutorChoice, settings: Settings) -> TaskRunner[Any] | None:
    """Create the Prefect task runner of a choice in the flow run, or return None to keep the flow's own."""
    executor = find_executor(choice.name)
    return executor.create_task_runner(_parse_options(executor, choice), settings)


def _refuse_disabled(kind: Executor[Any], settings: Settings) -> None:
    if unknown := sorted(set(settings.disabled_executors) - set(EXECUTORS)):
        raise SettingsWrong(
            f"disabled_executors names {unknown[0]!r}, which is not an executor.",
            fix=f"The executors are {', '.join(EXECUTORS)}.",
        )
    if kind.name in settings.disabled_executors:
        left = [name for name in EXECUTORS if name not in settings.disabled_executors]
        raise ExecutorDisabled(
            f"The executor {kind.name!r} is disabled here.",
            fix=f"Choose one of {', '.join(left)}.",
            field="executor.name",
        )


def _parse_options(executor: Executor[Any], choice: ExecutorChoice) -> ExecutorOptions:
    try:
        options: ExecutorOptions = executor.options.model_validate(choice.options)
    except ValidationError as error:
        raise to_option_error(executor.name, executor.options, error) from None
    return options


def to_option_error(executor: str, options: type[ExecutorOptions], error: ValidationError) -> InvalidExecutorOption:
    """Convert the first validation error to an error for the user.

    Args:
        executor: name of the executor.
        options: the model of its options.
        error: pydantic's error.
    """
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return InvalidExecutorOption(
            f"The options of executor {executor!r} contradict each other: {describe_error(first)}.",
            field="executor.options",
        )
    option = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown_option(executor, option, options)
    purpose, field = options.model_fields[option].description, f"executor.options.{option}"
    if first["type"] == "missing":
        return InvalidExecutorOption(
            f"The executor {executor!r} needs the option {option!r}.", fix=purpose, field=field
        )
    return InvalidExecutorOption(
        f"The option {option!r} of executor {executor!r} is invalid: {describe_error(first)}.",
        fix=purpose if is_standard_error(first) else None,  # messages of our own validators need no fix
        field=field,
    )


def _unknown_option(executor: str, option: str, options: type[ExecutorOptions]) -> InvalidExecutorOption:
    known = (
        f"Its options are {', '.join(options.model_fields)}."
        if options.model_fields
        else "Choose an executor that has it."
    )
    near = get_close_matches(option, options.model_fields, n=1)
    return InvalidExecutorOption(
        f"The executor {executor!r} has no option {option!r}.",
        fix=f"Did you mean {near[0]!r}? {known}" if near else known,
        field=f"executor.options.{option}",
    )
