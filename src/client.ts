import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type * as api from './_api';
import type {
  IClient,
  IPointsQuery,
  IRunsQuery,
  ITaskRunsQuery,
  IVersionsQuery
} from './clientInterface';
import {
  LOG_INCOMPLETE,
  parseErrorReply,
  RequestFailed,
  SERVER_UNREACHABLE
} from './errors';

export type * from './clientInterface';

/** `IClient` over Jupyter's authenticated connection. */
export class Client implements IClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  flows(kernelId: string): Promise<api.FlowList> {
    return this.requestJson('GET', ['kernels', kernelId, 'flows']);
  }

  catalogue(): Promise<api.Catalogue> {
    return this.requestJson('GET', ['catalogue']);
  }

  previewSchedule(
    request: api.SchedulePreviewRequest
  ): Promise<api.SchedulePreview> {
    return this.requestJson('POST', ['schedules', 'preview'], request);
  }

  testNotification(block: string): Promise<api.NotificationTest> {
    return this.requestJson('POST', ['notifications', 'test'], { block });
  }

  clusterClass(request: api.ClusterClassRequest): Promise<api.ClusterClass> {
    return this.requestJson('POST', ['cluster-classes'], request);
  }

  preflight(request: api.PreflightRequest): Promise<api.Preflight> {
    return this.requestJson('POST', ['preflight'], request);
  }

  deployments(): Promise<api.DeploymentList> {
    return this.requestJson('GET', ['deployments']);
  }

  register(request: api.RegisterRequest): Promise<api.Registered> {
    return this.requestJson('POST', ['deployments'], request);
  }

  pauseDeployment(
    id: string,
    request: api.PauseRequest
  ): Promise<api.Deployment> {
    return this.requestJson('PATCH', ['deployments', id], request);
  }

  async deleteDeployment(id: string): Promise<void> {
    await this.request('DELETE', ['deployments', id]);
  }

  versions(id: string, query: IVersionsQuery = {}): Promise<api.VersionList> {
    const search = formatQuery(query);
    return this.requestJson(
      'GET',
      ['deployments', id, 'versions'],
      undefined,
      search
    );
  }

  version(id: string, number: number): Promise<api.VersionDetail> {
    return this.requestJson('GET', [
      'deployments',
      id,
      'versions',
      `${number}`
    ]);
  }

  diffVersions(
    id: string,
    before: number,
    after: number
  ): Promise<api.VersionDiff> {
    const path = ['versions', `${before}`, 'diff', `${after}`];
    return this.requestJson('GET', ['deployments', id, ...path]);
  }

  rollBack(id: string, request: api.RollbackRequest): Promise<api.Registered> {
    return this.requestJson('POST', ['deployments', id, 'rollback'], request);
  }

  orderCluster(
    id: string,
    order: api.ClusterOrder
  ): Promise<api.SharedCluster> {
    return this.requestJson('POST', ['deployments', id, 'cluster'], order);
  }

  async closeCluster(id: string): Promise<void> {
    await this.request('DELETE', ['deployments', id, 'cluster']);
  }

  runs(query: IRunsQuery = {}): Promise<api.RunList> {
    const search = formatQuery(query);
    return this.requestJson('GET', ['runs'], undefined, search);
  }

  startRun(request: api.RunRequest): Promise<api.Run> {
    return this.requestJson('POST', ['runs'], request);
  }

  run(id: string): Promise<api.RunDetail> {
    return this.requestJson('GET', ['runs', id]);
  }

  runVersion(id: string): Promise<api.RunVersion> {
    return this.requestJson('GET', ['runs', id, 'version']);
  }

  runResult(id: string): Promise<api.ResultPreview> {
    return this.requestJson('GET', ['runs', id, 'result']);
  }

  taskRuns(id: string, query: ITaskRunsQuery = {}): Promise<api.TaskRunPage> {
    const search = formatQuery(query);
    return this.requestJson('GET', ['runs', id, 'tasks'], undefined, search);
  }

  taskRun(id: string, taskRunId: string): Promise<api.TaskRunDetail> {
    return this.requestJson('GET', ['runs', id, 'tasks', taskRunId]);
  }

  cancelRun(id: string): Promise<api.Run> {
    return this.requestJson('POST', ['runs', id, 'cancel']);
  }

  retryRun(id: string): Promise<api.Run> {
    return this.requestJson('POST', ['runs', id, 'retry']);
  }

  recentRuns(request: api.RecentRunsRequest): Promise<api.RecentRuns> {
    return this.requestJson('POST', ['runs', 'recent'], request);
  }

  changeRuns(request: api.RunChangeRequest): Promise<api.RunChanges> {
    return this.requestJson('POST', ['runs', 'changes'], request);
  }

  debugRun(id: string, request: api.DebugRequest): Promise<api.DebugCell> {
    return this.requestJson('POST', ['runs', id, 'debug'], request);
  }

  async log(id: string): Promise<Blob> {
    const response = await this.request('GET', ['runs', id, 'log']);
    return response.blob().catch(throwIncompleteLog);
  }

  runGroups(): Promise<api.RunGroupList> {
    return this.requestJson('GET', ['run-groups']);
  }

  planRunGroup(request: api.RunGroupRequest): Promise<api.RunGroupPlan> {
    return this.requestJson('POST', ['run-groups', 'plan'], request);
  }

  startRunGroup(request: api.RunGroupRequest): Promise<api.RunGroup> {
    return this.requestJson('POST', ['run-groups'], request);
  }

  runGroup(id: string, query: IPointsQuery = {}): Promise<api.RunGroupDetail> {
    const search = formatQuery(query);
    return this.requestJson('GET', ['run-groups', id], undefined, search);
  }

  retryRunGroup(id: string): Promise<api.RunGroup> {
    return this.requestJson('POST', ['run-groups', id, 'retry']);
  }

  cancelRunGroup(id: string): Promise<api.RunGroup> {
    return this.requestJson('POST', ['run-groups', id, 'cancel']);
  }

  clusters(): Promise<api.ClusterList> {
    return this.requestJson('GET', ['clusters']);
  }

  stack(): Promise<api.StackStatus> {
    return this.requestJson('GET', ['stack']);
  }

  startStack(): Promise<api.StackStatus> {
    return this.requestJson('POST', ['stack']);
  }

  private async requestJson<T>(
    method: string,
    path: string[],
    body?: object,
    search = ''
  ): Promise<T> {
    const response = await this.request(method, path, body, search);
    return (await response.json()) as T;
  }

  private async request(
    method: string,
    path: string[],
    body?: object,
    search = ''
  ): Promise<Response> {
    const url = endpointUrl(this.settings.baseUrl, path) + search;
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    const response = await ServerConnection.makeRequest(
      url,
      init,
      this.settings
    ).catch(throwUnreachable);
    if (!response.ok) {
      throw new RequestFailed(
        parseErrorReply(response.status, await response.text())
      );
    }
    return response;
  }
}

