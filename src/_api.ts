// Generated from satflow_ext/models.py by scripts/contract. Do not edit.

export type JsonValue =
  string | number | boolean | null | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * A number of Dask workers that adapts to the work, between a minimum and a maximum.
 */
export interface AdaptCluster {
  do?: 'adapt';
  minimum?: number;
  maximum: number;
}

/**
 * A Prefect artifact. `nested_run` is the nested flow run that created it, None if it was the run itself.
 */
export interface Artifact {
  id: string;
  nested_run: RunLink | null;
  key: string | null;
  type: string | null;
  description: string | null;
  data: JsonValue;
}

/**
 * A captured object, pickled by value: the path by which the flow reaches it, its type, and the approximate data size.
 */
export interface Captured {
  where: string;
  type: string;
  size: number;
}

/**
 * A data file packed with a flow. `path` is relative to a run's working directory, with forward slashes.
 */
export interface CarriedFile {
  path: string;
  size: number;
  digest: string;
}

/**
 * GET /satflow/catalogue: all choices of the register form.
 *
 * `cores` and `memory` (bytes) are those of this machine, None if runs execute elsewhere. `notification_blocks` are the Prefect
 * blocks that can send notifications, as `type/name`.
 */
export interface Catalogue {
  executors: ExecutorInfo[];
  worker_sizes: WorkerSize[];
  work_pools: WorkPool[];
  notification_blocks: string[];
  default_work_pool: string | null;
  cores: number | null;
  memory: number | null;
}

/**
 * A cell's text and execution count. `file` is the file name of its code objects, as it appears in tracebacks.
 *
 * `setup`: the cell runs again in every run, before the flow is loaded.
 */
export interface Cell {
  file: string;
  number: number;
  text: string;
  setup: boolean;
}

/**
 * One difference, worded for display. `before` is None for an addition, `after` is None for a removal.
 */
export interface Change {
  name: string;
  before: string | null;
  after: string | null;
}

/**
 * The options of a cluster provider's class, from its signature, its documentation and Dask's configuration.
 *
 * `open`: the class accepts further keyword arguments. `hidden` are the options whose names are those of credentials, which must
 * not be in a registration.
 */
export interface ClusterClass {
  name: string;
  purpose: string;
  options_schema: JsonObject;
  open: boolean;
  hidden: string[];
}

/**
 * POST /satflow/cluster-classes: read the options of a cluster provider of `dask-cluster`, as installed for runs of a kernel.
 *
 * `name` is the provider's name, such as `module:Class`. The module is imported in a separate process.
 */
export interface ClusterClassRequest {
  kernel_id: string;
  name: string;
}

/**
 * An event of a cluster.
 *
 * A Dask worker "joined", "left" as requested, was "lost", or was "replaced": `worker` replaces a lost one. `tasks` is the
 * number of tasks that a lost worker had started or completed and that run again. "unreachable" and "back" refer to the
 * scheduler.
 */
export interface ClusterEvent {
  time: string;
  kind: 'joined' | 'left' | 'lost' | 'replaced' | 'unreachable' | 'back';
  worker: string | null;
  tasks: number;
}

/**
 * The newest status of a run's cluster, None if it has none.
 *
 * `moments` are the samples since the previous frame; in the first frame, those of the last minutes.
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
 * One sample of a cluster, over all of its Dask workers: `cpu` in cores, memory in bytes.
 *
 * `held` is the number of tasks that are ready but not running: queued, or without a Dask worker that can run them.
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
 * POST /satflow/deployments/<id>/cluster: an order for the shared cluster of a deployment.
 */
export interface ClusterOrder {
  order: StartCluster | ScaleCluster | AdaptCluster | RestartCluster;
}

/**
 * A Dask cluster of one flow run as reported by that run, or (`run_id` None) a deployment's cluster, also between its runs.
 *
 * `plan` is the intended number of Dask workers and `requested` the requested number (None if not reported). `observed` is the
 * number of connected workers. `pending` explains why they are fewer, or why tasks find no worker. `tasks` counts the
 * scheduler's tasks by distributed's state names. `events` are the latest, oldest first. `dashboard` is the address of Dask's
 * dashboard as `host:port`, None if there is none.
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
 * `state` is distributed's own term, such as "running" or "paused" (it accepts no tasks because its memory is nearly full).
 * `cpu` is in percent of one core. The others are in bytes: `memory` of the process, `managed` (the part of it that holds
 * results of tasks; Dask does not manage the rest), `spilled` (results on disk), and `memory_limit` (0: none).
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
 * The newest status of every cluster: of runs on this machine, and of deployments that keep one between runs.
 *
 * `absent` are the ids of deployments that can have a cluster, were checked, and have none now. `moments`, by run or deployment
 * id, are the samples since the previous frame; for a cluster that is new in this frame, those of the last minutes.
 */
