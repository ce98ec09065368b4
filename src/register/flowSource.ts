import type { LiveFlow } from '../_api';
import type { FlowsModel } from '../flows/flows';

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

/** Return the flow as its kernel reports it now; null if it is the same, or if another notebook is current. */
export function findChangedSource(
  source: IFlowSource,
  flows: Pick<FlowsModel, 'notebook' | 'state'>
): IFlowSource | null {
  const { notebook, state } = flows;
  const path = source.notebook;
  if (notebook?.path !== path || !notebook?.kernelId || !('list' in state)) {
    return null;
  }
  const { kernelId } = notebook;
  const flow = state.list?.flows.find(
    one => one.variable === source.flow.variable
  );
  const notebookFile = state.list?.notebook ?? null;
  const isSame =
    kernelId === source.kernelId &&
    notebookFile === source.notebookFile &&
    flow?.fingerprint === source.flow.fingerprint;
  return flow && !isSame
    ? { flow, kernelId, notebook: path, notebookFile }
    : null;
}
