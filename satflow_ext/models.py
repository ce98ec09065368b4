"""The wire models: the messages between kernel, Jupyter server and browser.

This file is the REST contract. `scripts/contract` turns it into `src/_api.ts`; CI fails when the two differ.

Requests may have defaults, replies have none: a reply without one of its fields is a bug, and the browser never has to
interpret `undefined`. The terms are Prefect's (docs/architecture.md, "Terms"). Sizes are bytes, durations are seconds, times
are timezone-aware, and memory is the value that `distributed` calls managed plus unmanaged (`metrics["memory"]`) unless a
docstring states otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from satflow_ext.errors import SatflowError

JsonObject = dict[str, JsonValue]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
FLOW_EXECUTOR = "flow"
"""The executor that reproduces the flow's own task runner."""
UNSAFE_CHARACTERS = frozenset("\\\x7f") | set(map(chr, range(32)))
MAX_CONCURRENCY = 10_000
MAX_RETRIES = 10_000
MAX_RUN_SECONDS = 365.0 * 24 * 3600
"""The longest time limit of a run and the longest delay of a retry, in seconds."""
MIN_OVERDUE_HOURS = 0.25
MAX_OVERDUE_HOURS = 366.0 * 24
RESERVED_PREFIX = "satflow_"
"""Prefix of the names of SatFlow's own files in a run's folder."""


@dataclass(frozen=True)
class FormInput:
    """The input of an option in the browser's form. `scripts/contract` writes all of them into `src/register/_options.ts`.

    Args:
        label: its label.
        hint: the sentences below the input; an enumeration has `value_hints` instead.
        value_hints: the explanation of each value of an enumeration, in their order.
        is_multiline: a text may have several lines.
        has_commas: a list is typed on one line, separated by commas; otherwise one value per line.
        is_advanced: it belongs to the section "Advanced".
        position: place among the other inputs of its section; equal ones are in the order of their fields.
    """

    label: str
    hint: str = ""
    value_hints: tuple[str, ...] = ()
    is_multiline: bool = False
    has_commas: bool = False
    is_advanced: bool = True
    position: int = 100


@dataclass(frozen=True)
class Option:
    """The option of a field of a registration, in all interfaces: the metadata of that field (`satflow_ext.choices`).

    Args:
        flag: the option on a command line, such as `--tag`.
        placeholder: placeholder of its value in help texts.
        purpose: its purpose for help texts, on one line, without a full stop.
        noun: noun for one value in messages.
        form: its input in the form; None if the form does not show it, or has a widget for it.
    """

    flag: str
    placeholder: str
    purpose: str
    noun: str
    form: FormInput | None = None


class WireModel(BaseModel):
    """A value that crosses a process boundary: immutable, and without fields that the receiver does not define."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- errors -----------------------------------------------------------------------------------------------------------


class ErrorBody(WireModel):
    """The body of every 4xx and 5xx reply.

    `error` is the name of the class in `satflow_ext.errors`, `field` the form field with the mistake (dotted path of the request
    model), and `fix` the user's next step.
    """

    error: str
    message: str
    fix: str | None
    field: str | None

    @classmethod
    def from_error(cls, error: SatflowError) -> ErrorBody:
        """Convert an error to the form in which it crosses a process boundary."""
        return cls(error=type(error).__name__, message=error.message, fix=error.fix, field=error.field)


# --- flows that live in a kernel --------------------------------------------------------------------------------------


class Parameter(WireModel):
    """One parameter of a flow as it appears in the signature. `default` is a repr for display, not a value."""

    name: str
    annotation: str
    required: bool
    default: str | None


class LiveFlow(WireModel):
    """A `@flow` object in a kernel's namespace.

    `parameter_schema` is Prefect's JSON schema of the signature, defaults included; it goes to the browser and never to the
    Prefect API. `fingerprint` changes when the flow, or anything it reaches, changes. `cell` is the execution count of the cell
    that defined the flow, None for an imported flow. `task_runner` is None if the flow does not specify one.
    """

    name: str
    variable: str
    doc: str
    cell: int | None
    parameters: tuple[Parameter, ...]
    parameter_schema: JsonObject
    fingerprint: str
    task_runner: FlowTaskRunner | None = None


class FlowList(WireModel):
    """The flows of one kernel, in the order in which their variables were created.

    `notebook` is the path of the kernel's notebook with symbolic links resolved, None if Jupyter did not pass one to the kernel.
    """

    flows: tuple[LiveFlow, ...]
    at: datetime
    notebook: str | None = None


# --- the options of a registration ------------------------------------------------------------------------------------


class ExecutorChoice(WireModel):
    """An executor and its options. `options` are the fields of the executor's own model (see `ExecutorInfo.options_schema`).

    `from_flow`: the executor was selected because it reproduces the flow's own task runner (`FLOW_EXECUTOR`).
    """

    name: Annotated[
        str,
        Option(
            "--executor",
            "EXECUTOR",
            "how tasks run: flow (default: by the flow's own task runner), threads, processes, dask-local, …",
            "an executor",
        ),
    ] = FLOW_EXECUTOR
    options: JsonObject = {}
    from_flow: bool = False

    @property
    def arguments(self) -> str:
        """The options that have a value, formatted as arguments: `n_workers=2, worker_size='large'`."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)


class FlowTaskRunner(WireModel):
    """The task runner that a flow specifies.

    `text` is its class with those arguments that could be read. `executor` is the executor that reproduces it. It is None if no
    executor does; runs then use the task runner itself.
    """

    text: str
    executor: ExecutorChoice | None


