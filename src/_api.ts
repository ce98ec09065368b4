// Generated from satflow_ext/models.py by scripts/contract. Do not edit.

export type JsonValue =
  string | number | boolean | null | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * As many Dask workers as there is work for, between two numbers.
 */
export interface AdaptCluster {
  do?: 'adapt';
  minimum?: number;
  maximum: number;
}

/**
 * A Prefect artifact of a run.
 */
export interface Artifact {
  id: string;
  key: string | null;
  type: string | null;
  description: string | null;
  data: JsonValue;
}

/**
 * Something that travels by value: the way the flow reaches it, its type, and about how many bytes of data it leads to.
 */
export interface Captured {
  where: string;
  type: string;
  size: number;
}

/**
 * A data file that travels with a flow. `path` is relative, with slashes: where it lies in a run's working directory.
 */
export interface CarriedFile {
  path: string;
  size: number;
  digest: string;
}

/**
 * GET /satflow/catalogue: everything the register form offers.
 *
 * `cores` and `memory` (bytes) are those of this machine, None where runs happen elsewhere.
 */
export interface Catalogue {
  executors: ExecutorInfo[];
  worker_sizes: WorkerSize[];
  work_pools: WorkPool[];
  default_work_pool: string | null;
  cores: number | null;
  memory: number | null;
}

/**
 * A cell's text and execution count. `file` is the name that its code objects carry, as it stands in tracebacks.
 *
 * `setup`: it runs again in every run, before the flow is loaded.
 */
export interface Cell {
  file: string;
  number: number;
  text: string;
  setup: boolean;
}

/**
 * One thing that differs, worded for reading. `before` None: it was not there; `after` None: it is not there any more.
 */
export interface Change {
  name: string;
  before: string | null;
  after: string | null;
}

/**
 * What the class of a back end can be told, from its signature, documentation and Dask's configuration.
 *
 * `open` says that it takes other keyword arguments as well; `hidden` are those that are called like credentials, which have
 * no place in a registration.
 */
export interface ClusterClass {
  name: string;
  purpose: string;
  options_schema: JsonObject;
  open: boolean;
  hidden: string[];
}

/**
 * POST /satflow/cluster-classes: what a back end of the executor `dask-cluster` can be told, as runs of a kernel find it.
 *
 * `name` is the back end's, such as `module:Class`, whose module is imported for it in a process of its own.
 */
export interface ClusterClassRequest {
  kernel_id: string;
  name: string;
}

/**
 * Something that happened to a cluster.
 *
 * A Dask worker "joined", "left" as it was told to, was "lost", or was "replaced": `worker` has come for one that was lost.
 * `tasks` is how many a lost one had begun or done that are done again. "unreachable" and "back" are its scheduler's.
 */
export interface ClusterEvent {
  time: string;
  kind: 'joined' | 'left' | 'lost' | 'replaced' | 'unreachable' | 'back';
  worker: string | null;
  tasks: number;
}

/**
 * The newest status of a run's cluster, None when it has none.
 *
 * `moments` are those since the frame before; in the first frame, those of the last minutes.
 */
export interface ClusterFrame {
  type: 'cluster.v1';
  run_id: string;
  status: ClusterStatus | null;
  moments: ClusterMoment[];
}

/**
 * GET /satflow/clusters.
 */
export interface ClusterList {
  clusters: ClusterStatus[];
}

/**
 * One moment of a cluster, over all of its Dask workers: `cpu` in cores, memory in bytes.
 *
 * `held` are tasks that could run and do not: queued, or without a Dask worker that can take them.
 */
export interface ClusterMoment {
  time: string;
  plan: number | null;
  observed: number;
  processing: number;
  held: number;
  cpu: number;
  memory: number;
  managed: number;
  spilled: number;
}

/**
 * POST /satflow/deployments/<id>/cluster: what the cluster that a deployment's runs share is to do.
 */
