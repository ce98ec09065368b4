"""The wire models: what kernel, Jupyter server and browser say to each other.

This file is the REST contract. `scripts/contract` turns it into `src/_api.ts`; CI fails when the two differ.

Requests may have defaults, replies have none: a reply that leaves a field out is a bug, and the browser never has to guess
what `undefined` means. Words are Prefect's (docs/architecture.md, "Words"). Sizes are bytes, durations are seconds, times are
timezone-aware, and memory is what `distributed` calls managed plus unmanaged (`metrics["memory"]`) unless said otherwise.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from satflow_ext.errors import SatflowError

JsonObject = dict[str, JsonValue]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
AS_FLOW_SAYS = "flow"
"""The executor that does what the flow's own task runner does."""
UNSAFE = frozenset("\\\x7f") | set(map(chr, range(32)))
OWN_FILES = "satflow_"
"""What the names of SatFlow's own files in a run's folder begin with."""


class Wire(BaseModel):
    """A value that crosses a process border: immutable, and with no field that the other side does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- errors -----------------------------------------------------------------------------------------------------------


class ErrorBody(Wire):
    """Every 4xx and 5xx reply.

    `error` is the name of the class in `satflow_ext.errors`, `field` the form field the mistake stands in (dotted path of
    the request model), and `fix` what the user can do next.
    """

    error: str
    message: str
    fix: str | None
    field: str | None

    @classmethod
    def of(cls, error: SatflowError) -> ErrorBody:
        """What tells of an error on the other side of a border."""
        return cls(error=type(error).__name__, message=error.message, fix=error.fix, field=error.field)


# --- flows that live in a kernel --------------------------------------------------------------------------------------


class Parameter(Wire):
    """One parameter of a flow as its signature spells it. `default` is a repr for reading, not a value."""

    name: str
    annotation: str
    required: bool
    default: str | None


class LiveFlow(Wire):
    """A `@flow` object in a kernel's namespace.

    `parameter_schema` is Prefect's JSON schema of the signature, defaults included; it goes to the browser and never to the
    Prefect API. `fingerprint` changes when the flow, or anything it reaches, changes. `cell` is the execution count of the
    cell that defined it, None where it was imported. `task_runner` is None where the flow names none.
    """

    name: str
    variable: str
    doc: str
    cell: int | None
    parameters: tuple[Parameter, ...]
    parameter_schema: JsonObject
    fingerprint: str
    task_runner: FlowTaskRunner | None = None


class FlowList(Wire):
    """The flows of one kernel, in the order in which their variables were made.

    `notebook` is the path of the kernel's notebook with links resolved, None where Jupyter did not give one to the kernel.
    """

    flows: tuple[LiveFlow, ...]
    at: datetime
    notebook: str | None = None


# --- the choices a registration makes ---------------------------------------------------------------------------------


class ExecutorChoice(Wire):
    """How tasks run. `options` are those of the executor's own model (see `ExecutorInfo.options_schema`).

    `from_flow`: the executor does what the flow's own task runner does, and was chosen for that (`AS_FLOW_SAYS`).
    """

    name: str = AS_FLOW_SAYS
    options: JsonObject = {}
    from_flow: bool = False

    @property
    def arguments(self) -> str:
        """The options that have a value, as arguments are written: `n_workers=2, worker_size='large'`."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)


class FlowTaskRunner(Wire):
    """The task runner that a flow names.

    `text` is its class with the arguments that are known. `executor` does the same; None: none does, and runs use the task
    runner itself.
    """

    text: str
    executor: ExecutorChoice | None


class NoSchedule(Wire):
    """Runs start by hand only."""

    kind: Literal["none"] = "none"


class CronSchedule(Wire):
    """A five-field cron line, read in an IANA time zone."""

    kind: Literal["cron"] = "cron"
    cron: str
    timezone: str = "UTC"


class IntervalSchedule(Wire):
    """Every so many seconds, counted in an IANA time zone."""

    kind: Literal["interval"] = "interval"
    seconds: float
    timezone: str = "UTC"