TimeZone = Annotated[
    str,
    Option("--timezone", "ZONE", "the time zone of the schedules, such as Europe/Berlin (default: UTC)", "a time zone"),
]
ScheduleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a schedule, unique in its deployment: its slug in Prefect."""


class ScheduleChoices(WireModel):
    """The choices of every schedule. The parameters of its runs replace those of the deployment."""

    name: ScheduleName | None = None
    parameters: JsonObject = {}
    active: bool = True


ScheduleDate = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class BoundedSchedule(ScheduleChoices):
    """A schedule that can have a first and a last day, both inclusive and in its time zone.

    Prefect's schedules of these kinds have neither: one with a start or an end is stored as a recurrence rule.
    """

    start: ScheduleDate | None = None
    end: ScheduleDate | None = None

    @property
    def is_bounded(self) -> bool:
        """Return True if it has a start or an end."""
        return self.start is not None or self.end is not None

    @property
    def bounds(self) -> str:
        """The start and the end for display, with a space before each; empty without them."""
        return f"{f' from {self.start}' if self.start else ''}{f' until {self.end}' if self.end else ''}"


class CronSchedule(BoundedSchedule):
    """A five-field cron expression, evaluated in an IANA time zone."""

    kind: Literal["cron"] = "cron"
    cron: Annotated[str, Option("--cron", "CRON", 'a cron schedule with five fields: "0 6 * * *"', "a cron expression")]
    timezone: TimeZone = "UTC"

    @property
    def times(self) -> str:
        """The times on one line, differently for different times."""
        return f"{self.cron}{self.bounds} ({self.timezone})"


class IntervalSchedule(BoundedSchedule):
    """A fixed interval in seconds, evaluated in an IANA time zone.

    The runs are whole intervals before and after `anchor`. None is the beginning of the first day, and without that the time of
    registration.
    """

    kind: Literal["interval"] = "interval"
    seconds: Annotated[
        float,
        Option(
            "--interval", "SECONDS", "the interval between runs, instead of --cron", "a number of seconds, such as 3600"
        ),
    ]
    timezone: TimeZone = "UTC"
    anchor: AwareDatetime | None = None

    @property
    def times(self) -> str:
        """The times on one line, differently for different times."""
        anchor = f" from {self.anchor.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}" if self.anchor else ""
        bounds = f",{self.bounds}" if anchor and self.is_bounded else self.bounds
        return f"every {self.seconds!r} s{anchor}{bounds} ({self.timezone})"


class RRuleSchedule(ScheduleChoices):
    """A recurrence rule of iCalendar (RFC 5545). Its `DTSTART` and `UNTIL` are in the time zone of the schedule."""

    kind: Literal["rrule"] = "rrule"
    rrule: str
    timezone: TimeZone = "UTC"

    @property
    def times(self) -> str:
        """The times on one line, differently for different times."""
        return f"{' '.join(self.rrule.split())} ({self.timezone})"


Schedule = Annotated[CronSchedule | IntervalSchedule | RRuleSchedule, Field(discriminator="kind")]


NotificationEvent = Literal["failed", "late", "completed", "overdue"]


class Notification(WireModel):
    """A message that Prefect sends when a run of the deployment fails (or crashes), is late or completes, or if none completes.

    `block` is the Prefect block that sends it, as `type/name`. Its address and credential are stored in Prefect only. `hours`
    belongs to `overdue`: the time in which a run of the deployment has to complete.
    """

    on: NotificationEvent
    block: Annotated[str, Field(pattern=r"^[a-z0-9_-]+/[a-z0-9-]+$", max_length=512)]
    hours: Annotated[float, Field(ge=MIN_OVERDUE_HOURS, le=MAX_OVERDUE_HOURS)] | None = None

    @model_validator(mode="after")
    def _require_hours_for_overdue(self) -> Notification:
        if self.on == "overdue" and self.hours is None:
            raise PydanticCustomError("missing_hours", "overdue also needs hours: a number, such as 26")
        if self.on != "overdue" and self.hours is not None:
            raise PydanticCustomError("contradiction", "only overdue has hours")
        return self

    @property
    def label(self) -> str:
        """The name of this choice in differences."""
        hours = "" if self.hours is None else f" hours={self.hours:g}"
        return f"notify.{self.on}={self.block}{hours}"


class Trigger(WireModel):
    """An event that starts a run: the completion of a run of another deployment, any event of Prefect, or a new file.

    `after` is that deployment, as `flow/deployment`. `event` is the name of an event, and `resource` the id of the resource that
    it is about; both may end with `*`. `files` is the absolute path of a file of this machine, with wildcards as in a shell, and
    `parameter` the parameter that gets the path of the file that appeared.
    """

    after: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")] | None = None
    event: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    resource: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    files: Annotated[str, Field(pattern=r"^/(?:[^\x00-\x1f]*/)?[^/\x00-\x1f]+$", max_length=4096)] | None = None
    parameter: Annotated[str, Field(pattern=r"^[^\W\d]\w*$", max_length=256)] | None = None

    @model_validator(mode="after")
    def _require_one_event(self) -> Trigger:
        if sum(each is not None for each in (self.after, self.event, self.files)) != 1:
            raise PydanticCustomError("contradiction", "give one of after, event and files")
        if self.resource is not None and self.event is None:
            raise PydanticCustomError("contradiction", "resource belongs to event")
        if self.parameter is not None and self.files is None:
            raise PydanticCustomError("contradiction", "parameter belongs to files")
        return self

    @property
    def label(self) -> str:
        """The name of this choice in differences."""
        if self.after is not None:
            return f"trigger.after={self.after}"
        if self.files is not None:
            return f"trigger.files={self.files}{_format_part('parameter', self.parameter)}"
        return f"trigger.event={self.event}{_format_part('resource', self.resource)}"


def _format_part(name: str, value: str | None) -> str:
    return "" if value is None else f" {name}={value}"


EnvironmentPolicy = Literal["warn", "refuse", "recreate"]
HookKind = Literal["on_crashed", "on_cancellation"]
"""Hooks that are called after the process of a flow run has ended."""
CollisionStrategy = Literal["enqueue", "cancel_new"]
"""`enqueue`: a run beyond the concurrency limit waits. `cancel_new`: it is canceled. As in Prefect."""
MissedRuns = Literal["last", "all", "none"]
VARIABLE_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
SecretName = Annotated[str, Field(pattern=VARIABLE_NAME_PATTERN)]
"""The name of a credential, which is also the name of its environment variable."""

IMAGE_PATTERN = (
    r"^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$"
)
"""Pattern of a container image reference, after the grammar of the distribution project."""


class Infrastructure(WireModel):
    """The infrastructure of each flow run, for work pools whose Prefect workers start runs in containers (docs/containers.md).

    `cpu` is in cores, `memory` in GiB; without containers, `memory` is the limit of each process of a run. `env` are
    environment variables, which Prefect stores in readable form: they must not contain credentials. `job_variables` are further
    variables of the work pool, by their names in its base job template.
    """

    image: Annotated[
        str | None,
        Option("--image", "IMAGE", "the container image of runs, if the work pool starts containers", "an image"),
    ] = Field(None, pattern=IMAGE_PATTERN, max_length=1024)
    cpu: Annotated[
        float | None,
        Option(
            "--cpu", "CORES", "the number of cores of a run, if the work pool starts containers", "a number of cores"
        ),
    ] = Field(None, ge=0.001, le=4096)
    memory: Annotated[float | None, Option("--memory", "GIB", "the maximum memory of a run", "a number of GiB")] = (
        Field(None, ge=0.001, le=65536)
    )
    gpus: Annotated[
        int | None,
        Option(
            "--gpus", "NUMBER", "the number of GPUs of a run, if the work pool starts containers", "a number of GPUs"
        ),
    ] = Field(None, ge=1, le=64)
    env: Annotated[
        dict[Annotated[str, Field(pattern=VARIABLE_NAME_PATTERN)], str],
        Option("--env", "NAME=VALUE", "an environment variable of runs, not a credential", "environment variable"),
    ] = {}
    job_variables: Annotated[
        JsonObject,
        Option("--job-variable", "NAME=VALUE", "another variable of the work pool, by its name", "job variable"),
    ] = {}


class Registration(WireModel):
    """The user's options for a deployment, from any interface: form, magic, Python or command line.

    `name` is the deployment's name (default: the flow's name). `work_pool` None means the local stack's work pool, or the one in
    the settings. `include` lists data files that are packed with the flow: glob patterns or folders, relative to the notebook's
    folder. `environment` is the policy for a run whose packages differ from those of the registration (docs/environment.md).
    `secrets` are names of credentials that the flow needs; their values are read where the flow runs (docs/secrets.md).
    `infrastructure` is the infrastructure that the work pool uses for the runs. `missed_runs` selects which of the scheduled runs
    are started that were missed while the local stack or the machine was off. `concurrency_limit` is the number of runs that may
    execute at the same time, and `collision_strategy` what happens to others. `retries`, `retry_delay` and `timeout` (seconds)
    replace those of the flow's decorator; None keeps them.
    """

    name: Annotated[
        str | None, Option("--name", "NAME", "the deployment's name (default: the flow's name)", "a name")
    ] = None
    executor: ExecutorChoice = ExecutorChoice()
    schedules: Annotated[
        tuple[Schedule, ...],
        Option(
            "--schedule",
            "SCHEDULE",
            "a schedule with its own settings: \"cron='0 6 * * *' name=early param.size=4\"",
            "a schedule",
        ),
    ] = ()
    parameters: Annotated[
        JsonObject,
        Option("--param", "NAME=VALUE", "a parameter, as JSON or text depending on its type", "parameter"),
    ] = {}
    notify: Annotated[
        tuple[Notification, ...],
        Option(
            "--notify",
            "EVENT=BLOCK",
            "a message by a Prefect block if a run failed, is late, completed or is overdue: failed=slack-webhook/team",
            "a notification",
        ),
    ] = ()
    trigger: Annotated[
        tuple[Trigger, ...],
        Option(
            "--trigger",
            "TRIGGER",
            "an event that starts a run: after=FLOW/DEPLOYMENT, event=NAME with resource=ID, files=PATTERN with parameter=NAME",
            "a trigger",
        ),
    ] = ()
    work_pool: Annotated[str | None, Option("--work-pool", "POOL", "the Prefect work pool", "a work pool")] = None
    infrastructure: Infrastructure = Infrastructure()
    tags: Annotated[
        tuple[str, ...],
        Option(
            "--tag",
            "TAG",
            "a tag of the deployment",
            "a tag",
            FormInput("Tags", "Separated by commas.", has_commas=True, position=5),
        ),
    ] = ()
    environment: Annotated[
        EnvironmentPolicy,
        Option(
            "--environment",
            "POLICY",
            "if a run's packages differ: warn (default), refuse or recreate",
            "an environment policy",
            FormInput(
                "If the packages of a run differ from those of this kernel",
                value_hints=(
                    "the run starts, and its log lists the differences.",
                    "the run fails before the flow starts, and lists the differences.",
                    "the run uses an environment with the packages of this registration; "
                    "the first run waits until it is created.",
                ),
                position=3,
            ),
        ),
    ] = "warn"
    missed_runs: Annotated[
        MissedRuns,
        Option(
            "--missed-runs",
            "RUNS",
            "scheduled runs to start that the local stack missed: last (default), all or none",
            "a choice of missed runs",
            FormInput(
                "Scheduled runs missed while this machine or the local stack was off",
                value_hints=(
                    "only the most recent one starts.",
                    "each of them starts.",
                    "none of them starts; the next scheduled run does.",
                ),
                position=4,
            ),
        ),
    ] = "last"
    secrets: Annotated[
        tuple[SecretName, ...],
        Option(
            "--secret",
            "NAME",
            "a credential that the flow needs, looked up at run time",
            "a name of a credential",
            FormInput(
                "Secrets, by name",
                "One name per line, such as AWS_SECRET_ACCESS_KEY. "
                "Do not enter values: they are looked up where the flow runs.",
                position=2,
            ),
        ),
    ] = ()
    include: Annotated[
        tuple[str, ...],
        Option(
            "--include",
            "FILES",
            "data files to pack with the flow: data/*.csv, or a folder",
            "a pattern",
            FormInput(
                "Data files packed with the flow",
                "One file, folder or pattern per line, such as data/*.csv, in the folder of the notebook.",
                position=1,
            ),
        ),
    ] = ()
    description: Annotated[
        str | None,
        Option(
            "--description",
            "TEXT",
            "a description of the deployment, which Prefect shows",
            "a description",
            FormInput("Description", "Prefect shows it with the deployment.", is_multiline=True, position=6),
        ),
    ] = None
    concurrency_limit: Annotated[
        int | None,
        Field(strict=True, ge=1, le=MAX_CONCURRENCY),
        Option(
            "--concurrency-limit",
            "N",
            "runs of the deployment that may execute at the same time (default: no limit)",
            "a number of runs",
            FormInput("Runs at the same time", "Empty: no limit for this deployment.", position=7),
        ),
    ] = None
    collision_strategy: Annotated[
        CollisionStrategy,
        Option(
            "--collision-strategy",
            "STRATEGY",
            "for a run beyond the concurrency limit: enqueue (default) or cancel_new",
            "a collision strategy",
            FormInput(
                "A run that starts when that many are executing",
                value_hints=("it waits until another one ends.", "it is canceled."),
                position=8,
            ),
        ),
    ] = "enqueue"
    retries: Annotated[
        int | None,
        Field(strict=True, ge=0, le=MAX_RETRIES),
        Option(
            "--retries",
            "N",
            "times that a failed run is repeated (default: as in @flow)",
            "a number of retries",
            FormInput("Retries of a failed run", "Empty: as in @flow(retries=…).", position=9),
        ),
    ] = None
    retry_delay: Annotated[
        float | None,
        Field(strict=True, ge=0, le=MAX_RUN_SECONDS, allow_inf_nan=False),
        Option(
            "--retry-delay",
            "SECONDS",
            "seconds before a retry (default: as in @flow)",
            "a number of seconds",
            FormInput("Seconds before a retry", "Empty: as in @flow(retry_delay_seconds=…).", position=10),
        ),
    ] = None
    timeout: Annotated[
        float | None,
        Field(strict=True, gt=0, le=MAX_RUN_SECONDS, allow_inf_nan=False),
        Option(
            "--timeout",
            "SECONDS",
            "seconds after which a run fails (default: as in @flow)",
            "a number of seconds",
            FormInput("Seconds after which a run fails", "Empty: as in @flow(timeout_seconds=…).", position=11),
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _convert_single_schedule(cls, fields: Any) -> Any:
        """Read the field `schedule` of manifests and forms from the time when a deployment had one schedule at most."""
        if not isinstance(fields, dict) or "schedule" not in fields:
            return fields
        rest = {name: value for name, value in fields.items() if name != "schedule"}
        single = fields["schedule"]
        is_none = isinstance(single, dict) and single.get("kind") == "none"
        return {**rest, "schedules": () if is_none else (single,)}

    @property
    def automation_labels(self) -> tuple[str, ...]:
        """The names of the notifications and triggers in differences."""
        return (*(each.label for each in self.notify), *(each.label for each in self.trigger))


class WrittenRegistration(Registration):
    """A registration from a command line or a magic: its parameters are text until the kernel parses them by their types.

    `schedule_texts` are those of the schedules, in their order.
    """

    parameter_texts: dict[str, str] = {}
    schedule_texts: tuple[dict[str, str], ...] = ()

    def list_schedule_parameters(self) -> list[tuple[JsonObject, dict[str, str]]]:
        """Return the parameters of each schedule, as JSON values and as text."""
        return [
            (schedule.parameters, texts) for schedule, texts in zip(self.schedules, self.schedule_texts, strict=True)
        ]


class RegisterRequest(Registration):
    """POST /satflow/deployments. `variable` is the flow's variable in the kernel, `notebook` its path as JupyterLab displays it.

    An option with the same value as in the previous version does not overwrite a later change in Prefect, except with
    `overwrite`, which also takes over a deployment that was not created by SatFlow. `replaces` are the ids of the deployments of
    which this may become the next version, None for any deployment.
    """

    kernel_id: str
    variable: str
    notebook: str | None = None
    overwrite: bool = False
    replaces: tuple[str, ...] | None = None

    @property
    def registration(self) -> Registration:
        """The options of the request, without the location of the flow."""
        return Registration.model_validate(self.model_dump(include=set(Registration.model_fields)))


class PreflightRequest(RegisterRequest):
    """POST /satflow/preflight: report the captured objects. With `rehearse`, also load the flow content in a clean process."""

    rehearse: bool = False


class Captured(WireModel):
    """A captured object, pickled by value: the path by which the flow reaches it, its type, and the approximate data size."""

    where: str
    type: str
    size: int


class Included(WireModel):
    """A data file that would be packed with the flow: path relative to the notebook's folder, `size` in bytes."""

    path: str
    size: int