export interface ClustersFrame {
  type: 'clusters.v1';
  clusters: ClusterStatus[];
  absent: string[];
  moments: { [key: string]: ClusterMoment[] };
}

/**
 * A difference in a function, a class, or the other statements of a cell or file. `diff` is a unified diff.
 */
export interface CodeChange {
  name: string;
  kind: 'function' | 'class' | 'statements';
  change: 'added' | 'removed' | 'changed';
  diff: string;
}

/**
 * The checked-out commit of a git repository. `dirty`: there were uncommitted changes; None if git did not report it.
 */
export interface Commit {
  id: string;
  dirty: boolean | null;
}

/**
 * A five-field cron expression, evaluated in an IANA time zone.
 */
export interface CronSchedule {
  name: string | null;
  parameters: JsonObject;
  active: boolean;
  start: string | null;
  end: string | null;
  kind: 'cron';
  cron: string;
  timezone: string;
}

/**
 * A five-field cron expression, evaluated in an IANA time zone.
 */
export interface CronScheduleInput {
  name?: string | null;
  parameters?: JsonObject;
  active?: boolean;
  start?: string | null;
  end?: string | null;
  kind?: 'cron';
  cron: string;
  timezone?: string;
}

/**
 * The text of a cell that repeats the failed call, and the variable that it uses.
 */
export interface DebugCell {
  variable: string;
  source: string;
}

/**
 * POST /satflow/runs/<id>/debug: load the run into a kernel.
 *
 * `task` is the name or id of a failed task run, or the name of its task; None for the one whose exception ended the run.
 */
export interface DebugRequest {
  kernel_id: string;
  task?: string | null;
}

/**
 * A registered flow: its deployment in Prefect, combined with its manifest in the store.
 *
 * `manifest_problem` explains why the manifest could not be read; then `executor`, `fingerprint`, `notebook`, `environment`,
 * `missed_runs`, `notify`, `trigger`, `secrets`, `include`, `infrastructure`, `retries`, `retry_delay`, `timeout` and
 * `registered_at` are None.
 * `parameter_schema` contains the defaults only if the manifest could be read. `drift` are the changes in Prefect since the
 * registration: `before` is the registered value, `after` the live one. `needed` summarizes how much of their worker size the
 * last runs on this machine used, None without measurements. `notebook_file` is the path of `notebook` with symbolic links
 * resolved, None if the Jupyter server's machine has no such file.
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
  schedules: (CronSchedule | IntervalSchedule | RRuleSchedule)[];
  paused: boolean;
  notify: Notification[] | null;
  trigger: Trigger[] | null;
  work_pool: string | null;
  tags: string[];
  description: string | null;
  concurrency_limit: number | null;
  collision_strategy: 'enqueue' | 'cancel_new';
  retries: number | null;
  retry_delay: number | null;
  timeout: number | null;
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
 * The body of every 4xx and 5xx reply.
 *
 * `error` is the name of the class in `satflow_ext.errors`, `field` the form field with the mistake (dotted path of the request
 * model), and `fix` the user's next step.
 */
export interface ErrorBody {
  error: string;
  message: string;
  fix: string | null;
  field: string | null;
}

/**
 * An error of one subscription; the socket stays open.
 */
export interface ErrorFrame {
  type: 'error.v1';
  topic: string | null;
  run_id: string | null;
  error: ErrorBody;
}

/**
 * An executor and its options. `options` are the fields of the executor's own model (see `ExecutorInfo.options_schema`).
 *
 * `from_flow`: the executor was selected because it reproduces the flow's own task runner (`FLOW_EXECUTOR`).
 */
export interface ExecutorChoice {
  name: string;
  options: JsonObject;
  from_flow: boolean;
}

/**
 * An executor and its options. `options` are the fields of the executor's own model (see `ExecutorInfo.options_schema`).
 *
 * `from_flow`: the executor was selected because it reproduces the flow's own task runner (`FLOW_EXECUTOR`).
 */