export interface ClusterOrder {
  order: StartCluster | ScaleCluster | AdaptCluster | RestartCluster;
}

/**
 * A Dask cluster of one flow run as the flow run itself sees it, or (`run_id` None) of a deployment, also between its runs.
 *
 * `plan` is how many Dask workers it should have and `requested` how many were asked for (None where nobody says), `observed`
 * how many have checked in, `pending` why they are fewer, or why tasks find none. `tasks` counts the scheduler's tasks by
 * distributed's own state names. `events` are the latest, oldest first. `dashboard` is where Dask's own pages are,
 * as `host:port`, None where none are served.
 */
export interface ClusterStatus {
  run_id: string | null;
  run_name: string | null;
  deployment_id: string | null;
  deployment_name: string | null;
  executor: string;
  state: 'starting' | 'running' | 'lost' | 'closed';
  problem: string | null;
  plan: number | null;
  requested: number | null;
  observed: number;
  pending: string | null;
  worker_size: string | null;
  tasks: { [key: string]: number };
  workers: ClusterWorker[];
  events: ClusterEvent[];
  dashboard: string | null;
  started: string;
  updated: string;
}

/**
 * One Dask worker.
 *
 * `state` is distributed's own word, such as "running" or "paused" (it takes no tasks because its memory is nearly full). `cpu`
 * is in percent of one core; the others in bytes: `memory` that the process holds, the part of it that is results of tasks
 * (`managed`, the rest is not Dask's), results on disk (`spilled`), and `memory_limit` (0: none).
 */
export interface ClusterWorker {
  name: string;
  threads: number;
  state: string;
  cpu: number;
  memory: number;
  managed: number;
  spilled: number;
  memory_limit: number;
  executing: number;
  ready: number;
}

/**
 * The newest status of every cluster: of runs on this machine, and of deployments that have one also between runs.
 *
 * `absent` are the ids of deployments that can have one, were looked at, and have none now. `moments`, by run or deployment
 * id, are those since the frame before; of a cluster that is new in it, those of the last minutes.
 */
export interface ClustersFrame {
  type: 'clusters.v1';
  clusters: ClusterStatus[];
  absent: string[];
  moments: { [key: string]: ClusterMoment[] };
}

/**
 * A function, a class, or the other statements of a cell or file that differ. `diff` is a unified diff.
 */
export interface CodeChange {
  name: string;
  kind: 'function' | 'class' | 'statements';
  change: 'added' | 'removed' | 'changed';
  diff: string;
}

/**
 * The commit that a git repository stood at. `dirty` tells of changes that were not committed, None where git did not say.
 */
export interface Commit {
  id: string;
  dirty: boolean | null;
}

/**
 * A five-field cron line, read in an IANA time zone.
 */
export interface CronSchedule {
  kind: 'cron';
  cron: string;
  timezone: string;
}

/**
 * A five-field cron line, read in an IANA time zone.
 */
export interface CronScheduleInput {
  kind?: 'cron';
  cron: string;
  timezone?: string;
}

/**
 * A flow that was registered, as Prefect has it, with what its manifest in the store adds.
 *
 * `manifest_problem` says why the manifest could not be read; then `executor`, `fingerprint`, `notebook`, `environment`,
 * `missed_runs`, `secrets`, `include`, `infrastructure` and `registered_at` are None. `parameter_schema` carries the defaults
 * only when the manifest could be read. `drift` is what somebody has changed in Prefect since it was registered: `before` was
 * registered, `after` is live. `needed` says what its last runs on this machine needed of their worker size, None where
 * nothing is known of it. `notebook_file` is the path of `notebook` with links resolved, None where the Jupyter server's
 * machine has no such file.
 */
