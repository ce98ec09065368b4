"""Findings that are added to the kernel's pre-flight report: about the choices, and from a real load of the flow content."""

from __future__ import annotations

import asyncio

from satflow_ext import endpoints, executors, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import CannotPickle, PrefectFailed, SatflowError, SettingsWrong
from satflow_ext.models import Finding, PackedFlow, Preflight, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import worker_environment
from satflow_ext.registration.clean_load import rehearse
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.registration.registration_plan import asked_of, check_choices, work_pool
from satflow_ext.registration.task_runners import find_replaced_task_runner, resolve_executor
from satflow_ext.settings import Settings


def with_choices(report: Preflight, wanted: Registration, settings: Settings) -> Preflight:
    """Add to the report the executor that replaces the flow's task runner, or the first choice that registering would refuse.

    Args:
        report: the kernel's report.
        wanted: the user's choices.
        settings: worker sizes, and whether runs happen on this machine.
    """
    try:
        local = settings.prefect_api_url is None
        check_choices(wanted, settings, local=local)
        executor = resolve_executor(wanted.executor, report.task_runner, settings, local=local)
    except SatflowError as error:
        return _and(report, Finding.of(error, "choice", error.field or "registration"))
    return _and(report, *find_replaced_task_runner(executor, report.task_runner, report.flow, settings))


async def with_pool(report: Preflight, wanted: Registration, settings: Settings) -> Preflight:
    """Add to the report why the work pool could not start runs of the flow, according to its base job template.

    Nothing is started for this check. If Prefect does not answer, nothing is added.

    Args:
        report: the kernel's report.
        wanted: the user's choices.
        settings: define the Prefect API.
    """
    try:
        where = await asyncio.to_thread(answering, settings)
        if where is None:
            return report
        async with prefect_client(where.prefect) as client:
            asked_of(await work_pool(client, wanted.work_pool or where.work_pool), wanted)
    except (PrefectFailed, SettingsWrong):
        return report
    except SatflowError as error:
        return _and(report, Finding.of(error, "choice", error.field or "work_pool"))
    return report


async def with_rehearsal(report: Preflight, packed: PackedFlow, wanted: Registration, settings: Settings) -> Preflight:
    """Add to the report how long a clean process took to load the flow, or why it failed.

    Args:
        report: the kernel's report.
        packed: the flow.
        wanted: the user's choices.
        settings: define the Python that loads it if runs happen elsewhere; then its missing packages are reported as well.
    """
    report = await _with_cluster(report, packed, wanted, settings)
    python = worker_environment.executable(wanted, settings)
    if python is None:
        return await _rehearsed(report, packed, packed.environment.executable)
    try:
        there = await worker_environment.ask(python)
    except SettingsWrong as error:
        return _and(report, Finding.of(error, "python", "runs_python"))
    found = _and(report, *worker_environment.lacks(packed, there))
    return await _rehearsed(found, packed, str(python)) if there.reads(packed) else found


def answering(settings: Settings) -> Endpoints | None:
    """Return the endpoints of Prefect, or None if it does not run or does not answer."""
    if lease.status(settings).state != "ready":
        return None
    return endpoints.resolve(settings, endpoints.read_record(settings))


async def _with_cluster(report: Preflight, packed: PackedFlow, wanted: Registration, settings: Settings) -> Preflight:
    """Add to the report why the cluster could not be created. Invalid choices are in the report already."""
    local = settings.prefect_api_url is None
    try:
        check_choices(wanted, settings, local=local)
        executor = resolve_executor(wanted.executor, packed.flow.task_runner, settings, local=local)
    except SatflowError:
        return report
    try:
        if local:
            executors.need_packages(executor, packed.environment.packages)
        python = worker_environment.interpreter(packed, wanted, settings, local=local)
        await check_class(executor, python, settings, local=local)
    except SatflowError as error:
        return _and(report, Finding.of(error, "choice", error.field or "executor"))
    return report


async def _rehearsed(report: Preflight, packed: PackedFlow, executable: str) -> Preflight:
    try:
        return report.model_copy(update={"rehearsed": await rehearse(packed, executable)})
    except CannotPickle as error:
        return _and(report, Finding.of(error, "load", packed.flow.variable))


def _and(report: Preflight, *more: Finding) -> Preflight:
    return report.model_copy(update={"findings": (*more, *report.findings)})