FindingKind = Literal[
    "live object",
    "credential",
    "size",
    "file",
    "python",
    "package",
    "task runner",
    "choice",
    "load",
    "notebook",
    "side effect",
]


class Finding(WireModel):
    """One entry of the pre-flight report. An "error" prevents the registration, a "warning" may cause a run to fail."""

    kind: FindingKind
    level: Literal["error", "warning"]
    where: str
    message: str
    fix: str | None

    @classmethod
    def from_error(cls, error: SatflowError, kind: FindingKind, where: str) -> Finding:
        """Convert an error to a finding. The message loses its final period because the display embeds it in a sentence."""
        return cls(kind=kind, level="error", where=where, message=error.message.removesuffix("."), fix=error.fix)

    @property
    def sentence(self) -> str:
        """Location, message and fix as one line of text."""
        return f"{self.where}: {self.message}.{f' {self.fix}' if self.fix else ''}"


class Preflight(WireModel):
    """The pre-flight report: the captured objects, and the findings about them. Nothing was sent.

    `size` is the size of the pickle, None if the flow cannot be pickled. `captured` and `files` are sorted, largest first.
    `packages` are the installed distributions that the flow refers to. `rehearsed` is the duration of the clean load in seconds,
    None if it was not requested or failed. `task_runner` is the flow's own (see `LiveFlow`).
    """

    flow: str
    task_runner: FlowTaskRunner | None
    size: int | None
    captured: tuple[Captured, ...]
    local_modules: tuple[str, ...]
    packages: tuple[str, ...]
    files: tuple[Included, ...]
    findings: tuple[Finding, ...]
    rehearsed: float | None

    @property
    def has_errors(self) -> bool:
        """True if the registration would fail."""
        return any(finding.level == "error" for finding in self.findings)