export interface Deployment {
  id: string;
  name: string;
  flow_name: string;
  version: number;
  executor: ExecutorChoice | null;
  fingerprint: string | null;
  notebook: string | null;
  environment: 'warn' | 'refuse' | 'recreate' | null;
  missed_runs: 'last' | 'all' | 'none' | null;
  secrets: string[] | null;
  include: string[] | null;
  infrastructure: Infrastructure | null;
  registered_at: string | null;
  manifest_problem: string | null;
  parameters: JsonObject;
  parameter_schema: JsonObject;
  schedule: NoSchedule | CronSchedule | IntervalSchedule;
  paused: boolean;
  work_pool: string | null;
  tags: string[];
  next_runs: string[];
  drift: Change[];
  needed: string | null;
  notebook_file: string | null;
}

/**
 * GET /satflow/deployments, newest first.
 */
export interface DeploymentList {
  deployments: Deployment[];
}

/**
 * Every 4xx and 5xx reply.
 *
 * `error` is the name of the class in `satflow_ext.errors`, `field` the form field the mistake stands in (dotted path of
 * the request model), and `fix` what the user can do next.
 */
export interface ErrorBody {
  error: string;
  message: string;
  fix: string | null;
  field: string | null;
}

/**
 * Something about one subscription went wrong; the socket stays open.
 */
export interface ErrorFrame {
  type: 'error.v1';
  topic: string | null;
  run_id: string | null;
  error: ErrorBody;
}

/**
 * How tasks run. `options` are those of the executor's own model (see `ExecutorInfo.options_schema`).
 *
 * `from_flow`: the executor does what the flow's own task runner does, and was chosen for that (`AS_FLOW_SAYS`).
 */
export interface ExecutorChoice {
  name: string;
  options: JsonObject;
  from_flow: boolean;
}

/**
 * How tasks run. `options` are those of the executor's own model (see `ExecutorInfo.options_schema`).
 *
 * `from_flow`: the executor does what the flow's own task runner does, and was chosen for that (`AS_FLOW_SAYS`).
 */
export interface ExecutorChoiceInput {
  name?: string;
  options?: JsonObject;
  from_flow?: boolean;
}

/**
 * One entry of the executor catalogue, enough to draw its card and its form.
 */
export interface ExecutorInfo {
  name: string;
  title: string;
  purpose: string;
  starts: string;
  options_schema: JsonObject;
}

/**
 * Why a run failed: the last line of the traceback, and the traceback as it stands in the run's log.
 */
export interface Failure {
  cause: string;
  traceback: string | null;
}

/**
 * One thing that the pre-flight report says. An "error" stops the registration, a "warning" may bite when the flow runs.
 */
export interface Finding {
  kind:
    | 'live object'
    | 'credential'
    | 'size'
    | 'file'
    | 'python'
    | 'package'
    | 'task runner'
    | 'choice'
    | 'load'
    | 'notebook'
    | 'side effect';
  level: 'error' | 'warning';
  where: string;
  message: string;
  fix: string | null;
}

/**
 * The flows of one kernel, in the order in which their variables were made.
 *
 * `notebook` is the path of the kernel's notebook with links resolved, None where Jupyter did not give one to the kernel.
 */
export interface FlowList {
  flows: LiveFlow[];
  at: string;
  notebook: string | null;
}

/**
 * The task runner that a flow names.
 *
 * `text` is its class with the arguments that are known. `executor` does the same; None: none does, and runs use the task
 * runner itself.
 */
export interface FlowTaskRunner {
  text: string;
  executor: ExecutorChoice | null;
}

/**
 * A data file that would travel, by its place below the notebook's folder; `size` in bytes.
 */
export interface Included {
  path: string;
  size: number;
}

/**
 * What each flow run is started with, where its work pool's Prefect workers start runs in containers (docs/containers.md).
 *
 * `cpu` in cores, `memory` in GiB. `env` are environment variables, which Prefect stores readable: no place for credentials.
 * `job_variables` are what else the work pool takes, by the names in its base job template.
 */
