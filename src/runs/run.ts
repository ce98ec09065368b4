import { DisposableSet } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type {
  ClusterFrame,
  ClusterStatus,
  ErrorBody,
  ResultPreview,
  Run,
  RunDetail,
  RunVersion,
  StreamFrame,
  TaskRunDetail
} from '../_api';
import type { IClient } from '../client';
import { appendSamples, type ISample } from '../clusters/sampleHistory';
import { coalesceCalls } from '../components/coalesceCalls';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';
import { hasEnded } from '../format';
import type { IStream } from '../stream';
import { type ILinkedLine, type LogState, logState, LogStore } from './log';
import type { RunsModel } from './runs';
import { hasAllTasks, TaskRunStore } from './taskRuns';

type IRunClient = Pick<
  IClient,
  | 'run'
  | 'runVersion'
  | 'runResult'
  | 'taskRuns'
  | 'taskRun'
  | 'log'
  | 'cancelRun'
>;
type IRunList = Pick<RunsModel, 'requestedAt' | 'changed' | 'items'>;

/** One run with all details, updated live. */
export class RunModel extends Observable {
  constructor(
    readonly id: string,
    private readonly client: IRunClient,
    private readonly stream: IStream,
    private readonly list: IRunList
  ) {
    super();
    list.changed.connect(this.onList, this);
    this.poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      // The server sends hints for states of the run, but not for changes of its tasks.
      frequency: { interval: 3000, backoff: true, max: 30_000 },
      name: `satflow-ext:run:${id}`,
      standby: () => !this.isShown || document.hidden
    });
  }

  readonly log = new LogStore();
  readonly tasks = new TaskRunStore();

  get detail(): RunDetail | null {
    return this._detail;
  }

  get cluster(): ClusterStatus | null {
    return this._cluster;
  }

  get samples(): readonly ISample[] {
    return this._samples;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  /** The loading state of the log. */
  get progress(): LogState {
    const state = this._detail?.run.state_type;
    return logState(this.log, state !== undefined && hasEnded(state));
  }

  /** The line of the log to show, or null. */
  get linkedLine(): ILinkedLine | null {
    return this._linkedLine;
  }

  /** Show a line of the log, also if it is loaded later. */
  showLine(id: string): void {
    this._linkedLine = { id };
    this.emitChanged();
  }

  /** The error of the live updates; the other data can still be valid. */
  get streamError(): ErrorBody | null {
    return this._streamError;
  }

  /** Subscribe and start to read; further calls have no effect. */
  watch(): void {
    if (this.subscriptions.isDisposed || this.isWatching) {
      return;
    }
    this.isWatching = true;
    this.subscriptions.add(this.stream.subscribe('runs', null, this.take));
    this.followRun();
    void this.poll.refresh();
  }

  readonly refresh = coalesceCalls(async () => {
    try {
      const askedAt = performance.now();
      this.setDetail(await this.client.run(this.id));
      this.requestedAt = askedAt;
      // The task runs take longer.
      this.applyListedState();
      this.emitChanged();
      await this.readTaskRuns();
      this._error = null;
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    if (this.isComplete) {
      void this.poll.stop();
    }
    this.applyListedState();
    this.emitChanged();
  });

  /** Read again what may have changed while the view was hidden, or stop reading until it is shown. */
  setShown(isShown: boolean): void {
    this.isShown = isShown;
    if (isShown && this.isWatching && !this.isComplete) {
      void this.poll.refresh();
    }
  }

  /** Read the version of its deployment that the run executes. */
  readVersion(): Promise<RunVersion> {
    return this.client.runVersion(this.id);
  }

  /** Read what the flow returned, as far as it can be shown. */
  readResult(): Promise<ResultPreview> {
    return this.client.runResult(this.id);
  }

  /** Read the states and inputs of a task run. */
  readTaskRun(taskRunId: string): Promise<TaskRunDetail> {
    return this.client.taskRun(this.id, taskRunId);
  }

  async cancel(): Promise<void> {
    await this.client.cancelRun(this.id);
    await this.refresh();
  }

  /** Return the whole log as text. */
  readonly download = (): Promise<Blob> => this.client.log(this.id);

  dispose(): void {
    this.list.changed.disconnect(this.onList, this);
    this.following.dispose();
    this.subscriptions.dispose();
    this.poll.dispose();
    super.dispose();
  }

  /** Read the changes of the task runs; a run with many of them is shown page by page. */
  private async readTaskRuns(): Promise<void> {
    let hasMore = true;
    while (hasMore && !this.isDisposed) {
      const { cursor } = this.tasks;
      const page = await this.client.taskRuns(
        this.id,
        cursor ? { cursor } : {}
      );
      this.tasks.addPage(page);
      hasMore = page.more;
      if (hasMore) {
        this.emitChanged();
      }
    }
  }

  private followRun(): void {
    this.following.dispose();
    this.following = DisposableSet.from([
      this.stream.subscribe('logs', this.id, this.take),
      this.stream.subscribe('cluster', this.id, this.take)
    ]);
  }

  /** Set the details. If the run had ended and is executed again, follow it again: its log continues. */
  private setDetail(detail: RunDetail): void {
    const before = this._detail;
    this._detail = detail;
    if (before && isRetried(before.run, detail.run) && this.isWatching) {
      this.log.reopen();
      this.followRun();
      void this.poll.start();
    }
  }

  private handleFrame(frame: StreamFrame): void {
    switch (frame.type) {
      case 'logs.v1':
        this.log.addFrame(frame);
        this._streamError = null;
        if (frame.ended || this.isTracebackMissing) {
          void this.refresh();
        }
        break;
      case 'cluster.v1':
        this.updateCluster(frame);
        break;
      case 'runs.v1':
        if (this.isShown) {
          void this.refresh();
        }
        return;
      case 'error.v1':
        this._streamError = frame.error;
    }
    this.emitChanged();
  }

  /** True if there is nothing more to read. Prefect records task runs and stores the log after the end of the run. */
  private get isComplete(): boolean {
    const detail = this._detail;
    return (
      detail !== null &&
      hasEnded(detail.run.state_type) &&
      (detail.settled ||
        (this.log.isComplete &&
          !this.isTracebackMissing &&
          hasAllTasks(this.tasks.items, this.log.lines)))
    );
  }

  /** True if the traceback is missing: Prefect reports the end of a run before it stores the log with the traceback. */
  private get isTracebackMissing(): boolean {
    const failure = this._detail?.failure;
    return failure !== undefined && failure !== null && !failure.traceback;
  }

  private onList(): void {
    if (this.applyListedState()) {
      this.emitChanged();
      void this.refresh();
    }
  }

  /**
   * Use the state of the run in the list until the run itself is read, which takes longer because of its tasks.
   * Return whether the state changed.
   */
  private applyListedState(): boolean {
    const run = this.list.items.find(one => one.id === this.id);
    const detail = this._detail;
    const isNews =
      detail !== null &&
      this.list.requestedAt > this.requestedAt &&
      run?.state_name !== detail.run.state_name;
    if (run && isNews) {
      this.setDetail({ ...detail, run });
    }
    return run !== undefined && isNews;
  }

  private updateCluster({ status, moments }: ClusterFrame): void {
    this._samples = appendSamples(this._samples, moments);
    if (status) {
      this._cluster = status;
    } else if (this._cluster) {
      this._cluster = { ...this._cluster, state: 'closed' }; // the last known state
    }
  }

  private requestedAt = 0;
  private isWatching = false;
  private isShown = true;
  private _detail: RunDetail | null = null;
  private _cluster: ClusterStatus | null = null;
  private _samples: ISample[] = [];
  private _linkedLine: ILinkedLine | null = null;
  private _error: ErrorBody | null = null;
  private _streamError: ErrorBody | null = null;
  private readonly poll: Poll;
  private readonly subscriptions = new DisposableSet();
  /** The subscriptions that end with the run. */
  private following = new DisposableSet();
  private readonly take = (frame: StreamFrame) => this.handleFrame(frame);
}

/** Return whether a run that had ended is executed again. */
function isRetried(before: Run, after: Run): boolean {
  return hasEnded(before.state_type) && !hasEnded(after.state_type);
}