class SchedulePreviewRequest(WireModel):
    """POST /satflow/schedules/preview."""

    schedule: Schedule
    count: int = Field(5, ge=1, le=25)


class SchedulePreview(WireModel):
    """The next runs, computed by Prefect's own schedule classes."""

    next_runs: tuple[datetime, ...]


class ExecutorInfo(WireModel):
    """One entry of the executor catalog, with the data for its card and its form."""

    name: str
    title: str
    purpose: str
    starts: str
    options_schema: JsonObject


class WorkerSize(WireModel):
    """A named size of one Dask worker; memory is in bytes. `reason` explains why the size is not `available` on this machine."""

    name: str
    cores: int
    memory: int
    gpus: int
    available: bool
    reason: str | None


class ClusterClassRequest(WireModel):
    """POST /satflow/cluster-classes: read the options of a cluster provider of `dask-cluster`, as installed for runs of a kernel.

    `name` is the provider's name, such as `module:Class`. The module is imported in a separate process.
    """

    kernel_id: str
    name: str = Field(min_length=1, max_length=1024)


class ClusterClass(WireModel):
    """The options of a cluster provider's class, from its signature, its documentation and Dask's configuration.

    `open`: the class accepts further keyword arguments. `hidden` are the options whose names are those of credentials, which must
    not be in a registration.
    """

    name: str
    purpose: str
    options_schema: JsonObject
    open: bool
    hidden: tuple[str, ...]


InfrastructureField = Literal["image", "cpu", "memory", "gpus", "env"]


class WorkPool(WireModel):
    """A Prefect work pool and the number of Prefect workers that poll it now.

    `takes` are the fields of `Infrastructure` that the pool supports; `job_variables` is the schema of its other variables.
    """

    name: str
    type: str
    paused: bool
    online_workers: int
    takes: tuple[InfrastructureField, ...]
    job_variables: JsonObject


class Catalogue(WireModel):
    """GET /satflow/catalogue: all choices of the register form.

    `cores` and `memory` (bytes) are those of this machine, None if runs execute elsewhere. `notification_blocks` are the Prefect
    blocks that can send notifications, as `type/name`.
    """

    executors: tuple[ExecutorInfo, ...]
    worker_sizes: tuple[WorkerSize, ...]
    work_pools: tuple[WorkPool, ...]
    notification_blocks: tuple[str, ...]
    default_work_pool: str | None
    cores: int | None
    memory: int | None


# --- deployments ------------------------------------------------------------------------------------------------------


class Change(WireModel):
    """One difference, worded for display. `before` is None for an addition, `after` is None for a removal."""

    name: str
    before: str | None
    after: str | None


class Deployment(WireModel):
    """A registered flow: its deployment in Prefect, combined with its manifest in the store.

    `manifest_problem` explains why the manifest could not be read; then `executor`, `fingerprint`, `notebook`, `environment`,
    `missed_runs`, `notify`, `trigger`, `secrets`, `include`, `infrastructure`, `retries`, `retry_delay`, `timeout` and
    `registered_at` are None.
    `parameter_schema` contains the defaults only if the manifest could be read. `drift` are the changes in Prefect since the
    registration: `before` is the registered value, `after` the live one. `needed` summarizes how much of their worker size the
    last runs on this machine used, None without measurements. `notebook_file` is the path of `notebook` with symbolic links
    resolved, None if the Jupyter server's machine has no such file.
    """

    id: str
    name: str
    flow_name: str
    version: int
    executor: ExecutorChoice | None
    fingerprint: str | None
    notebook: str | None
    environment: EnvironmentPolicy | None
    missed_runs: MissedRuns | None
    secrets: tuple[SecretName, ...] | None
    include: tuple[str, ...] | None
    infrastructure: Infrastructure | None
    registered_at: datetime | None
    manifest_problem: str | None
    parameters: JsonObject
    parameter_schema: JsonObject
    schedules: tuple[Schedule, ...]
    paused: bool
    notify: tuple[Notification, ...] | None
    trigger: tuple[Trigger, ...] | None
    work_pool: str | None
    tags: tuple[str, ...]
    description: str | None
    concurrency_limit: int | None
    collision_strategy: CollisionStrategy
    retries: int | None
    retry_delay: float | None
    timeout: float | None
    next_runs: tuple[datetime, ...]
    drift: tuple[Change, ...]
    needed: str | None = None
    notebook_file: str | None = None


class DeploymentList(WireModel):
    """GET /satflow/deployments, newest first."""

    deployments: tuple[Deployment, ...]


def check_carried_path(path: str) -> str:
    """Check that a path stays below the folder it is joined to and does not name one of SatFlow's own files. Return the path.

    Raises:
        ValueError: The path leaves the folder, is not plain, or uses a reserved name.
    """
    parts = path.split("/")
    if not set(parts).isdisjoint({"", ".", ".."}) or not UNSAFE_CHARACTERS.isdisjoint(path):
        raise ValueError("must be a plain relative path")
    path.encode()  # a name that is not valid UTF-8 cannot be stored
    if parts[0].startswith(RESERVED_PREFIX):
        raise ValueError(f"names that begin with {RESERVED_PREFIX} are taken by SatFlow")
    return path


class CarriedFile(WireModel):
    """A data file packed with a flow. `path` is relative to a run's working directory, with forward slashes."""

    path: Annotated[str, AfterValidator(check_carried_path)]
    size: int = Field(ge=0)
    digest: Digest


class Registered(WireModel):
    """The result of a registration or a rollback.

    `content_size` is the size of the flow content in bytes, without the `files` that are packed with it. "restored": the version
    stays, and changes in Prefect were reverted to it. `kept` are changes in Prefect that were not reverted: `before` is the
    registered value, `after` the live one. `warnings` are those of the pre-flight report that packing finds without extra cost.
    """

    deployment: Deployment
    outcome: Literal["created", "changed", "unchanged", "restored"]
    content: Digest
    content_size: int
    manifest: Digest
    files: tuple[CarriedFile, ...]
    kept: tuple[Change, ...]
    warnings: tuple[Finding, ...]


