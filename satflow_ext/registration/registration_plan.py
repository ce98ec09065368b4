"""The plan of a registration, and all checks that can refuse it before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from satflow_ext import executors
from satflow_ext.endpoints import Endpoints
from satflow_ext.environments import requirements
from satflow_ext.errors import BadRequest, WorkPoolNotFound
from satflow_ext.job_variables import Template, check_plain, job_variables
from satflow_ext.models import ExecutorChoice, JsonObject, PackedFlow, Registration
from satflow_ext.prefect_names import check_deployment_name, check_flow_name, read_work_pool
from satflow_ext.registration import parameters, schedules
from satflow_ext.registration.task_runners import resolve_executor
from satflow_ext.runs.parameters import check_size
from satflow_ext.settings import Settings, SizeSettings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import WorkPool


@dataclass(frozen=True)
class Plan:
    """A registration with every default filled in.

    `worker_sizes` are the definitions of its sizes on this machine, `job_variables` its infrastructure in the work pool.
    """

    flow_name: str
    name: str
    chosen: Registration
    worker_sizes: dict[str, SizeSettings]
    job_variables: JsonObject

    @property
    def full_name(self) -> str:
        """`flow/deployment`, as Prefect's command line writes it."""
        return f"{self.flow_name}/{self.name}"


def planned(flow_name: str, wanted: Registration, executor: ExecutorChoice, pool: WorkPool, settings: Settings) -> Plan:
    """Build the plan from the user's choices, and the executor and work pool that were resolved from them.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    name = wanted.name or flow_name
    sets = {field: tuple(sorted(set(getattr(wanted, field)))) for field in ("tags", "include", "secrets")}
    settled = {"name": name, "executor": executor, "work_pool": pool.name, **sets}
    sizes = executors.sizes_of(executor, settings)
    return Plan(flow_name, name, wanted.model_copy(update=settled), sizes, asked_of(pool, wanted))


def asked_of(pool: WorkPool, wanted: Registration) -> JsonObject:
    """Convert the chosen infrastructure to job variables of the work pool.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    return job_variables(wanted.infrastructure, Template.of(pool.name, pool.type, pool.base_job_template))


def check(packed: PackedFlow, wanted: Registration, endpoints: Endpoints, settings: Settings) -> ExecutorChoice:
    """Make all checks that can refuse a registration before anything is sent.

    Returns:
        The executor with every option filled in.
    """
    check_choices(wanted, settings, local=endpoints.local)
    executor = resolve_executor(wanted.executor, packed.flow.task_runner, settings, local=endpoints.local)
    check_flow_name(packed.flow.name)
    check_deployment_name(wanted.name or packed.flow.name)
    if endpoints.local:
        executors.need_packages(executor, packed.environment.packages)
    if wanted.environment == "recreate":
        requirements.refuse_unobtainable(packed.environment)
    if wanted.schedule.kind != "none":
        parameters.check_complete(packed.flow.parameter_schema, wanted.parameters)
    return executor


def check_choices(wanted: Registration, settings: Settings, *, local: bool) -> None:
    """Make the checks that can refuse a registration before the flow is packed or anything is started for it.

    Args:
        wanted: the user's choices.
        settings: worker sizes.
        local: whether runs happen on this machine.
    """
    schedules.checked(wanted.schedule)
    check_size(wanted.parameters)
    if wanted.name is not None:
        check_deployment_name(wanted.name)
    check_plain(wanted.infrastructure, local=local)
    executors.validate(wanted.executor, settings, here=local)


async def work_pool(client: PrefectClient, name: str | None) -> WorkPool:
    """Read the work pool with that name, or the only one that exists.

    Raises:
        WorkPoolNotFound: Prefect has no work pool with that name, or none at all.
        BadRequest: Prefect has several, and no name was given.
    """
    if name is None:
        return await _only_work_pool(client)
    missing = WorkPoolNotFound(f"Prefect has no work pool called {name!r}.", fix="Create it first.", field="work_pool")
    return await read_work_pool(client, name, missing)


async def _only_work_pool(client: PrefectClient) -> WorkPool:
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
