"""The draft of a version: its manifest, except for position and content."""

from __future__ import annotations

from datetime import datetime, timezone

from satflow_ext.errors import BadRequest, WorkPoolNotFound
from satflow_ext.executors import ResolvedExecutor
from satflow_ext.job_variables.fit import build_job_variables
from satflow_ext.job_variables.template import Template
from satflow_ext.keys import user_name
from satflow_ext.models import Finding, JsonObject, PackedFlow, Registration
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_names import read_work_pool
from satflow_ext.prefect_rows import WorkPoolRow
from satflow_ext.versions.manifest import Manifest

NO_CONTENT = "sha256:" + "0" * 64
"""The content of a draft, which has none yet."""


def build_draft(
    packed: PackedFlow, registration: Registration, executor: ResolvedExecutor, pool: WorkPoolRow
) -> Manifest:
    """Build the manifest of a registration, except for its position and content, which publishing adds.

    Args:
        packed: the flow.
        registration: the user's choices.
        executor: the executor, from `check_registration`.
        pool: the work pool.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    name = registration.name or packed.flow.name
    sets = {field: tuple(sorted(set(getattr(registration, field)))) for field in ("tags", "include", "secrets")}
    settled = {"name": name, "executor": executor.choice, "work_pool": pool.name, **sets}
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
        worker_sizes=executor.sizes,
        job_variables=resolve_job_variables(pool, registration),
        environment=packed.environment,
        uses=packed.uses,
        source=packed.source,
        files=packed.files,
        git=packed.git,
        hooks=packed.hooks,
        registered_by=user_name(),
        registered_at=datetime.now(timezone.utc),
        restores=None,
        earlier=(),
    )


def resolve_job_variables(pool: WorkPoolRow, registration: Registration) -> JsonObject:
    """Convert the chosen infrastructure to job variables of the work pool.

    Raises:
        InvalidInfrastructure: the work pool cannot start flow runs with these choices.
    """
    return build_job_variables(
        registration.infrastructure, Template.parse(pool.name, pool.type, pool.base_job_template)
    )


def find_ignored_memory(pool: WorkPoolRow, registration: Registration, *, local: bool) -> tuple[Finding, ...]:
    """Return a warning if the Prefect workers of the work pool may ignore the memory limit of runs.

    Args:
        pool: the work pool, which has a job variable for it.
        registration: the user's choices.
        local: whether the local stack runs the deployment; its Prefect worker applies the limit.
    """
    if local or pool.type != "process" or registration.infrastructure.memory is None:
        return ()
    return (
        Finding(
            kind="choice",
            level="warning",
            where=pool.name,
            message="Prefect's own workers of type process ignore the memory limit of runs",
            fix=f"Start those of this work pool with `satflow worker --pool {pool.name}`.",
        ),
    )


async def find_work_pool(client: PrefectClient, name: str | None) -> WorkPoolRow:
    """Read the work pool with that name, or the only one that exists.

    Raises:
        WorkPoolNotFound: Prefect has no work pool with that name, or none at all.
        BadRequest: Prefect has several, and no name was given.
    """
    if name is None:
        return await _find_only_work_pool(client)
    missing = WorkPoolNotFound(f"Prefect has no work pool called {name!r}.", fix="Create it first.", field="work_pool")
    return await read_work_pool(client, name, missing)


async def _find_only_work_pool(client: PrefectClient) -> WorkPoolRow:
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