class NotificationTest(WireModel):
    """POST /satflow/notifications/test: send a test message through a Prefect block, given as `type/name`."""

    block: str = Field(min_length=1, max_length=1024)


class PauseRequest(WireModel):
    """PATCH /satflow/deployments/<id>: pause or resume all schedules."""

    paused: bool


# --- parts of a version -----------------------------------------------------------------------------------------------


class Origin(WireModel):
    """The source of a distribution that was not installed from an index (`direct_url.json`, PEP 610).

    `url` is without user name and password. `vcs`, `commit` and `subdirectory` describe a checkout, `sha256` (hex) an archive.
    `editable` marks an editable installation, which runs from its source folder.
    """

    url: str
    vcs: str | None
    commit: str | None
    subdirectory: str | None
    sha256: str | None
    editable: bool


class Distribution(WireModel):
    """An installed distribution.

    `name` is normalized (PEP 503). `files` is a digest of the file entries in RECORD. It is the same for one wheel with every
    installer, and is not usable as a pip hash. `origin` None: the distribution came from an index.
    """

    name: str
    version: str
    files: Digest
    origin: Origin | None


class Environment(WireModel):
    """The interpreter that packed a flow, and all distributions installed for it: the lock.

    `magic` is `importlib.util.MAGIC_NUMBER` in hex: pickles with code objects are readable only where it is the same.
    """

    python: str
    implementation: str
    magic: str
    executable: str
    distributions: tuple[Distribution, ...]

    @property
    def packages(self) -> dict[str, str]:
        """Distribution name → version."""
        return {each.name: each.version for each in self.distributions}


class Cell(WireModel):
    """A cell's text and execution count. `file` is the file name of its code objects, as it appears in tracebacks.

    `setup`: the cell runs again in every run, before the flow is loaded.
    """

    file: str
    number: int
    text: str
    setup: bool = False


class SourceFile(WireModel):
    """The text of a local file at the time of packing. `path` is relative to its import path."""

    path: str
    text: str


class Commit(WireModel):
    """The checked-out commit of a git repository. `dirty`: there were uncommitted changes; None if git did not report it."""

    id: str
    dirty: bool | None


class GitFile(WireModel):
    """A file of a git repository from which a run loads its flow, instead of from a pickle.

    `repository` is a URL without credentials, `commit` the commit to check out, `path` the file's path in it. `tree` is git's
    object name of the file's folder, and so identifies all files that the file can import from its own folder.
    """

    repository: str
    commit: str
    path: str
    tree: str


class Source(WireModel):
    """The source of a flow.

    `cells` are the cells that define what the flow reaches, in the order of their execution; `files` are the local files.
    `commit` is that of the repository with the notebook's folder, None without a repository or without git.
    """

    notebook: str | None
    commit: Commit | None
    cells: tuple[Cell, ...]
    files: tuple[SourceFile, ...]


# --- versions ---------------------------------------------------------------------------------------------------------


class VersionRecord(WireModel):
    """A summary of a version's manifest.

    `content_size` is in bytes; `content_kept`: the store still has the content; None if the store did not report it.
    `restores` is the number of the version that a rollback restored; `summary` is one line about the changes.
    """

    registered_at: datetime
    registered_by: str
    notebook: str | None
    content_size: int
    content_kept: bool | None
    restores: int | None
    summary: str


class Version(WireModel):
    """One version. `problem` explains why its manifest cannot be read; then `record` is None."""

    number: int
    manifest: Digest
    live: bool
    problem: str | None
    record: VersionRecord | None


class VersionQuery(WireModel):
    """The query of GET /satflow/deployments/<id>/versions: `limit` versions older than `before`."""

    before: int | None = Field(None, ge=1)
    limit: int = Field(20, ge=1, le=100)


class VersionList(WireModel):
    """GET /satflow/deployments/<id>/versions, newest first.

    `next` is the `before` of the next page, None on the last page. `lost` explains why older versions existed but cannot be
    listed.
    """

    deployment_id: str
    versions: tuple[Version, ...]
    next: int | None
    lost: str | None


class VersionDetail(WireModel):
    """GET /satflow/deployments/<id>/versions/<number>. `chosen` are the options of its registration."""

    version: Version
    chosen: Registration
    python: str
    source: Source


class CodeChange(WireModel):
    """A difference in a function, a class, or the other statements of a cell or file. `diff` is a unified diff."""

    name: str
    kind: Literal["function", "class", "statements"]
    change: Literal["added", "removed", "changed"]
    diff: str


class TaskChange(WireModel):
    """The tasks (and subflows) that a flow calls according to its source: in order, each with the results that it uses.

    `rewired`: the calls of tasks that are in both versions differ in order, in number or in the results they use. `unsaid` lists
    calls that cannot be determined from the source.
    """

    flow: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rewired: bool
    unsaid: tuple[str, ...]


class VersionDiff(WireModel):
    """GET /satflow/deployments/<id>/versions/<before>/diff/<after>.

    `choices` are changes of the schedule, the default parameters, the tags, the work pool and all other options. `environment`
    are changes of the interpreter. `unexplained` describes a difference that is not in the source, such as in captured data.
    """

    before: int
    after: int
    code: tuple[CodeChange, ...]
    tasks: tuple[TaskChange, ...]
    parameters: tuple[Change, ...]
    executor: tuple[Change, ...]
    choices: tuple[Change, ...]
    environment: tuple[Change, ...]
    packages: tuple[Change, ...]
    unexplained: str | None


class RollbackRequest(WireModel):
    """POST /satflow/deployments/<id>/rollback → Registered."""

    version: int = Field(ge=1)


# --- runs -------------------------------------------------------------------------------------------------------------

StateType = Literal[
    "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"
]
TERMINAL_STATES: frozenset[StateType] = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
"""The states of runs and task runs that have ended."""


class RunRequest(WireModel):
    """POST /satflow/runs. `idempotency_key` is one per click of the button: a request that is sent twice creates one run."""

    deployment_id: str
    parameters: JsonObject = {}
    idempotency_key: str


class Run(WireModel):
    """A flow run.

    `why_waiting` explains why a run that should have started has not. `duration` is in seconds. `version` is the version of the
    deployment that the run recorded at its end, None if it did not: it has not ended, was killed, or is of an earlier SatFlow.
    `in_kernel`: a kernel executes the run, because its flow was called in a cell.
    """

    id: str
    name: str
    deployment_id: str | None
    deployment_name: str | None
    flow_name: str
    state_type: StateType
    state_name: str
    state_message: str | None
    created: datetime
    expected_start: datetime | None
    start: datetime | None
    end: datetime | None
    duration: float
    parameters: JsonObject
    tags: tuple[str, ...]
    scheduled: bool
    in_kernel: bool
    version: int | None
    last_line: str | None
    why_waiting: str | None


class RunQuery(WireModel):
    """The query of GET /satflow/runs. Without `state_type`, future scheduled runs are left out.

    Args:
        name: list only runs whose names contain this text, in capital or small letters.
        tag: list only runs with this tag.
        since: list only runs that started, or were to start, at this time or later.
        until: list only runs that started, or were to start, at this time or earlier.
        active: list only runs that have not ended.
        limit: maximum number of runs; Prefect's is 200.
        offset: number of runs to skip.
    """

    deployment_id: str | None = None
    state_type: StateType | None = None
    name: str | None = Field(None, max_length=200)
    tag: str | None = Field(None, max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    active: bool = False
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0)