export interface ExecutorChoiceInput {
  name?: string;
  options?: JsonObject;
  from_flow?: boolean;
}

/**
 * One entry of the executor catalog, with the data for its card and its form.
 */
export interface ExecutorInfo {
  name: string;
  title: string;
  purpose: string;
  starts: string;
  options_schema: JsonObject;
}

/**
 * An input of a failed task run. `value` is a short form, None if the run did not record it on this machine.
 *
 * `tasks` are the names of the task runs that produced it. `not_kept` is the reason why the store does not have it, as the end
 * of a sentence; None if it has, or if the reason is unknown.
 */
export interface FailedInput {
  name: string;
  value: string | null;
  tasks: string[];
  not_kept: string | null;
}

/**
 * The task run whose exception ended the flow run. `kept`: its inputs are in the store.
 */
export interface FailedTask {
  id: string;
  name: string;
  kept: boolean;
  inputs: FailedInput[];
}

/**
 * The failure of a run.
 *
 * `cause` is the text of the exception, and `traceback` the raw traceback from the run's log; `exceptions` are parsed from it,
 * in its order. `cells` and `notebook` are those of the version that ran, if it can be read. `notebook_path` is the notebook's
 * path for this Jupyter server, None if the server does not have it.
 */
export interface Failure {
  cause: string;
  traceback: string | null;
  exceptions: FailureException[];
  task: FailedTask | null;
  version: number | null;
  cells: FailureCell[];
  notebook: string | null;
  notebook_path: string | null;
}

/**
 * A cell with a frame of the traceback, as it was when the flow was registered. `number` is its execution count then.
 */
export interface FailureCell {
  hash: string;
  number: number;
  text: string;
}

/**
 * An exception of a traceback, with its frames; the innermost frame is the last.
 *
 * `relation` is "cause" or "context" if it led to the next exception, "member" if an exception group contains it, and None for
 * the exception that ended the run.
 */
export interface FailureException {
  type: string;
  message: string;
  relation: 'cause' | 'context' | 'member' | null;
  frames: FailureFrame[];
}

/**
 * One frame of a traceback.
 *
 * `file` is a path, or only its last part if the run's redaction policy removes folders. `code` is the line of code, None if
 * neither the traceback nor the version has it. `package` is the import name of the library that contains the frame ("" if the
 * traceback does not show it), and None for the user's own code. `cell` is the hash of the cell's text, by which
 * `Failure.cells` and the cells of a notebook are found; None if the frame is not in a cell.
 */
export interface FailureFrame {
  file: string;
  line: number;
  function: string;
  code: string | null;
  package: string | null;
  cell: string | null;
}

/**
 * One entry of the pre-flight report. An "error" prevents the registration, a "warning" may cause a run to fail.
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
 * The flows of one kernel, in the order in which their variables were created.
 *
 * `notebook` is the path of the kernel's notebook with symbolic links resolved, None if Jupyter did not pass one to the kernel.
 */
export interface FlowList {
  flows: LiveFlow[];
  at: string;
  notebook: string | null;
}

/**
 * The task runner that a flow specifies.
 *
 * `text` is its class with those arguments that could be read. `executor` is the executor that reproduces it. It is None if no
 * executor does; runs then use the task runner itself.
 */
export interface FlowTaskRunner {
  text: string;
  executor: ExecutorChoice | null;
}

/**
 * A data file that would be packed with the flow: path relative to the notebook's folder, `size` in bytes.
 */
export interface Included {
  path: string;
  size: number;
}

/**
 * The infrastructure of each flow run, for work pools whose Prefect workers start runs in containers (docs/containers.md).
 *
 * `cpu` is in cores, `memory` in GiB; without containers, `memory` is the limit of each process of a run. `env` are
 * environment variables, which Prefect stores in readable form: they must not contain credentials. `job_variables` are further
 * variables of the work pool, by their names in its base job template.
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
 * The infrastructure of each flow run, for work pools whose Prefect workers start runs in containers (docs/containers.md).
 *
 * `cpu` is in cores, `memory` in GiB; without containers, `memory` is the limit of each process of a run. `env` are
 * environment variables, which Prefect stores in readable form: they must not contain credentials. `job_variables` are further
 * variables of the work pool, by their names in its base job template.
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
 * A fixed interval in seconds, evaluated in an IANA time zone.
 *
 * The runs are whole intervals before and after `anchor`. None is the beginning of the first day, and without that the time of
 * registration.
 */
