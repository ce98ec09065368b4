import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type {
  ClusterStatus,
  Deployment,
  LiveFlow,
  Run,
  RunGroup
} from '../_api';
import {
  askClusterSize,
  confirmCloseCluster,
  confirmRestartCluster
} from '../clusters/clusterDialogs';
import {
  hasDaskPages,
  type OnDaskPages,
  openDaskPages
} from '../clusters/daskPages';
import {
  type ISharedCluster,
  type SharedClustersModel,
  parseSizeOrder
} from '../clusters/sharedClusters';
import { showError } from '../components/showError';
import { EXAMPLE_FLOW, insertCell } from '../flows/cells';
import type { DeploymentsModel } from '../flows/deployments';
import { confirmDelete } from '../flows/flowDialogs';
import type { FlowsModel } from '../flows/flows';
import { askRunMany, confirmCancelGroup } from '../runs/groupDialogs';
import { formatResultsCell, type RunGroupsModel } from '../runs/groups';
import {
  confirmCancel,
  confirmRetry,
  type NamedRun,
  pickDeployment,
  runWithParameters
} from '../runs/runDialogs';
import { RunManyModel } from '../runs/runMany';
import { formatResultCell, type RunsModel } from '../runs/runs';

/** The objects that the actions require. */
export interface IActionParts {
  commands: CommandRegistry;
  tracker: INotebookTracker;
  flows: FlowsModel;
  deployments: DeploymentsModel;
  runs: RunsModel;
  groups: RunGroupsModel;
  sharedClusters: SharedClustersModel;
  trans: TranslationBundle;
}

/** The user actions, independent of where their buttons are. Errors are shown as notifications. */
export class Actions {
  constructor(private readonly parts: IActionParts) {}

  readonly onNewNotebook = (): void =>
    this.executeCommand('notebook:create-new');
  readonly onSelectKernel = (): void =>
    this.executeCommand('notebook:change-kernel');
  readonly onOpenNotebook = (path: string): void =>
    this.executeCommand('docmanager:open', { path });
  readonly onRunAllCells = (): void =>
    this.executeCommand('notebook:run-all-cells');
  readonly onShowFlows = (): void => this.executeCommand('satflow:show-flows');
  readonly onOpenRunsPage = (): void =>
    this.executeCommand('satflow:open-runs');

  readonly onInsertExample = (): void =>
    insertCell(this.parts.tracker, EXAMPLE_FLOW);

  readonly onInsertCell = (source: string): void =>
    insertCell(this.parts.tracker, source);

  readonly onRefresh = (): void => this.parts.flows.refresh();

  readonly onRegister = (flow: LiveFlow): void =>
    this.executeCommand('satflow:register-flow', { variable: flow.variable });

  /**
   * Run a flow that this notebook registered. Otherwise open the form, where the Enter key registers and runs the
   * flow.
   *
   * @param own - the deployments of the flow that the notebook registered; if there are several, the user picks one
   */
  readonly onRun = (flow: LiveFlow, own: Deployment[]): void =>
    own.length > 0
      ? this.showErrors(this.pickAndRun(own))
      : this.executeCommand('satflow:register-flow', {
          variable: flow.variable,
          run: true
        });

  readonly onOpen = (run: NamedRun): void =>
    this.executeCommand('satflow:open-run', { runId: run.id, name: run.name });

  /** Compare a run with another one of its deployment, which the user picks. */
  readonly onCompare = (run: Run): void =>
    this.executeCommand('satflow:compare-runs', { runId: run.id });

  /** Show the versions of the deployment of a run, and the changes of one of them. */
  readonly onShowVersions = (run: Run, version?: number): void =>
    this.executeCommand('satflow:show-versions', {
      deploymentId: run.deployment_id ?? '',
      name: run.deployment_name ?? '',
      ...(version === undefined ? {} : { version })
    });

  readonly onRunDeployment = (deployment: Deployment): void =>
    this.showErrors(this.runDeployment(deployment, deployment.parameters));

  readonly onRunMany = (deployment: Deployment): void =>
    this.showErrors(this.runMany(deployment));

  readonly onRetryGroup = (group: RunGroup): void =>
    this.showErrors(this.parts.groups.retryFailed(group.id));

  readonly onCancelGroup = (group: RunGroup): void =>
    this.showErrors(this.cancelGroup(group));

  readonly onInsertResults = (group: RunGroup): void =>
    this.showErrors(this.insertIntoNotebook(formatResultsCell(group)));

  readonly onInsertResult = (run: Run): void =>
    this.showErrors(this.insertIntoNotebook(formatResultCell(run)));

  readonly onRunAgain = (run: Run): void => this.showErrors(this.runAgain(run));

  readonly onRetry = (run: Run): void => this.showErrors(this.retryRun(run));

  readonly onCancel = (run: NamedRun): void =>
    this.showErrors(this.cancelRun(run));

  readonly onCancelAll = (runs: readonly NamedRun[]): void =>
    this.showErrors(
      Promise.all(runs.map(run => this.parts.runs.cancelRun(run.id)))
    );

