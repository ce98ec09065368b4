"""Objects of the Prefect REST API: the fields of its replies that SatFlow reads, with Prefect's names.

Prefect's own models of these replies belong to a package that takes more than a second to import. Unknown fields are ignored,
so that newer servers can add some.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from satflow_ext.models import JsonObject, StateType


class PrefectRow(BaseModel):
    """An object of the Prefect API."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StateDetailsRow(PrefectRow):
    """Details of a state. `child_flow_run_id` is the nested flow run that a task run stands for."""

    child_flow_run_id: UUID | None = None


class StateRow(PrefectRow):
    """The state of a flow run or task run."""

    message: str | None = None
    state_details: StateDetailsRow = StateDetailsRow()


class StateHistoryRow(PrefectRow):
    """A state that a flow run or task run has or had."""

    type: StateType
    name: str | None = None
    timestamp: datetime
    message: str | None = None


class FlowRow(PrefectRow):
    """A flow."""

    id: UUID
    name: str


class CreatorRow(PrefectRow):
    """The origin of a flow run, such as a schedule of its deployment."""

    type: str | None = None
    display_value: str | None = None


class FlowRunRow(PrefectRow):
    """A flow run. A new one may have no state for a moment.

    `parent_task_run_id` is the task run that represents a nested flow run in the flow run that called it.
    """

    id: UUID
    name: str
    flow_id: UUID
    deployment_id: UUID | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    state: StateRow | None = None
    created: datetime | None = None
    expected_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    estimated_run_time: timedelta = timedelta()
    parameters: JsonObject = {}
    auto_scheduled: bool | None = None
    tags: tuple[str, ...] = ()
    labels: JsonObject = {}
    work_pool_name: str | None = None
    parent_task_run_id: UUID | None = None
    created_by: CreatorRow | None = None
    job_variables: JsonObject | None = None


class TaskInputRow(PrefectRow):
    """An input of a task: the result of another task run, a parameter of the flow, or a constant."""

    input_type: str
    id: UUID | None = None
    name: str | None = None


class TaskRunRow(PrefectRow):
    """A task run. `task_inputs` maps names of parameters to the inputs that their values contain."""

    id: UUID
    name: str
    task_key: str
    flow_run_id: UUID | None = None
    task_inputs: dict[str, list[TaskInputRow]] = {}
    tags: list[str] = []
    run_count: int = 0
    state_type: StateType | None = None
    state_name: str | None = None
    state: StateRow | None = None
    expected_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: timedelta = timedelta()


class LogRow(PrefectRow):
    """A log line."""

    id: UUID
    name: str
    level: int
    message: str
    timestamp: datetime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactRow(PrefectRow):
    """An artifact."""

    id: UUID
    flow_run_id: UUID | None = None
    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: Any = None


class ScheduleRow(PrefectRow):
    """A schedule: one of `cron`, `interval` (in seconds) and `rrule` is set.

    The other fields of Prefect's schedules are preserved, so that one can be written again as it was read.
    """

    model_config = ConfigDict(extra="allow")

    cron: str | None = None
    interval: float | None = None
    rrule: str | None = None
    timezone: str | None = None


class DeploymentSchedule(PrefectRow):
    """A schedule of a deployment. One that is to be written has no id."""

    id: UUID | None = None
    schedule: ScheduleRow
    active: bool = True
    parameters: JsonObject = {}
    slug: str | None = None

    def to_json(self) -> JsonObject:
        """Return the fields that are written to Prefect."""
        return {
            "schedule": self.schedule.model_dump(mode="json", exclude_unset=True),
            "active": self.active,
            "parameters": self.parameters,
            "slug": self.slug,
        }


class ConcurrencyLimitRow(PrefectRow):
    """The concurrency limit of a deployment."""

    limit: int


class AutomationRow(PrefectRow):
    """An automation. `trigger` and `actions` are as Prefect returns them."""

    id: UUID
    name: str
    description: str = ""
    enabled: bool = True
    tags: list[str] = []
    trigger: JsonObject
    actions: list[JsonObject]


class BlockTypeRow(PrefectRow):
    """A type of blocks."""

    slug: str


class BlockSchemaRow(PrefectRow):
    """The version of a type of blocks. `notify` among the capabilities: they can send notifications."""

    capabilities: list[str] = []


class BlockRow(PrefectRow):
    """A block, without its content."""

    id: UUID
    name: str | None = None
    block_type: BlockTypeRow
    block_schema: BlockSchemaRow


class EventRow(PrefectRow):
    """An event."""

    event: str
    payload: JsonObject = {}


class EventPage(PrefectRow):
    """A page of events."""

    events: list[EventRow]


class DeploymentRow(PrefectRow):
    """A deployment. `automations` are those that SatFlow created for it; None if they were not read."""

    id: UUID
    name: str
    flow_id: UUID
    version: str | None = None
    description: str | None = None
    global_concurrency_limit: ConcurrencyLimitRow | None = None
    concurrency_options: JsonObject | None = None
    paused: bool = False
    schedules: list[DeploymentSchedule] = []
    job_variables: JsonObject | None = None
    parameters: JsonObject = {}
    pull_steps: list[dict[str, Any]] | None = None
    tags: list[str] = []
    work_queue_name: str | None = None
    work_pool_name: str | None = None
    parameter_openapi_schema: JsonObject | None = None
    entrypoint: str | None = None
    automations: list[AutomationRow] | None = None

    @property
    def is_paused(self) -> bool:
        """True if it is paused, or all its schedules were deactivated, which looks the same in Prefect."""
        return self.paused or (bool(self.schedules) and not any(each.active for each in self.schedules))


class WorkPoolRow(PrefectRow):
    """A work pool."""

    name: str
    type: str
    base_job_template: dict[str, Any] = {}
    is_paused: bool = False


class WorkerRow(PrefectRow):
    """A Prefect worker."""

    name: str
    status: str

    @property
    def is_online(self) -> bool:
        """True if Prefect received a heartbeat recently."""
        return self.status == "ONLINE"


class VariableRow(PrefectRow):
    """A variable."""

    name: str
    value: Any = None
