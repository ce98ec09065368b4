import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Version } from '../_api';
import { showConfirmation } from '../components/confirmation';
import { ModelView } from '../components/modelView';
import type { DeploymentsModel } from '../flows/deployments';
import type { StackModel } from '../stack/stack';
import { StackBanner } from '../stack/StackBanner';
import type { IVersionActions } from './VersionList';
import type { VersionsModel } from './versions';
import { VersionsView } from './VersionsView';

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

  /** Compare a version with the one before it. */
  showVersion(number: number): void {
    this.versions.showVersion(number);
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

/** Ask the user whether to roll back to an earlier version. */
function confirmRollBack(
  name: string,
  version: number,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Roll back to version %1?', version),
    trans.__(
      'A new version of %1 is created from the code and choices of version %2, and the next runs use it. No version is lost, and active runs are not affected.',
      name,
      version
    ),
    trans.__('Roll back'),
    trans.__('Keep')
  );
}