Schedule = Annotated[NoSchedule | CronSchedule | IntervalSchedule, Field(discriminator="kind")]


EnvironmentPolicy = Literal["warn", "refuse", "recreate"]
MissedRuns = Literal["last", "all", "none"]
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
SecretName = Annotated[str, Field(pattern=VARIABLE_NAME)]
"""The name of a credential, which becomes that of an environment variable."""

IMAGE = (
    r"^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$"
)
"""A container image's reference, as the distribution project writes its grammar."""


class Infrastructure(Wire):
    """What each flow run is started with, where its work pool's Prefect workers start runs in containers (docs/containers.md).

    `cpu` in cores, `memory` in GiB. `env` are environment variables, which Prefect stores readable: no place for credentials.
    `job_variables` are what else the work pool takes, by the names in its base job template.
    """

    image: str | None = Field(None, pattern=IMAGE, max_length=1024)
    cpu: float | None = Field(None, ge=0.001, le=4096)
    memory: float | None = Field(None, ge=0.001, le=65536)
    gpus: int | None = Field(None, ge=1, le=64)
    env: dict[Annotated[str, Field(pattern=VARIABLE_NAME)], str] = {}
    job_variables: JsonObject = {}


class Registration(Wire):
    """What a user decides about a deployment, whichever way she says it: form, magic, Python or command line.

    `name` is the deployment's (default: the flow's name). `work_pool` None means the local stack's, or the one in settings.
    `include` names data files that travel with the flow: glob patterns or folders, relative to the notebook's folder.
    `environment` says what happens where a run's packages are not those of the registration (docs/environment.md). `secrets`
    are names of credentials that the flow needs; their values are found where it runs (docs/secrets.md). `infrastructure` is
    what the work pool starts its runs with. `missed_runs` says which scheduled runs start that were missed while the local stack
    or the machine was off.
    """

    name: str | None = None
    parameters: JsonObject = {}
    executor: ExecutorChoice = ExecutorChoice()
    schedule: Schedule = NoSchedule()
    work_pool: str | None = None
    infrastructure: Infrastructure = Infrastructure()
    tags: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    environment: EnvironmentPolicy = "warn"
    missed_runs: MissedRuns = "last"
    secrets: tuple[SecretName, ...] = ()


class WrittenRegistration(Registration):
    """A registration of a command line or a magic, whose parameters are text until the kernel reads them by their types."""

    parameter_texts: dict[str, str] = {}


class RegisterRequest(Registration):
    """POST /satflow/deployments. `variable` names the flow in the kernel; `notebook` is its path as JupyterLab shows it.

    A choice that is the same as in the version before leaves alone what somebody has changed in Prefect since;
    `overwrite` puts it there all the same, and takes a deployment that somebody else than SatFlow made. `replaces` are the ids
    of the deployments that this may become the next version of, None for any.
    """

    kernel_id: str
    variable: str
    notebook: str | None = None
    overwrite: bool = False
    replaces: tuple[str, ...] | None = None

    @property
    def registration(self) -> Registration:
        """What was decided, without where the flow is."""
        return Registration.model_validate(self.model_dump(include=set(Registration.model_fields)))


class PreflightRequest(RegisterRequest):
    """POST /satflow/preflight: what would travel. With `rehearse`, the flow content is also loaded in a clean process."""

    rehearse: bool = False


class Captured(Wire):
    """Something that travels by value: the way the flow reaches it, its type, and about how many bytes of data it leads to."""

    where: str
    type: str
    size: int


class Included(Wire):
    """A data file that would travel, by its place below the notebook's folder; `size` in bytes."""

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


class Finding(Wire):
    """One thing that the pre-flight report says. An "error" stops the registration, a "warning" may bite when the flow runs."""

    kind: FindingKind
    level: Literal["error", "warning"]
    where: str
    message: str
    fix: str | None

    @classmethod
    def of(cls, error: SatflowError, kind: FindingKind, where: str) -> Finding:
        """What an error says, as a finding, which is put into a sentence by who shows it."""
        return cls(kind=kind, level="error", where=where, message=error.message.removesuffix("."), fix=error.fix)

    @property
    def sentence(self) -> str:
        """Where, what and what next, for a line of text."""
        return f"{self.where}: {self.message}.{f' {self.fix}' if self.fix else ''}"