export interface IntervalSchedule {
  name: string | null;
  parameters: JsonObject;
  active: boolean;
  start: string | null;
  end: string | null;
  kind: 'interval';
  seconds: number;
  timezone: string;
  anchor: string | null;
}

/**
 * A fixed interval in seconds, evaluated in an IANA time zone.
 *
 * The runs are whole intervals before and after `anchor`. None is the beginning of the first day, and without that the time of
 * registration.
 */
export interface IntervalScheduleInput {
  name?: string | null;
  parameters?: JsonObject;
  active?: boolean;
  start?: string | null;
  end?: string | null;
  kind?: 'interval';
  seconds: number;
  timezone?: string;
  anchor?: string | null;
}

/**
 * A `@flow` object in a kernel's namespace.
 *
 * `parameter_schema` is Prefect's JSON schema of the signature, defaults included; it goes to the browser and never to the
 * Prefect API. `fingerprint` changes when the flow, or anything it reaches, changes. `cell` is the execution count of the cell
 * that defined the flow, None for an imported flow. `task_runner` is None if the flow does not specify one.
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
 * One line of a run's log. `seq` counts from 0 in the order in which the server read the lines; sort by (`time`, `seq`).
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
 * `reset`: the cursor was no longer valid; the client discards its lines of this run, and these replace them. `ended`: the run
 * is over and no line will follow. `cursor` goes into the next `Subscribe` after a disconnection.
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
 * A message that Prefect sends when a run of the deployment fails (or crashes), is late or completes, or if none completes.
 *
 * `block` is the Prefect block that sends it, as `type/name`. Its address and credential are stored in Prefect only. `hours`
 * belongs to `overdue`: the time in which a run of the deployment has to complete.
 */
export interface Notification {
  on: 'failed' | 'late' | 'completed' | 'overdue';
  block: string;
  hours: number | null;
}

/**
 * A message that Prefect sends when a run of the deployment fails (or crashes), is late or completes, or if none completes.
 *
 * `block` is the Prefect block that sends it, as `type/name`. Its address and credential are stored in Prefect only. `hours`
 * belongs to `overdue`: the time in which a run of the deployment has to complete.
 */
export interface NotificationInput {
  on: 'failed' | 'late' | 'completed' | 'overdue';
  block: string;
  hours?: number | null;
}

/**
 * POST /satflow/notifications/test: send a test message through a Prefect block, given as `type/name`.
 */
export interface NotificationTest {
  block: string;
}

/**
 * One parameter of a flow as it appears in the signature. `default` is a repr for display, not a value.
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
 * The pre-flight report: the captured objects, and the findings about them. Nothing was sent.
 *
 * `size` is the size of the pickle, None if the flow cannot be pickled. `captured` and `files` are sorted, largest first.
 * `packages` are the installed distributions that the flow refers to. `rehearsed` is the duration of the clean load in seconds,
 * None if it was not requested or failed. `task_runner` is the flow's own (see `LiveFlow`).
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
 * POST /satflow/preflight: report the captured objects. With `rehearse`, also load the flow content in a clean process.
 */
export interface PreflightRequest {
  name?: string | null;
  executor?: ExecutorChoiceInput;
  schedules?: (
    CronScheduleInput | IntervalScheduleInput | RRuleScheduleInput
  )[];
  parameters?: JsonObject;
  notify?: NotificationInput[];
  trigger?: TriggerInput[];
  work_pool?: string | null;
  infrastructure?: InfrastructureInput;
  tags?: string[];
  environment?: 'warn' | 'refuse' | 'recreate';
  missed_runs?: 'last' | 'all' | 'none';
  secrets?: string[];
  include?: string[];
  description?: string | null;
  concurrency_limit?: number | null;
  collision_strategy?: 'enqueue' | 'cancel_new';
  retries?: number | null;
  retry_delay?: number | null;
  timeout?: number | null;
  kernel_id: string;
  variable: string;
  notebook?: string | null;
  overwrite?: boolean;
  replaces?: string[] | null;
  rehearse?: boolean;
}

/**
 * A recurrence rule of iCalendar (RFC 5545). Its `DTSTART` and `UNTIL` are in the time zone of the schedule.
 */
export interface RRuleSchedule {
  name: string | null;
  parameters: JsonObject;
  active: boolean;
  kind: 'rrule';
  rrule: string;
  timezone: string;
}