class RunList(WireModel):
    """GET /satflow/runs?deployment_id=&state_type=&name=&tag=&since=&until=&active=&limit=&offset=, newest first."""

    runs: tuple[Run, ...]


class RecentRunsRequest(WireModel):
    """POST /satflow/runs/recent: the last runs of several deployments, by their ids."""

    deployment_ids: tuple[str, ...] = Field(max_length=50)


class RecentRun(WireModel):
    """One of the last runs of a deployment. `start` is when it started, or was to start."""

    id: str
    name: str
    state_type: StateType
    state_name: str
    start: datetime | None


class RecentRuns(WireModel):
    """The reply: at most 14 runs of each deployment, newest first, by the ids of the deployments. Future runs are left out."""

    runs: dict[str, tuple[RecentRun, ...]]


class RunChangeRequest(WireModel):
    """POST /satflow/runs/changes: cancel, retry or delete several runs."""

    action: Literal["cancel", "retry", "delete"]
    ids: tuple[str, ...] = Field(min_length=1, max_length=200)


class RefusedChange(WireModel):
    """A run that was not changed, and the reason as a sentence."""

    id: str
    reason: str


class RunChanges(WireModel):
    """The reply: the ids of the runs that were changed, and the others, each in the order of the request."""

    changed: tuple[str, ...]
    refused: tuple[RefusedChange, ...]


# --- run groups -------------------------------------------------------------------------------------------------------

PointState = Literal[
    "WAITING",
    "REFUSED",
    "DELETED",
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "CRASHED",
    "PAUSED",
    "CANCELLING",
]
"""The state of a point: that of its latest run, or `WAITING` (not submitted yet), `REFUSED` (Prefect did not accept the run) or
`DELETED` (the run no longer exists)."""
RunGroupState = Literal["running", "cancelling", "stopped", "completed", "failed", "cancelled"]
PointChoice = Literal["missing", "failed", "all"]
"""The points to run: those without an outcome, these and the failed ones, or all that do not run at the moment."""
FAILED_POINTS: tuple[PointState, ...] = ("FAILED", "CRASHED", "REFUSED")
MISSING_POINTS: tuple[PointState, ...] = ("CANCELLED", "DELETED")
"""Points that have neither an outcome nor will get one: they were cancelled, or their run was deleted."""
LIVE_POINTS: tuple[PointState, ...] = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
"""Points whose run has not ended."""
MAX_POINTS = 10_000
"""The largest number of points of a run group."""
MAX_GROUP_CONCURRENCY = 100
"""The largest number of runs of a group that are submitted at a time: Prefect's queue starves other runs with about 200."""


class RunGroupRequest(WireModel):
    """POST /satflow/run-groups, and /satflow/run-groups/plan, which starts nothing. Also the request in a kernel or terminal.

    `over` contains the values of each varied parameter, as a list or as text (`2026-01-01..2026-01-31`, `a,b`); the points are
    all combinations. `points` lists them instead. `parameters` are the same for all points. A group of that name is continued:
    new points are added, and those that `only` selects run again. Without a name, a new group is created.
    """

    deployment: str
    name: str | None = Field(None, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/\\]+$")
    over: dict[str, str | tuple[JsonValue, ...]] = {}
    points: tuple[JsonObject, ...] | None = None
    parameters: JsonObject = {}
    concurrency: int = Field(4, ge=1, le=MAX_GROUP_CONCURRENCY)
    only: PointChoice = "missing"
    newest_first: bool = False


class RunGroupPlan(WireModel):
    """The reply of POST /satflow/run-groups/plan: how many runs the request would start.

    `points` is the number of different points of the request, of which `duplicates` more were left out, and `runs` the number of
    those that would run. `first` are the parameters of the first few, in the order of their start. `exists`: a group of that name
    is continued.
    """

    name: str
    deployment_name: str
    flow_name: str
    points: int
    duplicates: int
    runs: int
    first: tuple[JsonObject, ...]
    exists: bool


class RunGroup(WireModel):
    """A run group: runs of one deployment, one for each point. `counts` is the number of points in each state.

    `problem` is the reason why the group does not continue at the moment, or stopped. `varied` are the names of the parameters in
    which the points differ.
    """

    id: str
    name: str
    deployment_id: str
    deployment_name: str
    flow_name: str
    created: datetime
    concurrency: int
    newest_first: bool
    state: RunGroupState
    total: int
    counts: dict[PointState, int]
    varied: tuple[str, ...]
    problem: str | None

    @property
    def is_active(self) -> bool:
        """True while points are submitted or runs have not ended."""
        return self.state in ("running", "cancelling")


class RunGroupList(WireModel):
    """GET /satflow/run-groups, newest first."""

    groups: tuple[RunGroup, ...]


class RunGroupQuery(WireModel):
    """The query of GET /satflow/run-groups/{id}: a page of its points, in the order of the request."""

    limit: int = Field(200, ge=1, le=MAX_POINTS)
    offset: int = Field(0, ge=0)


class RunPoint(WireModel):
    """One point of a run group: the parameters of its run, and the latest run.

    `message` explains a failure; `duration` is in seconds, 0 while the run has not ended.
    """

    position: int
    parameters: JsonObject
    state: PointState
    attempt: int
    run_id: str | None
    message: str | None
    duration: float


def failed_points(points: Iterable[RunPoint]) -> tuple[RunPoint, ...]:
    """Return the points whose run failed or crashed, or that Prefect refused."""
    return tuple(point for point in points if point.state in FAILED_POINTS)


class RunGroupDetail(WireModel):
    """GET /satflow/run-groups/{id}?limit=&offset=."""

    group: RunGroup
    points: tuple[RunPoint, ...]


class TaskRun(WireModel):
    """A task run. `interrupted`: its state in Prefect is still running although its flow run has ended.

    `duration` is the time that its finished attempts took, and `attempts` the number of attempts that started. `nested_run_id`
    is the flow run that the task run represents, if it is the call of another flow. `inputs` are the ids of the task runs whose
    results are in its arguments, or for which it waited; `input_count` is their number, of which only the first ones may be
    listed. `caller` is the id of the task run that called it.
    """

    id: str
    name: str
    task: str
    state_type: StateType
    state_name: str
    expected_start: datetime | None
    start: datetime | None
    end: datetime | None
    duration: float
    attempts: int
    tags: tuple[str, ...]
    interrupted: bool
    nested_run_id: str | None
    inputs: tuple[str, ...]
    input_count: int
    caller: str | None


class TaskRunQuery(WireModel):
    """The query of GET /satflow/runs/<id>/tasks. `cursor` is that of the last page; without it, all task runs are sent."""

    cursor: str | None = Field(None, pattern=r"^[0-9a-f]{16}:\d{1,12}$")


class TaskRunPage(WireModel):
    """GET /satflow/runs/<id>/tasks?cursor=: the task runs that changed after the cursor.

    `reset`: the browser discards what it has, because its cursor is unknown. `more`: another page is available at once. `total`
    is the number of task runs in Prefect, of which some may not be read yet. `time` is the server's time.
    """

    reset: bool
    task_runs: tuple[TaskRun, ...]
    cursor: str
    more: bool
    total: int
    time: datetime


class StateChange(WireModel):
    """A state that a run or task run had since `time`."""

    type: StateType
    name: str
    time: datetime
    message: str | None


