import type { LiveFlow } from '../_api';

/** The flow to register, with its kernel and notebook. */
export interface IFlowSource {
  flow: LiveFlow;
  kernelId: string;
  /** The notebook's path in JupyterLab. */
  notebook: string | null;
  /** The notebook's path in the kernel (`FlowList.notebook`). */
  notebookFile: string | null;
}

/** The reason for which the user opened the form; the Enter key performs it. */
export type Intent = 'register' | 'run';