/**
 * A recurrence rule of iCalendar (RFC 5545). Its `DTSTART` and `UNTIL` are in the time zone of the schedule.
 */
export interface RRuleScheduleInput {
  name?: string | null;
  parameters?: JsonObject;
  active?: boolean;
  kind?: 'rrule';
  rrule: string;
  timezone?: string;
}

/**
 * One of the last runs of a deployment. `start` is when it started, or was to start.
 */
export interface RecentRun {
  id: string;
  name: string;
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
}

/**
 * The reply: at most 14 runs of each deployment, newest first, by the ids of the deployments. Future runs are left out.
 */
export interface RecentRuns {
  runs: { [key: string]: RecentRun[] };
}

/**
 * POST /satflow/runs/recent: the last runs of several deployments, by their ids.
 */
export interface RecentRunsRequest {
  deployment_ids: string[];
}

/**
 * A run that was not changed, and the reason as a sentence.
 */
export interface RefusedChange {
  id: string;
  reason: string;
}

/**
 * POST /satflow/deployments. `variable` is the flow's variable in the kernel, `notebook` its path as JupyterLab displays it.
 *
 * An option with the same value as in the previous version does not overwrite a later change in Prefect, except with
 * `overwrite`, which also takes over a deployment that was not created by SatFlow. `replaces` are the ids of the deployments of
 * which this may become the next version, None for any deployment.
 */
export interface RegisterRequest {
  name?: string | null;
  executor?: ExecutorChoiceInput;
  schedules?: (
    CronScheduleInput | IntervalScheduleInput | RRuleScheduleInput
  )[];
  parameters?: JsonObject;
  notify?: NotificationInput[];
  trigger?: TriggerInput[];
  work_pool?: string | null;
  infrastructure?: InfrastructureInput;
  tags?: string[];
  environment?: 'warn' | 'refuse' | 'recreate';
  missed_runs?: 'last' | 'all' | 'none';
  secrets?: string[];
  include?: string[];
  description?: string | null;
  concurrency_limit?: number | null;
  collision_strategy?: 'enqueue' | 'cancel_new';
  retries?: number | null;
  retry_delay?: number | null;
  timeout?: number | null;
  kernel_id: string;
  variable: string;
  notebook?: string | null;
  overwrite?: boolean;
  replaces?: string[] | null;
}

/**
 * The result of a registration or a rollback.
 *
 * `content_size` is the size of the flow content in bytes, without the `files` that are packed with it. "restored": the version
 * stays, and changes in Prefect were reverted to it. `kept` are changes in Prefect that were not reverted: `before` is the
 * registered value, `after` the live one. `warnings` are those of the pre-flight report that packing finds without extra cost.
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
 * The user's options for a deployment, from any interface: form, magic, Python or command line.
 *
 * `name` is the deployment's name (default: the flow's name). `work_pool` None means the local stack's work pool, or the one in
 * the settings. `include` lists data files that are packed with the flow: glob patterns or folders, relative to the notebook's
 * folder. `environment` is the policy for a run whose packages differ from those of the registration (docs/environment.md).
 * `secrets` are names of credentials that the flow needs; their values are read where the flow runs (docs/secrets.md).
 * `infrastructure` is the infrastructure that the work pool uses for the runs. `missed_runs` selects which of the scheduled runs
 * are started that were missed while the local stack or the machine was off. `concurrency_limit` is the number of runs that may
 * execute at the same time, and `collision_strategy` what happens to others. `retries`, `retry_delay` and `timeout` (seconds)
 * replace those of the flow's decorator; None keeps them.
 */
export interface Registration {
  name: string | null;
  executor: ExecutorChoice;
  schedules: (CronSchedule | IntervalSchedule | RRuleSchedule)[];
  parameters: JsonObject;
  notify: Notification[];
  trigger: Trigger[];
  work_pool: string | null;
  infrastructure: Infrastructure;
  tags: string[];
  environment: 'warn' | 'refuse' | 'recreate';
  missed_runs: 'last' | 'all' | 'none';
  secrets: string[];
  include: string[];
  description: string | null;
  concurrency_limit: number | null;
  collision_strategy: 'enqueue' | 'cancel_new';
  retries: number | null;
  retry_delay: number | null;
  timeout: number | null;
}

/**
 * Stop the cluster and start another one; runs that use it fail.
 */
export interface RestartCluster {
  do?: 'restart';
}