class TaskRunInput(WireModel):
    """An argument of a task run. `task_runs` are the first of the `count` task runs whose results are in its value."""

    name: str
    task_runs: tuple[str, ...]
    count: int


class TaskRunDetail(WireModel):
    """GET /satflow/runs/<id>/tasks/<task run id>: its states, oldest first, and the origins of its arguments."""

    id: str
    states: tuple[StateChange, ...]
    inputs: tuple[TaskRunInput, ...]


class FailureFrame(WireModel):
    """One frame of a traceback.

    `file` is a path, or only its last part if the run's redaction policy removes folders. `code` is the line of code, None if
    neither the traceback nor the version has it. `package` is the import name of the library that contains the frame ("" if the
    traceback does not show it), and None for the user's own code. `cell` is the hash of the cell's text, by which
    `Failure.cells` and the cells of a notebook are found; None if the frame is not in a cell.
    """

    file: str
    line: int
    function: str
    code: str | None
    package: str | None
    cell: str | None


class FailureException(WireModel):
    """An exception of a traceback, with its frames; the innermost frame is the last.

    `relation` is "cause" or "context" if it led to the next exception, "member" if an exception group contains it, and None for
    the exception that ended the run.
    """

    type: str
    message: str
    relation: Literal["cause", "context", "member"] | None
    frames: tuple[FailureFrame, ...]


class FailureCell(WireModel):
    """A cell with a frame of the traceback, as it was when the flow was registered. `number` is its execution count then."""

    hash: str
    number: int
    text: str


class FailedInput(WireModel):
    """An input of a failed task run. `value` is a short form, None if the run did not record it on this machine.

    `tasks` are the names of the task runs that produced it. `not_kept` is the reason why the store does not have it, as the end
    of a sentence; None if it has, or if the reason is unknown.
    """

    name: str
    value: str | None
    tasks: tuple[str, ...]
    not_kept: str | None


class FailedTask(WireModel):
    """The task run whose exception ended the flow run. `kept`: its inputs are in the store."""

    id: str
    name: str
    kept: bool
    inputs: tuple[FailedInput, ...]


class Failure(WireModel):
    """The failure of a run.

    `cause` is the text of the exception, and `traceback` the raw traceback from the run's log; `exceptions` are parsed from it,
    in its order. `cells` and `notebook` are those of the version that ran, if it can be read. `notebook_path` is the notebook's
    path for this Jupyter server, None if the server does not have it.
    """

    cause: str
    traceback: str | None
    exceptions: tuple[FailureException, ...] = ()
    task: FailedTask | None = None
    version: int | None = None
    cells: tuple[FailureCell, ...] = ()
    notebook: str | None = None
    notebook_path: str | None = None


class RunLink(WireModel):
    """A flow run that contains another one, or that another one contains."""

    id: str
    name: str
    flow_name: str


class Artifact(WireModel):
    """A Prefect artifact. `nested_run` is the nested flow run that created it, None if it was the run itself."""

    id: str
    nested_run: RunLink | None
    key: str | None
    type: str | None
    description: str | None
    data: JsonValue


class RunOrigin(WireModel):
    """The origin of a run. `name` is that of the schedule or automation, if Prefect has one.

    "flow": another flow called it. "user": a request to the Prefect API, such as from the sidebar, a notebook or a terminal.
    """

    kind: Literal["user", "schedule", "automation", "flow"]
    name: str | None


class RunDetail(WireModel):
    """GET /satflow/runs/<id>.

    `parents` are the flow runs that contain this one, the outermost first. `artifacts` are those of the run and of its nested
    runs, oldest first. `states` are all states of the run, oldest first. `job_variables` are those of the deployment, replaced by
    those of the run. `settled`: the run ended long enough ago that Prefect has recorded all of its task runs.
    """

    run: Run
    parents: tuple[RunLink, ...]
    failure: Failure | None
    artifacts: tuple[Artifact, ...]
    states: tuple[StateChange, ...]
    origin: RunOrigin
    job_variables: JsonObject
    settled: bool


class RunVersion(WireModel):
    """GET /satflow/runs/<id>/version: the version of the deployment that ran, as far as the store has it.

    `number` is None if the run has not started or the version is unknown. `defaults` are the values of the parameters in the
    flow's signature; the Prefect API does not receive them.
    """

    number: int | None
    defaults: JsonObject


class ResultTable(WireModel):
    """The beginning of a table: its columns, and its rows as text.

    `row_count` and `column_count` are those of the whole table.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_count: int
    column_count: int


class ResultPreview(WireModel):
    """GET /satflow/runs/<id>/result: what the flow returned, as far as it can be shown.

    "none": the flow returned None. "text", "table" and "image" have the field of that name; `image` is a PNG in base64. "object":
    a pickle, which is never read in the Jupyter server. "large": larger than a preview.
    `format` is the format in the store, None if the flow returned None; `size` is the size in bytes.
    """

    kind: Literal["none", "text", "table", "image", "object", "large"]
    format: str | None
    size: int
    text: str | None
    table: ResultTable | None
    image: str | None


class DebugRequest(WireModel):
    """POST /satflow/runs/<id>/debug: load the run into a kernel.

    `task` is the name or id of a failed task run, or the name of its task; None for the one whose exception ended the run.
    """

    kernel_id: str
    task: str | None = None


class DebugCell(WireModel):
    """The text of a cell that repeats the failed call, and the variable that it uses."""

    variable: str
    source: str


class LogLine(WireModel):
    """One line of a run's log. `seq` counts from 0 in the order in which the server read the lines; sort by (`time`, `seq`)."""

    seq: int
    id: str
    time: datetime
    level: int
    logger: str
    message: str
    task_run_id: str | None


# --- clusters ---------------------------------------------------------------------------------------------------------


class ClusterWorker(WireModel):
    """One Dask worker.

    `state` is distributed's own term, such as "running" or "paused" (it accepts no tasks because its memory is nearly full).
    `cpu` is in percent of one core. The others are in bytes: `memory` of the process, `managed` (the part of it that holds
    results of tasks; Dask does not manage the rest), `spilled` (results on disk), and `memory_limit` (0: none).
    """

    name: str
    threads: int
    state: str
    cpu: float
    memory: int
    managed: int
    spilled: int
    memory_limit: int
    executing: int
    ready: int


class ClusterEvent(WireModel):
    """An event of a cluster.

    A Dask worker "joined", "left" as requested, was "lost", or was "replaced": `worker` replaces a lost one. `tasks` is the
    number of tasks that a lost worker had started or completed and that run again. "unreachable" and "back" refer to the
    scheduler.
    """

    time: datetime
    kind: Literal["joined", "left", "lost", "replaced", "unreachable", "back"]
    worker: str | None
    tasks: int


class ClusterStatus(WireModel):
    """A Dask cluster of one flow run as reported by that run, or (`run_id` None) a deployment's cluster, also between its runs.

    `plan` is the intended number of Dask workers and `requested` the requested number (None if not reported). `observed` is the
    number of connected workers. `pending` explains why they are fewer, or why tasks find no worker. `tasks` counts the
    scheduler's tasks by distributed's state names. `events` are the latest, oldest first. `dashboard` is the address of Dask's
    dashboard as `host:port`, None if there is none.
    """

    run_id: str | None
    run_name: str | None
    deployment_id: str | None
    deployment_name: str | None
    executor: str
    state: Literal["starting", "running", "lost", "closed"]
    problem: str | None
    plan: int | None
    requested: int | None
    observed: int
    pending: str | None
    worker_size: str | None
    tasks: dict[str, int]
    workers: tuple[ClusterWorker, ...]
    events: tuple[ClusterEvent, ...]
    dashboard: str | None
    started: datetime
    updated: datetime


