import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ErrorBody, JsonObject, Run } from '../_api';
import type { IClient, IRunsQuery } from '../client';
import { coalesceCalls } from '../components/coalesceCalls';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';
import type { IStream } from '../stream';

type IRunsClient = Pick<
  IClient,
  'runs' | 'startRun' | 'cancelRun' | 'retryRun'
>;

/** Return the text of a cell that reads the result of a run. */
export function formatResultCell(run: Run): string {
  const id = JSON.stringify(run.id);
  return `import satflow_ext

result = satflow_ext.get_run(${id}).result()
result`;
}

/** Periods before now, in milliseconds. */
export const PERIODS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000
};

/** A query of which the time can be a period before each request. */
export interface IPeriodQuery extends IRunsQuery {
  period?: keyof typeof PERIODS;
}

/** A filter of runs; a missing part selects all. */
export type RunsFilter = Omit<IPeriodQuery, 'active' | 'limit' | 'offset'>;

/** Return the query of a filter now. A period that this version does not know is left out. */
export function queryNow({ period, ...query }: IPeriodQuery): IRunsQuery {
  return period && Object.hasOwn(PERIODS, period)
    ? { ...query, since: new Date(Date.now() - PERIODS[period]).toISOString() }
    : query;
}

/** Number of runs in a page of the list. */
export const PAGE_SIZE = 100;

/** The newest runs that match the filter, read again after each hint of the stream. */
export class RunsModel extends Observable {
  constructor(
    private readonly client: IRunsClient,
    private readonly stream: IStream,
    private _filter: IPeriodQuery = {}
  ) {
    super();
  }

  get items(): Run[] {
    return this._items;
  }

  /** True if the list has been read. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** True if there are older runs than those that were read. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  get filter(): IPeriodQuery {
    return this._filter;
  }

  /** The time of the last request for the list, in milliseconds of `performance.now()`. */
  get requestedAt(): number {
    return this._requestedAt;
  }

  /** Emitted when a run was started here. */
  get runStarted(): ISignal<RunsModel, Run> {
    return this._runStarted;
  }

  readonly refresh = coalesceCalls(async () => {
    const filter = this._filter;
    try {
      const askedAt = performance.now();
      const pages = await this.readPages(filter);
      // Runs that start between the requests move others to the next page.
      const runs = new Map(pages.flat().map(run => [run.id, run]));
      this._items = [...runs.values()];
      this._hasMore = pages[pages.length - 1].length === PAGE_SIZE;
      this._requestedAt = askedAt;
      this._isLoaded = true;
      this._error = null;
      this.readFilter = filter;
    } catch (reason) {
      this._error = toErrorBody(reason);
      if (this.readFilter !== filter) {
        // Runs that match the previous filter must not look like matches of this one.
        this._items = [];
        this._hasMore = false;
        this._isLoaded = false;
      }
    }
    this.emitChanged();
  });

  /** Read the list now and after each hint of the server, until `unwatch`. */
  watch(): void {
    this.subscription ??= this.stream.subscribe(
      'runs',
      null,
      () => void this.refresh()
    );
    void this.refresh();
  }

  unwatch(): void {
    this.subscription?.dispose();
    this.subscription = null;
  }

  /** Read another page of older runs, which is updated like the others from now on. */
  loadMore(): Promise<void> {
    this.pageCount += 1;
    return this.refresh();
  }

  setFilter(filter: IPeriodQuery): void {
    this._filter = filter;
    this.pageCount = 1;
    this.emitChanged();
    void this.refresh();
  }

  /**
   * Start a run. One call starts one run, even if the request is sent several times.
   *
   * @param deploymentId - the id of the deployment
   * @param parameters - the parameters that differ from the deployment's
   */
  async startRun(deploymentId: string, parameters: JsonObject): Promise<Run> {
    const run = await this.client.startRun({
      deployment_id: deploymentId,
      parameters,
      idempotency_key: UUID.uuid4()
    });
    this._runStarted.emit(run);
    void this.refresh();
    return run;
  }

  async cancelRun(id: string): Promise<void> {
    await this.client.cancelRun(id);
    await this.refresh();
  }

  async retryRun(id: string): Promise<void> {
    await this.client.retryRun(id);
    await this.refresh();
  }

  dispose(): void {
    this.unwatch();
    super.dispose();
  }

  private readPages(filter: IPeriodQuery): Promise<Run[][]> {
    const now = queryNow(filter);
    const offsets = Array.from(
      { length: this.pageCount },
      (_, page) => page * PAGE_SIZE
    );
    return Promise.all(
      offsets.map(async offset => {
        const query = { ...now, limit: PAGE_SIZE, offset };
        return (await this.client.runs(query)).runs;
      })
    );
  }

  private subscription: IDisposable | null = null;
  private pageCount = 1;
  private _items: Run[] = [];
  private _requestedAt = 0;
  private _hasMore = false;
  private _isLoaded = false;
  private _error: ErrorBody | null = null;
  /** The filter of the list that was read. */
  private readFilter = this._filter;
  private readonly _runStarted = new Signal<RunsModel, Run>(this);
}