  readonly onPause = (deployment: Deployment, paused: boolean): void =>
    this.showErrors(this.parts.deployments.pause(deployment.id, paused));

  readonly onVersions = ({ id, name }: Deployment): void =>
    this.executeCommand('satflow:show-versions', { deploymentId: id, name });

  readonly onDelete = (deployment: Deployment): void =>
    this.showErrors(this.deleteDeployment(deployment));

  readonly onStartCluster = ({ deployment_id }: ISharedCluster): void =>
    this.showErrors(
      this.parts.sharedClusters.sendOrder(deployment_id, { do: 'start' })
    );

  readonly onResizeCluster = (cluster: ISharedCluster): void =>
    this.showErrors(this.resizeCluster(cluster));

  readonly onRestartCluster = (cluster: ISharedCluster): void =>
    this.showErrors(this.restartCluster(cluster));

  readonly onCloseCluster = (cluster: ISharedCluster): void =>
    this.showErrors(this.closeCluster(cluster));

  /** Opens the Dask dashboard; null if dask-labextension is not installed. */
  get onDaskPages(): OnDaskPages {
    const { commands, trans } = this.parts;
    const open = ({ dashboard }: ClusterStatus) =>
      this.showErrors(openDaskPages(commands, dashboard ?? '', trans));
    return hasDaskPages(commands) ? open : null;
  }

  private async resizeCluster(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.parts;
    const { deployment_id, deployment_name, workers } = cluster;
    const text = await askClusterSize(deployment_name, workers, trans);
    if (text === null) {
      return;
    }
    const order = parseSizeOrder(text);
    if (order === null) {
      throw new Error(
        trans.__(
          '%1 is not a number of Dask workers. Enter a number such as 4 or a range such as 1-8.',
          text
        )
      );
    }
    await sharedClusters.sendOrder(deployment_id, order);
  }

  private async restartCluster(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.parts;
    if (await confirmRestartCluster(cluster.deployment_name, trans)) {
      await sharedClusters.sendOrder(cluster.deployment_id, { do: 'restart' });
    }
  }

  private async closeCluster(cluster: ISharedCluster): Promise<void> {
    const { sharedClusters, trans } = this.parts;
    if (await confirmCloseCluster(cluster.deployment_name, trans)) {
      await sharedClusters.closeCluster(cluster.deployment_id);
    }
  }

  private async runAgain(run: Run): Promise<void> {
    const { deployments, trans } = this.parts;
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
    await this.runDeployment(deployment, run.parameters);
  }

  private async pickAndRun(own: Deployment[]): Promise<void> {
    const deployment = await pickDeployment(own, this.parts.trans);
    if (deployment) {
      await this.runDeployment(deployment, deployment.parameters);
    }
  }

  /** Ask for the parameters if there are any, start the run, and open its tab. */
  private async runDeployment(
    deployment: Deployment,
    start: Run['parameters']
  ): Promise<void> {
    const { runs, trans } = this.parts;
    const use = async (given: Run['parameters']) =>
      this.onOpen(await runs.startRun(deployment.id, given));
    await runWithParameters(deployment, start, use, trans);
  }

  private async runMany(deployment: Deployment): Promise<void> {
    const { groups, trans } = this.parts;
    // eslint-disable-next-line jupyter/require-disposable-ownership -- disposed below in all cases
    const model = new RunManyModel(deployment, groups);
    try {
      await askRunMany(model, trans);
    } finally {
      model.dispose();
    }
  }

  private async cancelGroup(group: RunGroup): Promise<void> {
    if (await confirmCancelGroup(group, this.parts.trans)) {
      await this.parts.groups.cancel(group.id);
    }
  }

  private async insertIntoNotebook(source: string): Promise<void> {
    const { commands, tracker, trans } = this.parts;
    const notebook = tracker.currentWidget;
    if (!notebook) {
      throw new Error(trans.__('Open a notebook for the new cell first.'));
    }
    await commands.execute('docmanager:open', {
      path: notebook.context.path,
      factory: 'Notebook'
    });
    insertCell(tracker, source);
  }

  private async cancelRun(run: NamedRun): Promise<void> {
    if (await confirmCancel(run, this.parts.trans)) {
      await this.parts.runs.cancelRun(run.id);
    }
  }

  private async retryRun(run: Run): Promise<void> {
    if (await confirmRetry(run, this.parts.trans)) {
      await this.parts.runs.retryRun(run.id);
    }
  }

  private async deleteDeployment(deployment: Deployment): Promise<void> {
    if (await confirmDelete(deployment, this.parts.trans)) {
      await this.parts.deployments.delete(deployment.id);
    }
  }

  private executeCommand(
    id: string,
    args?: Record<string, string | boolean | number>
  ): void {
    this.showErrors(this.parts.commands.execute(id, args));
  }

  private showErrors(work: Promise<unknown>): void {
    work.catch(reason => showError(reason));
  }
}