export interface Infrastructure {
  image: string | null;
  cpu: number | null;
  memory: number | null;
  gpus: number | null;
  env: JsonObject;
  job_variables: JsonObject;
}

/**
 * What each flow run is started with, where its work pool's Prefect workers start runs in containers (docs/containers.md).
 *
 * `cpu` in cores, `memory` in GiB. `env` are environment variables, which Prefect stores readable: no place for credentials.
 * `job_variables` are what else the work pool takes, by the names in its base job template.
 */
export interface InfrastructureInput {
  image?: string | null;
  cpu?: number | null;
  memory?: number | null;
  gpus?: number | null;
  env?: JsonObject;
  job_variables?: JsonObject;
}

/**
 * Every so many seconds, counted in an IANA time zone.
 */
export interface IntervalSchedule {
  kind: 'interval';
  seconds: number;
  timezone: string;
}

/**
 * Every so many seconds, counted in an IANA time zone.
 */
export interface IntervalScheduleInput {
  kind?: 'interval';
  seconds: number;
  timezone?: string;
}

/**
 * A `@flow` object in a kernel's namespace.
 *
 * `parameter_schema` is Prefect's JSON schema of the signature, defaults included; it goes to the browser and never to the
 * Prefect API. `fingerprint` changes when the flow, or anything it reaches, changes. `cell` is the execution count of the
 * cell that defined it, None where it was imported. `task_runner` is None where the flow names none.
 */
export interface LiveFlow {
  name: string;
  variable: string;
  doc: string;
  cell: number | null;
  parameters: Parameter[];
  parameter_schema: JsonObject;
  fingerprint: string;
  task_runner: FlowTaskRunner | null;
}

/**
 * One line of a run's log. `seq` counts from 0 in the order in which the server saw it; sort by (`time`, `seq`).
 */
export interface LogLine {
  seq: number;
  id: string;
  time: string;
  level: number;
  logger: string;
  message: string;
  task_run_id: string | null;
}

/**
 * Log lines after the subscriber's cursor.
 *
 * `reset` means the cursor was not known any more: forget every line of this run, these are all there are. `ended` means
 * the run is over and no line will follow. `cursor` goes into the next `Subscribe` after a cut.
 */
export interface LogsFrame {
  type: 'logs.v1';
  run_id: string;
  reset: boolean;
  lines: LogLine[];
  cursor: string;
  ended: boolean;
}

/**
 * Runs start by hand only.
 */
export interface NoSchedule {
  kind: 'none';
}

/**
 * Runs start by hand only.
 */
export interface NoScheduleInput {
  kind?: 'none';
}

/**
 * One parameter of a flow as its signature spells it. `default` is a repr for reading, not a value.
 */
export interface Parameter {
  name: string;
  annotation: string;
  required: boolean;
  default: string | null;
}

/**
 * PATCH /satflow/deployments/<id>: pause or resume all schedules.
 */
export interface PauseRequest {
  paused: boolean;
}

/**
 * The pre-flight report: what would travel and what speaks against it. Nothing was sent.
 *
 * `size` of the pickle is None where the flow cannot be pickled; `captured` and `files` are sorted, the biggest first.
 * `packages` are the installed distributions that the flow refers to. `rehearsed` is in seconds, None where loading was not
 * asked for or failed. `task_runner` is the flow's own (see `LiveFlow`).
 */
export interface Preflight {
  flow: string;
  task_runner: FlowTaskRunner | null;
  size: number | null;
  captured: Captured[];
  local_modules: string[];
  packages: string[];
  files: Included[];
  findings: Finding[];
  rehearsed: number | null;
}

/**
 * POST /satflow/preflight: what would travel. With `rehearse`, the flow content is also loaded in a clean process.
 */
