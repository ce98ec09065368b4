import type * as api from './_api';

/** Filters for the list of runs; `limit` is the maximum number of runs. */
export interface IRunsQuery {
  deployment_id?: string;
  state_type?: api.Run['state_type'];
  /** True for only those that have not ended. */
  active?: boolean;
  /** Part of the name. */
  name?: string;
  tag?: string;
  /** ISO times of the start, or the planned start. */
  since?: string;
  until?: string;
  limit?: number;
  offset?: number;
}

/** A page of the list of versions: at most `limit` versions older than `before`. */
export interface IVersionsQuery {
  before?: number;
  limit?: number;
}

/** A page of the points of a run group. */
export interface IPointsQuery {
  limit?: number;
  offset?: number;
}

/** The position in the changes of a run's task runs; without it, all of them are sent. */
export interface ITaskRunsQuery {
  cursor?: string;
}

/** Client of SatFlow's REST API, with one method per endpoint. Each method rejects with `RequestFailed`. */
export interface IClient {
  flows(kernelId: string): Promise<api.FlowList>;
  catalogue(): Promise<api.Catalogue>;
  previewSchedule(
    request: api.SchedulePreviewRequest
  ): Promise<api.SchedulePreview>;
  /** Send a test message through a Prefect block. */
  testNotification(block: string): Promise<api.NotificationTest>;
  clusterClass(request: api.ClusterClassRequest): Promise<api.ClusterClass>;
  preflight(request: api.PreflightRequest): Promise<api.Preflight>;
  deployments(): Promise<api.DeploymentList>;
  register(request: api.RegisterRequest): Promise<api.Registered>;
  pauseDeployment(
    id: string,
    request: api.PauseRequest
  ): Promise<api.Deployment>;
  deleteDeployment(id: string): Promise<void>;
  versions(id: string, query?: IVersionsQuery): Promise<api.VersionList>;
  version(id: string, number: number): Promise<api.VersionDetail>;
  diffVersions(
    id: string,
    before: number,
    after: number
  ): Promise<api.VersionDiff>;
  rollBack(id: string, request: api.RollbackRequest): Promise<api.Registered>;
  orderCluster(id: string, order: api.ClusterOrder): Promise<api.SharedCluster>;
  closeCluster(id: string): Promise<void>;
  runs(query?: IRunsQuery): Promise<api.RunList>;
  startRun(request: api.RunRequest): Promise<api.Run>;
  run(id: string): Promise<api.RunDetail>;
  runVersion(id: string): Promise<api.RunVersion>;
  runResult(id: string): Promise<api.ResultPreview>;
  taskRuns(id: string, query?: ITaskRunsQuery): Promise<api.TaskRunPage>;
  taskRun(id: string, taskRunId: string): Promise<api.TaskRunDetail>;
  cancelRun(id: string): Promise<api.Run>;
  retryRun(id: string): Promise<api.Run>;
  /** List the last runs of several deployments. */
  recentRuns(request: api.RecentRunsRequest): Promise<api.RecentRuns>;
  /** Cancel, retry or delete several runs. */
  changeRuns(request: api.RunChangeRequest): Promise<api.RunChanges>;
  debugRun(id: string, request: api.DebugRequest): Promise<api.DebugCell>;
  log(id: string): Promise<Blob>;
  runGroups(): Promise<api.RunGroupList>;
  planRunGroup(request: api.RunGroupRequest): Promise<api.RunGroupPlan>;
  startRunGroup(request: api.RunGroupRequest): Promise<api.RunGroup>;
  runGroup(id: string, query?: IPointsQuery): Promise<api.RunGroupDetail>;
  retryRunGroup(id: string): Promise<api.RunGroup>;
  cancelRunGroup(id: string): Promise<api.RunGroup>;
  clusters(): Promise<api.ClusterList>;
  stack(): Promise<api.StackStatus>;
  startStack(): Promise<api.StackStatus>;
}
