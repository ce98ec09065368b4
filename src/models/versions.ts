import type { Deployment, Registered, Version, VersionDiff } from '../_api';
import type { IClient } from '../client';
import { Working } from './working';

type Served = Pick<IClient, 'versions' | 'diffVersions' | 'rollBack'>;

/** Two versions by their numbers, the earlier first. */
export interface IPair {
  before: number;
  after: number;
}

/** What the versions of a deployment need of the deployments. */
export interface IDeploymentsRead {
  readonly items: Deployment[];
  refresh(): Promise<void>;
}

/** The versions of one deployment, two of them side by side, and the way back to an earlier one. */
export class VersionsModel extends Working {
  constructor(
    readonly deploymentId: string,
    private readonly client: Served,
    private readonly deployments: IDeploymentsRead
  ) {
    super();
  }

  /** Those read so far, newest first; null before the first reading. */
  get items(): Version[] | null {
    return this._items;
  }

  /** Whether there are older ones to read. */
  get hasMore(): boolean {
    return this.next !== null;
  }

  /** Why nothing older is known although there was something. */
  get lost(): string | null {
    return this._lost;
  }

  /** What is compared; null where there is only one version. */
  get pair(): IPair | null {
    return this._pair;
  }

  /** How the two differ, null until that is read. */
  get diff(): VersionDiff | null {
    return this._diff;
  }

  /** Read the newest again, and compare the newest two. */
  async load(): Promise<void> {
    await this.doing(async () => {
      await this.read([], undefined);
    });
    const [after, before] = this._items ?? [];
    if (before && !this._error) {
      await this.compare({ before: before.number, after: after.number });
    }
  }

  /** Read the next page. */
  async more(): Promise<void> {
    const { next } = this;
    if (next !== null) {
      await this.doing(() => this.read(this._items ?? [], next));
    }
  }

  async compare(pair: IPair): Promise<void> {
    this._pair = pair;
    this._diff = null;
    await this.doing(async () => {
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

  /** Make an earlier version the newest; what was done, null where it was refused. */
  async rollBack(version: number): Promise<Registered | null> {
    let done: Registered | null = null;
    await this.doing(async () => {
      done = await this.client.rollBack(this.deploymentId, { version });
      await this.deployments.refresh();
    });
    if (done) {
      await this.load();
    }
    return done;
  }

  private async read(known: Version[], before?: number): Promise<void> {
    const query = before === undefined ? {} : { before };
    const page = await this.client.versions(this.deploymentId, query);
    this._items = [...known, ...page.versions];
    this.next = page.next;
    this._lost = page.lost;
  }

  private next: number | null = null;
  private _items: Version[] | null = null;
  private _lost: string | null = null;
  private _pair: IPair | null = null;
  private _diff: VersionDiff | null = null;
}