export interface PreflightRequest {
  name?: string | null;
  parameters?: JsonObject;
  executor?: ExecutorChoiceInput;
  schedule?: NoScheduleInput | CronScheduleInput | IntervalScheduleInput;
  work_pool?: string | null;
  infrastructure?: InfrastructureInput;
  tags?: string[];
  include?: string[];
  environment?: 'warn' | 'refuse' | 'recreate';
  missed_runs?: 'last' | 'all' | 'none';
  secrets?: string[];
  kernel_id: string;
  variable: string;
  notebook?: string | null;
  overwrite?: boolean;
  replaces?: string[] | null;
  rehearse?: boolean;
}

/**
 * POST /satflow/deployments. `variable` names the flow in the kernel; `notebook` is its path as JupyterLab shows it.
 *
 * A choice that is the same as in the version before leaves alone what somebody has changed in Prefect since;
 * `overwrite` puts it there all the same, and takes a deployment that somebody else than SatFlow made. `replaces` are the ids
 * of the deployments that this may become the next version of, None for any.
 */
export interface RegisterRequest {
  name?: string | null;
  parameters?: JsonObject;
  executor?: ExecutorChoiceInput;
  schedule?: NoScheduleInput | CronScheduleInput | IntervalScheduleInput;
  work_pool?: string | null;
  infrastructure?: InfrastructureInput;
  tags?: string[];
  include?: string[];
  environment?: 'warn' | 'refuse' | 'recreate';
  missed_runs?: 'last' | 'all' | 'none';
  secrets?: string[];
  kernel_id: string;
  variable: string;
  notebook?: string | null;
  overwrite?: boolean;
  replaces?: string[] | null;
}

/**
 * What registering did, or rolling back.
 *
 * `content_size` is the flow content's size in bytes, without the `files` that travel with it. "restored": the version stays,
 * and what somebody had changed in Prefect is as the version says again. `kept` is what somebody had changed in Prefect and
 * what was left so: `before` was registered, `after` is live. `warnings` are those of the pre-flight report that cost nothing
 * to find while packing.
 */
export interface Registered {
  deployment: Deployment;
  outcome: 'created' | 'changed' | 'unchanged' | 'restored';
  content: string;
  content_size: number;
  manifest: string;
  files: CarriedFile[];
  kept: Change[];
  warnings: Finding[];
}

/**
 * What a user decides about a deployment, whichever way she says it: form, magic, Python or command line.
 *
 * `name` is the deployment's (default: the flow's name). `work_pool` None means the local stack's, or the one in settings.
 * `include` names data files that travel with the flow: glob patterns or folders, relative to the notebook's folder.
 * `environment` says what happens where a run's packages are not those of the registration (docs/environment.md). `secrets`
 * are names of credentials that the flow needs; their values are found where it runs (docs/secrets.md). `infrastructure` is
 * what the work pool starts its runs with. `missed_runs` says which scheduled runs start that were missed while the local stack
 * or the machine was off.
 */
export interface Registration {
  name: string | null;
  parameters: JsonObject;
  executor: ExecutorChoice;
  schedule: NoSchedule | CronSchedule | IntervalSchedule;
  work_pool: string | null;
  infrastructure: Infrastructure;
  tags: string[];
  include: string[];
  environment: 'warn' | 'refuse' | 'recreate';
  missed_runs: 'last' | 'all' | 'none';
  secrets: string[];
}

/**
 * End the cluster and start another one; runs that use it fail.
 */
export interface RestartCluster {
  do?: 'restart';
}

/**
 * POST /satflow/deployments/<id>/rollback → Registered.
 */
export interface RollbackRequest {
  version: number;
}

/**
 * A flow run. `why_waiting` says in words why a run that should have started has not; `duration` is in seconds.
 */
export interface Run {
  id: string;
  name: string;
  deployment_id: string | null;
  deployment_name: string | null;
  flow_name: string;
  state_type:
    | 'SCHEDULED'
    | 'PENDING'
    | 'RUNNING'
    | 'COMPLETED'
    | 'FAILED'
    | 'CANCELLED'
    | 'CRASHED'
    | 'PAUSED'
    | 'CANCELLING';
  state_name: string;
  state_message: string | null;
  created: string;
  expected_start: string | null;
  start: string | null;
  end: string | null;
  duration: number;
  parameters: JsonObject;
  scheduled: boolean;
  last_line: string | null;
  why_waiting: string | null;
}

