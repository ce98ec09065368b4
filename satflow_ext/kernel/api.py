"""`satflow_ext.register`: from Python the same as the sidebar's form and `%register_flow`."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from satflow_ext import scratch
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import FlowNotFound, InvalidInfrastructure, InvalidSchedule
from satflow_ext.kernel.flow_discovery import AnyFlow
from satflow_ext.kernel.kernel_session import endpoints_of, namespace_of, shell_here, wait_for
from satflow_ext.kernel.options import environment_policy, secret_names
from satflow_ext.kernel.options import missed_runs as read_missed_runs
from satflow_ext.kernel.report_display import CheckedFlow
from satflow_ext.kernel.result import RegisteredFlow
from satflow_ext.models import (
    AS_FLOW_SAYS,
    CronSchedule,
    ExecutorChoice,
    Infrastructure,
    IntervalSchedule,
    NoSchedule,
    PackedFlow,
    Registered,
    Registration,
    Run,
    RunRequest,
    Schedule,
    WrittenRegistration,
)
from satflow_ext.settings import Settings, load_settings
from satflow_ext.validation_errors import first_mistake

EXECUTING = "SATFLOW_EXECUTING"
"""Set while `satflow register` executes a notebook: that command registers, with its own choices."""


def register(
    flow: AnyFlow | str,
    *,
    name: str | None = None,
    executor: str = AS_FLOW_SAYS,
    cron: str | None = None,
    interval: float | None = None,
    timezone: str = "UTC",
    parameters: Mapping[str, Any] | None = None,
    work_pool: str | None = None,
    infrastructure: Infrastructure | Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    environment: str = "warn",
    missed_runs: str = "last",
    secrets: Iterable[str] = (),
    include: Iterable[str] = (),
    run: bool = False,
    overwrite: bool = False,
    **executor_options: Any,
) -> RegisteredFlow | None:
    """Register a flow of this notebook as a Prefect deployment.

    Args:
        flow: the flow, or the name of its variable.
        name: the deployment's name (default: the flow's).
        executor: how tasks run: `flow` (default: by the flow's own task runner), `threads`, `processes`,
            `dask-local`, `dask-cluster`, `dask-client`, `dask-address`, `ray`.
        cron: when it runs, five fields.
        interval: or every so many seconds.
        timezone: the IANA time zone of the schedule.
        parameters: values for the flow's parameters, as the flow itself takes them; refused where JSON cannot carry them.
        work_pool: the Prefect work pool (default: the local stack's, or the one in the settings).
        infrastructure: what the work pool starts each run with (docs/containers.md): `image`, `cpu` in cores, `memory` in GiB,
            `gpus`, `env` by name, and `job_variables` for what else the work pool takes.
        tags: tags of the deployment.
        environment: where a run's packages are not those of this notebook: `warn`, `refuse` or `recreate`.
        missed_runs: which scheduled runs start that were missed while the local stack or the machine was off: `last`, `all`
            or `none`.
        secrets: names of credentials that the flow needs; their values are found where it runs.
        include: data files that travel with the flow: patterns such as `data/*.csv` or folders, relative to the notebook's.
            They lie at the same place in the run's working directory.
        run: start a run at once.
        overwrite: overwrite what somebody has changed in Prefect, which is left alone otherwise (docs/versions.md).
        executor_options: options of the executor, such as `n_workers=2, worker_size="large"`.

    Returns:
        What was made. None while `satflow register` executes this notebook: that command registers, with its own choices.

    Raises:
        SatflowError: it could not be registered; nothing was changed. The message says what to do.
    """
    try:
        choice = Registration(
            name=name,
            executor=ExecutorChoice(name=executor, options=executor_options),
            schedule=schedule(cron, interval, timezone),
            work_pool=work_pool,
            infrastructure=infrastructure_of(infrastructure),
            tags=tuple(tags),
            environment=environment_policy(environment),
            missed_runs=read_missed_runs(missed_runs),
            secrets=secret_names(secrets),
            include=(include,) if isinstance(include, str) else tuple(include),
        )
    except ValidationError as error:
        raise first_mistake(error) from None
    return registered(flow, choice, values=parameters, run=run, overwrite=overwrite)


def registered(
    flow: AnyFlow | str,
    choice: Registration,
    *,
    values: Mapping[str, Any] | None = None,
    run: bool,
    overwrite: bool = False,
) -> RegisteredFlow | None:
    """Register with everything decided. Takes a lease on the local stack that lasts as long as this kernel.

    Args:
        flow: the flow, or the name of its variable.
        choice: everything that was decided.
        values: parameters of Python's types, in place of those of the choice.
        run: start a run at once.
        overwrite: overwrite what was changed in Prefect.

    Returns:
        What was made; None where it is left to the command that executes this notebook.

    Raises:
        SatflowError: it could not be registered; nothing was changed.
    """
    if os.environ.get(EXECUTING):
        sys.stdout.write("Left to `satflow register`, which executes this notebook.\n")
        return None
    from satflow_ext.registration import check_choices

    settings = load_settings()
    check_choices(choice, settings, local=settings.prefect_api_url is None)
    with scratch.folder(settings, "pack") as folder, scratch.room(folder):
        packed = _packed(flow, choice, folder, settings, values)
        endpoints = endpoints_of(settings)
        settled = packed.settle_parameters(choice)
        done = wait_for(_register(packed, settled, endpoints, settings, overwrite=overwrite))
    started = wait_for(_start(endpoints, done)) if run else None
    return RegisteredFlow(done, started)


def preflight(flow: AnyFlow | str) -> CheckedFlow:
    """What would travel with a flow of this notebook, and what speaks against it. Nothing is sent.

    Args:
        flow: the flow, or the name of its variable.

    Raises:
        FlowNotFound: this notebook has no such flow.
    """
    return checked(flow, Registration())


def checked(flow: AnyFlow | str, choice: Registration) -> CheckedFlow:
    """The pre-flight report on a registration, with a real load of the flow in a clean process where nothing else is wrong.

    Raises:
        FlowNotFound: this notebook has no such flow.
        InvalidParameter: a value does not fit the flow's signature.
    """
    _need_flows()
    from satflow_ext.kernel.preflight import preflight as report_on
    from satflow_ext.registration.preflight import with_choices, with_pool, with_rehearsal

    settings, shell = load_settings(), shell_here()
    found = report_on(
        flow, namespace=namespace_of(shell), shell=shell, include=choice.include, limit=settings.content_limit
    )
    report = wait_for(with_pool(with_choices(found, choice, settings), choice, settings))
    if report.refused:
        return CheckedFlow(report)
    with scratch.folder(settings, "pack") as folder, scratch.room(folder):
        packed = _packed(flow, choice, folder, settings)
        return CheckedFlow(wait_for(with_rehearsal(report, packed, choice, settings)))


def schedule(cron: str | None, interval: float | None, timezone: str) -> Schedule:
    """The schedule that the two ways to say it mean.

    Raises:
        InvalidSchedule: both are given.
    """
    if cron is not None and interval is not None:
        raise InvalidSchedule("A cron line and an interval are both given.", fix="Give one of them.", field="schedule")
    if cron is not None:
        return CronSchedule(cron=cron, timezone=timezone)
    return IntervalSchedule(seconds=interval, timezone=timezone) if interval is not None else NoSchedule()


def infrastructure_of(given: Infrastructure | Mapping[str, Any] | None) -> Infrastructure:
    """The infrastructure that was given in one of the ways to give it.

    Raises:
        InvalidInfrastructure: it is none.
    """
    try:
        return given if isinstance(given, Infrastructure) else Infrastructure.model_validate(dict(given or {}))
    except ValidationError as error:
        mistake = first_mistake(error)
        raise InvalidInfrastructure(mistake.message, field=f"infrastructure.{mistake.field}") from None


def _packed(
    flow: AnyFlow | str,
    choice: Registration,
    folder: Path,
    settings: Settings,
    values: Mapping[str, Any] | None = None,
) -> PackedFlow:
    _need_flows()
    from satflow_ext.kernel.pack import pack

    shell = shell_here()
    return pack(
        flow,
        folder,
        namespace=namespace_of(shell),
        shell=shell,
        given=choice.parameters if values is None else values,
        texts=choice.parameter_texts if isinstance(choice, WrittenRegistration) else {},
        complete=choice.schedule.kind != "none",
        include=choice.include,
        limit=settings.content_limit,
    )


def _need_flows() -> None:
    """Looking for flows would import Prefect, which takes seconds."""
    if "prefect.flows" not in sys.modules:
        raise FlowNotFound("No flow lives in this notebook.", fix="Put @flow above a function and run its cell.")


async def _register(
    packed: PackedFlow, choice: Registration, endpoints: Endpoints, settings: Settings, *, overwrite: bool
) -> Registered:
    from satflow_ext.registration import register as register_packed

    return await register_packed(packed, choice, endpoints, settings, overwrite=overwrite)


async def _start(endpoints: Endpoints, done: Registered) -> Run:
    from satflow_ext.runs import start

    request = RunRequest(deployment_id=done.deployment.id, idempotency_key=secrets.token_hex(16))
    return await start(endpoints.prefect, request)
