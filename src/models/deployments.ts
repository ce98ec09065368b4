import type {
  Deployment,
  ErrorBody,
  Registered,
  RegisterRequest
} from '../_api';
import type { IClient } from '../client';
import { toErrorBody } from '../errors';
import { coalesceCalls } from './coalesceCalls';
import { PolledModel } from './polledModel';

type IDeploymentsClient = Pick<
  IClient,
  'deployments' | 'register' | 'pauseDeployment' | 'deleteDeployment'
>;

/** All deployments, newest first. Each change reads the whole list again: only the server has the current state. */
export class DeploymentsModel extends PolledModel {
  constructor(private readonly client: IDeploymentsClient) {
    // The next runs change with time, and other processes register deployments: notebooks, terminals, CI.
    super({ name: 'deployments', interval: 10_000, max: 60_000 });
  }

  get items(): Deployment[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
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

  protected read(): Promise<void> {
    return this.refresh();
  }

  private _items: Deployment[] = [];
  private _error: ErrorBody | null = null;
}
