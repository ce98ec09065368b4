import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { ClusterStatus, Deployment, LiveFlow, Run } from '../_api';
import { errorBody } from '../errors';
import type { DeploymentsModel } from '../models/deployments';
import type { FlowsModel } from '../models/flows';
import type { RunsModel } from '../models/runs';
import {
  type ISharedCluster,
  type SharedClustersModel,
  sizeOrder
} from '../models/sharedClusters';
import { INSTALL } from '../views/FlowsSection';
import { EXAMPLE, insertCell } from './cells';
import { hasDaskPages, openDaskPages } from './daskPages';
import {
  askSize,
  confirmCancel,
  confirmClose,
  confirmDelete,
  confirmRestart,
  pickDeployment,
  withParameters
} from './dialogs';

/** The objects that the actions require. */
export interface IActed {
  commands: CommandRegistry;
  tracker: INotebookTracker;
  flows: FlowsModel;
  deployments: DeploymentsModel;
  runs: RunsModel;
  sharedClusters: SharedClustersModel;
  trans: TranslationBundle;
}

/** The user actions, independent of where their buttons are. Errors are shown as notifications. */
export class Actions {
  constructor(private readonly acted: IActed) {}

  readonly onNewNotebook = (): void => this.command('notebook:create-new');

  readonly onSelectKernel = (): void => this.command('notebook:change-kernel');

  readonly onOpenNotebook = (path: string): void =>
    this.command('docmanager:open', { path });

  readonly onRunAllCells = (): void => this.command('notebook:run-all-cells');

  readonly onShowFlows = (): void => this.command('satflow:show-flows');

  readonly onInsertExample = (): void =>
    insertCell(this.acted.tracker, EXAMPLE);

  readonly onInsertInstall = (): void =>
    insertCell(this.acted.tracker, INSTALL);

  readonly onRefresh = (): void => this.acted.flows.refresh();

  readonly onRegister = (flow: LiveFlow): void =>
    this.command('satflow:register-flow', { variable: flow.variable });

  /**
   * Run a flow that this notebook registered. Otherwise open the form, where the Enter key registers and runs the
   * flow.
   *
   * @param own - the deployments of the flow that the notebook registered; if there are several, the user picks one
   */
  readonly onRun = (flow: LiveFlow, own: Deployment[]): void =>
    own.length > 0
      ? this.told(this.runOne(own))
      : this.command('satflow:register-flow', {
          variable: flow.variable,
          run: true
        });

  readonly onOpen = (run: Pick<Run, 'id' | 'name'>): void =>
    this.command('satflow:open-run', { runId: run.id, name: run.name });

  readonly onRunDeployment = (deployment: Deployment): void =>
    this.told(this.run(deployment, deployment.parameters));

  readonly onRunAgain = (run: Run): void => this.told(this.runAgain(run));

  readonly onCancel = (run: Run): void => this.told(this.cancel(run));

  readonly onPause = (deployment: Deployment, paused: boolean): void =>
    this.told(this.acted.deployments.pause(deployment.id, paused));

  readonly onVersions = ({ id, name }: Deployment): void =>
    this.command('satflow:show-versions', { deploymentId: id, name });

  readonly onDelete = (deployment: Deployment): void =>
    this.told(this.delete(deployment));

  readonly onStartCluster = ({ deployment_id }: ISharedCluster): void =>
    this.told(this.acted.sharedClusters.order(deployment_id, { do: 'start' }));

  readonly onResizeCluster = (cluster: ISharedCluster): void =>
    this.told(this.resize(cluster));

  readonly onRestartCluster = (cluster: ISharedCluster): void =>
    this.told(this.restart(cluster));

  readonly onCloseCluster = (cluster: ISharedCluster): void =>
    this.told(this.close(cluster));

  /** Opens the Dask dashboard; null if dask-labextension is not installed. */
  get onDaskPages(): ((cluster: ClusterStatus) => void) | null {
    const { commands, trans } = this.acted;
    const open = ({ dashboard }: ClusterStatus) =>
      this.told(openDaskPages(commands, dashboard ?? '', trans));
    return hasDaskPages(commands) ? open : null;
  }

  private async resize(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.acted;
    const { deployment_id, deployment_name, workers } = cluster;
    const text = await askSize(deployment_name, workers, trans);
    if (text === null) {
      return;
    }
    const order = sizeOrder(text);
    if (order === null) {
      throw new Error(
        trans.__(
          '%1 is not a number of Dask workers. Enter a number such as 4 or a range such as 1-8.',
          text
        )
      );
    }
    await sharedClusters.order(deployment_id, order);
  }

  private async restart(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.acted;
    if (await confirmRestart(cluster.deployment_name, trans)) {
      await sharedClusters.order(cluster.deployment_id, { do: 'restart' });
    }
  }

  private async close(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.acted;
    if (await confirmClose(cluster.deployment_name, trans)) {
      await sharedClusters.close(cluster.deployment_id);
    }
  }

  private async runAgain(run: Run): Promise<void> {
    const { deployments, trans } = this.acted;
    const find = () =>
      deployments.items.find(one => one.id === run.deployment_id);
    if (!find()) {
      await deployments.refresh();
    }
    const deployment = find();
    if (!deployment) {
      throw new Error(
        trans.__(
          'The deployment of this run was deleted. Register the flow again.'
        )
      );
    }
    await this.run(deployment, run.parameters);
  }

  private async runOne(own: Deployment[]): Promise<void> {
    const deployment = await pickDeployment(own, this.acted.trans);
    if (deployment) {
      await this.run(deployment, deployment.parameters);
    }
  }

  /** Ask for the parameters if there are any, start the run, and open its tab. */
  private async run(
    deployment: Deployment,
    start: Run['parameters']
  ): Promise<void> {
    const { runs, trans } = this.acted;
    const use = async (given: Run['parameters']) =>
      this.onOpen(await runs.start(deployment.id, given));
    await withParameters(deployment, start, use, trans);
  }

  private async cancel(run: Run): Promise<void> {
    if (await confirmCancel(run, this.acted.trans)) {
      await this.acted.runs.cancel(run.id);
    }
  }

  private async delete(deployment: Deployment): Promise<void> {
    if (await confirmDelete(deployment, this.acted.trans)) {
      await this.acted.deployments.delete(deployment.id);
    }
  }

  private command(id: string, args?: Record<string, string | boolean>): void {
    this.told(this.acted.commands.execute(id, args));
  }

  private told(work: Promise<unknown>): void {
    work.catch(reason => tell(reason));
  }
}

/** Show an error until the user closes it. */
export function tell(reason: unknown): void {
  const { message, fix } = errorBody(reason);
  const words = [message, fix].filter(Boolean).join(' ');
  Notification.error(words, { autoClose: false });
}
