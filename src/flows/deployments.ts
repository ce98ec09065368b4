import { Poll } from '@lumino/polling';

import type {
  Deployment,
  ErrorBody,
  Registered,
  RegisterRequest
} from '../_api';
import type { IClient } from '../client';
import { coalesceCalls } from '../components/coalesceCalls';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';

type IDeploymentsClient = Pick<
  IClient,
  'deployments' | 'register' | 'pauseDeployment' | 'deleteDeployment'
>;

/** All deployments, newest first. Each change reads the whole list again: only the server has the current state. */
export class DeploymentsModel extends Observable {
  constructor(private readonly client: IDeploymentsClient) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      // The next runs change with time, and other processes register deployments: notebooks, terminals, CI.
      frequency: { interval: 10_000, backoff: true, max: 60_000 },
      name: 'satflow-ext:deployments',
      standby: 'when-hidden'
    });
  }

  get items(): Deployment[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  watch(): void {
    void this.poll.refresh();
  }

  unwatch(): void {
    void this.poll.stop();
  }

  readonly refresh = coalesceCalls(async () => {
    try {
      this._items = (await this.client.deployments()).deployments;
      this._error = null;
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this.emitChanged();
  });

  async register(request: RegisterRequest): Promise<Registered> {
    const registered = await this.client.register(request);
    await this.refresh();
    return registered;
  }

  async pause(id: string, paused: boolean): Promise<void> {
    await this.client.pauseDeployment(id, { paused });
    await this.refresh();
  }

  async delete(id: string): Promise<void> {
    await this.client.deleteDeployment(id);
    await this.refresh();
  }

  dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  private readonly poll: Poll;
  private _items: Deployment[] = [];
  private _error: ErrorBody | null = null;
}