class Preflight(Wire):
    """The pre-flight report: what would travel and what speaks against it. Nothing was sent.

    `size` of the pickle is None where the flow cannot be pickled; `captured` and `files` are sorted, the biggest first.
    `packages` are the installed distributions that the flow refers to. `rehearsed` is in seconds, None where loading was not
    asked for or failed. `task_runner` is the flow's own (see `LiveFlow`).
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
    def refused(self) -> bool:
        """Whether registering would fail."""
        return any(finding.level == "error" for finding in self.findings)


class SchedulePreviewRequest(Wire):
    """POST /satflow/schedules/preview."""

    schedule: Schedule
    count: int = Field(5, ge=1, le=25)


class SchedulePreview(Wire):
    """The next runs, computed by Prefect's own schedule classes."""

    next_runs: tuple[datetime, ...]


class ExecutorInfo(Wire):
    """One entry of the executor catalogue, enough to draw its card and its form."""

    name: str
    title: str
    purpose: str
    starts: str
    options_schema: JsonObject


class WorkerSize(Wire):
    """A named size of one Dask worker: memory in bytes. `available` says whether this machine can give it, `reason` why not."""

    name: str
    cores: int
    memory: int
    gpus: int
    available: bool
    reason: str | None


class ClusterClassRequest(Wire):
    """POST /satflow/cluster-classes: what a back end of the executor `dask-cluster` can be told, as runs of a kernel find it.

    `name` is the back end's, such as `module:Class`, whose module is imported for it in a process of its own.
    """

    kernel_id: str
    name: str = Field(min_length=1, max_length=1024)


class ClusterClass(Wire):
    """What the class of a back end can be told, from its signature, documentation and Dask's configuration.

    `open` says that it takes other keyword arguments as well; `hidden` are those that are called like credentials, which have
    no place in a registration.
    """

    name: str
    purpose: str
    options_schema: JsonObject
    open: bool
    hidden: tuple[str, ...]


InfrastructureField = Literal["image", "cpu", "memory", "gpus", "env"]


class WorkPool(Wire):
    """A Prefect work pool and how many Prefect workers poll it now.

    `takes` are the fields of `Infrastructure` that it has a place for, and `job_variables` is the schema of what else it takes.
    """

    name: str
    type: str
    paused: bool
    online_workers: int
    takes: tuple[InfrastructureField, ...]
    job_variables: JsonObject


class Catalogue(Wire):
    """GET /satflow/catalogue: everything the register form offers.

    `cores` and `memory` (bytes) are those of this machine, None where runs happen elsewhere.
    """

    executors: tuple[ExecutorInfo, ...]
    worker_sizes: tuple[WorkerSize, ...]
    work_pools: tuple[WorkPool, ...]
    default_work_pool: str | None
    cores: int | None
    memory: int | None


# --- deployments ------------------------------------------------------------------------------------------------------


class Change(Wire):
    """One thing that differs, worded for reading. `before` None: it was not there; `after` None: it is not there any more."""

    name: str
    before: str | None
    after: str | None


