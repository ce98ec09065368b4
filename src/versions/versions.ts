import type { Deployment, Registered, Version, VersionDiff } from '../_api';
import type { IClient } from '../client';
import { ActionModel } from '../components/actionModel';

type IVersionsClient = Pick<IClient, 'versions' | 'diffVersions' | 'rollBack'>;

/** The numbers of two versions, the earlier first. */
export interface IVersionPair {
  before: number;
  after: number;
}

/** The part of the deployments model that the versions require. */
export interface IDeploymentsRead {
  readonly items: Deployment[];
  refresh(): Promise<void>;
}

/** The versions of one deployment, with a comparison of two versions and rollback to an earlier one. */
export class VersionsModel extends ActionModel {
  constructor(
    readonly deploymentId: string,
    private readonly client: IVersionsClient,
    private readonly deployments: IDeploymentsRead
  ) {
    super();
  }

  /** The versions read so far, newest first; null before the first read. */
  get items(): Version[] | null {
    return this._items;
  }

  /** True if there are older versions to read. */
  get hasMore(): boolean {
    return this.nextBefore !== null;
  }

  /** The reason why older versions are missing; null if none are. */
  get missingReason(): string | null {
    return this._missingReason;
  }

  /** The compared versions; null if there is only one version. */
  get pair(): IVersionPair | null {
    return this._pair;
  }

  /** The differences between the two versions; null until they are loaded. */
  get diff(): VersionDiff | null {
    return this._diff;
  }

  /** Compare a version with the one before it, as soon as the versions are loaded. */
  showVersion(number: number): void {
    const pair = { before: number - 1, after: number };
    if (this._items && !this.isBusy) {
      void this.compareVersions(pair);
    } else {
      this.requested = pair;
    }
  }

  /** Read the newest versions again and compare the requested ones, or else the newest two. */
  async load(): Promise<void> {
    await this.runAction(async () => {
      await this.readPage([], undefined);
    });
    const [after, before] = this._items ?? [];
    if (before && !this._error) {
      const newest = { before: before.number, after: after.number };
      await this.compareVersions(this.requested ?? newest);
    }
  }

  /** Read the next page. */
  async loadMore(): Promise<void> {
    const { nextBefore } = this;
    if (nextBefore !== null) {
      await this.runAction(() => this.readPage(this._items ?? [], nextBefore));
    }
  }

  async compareVersions(pair: IVersionPair): Promise<void> {
    this.requested = null;
    this._pair = pair;
    this._diff = null;
    await this.runAction(async () => {
      const { before, after } = pair;
      const found = await this.client.diffVersions(
        this.deploymentId,
        before,
        after
      );
      if (this._pair === pair) {
        this._diff = found;
      }
    });
  }

  /** Make an earlier version the newest one. Return the result, or null if the request was refused. */
  async rollBack(version: number): Promise<Registered | null> {
    let done: Registered | null = null;
    await this.runAction(async () => {
      done = await this.client.rollBack(this.deploymentId, { version });
      await this.deployments.refresh();
    });
    if (done) {
      await this.load();
    }
    return done;
  }

  private async readPage(known: Version[], before?: number): Promise<void> {
    const query = before === undefined ? {} : { before };
    const page = await this.client.versions(this.deploymentId, query);
    this._items = [...known, ...page.versions];
    this.nextBefore = page.next;
    this._missingReason = page.lost;
  }

  private requested: IVersionPair | null = null;
  private nextBefore: number | null = null;
  private _items: Version[] | null = null;
  private _missingReason: string | null = null;
  private _pair: IVersionPair | null = null;
  private _diff: VersionDiff | null = null;
}