/**
 * GET /satflow/runs/<id>/result: what the flow returned, as far as it can be shown.
 *
 * "none": the flow returned None. "text", "table" and "image" have the field of that name; `image` is a PNG in base64. "object":
 * a pickle, which is never read in the Jupyter server. "large": larger than a preview.
 * `format` is the format in the store, None if the flow returned None; `size` is the size in bytes.
 */
export interface ResultPreview {
  kind: 'none' | 'text' | 'table' | 'image' | 'object' | 'large';
  format: string | null;
  size: number;
  text: string | null;
  table: ResultTable | null;
  image: string | null;
}

/**
 * The beginning of a table: its columns, and its rows as text.
 *
 * `row_count` and `column_count` are those of the whole table.
 */
export interface ResultTable {
  columns: string[];
  rows: string[][];
  row_count: number;
  column_count: number;
}

/**
 * POST /satflow/deployments/<id>/rollback → Registered.
 */
export interface RollbackRequest {
  version: number;
}

/**
 * A flow run.
 *
 * `why_waiting` explains why a run that should have started has not. `duration` is in seconds. `version` is the version of the
 * deployment that the run recorded at its end, None if it did not: it has not ended, was killed, or is of an earlier SatFlow.
 * `in_kernel`: a kernel executes the run, because its flow was called in a cell.
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
  tags: string[];
  scheduled: boolean;
  in_kernel: boolean;
  version: number | null;
  last_line: string | null;
  why_waiting: string | null;
}

/**
 * POST /satflow/runs/changes: cancel, retry or delete several runs.
 */
export interface RunChangeRequest {
  action: 'cancel' | 'retry' | 'delete';
  ids: string[];
}

/**
 * The reply: the ids of the runs that were changed, and the others, each in the order of the request.
 */
export interface RunChanges {
  changed: string[];
  refused: RefusedChange[];
}

/**
 * GET /satflow/runs/<id>.
 *
 * `parents` are the flow runs that contain this one, the outermost first. `artifacts` are those of the run and of its nested
 * runs, oldest first. `states` are all states of the run, oldest first. `job_variables` are those of the deployment, replaced by
 * those of the run. `settled`: the run ended long enough ago that Prefect has recorded all of its task runs.
 */
export interface RunDetail {
  run: Run;
  parents: RunLink[];
  failure: Failure | null;
  artifacts: Artifact[];
  states: StateChange[];
  origin: RunOrigin;
  job_variables: JsonObject;
  settled: boolean;
}

/**
 * A run group: runs of one deployment, one for each point. `counts` is the number of points in each state.
 *
 * `problem` is the reason why the group does not continue at the moment, or stopped. `varied` are the names of the parameters in
 * which the points differ.
 */
export interface RunGroup {
  id: string;
  name: string;
  deployment_id: string;
  deployment_name: string;
  flow_name: string;
  created: string;
  concurrency: number;
  newest_first: boolean;
  state:
    'running' | 'cancelling' | 'stopped' | 'completed' | 'failed' | 'cancelled';
  total: number;
  counts: { [key: string]: number };
  varied: string[];
  problem: string | null;
}

/**
 * GET /satflow/run-groups/{id}?limit=&offset=.
 */
export interface RunGroupDetail {
  group: RunGroup;
  points: RunPoint[];
}

/**
 * GET /satflow/run-groups, newest first.
 */
export interface RunGroupList {
  groups: RunGroup[];
}

/**
 * The reply of POST /satflow/run-groups/plan: how many runs the request would start.
 *
 * `points` is the number of different points of the request, of which `duplicates` more were left out, and `runs` the number of
 * those that would run. `first` are the parameters of the first few, in the order of their start. `exists`: a group of that name
 * is continued.
 */
export interface RunGroupPlan {
  name: string;
  deployment_name: string;
  flow_name: string;
  points: number;
  duplicates: number;
  runs: number;
  first: JsonObject[];
  exists: boolean;
}

/**
 * POST /satflow/run-groups, and /satflow/run-groups/plan, which starts nothing. Also the request in a kernel or terminal.
 *
 * `over` contains the values of each varied parameter, as a list or as text (`2026-01-01..2026-01-31`, `a,b`); the points are
 * all combinations. `points` lists them instead. `parameters` are the same for all points. A group of that name is continued:
 * new points are added, and those that `only` selects run again. Without a name, a new group is created.
 */