class Deployment(Wire):
    """A flow that was registered, as Prefect has it, with what its manifest in the store adds.

    `manifest_problem` says why the manifest could not be read; then `executor`, `fingerprint`, `notebook`, `environment`,
    `missed_runs`, `secrets`, `include`, `infrastructure` and `registered_at` are None. `parameter_schema` carries the defaults
    only when the manifest could be read. `drift` is what somebody has changed in Prefect since it was registered: `before` was
    registered, `after` is live. `needed` says what its last runs on this machine needed of their worker size, None where
    nothing is known of it. `notebook_file` is the path of `notebook` with links resolved, None where the Jupyter server's
    machine has no such file.
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
    schedule: Schedule
    paused: bool
    work_pool: str | None
    tags: tuple[str, ...]
    next_runs: tuple[datetime, ...]
    drift: tuple[Change, ...]
    needed: str | None = None
    notebook_file: str | None = None


class DeploymentList(Wire):
    """GET /satflow/deployments, newest first."""

    deployments: tuple[Deployment, ...]


def carried_path(path: str) -> str:
    """A path that stays below the folder it is joined to, and is none of SatFlow's own files there.

    Raises:
        ValueError: it does not.
    """
    parts = path.split("/")
    if not set(parts).isdisjoint({"", ".", ".."}) or not UNSAFE.isdisjoint(path):
        raise ValueError("must be a plain relative path")
    path.encode()  # a name that is no UTF-8 cannot be written down
    if parts[0].startswith(OWN_FILES):
        raise ValueError(f"names that begin with {OWN_FILES} are taken by SatFlow")
    return path


class CarriedFile(Wire):
    """A data file that travels with a flow. `path` is relative, with slashes: where it lies in a run's working directory."""

    path: Annotated[str, AfterValidator(carried_path)]
    size: int = Field(ge=0)
    digest: Digest


class Registered(Wire):
    """What registering did, or rolling back.

    `content_size` is the flow content's size in bytes, without the `files` that travel with it. "restored": the version stays,
    and what somebody had changed in Prefect is as the version says again. `kept` is what somebody had changed in Prefect and
    what was left so: `before` was registered, `after` is live. `warnings` are those of the pre-flight report that cost nothing
    to find while packing.
    """

    deployment: Deployment
    outcome: Literal["created", "changed", "unchanged", "restored"]
    content: Digest
    content_size: int
    manifest: Digest
    files: tuple[CarriedFile, ...]
    kept: tuple[Change, ...]
    warnings: tuple[Finding, ...]


class PauseRequest(Wire):
    """PATCH /satflow/deployments/<id>: pause or resume all schedules."""

    paused: bool


# --- what a version is made of ----------------------------------------------------------------------------------------


class Origin(Wire):
    """Where a distribution was installed from, when not from an index (`direct_url.json`, PEP 610).

    `url` is without user name and password. `vcs`, `commit` and `subdirectory` are of a checkout, `sha256` of an archive, in
    hex; `editable` says that it runs from a folder of its own.
    """

    url: str
    vcs: str | None
    commit: str | None
    subdirectory: str | None
    sha256: str | None
    editable: bool


class Distribution(Wire):
    """An installed distribution.

    `name` is normalised (PEP 503). `files` is a digest of what its RECORD says of its files, the same for one wheel whichever
    installer put it there, and of no use as a pip hash. `origin` None: it came from an index.
    """

    name: str
    version: str
    files: Digest
    origin: Origin | None