/**
 * GET /satflow/runs/<id>.
 *
 * `settled`: the run is over, and for so long that Prefect has recorded all of its task runs.
 */
export interface RunDetail {
  run: Run;
  tasks: TaskRun[];
  failure: Failure | null;
  artifacts: Artifact[];
  settled: boolean;
}

/**
 * GET /satflow/runs?deployment_id=&state_type=&limit=, newest first.
 */
export interface RunList {
  runs: Run[];
}

/**
 * POST /satflow/runs. `idempotency_key` is one per press of the button: sent twice, it makes one run.
 */
export interface RunRequest {
  deployment_id: string;
  parameters?: JsonObject;
  idempotency_key: string;
}

/**
 * A hint: the list of runs changed, read it again.
 */
export interface RunsFrame {
  type: 'runs.v1';
}

/**
 * A fixed number of Dask workers.
 */
export interface ScaleCluster {
  do?: 'scale';
  workers: number;
}

/**
 * The next runs, computed by Prefect's own schedule classes.
 */
export interface SchedulePreview {
  next_runs: string[];
}

/**
 * POST /satflow/schedules/preview.
 */
export interface SchedulePreviewRequest {
  schedule: NoScheduleInput | CronScheduleInput | IntervalScheduleInput;
  count?: number;
}

/**
 * A cluster that a deployment has also between its runs, such as one that they share. `state` "none": it has none now.
 *
 * `gateway` is the name of a Dask Gateway in the settings, "" for the local stack's own, None where it is at an address.
 * `workers` have checked in, of the `plan` that there should be; `why` says why they are fewer, or why the scheduler does not
 * answer. Where nobody asked the scheduler, `plan` and `why` are None.
 */
export interface SharedCluster {
  deployment_id: string;
  deployment_name: string;
  gateway: string | null;
  state: 'none' | 'starting' | 'running' | 'lost';
  workers: number;
  plan: number | null;
  why: string | null;
  worker_size: string | null;
  started: string | null;
}

/**
 * Where a flow comes from.
 *
 * `cells` are the cells that define what the flow reaches, in the order of their execution; `files` the local files. `commit`
 * is of the repository that the notebook's folder belongs to, None where there is none, or no git.
 */
export interface Source {
  notebook: string | null;
  commit: Commit | null;
  cells: Cell[];
  files: SourceFile[];
}

/**
 * The text of a local file, as it stood on disk when the flow was packed. `path` is below its import path.
 */
export interface SourceFile {
  path: string;
  text: string;
}

/**
 * Where runs go and whether that place answers.
 *
 * `kind` "local" is the stack SatFlow runs on this machine, "configured" is what the settings name. `step` says what is
 * being waited for while `state` is "starting", and what went wrong when it is "failed". `stays` tells whether it goes on
 * after the last JupyterLab and terminal has gone.
 */
export interface StackStatus {
  kind: 'local' | 'configured';
  state: 'stopped' | 'starting' | 'ready' | 'failed';
  step: string | null;
  prefect_api: string | null;
  store: string | null;
  stays: boolean;
}

/**
 * Start the cluster ahead of runs; nothing is done where it runs.
 */
export interface StartCluster {
  do?: 'start';
}

/**
 * Browser → server. `run_id` is needed for "logs" and "cluster"; `cursor` is the last one received, None at first.
 */
export interface Subscribe {
  type?: 'subscribe';
  topic: 'runs' | 'logs' | 'cluster' | 'clusters';
  run_id?: string | null;
  cursor?: string | null;
}

