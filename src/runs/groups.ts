import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type {
  ErrorBody,
  RunGroup,
  RunGroupDetail,
  RunGroupPlan,
  RunGroupRequest,
  RunPoint
} from '../_api';
import type { IClient } from '../client';
import { coalesceCalls } from '../components/coalesceCalls';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';
import type { IStream } from '../stream';

type IGroupsClient = Pick<
  IClient,
  | 'runGroups'
  | 'runGroup'
  | 'planRunGroup'
  | 'startRunGroup'
  | 'retryRunGroup'
  | 'cancelRunGroup'
>;

/** Milliseconds between two reads while a group is in progress: its counts can change without a change in the list of runs. */
const READ_INTERVAL = 2000;

/** Maximum number of points that are shown of a group. */
export const POINTS_LIMIT = 500;

/** Return whether runs of the group have not ended. */
export function isActive(group: RunGroup): boolean {
  return group.state === 'running' || group.state === 'cancelling';
}

/** Return the text of a cell that shows the results of a group; those so far, without waiting, if it has not ended. */
export function formatResultsCell(group: RunGroup): string {
  const name = JSON.stringify(group.name);
  const hasEnded = !isActive(group) && group.state !== 'stopped';
  const options = hasEnded ? '' : 'partial=True';
  return `import satflow_ext

results = satflow_ext.get_run_group(${name}).results(${options})
results`;
}

/** The newest run groups, and the points of those that the user opened. */
export class RunGroupsModel extends Observable {
  constructor(
    private readonly client: IGroupsClient,
    private readonly stream: IStream
  ) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: READ_INTERVAL },
      name: 'satflow-ext:run-groups',
      standby: () => document.hidden || !this._items.some(isActive)
    });
  }

  get items(): RunGroup[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  /** Return the points of an open group; undefined until they were read. */
  points(id: string): RunPoint[] | undefined {
    return this.details.get(id)?.points;
  }

  readonly refresh = coalesceCalls(async () => {
    try {
      this._items = (await this.client.runGroups()).groups;
      await Promise.all(
        [...this.details.keys()].map(id => this.readPoints(id))
      );
      this._error = null;
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this.emitChanged();
  });

  /** Read the list now, after each hint of the server and while a group is in progress, until `unwatch`. */
  watch(): void {
    this.subscription ??= this.stream.subscribe(
      'runs',
      null,
      () => void this.refresh()
    );
    void this.refresh();
    void this.poll.start();
  }

  unwatch(): void {
    this.subscription?.dispose();
    this.subscription = null;
    void this.poll.stop();
  }

  /** Read the points of a group, and keep them current until `closePoints`. */
  async openPoints(id: string): Promise<void> {
    try {
      await this.readPoints(id);
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this.emitChanged();
  }

  closePoints(id: string): void {
    this.details.delete(id);
  }

  plan(request: RunGroupRequest): Promise<RunGroupPlan> {
    return this.client.planRunGroup(request);
  }

  async start(request: RunGroupRequest): Promise<void> {
    await this.client.startRunGroup(request);
    await this.refresh();
  }

  async retryFailed(id: string): Promise<void> {
    await this.client.retryRunGroup(id);
    await this.refresh();
  }

  async cancel(id: string): Promise<void> {
    await this.client.cancelRunGroup(id);
    await this.refresh();
  }

  dispose(): void {
    this.unwatch();
    this.poll.dispose();
    super.dispose();
  }

  private async readPoints(id: string): Promise<void> {
    const query = { limit: POINTS_LIMIT };
    this.details.set(id, await this.client.runGroup(id, query));
  }

  private readonly poll: Poll;
  private subscription: IDisposable | null = null;
  private _items: RunGroup[] = [];
  private _error: ErrorBody | null = null;
  private readonly details = new Map<string, RunGroupDetail>();
}