class Environment(Wire):
    """The interpreter that packed a flow, and everything that was installed for it: the lock.

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


class Cell(Wire):
    """A cell's text and execution count. `file` is the name that its code objects carry, as it stands in tracebacks.

    `setup`: it runs again in every run, before the flow is loaded.
    """

    file: str
    number: int
    text: str
    setup: bool = False


class SourceFile(Wire):
    """The text of a local file, as it stood on disk when the flow was packed. `path` is below its import path."""

    path: str
    text: str


class Commit(Wire):
    """The commit that a git repository stood at. `dirty` tells of changes that were not committed, None where git did not say."""

    id: str
    dirty: bool | None


class GitFile(Wire):
    """A file of a git repository that a run loads its flow from, in the place of a pickle.

    `repository` is an address without credentials, `commit` what is checked out, `path` the file's in it. `tree` is git's own
    name for what the file's folder holds, and so for all that the file can import from beside it.
    """

    repository: str
    commit: str
    path: str
    tree: str


class Source(Wire):
    """Where a flow comes from.

    `cells` are the cells that define what the flow reaches, in the order of their execution; `files` the local files. `commit`
    is of the repository that the notebook's folder belongs to, None where there is none, or no git.
    """

    notebook: str | None
    commit: Commit | None
    cells: tuple[Cell, ...]
    files: tuple[SourceFile, ...]


# --- versions ---------------------------------------------------------------------------------------------------------


class VersionRecord(Wire):
    """What a version's manifest says, in short.

    `content_size` is in bytes; `content_kept` tells whether the store still has the content, None where it did not say.
    `restores` is the number of the version that a rollback brought back; `summary` is one line about what changed.
    """

    registered_at: datetime
    registered_by: str
    notebook: str | None
    content_size: int
    content_kept: bool | None
    restores: int | None
    summary: str


class Version(Wire):
    """One version. `problem` says why its manifest cannot be read; then there is no `record`."""

    number: int
    manifest: Digest
    live: bool
    problem: str | None
    record: VersionRecord | None


class VersionQuery(Wire):
    """The query of GET /satflow/deployments/<id>/versions: `limit` versions older than `before`."""

    before: int | None = Field(None, ge=1)
    limit: int = Field(20, ge=1, le=100)


class VersionList(Wire):
    """GET /satflow/deployments/<id>/versions, newest first.

    `next` is the `before` of the next page, None where there is none. `lost` says why nothing older is known although
    there was something.
    """

    deployment_id: str
    versions: tuple[Version, ...]
    next: int | None
    lost: str | None


class VersionDetail(Wire):
    """GET /satflow/deployments/<id>/versions/<number>. `chosen` is everything that was decided when it was registered."""

    version: Version
    chosen: Registration
    python: str
    source: Source


class CodeChange(Wire):
    """A function, a class, or the other statements of a cell or file that differ. `diff` is a unified diff."""

    name: str
    kind: Literal["function", "class", "statements"]
    change: Literal["added", "removed", "changed"]
    diff: str


class TaskChange(Wire):
    """The tasks (and subflows) that a flow calls, as its source says: in order, each with the results that it takes.

    `rewired` tells that the calls of tasks which are in both differ in order, in number or in what they take. `unsaid` lists
    what cannot be told from the source.
    """

    flow: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rewired: bool
    unsaid: tuple[str, ...]


class VersionDiff(Wire):
    """GET /satflow/deployments/<id>/versions/<before>/diff/<after>.

    `choices` are schedule, default parameters, tags, work pool and whatever else was chosen; `environment` is the interpreter.
    `unexplained` says that the flow differs in a way that no source tells, such as in data that it captured.
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


class RollbackRequest(Wire):
    """POST /satflow/deployments/<id>/rollback → Registered."""

    version: int = Field(ge=1)


# --- runs -------------------------------------------------------------------------------------------------------------

StateType = Literal[
    "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"
]


class RunRequest(Wire):
    """POST /satflow/runs. `idempotency_key` is one per press of the button: sent twice, it makes one run."""

    deployment_id: str
    parameters: JsonObject = {}
    idempotency_key: str


class Run(Wire):
    """A flow run. `why_waiting` says in words why a run that should have started has not; `duration` is in seconds."""

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
    scheduled: bool
    last_line: str | None
    why_waiting: str | None


class RunQuery(Wire):
    """The query of GET /satflow/runs. Without `state_type`, runs that a schedule has planned for later are left out."""

    deployment_id: str | None = None
    state_type: StateType | None = None
    limit: int = Field(50, ge=1, le=200)


class RunList(Wire):
    """GET /satflow/runs?deployment_id=&state_type=&limit=, newest first."""

    runs: tuple[Run, ...]


class TaskRun(Wire):
    """A task run. `interrupted` marks one that Prefect still calls running although its flow run has ended."""

    id: str
    name: str
    task: str
    state_type: StateType
    state_name: str
    start: datetime | None
    end: datetime | None
    duration: float
    interrupted: bool


class Failure(Wire):
    """Why a run failed: the last line of the traceback, and the traceback as it stands in the run's log."""

    cause: str
    traceback: str | None


class Artifact(Wire):
    """A Prefect artifact of a run."""

    id: str
    key: str | None
    type: str | None
    description: str | None
    data: JsonValue


class RunDetail(Wire):
    """GET /satflow/runs/<id>.

    `settled`: the run is over, and for so long that Prefect has recorded all of its task runs.
    """

    run: Run
    tasks: tuple[TaskRun, ...]
    failure: Failure | None
    artifacts: tuple[Artifact, ...]
    settled: bool


