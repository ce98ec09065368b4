import type {
  Deployment,
  ErrorBody,
  Registered,
  RegisterRequest
} from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { coalesced } from './coalesced';
import { Polled } from './polled';

type Served = Pick<
  IClient,
  'deployments' | 'register' | 'pauseDeployment' | 'deleteDeployment'
>;

/** All deployments, newest first. Each change reads the whole list again: only the server has the current state. */
export class DeploymentsModel extends Polled {
  constructor(private readonly client: Served) {
    // The next runs change with time, and other processes register deployments: notebooks, terminals, CI.
    super({ name: 'deployments', interval: 10_000, max: 60_000 });
  }

  get items(): Deployment[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  readonly refresh = coalesced(async () => {
    try {
      this._items = (await this.client.deployments()).deployments;
      this._error = null;
    } catch (reason) {
      this._error = errorBody(reason);
    }
    this.tell();
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

  protected read(): Promise<void> {
    return this.refresh();
  }

  private _items: Deployment[] = [];
  private _error: ErrorBody | null = null;
}
