import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { ModelView } from '../components/modelView';
import type { Preferences } from '../components/preferences';
import { showError } from '../components/showError';
import type { DeploymentsModel } from '../flows/deployments';
import type { StackModel } from '../stack/stack';
import type { FailedCells } from './failedCells';
import { addOwnRunPanels } from './ownRunPanels';
import { makeRunLink } from './runLinks';
import type { RunModel } from './run';
import type { IRunActions, RunPanels } from './runPanels';
import { RunView } from './RunView';

/** The objects that a run's tab requires besides the run. */
export interface IRunTabParts {
  /** Load a failed run into a notebook. */
  debugRun: (runId: string, cells: FailedCells) => Promise<void>;
  /** The address of the Jupyter server. */
  baseUrl: string;
  deployments: DeploymentsModel;
  preferences: Preferences;
  stack: StackModel;
  actions: Omit<
    IRunActions,
    | 'onDownload'
    | 'onCopyLines'
    | 'onCopyLink'
    | 'onReadVersion'
    | 'onReadResult'
    | 'onReadTaskRun'
  >;
  panels: RunPanels;
  /** Renders Markdown, if JupyterLab provides it. */
  rendermime: IRenderMimeRegistry | null;
  trans: TranslationBundle;
}

/** The main-area tab of a run; it subscribes to the stream when it is first visible. */
export class RunTab extends ModelView {
  constructor(
    private readonly run: RunModel,
    private readonly cells: FailedCells,
    parts: IRunTabParts
  ) {
    super(
      parts.trans,
      [run, cells, parts.deployments, parts.panels],
      () => renderRun(run, cells, parts),
      () => {
        void parts.stack.ensureStarted();
        void parts.deployments.refresh();
        run.watch();
      }
    );
    this.addClass('jp-Satflow-runTab');
    // Added here, because the code of the panels is loaded with the first tab.
    addOwnRunPanels(parts.panels, parts.trans, parts.rendermime);
    run.changed.connect(this.updateCells, this);
  }

  /** Show a line of the log, also if it is loaded later. */
  showLine(id: string): void {
    this.run.showLine(id);
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.run.setShown(true);
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.run.setShown(false);
  }

  dispose(): void {
    this.run.dispose();
    this.cells.dispose();
    super.dispose();
  }

  private updateCells(): void {
    this.cells.update(this.run.detail?.failure ?? null);
  }
}

function renderRun(
  run: RunModel,
  cells: FailedCells,
  parts: IRunTabParts
): JSX.Element {
  const { deployments, preferences, actions, panels, trans } = parts;
  const shown = run.detail?.run;
  const id = shown?.deployment_id;
  const deployment = deployments.items.find(one => one.id === id);
  const onDownload = () => void downloadLog(run).catch(showError);
  return (
    <RunView
      detail={run.detail}
      version={shown?.version ?? deployment?.version ?? null}
      tasks={run.tasks}
      workers={run.log.workers}
      lines={run.log.lines}
      progress={run.progress}
      cluster={run.cluster}
      samples={run.samples}
      error={run.error}
      streamError={run.streamError}
      follow={preferences.followLog}
      linkedLine={run.linkedLine}
      panels={panels.items}
      failureActions={{
        matchCell: frame => cells.match(frame),
        cellOf: frame => cells.cellOf(frame),
        onOpenCell: frame => void cells.open(frame).catch(showError),
        onCopy: text => copyText(text, trans.__('The traceback was copied.')),
        onDebug: id
          ? () => void parts.debugRun(run.id, cells).catch(showError)
          : null
      }}
      actions={{
        ...actions,
        onDownload,
        onCopyLines: (text, count) =>
          copyText(
            text,
            trans._n('%1 line was copied.', '%1 lines were copied.', count)
          ),
        onCopyLink: lineId =>
          copyText(
            makeRunLink(parts.baseUrl, run.id, lineId),
            trans.__('The link to the line was copied.')
          ),
        onReadVersion: () => run.readVersion(),
        onReadResult: () => run.readResult(),
        onReadTaskRun: id => run.readTaskRun(id)
      }}
    />
  );
}

function copyText(text: string, message: string): void {
  Clipboard.copyToSystem(text);
  Notification.success(message, { autoClose: 2000 });
}

/** Save the whole log, which is fetched here because a plain link would not carry the credential. */
async function downloadLog(run: RunModel): Promise<void> {
  const url = URL.createObjectURL(await run.download());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${run.detail?.run.name ?? run.id}.log`;
  link.click();
  URL.revokeObjectURL(url);
}