class LogLine(Wire):
    """One line of a run's log. `seq` counts from 0 in the order in which the server saw it; sort by (`time`, `seq`)."""

    seq: int
    id: str
    time: datetime
    level: int
    logger: str
    message: str
    task_run_id: str | None


# --- clusters ---------------------------------------------------------------------------------------------------------


class ClusterWorker(Wire):
    """One Dask worker.

    `state` is distributed's own word, such as "running" or "paused" (it takes no tasks because its memory is nearly full). `cpu`
    is in percent of one core; the others in bytes: `memory` that the process holds, the part of it that is results of tasks
    (`managed`, the rest is not Dask's), results on disk (`spilled`), and `memory_limit` (0: none).
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


class ClusterEvent(Wire):
    """Something that happened to a cluster.

    A Dask worker "joined", "left" as it was told to, was "lost", or was "replaced": `worker` has come for one that was lost.
    `tasks` is how many a lost one had begun or done that are done again. "unreachable" and "back" are its scheduler's.
    """

    time: datetime
    kind: Literal["joined", "left", "lost", "replaced", "unreachable", "back"]
    worker: str | None
    tasks: int


class ClusterStatus(Wire):
    """A Dask cluster of one flow run as the flow run itself sees it, or (`run_id` None) of a deployment, also between its runs.

    `plan` is how many Dask workers it should have and `requested` how many were asked for (None where nobody says), `observed`
    how many have checked in, `pending` why they are fewer, or why tasks find none. `tasks` counts the scheduler's tasks by
    distributed's own state names. `events` are the latest, oldest first. `dashboard` is where Dask's own pages are,
    as `host:port`, None where none are served.
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


class ClusterMoment(Wire):
    """One moment of a cluster, over all of its Dask workers: `cpu` in cores, memory in bytes.

    `held` are tasks that could run and do not: queued, or without a Dask worker that can take them.
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


class ClusterList(Wire):
    """GET /satflow/clusters."""

    clusters: tuple[ClusterStatus, ...]


class StartCluster(Wire):
    """Start the cluster ahead of runs; nothing is done where it runs."""

    do: Literal["start"] = "start"


class ScaleCluster(Wire):
    """A fixed number of Dask workers."""

    do: Literal["scale"] = "scale"
    workers: int = Field(ge=1, le=1024)


class AdaptCluster(Wire):
    """As many Dask workers as there is work for, between two numbers."""

    do: Literal["adapt"] = "adapt"
    minimum: int = Field(0, ge=0, le=1024)
    maximum: int = Field(ge=1, le=1024)

    @field_validator("maximum")
    @classmethod
    def _not_below_minimum(cls, maximum: int, info: ValidationInfo) -> int:
        if maximum < info.data.get("minimum", 0):
            raise PydanticCustomError("contradiction", "must not be less than the minimum")
        return maximum


class RestartCluster(Wire):
    """End the cluster and start another one; runs that use it fail."""

    do: Literal["restart"] = "restart"


class ClusterOrder(Wire):
    """POST /satflow/deployments/<id>/cluster: what the cluster that a deployment's runs share is to do."""

    order: Annotated[StartCluster | ScaleCluster | AdaptCluster | RestartCluster, Field(discriminator="do")]