export interface RunGroupRequest {
  deployment: string;
  name?: string | null;
  over?: { [key: string]: string | JsonValue[] };
  points?: JsonObject[] | null;
  parameters?: JsonObject;
  concurrency?: number;
  only?: 'missing' | 'failed' | 'all';
  newest_first?: boolean;
}

/**
 * A flow run that contains another one, or that another one contains.
 */
export interface RunLink {
  id: string;
  name: string;
  flow_name: string;
}

/**
 * GET /satflow/runs?deployment_id=&state_type=&name=&tag=&since=&until=&active=&limit=&offset=, newest first.
 */
export interface RunList {
  runs: Run[];
}

/**
 * The origin of a run. `name` is that of the schedule or automation, if Prefect has one.
 *
 * "flow": another flow called it. "user": a request to the Prefect API, such as from the sidebar, a notebook or a terminal.
 */
export interface RunOrigin {
  kind: 'user' | 'schedule' | 'automation' | 'flow';
  name: string | null;
}

/**
 * One point of a run group: the parameters of its run, and the latest run.
 *
 * `message` explains a failure; `duration` is in seconds, 0 while the run has not ended.
 */
export interface RunPoint {
  position: number;
  parameters: JsonObject;
  state:
    | 'WAITING'
    | 'REFUSED'
    | 'DELETED'
    | 'SCHEDULED'
    | 'PENDING'
    | 'RUNNING'
    | 'COMPLETED'
    | 'FAILED'
    | 'CANCELLED'
    | 'CRASHED'
    | 'PAUSED'
    | 'CANCELLING';
  attempt: number;
  run_id: string | null;
  message: string | null;
  duration: number;
}

/**
 * POST /satflow/runs. `idempotency_key` is one per click of the button: a request that is sent twice creates one run.
 */
export interface RunRequest {
  deployment_id: string;
  parameters?: JsonObject;
  idempotency_key: string;
}

/**
 * GET /satflow/runs/<id>/version: the version of the deployment that ran, as far as the store has it.
 *
 * `number` is None if the run has not started or the version is unknown. `defaults` are the values of the parameters in the
 * flow's signature; the Prefect API does not receive them.
 */
export interface RunVersion {
  number: number | null;
  defaults: JsonObject;
}

/**
 * A hint that the list of runs changed; the client reads it again.
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
  schedule: CronScheduleInput | IntervalScheduleInput | RRuleScheduleInput;
  count?: number;
}

/**
 * A cluster that a deployment keeps between its runs, such as a shared cluster. `state` "none": there is no cluster now.
 *
 * `gateway` is the name of a Dask Gateway in the settings, "" for the local stack's gateway, None for a cluster at an address.
 * `workers` is the number of connected Dask workers, `plan` the intended number. `why` explains why they are fewer, or why the
 * scheduler does not respond. If the scheduler was not queried, `plan` and `why` are None.
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
 * The source of a flow.
 *
 * `cells` are the cells that define what the flow reaches, in the order of their execution; `files` are the local files.
 * `commit` is that of the repository with the notebook's folder, None without a repository or without git.
 */
export interface Source {
  notebook: string | null;
  commit: Commit | null;
  cells: Cell[];
  files: SourceFile[];
}

/**
 * The text of a local file at the time of packing. `path` is relative to its import path.
 */
export interface SourceFile {
  path: string;
  text: string;
}

/**
 * The Prefect API and the store in use, and their state.
 *
 * `kind` "local" is the stack that SatFlow runs on this machine, "configured" is the one in the settings. `step` is the current
 * step while `state` is "starting", and the error when it is "failed". `stays`: the stack keeps running after the last
 * JupyterLab and terminal have ended. `prefect_profile` is the name of Prefect's profile that has the address.
 */
export interface StackStatus {
  kind: 'local' | 'configured';
  state: 'stopped' | 'starting' | 'ready' | 'failed';
  step: string | null;
  prefect_api: string | null;
  prefect_profile: string | null;
  store: string | null;
  stays: boolean;
}

/**
 * Start the cluster ahead of runs; no effect on a running cluster.
 */
export interface StartCluster {
  do?: 'start';
}

/**
 * A state that a run or task run had since `time`.
 */
