import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { ModelView } from '../components/modelView';
import type { StackModel } from '../stack/stack';
import { StackBanner } from '../stack/StackBanner';
import type { RunComparison } from './runComparison';
import {
  type IRunComparisonActions,
  RunComparisonView
} from './RunComparisonView';

/** The objects that a comparison's tab requires besides the runs. */
export interface IComparisonTabParts {
  stack: StackModel;
  actions: Omit<IRunComparisonActions, 'onShowLogs'>;
  trans: TranslationBundle;
}

/** The main-area tab with two runs, which are read when the stack is ready. */
export class ComparisonTab extends ModelView {
  constructor(
    private readonly comparison: RunComparison,
    { stack, actions, trans }: IComparisonTabParts
  ) {
    super(
      trans,
      [comparison, stack],
      () => (
        <>
          <StackBanner
            status={stack.status}
            error={stack.error}
            onRetry={() => void stack.start()}
          />
          <RunComparisonView
            runs={comparison.runs}
            logs={comparison.logs}
            error={comparison.error}
            isBusy={comparison.isBusy}
            actions={{
              ...actions,
              onShowLogs: () => void comparison.loadLogs()
            }}
          />
        </>
      ),
      () => void stack.ensureStarted()
    );
    this.addClass('jp-Satflow-comparisonTab');
    stack.callWhenReady(this, () => void comparison.load());
  }

  dispose(): void {
    this.comparison.dispose();
    super.dispose();
  }
}
