import type {
  ClusterOrder,
  ClusterStatus,
  Deployment,
  SharedCluster
} from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import type { DeploymentsModel } from '../flows/deployments';
import type { ClustersModel } from './clusters';

type ISharedClustersClient = Pick<IClient, 'orderCluster' | 'closeCluster'>;
type Order = ClusterOrder['order'];
type State = SharedCluster['state'];

/** A cluster that a deployment's runs share; `isBusy` is true while an order is carried out. */
export interface ISharedCluster {
  deployment_id: string;
  /** The deployment's name, preceded by the flow's name. */
  deployment_name: string;
  /** The name of a Dask Gateway, or "" for that of the local stack. */
  gateway: string;
  /** The state, or "unknown" until it has been checked. */
  state: State | 'unknown';
  workers: number;
  isBusy: boolean;
}

/** Milliseconds until the stream reflects an order. */
const ORDER_SETTLE_MS = 10_000;

/** The clusters that deployments' runs share, as reported by the stream. */
export class SharedClustersModel extends Observable {
  constructor(
    private readonly client: ISharedClustersClient,
    private readonly deployments: Pick<DeploymentsModel, 'changed' | 'items'>,
    private readonly clusters: Pick<
      ClustersModel,
      'deploymentsWithoutCluster' | 'changed' | 'items'
    >
  ) {
    super();
    deployments.changed.connect(this.emitChanged, this);
    clusters.changed.connect(this.onClusters, this);
  }

  get items(): ISharedCluster[] {
    return this.deployments.items
      .filter(hasSharedCluster)
      .map(one => this.describeCluster(one));
  }

  /** Send an order to a deployment's cluster; an order to start returns when the cluster is ready. */
  async sendOrder(deploymentId: string, order: Order): Promise<void> {
    await this.runOrder(deploymentId, async () => {
      const done = await this.client.orderCluster(deploymentId, { order });
      this.setOrderedState(deploymentId, done.state);
    });
  }

  async closeCluster(deploymentId: string): Promise<void> {
    await this.runOrder(deploymentId, async () => {
      await this.client.closeCluster(deploymentId);
      this.setOrderedState(deploymentId, 'none');
    });
  }

  dispose(): void {
    this.deployments.changed.disconnect(this.emitChanged, this);
    this.clusters.changed.disconnect(this.onClusters, this);
    this.timers.forEach(timer => window.clearTimeout(timer));
    super.dispose();
  }

  private async runOrder(id: string, work: () => Promise<void>): Promise<void> {
    this.busyIds.add(id);
    this.emitChanged();
    try {
      await work();
    } finally {
      this.busyIds.delete(id);
      this.emitChanged();
    }
  }

  /** Keep the state that an order returned until the stream reports it. */
  private setOrderedState(id: string, state: State): void {
    this.dropOrderedState(id);
    this.orderedStates.set(id, state);
    const settled = () => {
      this.dropOrderedState(id);
      this.emitChanged();
    };
    this.timers.set(id, window.setTimeout(settled, ORDER_SETTLE_MS));
  }

  private dropOrderedState(id: string): void {
    window.clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.orderedStates.delete(id);
  }

  private onClusters(): void {
    [...this.orderedStates]
      .filter(([id, state]) => this.observedState(id) === state)
      .forEach(([id]) => this.dropOrderedState(id));
    this.emitChanged();
  }

  private describeCluster({
    id,
    name,
    flow_name,
    executor
  }: Deployment): ISharedCluster {
    const gateway = executor?.options.gateway;
    return {
      deployment_id: id,
      deployment_name: `${flow_name}/${name}`,
      gateway: typeof gateway === 'string' ? gateway : '',
      state: this.orderedStates.get(id) ?? this.observedState(id),
      workers: this.findStatus(id)?.observed ?? 0,
      isBusy: this.busyIds.has(id)
    };
  }

  private observedState(id: string): ISharedCluster['state'] {
    const status = this.findStatus(id);
    if (status) {
      return status.state === 'closed' ? 'none' : status.state;
    }
    return this.clusters.deploymentsWithoutCluster.includes(id)
      ? 'none'
      : 'unknown';
  }

  private findStatus(id: string): ClusterStatus | undefined {
    return ownStatus(
      this.clusters.items.filter(
        one => one.deployment_id === id && one.executor === SHARED_EXECUTOR
      )
    );
  }

  private readonly busyIds = new Set<string>();
  private readonly orderedStates = new Map<string, State>();
  private readonly timers = new Map<string, number>();
}

/** The executor whose clusters can be shared by runs. */
export const SHARED_EXECUTOR = 'dask-cluster';

/** Return the status that a shared cluster reports itself, or else the status reported by a run that uses it. */
export function ownStatus(
  statuses: ClusterStatus[]
): ClusterStatus | undefined {
  return statuses.find(({ run_id }) => run_id === null) ?? statuses[0];
}

function hasSharedCluster({ executor }: Deployment): boolean {
  const { share, backend } = executor?.options ?? {};
  return (
    executor?.name === SHARED_EXECUTOR &&
    share !== 'run' &&
    (backend ?? 'gateway') === 'gateway'
  );
}

/** Parse a cluster size: "4" is a fixed number of Dask workers, "1-8" scales with the load; otherwise return null. */
export function parseSizeOrder(text: string): Order | null {
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