export interface StateChange {
  type:
    | 'SCHEDULED'
    | 'PENDING'
    | 'RUNNING'
    | 'COMPLETED'
    | 'FAILED'
    | 'CANCELLED'
    | 'CRASHED'
    | 'PAUSED'
    | 'CANCELLING';
  name: string;
  time: string;
  message: string | null;
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
 * The tasks (and subflows) that a flow calls according to its source: in order, each with the results that it uses.
 *
 * `rewired`: the calls of tasks that are in both versions differ in order, in number or in the results they use. `unsaid` lists
 * calls that cannot be determined from the source.
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
 * A task run. `interrupted`: its state in Prefect is still running although its flow run has ended.
 *
 * `duration` is the time that its finished attempts took, and `attempts` the number of attempts that started. `nested_run_id`
 * is the flow run that the task run represents, if it is the call of another flow. `inputs` are the ids of the task runs whose
 * results are in its arguments, or for which it waited; `input_count` is their number, of which only the first ones may be
 * listed. `caller` is the id of the task run that called it.
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
  expected_start: string | null;
  start: string | null;
  end: string | null;
  duration: number;
  attempts: number;
  tags: string[];
  interrupted: boolean;
  nested_run_id: string | null;
  inputs: string[];
  input_count: number;
  caller: string | null;
}

/**
 * GET /satflow/runs/<id>/tasks/<task run id>: its states, oldest first, and the origins of its arguments.
 */
export interface TaskRunDetail {
  id: string;
  states: StateChange[];
  inputs: TaskRunInput[];
}

/**
 * An argument of a task run. `task_runs` are the first of the `count` task runs whose results are in its value.
 */
export interface TaskRunInput {
  name: string;
  task_runs: string[];
  count: number;
}

/**
 * GET /satflow/runs/<id>/tasks?cursor=: the task runs that changed after the cursor.
 *
 * `reset`: the browser discards what it has, because its cursor is unknown. `more`: another page is available at once. `total`
 * is the number of task runs in Prefect, of which some may not be read yet. `time` is the server's time.
 */
export interface TaskRunPage {
  reset: boolean;
  task_runs: TaskRun[];
  cursor: string;
  more: boolean;
  total: number;
  time: string;
}

/**
 * An event that starts a run: the completion of a run of another deployment, any event of Prefect, or a new file.
 *
 * `after` is that deployment, as `flow/deployment`. `event` is the name of an event, and `resource` the id of the resource that
 * it is about; both may end with `*`. `files` is the absolute path of a file of this machine, with wildcards as in a shell, and
 * `parameter` the parameter that gets the path of the file that appeared.
 */
export interface Trigger {
  after: string | null;
  event: string | null;
  resource: string | null;
  files: string | null;
  parameter: string | null;
}

/**
 * An event that starts a run: the completion of a run of another deployment, any event of Prefect, or a new file.
 *
 * `after` is that deployment, as `flow/deployment`. `event` is the name of an event, and `resource` the id of the resource that
 * it is about; both may end with `*`. `files` is the absolute path of a file of this machine, with wildcards as in a shell, and
 * `parameter` the parameter that gets the path of the file that appeared.
 */
export interface TriggerInput {
  after?: string | null;
  event?: string | null;
  resource?: string | null;
  files?: string | null;
  parameter?: string | null;
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
 * One version. `problem` explains why its manifest cannot be read; then `record` is None.
 */
export interface Version {
  number: number;
  manifest: string;
  live: boolean;
  problem: string | null;
  record: VersionRecord | null;
}

/**
 * GET /satflow/deployments/<id>/versions/<number>. `chosen` are the options of its registration.
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
 * `choices` are changes of the schedule, the default parameters, the tags, the work pool and all other options. `environment`
 * are changes of the interpreter. `unexplained` describes a difference that is not in the source, such as in captured data.
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
 * `next` is the `before` of the next page, None on the last page. `lost` explains why older versions existed but cannot be
 * listed.
 */
export interface VersionList {
  deployment_id: string;
  versions: Version[];
  next: number | null;
  lost: string | null;
}

/**
 * A summary of a version's manifest.
 *
 * `content_size` is in bytes; `content_kept`: the store still has the content; None if the store did not report it.
 * `restores` is the number of the version that a rollback restored; `summary` is one line about the changes.
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
 * A Prefect work pool and the number of Prefect workers that poll it now.
 *
 * `takes` are the fields of `Infrastructure` that the pool supports; `job_variables` is the schema of its other variables.
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
 * A named size of one Dask worker; memory is in bytes. `reason` explains why the size is not `available` on this machine.
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

export type Schedule = CronSchedule | IntervalSchedule | RRuleSchedule;
