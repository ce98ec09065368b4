import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React from 'react';

import type { Run, RunChanges } from '../_api';
import { showConfirmation } from '../components/confirmation';
import { ModelView } from '../components/modelView';
import { showError } from '../components/showError';
import type { DeploymentsModel } from '../flows/deployments';
import type { StackModel } from '../stack/stack';
import { StackBanner } from '../stack/StackBanner';
import type { RunsFilter } from './runs';
import type { RunAction, RunsMode, RunsPage } from './runsPage';
import { RunsPageView } from './RunsPageView';

/** The objects that the page of runs requires besides the runs. */
export interface IRunsPageParts {
  deployments: DeploymentsModel;
  stack: StackModel;
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
  trans: TranslationBundle;
}

/** The main-area tab with all runs. It reads and subscribes while it is visible. */
export class RunsPageTab extends ModelView {
  constructor(
    private readonly page: RunsPage,
    private readonly parts: IRunsPageParts
  ) {
    const { deployments, stack, trans, onOpen } = parts;
    const { runs } = page;
    const actions = {
      onOpen,
      onFilter: (filter: RunsFilter) => runs.setFilter(filter),
      onLoadMore: () => void runs.loadMore(),
      onToggle: (id: string, extend: boolean) => page.toggle(id, extend),
      onToggleAll: () => page.toggleAll(),
      onMode: (mode: RunsMode) => page.setMode(mode),
      onChange: (action: RunAction) =>
        void changeSelected(page, action, trans).catch(showError)
    };
    super(
      trans,
      [page, runs, deployments, stack],
      () => (
        <>
          <StackBanner
            status={stack.status}
            error={stack.error}
            onRetry={() => void stack.start()}
          />
          <RunsPageView
            runs={runs.items}
            upcoming={page.upcoming}
            mode={page.mode}
            deployments={deployments.items}
            filter={runs.filter}
            selected={page.selected}
            isLoaded={runs.isLoaded}
            isBusy={page.isBusy}
            hasMore={runs.hasMore}
            error={stack.isReady ? runs.error : null}
            actions={actions}
          />
        </>
      ),
      () => void stack.ensureStarted()
    );
    this.addClass('jp-Satflow-runsPageTab');
    stack.callWhenReady(this, () => this.updateWatching());
  }

  get filter(): RunsFilter {
    return this.page.runs.filter;
  }

  get mode(): RunsMode {
    return this.page.mode;
  }

  dispose(): void {
    this.page.dispose();
    super.dispose();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.updateWatching();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.updateWatching();
  }

  private updateWatching(): void {
    const { deployments, stack } = this.parts;
    if (this.isVisible && stack.isReady) {
      void deployments.refresh();
      this.page.runs.watch();
    } else {
      this.page.runs.unwatch();
    }
  }
}

/** Ask the user, change the selected runs, and report which of them were not changed. */
async function changeSelected(
  page: RunsPage,
  action: RunAction,
  trans: TranslationBundle
): Promise<void> {
  const { title, text, yes, no } = question(action, page.selected.size, trans);
  if (await showConfirmation(title, text, yes, no)) {
    reportChanges(action, await page.change(action), trans);
  }
}

function question(
  action: RunAction,
  count: number,
  trans: TranslationBundle
): Record<'title' | 'text' | 'yes' | 'no', string> {
  const no = trans.__('Do nothing');
  switch (action) {
    case 'cancel':
      return {
        title: trans._n('Cancel %1 run?', 'Cancel %1 runs?', count),
        text: trans.__('Runs that have ended do not change. Logs are kept.'),
        yes: trans.__('Cancel runs'),
        no
      };
    case 'retry':
      return {
        title: trans._n('Retry %1 run?', 'Retry %1 runs?', count),
        text: trans.__(
          'Failed, crashed and cancelled runs are executed again as the same runs, with the version that is live now. Others do not change.'
        ),
        yes: trans.__('Retry runs'),
        no
      };
    case 'delete':
      return {
        title: trans._n('Delete %1 run?', 'Delete %1 runs?', count),
        text: trans.__(
          'Their logs and task runs are deleted as well. This cannot be undone. Runs that have not ended are not deleted.'
        ),
        yes: trans.__('Delete runs'),
        no
      };
  }
}

function reportChanges(
  action: RunAction,
  { changed, refused }: RunChanges,
  trans: TranslationBundle
): void {
  const done = {
    cancel: trans._n('%1 run cancelled.', '%1 runs cancelled.', changed.length),
    retry: trans._n(
      '%1 run starts again.',
      '%1 runs start again.',
      changed.length
    ),
    delete: trans._n('%1 run deleted.', '%1 runs deleted.', changed.length)
  }[action];
  if (refused.length === 0) {
    Notification.success(done, { autoClose: 5000 });
    return;
  }
  const unchanged = trans._n(
    '%1 was not changed: %2',
    '%1 were not changed. The first: %2',
    refused.length,
    refused[0].reason
  );
  Notification.warning(`${done} ${unchanged}`, { autoClose: false });
}
