import type { ClusterOrder, Deployment, SharedCluster } from '../_api';
import type { IClient } from '../client';
import type { DeploymentsModel } from './deployments';
import { Polled } from './polled';

type Served = Pick<IClient, 'sharedCluster' | 'orderCluster' | 'closeCluster'>;
type Order = ClusterOrder['order'];

/** A cluster that a deployment's runs share; `isBusy` while it does what it was asked for. */
export interface ISharedCluster extends SharedCluster {
  isBusy: boolean;
}

/** The clusters that deployments' runs share, read every few seconds while somebody looks. */
export class SharedClustersModel extends Polled {
  constructor(
    private readonly client: Served,
    private readonly deployments: Pick<DeploymentsModel, 'items'>
  ) {
    super({ name: 'shared-clusters', interval: 5000, max: 60_000 });
  }

  get items(): ISharedCluster[] {
    return this._items.map(one => ({
      ...one,
      isBusy: this.busy.has(one.deployment_id)
    }));
  }

  /** Let a deployment's cluster do something; starting takes until it is ready. */
  async order(deploymentId: string, order: Order): Promise<void> {
    await this.doing(deploymentId, async () => {
      await this.client.orderCluster(deploymentId, { order });
    });
  }

  async close(deploymentId: string): Promise<void> {
    await this.doing(deploymentId, () =>
      this.client.closeCluster(deploymentId)
    );
  }

  private async doing(id: string, work: () => Promise<void>): Promise<void> {
    this.busy.add(id);
    this.tell();
    try {
      await work();
    } finally {
      this.busy.delete(id);
      await this.read();
    }
  }

  /** One that does not answer is left out: who does something with it is told why. */
  protected async read(): Promise<void> {
    const looked = await Promise.allSettled(
      this.deployments.items
        .filter(shares)
        .map(one => this.client.sharedCluster(one.id))
    );
    this._items = looked.flatMap(one =>
      one.status === 'fulfilled' ? [one.value] : []
    );
    this.tell();
  }

  private readonly busy = new Set<string>();
  private _items: SharedCluster[] = [];
}

function shares({ executor }: Deployment): boolean {
  return executor?.name === 'dask-cluster' && executor.options.share !== 'run';
}

/** "4" is a fixed number of Dask workers, "1-8" as many as there is work for; null where it is neither. */
export function sizeOrder(text: string): Order | null {
  const fixed = /^\s*(\d+)\s*$/.exec(text);
  if (fixed) {
    return { do: 'scale', workers: Number(fixed[1]) };
  }
  const between = /^\s*(\d+)\s*[-–]\s*(\d+)\s*$/.exec(text);
  return between
    ? {
        do: 'adapt',
        minimum: Number(between[1]),
        maximum: Number(between[2])
      }
    : null;
}
