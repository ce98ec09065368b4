"""What the pre-flight report says beyond the kernel's own part: the choices, and a real load of the flow content."""

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
    """The report, with what replaces the flow's task runner, or the first of the choices that registering would refuse.

    Args:
        report: of the kernel.
        wanted: what the user decided.
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
    """The report, and why the work pool could not start runs of it, by what its base job template takes.

    Nothing is started for this, and nothing is said where Prefect does not answer.

    Args:
        report: of the kernel.
        wanted: what the user decided.
        settings: where Prefect is.
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
    """The report, and how long a clean process took to load the flow, or why it could not.

    Args:
        report: of the kernel.
        packed: the flow.
        wanted: what the user decided.
        settings: which Python loads it where runs happen elsewhere; then what it lacks is in the report as well.
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
    """Where Prefect is, None where it does not run or does not answer."""
    if lease.status(settings).state != "ready":
        return None
    return endpoints.resolve(settings, endpoints.read_record(settings))


async def _with_cluster(report: Preflight, packed: PackedFlow, wanted: Registration, settings: Settings) -> Preflight:
    """The report, and why there would be no cluster. What is wrong with the choices themselves is in it already."""
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
