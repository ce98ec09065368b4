"""`satflow_ext.register`: the Python counterpart of the sidebar's form and of `%register_flow`."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext import scratch
from satflow_ext.choices import (
    parse_choice,
    parse_notifications,
    parse_schedules,
    parse_secret_names,
    parse_triggers,
)
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import RegisteredFlow
from satflow_ext.errors import FlowNotFound, InvalidInfrastructure
from satflow_ext.kernel.flow_discovery import AnyFlow
from satflow_ext.kernel.kernel_session import get_shell, namespace_of, open_session, run_coroutine
from satflow_ext.models import (
    FLOW_EXECUTOR,
    ExecutorChoice,
    Infrastructure,
    PackedFlow,
    Registered,
    Registration,
    RunRequest,
    WrittenRegistration,
)
from satflow_ext.parameter_values.text import GivenParameters
from satflow_ext.settings import Settings, load_settings
from satflow_ext.validation_errors import convert_first_error

if TYPE_CHECKING:
    from prefect.blocks.core import Block

    from satflow_ext.session import Session

EXECUTING = "SATFLOW_EXECUTING"
"""Environment variable that `satflow register` sets while it executes a notebook, which it then registers itself."""


def register(
    flow: AnyFlow | str,
    *,
    name: str | None = None,
    executor: str = FLOW_EXECUTOR,
    cron: str | None = None,
    interval: float | None = None,
    timezone: str = "UTC",
    schedules: Iterable[str | Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    notify: Iterable[str | Mapping[str, str]] = (),
    trigger: Iterable[str | Mapping[str, str]] = (),
    work_pool: str | None = None,
    infrastructure: Infrastructure | Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    environment: str = "warn",
    missed_runs: str = "last",
    secrets: Iterable[str] = (),
    include: Iterable[str] = (),
    description: str | None = None,
    concurrency_limit: int | None = None,
    collision_strategy: str = "enqueue",
    retries: int | None = None,
    retry_delay: float | None = None,
    timeout: float | None = None,
    run: bool = False,
    overwrite: bool = False,
    **executor_options: Any,
) -> RegisteredFlow | None:
    """Register a flow of this notebook as a Prefect deployment.

    Args:
        flow: the flow, or the name of its variable.
        name: the deployment's name (default: the flow's name).
        executor: how tasks run: `flow` (default: by the flow's own task runner), `threads`, `processes`,
            `dask-local`, `dask-cluster`, `dask-client`, `dask-address`, `ray`.
        cron: the schedule as a cron expression with five fields.
        interval: the schedule as an interval in seconds, instead of `cron`.
        timezone: the IANA time zone of schedules that have none of their own.
        schedules: several schedules, each as a dictionary such as
            `{"cron": "0 6 * * *", "name": "early", "parameters": {"size": 4}}`, or as the text of `--schedule`
            (docs/schedules.md).
        parameters: values for the flow's parameters, of the types that the flow takes. A value without a JSON equivalent is
            refused.
        notify: messages by Prefect blocks, each as `EVENT=BLOCK`: `failed=slack-webhook/team`. Events are `failed`, `late`,
            `completed`, and `overdue` with a number of hours: `overdue=slack-webhook/team hours=26` (docs/notifications.md).
        trigger: events that start a run, each as `after=flow/deployment` for the completion of another deployment's run, as
            `event=NAME resource=ID` for any event of Prefect, or as `files=/data/*.csv parameter=NAME` for a new file, whose
            path that parameter gets.
        work_pool: the Prefect work pool (default: the local stack's, or the one in the settings).
        infrastructure: settings with which the work pool starts each run (docs/containers.md): `image`, `cpu` in cores,
            `memory` in GiB, `gpus`, `env` by name, and `job_variables` for the work pool's other variables.
        tags: tags of the deployment.
        environment: policy for a run whose packages differ from those of this notebook: `warn`, `refuse` or `recreate`.
        missed_runs: scheduled runs to start after they were missed while the local stack or the machine was off: `last`,
            `all` or `none`.
        secrets: names of credentials that the flow needs; their values are looked up where it runs.
        include: data files to pack with the flow: patterns such as `data/*.csv` or folders, relative to the notebook's
            folder. They have the same relative path in the run's working directory.
        description: a description of the deployment, which Prefect shows.
        concurrency_limit: the number of runs of the deployment that may execute at the same time (default: no limit).
        collision_strategy: what happens to a run beyond that limit: it waits (`enqueue`), or it is canceled (`cancel_new`).
        retries: the number of times that a failed run is repeated (default: as in `@flow`).
        retry_delay: seconds before a retry (default: as in `@flow`).
        timeout: seconds after which a run fails (default: as in `@flow`).
        run: start a run immediately.
        overwrite: overwrite changes that were made in Prefect; they are kept by default (docs/versions.md).
        executor_options: options of the executor, such as `n_workers=2, worker_size="large"`.

    Returns:
        The registered deployment. None while `satflow register` executes this notebook: the command itself registers the flow,
        with its own choices.

    Raises:
        SatflowError: the flow could not be registered; nothing was changed. The message states how to fix it.
    """
    written = parse_schedules(schedules, cron, interval, timezone)
    try:
        choice = Registration(
            name=name,
            executor=ExecutorChoice(name=executor, options=executor_options),
            schedules=tuple(each.schedule for each in written),
            notify=parse_notifications(notify),
            trigger=parse_triggers(trigger),
            work_pool=work_pool,
            infrastructure=to_infrastructure(infrastructure),
            tags=tuple(tags),
            environment=parse_choice("environment", environment),
            missed_runs=parse_choice("missed_runs", missed_runs),
            secrets=parse_secret_names(secrets),
            include=(include,) if isinstance(include, str) else tuple(include),
            description=description,
            concurrency_limit=concurrency_limit,
            collision_strategy=parse_choice("collision_strategy", collision_strategy),
            retries=retries,
            retry_delay=retry_delay,
            timeout=timeout,
        )
    except ValidationError as error:
        raise convert_first_error(error) from None
    given = [each.given for each in written]
    return register_choice(flow, choice, values=parameters, schedule_values=given, run=run, overwrite=overwrite)


def register_choice(
    flow: AnyFlow | str,
    choice: Registration,
    *,
    values: Mapping[str, Any] | None = None,
    schedule_values: Sequence[GivenParameters] | None = None,
    run: bool,
    overwrite: bool = False,
) -> RegisteredFlow | None:
    """Register a flow with a complete set of choices. Take a lease on the local stack that lasts as long as this kernel.

    Args:
        flow: the flow, or the name of its variable.
        choice: the complete choices.
        values: parameters as Python objects; they replace those of the choice.
        schedule_values: parameters of its schedules, instead of those of the choice.
        run: start a run immediately.
        overwrite: overwrite changes that were made in Prefect.

    Returns:
        The registered deployment; None while `satflow register` executes this notebook and registers the flow itself.

    Raises:
        SatflowError: the flow could not be registered; nothing was changed.
    """
    if os.environ.get(EXECUTING):
        sys.stdout.write("Skipped: `satflow register`, which executes this notebook, registers the flow.\n")
        return None
    from satflow_ext.registration import check_choices

    settings = load_settings()
    check_choices(choice, settings, local=settings.prefect_api_url is None)
    with scratch.scratch_folder(settings, "pack") as folder, scratch.report_disk_full(folder):
        packed = _pack_flow(flow, choice, folder, settings, values, schedule_values)
        session = open_session(settings)
        done = run_coroutine(session.register(packed, packed.store_parameters(choice), overwrite=overwrite))
    started = run_coroutine(session.runs.start_run(_build_run_request(done))) if run else None
    return RegisteredFlow(done, started)


def preflight(flow: AnyFlow | str) -> CheckedFlow:
    """Report the objects that would be packed with a flow of this notebook, and the problems with them. Send nothing.

    Args:
        flow: the flow, or the name of its variable.

    Raises:
        FlowNotFound: this notebook has no such flow.
    """
    return check_registration(flow, Registration())


def check_registration(flow: AnyFlow | str, choice: Registration) -> CheckedFlow:
    """Return the pre-flight report on a registration, including a clean load of the flow if it has no other error.

    Raises:
        FlowNotFound: this notebook has no such flow.
        InvalidParameter: a value does not fit the flow's signature.
    """
    _require_prefect_import()
    from satflow_ext.kernel.preflight import create_report as report_on
    from satflow_ext.registration.preflight import add_choice_findings, add_clean_load, add_work_pool_findings

    settings, shell = load_settings(), get_shell()
    found = report_on(
        flow, namespace=namespace_of(shell), shell=shell, include=choice.include, limit=settings.content_limit
    )
    report = run_coroutine(add_work_pool_findings(add_choice_findings(found, choice, settings), choice, settings))
    if report.has_errors:
        return CheckedFlow(report)
    with scratch.scratch_folder(settings, "pack") as folder, scratch.report_disk_full(folder):
        packed = _pack_flow(flow, choice, folder, settings)
        return CheckedFlow(run_coroutine(add_clean_load(report, packed, choice, settings)))


def save_block(block: Block, name: str) -> None:
    """Save a Prefect block for notifications: on the local stack, or in the Prefect API of the settings.

    A block of that name and type is replaced.

    Args:
        block: the block, such as `prefect.blocks.notifications.SlackWebhook(url=...)`.
        name: its name; a notification refers to it as `type/name`, such as `slack-webhook/team`.

    Raises:
        PrefectFailed: Prefect did not accept the block.
    """
    run_coroutine(_save_block(block, name, open_session(load_settings())))


async def _save_block(block: Block, name: str, session: Session) -> None:
    api = await session.find_prefect_api()
    import httpx
    from prefect.client.orchestration import PrefectClient
    from prefect.settings import PREFECT_CLIENT_CSRF_SUPPORT_ENABLED, temporary_settings

    from satflow_ext.own_http import require_own_listeners
    from satflow_ext.prefect_api.api_errors import translate_errors

    transport = httpx.AsyncHTTPTransport()
    if api.local:
        require_own_listeners(transport)
    options = {"trust_env": False, "transport": transport}
    with translate_errors(api), temporary_settings({PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: True}):
        async with PrefectClient(
            api.url, auth_string=api.auth_string, api_key=api.api_key, httpx_settings=options
        ) as client:
            await block.save(name, overwrite=True, client=client)


def to_infrastructure(given: Infrastructure | Mapping[str, Any] | None) -> Infrastructure:
    """Convert a mapping to the infrastructure model.

    Raises:
        InvalidInfrastructure: a field or a value is not valid.
    """
    try:
        return given if isinstance(given, Infrastructure) else Infrastructure.model_validate(dict(given or {}))
    except ValidationError as error:
        mistake = convert_first_error(error)
        raise InvalidInfrastructure(mistake.message, field=f"infrastructure.{mistake.field}") from None


def _pack_flow(
    flow: AnyFlow | str,
    choice: Registration,
    folder: Path,
    settings: Settings,
    values: Mapping[str, Any] | None = None,
    schedule_values: Sequence[GivenParameters] | None = None,
) -> PackedFlow:
    _require_prefect_import()
    from satflow_ext.kernel.pack import pack_flow

    shell = get_shell()
    return pack_flow(
        flow,
        folder,
        namespace=namespace_of(shell),
        shell=shell,
        parameter_values=choice.parameters if values is None else values,
        parameter_texts=choice.parameter_texts if isinstance(choice, WrittenRegistration) else {},
        schedules=schedule_values if schedule_values is not None else _given_by_schedules(choice),
        include=choice.include,
        limit=settings.content_limit,
    )


def _given_by_schedules(choice: Registration) -> list[GivenParameters]:
    if isinstance(choice, WrittenRegistration):
        return [GivenParameters(values, texts) for values, texts in choice.list_schedule_parameters()]
    return [GivenParameters(schedule.parameters, {}) for schedule in choice.schedules]


def _require_prefect_import() -> None:
    """Raise if Prefect was not imported: then no flow exists, and a search would import Prefect, which takes seconds."""
    if "prefect.flows" not in sys.modules:
        raise FlowNotFound("This notebook defines no flow.", fix="Put @flow above a function and run its cell.")


def _build_run_request(registered: Registered) -> RunRequest:
    return RunRequest(deployment_id=registered.deployment.id, idempotency_key=secrets.token_hex(16))
