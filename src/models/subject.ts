import type { LiveFlow } from '../_api';

/** The flow that is to be registered, and where it lives. */
export interface ISubject {
  flow: LiveFlow;
  kernelId: string;
  /** The notebook's path as JupyterLab shows it. */
  notebook: string | null;
  /** The notebook's path as the kernel knows it (`FlowList.notebook`). */
  notebookFile: string | null;
}

/** What the user came to the form for, which is what Enter does there. */
export type Intent = 'register' | 'run';
