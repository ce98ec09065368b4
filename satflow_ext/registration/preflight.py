"""Findings that are added to the kernel's pre-flight report: about the choices, and from a real load of the flow content."""

from __future__ import annotations

import asyncio

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import CannotPickle, PrefectFailed, SatflowError, SettingsWrong
from satflow_ext.models import Finding, PackedFlow, Preflight, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import worker_environment
from satflow_ext.registration.checks import check_choices, find_replaced_task_runner, resolve_executor
from satflow_ext.registration.clean_process import load_in_clean_process
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.registration.draft import find_work_pool, resolve_job_variables
from satflow_ext.settings import Settings


def add_choice_findings(report: Preflight, registration: Registration, settings: Settings) -> Preflight:
    """Add to the report the executor that replaces the flow's task runner, or the first choice that registering would refuse.

    Args:
        report: the kernel's report.
        registration: the user's choices.
        settings: worker sizes, and whether runs happen on this machine.
    """
    try:
        local = settings.prefect_api_url is None
        check_choices(registration, settings, local=local)
        executor = resolve_executor(registration.executor, report.task_runner, settings, local=local)
    except SatflowError as error:
        return _add_findings(report, Finding.from_error(error, "choice", error.field or "registration"))
    return _add_findings(report, *find_replaced_task_runner(executor.choice, report.task_runner, report.flow, settings))


async def add_work_pool_findings(report: Preflight, registration: Registration, settings: Settings) -> Preflight:
    """Add to the report why the work pool could not start runs of the flow, according to its base job template.

    Nothing is started for this check. If Prefect does not answer, nothing is added.

    Args:
        report: the kernel's report.
        registration: the user's choices.
        settings: define the Prefect API.
    """
    try:
        where = await asyncio.to_thread(find_running_endpoints, settings)
        if where is None:
            return report
        async with prefect_client(where.prefect) as client:
            resolve_job_variables(await find_work_pool(client, registration.work_pool or where.work_pool), registration)
    except (PrefectFailed, SettingsWrong):
        return report
    except SatflowError as error:
        return _add_findings(report, Finding.from_error(error, "choice", error.field or "work_pool"))
    return report


async def add_clean_load(
    report: Preflight, packed: PackedFlow, registration: Registration, settings: Settings
) -> Preflight:
    """Add to the report how long a clean process took to load the flow, or why it failed.

    Args:
        report: the kernel's report.
        packed: the flow.
        registration: the user's choices.
        settings: define the Python that loads it if runs happen elsewhere; then its missing packages are reported as well.
    """
    report = await _add_cluster_findings(report, packed, registration, settings)
    python = worker_environment.remote_run_interpreter(registration, settings)
    if python is None:
        return await _add_load_result(report, packed, packed.environment.executable)
    try:
        interpreter_report = await worker_environment.inspect_interpreter(python)
    except SettingsWrong as error:
        return _add_findings(report, Finding.from_error(error, "python", "runs_python"))
    found = _add_findings(report, *worker_environment.find_environment_problems(packed, interpreter_report))
    return await _add_load_result(found, packed, str(python)) if interpreter_report.can_read(packed) else found


def find_running_endpoints(settings: Settings) -> Endpoints | None:
    """Return the endpoints of Prefect, or None if it does not run or does not answer."""
    if lease.read_status(settings).state != "ready":
        return None
    return endpoints.resolve_endpoints(settings, endpoints.read_record(settings))


async def _add_cluster_findings(
    report: Preflight, packed: PackedFlow, registration: Registration, settings: Settings
) -> Preflight:
    """Add to the report why the cluster could not be created. Invalid choices are in the report already."""
    local = settings.prefect_api_url is None
    try:
        check_choices(registration, settings, local=local)
        executor = resolve_executor(registration.executor, packed.flow.task_runner, settings, local=local)
    except SatflowError:
        return report
    try:
        if local:
            executor.require_packages(packed.environment.packages)
        python = worker_environment.find_run_interpreter(packed, registration, settings, local=local)
        await check_class(executor, python, settings, local=local)
    except SatflowError as error:
        return _add_findings(report, Finding.from_error(error, "choice", error.field or "executor"))
    return report


async def _add_load_result(report: Preflight, packed: PackedFlow, executable: str) -> Preflight:
    try:
        return report.model_copy(update={"rehearsed": await load_in_clean_process(packed, executable)})
    except CannotPickle as error:
        return _add_findings(report, Finding.from_error(error, "load", packed.flow.variable))


def _add_findings(report: Preflight, *more: Finding) -> Preflight:
    return report.model_copy(update={"findings": (*more, *report.findings)})
