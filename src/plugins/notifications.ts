import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';

import type { Run } from '../_api';
import { formatDuration, stateName } from '../format';
import { FailedRunsWatcher } from '../runs/failedRuns';
import { waitForEnd } from '../runs/waitForEnd';
import { IActions, IClient, IPreferences, IRuns, IStream } from '../tokens';

export const notifications: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:notifications',
  description: 'Shows notifications about runs that end or fail.',
  autoStart: true,
  requires: [IRuns, IClient, IStream, IPreferences, IActions],
  optional: [ITranslator],
  activate: (
    _: JupyterFrontEnd,
    runs: IRuns,
    client: IClient,
    stream: IStream,
    preferences: IPreferences,
    actions: IActions,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    runs.runStarted.connect((_, run) => {
      if (preferences.notifyOnFinish) {
        const end = waitForEnd(run.id, client, stream);
        void showRun(run, end, () => actions.onOpen(run), trans);
      }
    });
    new FailedRunsWatcher(runs, failed => {
      if (preferences.notifyOnFailure) {
        showFailed(failed, run => actions.onOpen(run), trans);
      }
    });
  }
};

/** Number of failed runs with a notification each; more of them at once share one. */
const MAX_SINGLE = 3;

/** The tab of a run that the user sees now. */
const VISIBLE_RUN = '.jp-Satflow-runTab:not(.lm-mod-hidden)';

/** Return a value of `autoClose`, or 0 (only in the list of notifications) if a message would cover the log of a run. */
function unlessCovering(autoClose: number | false): number | false {
  return document.querySelector(VISIBLE_RUN) ? 0 : autoClose;
}

/** Show runs that failed and that were started elsewhere. */
function showFailed(
  failed: Run[],
  open: (run: Run) => void,
  trans: TranslationBundle
): void {
  const autoClose = unlessCovering(10000);
  if (failed.length > MAX_SINGLE) {
    const message = trans.__('%1 runs failed.', failed.length);
    Notification.error(message, { autoClose });
    return;
  }
  for (const run of failed) {
    const name = run.deployment_name ?? run.flow_name;
    Notification.error(describeEnd(name, run, trans), {
      autoClose,
      actions: [{ label: trans.__('Open run'), callback: () => open(run) }]
    });
  }
}

/** Types of notifications about runs that did not fail. */
const END_TYPES: Partial<Record<Run['state_type'], Notification.TypeOptions>> =
  { COMPLETED: 'success', CANCELLED: 'info' };

/** Show one notification for the run, from its start to its end. */
async function showRun(
  run: Run,
  end: Promise<Run>,
  open: () => void,
  trans: TranslationBundle
): Promise<void> {
  const name = run.deployment_name ?? run.flow_name;
  const actions = [{ label: trans.__('Open run'), callback: open }];
  const started = trans.__('%1: run %2 was submitted.', name, run.name);
  const id = Notification.emit(started, 'in-progress', {
    actions,
    autoClose: unlessCovering(4000)
  });
  const ended = await end;
  const message = describeEnd(name, ended, trans);
  const type = END_TYPES[ended.state_type] ?? 'error';
  const autoClose = unlessCovering(type === 'error' ? false : 8000);
  Notification.update({ id, message, type, actions, autoClose });
}

function describeEnd(name: string, run: Run, trans: TranslationBundle): string {
  const time = formatDuration(run.duration);
  const state = stateName(run.state_name, trans);
  return trans.__('%1: %2 after %3.', name, state, time);
}