class SharedCluster(Wire):
    """A cluster that a deployment has also between its runs, such as one that they share. `state` "none": it has none now.

    `gateway` is the name of a Dask Gateway in the settings, "" for the local stack's own, None where it is at an address.
    `workers` have checked in, of the `plan` that there should be; `why` says why they are fewer, or why the scheduler does not
    answer. Where nobody asked the scheduler, `plan` and `why` are None.
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


class StackStatus(Wire):
    """Where runs go and whether that place answers.

    `kind` "local" is the stack SatFlow runs on this machine, "configured" is what the settings name. `step` says what is
    being waited for while `state` is "starting", and what went wrong when it is "failed". `stays` tells whether it goes on
    after the last JupyterLab and terminal has gone.
    """

    kind: Literal["local", "configured"]
    state: Literal["stopped", "starting", "ready", "failed"]
    step: str | None
    prefect_api: str | None
    store: str | None
    stays: bool


# --- the websocket: /satflow/stream -----------------------------------------------------------------------------------


class Subscribe(Wire):
    """Browser → server. `run_id` is needed for "logs" and "cluster"; `cursor` is the last one received, None at first."""

    type: Literal["subscribe"] = "subscribe"
    topic: Literal["runs", "logs", "cluster", "clusters"]
    run_id: str | None = None
    cursor: str | None = None


class Unsubscribe(Wire):
    """Browser → server."""

    type: Literal["unsubscribe"] = "unsubscribe"
    topic: Literal["runs", "logs", "cluster", "clusters"]
    run_id: str | None = None


StreamRequest = Annotated[Subscribe | Unsubscribe, Field(discriminator="type")]


class RunsFrame(Wire):
    """A hint: the list of runs changed, read it again."""

    type: Literal["runs.v1"]


class LogsFrame(Wire):
    """Log lines after the subscriber's cursor.

    `reset` means the cursor was not known any more: forget every line of this run, these are all there are. `ended` means
    the run is over and no line will follow. `cursor` goes into the next `Subscribe` after a cut.
    """

    type: Literal["logs.v1"]
    run_id: str
    reset: bool
    lines: tuple[LogLine, ...]
    cursor: str
    ended: bool


class ClusterFrame(Wire):
    """The newest status of a run's cluster, None when it has none.

    `moments` are those since the frame before; in the first frame, those of the last minutes.
    """

    type: Literal["cluster.v1"]
    run_id: str
    status: ClusterStatus | None
    moments: tuple[ClusterMoment, ...]


class ClustersFrame(Wire):
    """The newest status of every cluster: of runs on this machine, and of deployments that have one also between runs.

    `absent` are the ids of deployments that can have one, were looked at, and have none now. `moments`, by run or deployment
    id, are those since the frame before; of a cluster that is new in it, those of the last minutes.
    """

    type: Literal["clusters.v1"]
    clusters: tuple[ClusterStatus, ...]
    absent: tuple[str, ...]
    moments: dict[str, tuple[ClusterMoment, ...]]


class ErrorFrame(Wire):
    """Something about one subscription went wrong; the socket stays open."""

    type: Literal["error.v1"]
    topic: str | None
    run_id: str | None
    error: ErrorBody


StreamFrame = Annotated[RunsFrame | LogsFrame | ClusterFrame | ClustersFrame | ErrorFrame, Field(discriminator="type")]


# --- from the kernel to registration ----------------------------------------------------------------------------------


class PackedFlow(Wire):
    """A pickled flow, before it has a deployment, a version and an envelope.

    `body` is the path of a private file with the cloudpickle bytes; who asked for the packing deletes it. Copies of `files`
    lie beside it, in a folder `files`, each named by the 64 digits of its digest. `parameters` are those that were given, as
    JSON from which a run gets what the flow gets when it is called with them. `exact` is the fingerprint with all captured
    data hashed in full, these files included, where `flow.fingerprint` samples large data to stay fast. `uses` names the
    installed distributions that it refers to. With `git`, runs load that file, and `body` only says so. `warnings` say what
    may not work when the flow runs.
    """

    flow: LiveFlow
    parameters: JsonObject
    body: str
    size: int
    exact: str
    environment: Environment
    uses: tuple[str, ...]
    source: Source
    files: tuple[CarriedFile, ...] = ()
    git: GitFile | None = None
    warnings: tuple[Finding, ...] = ()

    def settle_parameters(self, wanted: Registration) -> Registration:
        """Return the registration with its parameters as they are stored."""
        chosen = {name: getattr(wanted, name) for name in Registration.model_fields}
        return Registration.model_validate({**chosen, "parameters": self.parameters})

    def copies(self) -> tuple[Path, ...]:
        """Where the copies of `files` are, in their order."""
        folder = Path(self.body).parent / "files"
        return tuple(folder / file.digest.removeprefix("sha256:") for file in self.files)
