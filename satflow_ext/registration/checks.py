"""The checks that can refuse a registration before anything is sent, from those without I/O to those that ask a service.

Flow runs of the local stack have the environment variables of the process that started the stack, and the settings file at the
time of their start. A store that is defined only in the environment of a later JupyterLab would be unknown to them, and every run
would fail.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from satflow_ext import endpoints as places
from satflow_ext import executors, lease
from satflow_ext.choices import schedules
from satflow_ext.deployments import parameter_schema
from satflow_ext.deployments.automations import check_automations
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Endpoints
from satflow_ext.environments import locked_packages
from satflow_ext.errors import InvalidExecutorOption, InvalidInfrastructure, SettingsWrong
from satflow_ext.executors import ResolvedExecutor
from satflow_ext.executors.machine_size import measure_machine
from satflow_ext.job_variables.fit import check_plain_text
from satflow_ext.models import (
    FLOW_EXECUTOR,
    ExecutorChoice,
    Finding,
    FlowTaskRunner,
    Infrastructure,
    PackedFlow,
    Registration,
)
from satflow_ext.prefect_names import check_deployment_name, check_flow_name
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.registration.worker_environment import find_run_interpreter
from satflow_ext.runs.parameter_checks import check_size
from satflow_ext.settings import GIB, LOCAL, Settings

DEFAULT_EXECUTOR = ExecutorChoice(name="threads")
"""The executor that does the same as Prefect for a flow that names no task runner."""
STORE_FIX = (
    "Define the store in satflow.toml, and restart the local stack where the environment variables of its headers are set: "
    "`satflow down`, then register again."
)


def check_choices(registration: Registration, settings: Settings, *, local: bool) -> None:
    """Make the checks that can refuse a registration before the flow is packed or anything is started for it.

    Args:
        registration: the user's choices.
        settings: worker sizes.
        local: whether runs happen on this machine.
    """
    _check_general_choices(registration, local=local)
    executors.validate_choice(registration.executor, settings, runs_locally=local)


def _check_general_choices(registration: Registration, *, local: bool) -> None:
    """Check the choices other than the executor."""
    schedules.check_schedules(registration.schedules)
    check_automations(registration, local=local)
    check_size(registration.parameters)
    for schedule in registration.schedules:
        check_size({**registration.parameters, **schedule.parameters})
    if registration.name is not None:
        check_deployment_name(registration.name)
    check_plain_text(registration.infrastructure, local=local)
    if local:
        _check_memory(registration.infrastructure)


def _check_memory(infrastructure: Infrastructure) -> None:
    """Refuse more memory for a run of this machine than it has.

    Raises:
        InvalidInfrastructure: it has less.
    """
    memory = measure_machine().memory / GIB
    if infrastructure.memory is not None and infrastructure.memory > memory:
        raise InvalidInfrastructure(
            f"This machine has {memory:.1f} GiB of memory, fewer than {infrastructure.memory:g}.",
            fix="Choose less memory.",
            field="infrastructure.memory",
        )


@dataclass(frozen=True)
class CheckedRegistration:
    """The executor of a registration that passed the checks without I/O, and warnings about problems that its runs may have."""

    executor: ResolvedExecutor
    warnings: tuple[Finding, ...]


def check_registration(
    packed: PackedFlow, registration: Registration, endpoints: Endpoints, settings: Settings
) -> CheckedRegistration:
    """Make all checks without I/O that can refuse a registration before anything is sent."""
    flow = packed.flow
    _check_general_choices(registration, local=endpoints.local)
    executor = resolve_executor(registration.executor, flow.task_runner, settings, local=endpoints.local)
    if endpoints.local:
        executor.require_packages(packed.environment.packages)
    parameter_schema.check_file_parameters(registration, flow.parameter_schema)
    for schedule in registration.schedules:
        parameter_schema.check_complete(flow.parameter_schema, {**registration.parameters, **schedule.parameters})
    check_flow_name(flow.name)
    check_deployment_name(registration.name or flow.name)
    if registration.environment == "recreate":
        locked_packages.refuse_unobtainable(packed.environment)
    replaced = find_replaced_task_runner(executor.choice, flow.task_runner, flow.variable, settings)
    return CheckedRegistration(executor, (*packed.warnings, *replaced))


async def check_services(
    packed: PackedFlow,
    registration: Registration,
    executor: ResolvedExecutor,
    endpoints: Endpoints,
    settings: Settings,
) -> None:
    """Make the checks that ask this machine, a process or a service, and can refuse a registration before anything is sent.

    Args:
        packed: the flow, which names the interpreter of local flow runs.
        registration: the user's choices.
        executor: the executor of the flow runs.
        endpoints: the store, and whether runs happen on this machine.
        settings: worker sizes, and the folders that need free space.

    Raises:
        DiskFailed: a disk of this machine is full.
        SettingsWrong: runs of the local stack could not use the store.
    `check_offer` and `check_class` list further errors.
    """
    if endpoints.local:
        await asyncio.to_thread(check_free_space, (settings.state_dir, settings.runtime_dir))
    await check_store(endpoints, settings)
    await check_offer(executor, settings)
    interpreter = find_run_interpreter(packed, registration, settings, local=endpoints.local)
    await check_class(executor, interpreter, settings, local=endpoints.local)


def resolve_executor(
    choice: ExecutorChoice, task_runner: FlowTaskRunner | None, settings: Settings, *, local: bool
) -> ResolvedExecutor:
    """Return the executor that tasks run on, with every option filled in.

    Args:
        choice: the user's choice. `FLOW_EXECUTOR` becomes the executor that does the same as the flow's task runner, and stays
            unchanged if there is none.
        task_runner: the task runner that the flow names.
        settings: worker sizes.
        local: whether runs happen on this machine.

    Raises:
        UnknownExecutor: no executor has that name. `executors.resolve_choice` lists further errors.
    """
    if choice.name == FLOW_EXECUTOR and not choice.options:
        same = (task_runner.executor if task_runner else DEFAULT_EXECUTOR) or choice
        try:
            return executors.resolve_choice(same.model_copy(update={"from_flow": True}), settings, runs_locally=local)
        except InvalidExecutorOption:  # for example more threads than the executor provides
            return executors.resolve_choice(choice.model_copy(update={"from_flow": True}), settings, runs_locally=local)
    return executors.resolve_choice(choice.model_copy(update={"from_flow": False}), settings, runs_locally=local)


def find_replaced_task_runner(
    executor: ExecutorChoice, task_runner: FlowTaskRunner | None, flow: str, settings: Settings
) -> tuple[Finding, ...]:
    """Return a warning if the executor replaces the flow's own task runner.

    Args:
        executor: the choice with every option filled in, from `resolve_executor`.
        task_runner: the task runner that the flow names.
        flow: its variable or name.
        settings: worker sizes.
    """
    if task_runner is None or executor.from_flow:
        return ()
    same = resolve_executor(ExecutorChoice(), task_runner, settings, local=False).choice
    if (same.name, same.options) == (executor.name, executor.options):
        return ()
    chosen = f"{executor.name} ({executor.arguments})" if executor.arguments else executor.name
    return (
        Finding(
            kind="task runner",
            level="warning",
            where=flow,
            message=f"runs its tasks with the executor {chosen} instead of its own {task_runner.text}",
            fix=f"Choose the executor {FLOW_EXECUTOR!r} to keep the flow's task runner.",
        ),
    )


async def check_store(endpoints: Endpoints, settings: Settings) -> None:
    """Refuse a store that flow runs of the local stack do not have, or have with another address or credential.

    Raises:
        SettingsWrong: the runs could not use the store.
    """
    store = endpoints.store
    if not endpoints.local or store.name == LOCAL:
        return
    report, record = await asyncio.to_thread(lambda: (lease.read_report(settings), places.read_record(settings)))
    if report is None or record is None:  # it was just stopped; the next request to Prefect reports that
        return
    known = report.stores.get(store.name)
    if known is None:
        raise SettingsWrong(
            f"The local stack, where the flow would run, has no store called {store.name!r}, or lacks its credential.",
            fix=STORE_FIX,
        )
    if known != places.fingerprint_store(store, record):
        raise SettingsWrong(
            f"The local stack, where the flow would run, has another address or credential for the store {store.name!r}.",
            fix=STORE_FIX,
        )


async def check_offer(executor: ResolvedExecutor, settings: Settings) -> None:
    """Refuse a cluster that the service of its provider does not offer, regardless of the machine of the runs.

    Raises:
        SizeRefused: the service does not offer that worker size; the message lists those that it offers.
        GatewayRefused: a Dask Gateway cannot separate a shared cluster from others.
        ClusterFailed: the service does not answer, or refuses the credential.
        SettingsWrong: the environment variable of its credential is not set.
    """
    if executor.provider is not None and executor.request is not None:
        await asyncio.to_thread(executor.provider.check_offer, executor.request, settings)