/** Return the URL of the websocket, with the token only if Jupyter itself appends it to URLs. */
export function streamUrl(settings: ServerConnection.ISettings): string {
  const url = endpointUrl(settings.wsUrl, ['stream']);
  return settings.appendToken && settings.token
    ? `${url}?token=${encodeURIComponent(settings.token)}`
    : url;
}

function endpointUrl(base: string, path: string[]): string {
  return URLExt.join(base, 'satflow', ...path.map(encodeURIComponent));
}

/** Format a query for a URL without unset parameters, for which `URLExt` would write "undefined". */
function formatQuery(
  query: IRunsQuery | IVersionsQuery | IPointsQuery | ITaskRunsQuery
): string {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null
  );
  return URLExt.objectToQueryString(Object.fromEntries(given));
}

function throwUnreachable(reason: Error): never {
  throw new RequestFailed({
    error: SERVER_UNREACHABLE,
    message: `The Jupyter server does not answer: ${reason.message}.`,
    fix: 'Check that it is running and reload the page.',
    field: null
  });
}

/**
 * Report an incomplete log. The server closes the connection if it cannot continue, so that part of a log never looks
 * complete.
 */
function throwIncompleteLog(): never {
  throw new RequestFailed({
    error: LOG_INCOMPLETE,
    message:
      'The connection closed before the end of the log, and nothing was saved.',
    fix: 'Try again when the Prefect API answers.',
    field: null
  });
}
