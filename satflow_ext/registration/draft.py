"""The draft of a version, and all checks that can refuse a registration before anything is sent."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from satflow_ext import executors
from satflow_ext.choices import schedules
from satflow_ext.deployments import parameter_schema
from satflow_ext.endpoints import Endpoints
from satflow_ext.environments import requirements
from satflow_ext.errors import BadRequest, InvalidExecutorOption, WorkPoolNotFound
from satflow_ext.job_variables import Template, build_job_variables, check_plain_text
from satflow_ext.keys import user_name
from satflow_ext.models import (
    FLOW_EXECUTOR,
    ExecutorChoice,
    Finding,
    FlowTaskRunner,
    JsonObject,
    PackedFlow,
    Registration,
)
from satflow_ext.prefect_names import check_deployment_name, check_flow_name, read_work_pool
from satflow_ext.runs.parameter_checks import check_size
from satflow_ext.settings import Settings
from satflow_ext.versions.manifest import Manifest

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import WorkPool


NO_CONTENT = "sha256:" + "0" * 64
"""The content of a draft, which has none yet."""


def build_draft(
    packed: PackedFlow, registration: Registration, executor: ExecutorChoice, pool: WorkPool, settings: Settings
) -> Manifest:
    """Build the manifest of a registration, except for its position and content, which publishing adds.

    Args:
        packed: the flow.
        registration: the user's choices.
        executor: the executor with every option filled in, from `check_registration`.
        pool: the work pool.
        settings: worker sizes.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    name = registration.name or packed.flow.name
    sets = {field: tuple(sorted(set(getattr(registration, field)))) for field in ("tags", "include", "secrets")}
    settled = {"name": name, "executor": executor, "work_pool": pool.name, **sets}
    return Manifest(
        flow_name=packed.flow.name,
        variable=packed.flow.variable,
        deployment=name,
        version=0,
        content=NO_CONTENT,
        size=0,
        fingerprint=packed.flow.fingerprint,
        exact=packed.exact,
        parameter_schema=packed.flow.parameter_schema,
        chosen=registration.model_copy(update=settled),
        worker_sizes=executors.find_sizes(executor, settings),
        job_variables=resolve_job_variables(pool, registration),
        environment=packed.environment,
        uses=packed.uses,
        source=packed.source,
        files=packed.files,
        git=packed.git,
        registered_by=user_name(),
        registered_at=datetime.now(timezone.utc),
        restores=None,
        earlier=(),
    )


def resolve_job_variables(pool: WorkPool, registration: Registration) -> JsonObject:
    """Convert the chosen infrastructure to job variables of the work pool.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    return build_job_variables(
        registration.infrastructure, Template.parse(pool.name, pool.type, pool.base_job_template)
    )


def check_registration(
    packed: PackedFlow, registration: Registration, endpoints: Endpoints, settings: Settings
) -> ExecutorChoice:
    """Make all checks that can refuse a registration before anything is sent.

    Returns:
        The executor with every option filled in.
    """
    check_choices(registration, settings, local=endpoints.local)
    executor = resolve_executor(registration.executor, packed.flow.task_runner, settings, local=endpoints.local)
    check_flow_name(packed.flow.name)
    check_deployment_name(registration.name or packed.flow.name)
    if endpoints.local:
        executors.require_packages(executor, packed.environment.packages)
    if registration.environment == "recreate":
        requirements.refuse_unobtainable(packed.environment)
    if registration.schedule.kind != "none":
        parameter_schema.check_complete(packed.flow.parameter_schema, registration.parameters)
    return executor


def check_choices(registration: Registration, settings: Settings, *, local: bool) -> None:
    """Make the checks that can refuse a registration before the flow is packed or anything is started for it.

    Args:
        registration: the user's choices.
        settings: worker sizes.
        local: whether runs happen on this machine.
    """
    schedules.check_schedule(registration.schedule)
    check_size(registration.parameters)
    if registration.name is not None:
        check_deployment_name(registration.name)
    check_plain_text(registration.infrastructure, local=local)
    executors.validate_choice(registration.executor, settings, runs_locally=local)


async def find_work_pool(client: PrefectClient, name: str | None) -> WorkPool:
    """Read the work pool with that name, or the only one that exists.

    Raises:
        WorkPoolNotFound: Prefect has no work pool with that name, or none at all.
        BadRequest: Prefect has several, and no name was given.
    """
    if name is None:
        return await _find_only_work_pool(client)
    missing = WorkPoolNotFound(f"Prefect has no work pool called {name!r}.", fix="Create it first.", field="work_pool")
    return await read_work_pool(client, name, missing)


async def _find_only_work_pool(client: PrefectClient) -> WorkPool:
    pools = await client.read_work_pools()
    if len(pools) == 1:
        return pools[0]
    if not pools:
        fix = "Create one: prefect work-pool create NAME --type process."
        raise WorkPoolNotFound("The Prefect server has no work pool.", fix=fix, field="work_pool")
    raise BadRequest(
        "No work pool was chosen, and the Prefect server has several.",
        fix=f"Choose one of {', '.join(sorted(pool.name for pool in pools))}.",
        field="work_pool",
    )


DEFAULT_EXECUTOR = ExecutorChoice(name="threads")
"""The executor that does the same as Prefect for a flow that names no task runner."""


def resolve_executor(
    choice: ExecutorChoice, task_runner: FlowTaskRunner | None, settings: Settings, *, local: bool
) -> ExecutorChoice:
    """Return the executor that tasks run on, with every option filled in.

    Args:
        choice: the user's choice. `FLOW_EXECUTOR` becomes the executor that does the same as the flow's task runner, and stays
            unchanged if there is none.
        task_runner: the task runner that the flow names.
        settings: worker sizes.
        local: whether runs happen on this machine.

    Raises:
        UnknownExecutor: there is no such executor; see `executors.validate` for further errors.
    """
    if choice.name == FLOW_EXECUTOR and not choice.options:
        same = (task_runner.executor if task_runner else DEFAULT_EXECUTOR) or choice
        try:
            return executors.validate_choice(same.model_copy(update={"from_flow": True}), settings, runs_locally=local)
        except InvalidExecutorOption:  # for example more threads than the executor provides
            return choice.model_copy(update={"from_flow": True})
    return executors.validate_choice(choice.model_copy(update={"from_flow": False}), settings, runs_locally=local)


def find_replaced_task_runner(
    executor: ExecutorChoice, task_runner: FlowTaskRunner | None, flow: str, settings: Settings
) -> tuple[Finding, ...]:
    """Return a warning if the executor replaces the flow's own task runner.

    Args:
        executor: the executor from `resolve_executor`.
        task_runner: the task runner that the flow names.
        flow: its variable or name.
        settings: worker sizes.
    """
    if task_runner is None or executor.from_flow:
        return ()
    same = resolve_executor(ExecutorChoice(), task_runner, settings, local=False)
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
