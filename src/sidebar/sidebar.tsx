import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { type AccordionPanel, Panel, type Widget } from '@lumino/widgets';
import React from 'react';

import type { RunGroup } from '../_api';
import type { ClustersModel } from '../clusters/clusters';
import { ClustersSection } from '../clusters/ClustersSection';
import type { SharedClustersModel } from '../clusters/sharedClusters';
import { ModelView } from '../components/modelView';
import type { IObservable } from '../components/observable';
import type { DeploymentsModel } from '../flows/deployments';
import type { FlowsModel } from '../flows/flows';
import { FlowsSection } from '../flows/FlowsSection';
import { satflowIcon } from '../icons';
import { DeploymentsSection } from '../runs/DeploymentsSection';
import type { RunGroupsModel } from '../runs/groups';
import type { RecentRunsModel } from '../runs/recentRuns';
import type { RunsModel } from '../runs/runs';
import { RunsSection } from '../runs/RunsSection';
import type { StackModel } from '../stack/stack';
import { StackBanner } from '../stack/StackBanner';
import type { Actions } from './actions';

/** The models of the sidebar. */
export interface ISidebarModels {
  flows: FlowsModel;
  deployments: DeploymentsModel;
  runs: RunsModel;
  recentRuns: RecentRunsModel;
  groups: RunGroupsModel;
  clusters: ClustersModel;
  shared: SharedClustersModel;
  stack: StackModel;
}

/** The names of the sections. */
export type SectionName = 'flows' | 'runs' | 'deployments' | 'clusters';

/** Flows, runs, deployments and clusters, in the left sidebar. It sends no requests before it is first shown. */
export class Sidebar extends SidePanel {
  constructor(
    private readonly models: ISidebarModels,
    actions: Actions,
    translator: ITranslator
  ) {
    super({ translator, header: new Panel() });
    const trans = translator.load('satflow_ext');
    this.id = 'satflow-sidebar';
    this.addClass('jp-Satflow-sidebar');
    this.title.icon = satflowIcon;
    this.title.caption = trans.__(
      'SatFlow: flows, runs, deployments, clusters'
    );
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('SatFlow'));
    this.header.addWidget(createBanner(models.stack, trans));
    this.sections = {
      flows: createFlowsSection(models, actions, trans),
      runs: createRunsSection(models, actions, trans),
      deployments: createDeploymentsSection(models, actions, trans),
      clusters: createClustersSection(models, actions, trans)
    };
    Object.values(this.sections).forEach(one => this.addWidget(one));
    (this.content as AccordionPanel).setRelativeSizes([3, 4, 3, 2]);
    models.stack.changed.connect(this.updateWatching, this);
    models.deployments.changed.connect(this.checkStackAfterError, this);
  }

  /** Open a section. */
  openSection(name: SectionName): void {
    const accordion = this.content as AccordionPanel;
    accordion.expand(accordion.widgets.indexOf(this.sections[name]));
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    if (!this.wasShown) {
      this.wasShown = true;
      this.models.flows.enable();
      void this.models.stack.ensureStarted();
    }
    this.updateWatching();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.updateWatching();
  }

  /** Read and subscribe while the sidebar is visible and the stack is ready. */
  private updateWatching(): void {
    const following = this.isVisible && this.models.stack.isReady;
    if (following === this.isWatching) {
      return;
    }
    this.isWatching = following;
    const { runs, groups, deployments } = this.models;
    [runs, groups, deployments].forEach(one =>
      following ? one.watch() : one.unwatch()
    );
  }

  /** Check the stack after an error, because it may have stopped. */
  private checkStackAfterError(): void {
    const { deployments, stack } = this.models;
    if (deployments.error && stack.isReady) {
      void stack.checkStack();
    }
  }

  private wasShown = false;
  private isWatching = false;
  private readonly sections: Record<SectionName, Widget>;
}

function createBanner(stack: StackModel, trans: TranslationBundle): Widget {
  return new ModelView(trans, [stack], () => (
    <StackBanner
      status={stack.status}
      error={stack.error}
      onRetry={() => void stack.start()}
    />
  ));
}

function createFlowsSection(
  { flows, deployments }: ISidebarModels,
  actions: Actions,
  trans: TranslationBundle
): Widget {
  const section = new ModelView(trans, [flows, deployments], () => (
    <FlowsSection
      state={flows.state}
      deployments={deployments.items}
      actions={actions}
    />
  ));
  return setTitle(section, 'flows', trans.__('Flows'));
}

function createRunsSection(
  { runs, groups, deployments, stack }: ISidebarModels,
  actions: Actions,
  trans: TranslationBundle
): Widget {
  const pointActions = {
    onFilter: runs.setFilter.bind(runs),
    onLoadMore: () => void runs.loadMore(),
    onOpenPoints: ({ id }: RunGroup) => void groups.openPoints(id),
    onClosePoints: ({ id }: RunGroup) => groups.closePoints(id)
  };
  const models = [runs, groups, deployments, stack];
  const section = new ModelView(trans, models, () => (
    <RunsSection
      runs={runs.items}
      isLoaded={runs.isLoaded}
      hasMore={runs.hasMore}
      error={stack.isReady ? runs.error : null}
      groups={groups.items}
      groupsError={stack.isReady ? groups.error : null}
      pointsOf={({ id }) => groups.points(id)}
      deployments={deployments.items}
      filter={runs.filter}
      actions={{ ...actions, ...pointActions }}
    />
  ));
  return setTitle(section, 'runs', trans.__('Runs'));
}

function createDeploymentsSection(
  { deployments, recentRuns, stack }: ISidebarModels,
  actions: Actions,
  trans: TranslationBundle
): Widget {
  const models = [deployments, recentRuns, stack];
  const section = new WatchedSection(trans, models, recentRuns, () => (
    <DeploymentsSection
      deployments={deployments.items}
      error={stack.isReady ? deployments.error : null}
      recentRuns={id => recentRuns.of(id)}
      onShown={ids => recentRuns.show(ids)}
      actions={actions}
    />
  ));
  return setTitle(section, 'deployments', trans.__('Deployments'));
}

function createClustersSection(
  { clusters, shared }: ISidebarModels,
  actions: Actions,
  trans: TranslationBundle
): Widget {
  const onOpen = (id: string, name: string) => actions.onOpen({ id, name });
  const models = [clusters, shared];
  const section = new WatchedSection(trans, models, clusters, () => (
    <ClustersSection
      clusters={clusters.items}
      samples={clusters.samples}
      shared={shared.items}
      error={clusters.error}
      onOpen={onOpen}
      onShowFlows={actions.onShowFlows}
      actions={actions}
    />
  ));
  return setTitle(section, 'clusters', trans.__('Clusters'));
}

function setTitle(
  section: ModelView,
  name: SectionName,
  label: string
): Widget {
  section.id = `satflow-section-${name}`;
  section.title.label = label;
  section.addClass('jp-Satflow-section');
  section.node.dataset.testid = `satflow-section-${name}`;
  return section;
}

/** A section that watches a model only while it is open. */
class WatchedSection extends ModelView {
  constructor(
    trans: TranslationBundle,
    models: IObservable[],
    private readonly watched: { watch(): void; unwatch(): void },
    draw: () => JSX.Element
  ) {
    super(trans, models, draw);
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.watched.watch();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.watched.unwatch();
  }

  protected onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.watched.unwatch();
  }
}
