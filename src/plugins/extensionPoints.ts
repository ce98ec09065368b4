import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { Registry } from '../components/registry';
import { IExecutorCards, IRunPanels } from '../tokens';

export const executorCards: JupyterFrontEndPlugin<IExecutorCards> = {
  id: 'satflow-ext:executor-cards',
  description: 'Provides the registry of executor cards in the register form.',
  autoStart: true,
  provides: IExecutorCards,
  activate: (): IExecutorCards => new Registry()
};

export const runPanels: JupyterFrontEndPlugin<IRunPanels> = {
  id: 'satflow-ext:run-panels',
  description: 'Provides the registry of panels in the views of runs.',
  autoStart: true,
  provides: IRunPanels,
  activate: (): IRunPanels => new Registry()
};