/**
 * The tasks (and subflows) that a flow calls, as its source says: in order, each with the results that it takes.
 *
 * `rewired` tells that the calls of tasks which are in both differ in order, in number or in what they take. `unsaid` lists
 * what cannot be told from the source.
 */
export interface TaskChange {
  flow: string;
  before: string[];
  after: string[];
  added: string[];
  removed: string[];
  rewired: boolean;
  unsaid: string[];
}

/**
 * A task run. `interrupted` marks one that Prefect still calls running although its flow run has ended.
 */
export interface TaskRun {
  id: string;
  name: string;
  task: string;
  state_type:
    | 'SCHEDULED'
    | 'PENDING'
    | 'RUNNING'
    | 'COMPLETED'
    | 'FAILED'
    | 'CANCELLED'
    | 'CRASHED'
    | 'PAUSED'
    | 'CANCELLING';
  state_name: string;
  start: string | null;
  end: string | null;
  duration: number;
  interrupted: boolean;
}

/**
 * Browser → server.
 */
export interface Unsubscribe {
  type?: 'unsubscribe';
  topic: 'runs' | 'logs' | 'cluster' | 'clusters';
  run_id?: string | null;
}

/**
 * One version. `problem` says why its manifest cannot be read; then there is no `record`.
 */
export interface Version {
  number: number;
  manifest: string;
  live: boolean;
  problem: string | null;
  record: VersionRecord | null;
}

/**
 * GET /satflow/deployments/<id>/versions/<number>. `chosen` is everything that was decided when it was registered.
 */
export interface VersionDetail {
  version: Version;
  chosen: Registration;
  python: string;
  source: Source;
}

/**
 * GET /satflow/deployments/<id>/versions/<before>/diff/<after>.
 *
 * `choices` are schedule, default parameters, tags, work pool and whatever else was chosen; `environment` is the interpreter.
 * `unexplained` says that the flow differs in a way that no source tells, such as in data that it captured.
 */
export interface VersionDiff {
  before: number;
  after: number;
  code: CodeChange[];
  tasks: TaskChange[];
  parameters: Change[];
  executor: Change[];
  choices: Change[];
  environment: Change[];
  packages: Change[];
  unexplained: string | null;
}

/**
 * GET /satflow/deployments/<id>/versions, newest first.
 *
 * `next` is the `before` of the next page, None where there is none. `lost` says why nothing older is known although
 * there was something.
 */
export interface VersionList {
  deployment_id: string;
  versions: Version[];
  next: number | null;
  lost: string | null;
}

/**
 * What a version's manifest says, in short.
 *
 * `content_size` is in bytes; `content_kept` tells whether the store still has the content, None where it did not say.
 * `restores` is the number of the version that a rollback brought back; `summary` is one line about what changed.
 */
export interface VersionRecord {
  registered_at: string;
  registered_by: string;
  notebook: string | null;
  content_size: number;
  content_kept: boolean | null;
  restores: number | null;
  summary: string;
}

/**
 * A Prefect work pool and how many Prefect workers poll it now.
 *
 * `takes` are the fields of `Infrastructure` that it has a place for, and `job_variables` is the schema of what else it takes.
 */
export interface WorkPool {
  name: string;
  type: string;
  paused: boolean;
  online_workers: number;
  takes: ('image' | 'cpu' | 'memory' | 'gpus' | 'env')[];
  job_variables: JsonObject;
}

/**
 * A named size of one Dask worker: memory in bytes. `available` says whether this machine can give it, `reason` why not.
 */
export interface WorkerSize {
  name: string;
  cores: number;
  memory: number;
  gpus: number;
  available: boolean;
  reason: string | null;
}

export type StreamRequest = Subscribe | Unsubscribe;

export type StreamFrame =
  RunsFrame | LogsFrame | ClusterFrame | ClustersFrame | ErrorFrame;

export type Schedule = NoSchedule | CronSchedule | IntervalSchedule;