class ClusterMoment(WireModel):
    """One sample of a cluster, over all of its Dask workers: `cpu` in cores, memory in bytes.

    `held` is the number of tasks that are ready but not running: queued, or without a Dask worker that can run them.
    """

    time: datetime
    plan: int | None
    observed: int
    processing: int
    held: int
    cpu: float
    memory: int
    managed: int
    spilled: int


class ClusterList(WireModel):
    """GET /satflow/clusters."""

    clusters: tuple[ClusterStatus, ...]


class StartCluster(WireModel):
    """Start the cluster ahead of runs; no effect on a running cluster."""

    do: Literal["start"] = "start"


class ScaleCluster(WireModel):
    """A fixed number of Dask workers."""

    do: Literal["scale"] = "scale"
    workers: int = Field(ge=1, le=1024)


class AdaptCluster(WireModel):
    """A number of Dask workers that adapts to the work, between a minimum and a maximum."""

    do: Literal["adapt"] = "adapt"
    minimum: int = Field(0, ge=0, le=1024)
    maximum: int = Field(ge=1, le=1024)

    @field_validator("maximum")
    @classmethod
    def _not_below_minimum(cls, maximum: int, info: ValidationInfo) -> int:
        if maximum < info.data.get("minimum", 0):
            raise PydanticCustomError("contradiction", "must not be less than the minimum")
        return maximum


class RestartCluster(WireModel):
    """Stop the cluster and start another one; runs that use it fail."""

    do: Literal["restart"] = "restart"


class ClusterOrder(WireModel):
    """POST /satflow/deployments/<id>/cluster: an order for the shared cluster of a deployment."""

    order: Annotated[StartCluster | ScaleCluster | AdaptCluster | RestartCluster, Field(discriminator="do")]


class SharedCluster(WireModel):
    """A cluster that a deployment keeps between its runs, such as a shared cluster. `state` "none": there is no cluster now.

    `gateway` is the name of a Dask Gateway in the settings, "" for the local stack's gateway, None for a cluster at an address.
    `workers` is the number of connected Dask workers, `plan` the intended number. `why` explains why they are fewer, or why the
    scheduler does not respond. If the scheduler was not queried, `plan` and `why` are None.
    """

    deployment_id: str
    deployment_name: str
    gateway: str | None
    state: Literal["none", "starting", "running", "lost"]
    workers: int
    plan: int | None
    why: str | None
    worker_size: str | None
    started: datetime | None


# --- the local stack --------------------------------------------------------------------------------------------------


class StackStatus(WireModel):
    """The Prefect API and the store in use, and their state.

    `kind` "local" is the stack that SatFlow runs on this machine, "configured" is the one in the settings. `step` is the current
    step while `state` is "starting", and the error when it is "failed". `stays`: the stack keeps running after the last
    JupyterLab and terminal have ended. `prefect_profile` is the name of Prefect's profile that has the address.
    """

    kind: Literal["local", "configured"]
    state: Literal["stopped", "starting", "ready", "failed"]
    step: str | None
    prefect_api: str | None
    prefect_profile: str | None
    store: str | None
    stays: bool


# --- the websocket: /satflow/stream -----------------------------------------------------------------------------------


class Subscribe(WireModel):
    """Browser → server. `run_id` is needed for "logs" and "cluster"; `cursor` is the last one received, None at first."""

    type: Literal["subscribe"] = "subscribe"
    topic: Literal["runs", "logs", "cluster", "clusters"]
    run_id: str | None = None
    cursor: str | None = None


class Unsubscribe(WireModel):
    """Browser → server."""

    type: Literal["unsubscribe"] = "unsubscribe"
    topic: Literal["runs", "logs", "cluster", "clusters"]
    run_id: str | None = None


StreamRequest = Annotated[Subscribe | Unsubscribe, Field(discriminator="type")]


class RunsFrame(WireModel):
    """A hint that the list of runs changed; the client reads it again."""

    type: Literal["runs.v1"]


class LogsFrame(WireModel):
    """Log lines after the subscriber's cursor.

    `reset`: the cursor was no longer valid; the client discards its lines of this run, and these replace them. `ended`: the run
    is over and no line will follow. `cursor` goes into the next `Subscribe` after a disconnection.
    """

    type: Literal["logs.v1"]
    run_id: str
    reset: bool
    lines: tuple[LogLine, ...]
    cursor: str
    ended: bool


class ClusterFrame(WireModel):
    """The newest status of a run's cluster, None if it has none.

    `moments` are the samples since the previous frame; in the first frame, those of the last minutes.
    """

    type: Literal["cluster.v1"]
    run_id: str
    status: ClusterStatus | None
    moments: tuple[ClusterMoment, ...]


class ClustersFrame(WireModel):
    """The newest status of every cluster: of runs on this machine, and of deployments that keep one between runs.

    `absent` are the ids of deployments that can have a cluster, were checked, and have none now. `moments`, by run or deployment
    id, are the samples since the previous frame; for a cluster that is new in this frame, those of the last minutes.
    """

    type: Literal["clusters.v1"]
    clusters: tuple[ClusterStatus, ...]
    absent: tuple[str, ...]
    moments: dict[str, tuple[ClusterMoment, ...]]


class ErrorFrame(WireModel):
    """An error of one subscription; the socket stays open."""

    type: Literal["error.v1"]
    topic: str | None
    run_id: str | None
    error: ErrorBody


StreamFrame = Annotated[RunsFrame | LogsFrame | ClusterFrame | ClustersFrame | ErrorFrame, Field(discriminator="type")]


# --- from the kernel to registration ----------------------------------------------------------------------------------


class PackedFlow(WireModel):
    """A pickled flow, before it has a deployment, a version and an envelope.

    `body` is the path of a private file with the cloudpickle bytes; the client that requested the packing deletes it. Copies of
    `files` are next to it, in a folder `files`, each named by the 64 digits of its digest. `parameters` are the given values, as
    JSON from which a run restores the values of a direct call, and `schedule_parameters` those of each schedule. `exact` is the
    fingerprint with all captured data hashed in full, these files included, whereas `flow.fingerprint` samples large data to stay
    fast. `uses` lists the installed distributions that the flow refers to. With `git`, runs load that file, and `body` only
    refers to it. `hooks` are the kinds of hooks that the flow has and that its process does not call. `warnings` are possible
    problems at run time.
    """

    flow: LiveFlow
    parameters: JsonObject
    schedule_parameters: tuple[JsonObject, ...] = ()
    body: str
    size: int
    exact: str
    environment: Environment
    uses: tuple[str, ...]
    source: Source
    files: tuple[CarriedFile, ...] = ()
    git: GitFile | None = None
    hooks: tuple[HookKind, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def store_parameters(self, registration: Registration) -> Registration:
        """Return the registration with its parameters, and those of its schedules, in their stored form."""
        chosen = {name: getattr(registration, name) for name in Registration.model_fields}
        schedules = tuple(
            schedule.model_copy(update={"parameters": stored})
            for schedule, stored in zip(registration.schedules, self.schedule_parameters, strict=True)
        )
        return Registration.model_validate({**chosen, "parameters": self.parameters, "schedules": schedules})

    def list_copies(self) -> tuple[Path, ...]:
        """Return the paths of the copies of `files`, in their order."""
        folder = Path(self.body).parent / "files"
        return tuple(folder / file.digest.removeprefix("sha256:") for file in self.files)
