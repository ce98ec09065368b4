import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Version } from '../_api';
import type { DeploymentsModel } from '../models/deployments';
import type { StackModel } from '../models/stack';
import type { VersionsModel } from '../models/versions';
import { StackBanner } from '../views/StackBanner';
import type { IVersionActions } from '../views/VersionList';
import { VersionsView } from '../views/VersionsView';
import { confirmRollBack } from './dialogs';
import { ModelView } from './modelView';

/** The objects that a versions tab requires besides the versions. */
export interface IVersionsTabParts {
  deployments: DeploymentsModel;
  stack: StackModel;
  trans: TranslationBundle;
}

/** The main-area tab with the versions of a deployment, which are loaded when the stack is ready. */
export class VersionsTab extends ModelView {
  /**
   * @param versions - the versions to show
   * @param name - the deployment's name
   * @param parts - the other objects that the tab requires
   */
  constructor(
    private readonly versions: VersionsModel,
    private readonly name: string,
    private readonly parts: IVersionsTabParts
  ) {
    super(
      parts.trans,
      [versions, parts.stack],
      () => this.renderVersions(),
      () => void parts.stack.ensureStarted()
    );
    this.addClass('jp-Satflow-versionsTab');
    parts.deployments.changed.connect(this.onDeployments, this);
    parts.stack.callWhenReady(this, () => void versions.load());
  }

  dispose(): void {
    this.versions.dispose();
    super.dispose();
  }

  private renderVersions(): JSX.Element {
    const { versions, name } = this;
    const { stack } = this.parts;
    return (
      <>
        <StackBanner
          status={stack.status}
          error={stack.error}
          onRetry={() => void stack.start()}
        />
        <VersionsView
          name={name}
          versions={versions.items}
          hasMore={versions.hasMore}
          missingReason={versions.missingReason}
          pair={versions.pair}
          diff={versions.diff}
          error={versions.error}
          isBusy={versions.isBusy}
          actions={this.actions}
        />
      </>
    );
  }

  private readonly actions: IVersionActions = {
    onCompare: pair => void this.versions.compareVersions(pair),
    onMore: () => void this.versions.loadMore(),
    onRollBack: version => void this.confirmAndRollBack(version)
  };

  private async confirmAndRollBack({ number }: Version): Promise<void> {
    const { trans } = this.parts;
    if (!(await confirmRollBack(this.name, number, trans))) {
      return;
    }
    const done = await this.versions.rollBack(number);
    if (done) {
      const { version } = done.deployment;
      Notification.success(
        trans.__(
          '%1: version %2 restores version %3.',
          this.name,
          version,
          number
        ),
        { autoClose: 8000 }
      );
    }
  }

  /** Load the versions again after a newer one was registered. */
  private onDeployments(): void {
    const { items, deploymentId, isBusy } = this.versions;
    const now = this.parts.deployments.items.find(
      one => one.id === deploymentId
    );
    const newest = items?.[0]?.number;
    if (now && newest !== undefined && newest < now.version && !isBusy) {
      void this.versions.load();
    }
  }
}
